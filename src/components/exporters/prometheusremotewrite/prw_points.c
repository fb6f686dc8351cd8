#include "prw_points.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "pdata/document.h"
#include "pdata/walk.h"
#include "prometheus/names.h"
#include "prometheus/plain.h"
#include "prw_native.h"
#include "util/hex.h"

#define NS_PER_MS 1000000u
#define FLAG_NO_VALUE 1u
#define EXEMPLAR_RUNES_MAX 128u
#define CUMULATIVE 2

enum { METRIC_NAME = 1, METRIC_DESCRIPTION = 2, METRIC_UNIT = 3 };

/* The numbers that the protocol has for the kinds of metrics. */
enum { TYPE_UNKNOWN = 0, TYPE_COUNTER = 1, TYPE_GAUGE = 2, TYPE_HISTOGRAM = 3, TYPE_SUMMARY = 5 };

/* What all points of one resource, scope and metric have in common. */
struct context {
    struct prw_points *points;
    struct hf_place *place;
    struct hf_message *resource_group, *metric;
    struct hf_slice job, instance;
    uint64_t newest_ns; /* point of the resource */
    bool is_counter;
    uint32_t kind;      /* of the metric's data: HF_MESSAGE_GAUGE, ... */
    const char *reason; /* why its points cannot be sent; NULL: they can */
};

static double stale(void)
{
    uint64_t bits = PRW_STALE_BITS;
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static struct hf_slice attribute(struct hf_document *document, const struct hf_attributes *list,
                                 const char *key)
{
    const struct hf_attribute *found =
        list != NULL ? hf_attributes_find(list, hf_slice_text(key)) : NULL;
    return found != NULL ? prw_text(document, found->value) : HF_EMPTY_SLICE;
}

static struct hf_attributes *attributes_of(struct hf_message *owner)
{
    return owner != NULL
               ? hf_message_attributes(owner, hf_message_attributes_number(hf_message_type(owner)))
               : NULL;
}

/* ---- labels ---- */

static void add_resource(const struct context *context, struct prw_labels *labels)
{
    prw_labels_set(labels, hf_slice_text("job"), context->job);
    prw_labels_set(labels, hf_slice_text("instance"), context->instance);
}

static void add_external(const struct prw_options *options, struct prw_labels *labels)
{
    for (size_t i = 0; i < options->external_labels.count; i++) {
        const struct hf_string_pair *pair = &options->external_labels.items[i];
        prw_labels_offer(labels, hf_slice_text(pair->key), hf_slice_text(pair->value));
    }
}

static void add_scope(const struct context *context, struct prw_labels *labels)
{
    struct hf_message *scope = hf_place_scope(context->place);
    if (scope == NULL || !context->points->options->scope_info) {
        return;
    }
    prw_labels_add(labels, context->place->document, "otel_scope_", attributes_of(scope), NULL,
                   context->points->options->as_is);
    prw_labels_set(labels, hf_slice_text("otel_scope_name"), hf_message_bytes(scope, 1));
    prw_labels_set(labels, hf_slice_text("otel_scope_version"), hf_message_bytes(scope, 2));
}

/* The resource's attributes as they are copied onto every point; NULL: none are. */
static const struct hf_attributes *copied(const struct context *context, struct hf_attributes *room)
{
    const struct prw_options *options = context->points->options;
    const struct hf_attributes *all = attributes_of(hf_place_resource(context->place));
    if (!hf_resource_conversion_is_on(options->resource_labels) || all == NULL || all->count == 0) {
        return NULL;
    }
    *room = (struct hf_attributes){0};
    room->items = hf_arena_take(hf_document_arena(context->place->document),
                                all->count * sizeof(*room->items));
    for (size_t i = 0; room->items != NULL && i < all->count; i++) {
        if (hf_resource_conversion_takes(options->resource_labels, all->items[i].key)) {
            room->items[room->count++] = all->items[i];
        }
    }
    return room;
}

static void make_base(const struct context *context, struct hf_message *point)
{
    struct prw_labels *base = &context->points->base;
    const struct prw_options *options = context->points->options;
    struct hf_attributes room;
    base->count = 0;
    prw_labels_add(base, context->place->document, "", attributes_of(point), copied(context, &room),
                   options->as_is);
    add_resource(context, base);
    add_scope(context, base);
    add_external(options, base);
}

/* The series of the metric's name with a suffix and one more label; `label` NULL: none. */
static enum hf_status find_series(const struct context *context, const char *suffix,
                                  const char *label, const char *value, uint32_t *ret_series)
{
    struct prw_points *points = context->points;
    enum hf_status status = prw_labels_copy(&points->labels, &points->base);
    size_t size = points->name.size;
    if (status == HF_OK && suffix[0] != '\0') {
        status = hf_bytes_append(&points->name, hf_slice_text(suffix));
    }
    if (status != HF_OK) {
        return status;
    }
    struct hf_slice name = hf_slice_of(points->name.data, points->name.size);
    points->name.size = size;
    prw_labels_set(&points->labels, hf_slice_text("__name__"), name);
    if (label != NULL) {
        prw_labels_set(&points->labels, hf_slice_text(label), hf_slice_text(value));
    }
    return prw_series_find(points->series, &points->labels, ret_series);
}

static enum hf_status put_sample(const struct context *context, const char *suffix,
                                 const char *label, const char *label_value, int64_t time_ms,
                                 double value)
{
    uint32_t series;
    enum hf_status status = find_series(context, suffix, label, label_value, &series);
    return status == HF_OK ? prw_series_sample(context->points->series, series, time_ms, value)
                           : status;
}

/* ---- exemplars ---- */

static size_t runes(struct hf_slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++) {
        count += (text.data[i] & 0xC0) != 0x80;
    }
    return count;
}

