#include "jaeger_reading.h"

#include <stdio.h>
#include <string.h>

#define WAITING_BYTES_MAX ((size_t)8 << 20)
#define KEPT_BYTES_MAX ((size_t)16 << 20)

void *hf_jaeger_take(struct hf_jaeger_reading *reading, struct hf_arena *arena, size_t size)
{
    void *piece = hf_arena_take(arena, size);
    if (piece == NULL) {
        snprintf(reading->reterr, HF_JAEGER_ERROR_MAX,
                 "span %zu, or its process, needs more memory than one may have", reading->number);
        return NULL;
    }
    return memset(piece, 0, size);
}

enum hf_status hf_jaeger_fault(struct hf_jaeger_reading *reading, const char *what)
{
    if (reading->is_record) {
        snprintf(reading->reterr, HF_JAEGER_ERROR_MAX, "%s", what);
    } else {
        snprintf(reading->reterr, HF_JAEGER_ERROR_MAX, "span %zu: %s", reading->number, what);
    }
    return HF_INVALID;
}

void hf_jaeger_flush(struct hf_jaeger_reading *reading)
{
    if (reading->span_count != 0) {
        hf_jaeger_span_translate((struct hf_jaeger_span **)(void *)reading->spans.data,
                                 reading->span_count, &reading->arena, reading->builder);
    }
    reading->span_count = 0;
    reading->spans.size = 0;
    hf_arena_rewind(&reading->arena, KEPT_BYTES_MAX);
}

enum hf_status hf_jaeger_add(struct hf_jaeger_reading *reading, struct hf_jaeger_span *span)
{
    enum hf_status status = hf_bytes_append(&reading->spans, hf_slice_of(&span, sizeof(span)));
    if (status == HF_OK) {
        reading->span_count++;
        reading->number++;
    }
    if (status == HF_OK && !reading->is_whole && reading->arena.size > WAITING_BYTES_MAX) {
        hf_jaeger_flush(reading);
    }
    return status;
}
