#include "prw_series.h"

#include <stdlib.h>
#include <string.h>

#include "util/hash.h"

#define FIRST_CAPACITY 256u
#define KEPT_BYTES (8u << 20) /* buffers beyond are given back */

enum { SAMPLE_VALUE = 1, SAMPLE_TIME = 2, SAMPLE_START = 3 };
enum { LABELS = 1 }; /* of a TimeSeries and of an exemplar, in both versions */
enum { SERIES_METADATA = 5, METADATA_TYPE = 1, METADATA_HELP = 3, METADATA_UNIT = 4 };
enum { REQUEST_SYMBOLS = 4 };

static const uint8_t request_series[] = {[PRW_VERSION_1] = 1, [PRW_VERSION_2] = 5};
/* The fields of a TimeSeries of version 2. */
static const uint8_t pieces_2[] = {[PRW_SAMPLE] = 2, [PRW_HISTOGRAM] = 3, [PRW_EXEMPLAR] = 4};

static void empty(struct hf_bytes *bytes)
{
    bytes->size = 0;
    if (bytes->capacity > KEPT_BYTES) {
        hf_bytes_release(bytes);
    }
}

enum hf_status prw_series_begin(struct prw_series *series)
{
    series->piece_count = 0;
    series->count = 0;
    empty(&series->texts);
    empty(&series->metadata);
    if (series->table_size != 0) {
        memset(series->table, 0, series->table_size * sizeof(*series->table));
    }
    return series->version == PRW_VERSION_2 ? prw_symbols_begin(&series->symbols) : HF_OK;
}

void prw_series_put_labels(struct prw_series *series, struct prw_labels *labels,
                           struct hf_wire_writer *writer)
{
    if (series->version == PRW_VERSION_2) {
        prw_labels_write_refs(labels, &series->symbols, LABELS, writer);
    } else {
        prw_labels_write(labels, LABELS, writer);
    }
}

static void put_about(struct prw_series *series, struct hf_wire_writer *writer)
{
    const struct prw_about *about = &series->about;
    uint32_t help = 0, unit = 0;
    if (series->version != PRW_VERSION_2) {
        return;
    }
    if (prw_symbols_find(&series->symbols, about->help, &help) != HF_OK ||
        prw_symbols_find(&series->symbols, about->unit, &unit) != HF_OK) {
        writer->failed = true;
        return;
    }
    struct hf_wire_message message = hf_wire_open(writer, SERIES_METADATA, 16);
    hf_wire_put_varint(writer, METADATA_TYPE, about->type);
    hf_wire_put_varint(writer, METADATA_HELP, help);
    hf_wire_put_varint(writer, METADATA_UNIT, unit);
    hf_wire_close(writer, message);
}

static struct hf_slice text_of(const struct prw_series *series, size_t at, size_t size)
{
    return hf_slice_of(series->texts.data + at, size);
}

static void enter(struct prw_series *series, size_t index)
{
    size_t at = series->items[index].hash & (series->table_size - 1);
    while (series->table[at] != 0) {
        at = (at + 1) & (series->table_size - 1);
    }
    series->table[at] = (uint32_t)index + 1;
}

/* The table stays at most half full. */
static enum hf_status grow(struct prw_series *series)
{
    if (series->count < series->capacity) {
        return HF_OK;
    }
    size_t capacity = series->capacity != 0 ? 2 * series->capacity : FIRST_CAPACITY;
    struct prw_one_series *items = reallocarray(series->items, capacity, sizeof(*items));
    if (items == NULL) {
        return HF_NOMEM;
    }
    series->items = items;
    uint32_t *table = calloc(2 * capacity, sizeof(*table));
    if (table == NULL) {
        return HF_NOMEM;
    }
    free(series->table);
    series->table = table;
    series->table_size = 2 * capacity;
    series->capacity = capacity;
    for (size_t i = 0; i < series->count; i++) {
        enter(series, i);
    }
    return HF_OK;
}

enum hf_status prw_series_find(struct prw_series *series, struct prw_labels *labels,
                               uint32_t *ret_series)
{
    size_t start = series->texts.size;
    struct hf_wire_writer writer = {.out = &series->texts};
    enum hf_status status = grow(series);
    if (status != HF_OK) {
        return status;
    }
    prw_series_put_labels(series, labels, &writer);
    put_about(series, &writer);
    status = hf_wire_status(&writer);
    if (status != HF_OK) {
        return status;
    }
    struct hf_slice text = text_of(series, start, series->texts.size - start);
    uint64_t hash = hf_hash_64(text);
    for (size_t at = hash & (series->table_size - 1); series->table[at] != 0;
         at = (at + 1) & (series->table_size - 1)) {
        const struct prw_one_series *known = &series->items[series->table[at] - 1];
        if (known->hash == hash && hf_slice_equal(text_of(series, known->at, known->size), text)) {
            series->texts.size = start;
            *ret_series = series->table[at] - 1;
            return HF_OK;
        }
    }
    series->items[series->count] = (struct prw_one_series){start, text.size, hash};
    enter(series, series->count);
    *ret_series = (uint32_t)series->count++;
    return HF_OK;
}