static struct hf_slice hex(struct hf_document *document, struct hf_slice id)
{
    char room[32];
    id.size = id.size < sizeof(room) / 2 ? id.size : sizeof(room) / 2;
    return hf_document_keep(document, hf_slice_of(room, hf_hex_write(id, room)));
}

static double number_of(struct hf_message *message, uint32_t as_double, uint32_t as_int)
{
    return hf_message_has(message, as_int) ? (double)hf_message_i64(message, as_int)
                                           : hf_message_double(message, as_double);
}

static int64_t time_of(const struct prw_points *points, uint64_t time_ns)
{
    return (int64_t)((time_ns != 0 ? time_ns : points->received_ns) / NS_PER_MS);
}

static enum hf_status put_exemplar(const struct context *context, uint32_t series,
                                   struct hf_message *exemplar)
{
    struct prw_points *points = context->points;
    struct hf_document *document = context->place->document;
    struct prw_labels *labels = &points->labels;
    struct hf_bytes *texts = &points->series->texts;
    struct hf_wire_writer writer = {.out = texts};
    size_t count = 0, start = texts->size;
    labels->count = 0;
    prw_labels_add(labels, document, "", attributes_of(exemplar), NULL, points->options->as_is);
    struct hf_slice trace = hex(document, hf_message_bytes(exemplar, 5));
    struct hf_slice span = hex(document, hf_message_bytes(exemplar, 4));
    for (size_t i = 0; i < labels->count; i++) {
        count += runes(labels->items[i].name) + runes(labels->items[i].value);
    }
    if (count + trace.size + span.size + strlen("trace_idspan_id") > EXEMPLAR_RUNES_MAX) {
        labels->count = 0;
    }
    prw_labels_set(labels, hf_slice_text("trace_id"), trace);
    prw_labels_set(labels, hf_slice_text("span_id"), span);
    double value = number_of(exemplar, 3, 6);
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    int64_t time_ms = time_of(points, hf_message_u64(exemplar, 2));
    prw_series_put_labels(points->series, labels, &writer);
    hf_wire_put_fixed64(&writer, 2, bits);
    hf_wire_put_varint(&writer, 3, (uint64_t)time_ms);
    enum hf_status status = hf_wire_status(&writer);
    return status == HF_OK ? prw_series_made(points->series, series, PRW_EXEMPLAR, time_ms, start)
                           : status;
}

