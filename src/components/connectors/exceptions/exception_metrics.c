/*
 * exception_metrics: counts the exceptions of a request, and writes a cumulative point for each
 * series that it changes.
 */
#include <stdlib.h>
#include <string.h>

#include "exceptions.h"
#include "pdata/build_metrics.h"

/* Field numbers of OTLP. */
enum { SPAN_TRACE_ID = 1, SPAN_SPAN_ID = 2, SPAN_NAME = 5 };

static const char *const base_names[] = {"service.name", "span.name", "span.kind", "status.code"};
#define BASE_COUNT (sizeof(base_names) / sizeof(base_names[0]))

/* An exemplar of a pending point. */
struct exemplar {
    struct hf_slice trace_id, span_id;
    uint64_t count; /* of its series, with this one */
    uint32_t next;  /* EXCEPTION_SERIES_NONE: the last */
};

struct exemplars {
    struct exemplar *items;
    size_t count, capacity;
};

/* ---- keys: each value as a byte that says whether it is there, its size, its bytes ---- */

static bool put_value(struct hf_bytes *key, bool is_there, struct hf_slice value)
{
    uint8_t head[1 + sizeof(uint32_t)] = {is_there};
    uint32_t size = (uint32_t)value.size;
    memcpy(head + 1, &size, sizeof(size));
    return hf_bytes_append(key, hf_slice_of(head, sizeof(head))) == HF_OK &&
           (value.size == 0 || hf_bytes_append(key, value) == HF_OK);
}

static bool next_value(struct hf_slice *key, bool *ret_is_there, struct hf_slice *ret_value)
{
    uint32_t size;
    if (key->size < 1 + sizeof(size)) {
        return false;
    }
    memcpy(&size, key->data + 1, sizeof(size));
    *ret_is_there = key->data[0] != 0;
    *ret_value = hf_slice_of(key->data + 1 + sizeof(size), size);
    *key = hf_slice_of(ret_value->data + size, key->size - 1 - sizeof(size) - size);
    return true;
}

static bool write_key(const struct exceptions *exceptions, const struct exception *exception,
                      struct hf_bytes *key)
{
    key->size = 0;
    bool is_written = put_value(key, true, exception->service) &&
                      put_value(key, true, hf_message_bytes(exception->span, SPAN_NAME)) &&
                      put_value(key, true, hf_slice_text(exception_kind(exception))) &&
                      put_value(key, true, hf_slice_text(exception_status(exception)));
    for (size_t i = 0; i < exceptions->dimension_count && is_written; i++) {
        struct hf_slice value = HF_EMPTY_SLICE;
        bool is_there = exception_value(exception, &exceptions->dimensions[i], &value);
        is_written = put_value(key, is_there, is_there ? value : HF_EMPTY_SLICE);
    }
    return is_written;
}

/* ---- counting ---- */

static enum hf_status add_exemplar(struct exemplars *exemplars, struct exception_series *series,
                                   const struct exception *exception)
{
    struct hf_slice trace_id = hf_message_bytes(exception->span, SPAN_TRACE_ID);
    static const uint8_t zeros[16];
    if (trace_id.size != sizeof(zeros) || memcmp(trace_id.data, zeros, sizeof(zeros)) == 0) {
        return HF_OK;
    }
    if (exemplars->count == exemplars->capacity) {
        size_t capacity = 2 * exemplars->capacity + 16;
        struct exemplar *items = reallocarray(exemplars->items, capacity, sizeof(*items));
        if (items == NULL) {
            return HF_NOMEM;
        }
        exemplars->items = items;
        exemplars->capacity = capacity;
    }
    exemplars->items[exemplars->count] =
        (struct exemplar){.trace_id = trace_id,
                          .span_id = hf_message_bytes(exception->span, SPAN_SPAN_ID),
                          .count = series->count + series->pending,
                          .next = series->first_exemplar};
    series->first_exemplar = (uint32_t)exemplars->count++;
    return HF_OK;
}

