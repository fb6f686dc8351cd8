#include "latest.h"

#include <stdlib.h>
#include <string.h>

#include "pdata/document.h"
#include "pdata/metric_fields.h"
#include "pdata/wire.h"
#include "support/items/origins.h"
#include "support/state/interval_output.h"

#define TABLE_FIRST 256u

struct point {
    struct hf_hash key;
    struct point *bucket, *next; /* of the table; of the metric */
    uint64_t time_ns;
    struct hf_slice content; /* its own, as the texts below */
};

struct metric {
    struct hf_origin_item item;
    struct hf_hash key;
    struct metric *bucket;
    struct hf_slice head; /* its fields but for the data */
    struct hf_slice tail; /* the data's fields but for the points */
    uint32_t number;      /* of the data's field */
    struct point *first, **end;
};

struct interval_latest {
    size_t bytes, bytes_max;
    struct point **points; /* a table by their keys; that of metrics is as large */
    struct metric **metrics;
    size_t size, count;
    struct hf_origins origins;
};

/* ---- memory ---- */

static bool copy(struct interval_latest *latest, struct hf_slice bytes, struct hf_slice *ret_text)
{
    *ret_text = hf_origin_copy(bytes);
    latest->bytes += ret_text->size;
    return ret_text->data != NULL;
}

static void free_text(struct hf_slice text)
{
    free((void *)(uintptr_t)text.data);
}

struct interval_latest *interval_latest_new(size_t bytes_max)
{
    struct interval_latest *latest = calloc(1, sizeof(*latest));
    if (latest == NULL) {
        return NULL;
    }
    latest->bytes_max = bytes_max;
    latest->size = TABLE_FIRST;
    latest->points = calloc(TABLE_FIRST, sizeof(struct point *));
    latest->metrics = calloc(TABLE_FIRST, sizeof(struct metric *));
    if (hf_origins_init(&latest->origins) != HF_OK || latest->points == NULL ||
        latest->metrics == NULL) {
        interval_latest_free(latest);
        return NULL;
    }
    return latest;
}

static void free_metric(struct hf_origin_item *item)
{
    struct metric *metric = (struct metric *)item;
    while (metric->first != NULL) {
        struct point *next = metric->first->next;
        free_text(metric->first->content);
        free(metric->first);
        metric->first = next;
    }
    free_text(metric->head);
    free_text(metric->tail);
    free(metric);
}

static void clear(struct interval_latest *latest)
{
    hf_origins_clear(&latest->origins, free_metric);
    latest->bytes = latest->count = 0;
    memset(latest->points, 0, latest->size * sizeof(struct point *));
    memset(latest->metrics, 0, latest->size * sizeof(struct metric *));
}

void interval_latest_free(struct interval_latest *latest)
{
    if (latest == NULL) {
        return;
    }
    hf_origins_clear(&latest->origins, free_metric);
    hf_origins_release(&latest->origins);
    free(latest->points);
    free(latest->metrics);
    free(latest);
}

static void fill_tables(const struct interval_latest *latest, struct point **points,
                        struct metric **metrics, size_t size)
{
    const struct hf_origin *origin = latest->origins.first;
    for (; origin != NULL; origin = origin->next) {
        for (struct hf_origin_item *item = origin->first; item != NULL; item = item->next) {
            struct metric *metric = (struct metric *)item;
            metric->bucket = metrics[metric->key.low & (size - 1)];
            metrics[metric->key.low & (size - 1)] = metric;
            for (struct point *point = metric->first; point != NULL; point = point->next) {
                point->bucket = points[point->key.low & (size - 1)];
                points[point->key.low & (size - 1)] = point;
            }
        }
    }
}

/* Twice the places; without memory the buckets get longer. */
static void grow(struct interval_latest *latest)
{
    size_t size = 2 * latest->size;
    struct point **points = calloc(size, sizeof(struct point *));
    struct metric **metrics = calloc(size, sizeof(struct metric *));
    if (points == NULL || metrics == NULL) {
        free(points);
        free(metrics);
        return;
    }
    fill_tables(latest, points, metrics, size);
    free(latest->points);
    free(latest->metrics);
    latest->points = points;
    latest->metrics = metrics;
    latest->size = size;
}

/* ---- putting ---- */

/* The fields of a message but for one. */
static bool copy_without(struct interval_latest *latest, struct hf_message *message,
                         uint32_t number, struct hf_slice *ret_text)
{
    struct hf_bytes bytes = {0};
    struct hf_wire_writer writer = {.out = &bytes};
    struct hf_wire wire = hf_wire_of(hf_message_content(message));
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        if (field.number != number) {
            hf_wire_put_raw(&writer, field.whole);
        }
    }
    bool ok = !writer.failed && copy(latest, hf_slice_of(bytes.data, bytes.size), ret_text);
    hf_bytes_release(&bytes);
    return ok;
}

static uint32_t number_of(const struct hf_message *data)
{
    static const uint8_t numbers[HF_SCHEMA_MESSAGE_COUNT] = {
        [HF_MESSAGE_GAUGE] = HF_METRIC_GAUGE,
        [HF_MESSAGE_SUM] = HF_METRIC_SUM,
        [HF_MESSAGE_HISTOGRAM] = HF_METRIC_HISTOGRAM,
        [HF_MESSAGE_EXPONENTIAL_HISTOGRAM] = HF_METRIC_EXPONENTIAL,
        [HF_MESSAGE_SUMMARY] = HF_METRIC_SUMMARY};
    return numbers[hf_message_type(data)->index];
}

