/*
 * spanmetrics_flush: from the series to metrics, under the Go collector's names.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pdata/attributes.h"
#include "pdata/wire_find.h"
#include "spanmetrics_state.h"

#define BATCH_BYTES ((size_t)512 << 10)

enum { ATTRIBUTE = 1 };

void spanmetrics_flush_begin(struct spanmetrics_state *state, uint64_t unix_ns)
{
    state->flush_ns = unix_ns;
    state->resource = state->table.first;
    state->metric = 0;
    state->series = NULL;
    for (struct spanmetrics_resource *one = state->table.first; one != NULL; one = one->next) {
        one->eviction =
            one->eviction == SPANMETRICS_STAYS ? SPANMETRICS_STAYS : SPANMETRICS_PASSED_ON;
    }
}

/* ---- writing ---- */

static void put_attributes(struct hf_builder *builder, struct hf_slice bytes)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_slice pair, key, value;
    while (hf_wire_each(&wire, ATTRIBUTE, &pair)) {
        if (hf_attribute_read(pair, &key, &value)) {
            hf_build_attribute_value(builder, key, value);
        }
    }
}

static void open_resource(struct spanmetrics_state *state)
{
    const struct spanmetrics_resource *resource = state->resource;
    hf_build_resource(&state->builder, HF_EMPTY_SLICE);
    put_attributes(&state->builder,
                   hf_slice_of(resource->bytes + resource->key_size, resource->attributes_size));
    hf_build_scope(&state->builder, hf_slice_text("spanmetricsconnector"), HF_EMPTY_SLICE);
}

static void open_metric(struct spanmetrics_state *state)
{
    static const char *const names[] = {[SPANMETRICS_CALLS] = "calls",
                                        [SPANMETRICS_DURATION] = "duration",
                                        [SPANMETRICS_EVENTS] = "events"};
    const struct spanmetrics_layout *layout = state->layout;
    bool is_duration = state->metric == SPANMETRICS_DURATION;
    char name[SPANMETRICS_NAMESPACE_MAX + 16];
    snprintf(name, sizeof(name), "%s%s%s", layout->namespace_,
             layout->namespace_[0] != '\0' ? "." : "", names[state->metric]);
    struct hf_build_metric metric = {.name = hf_slice_text(name),
                                     .kind = HF_BUILD_SUM,
                                     .is_monotonic = true,
                                     .temporality =
                                         layout->is_delta ? HF_BUILD_DELTA : HF_BUILD_CUMULATIVE};
    if (is_duration) {
        metric.kind = layout->form.is_exponential ? HF_BUILD_EXPONENTIAL : HF_BUILD_HISTOGRAM;
        metric.unit = hf_slice_text(layout->unit == SPANMETRICS_S ? "s" : "ms");
        metric.is_monotonic = false;
    }
    hf_build_metric(&state->builder, &metric);
}

static void put_exemplars(struct spanmetrics_state *state, const struct spanmetrics_series *series)
{
    for (uint32_t i = 0; i < series->exemplar_count; i++) {
        const struct spanmetrics_exemplar *one = &series->exemplars[i];
        const struct hf_build_exemplar exemplar = {
            .time_ns = state->flush_ns,
            .is_double = true,
            .number = one->value,
            .trace_id = hf_slice_of(one->trace_id, sizeof(one->trace_id)),
            .span_id = hf_slice_of(one->span_id, sizeof(one->span_id))};
        hf_build_exemplar(&state->builder, &exemplar);
        hf_build_end(&state->builder);
    }
}

static uint64_t start_of(struct spanmetrics_state *state, const struct spanmetrics_series *series)
{
    struct hf_slice key = hf_slice_of(series->bytes, series->key_size);
    uint64_t last_ns = state->layout->is_delta && state->times != NULL
                           ? spanmetrics_times_get(state->times, key)
                           : 0;
    return last_ns != 0 ? last_ns : series->start_ns;
}

/* A cumulative sum begins with 0, so that the first spans are seen as a rise. */
static void put_point(struct spanmetrics_state *state, const struct spanmetrics_series *series)
{
    const struct hf_build_point point = {.start_ns = start_of(state, series),
                                         .time_ns = state->flush_ns};
    bool begins = series->is_new && !state->layout->is_delta;
    if (series->distribution != NULL) {
        hf_distribution_build(&state->layout->form, series->distribution, &state->builder, &point);
    } else {
        hf_build_point_int(&state->builder, &point, begins ? 0 : (int64_t)series->count);
    }
    put_attributes(&state->builder,
                   hf_slice_of(series->bytes + series->key_size, series->attributes_size));
    put_exemplars(state, series);
    hf_build_end(&state->builder);
}

/* ---- walking ---- */

