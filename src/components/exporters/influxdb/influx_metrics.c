/*
 * influx_metrics: the points of metrics as lines, by the schemas of Telegraf's Prometheus plugins
 * and of otel-v1.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "influx_lines.h"
#include "prometheus/plain.h"

#define LITERAL(text) ((struct hf_slice){(const uint8_t *)(text), sizeof(text) - 1})

/* Field numbers of OTLP. */
enum { METRIC_NAME = 1, METRIC_UNIT = 3, DATA_TEMPORALITY = 2, DATA_MONOTONIC = 3 };
enum { POINT_START = 2, POINT_TIME = 3, NUMBER_DOUBLE = 4, NUMBER_EXEMPLARS = 5, NUMBER_INT = 6 };
enum { HISTOGRAM_COUNT = 4, HISTOGRAM_SUM = 5, HISTOGRAM_BUCKETS = 6, HISTOGRAM_BOUNDS = 7 };
enum { HISTOGRAM_EXEMPLARS = 8, HISTOGRAM_MIN = 11, HISTOGRAM_MAX = 12, SUMMARY_QUANTILES = 6 };
enum { EXEMPLAR_TIME = 2, EXEMPLAR_DOUBLE = 3, EXEMPLAR_SPAN = 4, EXEMPLAR_TRACE = 5 };
enum { EXEMPLAR_INT = 6, CUMULATIVE = 2, HISTOGRAM_FLAGS = 10, SUMMARY_FLAGS = 8, NO_VALUE = 1 };

struct point {
    struct influx_lines *lines;
    const struct hf_place *place;
    struct hf_message *item;
    struct hf_slice name;
    uint64_t time_ns;
};

/* ---- names ---- */

static struct hf_slice joined(struct influx_lines *lines, struct hf_slice first, const char *second)
{
    struct hf_bytes *scratch = &lines->scratch;
    scratch->size = 0;
    lines->failed |= hf_bytes_append(scratch, first) != HF_OK ||
                     hf_bytes_append(scratch, hf_slice_text(second)) != HF_OK;
    return hf_document_keep(lines->document, hf_slice_of(scratch->data, scratch->size));
}

/* Of schema 1 the key; of schema 2 it stands behind the metric's name. */
static struct hf_slice key_of(const struct point *point, const char *key, const char *suffix)
{
    return point->lines->schema == INFLUX_PROMETHEUS_2 ? joined(point->lines, point->name, suffix)
                                                       : hf_slice_text(key);
}

/* ---- lines ---- */

static void begin(const struct point *point, const char *but, struct hf_slice value)
{
    struct influx_lines *lines = point->lines;
    hf_influx_begin(&lines->writer,
                    lines->schema == INFLUX_PROMETHEUS_2 ? LITERAL("prometheus") : point->name);
    influx_tags_write(lines, but, value);
}

static void put_start(const struct point *point)
{
    uint64_t start_ns = hf_message_u64(point->item, POINT_START);
    if (start_ns != 0) {
        hf_influx_put_int(&point->lines->writer, LITERAL("start_time_unix_nano"),
                          (int64_t)start_ns);
    }
}

/* True: there is a value. */
static bool put_number(const struct point *point, struct hf_message *message, struct hf_slice key,
                       uint32_t as_double, uint32_t as_int)
{
    struct hf_influx_writer *writer = &point->lines->writer;
    if (hf_message_has(message, as_int)) {
        hf_influx_put_int(writer, key, hf_message_i64(message, as_int));
        return true;
    }
    double number = hf_message_double(message, as_double);
    if (!hf_message_has(message, as_double) || !isfinite(number)) {
        return false;
    }
    hf_influx_put_double(writer, key, number);
    return true;
}

/* Takes back what was begun. */
static void drop_line(const struct point *point, const char *why)
{
    point->lines->writer.field_count = 0;
    (void)hf_influx_end(&point->lines->writer, 0);
    influx_leave_out(point->lines, why);
}