static enum hf_status add(struct prw_series *series, struct prw_piece piece)
{
    if (series->piece_count == series->piece_capacity) {
        size_t capacity = series->piece_capacity != 0 ? 2 * series->piece_capacity : FIRST_CAPACITY;
        struct prw_piece *pieces = reallocarray(series->pieces, capacity, sizeof(*pieces));
        if (pieces == NULL) {
            return HF_NOMEM;
        }
        series->pieces = pieces;
        series->piece_capacity = capacity;
    }
    piece.order = (uint32_t)series->piece_count;
    series->pieces[series->piece_count++] = piece;
    return HF_OK;
}

enum hf_status prw_series_sample(struct prw_series *series, uint32_t of, int64_t time_ms,
                                 double value)
{
    return add(series, (struct prw_piece){.series = of,
                                          .kind = PRW_SAMPLE,
                                          .time_ms = time_ms,
                                          .start_ms = series->start_ms,
                                          .value = value});
}

enum hf_status prw_series_made(struct prw_series *series, uint32_t of, enum prw_piece_kind kind,
                               int64_t time_ms, size_t at)
{
    return add(series, (struct prw_piece){.series = of,
                                          .kind = kind,
                                          .time_ms = time_ms,
                                          .at = at,
                                          .size = series->texts.size - at});
}

static int in_order(const void *a, const void *b)
{
    const struct prw_piece *left = a, *right = b;
    if (left->series != right->series) {
        return left->series < right->series ? -1 : 1;
    }
    if (left->kind != right->kind) {
        return left->kind < right->kind ? -1 : 1;
    }
    if (left->time_ms != right->time_ms) {
        return left->time_ms < right->time_ms ? -1 : 1;
    }
    return left->order < right->order ? -1 : left->order > right->order;
}

/* Most come in order. */
static void sort_pieces(struct prw_series *series)
{
    size_t at = 1;
    while (at < series->piece_count && in_order(&series->pieces[at - 1], &series->pieces[at]) < 0) {
        at++;
    }
    if (at < series->piece_count) {
        qsort(series->pieces, series->piece_count, sizeof(*series->pieces), in_order);
    }
}

static void write_piece(struct hf_wire_writer *writer, const struct prw_series *series,
                        const struct prw_piece *piece)
{
    bool is_2 = series->version == PRW_VERSION_2;
    if (piece->kind != PRW_SAMPLE) {
        uint32_t number = is_2 ? pieces_2[piece->kind] : (uint32_t)piece->kind;
        hf_wire_put_bytes(writer, number, text_of(series, piece->at, piece->size));
        return;
    }
    const size_t sample_size = 24;
    uint64_t bits;
    memcpy(&bits, &piece->value, sizeof(bits));
    struct hf_wire_message sample = hf_wire_open(writer, PRW_SAMPLE, sample_size);
    hf_wire_put_fixed64(writer, SAMPLE_VALUE, bits);
    hf_wire_put_varint(writer, SAMPLE_TIME, (uint64_t)piece->time_ms);
    if (is_2) {
        hf_wire_put_varint(writer, SAMPLE_START, (uint64_t)piece->start_ms);
    }
    hf_wire_close(writer, sample);
}

enum hf_status prw_series_write(struct prw_series *series, struct hf_bytes *out)
{
    struct hf_wire_writer writer = {.out = out};
    sort_pieces(series);
    if (series->version == PRW_VERSION_2) {
        prw_symbols_write(&series->symbols, REQUEST_SYMBOLS, &writer);
    }
    size_t i = 0;
    while (i < series->piece_count) {
        const struct prw_one_series *one = &series->items[series->pieces[i].series];
        uint32_t number = series->pieces[i].series;
        size_t end = i, size = one->size;
        for (; end < series->piece_count && series->pieces[end].series == number; end++) {
            size += series->pieces[end].size + 28;
        }
        struct hf_wire_message message =
            hf_wire_open(&writer, request_series[series->version], size);
        hf_wire_put_raw(&writer, text_of(series, one->at, one->size));
        for (; i < end; i++) {
            write_piece(&writer, series, &series->pieces[i]);
        }
        hf_wire_close(&writer, message);
    }
    if (series->version == PRW_VERSION_1) {
        hf_wire_put_raw(&writer, hf_slice_of(series->metadata.data, series->metadata.size));
    }
    return hf_wire_status(&writer);
}

void prw_series_release(struct prw_series *series)
{
    free(series->pieces);
    free(series->items);
    free(series->table);
    hf_bytes_release(&series->texts);
    hf_bytes_release(&series->metadata);
    prw_symbols_release(&series->symbols);
    *series = (struct prw_series){0};
}
