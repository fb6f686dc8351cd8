/*
 * filter_expr: the expressions of an include or exclude of metrics with `match_type: expr`, over
 * the name, the kind and the labels of each data point. Compiled once; any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/field.h>
#include <holdfast/status.h>

#include "pdata/walk.h"

struct hf_filter_expr;

/* `name` is the key, `texts` are borrowed. HF_INVALID with one sentence in `reterr`
 * (HF_ERROR_MAX); HF_NOMEM. */
HF_MUST_USE enum hf_status hf_filter_expr_new(const char *name, struct hf_string_list texts,
                                              struct hf_filter_expr **ret_expr, char *reterr);
void hf_filter_expr_free(struct hf_filter_expr *expr);

/*
 * Is an expression true for a data point of the metric? HF_INVALID: one has no value, `ret_text` is
 * that one and `reterr` (HF_ERROR_MAX) says why. HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_filter_expr_is(const struct hf_filter_expr *expr,
                                             const struct hf_place *place, bool *ret_is,
                                             const char **ret_text, char *reterr);
