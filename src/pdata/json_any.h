/*
 * json_any: any JSON text as the bytes of an AnyValue: objects are maps, numbers are whole ones
 * where they can be. Any thread; no state.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "any_make.h"

#define HF_JSON_ANY_BYTES_MAX (1u << 20) /* of a text */
#define HF_JSON_ANY_DEPTH_MAX 64u        /* lists and objects within each other */

/* HF_INVALID: not one JSON value, or too deep. HF_TOO_LARGE. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_json_any(struct hf_any_maker *maker, struct hf_slice text,
                                       struct hf_slice *ret_value);

/* What stands at a path of names, "a.b.c", as text: of a string its content, of a number as it is
 * written. Empty: nothing, or no scalar. In the maker's memory. */
struct hf_slice hf_json_any_text(struct hf_any_maker *maker, struct hf_slice value,
                                 const char *path);
