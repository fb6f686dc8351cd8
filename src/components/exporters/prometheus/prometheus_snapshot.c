#include "prometheus_snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "support/state/state_log.h"

#define MAGIC "HFPROM1\n"
#define TEXT_BYTES_MAX (64u << 20)
#define PAIRS_MAX (1u << 20)

enum { RECORD_END = 0, RECORD_FAMILY, RECORD_SERIES };

/* What of a series has a fixed size; native byte order, as the file stays on its machine. */
struct series_record {
    uint32_t labels_size, extra_size, pair_count, is_integer;
    uint64_t updated_ns, start_ns, time_ns, count;
    int64_t integer;
    double number, sum;
};

struct family_record {
    uint32_t name_size, help_size, kind, is_info;
};

/* ---- saving ---- */

static void put_series(struct hf_state_writer *writer, const struct prometheus_series *series)
{
    const struct prometheus_value *value = &series->value;
    const struct series_record record = {
        .labels_size = series->labels_size,
        .extra_size = series->extra != NULL ? (uint32_t)strlen(series->extra) : 0,
        .pair_count = (uint32_t)value->pair_count,
        .is_integer = value->is_integer,
        .updated_ns = series->updated_ns,
        .start_ns = value->start_ns,
        .time_ns = value->time_ns,
        .count = value->count,
        .integer = value->integer,
        .number = value->number,
        .sum = value->sum};
    hf_state_file_put(writer, &(const uint8_t){RECORD_SERIES}, 1);
    hf_state_file_put(writer, &record, sizeof(record));
    hf_state_file_put(writer, series->labels, series->labels_size);
    hf_state_file_put(writer, series->extra, record.extra_size);
    hf_state_file_put(writer, value->pairs, value->pair_count * sizeof(*value->pairs));
}

static void put_family(struct hf_state_writer *writer, const struct prometheus_family *family)
{
    const struct family_record record = {.name_size = (uint32_t)family->name.size,
                                         .help_size = (uint32_t)strlen(family->help),
                                         .kind = family->kind,
                                         .is_info = family->is_info};
    hf_state_file_put(writer, &(const uint8_t){RECORD_FAMILY}, 1);
    hf_state_file_put(writer, &record, sizeof(record));
    hf_state_file_put(writer, family->name.data, family->name.size);
    hf_state_file_put(writer, family->help, record.help_size);
    for (size_t i = 0; i < family->count; i++) {
        put_series(writer, family->series[i]);
    }
}

enum hf_status prometheus_snapshot_save(const char *path, const struct prometheus_table *table)
{
    struct hf_state_writer writer;
    const uint8_t end = RECORD_END;
    hf_state_file_write_begin(&writer, path, MAGIC);
    for (size_t i = 0; i < table->family_count; i++) {
        put_family(&writer, table->families[i]);
    }
    hf_state_file_put(&writer, &end, 1);
    return hf_state_file_write_end(&writer);
}

/* ---- loading ---- */

/* A text of that size, with a NUL behind it, which is the caller's. */
static char *get_text(struct hf_state_reader *reader, uint32_t size)
{
    if (reader->status != HF_OK || size > TEXT_BYTES_MAX) {
        reader->status = reader->status == HF_OK ? HF_CORRUPT : reader->status;
        return NULL;
    }
    char *text = calloc(1, (size_t)size + 1);
    if (text == NULL) {
        reader->status = HF_NOMEM;
    } else if (!hf_state_file_get(reader, text, size)) {
        free(text);
        return NULL;
    }
    return text;
}

static struct prometheus_family *get_family(struct hf_state_reader *reader,
                                            struct prometheus_table *table)
{
    struct family_record record;
    struct prometheus_family *family = NULL;
    if (!hf_state_file_get(reader, &record, sizeof(record))) {
        return NULL;
    }
    if (record.kind > HF_PROM_SUMMARY) {
        reader->status = HF_CORRUPT;
        return NULL;
    }
    char *name = get_text(reader, record.name_size);
    char *help = get_text(reader, record.help_size);
    if (name != NULL && help != NULL) {
        reader->status =
            prometheus_table_family(table, hf_slice_of(name, record.name_size),
                                    (enum hf_prom_kind)record.kind, hf_slice_text(help), &family);
    }
    if (family != NULL) {
        family->is_info = record.is_info != 0;
    }
    free(name);
    free(help);
    return family;
}

