#include "hec_metrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pdata/message.h"

#define NUMBER_MAX 40

enum { METRIC_NAME = 1, POINT_TIME = 3 };

void hec_put_time(struct hf_json_writer *writer, uint64_t time_ns)
{
    char text[40];
    uint64_t ms = (time_ns + 500000) / 1000000;
    if (time_ns != 0) {
        snprintf(text, sizeof(text), "%" PRIu64 ".%03u", ms / 1000, (unsigned)(ms % 1000));
        HF_JSON_WRITE_KEY(writer, "time");
        hf_json_write_made(writer, hf_slice_text(text));
    }
}

enum hf_status hec_event_end(const struct hec_events *events, struct hf_json_writer *writer,
                             size_t start)
{
    hf_json_write_close(writer, '}');
    writer->behind_value = false; /* events stand behind each other without commas */
    if (hf_json_write_status(writer) != HF_OK) {
        return HF_NOMEM;
    }
    return writer->out->size - start > events->config->event_bytes_max ? HF_TOO_LARGE : HF_OK;
}

/* What the events of one point have in common. */
struct point {
    struct hec_events *events;
    struct hf_message *item;
    struct hf_slice name;
    const char *type;
    size_t common; /* fields that all have */
    struct hf_bytes *out;
};

/* The fewest digits, as Go's 'g' has them. */
static void print_number(double number, char room[NUMBER_MAX])
{
    if (isnan(number) || isinf(number)) {
        snprintf(room, NUMBER_MAX, "\"%s\"", isnan(number) ? "NaN" : number > 0 ? "+Inf" : "-Inf");
        return;
    }
    const int digits_max = 17;
    int precision = 1;
    do {
        snprintf(room, NUMBER_MAX, "%.*g", precision, number);
    } while (strtod(room, NULL) != number && ++precision <= digits_max);
}

/* "metric_name:NAME" and what stands behind. */
static enum hf_status set_value(const struct point *point, const char *suffix, const char *value)
{
    struct hf_bytes *name = &point->events->name;
    name->size = 0;
    enum hf_status status = hf_bytes_append(name, hf_slice_text("metric_name:"));
    status = status == HF_OK ? hf_bytes_append(name, point->name) : status;
    status = status == HF_OK ? hf_bytes_append(name, hf_slice_text(suffix)) : status;
    if (status == HF_OK) {
        hec_fields_set(&point->events->fields, hf_slice_of(name->data, name->size),
                       hf_slice_text(value), HEC_MADE);
    }
    return status;
}

/* An event of one value, and of one more label when `label` is not NULL. */
static enum hf_status put(const struct point *point, const char *suffix, const char *label,
                          const char *label_value, const char *value)
{
    struct hec_fields *fields = &point->events->fields;
    struct hf_json_writer writer = {.out = point->out};
    char quoted[NUMBER_MAX + 2], type[32];
    size_t start = point->out->size;
    fields->count = point->common;
    if (label != NULL) {
        snprintf(quoted, sizeof(quoted), label_value[0] == '"' ? "%s" : "\"%s\"", label_value);
        hec_fields_set(fields, hf_slice_text(label), hf_slice_text(quoted), HEC_MADE);
    }
    snprintf(type, sizeof(type), "\"%s\"", point->type);
    hec_fields_set(fields, hf_slice_text("metric_type"), hf_slice_text(type), HEC_MADE);
    enum hf_status status = set_value(point, suffix, value);
    if (status != HF_OK) {
        return status;
    }
    hf_json_write_open(&writer, '{');
    hec_put_time(&writer, hf_message_u64(point->item, POINT_TIME));
    HF_JSON_WRITE_KEY(&writer, "event");
    hf_json_write_text(&writer, hf_slice_text("metric"));
    hec_fields_write(fields, &writer);
    return hec_event_end(point->events, &writer, start);
}

static enum hf_status put_double(const struct point *point, const char *suffix, double value)
{
    char text[NUMBER_MAX];
    print_number(value, text);
    return put(point, suffix, NULL, NULL, text);
}

