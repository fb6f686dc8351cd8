/*
 * value: what a user configured as the bytes of an AnyValue. Any thread; no state.
 */
#pragma once

#include <holdfast/field.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/arena.h"

/* A value is written into every item that it is for: a large one is a mistake. */
#define HF_VALUE_BYTES_MAX (64u << 10)

/*
 * Writes `value` into memory of the arena; an absent one is an empty slice without data.
 * HF_INVALID: a text or a key that is not UTF-8. HF_TOO_LARGE: over HF_VALUE_BYTES_MAX. HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_value_encode(const struct hf_value *value, struct hf_arena *arena,
                                           struct hf_slice *ret_bytes);

/* What to say of a failure other than HF_NOMEM. */
const char *hf_value_problem(enum hf_status status);
