#include "prometheus_snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/checksum.h"

#define MAGIC "HFPROM1\n"
#define FILE_BUFFER_BYTES (256u << 10)
#define TEXT_BYTES_MAX (64u << 20)
#define PAIRS_MAX (1u << 20)

enum { RECORD_END = 0, RECORD_FAMILY, RECORD_SERIES };

struct stream {
    FILE *file;
    uint32_t crc;
    enum hf_status status;
};

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

static void put(struct stream *stream, const void *data, size_t size)
{
    if (stream->status != HF_OK || size == 0) {
        return;
    }
    stream->crc = hf_crc32c(stream->crc, data, size);
    if (fwrite(data, 1, size, stream->file) != size) {
        stream->status = HF_IO;
    }
}

static void put_series(struct stream *stream, const struct prometheus_series *series)
{
    const struct prometheus_value *value = &series->value;
    const struct series_record record = {
        .labels_size = (uint32_t)series->labels_size,
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
    put(stream, &(uint8_t){RECORD_SERIES}, 1);
    put(stream, &record, sizeof(record));
    put(stream, series->labels, series->labels_size);
    put(stream, series->extra, record.extra_size);
    put(stream, value->pairs, value->pair_count * sizeof(*value->pairs));
}

static void put_family(struct stream *stream, const struct prometheus_family *family)
{
    const struct family_record record = {.name_size = (uint32_t)family->name.size,
                                         .help_size = (uint32_t)strlen(family->help),
                                         .kind = family->kind,
                                         .is_info = family->is_info};
    put(stream, &(uint8_t){RECORD_FAMILY}, 1);
    put(stream, &record, sizeof(record));
    put(stream, family->name.data, family->name.size);
    put(stream, family->help, record.help_size);
    for (size_t i = 0; i < family->count; i++) {
        put_series(stream, family->series[i]);
    }
}

static HF_MUST_USE enum hf_status write_file(FILE *file, const struct prometheus_table *table)
{
    struct stream stream = {.file = file, .status = HF_OK};
    put(&stream, MAGIC, strlen(MAGIC));
    for (size_t i = 0; i < table->family_count; i++) {
        put_family(&stream, table->families[i]);
    }
    put(&stream, &(uint8_t){RECORD_END}, 1);
    uint32_t crc = stream.crc;
    put(&stream, &crc, sizeof(crc));
    if (stream.status == HF_OK && (fflush(file) != 0 || fsync(fileno(file)) != 0)) {
        stream.status = HF_IO;
    }
    return stream.status;
}

static HF_MUST_USE enum hf_status sync_parent(const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof(copy), "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return HF_IO;
    }
    int failed = fsync(fd);
    close(fd);
    return failed != 0 ? HF_IO : HF_OK;
}

enum hf_status prometheus_snapshot_save(const char *path, const struct prometheus_table *table)
{
    char next[PATH_MAX];
    snprintf(next, sizeof(next), "%s.new", path);
    int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (file == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return HF_IO;
    }
    setvbuf(file, NULL, _IOFBF, FILE_BUFFER_BYTES);
    enum hf_status status = write_file(file, table);
    if (fclose(file) != 0 || status != HF_OK || rename(next, path) != 0) {
        int saved = errno;
        unlink(next);
        errno = saved;
        return HF_IO;
    }
    return sync_parent(path);
}

/* ---- loading ---- */

static bool get(struct stream *stream, void *data, size_t size)
{
    if (stream->status != HF_OK) {
        return false;
    }
    if (size > 0 && fread(data, 1, size, stream->file) != size) {
        stream->status = ferror(stream->file) != 0 ? HF_IO : HF_CORRUPT;
        return false;
    }
    stream->crc = hf_crc32c(stream->crc, data, size);
    return true;
}

