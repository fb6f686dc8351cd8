/*
 * value_json: JSON texts as values, and values as JSON. Any thread; no state.
 */
#pragma once

#include "value.h"

/*
 * Texts without escapes are borrowed from `text`, all else is in the arena. Numbers are doubles;
 * with `parse_ints` those without fraction and exponent are integers. False: it is no JSON, nested
 * too deeply, or there is no memory.
 */
HF_MUST_USE bool hf_expr_json_read(struct hf_arena *arena, struct hf_slice text, bool parse_ints,
                                   struct hf_expr_value *ret_value);

/* Indented by two blanks, keys in their order; in the arena. data NULL: no memory. */
struct hf_slice hf_expr_json_print(struct hf_arena *arena, const struct hf_expr_value *value);