/* The point's exemplars above `low` and up to `high`. */
static enum hf_status put_exemplars(const struct context *context, uint32_t series,
                                    struct hf_message *point, uint32_t number, double low,
                                    double high)
{
    enum hf_status status = HF_OK;
    for (struct hf_message *one = hf_message_first(point, number); one != NULL && status == HF_OK;
         one = hf_message_next(one)) {
        double value = number_of(one, 3, 6);
        if ((value > low || low == -HUGE_VAL) && value <= high) {
            status = put_exemplar(context, series, one);
        }
    }
    return status;
}

/* ---- points ---- */

static enum hf_status put_created(const struct context *context, struct hf_message *point,
                                  int64_t time_ms)
{
    uint64_t start_ns = hf_message_u64(point, 2);
    if (!context->points->options->created_metric || start_ns == 0) {
        return HF_OK;
    }
    return put_sample(context, "_created", NULL, NULL, time_ms, (double)(start_ns / NS_PER_MS));
}

static enum hf_status put_number(const struct context *context, struct hf_message *point,
                                 int64_t time_ms, bool is_stale)
{
    uint32_t series;
    enum hf_status status = find_series(context, "", NULL, NULL, &series);
    if (status == HF_OK) {
        status = prw_series_sample(context->points->series, series, time_ms,
                                   is_stale ? stale() : number_of(point, 4, 6));
    }
    if (status == HF_OK && context->is_counter) {
        status = put_exemplars(context, series, point, 5, -HUGE_VAL, HUGE_VAL);
        status = status == HF_OK ? put_created(context, point, time_ms) : status;
    }
    return status;
}

static enum hf_status put_bucket(const struct context *context, struct hf_message *point,
                                 int64_t time_ms, double count, double low, double high)
{
    char bound[HF_PROM_PLAIN_MAX];
    uint32_t series;
    hf_prom_print_plain(high, bound, sizeof(bound));
    enum hf_status status = find_series(context, "_bucket", "le", bound, &series);
    if (status == HF_OK) {
        status = prw_series_sample(context->points->series, series, time_ms, count);
    }
    return status == HF_OK ? put_exemplars(context, series, point, 8, low, high) : status;
}

static enum hf_status put_histogram(const struct context *context, struct hf_message *point,
                                    int64_t time_ms, bool is_stale)
{
    struct hf_wire_numbers counts = hf_message_numbers(point, 6);
    struct hf_wire_numbers bounds = hf_message_numbers(point, 7);
    uint64_t count, bits, total = 0;
    double low = -HUGE_VAL, whole = (double)hf_message_u64(point, 4);
    enum hf_status status = HF_OK;
    while (status == HF_OK && hf_wire_next_number(&bounds, &bits) &&
           hf_wire_next_number(&counts, &count)) {
        double high = hf_message_as_double(bits);
        total += count;
        if (high == HUGE_VAL) {
            continue; /* it is told below */
        }
        status = put_bucket(context, point, time_ms, is_stale ? stale() : (double)total, low, high);
        low = high;
    }
    if (status == HF_OK) {
        status = put_bucket(context, point, time_ms, is_stale ? stale() : whole, low, HUGE_VAL);
    }
    if (status == HF_OK && hf_message_has(point, 5)) {
        status = put_sample(context, "_sum", NULL, NULL, time_ms,
                            is_stale ? stale() : hf_message_double(point, 5));
    }
    if (status == HF_OK) {
        status = put_sample(context, "_count", NULL, NULL, time_ms, is_stale ? stale() : whole);
    }
    return status == HF_OK ? put_created(context, point, time_ms) : status;
}