/* Those that have a span, as lines of their own. */
static void put_exemplars(const struct point *point, uint32_t number)
{
    struct influx_lines *lines = point->lines;
    struct hf_message *exemplar = hf_message_first(point->item, number);
    struct hf_slice name =
        exemplar != NULL ? joined(lines, point->name, "_exemplar") : HF_EMPTY_SLICE;
    for (; exemplar != NULL; exemplar = hf_message_next(exemplar)) {
        struct hf_slice trace = hf_message_bytes(exemplar, EXEMPLAR_TRACE);
        struct hf_slice span = hf_message_bytes(exemplar, EXEMPLAR_SPAN);
        if (trace.size == 0 || span.size == 0) {
            continue;
        }
        lines->tags.count = 0;
        influx_tags_add(lines, exemplar);
        influx_tag_hex(lines, "trace_id", trace);
        influx_tag_hex(lines, "span_id", span);
        hf_influx_begin(&lines->writer, name);
        influx_tags_write(lines, NULL, HF_EMPTY_SLICE);
        (void)put_number(point, exemplar, LITERAL("gauge"), EXEMPLAR_DOUBLE, EXEMPLAR_INT);
        (void)hf_influx_end(&lines->writer, hf_message_u64(exemplar, EXEMPLAR_TIME));
    }
}

/* ---- Telegraf's schemas ---- */

static void write_number(const struct point *point, bool is_counter)
{
    begin(point, NULL, HF_EMPTY_SLICE);
    put_start(point);
    if (!put_number(point, point->item, key_of(point, is_counter ? "counter" : "gauge", ""),
                    NUMBER_DOUBLE, NUMBER_INT)) {
        drop_line(point, "a point without a finite value has no form in InfluxDB");
        return;
    }
    (void)hf_influx_end(&point->lines->writer, point->time_ns);
    put_exemplars(point, NUMBER_EXEMPLARS);
}

static void put_optional(const struct point *point, uint32_t number, struct hf_slice key)
{
    if (hf_message_has(point->item, number)) {
        hf_influx_put_double(&point->lines->writer, key, hf_message_double(point->item, number));
    }
}

/* Count and sum of a histogram or a summary, which have the same numbers. */
static void put_count_and_sum(const struct point *point)
{
    hf_influx_put_double(&point->lines->writer, key_of(point, "count", "_count"),
                         (double)hf_message_u64(point->item, HISTOGRAM_COUNT));
    put_optional(point, HISTOGRAM_SUM, key_of(point, "sum", "_sum"));
}

/* The next bound as text, "+Inf" behind the last; false: there are no more buckets. */
static bool next_bucket(struct hf_wire_numbers *counts, struct hf_wire_numbers *bounds,
                        char bound[HF_PROM_PLAIN_MAX], uint64_t *total)
{
    uint64_t count, bits;
    if (!hf_wire_next_number(counts, &count)) {
        return false;
    }
    *total += count;
    double value =
        hf_wire_next_number(bounds, &bits) ? hf_message_as_double(bits) : (double)INFINITY;
    hf_prom_print_plain(value, bound, HF_PROM_PLAIN_MAX);
    return true;
}

static void write_histogram(const struct point *point)
{
    struct hf_influx_writer *writer = &point->lines->writer;
    bool is_2 = point->lines->schema == INFLUX_PROMETHEUS_2;
    struct hf_wire_numbers counts = hf_message_numbers(point->item, HISTOGRAM_BUCKETS);
    struct hf_wire_numbers bounds = hf_message_numbers(point->item, HISTOGRAM_BOUNDS);
    struct hf_slice bucket_key =
        is_2 ? joined(point->lines, point->name, "_bucket") : HF_EMPTY_SLICE;
    char bound[HF_PROM_PLAIN_MAX];
    uint64_t total = 0;
    begin(point, NULL, HF_EMPTY_SLICE);
    put_start(point);
    put_count_and_sum(point);
    put_optional(point, HISTOGRAM_MIN, key_of(point, "min", "_min"));
    put_optional(point, HISTOGRAM_MAX, key_of(point, "max", "_max"));
    if (is_2) {
        (void)hf_influx_end(writer, point->time_ns);
    }
    while (next_bucket(&counts, &bounds, bound, &total)) {
        if (is_2) {
            begin(point, "le", hf_slice_text(bound));
            hf_influx_put_double(writer, bucket_key, (double)total);
            (void)hf_influx_end(writer, point->time_ns);
        } else {
            hf_influx_put_double(writer, hf_slice_text(bound), (double)total);
        }
    }
    if (!is_2) {
        (void)hf_influx_end(writer, point->time_ns);
    }
    put_exemplars(point, HISTOGRAM_EXEMPLARS);
}