/* A text of that size, with a NUL behind it, which is the caller's. */
static char *get_text(struct stream *stream, uint32_t size)
{
    if (stream->status != HF_OK || size > TEXT_BYTES_MAX) {
        stream->status = stream->status == HF_OK ? HF_CORRUPT : stream->status;
        return NULL;
    }
    char *text = calloc(1, (size_t)size + 1);
    if (text == NULL) {
        stream->status = HF_NOMEM;
    } else if (!get(stream, text, size)) {
        free(text);
        return NULL;
    }
    return text;
}

static struct prometheus_family *get_family(struct stream *stream, struct prometheus_table *table)
{
    struct family_record record;
    struct prometheus_family *family = NULL;
    if (!get(stream, &record, sizeof(record))) {
        return NULL;
    }
    if (record.kind > HF_PROM_SUMMARY) {
        stream->status = HF_CORRUPT;
        return NULL;
    }
    char *name = get_text(stream, record.name_size);
    char *help = get_text(stream, record.help_size);
    if (name != NULL && help != NULL) {
        stream->status =
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

static struct prometheus_pair *get_pairs(struct stream *stream, uint32_t count)
{
    if (count == 0) {
        return NULL;
    }
    if (count > PAIRS_MAX) {
        stream->status = HF_CORRUPT;
        return NULL;
    }
    struct prometheus_pair *pairs = calloc(count, sizeof(*pairs));
    if (pairs == NULL) {
        stream->status = HF_NOMEM;
    } else if (!get(stream, pairs, count * sizeof(*pairs))) {
        free(pairs);
        return NULL;
    }
    return pairs;
}

static void get_series(struct stream *stream, struct prometheus_table *table,
                       struct prometheus_family *family)
{
    struct series_record record;
    struct prometheus_series *series = NULL;
    if (!get(stream, &record, sizeof(record))) {
        return;
    }
    char *labels = get_text(stream, record.labels_size);
    char *extra = record.extra_size != 0 ? get_text(stream, record.extra_size) : NULL;
    struct prometheus_value value = {.is_integer = record.is_integer != 0,
                                     .integer = record.integer,
                                     .number = record.number,
                                     .count = record.count,
                                     .sum = record.sum,
                                     .start_ns = record.start_ns,
                                     .time_ns = record.time_ns,
                                     .pair_count = record.pair_count};
    value.pairs = stream->status == HF_OK ? get_pairs(stream, record.pair_count) : NULL;
    enum hf_status status = stream->status;
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
    stream->status = status == HF_FULL ? HF_OK : status;
    free(value.pairs);
    free(extra);
    free(labels);
}

static HF_MUST_USE enum hf_status read_file(FILE *file, struct prometheus_table *table)
{
    struct stream stream = {.file = file, .status = HF_OK};
    struct prometheus_family *family = NULL;
    char magic[sizeof(MAGIC) - 1];
    uint8_t kind = RECORD_END;
    if (!get(&stream, magic, sizeof(magic)) || memcmp(magic, MAGIC, sizeof(magic)) != 0) {
        return HF_CORRUPT;
    }
    while (get(&stream, &kind, 1) && kind != RECORD_END) {
        if (kind == RECORD_FAMILY) {
            family = get_family(&stream, table);
        } else if (kind == RECORD_SERIES && family != NULL) {
            get_series(&stream, table, family);
        } else {
            return HF_CORRUPT;
        }
    }
    uint32_t expected = stream.crc;
    uint32_t crc = 0;
    if (get(&stream, &crc, sizeof(crc)) && crc != expected) {
        return HF_CORRUPT;
    }
    return stream.status;
}

enum hf_status prometheus_snapshot_load(const char *path, struct prometheus_table *table)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return errno == ENOENT ? HF_NOT_FOUND : HF_IO;
    }
    setvbuf(file, NULL, _IOFBF, FILE_BUFFER_BYTES);
    enum hf_status status = read_file(file, table);
    fclose(file);
    if (status != HF_OK) {
        prometheus_table_clear(table);
    }
    return status;
}
