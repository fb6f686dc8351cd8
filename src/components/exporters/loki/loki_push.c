#include "loki_push.h"

#include <stdlib.h>

#include "pdata/wire.h"
#include "util/fnv.h"

#define FIRST_CAPACITY 64u
#define NS_PER_S 1000000000u
#define KEPT_BYTES (8u << 20) /* buffers beyond are given back */

enum { PUSH_STREAMS = 1, STREAM_LABELS = 1, STREAM_ENTRIES = 2, ENTRY_TIME = 1, ENTRY_LINE = 2 };

static void empty(struct hf_bytes *bytes)
{
    bytes->size = 0;
    if (bytes->capacity > KEPT_BYTES) {
        hf_bytes_release(bytes);
    }
}

void loki_push_begin(struct loki_push *push)
{
    push->entry_count = 0;
    push->stream_count = 0;
    empty(&push->lines);
    empty(&push->texts);
    for (size_t i = 0; i < push->table_size; i++) {
        push->table[i] = 0;
    }
}

static struct hf_slice labels_of(const struct loki_push *push, size_t stream)
{
    const struct loki_stream *found = &push->streams[stream];
    return hf_slice_of(push->texts.data + found->labels_at, found->labels_size);
}

static void enter(struct loki_push *push, size_t stream)
{
    size_t at = push->streams[stream].hash & (push->table_size - 1);
    while (push->table[at] != 0) {
        at = (at + 1) & (push->table_size - 1);
    }
    push->table[at] = (uint32_t)stream + 1;
}

/* The table stays at most half full. */
static enum hf_status grow_streams(struct loki_push *push)
{
    if (push->stream_count < push->stream_capacity) {
        return HF_OK;
    }
    size_t capacity = push->stream_capacity != 0 ? 2 * push->stream_capacity : FIRST_CAPACITY;
    struct loki_stream *streams = reallocarray(push->streams, capacity, sizeof(*streams));
    if (streams == NULL) {
        return HF_NOMEM;
    }
    push->streams = streams;
    uint32_t *table = calloc(2 * capacity, sizeof(*table));
    if (table == NULL) {
        return HF_NOMEM;
    }
    free(push->table);
    push->table = table;
    push->table_size = 2 * capacity;
    push->stream_capacity = capacity;
    for (size_t i = 0; i < push->stream_count; i++) {
        enter(push, i);
    }
    return HF_OK;
}

enum hf_status loki_push_stream(struct loki_push *push, struct hf_slice labels,
                                uint32_t *ret_stream)
{
    enum hf_status status = grow_streams(push);
    if (status != HF_OK) {
        return status;
    }
    uint64_t hash = hf_fnv(labels);
    for (size_t at = hash & (push->table_size - 1); push->table[at] != 0;
         at = (at + 1) & (push->table_size - 1)) {
        uint32_t stream = push->table[at] - 1;
        if (push->streams[stream].hash == hash && hf_slice_equal(labels_of(push, stream), labels)) {
            *ret_stream = stream;
            return HF_OK;
        }
    }
    struct loki_stream *stream = &push->streams[push->stream_count];
    *stream = (struct loki_stream){push->texts.size, labels.size, hash};
    status = hf_bytes_append(&push->texts, labels);
    if (status == HF_OK) {
        enter(push, push->stream_count);
        *ret_stream = (uint32_t)push->stream_count++;
    }
    return status;
}

enum hf_status loki_push_entry(struct loki_push *push, uint32_t stream, uint64_t time_ns,
                               size_t line_at)
{
    if (push->entry_count == push->entry_capacity) {
        size_t capacity = push->entry_capacity != 0 ? 2 * push->entry_capacity : FIRST_CAPACITY;
        struct loki_entry *entries = reallocarray(push->entries, capacity, sizeof(*entries));
        if (entries == NULL) {
            return HF_NOMEM;
        }
        push->entries = entries;
        push->entry_capacity = capacity;
    }
    push->entries[push->entry_count] = (struct loki_entry){
        stream, (uint32_t)push->entry_count, time_ns, line_at, push->lines.size - line_at};
    push->entry_count++;
    return HF_OK;
}

static int in_order(const void *a, const void *b)
{
    const struct loki_entry *left = a, *right = b;
    if (left->stream != right->stream) {
        return left->stream < right->stream ? -1 : 1;
    }
    if (left->time_ns != right->time_ns) {
        return left->time_ns < right->time_ns ? -1 : 1;
    }
    return left->order < right->order ? -1 : left->order > right->order;
}

static void write_entry(struct hf_wire_writer *writer, const struct loki_push *push,
                        const struct loki_entry *entry)
{
    const size_t time_size = 16;
    struct hf_wire_message message =
        hf_wire_open(writer, STREAM_ENTRIES, entry->line_size + time_size);
    struct hf_wire_message time = hf_wire_open(writer, ENTRY_TIME, time_size);
    hf_wire_put_varint(writer, 1, entry->time_ns / NS_PER_S);
    hf_wire_put_varint(writer, 2, entry->time_ns % NS_PER_S);
    hf_wire_close(writer, time);
    hf_wire_put_bytes(writer, ENTRY_LINE,
                      hf_slice_of(push->lines.data + entry->line_at, entry->line_size));
    hf_wire_close(writer, message);
}

enum hf_status loki_push_write(struct loki_push *push, struct hf_bytes *out)
{
    struct hf_wire_writer writer = {.out = out};
    if (push->entry_count != 0) {
        qsort(push->entries, push->entry_count, sizeof(*push->entries), in_order);
    }
    size_t i = 0;
    while (i < push->entry_count) {
        uint32_t stream = push->entries[i].stream;
        size_t end = i, size = push->streams[stream].labels_size;
        for (; end < push->entry_count && push->entries[end].stream == stream; end++) {
            size += push->entries[end].line_size + 24;
        }
        struct hf_wire_message message = hf_wire_open(&writer, PUSH_STREAMS, size);
        hf_wire_put_bytes(&writer, STREAM_LABELS, labels_of(push, stream));
        for (; i < end; i++) {
            write_entry(&writer, push, &push->entries[i]);
        }
        hf_wire_close(&writer, message);
    }
    return hf_wire_status(&writer);
}

void loki_push_release(struct loki_push *push)
{
    free(push->entries);
    free(push->streams);
    free(push->table);
    hf_bytes_release(&push->lines);
    hf_bytes_release(&push->texts);
    *push = (struct loki_push){0};
}