/* The next series, over metrics and resources. NULL: there is none left. */
static struct spanmetrics_series *step(struct spanmetrics_state *state)
{
    while (state->resource != NULL) {
        struct spanmetrics_series *next = state->series != NULL
                                              ? state->series->next
                                              : state->resource->metrics[state->metric].first;
        if (next != NULL) {
            state->series = next;
            return next;
        }
        state->series = NULL;
        if (++state->metric == SPANMETRICS_METRIC_COUNT) {
            state->metric = 0;
            state->resource = state->resource->next;
        }
    }
    return NULL;
}

/* Where a flush stood. */
struct spot {
    struct spanmetrics_resource *resource;
    struct spanmetrics_series *series;
    size_t metric;
};

static void go_back(struct spanmetrics_state *state, const struct spot *spot)
{
    state->resource = spot->resource;
    state->series = spot->series;
    state->metric = spot->metric;
}

/* The series from there to here are in a batch. */
static void settle(struct spanmetrics_state *state, const struct spot *from)
{
    const struct spot here = {state->resource, state->series, state->metric};
    const struct spanmetrics_series *last = state->series;
    go_back(state, from);
    for (struct spanmetrics_series *one = step(state); one != NULL; one = step(state)) {
        one->is_new = false;
        one->exemplar_count = 0;
        if (one == last) {
            break;
        }
    }
    go_back(state, &here);
}

static void fill(struct spanmetrics_state *state)
{
    const struct spanmetrics_resource *resource = NULL;
    size_t metric = SPANMETRICS_METRIC_COUNT;
    while (hf_build_size(&state->builder) < BATCH_BYTES) {
        const struct spanmetrics_series *series = step(state);
        if (series == NULL) {
            return;
        }
        bool is_other = state->resource != resource;
        if (is_other) {
            open_resource(state);
            resource = state->resource;
        }
        if (is_other || state->metric != metric) {
            open_metric(state);
            metric = state->metric;
        }
        put_point(state, series);
    }
}

enum hf_status spanmetrics_flush_next(struct spanmetrics_state *state, struct hf_batch **ret_batch)
{
    *ret_batch = hf_build_take(&state->builder); /* a second one of a large point */
    if (*ret_batch != NULL) {
        return HF_OK;
    }
    const struct spot begun = {state->resource, state->series, state->metric};
    fill(state);
    if (hf_build_finish(&state->builder) != HF_OK) {
        go_back(state, &begun);
        return HF_NOMEM;
    }
    *ret_batch = hf_build_take(&state->builder);
    if (*ret_batch != NULL) {
        settle(state, &begun);
    }
    return HF_OK;
}

/* ---- the end ---- */

static void remember_times(struct spanmetrics_state *state)
{
    for (struct spanmetrics_resource *one = state->table.first; one != NULL; one = one->next) {
        for (size_t i = 0; i < SPANMETRICS_METRIC_COUNT; i++) {
            for (struct spanmetrics_series *series = one->metrics[i].first; series != NULL;
                 series = series->next) {
                spanmetrics_times_put(state->times, hf_slice_of(series->bytes, series->key_size),
                                      state->flush_ns);
            }
        }
    }
}

static bool is_older(uint64_t seen_ns, uint64_t age_ns, uint64_t now_ns)
{
    return age_ns != 0 && now_ns >= seen_ns && now_ns - seen_ns >= age_ns;
}

static void expire_series(struct spanmetrics_state *state, struct spanmetrics_resource *resource)
{
    for (size_t i = 0; i < SPANMETRICS_METRIC_COUNT; i++) {
        struct spanmetrics_series *next = NULL;
        for (struct spanmetrics_series *one = resource->metrics[i].first; one != NULL; one = next) {
            next = one->next;
            if (is_older(one->seen_ns, state->config->series_expiration_ns, state->flush_ns)) {
                spanmetrics_table_remove_series(&state->table, one);
            }
        }
    }
}

static void expire(struct spanmetrics_state *state)
{
    struct spanmetrics_resource *next = NULL;
    for (struct spanmetrics_resource *one = state->table.first; one != NULL; one = next) {
        next = one->next;
        if (one->eviction == SPANMETRICS_PASSED_ON ||
            is_older(one->seen_ns, state->config->metrics_expiration_ns, state->flush_ns)) {
            spanmetrics_table_remove_resource(&state->table, one);
        } else if (state->config->series_expiration_ns != 0) {
            expire_series(state, one);
        }
    }
}

void spanmetrics_flush_end(struct spanmetrics_state *state)
{
    if (state->layout == &state->old) {
        spanmetrics_state_clear(state);
    } else if (state->layout->is_delta) {
        remember_times(state);
        spanmetrics_table_clear(&state->table);
    } else {
        expire(state);
    }
    state->resource = NULL;
    state->series = NULL;
}