static struct metric *need_metric(struct interval_latest *latest, struct hf_hash key,
                                  struct hf_series_memory *memory, const struct hf_place *place)
{
    struct metric **place_of = &latest->metrics[key.low & (latest->size - 1)];
    for (struct metric *found = *place_of; found != NULL; found = found->bucket) {
        if (hf_hash_equal(found->key, key)) {
            return found;
        }
    }
    struct hf_origin *origin = hf_origins_need(&latest->origins, memory->of_scope, place);
    struct metric *metric = origin != NULL ? calloc(1, sizeof(*metric)) : NULL;
    if (metric == NULL) {
        return NULL;
    }
    *metric = (struct metric){.key = key, .number = number_of(place->data)};
    metric->end = &metric->first;
    if (!copy_without(latest, place->metric, metric->number, &metric->head) ||
        !copy_without(latest, place->data, HF_DATA_POINTS, &metric->tail)) {
        free_metric(&metric->item);
        return NULL;
    }
    metric->bucket = *place_of;
    *place_of = metric;
    hf_origin_add(origin, &metric->item);
    return metric;
}

static enum hf_status replace(struct interval_latest *latest, struct point *point,
                              struct hf_slice content, uint64_t time_ns)
{
    struct hf_slice made;
    if (time_ns <= point->time_ns) {
        return HF_OK;
    }
    if (!copy(latest, content, &made)) {
        return HF_NOMEM;
    }
    latest->bytes -= point->content.size;
    free_text(point->content);
    point->content = made;
    point->time_ns = time_ns;
    return HF_OK;
}

enum hf_status interval_latest_put(struct interval_latest *latest, struct hf_series_memory *memory,
                                   const struct hf_place *place)
{
    struct hf_hash of_metric = hf_series_metric(memory, place);
    struct hf_hash key = hf_series_point(memory, place);
    struct hf_slice content = hf_message_content(place->item);
    uint64_t time_ns = hf_message_u64(place->item, HF_POINT_TIME);
    struct point *found = latest->points[key.low & (latest->size - 1)];
    while (found != NULL && !hf_hash_equal(found->key, key)) {
        found = found->bucket;
    }
    if (found != NULL) {
        return replace(latest, found, content, time_ns);
    }
    struct metric *metric = need_metric(latest, of_metric, memory, place);
    struct point *point = metric != NULL ? calloc(1, sizeof(*point)) : NULL;
    if (point == NULL || !copy(latest, content, &point->content)) {
        free(point);
        return HF_NOMEM;
    }
    if (latest->count >= latest->size) {
        grow(latest);
    }
    struct point **bucket = &latest->points[key.low & (latest->size - 1)];
    point->key = key;
    point->time_ns = time_ns;
    point->bucket = *bucket;
    *bucket = point;
    *metric->end = point;
    metric->end = &point->next;
    latest->count++;
    latest->bytes += sizeof(*point);
    return HF_OK;
}

bool interval_latest_is_full(const struct interval_latest *latest)
{
    return latest->bytes + latest->origins.bytes > latest->bytes_max;
}

/* ---- flushing ---- */

/* The request that is written. */
struct output {
    struct hf_interval_output request;
    struct hf_origin_open origin;
    struct hf_wire_message metric, data;
};

static void open_metric(struct output *output, const struct metric *metric)
{
    output->metric =
        hf_wire_open(&output->request.writer, HF_SCOPE_METRICS_METRICS, HF_INTERVAL_BATCH_BYTES);
    hf_wire_put_raw(&output->request.writer, metric->head);
    output->data = hf_wire_open(&output->request.writer, metric->number, HF_INTERVAL_BATCH_BYTES);
    hf_wire_put_raw(&output->request.writer, metric->tail);
}

static void close_metric(struct output *output)
{
    hf_wire_close(&output->request.writer, output->data);
    hf_wire_close(&output->request.writer, output->metric);
}

static void put_metric(struct output *output, const struct hf_origin *origin,
                       const struct metric *metric)
{
    open_metric(output, metric);
    for (const struct point *point = metric->first; point != NULL; point = point->next) {
        if (output->request.bytes.size > HF_INTERVAL_BATCH_BYTES) {
            close_metric(output);
            hf_origin_close(&output->request.writer, &output->origin);
            hf_interval_output_cut(&output->request);
            hf_origin_open(&output->request.writer, origin, HF_INTERVAL_BATCH_BYTES,
                           &output->origin);
            open_metric(output, metric);
        }
        hf_wire_put_bytes(&output->request.writer, HF_DATA_POINTS, point->content);
        output->request.items++;
    }
    close_metric(output);
}

enum hf_status interval_latest_flush(struct interval_latest *latest, struct hf_interval_list *list)
{
    struct output output;
    hf_interval_output_begin(&output.request, HF_METRICS, list);
    const struct hf_origin *origin = latest->origins.first;
    for (; origin != NULL; origin = origin->next) {
        hf_origin_open(&output.request.writer, origin, HF_INTERVAL_BATCH_BYTES, &output.origin);
        for (struct hf_origin_item *item = origin->first; item != NULL; item = item->next) {
            put_metric(&output, origin, (const struct metric *)item);
        }
        hf_origin_close(&output.request.writer, &output.origin);
    }
    enum hf_status status = hf_interval_output_end(&output.request);
    if (status == HF_OK) {
        clear(latest);
    }
    return status;
}
