#include "own_build.h"

#include <stdio.h>
#include <string.h>

#include "pdata/build_metrics.h"
#include "pdata/build_spans.h"
#include "util/arena.h"
#include "json/json.h"

#define FIELDS_BYTES_MAX (64u << 10)
#define KIND_SERVER 2u
#define KIND_CLIENT 3u
#define STATUS_ERROR 2u

static void put_text(struct hf_builder *builder, const char *key, const char *value)
{
    hf_build_attribute_string(builder, hf_slice_text(key), hf_slice_text(value));
}

void hf_own_build_head(struct hf_builder *builder, const struct hf_own_resource *resource)
{
    const struct hf_string_pair own[] = {{"service.instance.id", resource->instance},
                                         {"service.name", "holdfast"},
                                         {"service.version", HF_VERSION}};
    hf_build_resource(builder, HF_EMPTY_SLICE);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        bool is_set = false;
        for (size_t k = 0; k < resource->resource->count; k++) {
            is_set = is_set || strcmp(resource->resource->items[k].key, own[i].key) == 0;
        }
        if (!is_set) {
            put_text(builder, own[i].key, own[i].value);
        }
    }
    for (size_t i = 0; i < resource->resource->count; i++) {
        const struct hf_string_pair *pair = &resource->resource->items[i];
        if (pair->value != NULL) {
            put_text(builder, pair->key, pair->value);
        }
    }
    hf_build_scope(builder, hf_slice_text("holdfast"), hf_slice_text(HF_VERSION));
}

/* ---- metrics ---- */

struct metrics_walk {
    struct hf_builder *builder;
    char name[256]; /* of the metric that is open; "": none */
    struct hf_build_point point, count_point;
};

static void put_labels(struct hf_builder *builder, const char *labels)
{
    char name[HF_METRIC_LABEL_MAX], value[HF_METRIC_LABEL_MAX];
    while (hf_metrics_label_next(&labels, name, value)) {
        put_text(builder, name, value);
    }
    hf_build_end(builder);
}

static void open_metric(struct metrics_walk *walk, const struct hf_metric_view *view)
{
    static const enum hf_build_metric_kind kinds[] = {[HF_COUNTER] = HF_BUILD_SUM,
                                                      [HF_GAUGE] = HF_BUILD_GAUGE,
                                                      [HF_HISTOGRAM] = HF_BUILD_HISTOGRAM};
    const struct hf_build_metric metric = {
        .name = hf_slice_text(view->name),
        .description = hf_slice_text(view->help),
        .unit = hf_slice_text(view->unit),
        .kind = kinds[view->type],
        .temporality = view->type == HF_GAUGE ? HF_BUILD_NO_TEMPORALITY : HF_BUILD_CUMULATIVE,
        .is_monotonic = view->type == HF_COUNTER,
    };
    snprintf(walk->name, sizeof(walk->name), "%s", view->name);
    hf_build_metric(walk->builder, &metric);
}

static void put_series(void *user, const struct hf_metric_view *view)
{
    struct metrics_walk *walk = user;
    const struct hf_build_point *point = view->type == HF_GAUGE ? &walk->point : &walk->count_point;
    if (strcmp(walk->name, view->name) != 0) {
        open_metric(walk, view);
    }
    if (view->type == HF_HISTOGRAM) {
        struct hf_build_histogram histogram = {.point = *point,
                                               .has_sum = true,
                                               .sum = (double)view->sum * view->scale,
                                               .buckets = view->buckets,
                                               .bounds = view->bounds,
                                               .bound_count = view->bound_count};
        for (size_t i = 0; i <= view->bound_count; i++) {
            histogram.count += view->buckets[i];
        }
        hf_build_point_histogram(walk->builder, &histogram);
    } else if (view->scale == 1) {
        hf_build_point_int(walk->builder, point, view->value);
    } else {
        hf_build_point_double(walk->builder, point, (double)view->value * view->scale);
    }
    put_labels(walk->builder, view->labels);
}

void hf_own_build_metrics(struct hf_builder *builder, struct hf_metrics *metrics,
                          uint64_t start_unix_ns, uint64_t now_unix_ns)
{
    struct metrics_walk walk = {
        .builder = builder,
        .point = {.time_ns = now_unix_ns},
        .count_point = {.start_ns = start_unix_ns, .time_ns = now_unix_ns},
    };
    hf_metrics_each(metrics, put_series, &walk);
}

/* ---- the log ---- */

/* Fields of a line were written by the log itself, as JSON. */
static void put_fields(struct hf_builder *builder, const char *fields)
{
    char text[4096], error[HF_JSON_ERROR_MAX];
    const struct hf_json *value = NULL;
    struct hf_arena arena = {.limit = FIELDS_BYTES_MAX};
    int size = snprintf(text, sizeof(text), "{%s}", fields);
    if (size > 0 && (size_t)size < sizeof(text) &&
        hf_json_read(hf_slice_of(text, (size_t)size), &arena, &value, error) == HF_OK) {
        for (const struct hf_json *one = hf_json_first(value); one != NULL; one = one->next) {
            if (one->kind == HF_JSON_INT) {
                hf_build_attribute_int(builder, one->key, one->integer);
            } else {
                hf_build_attribute_string(builder, one->key, hf_json_text(one));
            }
        }
    }
    hf_arena_release(&arena);
}

void hf_own_build_line(struct hf_builder *builder, const struct hf_own_log_line *line)
{
    static const struct {
        uint32_t number;
        const char *text;
    } severities[] = {[HF_LOG_DEBUG] = {5, "debug"},
                      [HF_LOG_INFO] = {9, "info"},
                      [HF_LOG_WARN] = {13, "warn"},
                      [HF_LOG_ERROR] = {17, "error"}};
    const struct hf_build_log_record record = {
        .time_ns = line->time_unix_ns,
        .observed_ns = line->time_unix_ns,
        .severity_number = severities[line->level].number,
        .severity_text = hf_slice_text(severities[line->level].text),
    };
    hf_build_log_record(builder, &record);
    hf_build_body_string(builder, hf_slice_text(line->message));
    put_text(builder, "otelcol.component.id", line->component);
    put_fields(builder, line->fields);
    hf_build_end(builder);
}

/* ---- spans ---- */

void hf_own_build_span(struct hf_builder *builder, const struct hf_span_name *name,
                       const struct hf_own_span *span)
{
    const struct hf_span_kind *kind = hf_span_name_kind(name);
    const struct hf_build_span built = {
        .trace_id = hf_slice_of(span->trace_id, sizeof(span->trace_id)),
        .span_id = hf_slice_of(span->span_id, sizeof(span->span_id)),
        .name = hf_slice_text(hf_span_name_text(name)),
        .kind = kind->is_client ? KIND_CLIENT : KIND_SERVER,
        .start_ns = span->start_unix_ns,
        .end_ns = span->start_unix_ns + span->duration_ns,
        .status_code = span->is_failed ? STATUS_ERROR : 0,
        .status_message = hf_slice_text(span->error),
    };
    int64_t items = (int64_t)span->items;
    hf_build_span(builder, &built);
    hf_build_attribute_int(builder, hf_slice_text(kind->items_key), span->is_failed ? 0 : items);
    hf_build_attribute_int(builder, hf_slice_text(kind->failed_items_key),
                           span->is_failed ? items : 0);
    if (span->transport != NULL) {
        put_text(builder, "transport", span->transport);
    }
    hf_build_end(builder);
}
