/*
 * otlpjson_line: one line of a file: an Export request of one signal as OTLP/JSON, as protobuf
 * bytes, with what is told of its file added to every span, metric and log record. Owned by the
 * receiver's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/any_make.h"
#include "util/compress/compress.h"

#define OTLPJSON_BYTES_MAX ((size_t)128 << 20) /* of one request as protobuf */

/* The requests of a signal that wait for their commit: they concatenate. */
struct otlpjson_requests {
    struct hf_bytes bytes;
    uint32_t items;
};

/* Does the line say that it is of that signal, by its first keys? */
bool otlpjson_is_of(enum hf_signal signal, struct hf_slice line);
/* Of any signal that OTLP has. */
bool otlpjson_is_request(struct hf_slice line);

/*
 * Appends the request of the line, with the attributes, which belong to the caller. HF_INVALID with
 * one sentence in `reterr` (HF_JSON_ERROR_MAX): it is not one; HF_TOO_LARGE, HF_NOMEM.
 */
HF_MUST_USE enum hf_status otlpjson_add(struct otlpjson_requests *requests, enum hf_signal signal,
                                        struct hf_slice line, const struct hf_any_pair *attributes,
                                        size_t attribute_count, char *reterr);
