#include "zipkin_reading.h"

#include <stdio.h>
#include <string.h>

#define WAITING_BYTES_MAX ((size_t)8 << 20)
#define KEPT_BYTES_MAX ((size_t)16 << 20)

void *hf_zipkin_take(struct hf_zipkin_reading *reading, size_t size)
{
    void *piece = hf_arena_take(&reading->arena, size);
    if (piece == NULL) {
        snprintf(reading->reterr, HF_ZIPKIN_ERROR_MAX,
                 "span %zu needs more memory than one span may have", reading->number);
        return NULL;
    }
    return memset(piece, 0, size);
}

enum hf_status hf_zipkin_fault(struct hf_zipkin_reading *reading, const char *what)
{
    snprintf(reading->reterr, HF_ZIPKIN_ERROR_MAX, "span %zu: %s", reading->number, what);
    return HF_INVALID;
}

void hf_zipkin_flush(struct hf_zipkin_reading *reading)
{
    enum hf_zipkin_format format = reading->options->format;
    if (reading->span_count == 0) {
        return;
    }
    if (format == HF_ZIPKIN_V2_JSON || format == HF_ZIPKIN_V2_PROTO) {
        hf_zipkin_span_translate((struct hf_zipkin_span **)(void *)reading->spans.data,
                                 reading->span_count, reading->options->parse_string_tags,
                                 &reading->arena, reading->builder);
    } else {
        hf_zipkin_v1_translate((struct hf_zipkin_v1_span **)(void *)reading->spans.data,
                               reading->span_count, reading->builder);
    }
    reading->span_count = 0;
    reading->spans.size = 0;
    hf_arena_rewind(&reading->arena, KEPT_BYTES_MAX);
}

enum hf_status hf_zipkin_add(struct hf_zipkin_reading *reading, void *span)
{
    enum hf_status status = hf_bytes_append(&reading->spans, hf_slice_of(&span, sizeof(span)));
    if (status == HF_OK) {
        reading->span_count++;
        reading->number++;
    }
    if (status == HF_OK && reading->arena.size > WAITING_BYTES_MAX) {
        hf_zipkin_flush(reading);
    }
    return status;
}
