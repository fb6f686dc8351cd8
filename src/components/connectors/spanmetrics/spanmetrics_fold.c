#include "spanmetrics_fold.h"

#include <stdlib.h>
#include <string.h>

#include "pdata/any.h"
#include "pdata/wire_find.h"
#include "spanmetrics_key.h"
#include "support/items/sampling.h"
#include "util/time/clock.h"

/* Field numbers of OTLP. */
enum { RESOURCE_SPANS = 1, RESOURCE = 1, SCOPE_SPANS = 2, RESOURCE_ATTRIBUTES = 1 };
enum { SCOPE = 1, SPANS = 2, SCOPE_NAME = 1, SCOPE_VERSION = 2 };
enum { SPAN_TRACE_ID = 1, SPAN_ID = 2, SPAN_STATE = 3, SPAN_NAME = 5, SPAN_KIND = 6 };
enum { SPAN_START = 7, SPAN_END = 8, SPAN_ATTRIBUTES = 9, SPAN_EVENTS = 11, SPAN_STATUS = 15 };
enum { STATUS_CODE = 3, EVENT_ATTRIBUTES = 3 };

/* ---- how many spans one stands for ---- */

/* 2^56 over what is left of it, rounded at random so that the mean is right. */
static uint64_t adjusted_count(struct spanmetrics_fold *fold, uint64_t threshold)
{
    uint64_t left = HF_SAMPLING_NEVER - threshold;
    uint64_t count = HF_SAMPLING_NEVER / left, rest = HF_SAMPLING_NEVER % left;
    if (rest != 0) {
        fold->random ^= fold->random << 13;
        fold->random ^= fold->random >> 7;
        fold->random ^= fold->random << 17;
        count += fold->random % left < rest ? 1 : 0;
    }
    return count;
}

/* Neighbours mostly have the same trace state: what was read of it is kept. */
static void read_state(struct spanmetrics_fold *fold, struct spanmetrics_span *span)
{
    struct hf_sampling_state parsed;
    if (span->state.size != 0 && !hf_slice_equal(span->state, fold->last_state)) {
        bool is_read = hf_sampling_read_state(span->state, &parsed);
        fold->last_state = span->state;
        fold->last_is_adjusted =
            is_read && parsed.has_threshold && parsed.threshold < HF_SAMPLING_NEVER;
        fold->last_count = fold->last_is_adjusted ? adjusted_count(fold, parsed.threshold) : 1;
    }
    span->count = span->state.size != 0 ? fold->last_count : 1;
    span->is_adjusted = span->state.size != 0 && fold->last_is_adjusted;
}

/* ---- series ---- */

static enum hf_status touch(struct spanmetrics_fold *fold, struct spanmetrics_series *series,
                            const struct spanmetrics_span *span, double value)
{
    if (fold->touch_count == fold->touch_room) {
        size_t room = fold->touch_room == 0 ? 256 : 2 * fold->touch_room;
        struct spanmetrics_touch *touches = realloc(fold->touches, room * sizeof(*touches));
        if (touches == NULL) {
            return HF_NOMEM;
        }
        fold->touches = touches;
        fold->touch_room = room;
    }
    bool wants_exemplar = fold->config->exemplars.enabled && span->has_trace_id &&
                          fold->config->exemplars.max_per_data_point > 0 && !series->is_overflow;
    if (wants_exemplar && series->exemplars == NULL) {
        series->exemplars =
            calloc((size_t)fold->config->exemplars.max_per_data_point, sizeof(*series->exemplars));
        if (series->exemplars == NULL) {
            return HF_NOMEM;
        }
    }
    fold->overflowed += series->is_overflow ? 1 : 0;
    fold->touches[fold->touch_count++] =
        (struct spanmetrics_touch){.series = series,
                                   .value = value,
                                   .count = span->count,
                                   .trace_id = wants_exemplar ? span->trace_id : HF_EMPTY_SLICE,
                                   .span_id = span->span_id};
    return HF_OK;
}

static enum hf_status add_series(struct spanmetrics_fold *fold, const struct spanmetrics_span *span,
                                 struct spanmetrics_values *outer,
                                 struct spanmetrics_new_series *wanted,
                                 struct spanmetrics_series **ret_series)
{
    if (spanmetrics_table_has_room(fold->table, fold->resource, wanted->metric)) {
        enum hf_status status = spanmetrics_attributes(fold, span, wanted->metric, outer);
        wanted->attributes = hf_slice_of(fold->attributes.data, fold->attributes.size);
        return status == HF_OK
                   ? spanmetrics_table_add(fold->table, fold->resource, wanted, ret_series)
                   : status;
    }
    *ret_series = fold->resource->metrics[wanted->metric].overflow;
    if (*ret_series != NULL) {
        return HF_OK;
    }
    enum hf_status status = spanmetrics_overflow_attributes(fold);
    wanted->attributes = hf_slice_of(fold->attributes.data, fold->attributes.size);
    wanted->is_overflow = true;
    return status == HF_OK ? spanmetrics_table_add(fold->table, fold->resource, wanted, ret_series)
                           : status;
}