static enum hf_status put_summary(const struct context *context, struct hf_message *point,
                                  int64_t time_ms, bool is_stale)
{
    enum hf_status status = put_sample(context, "_sum", NULL, NULL, time_ms,
                                       is_stale ? stale() : hf_message_double(point, 5));
    if (status == HF_OK) {
        status = put_sample(context, "_count", NULL, NULL, time_ms,
                            is_stale ? stale() : (double)hf_message_u64(point, 4));
    }
    for (struct hf_message *one = hf_message_first(point, 6); one != NULL && status == HF_OK;
         one = hf_message_next(one)) {
        char quantile[HF_PROM_PLAIN_MAX];
        hf_prom_print_plain(hf_message_double(one, 1), quantile, sizeof(quantile));
        status = put_sample(context, "", "quantile", quantile, time_ms,
                            is_stale ? stale() : hf_message_double(one, 2));
    }
    return status == HF_OK ? put_created(context, point, time_ms) : status;
}

static void leave_out(struct context *context, const char *reason)
{
    struct prw_points *points = context->points;
    struct hf_slice name = hf_message_bytes(context->metric, METRIC_NAME);
    if (points->left_out++ == 0) {
        snprintf(points->why, sizeof(points->why), "metric %.*s: %s", (int)name.size,
                 name.size != 0 ? (const char *)name.data : "", reason);
    }
}

static enum hf_status put_exponential(struct context *context, struct hf_message *point,
                                      int64_t time_ms)
{
    struct hf_bytes *texts = &context->points->series->texts;
    uint32_t series;
    enum hf_status status = find_series(context, "", NULL, NULL, &series);
    size_t start = texts->size;
    struct hf_wire_writer writer = {.out = texts};
    status = status == HF_OK
                 ? prw_native_write(point, time_ms, context->points->series->start_ms, &writer)
                 : status;
    if (status == HF_INVALID) {
        leave_out(context, "a scale below -4 has no native histogram");
        return HF_OK;
    }
    if (status == HF_OK) {
        status = prw_series_made(context->points->series, series, PRW_HISTOGRAM, time_ms, start);
    }
    return status == HF_OK ? put_exemplars(context, series, point, 11, -HUGE_VAL, HUGE_VAL)
                           : status;
}

/* Version 2 tells since when the samples of a counter, histogram or summary count. */
static void begin_start(const struct context *context, struct hf_message *point)
{
    struct prw_series *series = context->points->series;
    bool may_fall = context->kind == HF_MESSAGE_GAUGE ||
                    (context->kind == HF_MESSAGE_SUM && !context->is_counter);
    bool is_left_out = series->version == PRW_VERSION_1 || may_fall;
    series->start_ms = is_left_out ? 0 : (int64_t)(hf_message_u64(point, 2) / NS_PER_MS);
}

static enum hf_status put_point(struct context *context, struct hf_message *point)
{
    static const uint8_t flag_numbers[] = {8, 10, 10, 8};
    uint64_t time_ns = hf_message_u64(point, 3);
    int64_t time_ms = time_of(context->points, time_ns);
    context->newest_ns = time_ns > context->newest_ns ? time_ns : context->newest_ns;
    if (context->reason != NULL) {
        leave_out(context, context->reason);
        return HF_OK;
    }
    make_base(context, point);
    begin_start(context, point);
    switch (context->kind) {
    case HF_MESSAGE_HISTOGRAM:
        return put_histogram(context, point, time_ms,
                             (hf_message_u64(point, flag_numbers[1]) & FLAG_NO_VALUE) != 0);
    case HF_MESSAGE_EXPONENTIAL_HISTOGRAM:
        return put_exponential(context, point, time_ms);
    case HF_MESSAGE_SUMMARY:
        return put_summary(context, point, time_ms,
                           (hf_message_u64(point, flag_numbers[3]) & FLAG_NO_VALUE) != 0);
    default:
        return put_number(context, point, time_ms,
                          (hf_message_u64(point, flag_numbers[0]) & FLAG_NO_VALUE) != 0);
    }
}

