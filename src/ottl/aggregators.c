/* Editors that put several points of a metric, or several buckets of a point, together. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "function.h"
#include "metrics_internal.h"
#include "pdata/document.h"
#include "pdata/merge_points.h"
#include "pdata/message.h"

#define EDITOR(name)                                                                               \
    static bool name(struct hf_ottl_run *run, const struct hf_ottl_call *call,                     \
                     const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)

/* ---- lists of numbers ---- */

struct numbers {
    uint64_t *bits;
    size_t count;
};

static bool read_numbers(struct hf_ottl_run *run, struct hf_message *message, uint32_t number,
                         struct numbers *ret_numbers)
{
    struct hf_wire_numbers wire = hf_message_numbers(message, number);
    uint64_t bits;
    size_t count = 0;
    while (hf_wire_next_number(&wire, &bits)) {
        count++;
    }
    ret_numbers->count = count;
    ret_numbers->bits = hf_ottl_take(run, (count + 1) * sizeof(uint64_t));
    wire = hf_message_numbers(message, number);
    for (size_t i = 0; ret_numbers->bits != NULL && i < count; i++) {
        ret_numbers->bits[i] = hf_wire_next_number(&wire, &bits) ? bits : 0;
    }
    return ret_numbers->bits != NULL;
}

/* ---- points ---- */

static enum hf_merge merge_of(struct hf_slice name)
{
    enum hf_merge by = HF_MERGE_SUM;
    return hf_merge_find(name, &by) ? by : HF_MERGE_KINDS;
}

static bool merge_points(struct hf_ottl_run *run, enum hf_merge by)
{
    struct hf_message *data = hf_place_data(run->place->metric);
    uint8_t kind = hf_ottl_metric_kind(data);
    if (kind == HF_MESSAGE_SUMMARY || kind == HF_MESSAGE_EXPONENTIAL_HISTOGRAM) {
        return hf_ottl_fail(run, "aggregating metrics of this type is not supported");
    }
    return hf_ottl_passes(run, hf_merge_points(data, by, &run->scratch));
}

/* ---- the editors ---- */

static enum hf_status check_aggregation(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                        size_t at)
{
    (void)at;
    return merge_of(hf_ottl_literal_text(call, 0, "")) != HF_MERGE_KINDS
               ? HF_OK
               : hf_ottl_refuse(fault, call->nodes[0]->at,
                                "invalid aggregation function, valid options: sum, max, min, mean, "
                                "median, count");
}

static bool is_one_of(struct hf_slice text, const struct hf_ottl_value *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (hf_slice_equal(items[i].bytes, text)) {
            return true;
        }
    }
    return false;
}

/* Keeps the attributes of these names alone. */
static void keep_attributes(struct hf_message *point, const struct hf_ottl_value *names,
                            size_t count)
{
    struct hf_attributes *attributes =
        hf_message_attributes(point, hf_message_attributes_number(hf_message_type(point)));
    for (size_t i = attributes != NULL ? attributes->count : 0; i-- > 0;) {
        if (!is_one_of(attributes->items[i].key, names, count)) {
            hf_attributes_remove(attributes, attributes->items[i].key);
            i = i > attributes->count ? attributes->count : i;
        }
    }
}

EDITOR(aggregate_on_attributes)
{
    struct hf_message *point = hf_message_first(hf_place_data(run->place->metric), POINTS);
    struct hf_ottl_value *names;
    size_t count;
    (void)ret_value;
    if (hf_ottl_metric_kind(hf_place_data(run->place->metric)) == HF_MESSAGE_SUMMARY) {
        return hf_ottl_fail(run, "aggregate_on_attributes does not support aggregating Summary "
                                 "metrics");
    }
    if (!hf_ottl_items_of(run, call, 1, HF_ARG_STRINGS, &names, &count)) {
        return false;
    }
    for (; call->nodes[1] != NULL && point != NULL; point = hf_message_next(point)) {
        keep_attributes(point, names, count);
    }
    return merge_points(run, merge_of(arguments[0].bytes));
}

EDITOR(aggregate_on_attribute_value)
{
    struct hf_message *point = hf_message_first(hf_place_data(run->place->metric), POINTS);
    struct hf_any_maker maker = {.arena = hf_document_arena(run->document)};
    struct hf_ottl_value *values;
    size_t count;
    (void)ret_value;
    if (!hf_ottl_items_of(run, call, 2, HF_ARG_STRINGS, &values, &count)) {
        return false;
    }
    for (; point != NULL; point = hf_message_next(point)) {
        struct hf_attributes *attributes =
            hf_message_attributes(point, hf_message_attributes_number(hf_message_type(point)));
        const struct hf_attribute *found =
            attributes != NULL ? hf_attributes_find(attributes, arguments[1].bytes) : NULL;
        struct hf_any any =
            found != NULL ? hf_any_read(found->value) : (struct hf_any){.type = HF_ANY_EMPTY};
        if (any.type == HF_ANY_STRING && is_one_of(any.bytes, values, count)) {
            hf_attributes_set(attributes, found->key,
                              hf_any_make_string(&maker, arguments[3].bytes));
        }
    }
    if (maker.failed) {
        return hf_ottl_no_memory(run);
    }
    return merge_points(run, merge_of(arguments[0].bytes));
}