static struct prometheus_pair *get_pairs(struct hf_state_reader *reader, uint32_t count)
{
    if (count == 0) {
        return NULL;
    }
    if (count > PAIRS_MAX) {
        reader->status = HF_CORRUPT;
        return NULL;
    }
    struct prometheus_pair *pairs = calloc(count, sizeof(*pairs));
    if (pairs == NULL) {
        reader->status = HF_NOMEM;
    } else if (!hf_state_file_get(reader, pairs, count * sizeof(*pairs))) {
        free(pairs);
        return NULL;
    }
    return pairs;
}

static void get_series(struct hf_state_reader *reader, struct prometheus_table *table,
                       struct prometheus_family *family)
{
    struct series_record record;
    struct prometheus_series *series = NULL;
    if (!hf_state_file_get(reader, &record, sizeof(record))) {
        return;
    }
    char *labels = get_text(reader, record.labels_size);
    char *extra = record.extra_size != 0 ? get_text(reader, record.extra_size) : NULL;
    struct prometheus_value value = {.is_integer = record.is_integer != 0,
                                     .integer = record.integer,
                                     .number = record.number,
                                     .count = record.count,
                                     .sum = record.sum,
                                     .start_ns = record.start_ns,
                                     .time_ns = record.time_ns,
                                     .pair_count = record.pair_count};
    value.pairs = reader->status == HF_OK ? get_pairs(reader, record.pair_count) : NULL;
    enum hf_status status = reader->status;
    if (status == HF_OK) {
        status = prometheus_table_series(table, family, hf_slice_of(labels, record.labels_size),
                                         &series);
    }
    if (status == HF_OK) {
        prometheus_series_put(series, &value);
        free(series->extra);
        series->extra = extra;
        series->updated_ns = record.updated_ns;
        extra = NULL;
    }
    /* A limit that was lowered leaves series behind. */
    reader->status = status == HF_FULL ? HF_OK : status;
    free(value.pairs);
    free(extra);
    free(labels);
}

/* HF_CORRUPT: the records are none; else what the reader says. */
static enum hf_status read_records(struct hf_state_reader *reader, struct prometheus_table *table)
{
    struct prometheus_family *family = NULL;
    uint8_t kind = RECORD_END;
    while (hf_state_file_get(reader, &kind, 1) && kind != RECORD_END) {
        if (kind == RECORD_FAMILY) {
            family = get_family(reader, table);
        } else if (kind == RECORD_SERIES && family != NULL) {
            get_series(reader, table, family);
        } else {
            return HF_CORRUPT;
        }
    }
    return reader->status;
}

/* The requests behind the snapshot, and how many bytes stand behind the last whole one. */
static enum hf_status read_requests(struct hf_state_reader *reader, prometheus_snapshot_visit visit,
                                    void *user, uint64_t *ret_left)
{
    struct hf_bytes room = {0};
    struct hf_state_record request;
    enum hf_status status = HF_OK;
    long end = ftell(reader->file);
    while (status == HF_OK && hf_state_log_next(reader, &room, &request)) {
        status = visit(user, request.number, request.bytes);
        end = ftell(reader->file);
    }
    hf_bytes_release(&room);
    *ret_left = fseek(reader->file, 0, SEEK_END) == 0 ? (uint64_t)(ftell(reader->file) - end) : 0;
    return status == HF_OK ? reader->status : status;
}

enum hf_status prometheus_snapshot_load(const char *path, struct prometheus_table *table,
                                        prometheus_snapshot_visit visit, void *user,
                                        uint64_t *ret_left)
{
    struct hf_state_reader reader;
    enum hf_status status = hf_state_file_read_begin(&reader, path, MAGIC);
    *ret_left = 0;
    if (status != HF_OK) {
        return status;
    }
    status = read_records(&reader, table);
    status = status == HF_OK ? hf_state_file_read_check(&reader) : status;
    if (status == HF_OK) {
        status = read_requests(&reader, visit, user, ret_left);
    }
    hf_state_file_read_close(&reader);
    if (status != HF_OK) {
        prometheus_table_clear(table);
    }
    return status;
}
