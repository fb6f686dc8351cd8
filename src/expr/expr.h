/*
 * expr: the expression language that conditions and computed values of operators are written in, as
 * Go's collectors take it (expr-lang): literals, members, comparisons, and/or/not, in, matches,
 * contains, startsWith, endsWith, arithmetic, ?:, if/else, ??, let, pipes, lists, maps, predicates
 * over lists, and the functions of functions.def. There are no values of time: now(), date() and
 * duration() are not known.
 *
 * Compiled once; immutable then, any thread. A name that is not known is nil.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/status.h>

#include "value.h"

struct hf_expr;

#define HF_EXPR_ERROR_MAX 256

/* HasLabel() and Label() are there when a variable of this name is, a map. */
#define HF_EXPR_LABELS "labels"
/* env() is not there when a variable of this name is: for expressions of strangers. */
#define HF_EXPR_ENV "env"

/* `names`: the variables, in the order in which values are given; ends with NULL. HF_INVALID:
 * `reterr` (HF_EXPR_ERROR_MAX) says what is wrong. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_expr_new(const char *text, const char *const *names,
                                       struct hf_expr **ret_expr, char *reterr);
void hf_expr_free(struct hf_expr *expr);

/* The value, in the arena or borrowed from the variables. HF_INVALID: it has none, or takes too
 * long, `reterr` (HF_EXPR_ERROR_MAX) says why. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_expr_eval(const struct hf_expr *expr,
                                        const struct hf_expr_value *variables,
                                        struct hf_arena *arena, struct hf_expr_value *ret_value,
                                        char *reterr);
/* The same; what is no boolean is an error. */
HF_MUST_USE enum hf_status hf_expr_test(const struct hf_expr *expr,
                                        const struct hf_expr_value *variables,
                                        struct hf_arena *arena, bool *ret_true, char *reterr);