/* The series of the key that was built. */
static enum hf_status find_series(struct spanmetrics_fold *fold,
                                  const struct spanmetrics_span *span,
                                  enum spanmetrics_metric metric, struct spanmetrics_values *outer,
                                  struct spanmetrics_series **ret_series)
{
    struct spanmetrics_new_series wanted = {.metric = metric,
                                            .key = hf_slice_of(fold->key.data, fold->key.size),
                                            .now_ns = fold->now_ns};
    wanted.hash = spanmetrics_table_hash(fold->table, fold->resource, metric, wanted.key);
    *ret_series =
        spanmetrics_table_find(fold->table, fold->resource, metric, wanted.key, wanted.hash);
    return *ret_series != NULL ? HF_OK : add_series(fold, span, outer, &wanted, ret_series);
}

static enum hf_status fold_calls(struct spanmetrics_fold *fold, struct spanmetrics_span *span)
{
    struct spanmetrics_series *calls = NULL, *durations = NULL;
    double value =
        span->end_ns > span->start_ns ? (double)(span->end_ns - span->start_ns) / fold->divider : 0;
    enum hf_status status = spanmetrics_key(fold, span, SPANMETRICS_CALLS, &fold->of_resource);
    if (status == HF_OK) {
        status = find_series(fold, span, SPANMETRICS_CALLS, &fold->of_resource, &calls);
    }
    if (status == HF_OK) {
        status = touch(fold, calls, span, value);
    }
    if (status != HF_OK || fold->config->histogram.disable) {
        return status;
    }
    durations = calls->twin;
    if (durations == NULL && !fold->has_one_key) {
        status = spanmetrics_key(fold, span, SPANMETRICS_DURATION, &fold->of_resource);
    }
    if (durations == NULL && status == HF_OK) {
        status = find_series(fold, span, SPANMETRICS_DURATION, &fold->of_resource, &durations);
    }
    if (status == HF_OK && fold->has_one_key && !calls->is_overflow && !durations->is_overflow) {
        calls->twin = durations;
        durations->twin = calls;
    }
    return status == HF_OK ? touch(fold, durations, span, value) : status;
}

/* ---- events ---- */

static enum hf_status fold_event(struct spanmetrics_fold *fold, struct spanmetrics_span *span,
                                 struct hf_slice event)
{
    struct spanmetrics_series *series = NULL;
    struct spanmetrics_values *outer = &fold->of_event;
    struct hf_wire wire = hf_wire_of(event);
    struct hf_slice pair;
    enum hf_status status = HF_OK;
    double value =
        span->end_ns > span->start_ns ? (double)(span->end_ns - span->start_ns) / fold->divider : 0;
    spanmetrics_values_clear(outer, fold->dimensions);
    while (status == HF_OK && hf_wire_each(&wire, EVENT_ATTRIBUTES, &pair)) {
        status = spanmetrics_values_note(outer, fold->dimensions, pair);
    }
    if (status == HF_OK) { /* the resource's own, and over them those of the event */
        spanmetrics_values_clear(&fold->joined, fold->dimensions);
        status = spanmetrics_values_lay(&fold->joined, fold->dimensions, &fold->of_resource);
    }
    if (status == HF_OK) {
        status = spanmetrics_values_lay(&fold->joined, fold->dimensions, outer);
    }
    if (status == HF_OK) {
        status = spanmetrics_key(fold, span, SPANMETRICS_EVENTS, &fold->joined);
    }
    if (status == HF_OK) {
        status = find_series(fold, span, SPANMETRICS_EVENTS, &fold->joined, &series);
    }
    return status == HF_OK ? touch(fold, series, span, value) : status;
}

static enum hf_status fold_events(struct spanmetrics_fold *fold, struct spanmetrics_span *span,
                                  struct hf_slice bytes)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_slice event;
    enum hf_status status = HF_OK;
    while (status == HF_OK && hf_wire_each(&wire, SPAN_EVENTS, &event)) {
        status = fold_event(fold, span, event);
    }
    return status;
}

/* ---- spans ---- */

static bool is_zero(struct hf_slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        if (bytes.data[i] != 0) {
            return false;
        }
    }
    return true;
}

