#include "spanmetrics_spans.h"

#include <stdlib.h>

#include "pdata/wire_find.h"
#include "spanmetrics_key.h"
#include "support/items/sampling.h"

#define CACHE_LINE 64u
#define FETCH_BYTES_MAX 256u /* of a distribution */

/* Field numbers of OTLP. */
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

static double duration_of(const struct spanmetrics_fold *fold, const struct spanmetrics_span *span)
{
    return span->end_ns > span->start_ns ? (double)(span->end_ns - span->start_ns) / fold->divider
                                         : 0;
}

/* ---- series ---- */

/* Values are added after all series of the request have been found: by then it is in the cache. */
static void fetch_ahead(const struct hf_distribution *distribution, size_t size)
{
    for (size_t i = 0; i < size && i < FETCH_BYTES_MAX; i += CACHE_LINE) {
        __builtin_prefetch((const uint8_t *)distribution + i, 1);
    }
}

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
    if (series->distribution != NULL) {
        fetch_ahead(series->distribution, hf_distribution_bytes(&fold->table->form));
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

static struct hf_slice key_at(const struct spanmetrics_fold *fold,
                              const struct spanmetrics_built *built)
{
    return hf_slice_of(fold->key.data + built->at, built->size);
}

static enum hf_status build_key(struct spanmetrics_fold *fold, const struct spanmetrics_span *span,
                                enum spanmetrics_metric metric, struct spanmetrics_values *outer,
                                struct spanmetrics_built *ret_built)
{
    ret_built->at = fold->key.size;
    enum hf_status status = spanmetrics_key(fold, span, metric, outer);
    ret_built->size = fold->key.size - ret_built->at;
    ret_built->hash =
        spanmetrics_table_hash(fold->table, fold->resource, metric, key_at(fold, ret_built));
    return status;
}

static struct spanmetrics_series *find_series(const struct spanmetrics_fold *fold,
                                              enum spanmetrics_metric metric,
                                              const struct spanmetrics_built *built)
{
    return spanmetrics_table_find(fold->table, fold->resource, metric, key_at(fold, built),
                                  built->hash);
}

static struct spanmetrics_new_series new_series(const struct spanmetrics_fold *fold,
                                                enum spanmetrics_metric metric,
                                                const struct spanmetrics_built *built)
{
    return (struct spanmetrics_new_series){
        .metric = metric, .key = key_at(fold, built), .hash = built->hash, .now_ns = fold->now_ns};
}

/* ---- events ---- */

static enum hf_status fold_event(struct spanmetrics_fold *fold, struct spanmetrics_span *span,
                                 struct hf_slice event)
{
    struct spanmetrics_series *series = NULL;
    struct spanmetrics_values *outer = &fold->of_event;
    struct spanmetrics_built built = {0};
    struct hf_wire wire = hf_wire_of(event);
    struct hf_slice pair;
    enum hf_status status = HF_OK;
    double value = duration_of(fold, span);
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
        status = build_key(fold, span, SPANMETRICS_EVENTS, &fold->joined, &built);
    }
    if (status == HF_OK) {
        series = find_series(fold, SPANMETRICS_EVENTS, &built);
    }
    if (status == HF_OK && series == NULL) {
        struct spanmetrics_new_series wanted = new_series(fold, SPANMETRICS_EVENTS, &built);
        status = add_series(fold, span, &fold->joined, &wanted, &series);
    }
    fold->key.size = built.at; /* keys of other spans stand before it */
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

/* What is told of it, and the values of its dimensions in `fold->of_span`. */
static enum hf_status read_span(struct spanmetrics_fold *fold, struct hf_slice bytes,
                                struct spanmetrics_span *span)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    enum hf_status status = HF_OK;
    spanmetrics_values_clear(&fold->of_span, fold->dimensions);
    while (status == HF_OK && !hf_wire_at_end(wire) && hf_wire_step(&wire, &field)) {
        status = read_field(fold, &field, span);
    }
    return status;
}

/* ---- blocks ---- */

/* Reads it, builds its keys, and asks for the first memory that looking for them will need. */
static enum hf_status look_ahead(struct spanmetrics_fold *fold, struct hf_slice bytes)
{
    struct spanmetrics_ahead *ahead = &fold->block[fold->block_count++];
    struct spanmetrics_span *span = &ahead->span;
    *ahead = (struct spanmetrics_ahead){.bytes = bytes};
    enum hf_status status = read_span(fold, bytes, span);
    if (status != HF_OK) {
        return status;
    }
    span->has_trace_id = span->trace_id.size == 16 && !hf_slice_is_zero(span->trace_id);
    read_state(fold, span);
    status = build_key(fold, span, SPANMETRICS_CALLS, &fold->of_resource, &ahead->calls_key);
    spanmetrics_table_fetch_bucket(fold->table, ahead->calls_key.hash);
    if (status == HF_OK && !fold->config->histogram.disable && !fold->has_one_key) {
        status =
            build_key(fold, span, SPANMETRICS_DURATION, &fold->of_resource, &ahead->durations_key);
        spanmetrics_table_fetch_bucket(fold->table, ahead->durations_key.hash);
    }
    return status;
}

