/*
 * gzip_stream: one gzip member of a text that comes in parts, such as an answer that is made while
 * it is sent. At most one thread at a time.
 */
#pragma once

#include <stdbool.h>

#include "compress.h"

struct hf_gzip_stream;

/* NULL: out of memory. */
struct hf_gzip_stream *hf_gzip_stream_new(void);
/* NULL: nothing. */
void hf_gzip_stream_free(struct hf_gzip_stream *stream);

/* Appends to `out` what is ready of the text up to here, which may be nothing; all of it with the
 * last part, after which there is none. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_gzip_stream_add(struct hf_gzip_stream *stream, struct hf_slice part,
                                              bool is_last, struct hf_bytes *out);
