#include "loki_push.h"

#include <stdlib.h>

#include "util/grow.h"
#include "util/hash.h"

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
    uint64_t hash = hf_hash_64(labels);
    for (size_t at = hash & (push->table_size - 1); push->table[at] != 0;
         at = (at + 1) & (push->table_size - 1)) {
        uint32_t stream = push->table[at] - 1;
        if (push->streams[stream].hash == hash && hf_slice_equal(labels_of(push, stream), labels)) {
            *ret_stream = stream;
            return HF_OK;
        }
    }
    struct loki_stream *stream = &push->streams[push->stream_count];
    *stream = (struct loki_stream){
        .labels_at = push->texts.size, .labels_size = labels.size, .hash = hash};
    status = hf_bytes_append(&push->texts, labels);
    if (status == HF_OK) {
        enter(push, push->stream_count);
        *ret_stream = (uint32_t)push->stream_count++;
    }
    return status;
}

/* ---- entries ---- */

void loki_push_open(struct loki_push *push, uint32_t stream, uint64_t time_ns)
{
    const size_t frame = 24; /* of the time, and of the line */
    struct hf_wire_writer *writer = &push->writer;
    *writer = (struct hf_wire_writer){.out = &push->lines};
    push->open = (struct loki_entry){.stream = stream, .time_ns = time_ns, .at = push->lines.size};
    push->entry = hf_wire_open(writer, STREAM_ENTRIES, push->line_expected + frame);
    struct hf_wire_message time = hf_wire_open(writer, ENTRY_TIME, frame);
    hf_wire_put_varint(writer, 1, time_ns / NS_PER_S);
    hf_wire_put_varint(writer, 2, time_ns % NS_PER_S);
    hf_wire_close(writer, time);
    push->line = hf_wire_open(writer, ENTRY_LINE, push->line_expected);
}

static enum hf_status grow_entries(struct loki_push *push)
{
    return hf_grow(&push->entries, &push->entry_capacity, push->entry_count + 1,
                   sizeof(*push->entries))
               ? HF_OK
               : HF_NOMEM;
}

/* Behind the others of its stream. */
static void link_entry(struct loki_push *push, struct loki_stream *stream,
                       const struct loki_entry *entry)
{
    push->entries[push->entry_count] = *entry;
    uint32_t number = (uint32_t)++push->entry_count;
    if (stream->last != 0) {
        struct loki_entry *last = &push->entries[stream->last - 1];
        last->next = number;
        stream->is_disordered |= entry->time_ns < last->time_ns;
    } else {
        stream->first = number;
    }
    stream->last = number;
    stream->count++;
    stream->size += entry->size;
}

enum hf_status loki_push_close(struct loki_push *push)
{
    struct hf_wire_writer *writer = &push->writer;
    push->line_expected = push->lines.size - push->line.start;
    hf_wire_close(writer, push->line);
    hf_wire_close(writer, push->entry);
    enum hf_status status = hf_wire_status(writer);
    status = status == HF_OK ? grow_entries(push) : status;
    if (status == HF_OK) {
        struct loki_entry *entry = &push->open;
        entry->size = push->lines.size - entry->at;
        link_entry(push, &push->streams[entry->stream], entry);
    }
    return status;
}

/* ---- the request ---- */

static int by_time(const void *a, const void *b)
{
    const struct loki_timed *left = a, *right = b;
    if (left->time_ns != right->time_ns) {
        return left->time_ns < right->time_ns ? -1 : 1;
    }
    return left->order < right->order ? -1 : left->order > right->order;
}

/* The entries of a stream in the order of their times, by other links. */
static enum hf_status sort_stream(struct loki_push *push, struct loki_stream *stream)
{
    if (stream->count > push->sorted_capacity) {
        struct loki_timed *sorted =
            reallocarray(push->sorted, push->entry_capacity, sizeof(*sorted));
        if (sorted == NULL) {
            return HF_NOMEM;
        }
        push->sorted = sorted;
        push->sorted_capacity = push->entry_capacity;
    }
    size_t count = 0;
    for (uint32_t at = stream->first; at != 0; at = push->entries[at - 1].next) {
        push->sorted[count++] = (struct loki_timed){push->entries[at - 1].time_ns, at - 1};
    }
    qsort(push->sorted, count, sizeof(*push->sorted), by_time);
    stream->first = (uint32_t)push->sorted[0].order + 1;
    for (size_t i = 0; i < count; i++) {
        uint32_t next = i + 1 < count ? (uint32_t)push->sorted[i + 1].order + 1 : 0;
        push->entries[push->sorted[i].order].next = next;
    }
    stream->is_disordered = false;
    return HF_OK;
}

/* Neighbours in `lines` are copied at once. */
static void write_entries(struct hf_wire_writer *writer, const struct loki_push *push,
                          const struct loki_stream *stream)
{
    size_t start = 0, end = 0;
    for (uint32_t at = stream->first; at != 0; at = push->entries[at - 1].next) {
        const struct loki_entry *entry = &push->entries[at - 1];
        if (entry->at != end) {
            hf_wire_put_raw(writer, hf_slice_of(push->lines.data + start, end - start));
            start = entry->at;
        }
        end = entry->at + entry->size;
    }
    hf_wire_put_raw(writer, hf_slice_of(push->lines.data + start, end - start));
}

enum hf_status loki_push_write(struct loki_push *push, struct hf_bytes *out)
{
    struct hf_wire_writer writer = {.out = out};
    for (size_t i = 0; i < push->stream_count; i++) {
        struct loki_stream *stream = &push->streams[i];
        enum hf_status status = stream->is_disordered ? sort_stream(push, stream) : HF_OK;
        if (status != HF_OK) {
            return status;
        }
        if (stream->count == 0) {
            continue;
        }
        const size_t head = 1 + HF_WIRE_VARINT_MAX;
        struct hf_wire_message message =
            hf_wire_open(&writer, PUSH_STREAMS, stream->size + stream->labels_size + head);
        hf_wire_put_bytes(&writer, STREAM_LABELS, labels_of(push, i));
        write_entries(&writer, push, stream);
        hf_wire_close(&writer, message);
    }
    return hf_wire_status(&writer);
}

void loki_push_release(struct loki_push *push)
{
    free(push->entries);
    free(push->sorted);
    free(push->streams);
    free(push->table);
    hf_bytes_release(&push->lines);
    hf_bytes_release(&push->texts);
    *push = (struct loki_push){0};
}
