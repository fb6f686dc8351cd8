/*
 * zipkin_write: spans of OTLP as Zipkin's second version, in JSON or protobuf. Any thread; no
 * state.
 *
 * What Zipkin has no field for becomes tags, so that a reader of OTLP can make it again: the
 * attributes of the resource and the scope, the status, links, attributes of events.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

struct hf_zipkin_write_options {
    bool is_proto;
    const char *default_service; /* of spans whose resource names none */
};

/*
 * Appends the spans of a request that passed hf_scan() to `out`. `ret_left_out`: spans without a
 * trace id or an id, which Zipkin cannot have. HF_NOMEM, HF_TOO_LARGE.
 */
HF_MUST_USE enum hf_status hf_zipkin_write(struct hf_slice raw,
                                           const struct hf_zipkin_write_options *options,
                                           struct hf_bytes *out, uint64_t *ret_left_out);
