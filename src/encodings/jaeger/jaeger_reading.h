/*
 * jaeger_reading: what the readers of Jaeger's formats share: the memory, the spans that wait for
 * their translation, the sentence about what is wrong. Owned by the call.
 */
#pragma once

#include <stddef.h>

#include "jaeger.h"
#include "jaeger_span.h"
#include "util/arena.h"
#include "util/compress/compress.h"

struct hf_jaeger_reading {
    struct hf_builder *builder;
    struct hf_arena lasting; /* of processes */
    struct hf_arena arena;   /* of the spans below */
    struct hf_bytes spans;   /* pointers to them */
    size_t span_count;       /* of those pointers */
    size_t number;           /* of the span that is being read, from 0 */
    bool is_whole;           /* nothing is translated before all is read */
    bool is_record;          /* the text is one span, whose ids have their sizes */
    bool has_bad_id;         /* of that span: one has not */
    char *reterr;            /* HF_JAEGER_ERROR_MAX */
};

/* `size` zeroed bytes of an arena of the reading. NULL: HF_TOO_LARGE is the answer, and said. */
void *hf_jaeger_take(struct hf_jaeger_reading *reading, struct hf_arena *arena, size_t size);
/* HF_INVALID, with "span N: " before the words unless the text is one span. */
enum hf_status hf_jaeger_fault(struct hf_jaeger_reading *reading, const char *what);
/* A span is whole. */
HF_MUST_USE enum hf_status hf_jaeger_add(struct hf_jaeger_reading *reading,
                                         struct hf_jaeger_span *span);
/* Translates the spans that wait. */
void hf_jaeger_flush(struct hf_jaeger_reading *reading);