/* ---- buckets ---- */

static double as_double(uint64_t bits)
{
    return hf_message_as_double(bits);
}

static void remove_bound(struct numbers *bounds, struct numbers *counts, double target)
{
    const double epsilon = 1e-12;
    size_t at = 0;
    while (at < bounds->count && !(fabs(as_double(bounds->bits[at]) - target) < epsilon)) {
        at++;
    }
    if (at == bounds->count) {
        return;
    }
    counts->bits[at + 1] += counts->bits[at];
    memmove(&counts->bits[at], &counts->bits[at + 1], (counts->count - at - 1) * sizeof(uint64_t));
    memmove(&bounds->bits[at], &bounds->bits[at + 1], (bounds->count - at - 1) * sizeof(uint64_t));
    counts->count--;
    bounds->count--;
}

static bool do_increase(const struct numbers *bounds)
{
    for (size_t i = 1; i < bounds->count; i++) {
        if (!(as_double(bounds->bits[i]) > as_double(bounds->bits[i - 1]))) {
            return false;
        }
    }
    return true;
}

static void limit_buckets(struct numbers *bounds, struct numbers *counts, size_t most)
{
    if (counts->count <= most || counts->count <= 1 || !do_increase(bounds)) {
        return;
    }
    size_t divisor = (counts->count - 1) / most + 1;
    size_t made = 0;
    for (size_t from = 0; from < counts->count; from += divisor) {
        uint64_t sum = 0;
        for (size_t i = from; i < from + divisor && i < counts->count; i++) {
            sum += counts->bits[i];
        }
        counts->bits[made++] = sum;
    }
    counts->count = made;
    made = 0;
    for (size_t i = divisor - 1; i < bounds->count; i += divisor) {
        bounds->bits[made++] = bounds->bits[i];
    }
    bounds->count = made;
}

static enum hf_status check_buckets(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                    size_t at)
{
    struct hf_slice method = hf_ottl_literal_text(call, 1, "remove_explicit_bound");
    (void)at;
    return hf_slice_is(method, "remove_explicit_bound") || hf_slice_is(method, "limit_buckets")
               ? HF_OK
               : hf_ottl_refuse(fault, call->nodes[1]->at,
                                "the method must be \"remove_explicit_bound\" or "
                                "\"limit_buckets\"");
}

EDITOR(merge_histogram_buckets)
{
    struct hf_message *point = run->place->item;
    struct numbers bounds, counts;
    double target = arguments[0].real;
    (void)ret_value;
    if (arguments[0].type == HF_OTTL_NIL) {
        return hf_ottl_fail(run, "target_value must not be nil");
    }
    if (hf_message_type(point)->index != HF_MESSAGE_HISTOGRAM_POINT) {
        return true;
    }
    bool limits = hf_slice_is(hf_ottl_literal_text(call, 1, ""), "limit_buckets");
    if (limits && (target < 1 || trunc(target) != target || target > 1e9)) {
        return hf_ottl_fail(run, "target_value must be a positive integer");
    }
    if (!read_numbers(run, point, HISTOGRAM_BOUNDS, &bounds) ||
        !read_numbers(run, point, HISTOGRAM_COUNTS, &counts)) {
        return false;
    }
    if (bounds.count + 1 != counts.count || counts.count == 1) {
        return true;
    }
    size_t before = counts.count;
    if (limits) {
        limit_buckets(&bounds, &counts, (size_t)target);
    } else {
        remove_bound(&bounds, &counts, target);
    }
    if (counts.count != before) {
        hf_message_set_numbers(point, HISTOGRAM_BOUNDS, bounds.bits, bounds.count);
        hf_message_set_numbers(point, HISTOGRAM_COUNTS, counts.bits, counts.count);
    }
    return true;
}

#define OF_METRICS .contexts = 1u << HF_PATH_METRIC, .functions = HF_OTTL_METRIC_EDITORS

const struct hf_ottl_function hf_ottl_aggregators[] = {
    {.name = "aggregate_on_attributes",
     .arguments = {{"aggregation_function", HF_ARG_STRING | HF_ARG_LITERAL},
                   {"attributes", HF_ARG_STRINGS | HF_ARG_LITERAL | HF_ARG_OPTIONAL}},
     .run = aggregate_on_attributes,
     .check = check_aggregation,
     OF_METRICS},
    {.name = "aggregate_on_attribute_value",
     .arguments = {{"aggregation_function", HF_ARG_STRING | HF_ARG_LITERAL},
                   {"attribute", HF_ARG_STRING | HF_ARG_LITERAL},
                   {"values", HF_ARG_STRINGS | HF_ARG_LITERAL},
                   {"new_value", HF_ARG_STRING | HF_ARG_LITERAL}},
     .run = aggregate_on_attribute_value,
     .check = check_aggregation,
     OF_METRICS},
    {.name = "merge_histogram_buckets",
     .arguments = {{"target_value", HF_ARG_DOUBLE_LIKE},
                   {"method", HF_ARG_STRING | HF_ARG_LITERAL | HF_ARG_OPTIONAL}},
     .run = merge_histogram_buckets,
     .check = check_buckets,
     .contexts = 1u << HF_PATH_DATAPOINT,
     .functions = HF_OTTL_METRIC_EDITORS},
    {.name = NULL},
};