/* ---- metrics and resources ---- */

static enum hf_prom_kind naming_kind(const struct context *context)
{
    switch (context->kind) {
    case HF_MESSAGE_GAUGE:
        return HF_PROM_GAUGE;
    case HF_MESSAGE_SUM:
        /* One that may fall has no suffix of its kind. */
        return context->is_counter ? HF_PROM_COUNTER : HF_PROM_SUMMARY;
    case HF_MESSAGE_SUMMARY:
        return HF_PROM_SUMMARY;
    default:
        return HF_PROM_HISTOGRAM;
    }
}

static unsigned protocol_type(const struct context *context)
{
    switch (context->kind) {
    case HF_MESSAGE_GAUGE:
        return TYPE_GAUGE;
    case HF_MESSAGE_SUM:
        return context->is_counter ? TYPE_COUNTER : TYPE_GAUGE;
    case HF_MESSAGE_HISTOGRAM:
    case HF_MESSAGE_EXPONENTIAL_HISTOGRAM:
        return TYPE_HISTOGRAM;
    case HF_MESSAGE_SUMMARY:
        return TYPE_SUMMARY;
    default:
        return TYPE_UNKNOWN;
    }
}

static enum hf_status make_name(struct context *context)
{
    const struct prw_options *options = context->points->options;
    struct hf_bytes *name = &context->points->name;
    name->size = 0;
    const struct hf_prom_naming naming = {.name_space = options->name_space,
                                          .suffixes = options->suffixes,
                                          .is_utf8 = options->as_is};
    return hf_prom_metric_name(&naming, hf_message_bytes(context->metric, METRIC_NAME),
                               hf_message_bytes(context->metric, METRIC_UNIT), naming_kind(context),
                               name);
}

static enum hf_status put_metadata(const struct context *context)
{
    struct prw_points *points = context->points;
    struct hf_slice help = hf_message_bytes(context->metric, METRIC_DESCRIPTION);
    struct hf_slice unit = hf_message_bytes(context->metric, METRIC_UNIT);
    struct hf_wire_writer writer = {.out = &points->series->metadata};
    struct hf_wire_message message =
        hf_wire_open(&writer, 3, points->name.size + help.size + unit.size + 16);
    hf_wire_put_varint(&writer, 1, protocol_type(context));
    hf_wire_put_bytes(&writer, 2, hf_slice_of(points->name.data, points->name.size));
    hf_wire_put_bytes(&writer, 4, help);
    hf_wire_put_bytes(&writer, 5, unit);
    hf_wire_close(&writer, message);
    return hf_wire_status(&writer);
}

static enum hf_status begin_metric(struct context *context)
{
    struct hf_message *data = context->place->data;
    context->metric = context->place->metric;
    context->reason = NULL;
    context->kind = data != NULL ? hf_message_type(data)->index : 0;
    bool is_sum = context->kind == HF_MESSAGE_SUM;
    bool accumulates = is_sum || context->kind == HF_MESSAGE_HISTOGRAM ||
                       context->kind == HF_MESSAGE_EXPONENTIAL_HISTOGRAM;
    context->is_counter = is_sum && hf_message_i64(data, 3) != 0;
    if (accumulates && hf_message_i64(data, 2) != CUMULATIVE) {
        context->reason = "its temporality is not cumulative";
        return HF_OK;
    }
    enum hf_status status = make_name(context);
    if (status == HF_INVALID) {
        context->reason = "nothing of its name is left for Prometheus";
        return HF_OK;
    }
    context->points->series->about = (struct prw_about){
        protocol_type(context), hf_message_bytes(context->metric, METRIC_DESCRIPTION),
        hf_message_bytes(context->metric, METRIC_UNIT)};
    if (status == HF_OK && context->points->options->metadata) {
        status = put_metadata(context);
    }
    return status;
}