static enum hf_status count_all(struct exceptions *exceptions, struct hf_document *document,
                                struct exemplars *exemplars)
{
    struct hf_place place = {.document = document};
    struct hf_bytes key = {0};
    struct exception exception;
    enum hf_status status = HF_OK;
    while (status == HF_OK && exception_next(&place, &exception)) {
        uint32_t index = 0;
        status =
            write_key(exceptions, &exception, &key)
                ? exception_table_add(&exceptions->table, hf_slice_of(key.data, key.size), &index)
                : HF_NOMEM;
        if (status == HF_OK && exceptions->has_exemplars) {
            status = add_exemplar(exemplars, &exceptions->table.items[index], &exception);
        }
    }
    hf_bytes_release(&key);
    return status == HF_OK ? hf_document_status(document) : status;
}

/* ---- points ---- */

static void build_attributes(const struct exceptions *exceptions,
                             const struct exception_series *series, struct hf_builder *builder)
{
    struct hf_slice key = hf_slice_of(series->key, series->key_size), value;
    bool is_there;
    if (series->key == NULL) {
        hf_build_attribute_bool(builder, hf_slice_text("otel.metric.overflow"), true);
        return;
    }
    for (size_t i = 0; next_value(&key, &is_there, &value); i++) {
        if (i < BASE_COUNT) {
            hf_build_attribute_string(builder, hf_slice_text(base_names[i]), value);
        } else if (is_there) {
            hf_build_attribute_value(
                builder, hf_slice_text(exceptions->dimensions[i - BASE_COUNT].name), value);
        }
    }
}

static void build_exemplars(const struct exemplars *exemplars, uint32_t first, uint64_t now_ns,
                            struct hf_builder *builder)
{
    for (uint32_t i = first; i != EXCEPTION_SERIES_NONE; i = exemplars->items[i].next) {
        const struct exemplar *exemplar = &exemplars->items[i];
        hf_build_exemplar(builder, &(struct hf_build_exemplar){.time_ns = now_ns,
                                                               .is_double = true,
                                                               .number = (double)exemplar->count,
                                                               .trace_id = exemplar->trace_id,
                                                               .span_id = exemplar->span_id});
        hf_build_end(builder);
    }
}

static void build_points(const struct exceptions *exceptions, const struct exemplars *exemplars,
                         uint64_t now_ns, struct hf_builder *builder)
{
    const struct exception_table *table = &exceptions->table;
    const struct hf_build_point point = {.start_ns = exceptions->start_ns, .time_ns = now_ns};
    if (table->touched == EXCEPTION_SERIES_NONE) {
        return;
    }
    hf_build_resource(builder, HF_EMPTY_SLICE);
    hf_build_scope(builder, hf_slice_text("exceptionsconnector"), HF_EMPTY_SLICE);
    hf_build_metric(builder, &(struct hf_build_metric){.name = hf_slice_text("exceptions"),
                                                       .kind = HF_BUILD_SUM,
                                                       .temporality = HF_BUILD_CUMULATIVE,
                                                       .is_monotonic = true});
    for (uint32_t i = table->touched; i != EXCEPTION_SERIES_NONE;
         i = table->items[i].next_touched) {
        const struct exception_series *series = &table->items[i];
        hf_build_point_int(builder, &point, (int64_t)(series->count + series->pending));
        build_attributes(exceptions, series, builder);
        build_exemplars(exemplars, series->first_exemplar, now_ns, builder);
        hf_build_end(builder);
    }
}

enum hf_status exception_metrics(struct exceptions *exceptions, struct hf_document *document,
                                 uint64_t now_ns, struct hf_builder *builder)
{
    struct exemplars exemplars = {.items = NULL};
    enum hf_status status = count_all(exceptions, document, &exemplars);
    if (status == HF_OK) {
        build_points(exceptions, &exemplars, now_ns, builder);
    }
    free(exemplars.items);
    return status;
}
