/*
 * expand: expressions over what is known of an endpoint: rules, and texts with expressions in
 * backticks. No state.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/field.h>
#include <holdfast/observer.h>
#include <holdfast/status.h>

#include "expr/expr.h"

/* What expressions may name; ends with NULL. */
extern const char *const creator_names[];
#define CREATOR_NAMES_MAX 48u

#define CREATOR_ERROR_MAX (HF_EXPR_ERROR_MAX + 128)

/* An endpoint as expressions see it, by creator_names. */
struct creator_variables {
    struct hf_arena *arena; /* of what is made of them, too */
    struct hf_expr_value values[CREATOR_NAMES_MAX];
};

/* HF_NOMEM. The endpoint is borrowed as long as the variables are used. */
HF_MUST_USE enum hf_status creator_variables_of(const struct hf_endpoint *endpoint,
                                                struct hf_arena *arena,
                                                struct creator_variables *ret_variables);

/* NULL, or what is wrong with the expressions of a text, valid until the thread's next call. */
const char *creator_text_check(const char *text);

/*
 * The value with all of its texts expanded, in the arena. A text that is one expression becomes
 * what that is; in all others its value is put as text. HF_INVALID with a sentence in `reterr`
 * (CREATOR_ERROR_MAX); HF_NOMEM.
 */
HF_MUST_USE enum hf_status creator_expand(const struct creator_variables *variables,
                                          const struct hf_value *value, struct hf_value *ret_value,
                                          char *reterr);
