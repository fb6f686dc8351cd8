#include "operator.h"

#include <stdarg.h>
#include <stdio.h>

enum outcome operator_failed(struct run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(run->why, sizeof(run->why), format, arguments);
    va_end(arguments);
    return OUTCOME_FAILED;
}

static void fill_variables(const struct hf_log_entry *entry, struct hf_expr_value *values)
{
    values[0] = values[4] = entry->body;
    values[1] = entry->attributes;
    values[2] = entry->resource;
    values[3] = hf_expr_integer((int64_t)entry->time_ns);
}

enum hf_status entry_eval(const struct hf_expr *expr, struct hf_log_entry *entry,
                          struct hf_expr_value *ret_value, char *reterr)
{
    struct hf_expr_value values[5];
    fill_variables(entry, values);
    return hf_expr_eval(expr, values, entry->arena, ret_value, reterr);
}

enum hf_status entry_test(const struct hf_expr *expr, struct hf_log_entry *entry, bool *ret_true,
                          char *reterr)
{
    struct hf_expr_value values[5];
    fill_variables(entry, values);
    return hf_expr_test(expr, values, entry->arena, ret_true, reterr);
}