static enum hf_status read_field(struct spanmetrics_fold *fold, const struct hf_wire_field *field,
                                 struct spanmetrics_span *span)
{
    switch (field->number) {
    case SPAN_TRACE_ID:
        span->trace_id = field->bytes;
        break;
    case SPAN_ID:
        span->span_id = field->bytes;
        break;
    case SPAN_STATE:
        span->state = field->bytes;
        break;
    case SPAN_NAME:
        span->name = field->bytes;
        break;
    case SPAN_KIND:
        span->kind = (int32_t)field->value;
        break;
    case SPAN_START:
        span->start_ns = field->value;
        break;
    case SPAN_END:
        span->end_ns = field->value;
        break;
    case SPAN_ATTRIBUTES:
        return spanmetrics_values_note(&fold->of_span, fold->dimensions, field->bytes);
    case SPAN_EVENTS:
        span->has_events = true;
        break;
    case SPAN_STATUS:
        span->status = (int32_t)hf_wire_find_bits(field->bytes, STATUS_CODE);
        break;
    default:
        break;
    }
    return HF_OK;
}

static enum hf_status fold_span(struct spanmetrics_fold *fold, struct hf_slice bytes)
{
    struct spanmetrics_span span = {0};
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    enum hf_status status = HF_OK;
    spanmetrics_values_clear(&fold->of_span, fold->dimensions);
    while (status == HF_OK && !hf_wire_at_end(wire) && hf_wire_step(&wire, &field)) {
        status = read_field(fold, &field, &span);
    }
    if (status != HF_OK) {
        return status;
    }
    span.has_trace_id = span.trace_id.size == 16 && !is_zero(span.trace_id);
    read_state(fold, &span);
    status = fold_calls(fold, &span);
    if (status == HF_OK && span.has_events && fold->config->events.enabled) {
        status = fold_events(fold, &span, bytes);
    }
    return status;
}

static enum hf_status fold_scope(struct spanmetrics_fold *fold, struct hf_slice group)
{
    struct hf_wire wire = hf_wire_of(group);
    struct hf_slice scope = hf_wire_find_bytes(group, SCOPE), span;
    enum hf_status status = HF_OK;
    fold->scope_name = hf_wire_find_bytes(scope, SCOPE_NAME);
    fold->scope_version = hf_wire_find_bytes(scope, SCOPE_VERSION);
    while (status == HF_OK && hf_wire_each(&wire, SPANS, &span)) {
        status = fold_span(fold, span);
    }
    return status;
}

/* ---- resources ---- */

/* The same resource mostly comes again and again: its bytes tell. */
static bool is_last_resource(const struct spanmetrics_fold *fold, struct hf_slice resource)
{
    return fold->resource != NULL && fold->last_resource.size == resource.size &&
           resource.size != 0 &&
           memcmp(fold->last_resource.data, resource.data, resource.size) == 0;
}

static enum hf_status begin_resource(struct spanmetrics_fold *fold, struct hf_slice resource)
{
    struct hf_wire wire = hf_wire_of(resource);
    struct hf_slice pair;
    enum hf_status status = HF_OK;
    spanmetrics_values_clear(&fold->of_resource, fold->dimensions);
    while (status == HF_OK && hf_wire_each(&wire, RESOURCE_ATTRIBUTES, &pair)) {
        status = spanmetrics_values_note(&fold->of_resource, fold->dimensions, pair);
    }
    if (status == HF_OK && !is_last_resource(fold, resource)) {
        fold->resource = NULL;
        status = spanmetrics_resource_key(fold, resource);
        if (status == HF_OK) {
            const struct spanmetrics_new_resource wanted = {
                .key = hf_slice_of(fold->resource_key.data, fold->resource_key.size),
                .attributes = hf_slice_of(fold->attributes.data, fold->attributes.size),
                .now_ns = fold->now_ns};
            status = spanmetrics_table_resource(fold->table, &wanted, &fold->resource);
        }
        fold->last_resource.size = 0;
        if (status == HF_OK) {
            status = hf_bytes_append(&fold->last_resource, resource);
        }
    }
    return status;
}

/* One without service.name is passed over, as in the Go collector. */
static enum hf_status fold_group(struct spanmetrics_fold *fold, struct hf_slice group)
{
    struct hf_slice resource = hf_wire_find_bytes(group, RESOURCE), scope, value;
    struct hf_wire wire = hf_wire_of(group);
    if (!hf_attribute_of(resource, RESOURCE_ATTRIBUTES, hf_slice_text("service.name"), &value)) {
        return HF_OK;
    }
    struct hf_any service = hf_any_read(value);
    fold->service = service.type == HF_ANY_STRING ? service.bytes : HF_EMPTY_SLICE;
    enum hf_status status = begin_resource(fold, resource);
    while (status == HF_OK && hf_wire_each(&wire, SCOPE_SPANS, &scope)) {
        status = fold_scope(fold, scope);
    }
    return status;
}

