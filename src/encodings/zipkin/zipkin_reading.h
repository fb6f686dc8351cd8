/*
 * zipkin_reading: what the readers of Zipkin's formats share: the memory, the spans that wait for
 * their translation, the sentence about what is wrong. Owned by the call.
 */
#pragma once

#include <stddef.h>

#include "util/arena.h"
#include "zipkin.h"
#include "zipkin_span.h"
#include "zipkin_v1.h"

struct hf_zipkin_reading {
    const struct hf_zipkin_options *options;
    struct hf_builder *builder;
    struct hf_arena arena; /* of the spans below */
    struct hf_bytes spans; /* pointers to them */
    size_t span_count;     /* of those pointers */
    size_t number;         /* of the span that is being read, from 0 */
    char *reterr;          /* HF_ZIPKIN_ERROR_MAX */
};

/* `size` zeroed bytes. NULL: HF_TOO_LARGE is the answer, and said. */
void *hf_zipkin_take(struct hf_zipkin_reading *reading, size_t size);

/* HF_INVALID, with "span N: " before the words. */
enum hf_status hf_zipkin_fault(struct hf_zipkin_reading *reading, const char *what);

/* A span is whole: struct hf_zipkin_span of v2, struct hf_zipkin_v1_span of v1. */
HF_MUST_USE enum hf_status hf_zipkin_add(struct hf_zipkin_reading *reading, void *span);

/* Translates the spans that wait. */
void hf_zipkin_flush(struct hf_zipkin_reading *reading);