static void begin_resource(struct context *context)
{
    struct hf_document *document = context->place->document;
    const struct hf_attributes *list = attributes_of(hf_place_resource(context->place));
    struct hf_slice space = attribute(document, list, "service.namespace");
    struct hf_slice name = attribute(document, list, "service.name");
    context->resource_group = context->place->resource_group;
    context->instance = attribute(document, list, "service.instance.id");
    context->newest_ns = 0;
    context->job = name;
    if (name.size != 0 && space.size != 0) {
        struct hf_bytes job = {0};
        if (hf_bytes_append(&job, space) == HF_OK &&
            hf_bytes_append(&job, hf_slice_text("/")) == HF_OK &&
            hf_bytes_append(&job, name) == HF_OK) {
            context->job = hf_document_keep(document, hf_slice_of(job.data, job.size));
        }
        hf_bytes_release(&job);
    }
}

/* What the resource says beside its service is a series of its own, which others can be joined
 * with. */
static enum hf_status put_target_info(struct context *context)
{
    struct prw_points *points = context->points;
    const struct prw_options *options = points->options;
    struct hf_message *resource =
        context->resource_group != NULL ? hf_message_one(context->resource_group, 1) : NULL;
    const struct hf_attributes *list = attributes_of(resource);
    bool has_target = context->job.size != 0 || context->instance.size != 0;
    if (!options->target_info || list == NULL || !has_target || context->newest_ns == 0) {
        return HF_OK;
    }
    struct hf_attributes others = {0};
    others.items = hf_arena_take(hf_document_arena(context->place->document),
                                 (list->count + 1) * sizeof(*others.items));
    for (size_t i = 0; others.items != NULL && i < list->count; i++) {
        if (!hf_is_service_identity(list->items[i].key)) {
            others.items[others.count++] = list->items[i];
        }
    }
    if (others.count == 0) {
        return HF_OK;
    }
    points->base.count = 0;
    prw_labels_add(&points->base, context->place->document, "", &others, NULL, options->as_is);
    add_resource(context, &points->base);
    add_external(options, &points->base);
    points->name.size = 0;
    points->series->start_ms = 0;
    points->series->about =
        (struct prw_about){.type = TYPE_GAUGE, .help = hf_slice_text("Target metadata")};
    const struct hf_prom_naming naming = {.name_space = options->name_space,
                                          .is_utf8 = options->as_is};
    enum hf_status status = hf_prom_metric_name(&naming, hf_slice_text("target_info"),
                                                HF_EMPTY_SLICE, HF_PROM_GAUGE, &points->name);
    return status == HF_OK
               ? put_sample(context, "", NULL, NULL, time_of(points, context->newest_ns), 1)
               : status;
}

static enum hf_status add_points(struct prw_points *points, struct hf_document *document)
{
    struct hf_place place = {.document = document};
    struct context context = {.points = points, .place = &place};
    enum hf_status status = HF_OK;
    while (status == HF_OK && hf_place_next_item(&place)) {
        if (place.resource_group != context.resource_group) {
            status = put_target_info(&context);
            begin_resource(&context);
            context.metric = NULL;
        }
        if (status == HF_OK && place.metric != context.metric) {
            status = begin_metric(&context);
        }
        status = status == HF_OK ? put_point(&context, place.item) : status;
    }
    status = status == HF_OK ? put_target_info(&context) : status;
    return status == HF_OK ? hf_document_status(document) : status;
}

enum hf_status prw_points_add(struct prw_points *points, struct hf_slice raw)
{
    struct hf_document *document = hf_document_borrow(HF_METRICS, raw);
    points->left_out = 0;
    points->why[0] = '\0';
    if (document == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = add_points(points, document);
    hf_document_return(document);
    return status == HF_INVALID ? HF_CORRUPT : status;
}

void prw_points_release(struct prw_points *points)
{
    prw_labels_release(&points->base);
    prw_labels_release(&points->labels);
    hf_bytes_release(&points->name);
}
