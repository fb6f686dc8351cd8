/*
 * loki: push requests of Loki as log records: protobuf (logproto.PushRequest, without the snappy
 * around it) and JSON. Any thread; no state.
 *
 * Labels and structured metadata of an entry become attributes; labels that begin with two
 * underscores are internal and left out.
 */
#pragma once

#include "pdata/build.h"

#define HF_LOKI_ERROR_MAX 256

struct hf_loki_options {
    bool is_json;
    bool keep_timestamp; /* else entries have the time of their receipt */
    uint64_t now_ns;
};

/* Appends the entries; the builder may have a part of them after a failure. HF_INVALID with a
 * sentence in `reterr` (HF_LOKI_ERROR_MAX); HF_TOO_LARGE likewise; HF_NOMEM. */
HF_MUST_USE enum hf_status hf_loki_read(struct hf_slice body, const struct hf_loki_options *options,
                                        struct hf_builder *builder, char *reterr);
