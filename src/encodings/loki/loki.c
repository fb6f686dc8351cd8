#include "loki.h"

#include <stdio.h>
#include <stdlib.h>

#include "loki_labels.h"
#include "pdata/wire_find.h"
#include "json/json.h"

/* Field numbers of logproto. */
enum { REQUEST_STREAMS = 1 };
enum { STREAM_LABELS = 1, STREAM_ENTRIES = 2 };
enum { ENTRY_TIME = 1, ENTRY_LINE = 2, ENTRY_METADATA = 3 };
enum { TIME_SECONDS = 1, TIME_NANOS = 2 };
enum { PAIR_NAME = 1, PAIR_VALUE = 2 };

#define LABEL_BYTES_MAX ((size_t)16 << 20)
#define JSON_SHARE 24u /* memory of a tree to its text, at most */
#define JSON_BYTES_LEAST ((size_t)1 << 20)

struct work {
    const struct hf_loki_options *options;
    struct hf_builder *builder;
    struct hf_arena arena;        /* of one stream's labels */
    struct hf_loki_labels labels; /* of the stream */
    struct hf_loki_labels extra;  /* structured metadata of the entry */
    char *reterr;
};

static enum hf_status invalid(struct work *work, const char *why)
{
    snprintf(work->reterr, HF_LOKI_ERROR_MAX, "%s", why);
    return HF_INVALID;
}

static void write_labels(struct work *work, const struct hf_loki_labels *labels,
                         const struct hf_loki_labels *but)
{
    for (size_t i = 0; i < labels->count; i++) {
        const struct hf_loki_label *label = &labels->items[i];
        if (but == NULL || !hf_loki_labels_have(but, label->name)) {
            hf_build_attribute_string(work->builder, label->name, label->value);
        }
    }
}

/* An entry with the labels of its stream, and its own behind them. */
static void write_entry(struct work *work, uint64_t time_ns, struct hf_slice line)
{
    uint64_t now_ns = work->options->now_ns;
    bool is_kept = work->options->keep_timestamp && time_ns != 0;
    const struct hf_build_log_record record = {.time_ns = is_kept ? time_ns : now_ns,
                                               .observed_ns = now_ns};
    hf_build_log_record(work->builder, &record);
    hf_build_body_string(work->builder, line);
    write_labels(work, &work->labels, NULL);
    write_labels(work, &work->extra, &work->labels);
    hf_build_end(work->builder);
}

/* ---- protobuf ---- */

static enum hf_status read_metadata(struct work *work, struct hf_slice entry)
{
    struct hf_wire wire = hf_wire_of(entry);
    struct hf_slice pair;
    work->extra.count = 0;
    while (hf_wire_each(&wire, ENTRY_METADATA, &pair)) {
        if (!hf_wire_is_whole(pair)) {
            return invalid(work, "the protobuf is malformed");
        }
        if (!hf_loki_labels_add(&work->extra, hf_wire_find_bytes(pair, PAIR_NAME),
                                hf_wire_find_bytes(pair, PAIR_VALUE))) {
            return invalid(work, "an entry has more than 256 pairs of metadata");
        }
    }
    return HF_OK;
}

static enum hf_status read_entry(struct work *work, struct hf_slice entry)
{
    struct hf_slice time = hf_wire_find_bytes(entry, ENTRY_TIME);
    if (!hf_wire_is_whole(entry) || !hf_wire_is_whole(time)) {
        return invalid(work, "the protobuf is malformed");
    }
    enum hf_status status = read_metadata(work, entry);
    if (status == HF_OK) {
        uint64_t ns = hf_wire_find_bits(time, TIME_SECONDS) * UINT64_C(1000000000) +
                      hf_wire_find_bits(time, TIME_NANOS);
        write_entry(work, ns, hf_wire_find_bytes(entry, ENTRY_LINE));
    }
    return status;
}

static enum hf_status read_stream(struct work *work, struct hf_slice stream)
{
    struct hf_wire wire = hf_wire_of(stream);
    struct hf_slice entry;
    bool has_labels = false;
    if (!hf_wire_is_whole(stream)) {
        return invalid(work, "the protobuf is malformed");
    }
    while (hf_wire_each(&wire, STREAM_ENTRIES, &entry)) {
        if (!has_labels) {
            hf_arena_reset(&work->arena);
            const char *wrong = hf_loki_labels_read(hf_wire_find_bytes(stream, STREAM_LABELS),
                                                    &work->arena, &work->labels);
            if (wrong != NULL) {
                return invalid(work, wrong);
            }
            has_labels = true;
        }
        enum hf_status status = read_entry(work, entry);
        if (status != HF_OK) {
            return status;
        }
    }
    return HF_OK;
}

