/*
 * item_metrics_run: counts or sums the items of one request, resource by resource, and passes the
 * metrics on.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "item_metrics_internal.h"
#include "item_series.h"
#include "pdata/any_make.h"
#include "pdata/build_metrics.h"
#include "pdata/document.h"
#include "pdata/profile_tables.h"
#include "pdata/schema_index.h"
#include "pdata/walk.h"

#define BATCH_BYTES ((size_t)4 << 20)

/* Field numbers of OTLP. */
enum {
    SPAN_START = 7,
    SPAN_END = 8,
    EVENT_TIME = 1,
    POINT_TIME = 3,
    LOG_TIME = 1,
    PROFILE_TIME = 3
};
enum { RESOURCE_ATTRIBUTES = 1 };

/* One request. */
struct pass {
    struct hf_visitor visitor;
    struct hf_ottl_watch watch;
    const struct hf_item_metrics *metrics;
    struct hf_batch *batch;
    struct hf_document *document;
    struct hf_ottl_run run;
    struct hf_message *resource_group; /* the one that is counted; NULL: none yet */
    struct item_series_table series;
    struct {
        uint64_t first_ns, last_ns; /* of the items; 0: none has a time */
    } times[HF_ITEM_LEVEL_COUNT];
    struct hf_slice *values; /* room for the attributes of one metric */
    struct hf_builder builder;
    enum hf_status status;
};

/* ---- what one item adds ---- */

static bool attribute_of(struct hf_message *message, struct hf_slice key,
                         struct hf_slice *ret_value)
{
    if (message != NULL && hf_message_type(message)->index == HF_MESSAGE_PROFILE) {
        return hf_profile_attribute(message, key, ret_value);
    }
    uint32_t number = message != NULL ? hf_message_attributes_number(hf_message_type(message)) : 0;
    return number != 0 && hf_attribute_of(hf_message_content(message), number, key, ret_value);
}

/* A text or a number other than 0 as text, as sums have attributes. False: it is none. */
static bool settle_as_text(struct pass *pass, struct hf_slice *value)
{
    struct hf_any any = hf_any_read(*value);
    bool is_number = (any.type == HF_ANY_INT && any.integer != 0) ||
                     (any.type == HF_ANY_DOUBLE && any.number != 0);
    if (any.type == HF_ANY_STRING) {
        return any.bytes.size != 0;
    }
    if (!is_number) {
        return false;
    }
    struct hf_any_maker maker = {.arena = hf_document_arena(pass->document)};
    pass->run.text.size = 0;
    if (hf_any_text(*value, &pass->run.text) != HF_OK) {
        pass->status = HF_NOMEM;
        return false;
    }
    *value = hf_any_make_string(&maker, hf_slice_of(pass->run.text.data, pass->run.text.size));
    pass->status = maker.failed ? HF_NOMEM : pass->status;
    return !maker.failed;
}

static bool find_value(struct pass *pass, const struct item_attribute *attribute,
                       const struct hf_place *place, struct hf_message *item,
                       struct hf_slice *ret_value)
{
    bool looks_outside = pass->metrics->rules->looks_outside;
    if (attribute_of(item, attribute->key, ret_value)) {
        return looks_outside || settle_as_text(pass, ret_value);
    }
    if (looks_outside && (attribute_of(hf_place_scope(place), attribute->key, ret_value) ||
                          attribute_of(hf_place_resource(place), attribute->key, ret_value))) {
        return true;
    }
    *ret_value = attribute->preset;
    return attribute->has_default;
}

static bool find_values(struct pass *pass, const struct item_metric *metric,
                        const struct hf_place *place, struct hf_message *item)
{
    for (size_t i = 0; i < metric->attribute_count; i++) {
        if (!find_value(pass, &metric->attributes[i], place, item, &pass->values[i])) {
            return false;
        }
    }
    return true;
}

