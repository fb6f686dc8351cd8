/*
 * operator_config: reads the keys of operators. At opening; no state.
 */
#pragma once

#include "expr/expr.h"
#include "field.h"

struct operator;

const struct hf_value *value_of(const struct hf_value *config, const char *key); /* NULL: none */
const char *text_of(const struct hf_value *config, const char *key, const char *absent);
bool bool_of(const struct hf_value *config, const char *key, bool absent);
int64_t int_of(const struct hf_value *config, const char *key, int64_t absent);
/* A Go duration. HF_INVALID. */
HF_MUST_USE enum hf_status duration_of(const struct hf_value *config, const char *key,
                                       uint64_t absent_ns, uint64_t *ret_ns, char *reterr);
/* The field under that key; `absent` NULL: it is required. HF_INVALID, HF_NOMEM. */
HF_MUST_USE enum hf_status field_of(struct operator* operator, const struct hf_value * config,
                                    const char *key, const char *absent,
                                    struct hf_log_field *ret_field, char *reterr);
HF_MUST_USE enum hf_status expr_of(const char *key, const char *text, struct hf_expr **ret_expr,
                                   char *reterr);
/* Is it a whole EXPR(...)? Then its inside, in the arena. */
HF_MUST_USE bool is_computed(const char *text, struct hf_arena *arena, const char **ret_inside);
HF_MUST_USE enum hf_status invalid(char *reterr, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