/* ---- the request ---- */

static void add_exemplar(const struct spanmetrics_fold *fold, const struct spanmetrics_touch *one)
{
    struct spanmetrics_series *series = one->series;
    if (one->trace_id.size != sizeof(series->exemplars->trace_id) ||
        (int64_t)series->exemplar_count >= fold->config->exemplars.max_per_data_point) {
        return;
    }
    struct spanmetrics_exemplar *exemplar = &series->exemplars[series->exemplar_count++];
    memset(exemplar, 0, sizeof(*exemplar));
    memcpy(exemplar->trace_id, one->trace_id.data, sizeof(exemplar->trace_id));
    if (one->span_id.size == sizeof(exemplar->span_id)) {
        memcpy(exemplar->span_id, one->span_id.data, sizeof(exemplar->span_id));
    }
    exemplar->value = one->value;
}

static void add_all(struct spanmetrics_fold *fold)
{
    for (size_t i = 0; i < fold->touch_count; i++) {
        const struct spanmetrics_touch *one = &fold->touches[i];
        struct spanmetrics_series *series = one->series;
        series->seen_ns = fold->now_ns;
        if (series->distribution != NULL) {
            hf_distribution_observe(&fold->table->form, series->distribution, one->value,
                                    one->count);
        } else {
            series->count += one->count;
        }
        if (series->exemplars != NULL) {
            add_exemplar(fold, one);
        }
    }
}

enum hf_status spanmetrics_fold_request(struct spanmetrics_fold *fold, struct hf_slice raw,
                                        uint64_t now_ns)
{
    struct hf_wire wire = hf_wire_of(raw);
    struct hf_slice group;
    enum hf_status status = HF_OK;
    fold->now_ns = now_ns;
    fold->touch_count = 0;
    fold->resource = NULL; /* it may have been removed since */
    fold->last_state = HF_EMPTY_SLICE;
    while (status == HF_OK && hf_wire_each(&wire, RESOURCE_SPANS, &group)) {
        status = fold_group(fold, group);
    }
    if (status == HF_OK) {
        add_all(fold);
    }
    return status;
}

/* ---- life ---- */

static bool excludes(const struct spanmetrics_config *config, const char *name)
{
    for (size_t i = 0; i < config->exclude_dimensions.count; i++) {
        if (strcmp(config->exclude_dimensions.items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

enum hf_status spanmetrics_fold_init(struct spanmetrics_fold *fold,
                                     const struct spanmetrics_config *config,
                                     const struct spanmetrics_dimensions *dimensions,
                                     struct spanmetrics_table *table)
{
    fold->config = config;
    fold->dimensions = dimensions;
    fold->table = table;
    fold->without_service = excludes(config, "service.name");
    fold->without_name = excludes(config, "span.name");
    fold->without_kind = excludes(config, "span.kind");
    fold->without_status = excludes(config, "status.code");
    fold->without_instance = excludes(config, "collector.instance.id");
    fold->has_one_key = spanmetrics_is_common(dimensions, SPANMETRICS_CALLS) &&
                        spanmetrics_is_common(dimensions, SPANMETRICS_DURATION);
    fold->divider = config->histogram.unit == SPANMETRICS_S ? 1e9 : 1e6;
    fold->random = hf_clock_monotonic_ns() | 1;
    enum hf_status status = spanmetrics_values_init(&fold->of_resource, dimensions);
    status = status == HF_OK ? spanmetrics_values_init(&fold->of_span, dimensions) : status;
    status = status == HF_OK ? spanmetrics_values_init(&fold->of_event, dimensions) : status;
    return status == HF_OK ? spanmetrics_values_init(&fold->joined, dimensions) : status;
}

void spanmetrics_fold_release(struct spanmetrics_fold *fold)
{
    spanmetrics_values_release(&fold->of_resource);
    spanmetrics_values_release(&fold->of_span);
    spanmetrics_values_release(&fold->of_event);
    spanmetrics_values_release(&fold->joined);
    hf_bytes_release(&fold->key);
    hf_bytes_release(&fold->text);
    hf_bytes_release(&fold->attributes);
    hf_bytes_release(&fold->resource_key);
    hf_bytes_release(&fold->last_resource);
    free(fold->pairs);
    free(fold->touches);
}
