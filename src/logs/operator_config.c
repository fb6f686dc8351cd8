#include "operator_config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "operator.h"

enum hf_status invalid(char *reterr, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reterr, HF_LOG_ERROR_MAX, format, arguments);
    va_end(arguments);
    return HF_INVALID;
}

const struct hf_value *value_of(const struct hf_value *config, const char *key)
{
    for (size_t i = 0; config->type == HF_VALUE_MAP && i < config->count; i++) {
        if (strcmp(config->keys[i], key) == 0 && config->items[i].type != HF_VALUE_NONE) {
            return &config->items[i];
        }
    }
    return NULL;
}

const char *text_of(const struct hf_value *config, const char *key, const char *absent)
{
    const struct hf_value *value = value_of(config, key);
    return value != NULL && value->string != NULL ? value->string : absent;
}

bool bool_of(const struct hf_value *config, const char *key, bool absent)
{
    const struct hf_value *value = value_of(config, key);
    return value != NULL && value->type == HF_VALUE_BOOL ? value->boolean : absent;
}

int64_t int_of(const struct hf_value *config, const char *key, int64_t absent)
{
    const struct hf_value *value = value_of(config, key);
    return value != NULL && value->type == HF_VALUE_INT ? value->integer : absent;
}

enum hf_status duration_of(const struct hf_value *config, const char *key, uint64_t absent_ns,
                           uint64_t *ret_ns, char *reterr)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}};
    const char *at = text_of(config, key, NULL);
    *ret_ns = absent_ns;
    if (at == NULL) {
        return HF_OK;
    }
    double sum = 0;
    do {
        char *end = NULL;
        double number = strtod(at, &end);
        size_t size = strcspn(end, "0123456789.");
        bool found = false;
        for (size_t i = 0; end != at && !found && i < sizeof(units) / sizeof(units[0]); i++) {
            found = strlen(units[i].name) == size && memcmp(units[i].name, end, size) == 0;
            sum += found ? number * units[i].ns : 0;
        }
        if (!found || !(sum >= 0 && sum < 1e18)) {
            return invalid(reterr, "%s: a duration like 5s is expected", key);
        }
        at = end + size;
    } while (*at != '\0');
    *ret_ns = (uint64_t)sum;
    return HF_OK;
}

enum hf_status field_of(struct operator* operator, const struct hf_value * config, const char *key,
                        const char *absent, struct hf_log_field *ret_field, char *reterr)
{
    const char *text = text_of(config, key, absent);
    if (text == NULL) {
        return invalid(reterr, "%s is required", key);
    }
    const char *wrong = hf_log_field_parse(text, operator->arena, ret_field);
    return wrong == NULL ? HF_OK : invalid(reterr, "%s: %s: %.200s", key, wrong, text);
}

static const char *const variables[] = {"body", "attributes", "resource", "timestamp", "$", NULL};

enum hf_status expr_of(const char *key, const char *text, struct hf_expr **ret_expr, char *reterr)
{
    char why[HF_EXPR_ERROR_MAX];
    enum hf_status status = hf_expr_new(text, variables, ret_expr, why);
    return status == HF_INVALID ? invalid(reterr, "%s: %s", key, why) : status;
}

bool is_computed(const char *text, struct hf_arena *arena, const char **ret_inside)
{
    size_t size = strlen(text);
    if (size < 7 || strncmp(text, "EXPR(", 5) != 0 || text[size - 1] != ')') {
        return false;
    }
    struct hf_slice copy = hf_expr_copy_text(arena, hf_slice_of(text + 5, size - 6));
    if (copy.data == NULL) {
        return false;
    }
    ((uint8_t *)(uintptr_t)copy.data)[copy.size] = '\0'; /* the copy has room for it */
    *ret_inside = (const char *)copy.data;
    return true;
}