static void write_summary(const struct point *point)
{
    struct hf_influx_writer *writer = &point->lines->writer;
    bool is_2 = point->lines->schema == INFLUX_PROMETHEUS_2;
    char quantile[HF_PROM_PLAIN_MAX];
    begin(point, NULL, HF_EMPTY_SLICE);
    put_start(point);
    put_count_and_sum(point);
    if (is_2) {
        (void)hf_influx_end(writer, point->time_ns);
    }
    for (struct hf_message *one = hf_message_first(point->item, SUMMARY_QUANTILES); one != NULL;
         one = hf_message_next(one)) {
        hf_prom_print_plain(hf_message_double(one, 1), quantile, sizeof(quantile));
        if (is_2) {
            begin(point, "quantile", hf_slice_text(quantile));
        }
        hf_influx_put_double(writer, is_2 ? point->name : hf_slice_text(quantile),
                             hf_message_double(one, 2));
        if (is_2) {
            (void)hf_influx_end(writer, point->time_ns);
        }
    }
    if (!is_2) {
        (void)hf_influx_end(writer, point->time_ns);
    }
}

/* ---- otel-v1 ---- */

static const char *temporality_of(const struct hf_place *place)
{
    static const char *const names[] = {"unspecified", "delta", "cumulative"};
    uint64_t number = hf_message_u64(place->data, DATA_TEMPORALITY);
    return names[number <= CUMULATIVE ? number : 0];
}

/* "NAME_UNIT_KIND" */
static void begin_otel(struct point *point, const char *kind)
{
    struct influx_lines *lines = point->lines;
    struct hf_slice unit = hf_message_bytes(point->place->metric, METRIC_UNIT);
    struct hf_bytes *scratch = &lines->scratch;
    scratch->size = 0;
    const struct hf_slice parts[] = {point->name, LITERAL("_"), unit, LITERAL("_"),
                                     hf_slice_text(kind)};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        lines->failed |= hf_bytes_append(scratch, parts[i]) != HF_OK;
    }
    hf_influx_begin(&lines->writer, hf_slice_of(scratch->data, scratch->size));
    influx_tags_write(lines, NULL, HF_EMPTY_SLICE);
    put_start(point);
}

static void write_otel_sum(struct point *point)
{
    char key[80];
    snprintf(key, sizeof(key), "value_%s_%s_%s", temporality_of(point->place),
             hf_message_u64(point->place->data, DATA_MONOTONIC) != 0 ? "monotonic" : "nonmonotonic",
             hf_message_has(point->item, NUMBER_INT) ? "int" : "double");
    begin_otel(point, "sum");
    if (!put_number(point, point->item, hf_slice_text(key), NUMBER_DOUBLE, NUMBER_INT)) {
        drop_line(point, "a point without a finite value has no form in InfluxDB");
        return;
    }
    (void)hf_influx_end(&point->lines->writer, point->time_ns);
}

