/*
 * json: a JSON text as the bytes of an AnyValue, numbers as doubles, of a key that is there more
 * often the last.
 */
#pragma once

#include <stdbool.h>

#include "function.h"

/* False: not one JSON value, or deeper than a value can be; `run->error` says which. */
HF_MUST_USE bool hf_ottl_read_json(struct hf_ottl_run *run, struct hf_slice text,
                                   struct hf_slice *ret_any);
