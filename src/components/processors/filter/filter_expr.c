#include "filter_expr.h"

#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "expr/expr.h"
#include "pdata/any.h"
#include "pdata/attributes.h"

#define SCRATCH_LIMIT_BYTES (16u << 20)

/* The order of the values below. */
static const char *const names[] = {"MetricName", "MetricType", HF_EXPR_LABELS, NULL};

enum { NAME, TYPE, LABELS, VALUE_COUNT };
enum { DATA_POINTS = 1 }; /* of every kind of metric */

struct hf_filter_expr {
    struct hf_string_list texts;
    struct hf_expr *items[];
};

enum hf_status hf_filter_expr_new(const char *name, struct hf_string_list texts,
                                  struct hf_filter_expr **ret_expr, char *reterr)
{
    char why[HF_EXPR_ERROR_MAX];
    struct hf_filter_expr *expr = calloc(1, sizeof(*expr) + texts.count * sizeof(struct hf_expr *));
    if (expr == NULL) {
        return HF_NOMEM;
    }
    expr->texts = texts;
    for (size_t i = 0; i < texts.count; i++) {
        enum hf_status status = hf_expr_new(texts.items[i], names, &expr->items[i], why);
        if (status != HF_OK) {
            snprintf(reterr, HF_ERROR_MAX, "%.100s::expressions[%zu]: %s", name, i,
                     status == HF_INVALID ? why : "out of memory");
            hf_filter_expr_free(expr);
            return status;
        }
    }
    *ret_expr = expr;
    return HF_OK;
}

void hf_filter_expr_free(struct hf_filter_expr *expr)
{
    if (expr == NULL) {
        return;
    }
    for (size_t i = 0; i < expr->texts.count; i++) {
        hf_expr_free(expr->items[i]);
    }
    free(expr);
}

static const char *type_of(const struct hf_message *data)
{
    static const char *const types[HF_SCHEMA_MESSAGE_COUNT] = {[HF_MESSAGE_GAUGE] = "Gauge",
                                                               [HF_MESSAGE_SUM] = "Sum",
                                                               [HF_MESSAGE_HISTOGRAM] = "Histogram",
                                                               [HF_MESSAGE_EXPONENTIAL_HISTOGRAM] =
                                                                   "ExponentialHistogram",
                                                               [HF_MESSAGE_SUMMARY] = "Summary"};
    return types[hf_message_type(data)->index];
}

/* Texts as they are; of other values only that they are there matters. */
static enum hf_status read_labels(struct hf_message *point, struct hf_arena *arena,
                                  struct hf_expr_value *ret_labels)
{
    uint32_t number = hf_message_attributes_number(hf_message_type(point));
    const struct hf_attributes *attributes = hf_message_attributes(point, number);
    struct hf_expr_map *map =
        attributes != NULL ? hf_expr_map_new(arena, attributes->count + 1) : NULL;
    if (map == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < attributes->count; i++) {
        struct hf_any any = hf_any_read(attributes->items[i].value);
        struct hf_expr_value value =
            any.type == HF_ANY_STRING ? hf_expr_string(any.bytes) : (struct hf_expr_value){0};
        if (hf_expr_map_find(map, attributes->items[i].key) == NULL &&
            hf_expr_map_add(arena, map, attributes->items[i].key, value) != HF_OK) {
            return HF_NOMEM;
        }
    }
    *ret_labels = (struct hf_expr_value){.type = HF_EXPR_MAP, .map = map};
    return HF_OK;
}

static enum hf_status test_point(const struct hf_filter_expr *expr,
                                 const struct hf_expr_value *values, struct hf_arena *arena,
                                 bool *ret_is, const char **ret_text, char *reterr)
{
    char why[HF_EXPR_ERROR_MAX];
    for (size_t i = 0; i < expr->texts.count; i++) {
        enum hf_status status = hf_expr_test(expr->items[i], values, arena, ret_is, why);
        if (status != HF_OK) {
            *ret_text = expr->texts.items[i];
            snprintf(reterr, HF_ERROR_MAX, "%s", status == HF_INVALID ? why : "out of memory");
            return status;
        }
        if (*ret_is) {
            return HF_OK;
        }
    }
    return HF_OK;
}

enum hf_status hf_filter_expr_is(const struct hf_filter_expr *expr, const struct hf_place *place,
                                 bool *ret_is, const char **ret_text, char *reterr)
{
    struct hf_message *data = place->data;
    enum hf_status status = HF_OK;
    *ret_is = false;
    if (data == NULL) {
        return HF_OK;
    }
    struct hf_arena arena = {.limit = SCRATCH_LIMIT_BYTES};
    struct hf_expr_value values[VALUE_COUNT] = {
        [NAME] = hf_expr_string(hf_message_bytes(place->metric, 1)),
        [TYPE] = hf_expr_text(type_of(data))};
    struct hf_message *point = hf_message_first(data, DATA_POINTS);
    for (; status == HF_OK && !*ret_is && point != NULL; point = hf_message_next(point)) {
        hf_arena_rewind(&arena, SCRATCH_LIMIT_BYTES);
        status = read_labels(point, &arena, &values[LABELS]);
        if (status == HF_OK) {
            status = test_point(expr, values, &arena, ret_is, ret_text, reterr);
        }
    }
    hf_arena_release(&arena);
    return status;
}