static void write_otel_histogram(struct point *point)
{
    struct hf_influx_writer *writer = &point->lines->writer;
    struct hf_wire_numbers counts = hf_message_numbers(point->item, HISTOGRAM_BUCKETS);
    struct hf_wire_numbers bounds = hf_message_numbers(point->item, HISTOGRAM_BOUNDS);
    uint64_t count, bits;
    begin_otel(point, "histogram");
    while (hf_wire_next_number(&bounds, &bits) && hf_wire_next_number(&counts, &count)) {
        char bound[HF_PROM_PLAIN_MAX], key[HF_PROM_PLAIN_MAX + 16];
        hf_prom_print_plain(hf_message_as_double(bits), bound, sizeof(bound));
        snprintf(key, sizeof(key), "%s_%s", temporality_of(point->place), bound);
        hf_influx_put_uint(writer, hf_slice_text(key), count);
    }
    hf_influx_put_uint(writer, LITERAL("count"), hf_message_u64(point->item, HISTOGRAM_COUNT));
    put_optional(point, HISTOGRAM_SUM, LITERAL("sum"));
    if (hf_message_has(point->item, HISTOGRAM_MIN) && hf_message_has(point->item, HISTOGRAM_MAX)) {
        put_optional(point, HISTOGRAM_MIN, LITERAL("min"));
        put_optional(point, HISTOGRAM_MAX, LITERAL("max"));
    }
    (void)hf_influx_end(writer, point->time_ns);
}

/* ---- points ---- */

static void add_scope(struct influx_lines *lines, struct hf_message *scope)
{
    if (scope != NULL) {
        influx_pairs_set(lines, &lines->tags, LITERAL("otel.library.name"),
                         hf_message_bytes(scope, 1));
        influx_pairs_set(lines, &lines->tags, LITERAL("otel.library.version"),
                         hf_message_bytes(scope, 2));
        influx_tags_add(lines, scope);
    }
}

static bool is_counter(const struct hf_place *place)
{
    return hf_message_u64(place->data, DATA_MONOTONIC) != 0 &&
           hf_message_u64(place->data, DATA_TEMPORALITY) == CUMULATIVE;
}

/* A staleness marker; one of a number has no value either. */
static bool has_no_value(const struct point *point, unsigned kind)
{
    uint32_t number = kind == HF_MESSAGE_HISTOGRAM ? HISTOGRAM_FLAGS
                      : kind == HF_MESSAGE_SUMMARY ? SUMMARY_FLAGS
                                                   : 0;
    return number != 0 && (hf_message_u64(point->item, number) & NO_VALUE) != 0;
}

static void write_kind(struct point *point, unsigned kind)
{
    bool is_otel = point->lines->schema == INFLUX_OTEL_1;
    if (has_no_value(point, kind)) {
        influx_leave_out(point->lines, "a point without a finite value has no form in InfluxDB");
        return;
    }
    switch (kind) {
    case HF_MESSAGE_SUM:
        if (is_otel) {
            write_otel_sum(point);
        } else {
            write_number(point, is_counter(point->place));
        }
        return;
    case HF_MESSAGE_HISTOGRAM:
        if (is_otel) {
            write_otel_histogram(point);
        } else {
            write_histogram(point);
        }
        return;
    case HF_MESSAGE_GAUGE:
    case HF_MESSAGE_SUMMARY:
        if (is_otel) {
            influx_leave_out(point->lines, "the schema otel-v1 has no gauges and no summaries");
        } else if (kind == HF_MESSAGE_GAUGE) {
            write_number(point, false);
        } else {
            write_summary(point);
        }
        return;
    default:
        influx_leave_out(point->lines, "an exponential histogram has no form in InfluxDB");
    }
}

void influx_metric_write(struct influx_lines *lines, const struct hf_place *place)
{
    uint64_t time_ns = hf_message_u64(place->item, POINT_TIME);
    struct point point = {.lines = lines,
                          .place = place,
                          .item = place->item,
                          .name = hf_message_bytes(place->metric, METRIC_NAME),
                          .time_ns = time_ns != 0 ? time_ns : lines->received_ns};
    if (point.name.size == 0) {
        influx_leave_out(lines, "a metric without a name has no form in InfluxDB");
        return;
    }
    influx_tags_add(lines, hf_place_resource(place));
    add_scope(lines, hf_place_scope(place));
    influx_tags_add(lines, place->item);
    write_kind(&point, place->data != NULL ? hf_message_type(place->data)->index : 0);
}