static enum hf_status read_proto(struct work *work, struct hf_slice body)
{
    struct hf_wire wire = hf_wire_of(body);
    struct hf_slice stream;
    enum hf_status status =
        hf_wire_is_whole(body) ? HF_OK : invalid(work, "the protobuf is malformed");
    while (status == HF_OK && hf_wire_each(&wire, REQUEST_STREAMS, &stream)) {
        status = read_stream(work, stream);
    }
    return status;
}

/* ---- JSON ---- */

static bool add_members(struct hf_loki_labels *labels, const struct hf_json *map)
{
    bool good = true;
    labels->count = 0;
    for (const struct hf_json *one = hf_json_first(map); one != NULL && good; one = one->next) {
        good = one->kind == HF_JSON_STRING && hf_loki_labels_add(labels, one->key, one->text);
    }
    return good;
}

static bool read_ns(const struct hf_json *value, uint64_t *ret_ns)
{
    char *end;
    if (value->kind != HF_JSON_STRING || value->text.size == 0 || value->text.size > 20 ||
        value->text.data[0] < '0' || value->text.data[0] > '9') {
        return false;
    }
    *ret_ns = strtoull((const char *)value->text.data, &end, 10); /* it ends with a NUL */
    return *end == '\0';
}

/* ["1700000000000000000", "line", {"pair": "of metadata"}] */
static enum hf_status read_json_entry(struct work *work, const struct hf_json *entry)
{
    const struct hf_json *time = hf_json_first(entry);
    const struct hf_json *line = time != NULL ? time->next : NULL;
    const struct hf_json *extra = line != NULL ? line->next : NULL;
    uint64_t ns = 0;
    if (entry->kind == HF_JSON_NULL) {
        return HF_OK;
    }
    if (entry->kind != HF_JSON_LIST || line == NULL || line->kind != HF_JSON_STRING ||
        !read_ns(time, &ns)) {
        return invalid(work, "values: each is a list of nanoseconds as text and a line");
    }
    work->extra.count = 0;
    if (extra != NULL && (extra->kind != HF_JSON_MAP || !add_members(&work->extra, extra))) {
        return invalid(work, "values: structured metadata is a map of at most 256 texts");
    }
    write_entry(work, ns, line->text);
    return HF_OK;
}

static enum hf_status read_json_stream(struct work *work, const struct hf_json *stream)
{
    const struct hf_json *labels = hf_json_get(stream, "stream");
    const struct hf_json *values = hf_json_get(stream, "values");
    enum hf_status status = HF_OK;
    if (stream->kind != HF_JSON_MAP || (labels != NULL && labels->kind != HF_JSON_MAP) ||
        !add_members(&work->labels, labels)) {
        return invalid(work, "streams: each is a map whose `stream` is a map of at most 256 texts");
    }
    if (values != NULL && values->kind != HF_JSON_LIST && values->kind != HF_JSON_NULL) {
        return invalid(work, "streams: `values` is a list");
    }
    for (const struct hf_json *one = hf_json_first(values); one != NULL && status == HF_OK;
         one = one->next) {
        status = read_json_entry(work, one);
    }
    return status;
}

static enum hf_status read_json(struct work *work, struct hf_slice body)
{
    struct hf_arena arena = {.limit = JSON_BYTES_LEAST + JSON_SHARE * body.size};
    const struct hf_json *root = NULL;
    enum hf_status status = hf_json_read(body, &arena, &root, work->reterr);
    if (status == HF_TOO_LARGE) {
        snprintf(work->reterr, HF_LOKI_ERROR_MAX, "the JSON has too many values for its size");
    }
    const struct hf_json *streams = status == HF_OK ? hf_json_get(root, "streams") : NULL;
    if (status == HF_OK &&
        (root->kind != HF_JSON_MAP ||
         (streams != NULL && streams->kind != HF_JSON_LIST && streams->kind != HF_JSON_NULL))) {
        status = invalid(work, "expected a map with a list `streams`");
    }
    for (const struct hf_json *one = hf_json_first(streams); one != NULL && status == HF_OK;
         one = one->next) {
        status = read_json_stream(work, one);
    }
    hf_arena_release(&arena);
    return status;
}

enum hf_status hf_loki_read(struct hf_slice body, const struct hf_loki_options *options,
                            struct hf_builder *builder, char *reterr)
{
    struct work *work = malloc(sizeof(*work));
    if (work == NULL) {
        return HF_NOMEM;
    }
    work->options = options;
    work->builder = builder;
    work->arena = (struct hf_arena){.limit = LABEL_BYTES_MAX};
    work->reterr = reterr;
    hf_build_resource(builder, HF_EMPTY_SLICE);
    hf_build_scope(builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    enum hf_status status = options->is_json ? read_json(work, body) : read_proto(work, body);
    hf_arena_release(&work->arena);
    free(work);
    return status;
}