/* A decimal or hexadecimal number and nothing else; 0 otherwise. */
static double number_of_text(struct hf_slice text)
{
    char copy[64];
    char *end = copy;
    if (text.size == 0 || text.size >= sizeof(copy) || memchr(text.data, '\0', text.size) != NULL ||
        strchr("+-.0123456789", text.data[0]) == NULL) {
        return 0;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    double number = strtod(copy, &end);
    return *end == '\0' && isfinite(number) ? number : 0;
}

static double addend_of(struct hf_message *item, struct hf_slice source)
{
    struct hf_slice value;
    if (!attribute_of(item, source, &value)) {
        return 0;
    }
    struct hf_any any = hf_any_read(value);
    switch (any.type) {
    case HF_ANY_STRING:
        return number_of_text(any.bytes);
    case HF_ANY_INT:
        return (double)any.integer;
    case HF_ANY_DOUBLE:
        return any.number;
    default:
        return 0;
    }
}

static void meet_error(struct hf_ottl_watch *watch, const char *text, const char *error)
{
    const struct pass *pass = HF_CONTAINER(watch, struct pass, watch);
    hf_ottl_errors_meet(pass->metrics->errors, text, error, false);
}

static void add_to(struct pass *pass, const struct item_metric *metric,
                   const struct hf_place *place, struct hf_message *item)
{
    bool is_meant = true;
    if (!find_values(pass, metric, place, item)) {
        return;
    }
    if (metric->conditions != NULL) {
        pass->status =
            hf_ottl_any(metric->conditions, &pass->run, HF_OTTL_IGNORE, &pass->watch, &is_meant);
    }
    if (!is_meant || pass->status != HF_OK) {
        return;
    }
    struct item_series *series =
        item_series_need(&pass->series, metric, pass->values, hf_document_arena(pass->document));
    if (series == NULL) {
        pass->status = HF_NOMEM;
        return;
    }
    series->count++;
    series->sum += pass->metrics->rules->are_sums ? addend_of(item, metric->source) : 0;
}

static void note_time(struct pass *pass, enum hf_item_level level, uint64_t time_ns)
{
    if (time_ns == 0) {
        return;
    }
    bool is_first = pass->times[level].first_ns == 0;
    if (is_first || time_ns < pass->times[level].first_ns) {
        pass->times[level].first_ns = time_ns;
    }
    if (is_first || time_ns > pass->times[level].last_ns) {
        pass->times[level].last_ns = time_ns;
    }
}

static enum hf_visit see(struct pass *pass, enum hf_item_level level, const struct hf_place *place,
                         struct hf_message *item)
{
    const struct item_metric_list *list = &pass->metrics->levels[level];
    if (list->count > 0) {
        hf_ottl_enter(&pass->run, place);
    }
    for (size_t i = 0; i < list->count && pass->status == HF_OK; i++) {
        add_to(pass, &list->items[i], place, item);
    }
    return pass->status == HF_OK ? HF_VISIT_KEEP : HF_VISIT_STOP;
}

/* ---- the metrics of one resource ---- */

static void build_point(struct pass *pass, const struct item_series *series,
                        const struct hf_build_point *point)
{
    if (pass->metrics->rules->are_sums) {
        hf_build_point_double(&pass->builder, point, series->sum);
    } else {
        hf_build_point_int(&pass->builder, point, series->count);
    }
    for (size_t i = 0; i < series->metric->attribute_count; i++) {
        hf_build_attribute_value(&pass->builder, series->metric->attributes[i].key,
                                 series->values[i]);
    }
    hf_build_end(&pass->builder);
}

static void build_metric(struct pass *pass, enum hf_item_level level,
                         const struct item_metric *metric)
{
    bool are_sums = pass->metrics->rules->are_sums, is_open = false;
    uint64_t first_ns = pass->times[level].first_ns, now_ns = pass->batch->received_ns;
    const struct hf_build_point point = {
        .start_ns = are_sums        ? 0
                    : first_ns != 0 ? first_ns
                                    : now_ns,
        .time_ns = !are_sums && first_ns != 0 ? pass->times[level].last_ns : now_ns};
    for (size_t i = 0; i < pass->series.count; i++) {
        const struct item_series *series = &pass->series.items[i];
        if (series->metric != metric) {
            continue;
        }
        if (!is_open) {
            hf_build_metric(&pass->builder,
                            &(struct hf_build_metric){.name = metric->name,
                                                      .description = metric->description,
                                                      .kind = HF_BUILD_SUM,
                                                      .temporality = HF_BUILD_DELTA,
                                                      .is_monotonic = true});
            is_open = true;
        }
        build_point(pass, series, &point);
    }
}

static void build_resource(struct pass *pass)
{
    const struct hf_place place = {.document = pass->document,
                                   .resource_group = pass->resource_group};
    hf_build_resource(&pass->builder, HF_EMPTY_SLICE);
    const struct hf_attributes *attributes =
        hf_message_attributes(hf_place_resource(&place), RESOURCE_ATTRIBUTES);
    for (size_t i = 0; attributes != NULL && i < attributes->count; i++) {
        hf_build_attribute_value(&pass->builder, attributes->items[i].key,
                                 attributes->items[i].value);
    }
    hf_build_scope(&pass->builder, hf_slice_text(pass->metrics->rules->scope), HF_EMPTY_SLICE);
}

/* Writes what was counted, and begins with the next one. */
static void end_resource(struct pass *pass)
{
    if (pass->series.count > 0) {
        build_resource(pass);
    }
    for (int level = 0; pass->series.count > 0 && level < HF_ITEM_LEVEL_COUNT; level++) {
        const struct item_metric_list *list = &pass->metrics->levels[level];
        for (size_t i = 0; i < list->count; i++) {
            build_metric(pass, (enum hf_item_level)level, &list->items[i]);
        }
    }
    item_series_clear(&pass->series);
    memset(pass->times, 0, sizeof(pass->times));
}

/* ---- the walk ---- */

static enum hf_visit see_resource(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct pass *pass = HF_CONTAINER(visitor, struct pass, visitor);
    end_resource(pass);
    pass->resource_group = place->resource_group;
    return HF_VISIT_KEEP;
}

static enum hf_visit see_metric(struct hf_visitor *visitor, const struct hf_place *place)
{
    return see(HF_CONTAINER(visitor, struct pass, visitor), HF_ITEM_METRICS, place, NULL);
}

static enum hf_visit see_item(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct pass *pass = HF_CONTAINER(visitor, struct pass, visitor);
    switch (pass->batch->signal) {
    case HF_TRACES:
        note_time(pass, HF_ITEM_SPANS, hf_message_u64(place->item, SPAN_START));
        note_time(pass, HF_ITEM_SPANS, hf_message_u64(place->item, SPAN_END));
        return see(pass, HF_ITEM_SPANS, place, place->item);
    case HF_METRICS:
        note_time(pass, HF_ITEM_DATAPOINTS, hf_message_u64(place->item, POINT_TIME));
        return see(pass, HF_ITEM_DATAPOINTS, place, place->item);
    case HF_PROFILES:
        note_time(pass, HF_ITEM_PROFILES, hf_message_u64(place->item, PROFILE_TIME));
        return see(pass, HF_ITEM_PROFILES, place, place->item);
    default:
        note_time(pass, HF_ITEM_LOGS, hf_message_u64(place->item, LOG_TIME));
        return see(pass, HF_ITEM_LOGS, place, place->item);
    }
}

static enum hf_visit see_event(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct pass *pass = HF_CONTAINER(visitor, struct pass, visitor);
    note_time(pass, HF_ITEM_SPANEVENTS, hf_message_u64(place->event, EVENT_TIME));
    return see(pass, HF_ITEM_SPANEVENTS, place, place->event);
}

static void count_all(struct pass *pass)
{
    bool has_events = pass->metrics->levels[HF_ITEM_SPANEVENTS].count > 0;
    pass->visitor = (struct hf_visitor){.resource = see_resource,
                                        .metric = see_metric,
                                        .item = see_item,
                                        .event = has_events ? see_event : NULL};
    hf_walk(pass->document, &pass->visitor);
    end_resource(pass);
    if (pass->status == HF_OK) {
        pass->status = hf_document_status(pass->document);
    }
}

/* ---- passing on ---- */

/* With the metadata of the request that was counted. */
static enum hf_status pass_one(const struct pass *pass, struct hf_batch *made,
                               struct hf_onward *onward)
{
    size_t count = 0;
    struct hf_pipeline *const *outputs = hf_node_outputs(pass->metrics->node, HF_METRICS, &count);
    struct hf_batch *batch =
        hf_batch_wrap(HF_METRICS, HF_IDENTITY, made->wire, &made->ref, pass->batch->meta);
    if (batch == NULL) {
        return HF_NOMEM;
    }
    batch->items = made->items;
    batch->received_ns = pass->batch->received_ns;
    enum hf_status status = hf_pass_on(onward, batch, outputs, count);
    hf_ref_drop(&batch->ref);
    return status;
}

static void pass_all(struct pass *pass, struct hf_onward *onward)
{
    struct hf_batch *made;
    enum hf_status finished = hf_build_finish(&pass->builder);
    pass->status = pass->status == HF_OK ? finished : pass->status;
    while ((made = hf_build_take(&pass->builder)) != NULL) {
        if (pass->status == HF_OK) {
            pass->status = pass_one(pass, made, onward);
        }
        hf_ref_drop(&made->ref);
    }
}

/* The room for the attributes of the metric that has the most. */
static struct hf_slice *room_for_values(const struct hf_item_metrics *metrics)
{
    size_t most = 1;
    for (int level = 0; level < HF_ITEM_LEVEL_COUNT; level++) {
        for (size_t i = 0; i < metrics->levels[level].count; i++) {
            size_t count = metrics->levels[level].items[i].attribute_count;
            most = count > most ? count : most;
        }
    }
    return calloc(most, sizeof(struct hf_slice));
}

enum hf_status hf_item_metrics_connect(void *self, struct hf_batch *batch, struct hf_onward *onward)
{
    const struct hf_item_metrics *metrics = self;
    struct pass pass = {.metrics = metrics, .batch = batch, .watch.error = meet_error};
    pass.document = hf_document_borrow(batch->signal, batch->raw);
    pass.values = room_for_values(metrics);
    if (pass.document == NULL || pass.values == NULL) {
        hf_document_return(pass.document);
        free(pass.values);
        return HF_NOMEM;
    }
    hf_ottl_begin(&pass.run, pass.document);
    hf_builder_init(&pass.builder, HF_METRICS, BATCH_BYTES);
    count_all(&pass);
    pass_all(&pass, onward);
    hf_builder_release(&pass.builder);
    item_series_release(&pass.series);
    hf_ottl_end(&pass.run);
    hf_document_return(pass.document);
    free(pass.values);
    return pass.status;
}