static enum hf_status put_count(const struct point *point, const char *suffix, uint64_t value)
{
    char text[NUMBER_MAX];
    snprintf(text, sizeof(text), "%" PRIu64, value);
    return put(point, suffix, NULL, NULL, text);
}

static enum hf_status put_number(const struct point *point)
{
    char text[NUMBER_MAX];
    if (hf_message_has(point->item, 6)) {
        snprintf(text, sizeof(text), "%" PRId64, hf_message_i64(point->item, 6));
        return put(point, "", NULL, NULL, text);
    }
    return put_double(point, "", hf_message_double(point->item, 4));
}

static size_t count_of(struct hf_wire_numbers numbers)
{
    uint64_t bits;
    size_t count = 0;
    while (hf_wire_next_number(&numbers, &bits)) {
        count++;
    }
    return count;
}

static enum hf_status put_buckets(const struct point *point)
{
    struct hf_wire_numbers counts = hf_message_numbers(point->item, 6);
    struct hf_wire_numbers bounds = hf_message_numbers(point->item, 7);
    uint64_t count, bits, total = 0;
    enum hf_status status = HF_OK;
    size_t count_count = count_of(counts);
    if (count_count == 0 || count_count != count_of(bounds) + 1) {
        return HF_OK;
    }
    while (status == HF_OK && hf_wire_next_number(&counts, &count)) {
        char bound[NUMBER_MAX], value[NUMBER_MAX];
        total += count;
        print_number(hf_wire_next_number(&bounds, &bits) ? hf_message_as_double(bits) : HUGE_VAL,
                     bound);
        snprintf(value, sizeof(value), "%" PRIu64, total);
        status = put(point, "_bucket", "le", bound, value);
    }
    return status;
}

static enum hf_status put_histogram(const struct point *point)
{
    double sum = hf_message_double(point->item, 5);
    enum hf_status status =
        hf_message_has(point->item, 5) && !isnan(sum) ? put_double(point, "_sum", sum) : HF_OK;
    status = status == HF_OK ? put_count(point, "_count", hf_message_u64(point->item, 4)) : status;
    return status == HF_OK ? put_buckets(point) : status;
}

static enum hf_status put_summary(const struct point *point)
{
    double sum = hf_message_double(point->item, 5);
    enum hf_status status = isnan(sum) ? HF_OK : put_double(point, "_sum", sum);
    status = status == HF_OK ? put_count(point, "_count", hf_message_u64(point->item, 4)) : status;
    for (struct hf_message *one = hf_message_first(point->item, 6); one != NULL && status == HF_OK;
         one = hf_message_next(one)) {
        char quantile[NUMBER_MAX], value[NUMBER_MAX], suffix[NUMBER_MAX + 1];
        print_number(hf_message_double(one, 1), quantile);
        print_number(hf_message_double(one, 2), value);
        snprintf(suffix, sizeof(suffix), "_%s", quantile);
        status = put(point, suffix, "qt", quantile, value);
    }
    return status;
}

enum hf_status hec_point_write(struct hec_events *events, const struct hf_place *place,
                               struct hf_bytes *out)
{
    struct point point = {.events = events,
                          .item = place->item,
                          .name = hf_message_bytes(place->metric, METRIC_NAME),
                          .common = events->fields.count,
                          .out = out};
    switch (place->data != NULL ? hf_message_type(place->data)->index : 0) {
    case HF_MESSAGE_GAUGE:
        point.type = "Gauge";
        return put_number(&point);
    case HF_MESSAGE_SUM:
        point.type = "Sum";
        return put_number(&point);
    case HF_MESSAGE_HISTOGRAM:
        point.type = "Histogram";
        return put_histogram(&point);
    case HF_MESSAGE_SUMMARY:
        point.type = "Summary";
        return put_summary(&point);
    default:
        events->left_out++;
        events->why = "an exponential histogram has no form in Splunk";
        return HF_OK;
    }
}