/* The series of a key of the block, which may have to be made. */
static enum hf_status series_of(struct spanmetrics_fold *fold, struct spanmetrics_ahead *ahead,
                                enum spanmetrics_metric metric,
                                const struct spanmetrics_built *built,
                                struct spanmetrics_series **ret_series)
{
    *ret_series = find_series(fold, metric, built);
    if (*ret_series != NULL) {
        return HF_OK;
    }
    struct spanmetrics_new_series wanted = new_series(fold, metric, built);
    enum hf_status status = read_span(fold, ahead->bytes, &ahead->span);
    return status == HF_OK ? add_series(fold, &ahead->span, &fold->of_resource, &wanted, ret_series)
                           : status;
}

static enum hf_status fold_durations(struct spanmetrics_fold *fold, struct spanmetrics_ahead *ahead,
                                     double value)
{
    struct spanmetrics_series *calls = ahead->calls, *durations = calls->twin;
    enum hf_status status = HF_OK;
    if (durations == NULL) {
        if (fold->has_one_key) {
            ahead->durations_key = ahead->calls_key;
            ahead->durations_key.hash = spanmetrics_table_hash(
                fold->table, fold->resource, SPANMETRICS_DURATION, key_at(fold, &ahead->calls_key));
        }
        status = series_of(fold, ahead, SPANMETRICS_DURATION, &ahead->durations_key, &durations);
    }
    if (status == HF_OK && fold->has_one_key && !calls->is_overflow && !durations->is_overflow) {
        calls->twin = durations;
        durations->twin = calls;
    }
    return status == HF_OK ? touch(fold, durations, &ahead->span, value) : status;
}

static enum hf_status fold_span(struct spanmetrics_fold *fold, struct spanmetrics_ahead *ahead)
{
    struct spanmetrics_span *span = &ahead->span;
    double value = duration_of(fold, span);
    enum hf_status status = HF_OK;
    if (ahead->calls == NULL) {
        status = series_of(fold, ahead, SPANMETRICS_CALLS, &ahead->calls_key, &ahead->calls);
    }
    if (status == HF_OK) {
        status = touch(fold, ahead->calls, span, value);
    }
    if (status == HF_OK && !fold->config->histogram.disable) {
        status = fold_durations(fold, ahead, value);
    }
    if (status == HF_OK && span->has_events && fold->config->events.enabled) {
        status = read_span(fold, ahead->bytes, span);
        status = status == HF_OK ? fold_events(fold, span, ahead->bytes) : status;
    }
    return status;
}

/* What many series cost is the way to memory that is in no cache: what the next step needs of each
 * span is fetched while the others are looked at. */
static enum hf_status settle_block(struct spanmetrics_fold *fold)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < fold->block_count; i++) {
        spanmetrics_table_fetch_series(fold->table, fold->block[i].calls_key.hash);
    }
    for (size_t i = 0; i < fold->block_count; i++) {
        struct spanmetrics_ahead *ahead = &fold->block[i];
        ahead->calls = find_series(fold, SPANMETRICS_CALLS, &ahead->calls_key);
        if (ahead->calls != NULL && ahead->calls->twin != NULL) {
            spanmetrics_series_fetch(ahead->calls->twin);
        }
    }
    for (size_t i = 0; i < fold->block_count && status == HF_OK; i++) {
        status = fold_span(fold, &fold->block[i]);
    }
    fold->block_count = 0;
    fold->key.size = 0;
    return status;
}

enum hf_status spanmetrics_spans(struct spanmetrics_fold *fold, struct hf_slice group)
{
    struct hf_wire wire = hf_wire_of(group);
    struct hf_slice scope = hf_wire_find_bytes(group, SCOPE), span;
    enum hf_status status = HF_OK;
    fold->scope_name = hf_wire_find_bytes(scope, SCOPE_NAME);
    fold->scope_version = hf_wire_find_bytes(scope, SCOPE_VERSION);
    fold->block_count = 0;
    fold->key.size = 0;
    while (status == HF_OK && hf_wire_each(&wire, SPANS, &span)) {
        status = look_ahead(fold, span);
        if (status == HF_OK && fold->block_count == SPANMETRICS_BLOCK) {
            status = settle_block(fold);
        }
    }
    return status == HF_OK ? settle_block(fold) : status;
}
