/*
 * cloudwatch_record: a log record as the text of an event. Any thread; no state.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "bulk/walk.h"
#include "util/arena.h"
#include "util/compress/compress.h"

#define CLOUDWATCH_ARENA_BYTES ((size_t)8 << 20) /* for a body that is read as JSON */

struct cloudwatch_place {
    struct hf_slice group, stream;
};

/* Appends the JSON object of the record. HF_NOMEM. */
HF_MUST_USE enum hf_status cloudwatch_record_json(const struct hf_bulk_log *log,
                                                  struct hf_slice record, struct hf_slice scope,
                                                  struct hf_slice resource, struct hf_bytes *out);

/* Appends the body as it is. One in the embedded metric format that names a log group changes
 * `place`, to texts in `arena`. HF_NOMEM. */
HF_MUST_USE enum hf_status cloudwatch_record_raw(const struct hf_bulk_log *log,
                                                 struct hf_bytes *out, struct hf_arena *arena,
                                                 struct cloudwatch_place *place);

/* Appends the configured name of a group or stream; its placeholders, as {ServiceName}, are the
 * attributes of the resource, or "undefined". HF_NOMEM. */
HF_MUST_USE enum hf_status cloudwatch_name(const char *configured, struct hf_slice resource,
                                           struct hf_bytes *out);

/* Are all placeholders known? */
bool cloudwatch_name_is_good(const char *configured);
