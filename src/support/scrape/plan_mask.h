/*
 * plan_mask: the plan that a database server made of a statement, as JSON, without the values that
 * stand in it, and without blanks between its parts.
 *
 * Only what stands under a key that is known to have none is kept as it is; a condition is kept as
 * hf_sql_mask() leaves it; all else becomes "?". Any thread; no state.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

struct hf_plan_keys {
    const char *const *kept;   /* up to NULL: values are kept, with all that is in them */
    const char *const *masked; /* up to NULL: texts are SQL; goes before, but for the kept key */
    unsigned flags;            /* of hf_sql_mask() */
};

/* Maps and lists within each other. */
#define HF_PLAN_DEPTH_MAX 512u

/* Appends the plan. HF_INVALID: it is no JSON, or it is too deep, and `out` has a part of it, which
 * is without values too; HF_NOMEM. */
HF_MUST_USE enum hf_status hf_plan_mask(struct hf_slice plan, const struct hf_plan_keys *keys,
                                        struct hf_bytes *out);
