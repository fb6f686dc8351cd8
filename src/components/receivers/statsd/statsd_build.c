/* statsd_build: the store as metrics. */
#include <stdlib.h>

#include "statsd_store.h"

static bool next_text(struct hf_slice *rest, struct hf_slice *ret_text)
{
    uint32_t size;
    if (rest->size < sizeof(size)) {
        return false;
    }
    memcpy(&size, rest->data, sizeof(size));
    if (size > rest->size - sizeof(size)) {
        return false;
    }
    *ret_text = hf_slice_of(rest->data + sizeof(size), size);
    *rest = hf_slice_of(rest->data + sizeof(size) + size, rest->size - sizeof(size) - size);
    return true;
}

static const char scope_name[] =
    "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/statsdreceiver";

static void build_tags(const struct statsd_store *store, const struct statsd_series *series,
                       struct hf_builder *builder)
{
    struct hf_slice rest = series->tags, key, value;
    while (next_text(&rest, &key) && next_text(&rest, &value)) {
        hf_build_attribute_string(builder, key, value);
    }
    if (store->config->adds_type) {
        hf_build_attribute_string(builder, hf_slice_text("metric_type"),
                                  hf_slice_text(hf_statsd_type_name(series->type)));
    }
    hf_build_end(builder);
}

static int compare_values(const void *a, const void *b)
{
    const struct statsd_value *one = a, *other = b;
    return one->value < other->value ? -1 : one->value > other->value;
}

/* The first value at which the weights reach that share of all. */
static double quantile_of(const struct statsd_value *values, size_t count, double share,
                          double total)
{
    double seen = 0;
    size_t i = 0;
    while (i + 1 < count && (seen += values[i].weight) < share * total) {
        i++;
    }
    return values[i].value;
}

static void build_summary(const struct statsd_store *store, const struct statsd_series *series,
                          struct hf_builder *builder, const struct hf_build_point *point)
{
    const struct statsd_rule *rule =
        series->type == HF_STATSD_TIMING ? &store->rules->timing : &store->rules->histogram;
    struct hf_build_quantile quantiles[100];
    struct statsd_value *values = calloc(series->value_count, sizeof(*values));
    size_t count = 0, quantile_count = 0;
    for (const struct statsd_values *at = series->first_values; values != NULL && at != NULL;
         at = at->next) {
        memcpy(&values[count], at->items, at->count * sizeof(values[0]));
        count += at->count;
    }
    if (count != 0) {
        qsort(values, count, sizeof(values[0]), compare_values);
        for (; quantile_count < rule->percentile_count; quantile_count++) {
            double share = rule->percentiles[quantile_count] / 100;
            quantiles[quantile_count] = (struct hf_build_quantile){
                share, quantile_of(values, count, share, series->weight)};
        }
    }
    free(values);
    const struct hf_build_summary summary = {.point = *point,
                                             .count = (uint64_t)series->weight,
                                             .sum = series->sum,
                                             .quantiles = quantiles,
                                             .quantile_count = quantile_count};
    hf_build_point_summary(builder, &summary);
}

/* Copies the counts at a scale that is `times` lower. NULL: no memory. */
static uint64_t *coarser(const struct hf_distribution *from, unsigned times,
                         struct hf_build_buckets *ret_buckets)
{
    uint64_t *counts = calloc(from->size + 1, sizeof(*counts));
    int32_t first = from->first >> times;
    *ret_buckets = (struct hf_build_buckets){.offset = first, .counts = counts};
    for (uint32_t i = 0; counts != NULL && i < from->size; i++) {
        size_t at = (size_t)(((from->first + (int32_t)i) >> times) - first);
        counts[at] += from->counts[i];
        ret_buckets->count = at + 1;
    }
    return counts;
}

static void build_exponential(const struct statsd_series *series, struct hf_builder *builder,
                              const struct hf_build_point *point)
{
    const struct hf_distribution *positive = series->positive, *negative = series->negative;
    bool has_positive = positive != NULL && positive->size != 0;
    bool has_negative = negative != NULL && negative->size != 0;
    int32_t scale = has_positive ? positive->scale : has_negative ? negative->scale : 0;
    scale = has_negative && negative->scale < scale ? negative->scale : scale;
    struct hf_build_exponential exponential = {.point = *point,
                                               .count = series->count,
                                               .zero_count =
                                                   positive != NULL ? positive->zero_count : 0,
                                               .has_sum = true,
                                               .has_min = series->count != 0,
                                               .has_max = series->count != 0,
                                               .sum = series->sum,
                                               .min = series->min,
                                               .max = series->max,
                                               .scale = scale};
    uint64_t *above =
        has_positive ? coarser(positive, (unsigned)(positive->scale - scale), &exponential.positive)
                     : NULL;
    uint64_t *below =
        has_negative ? coarser(negative, (unsigned)(negative->scale - scale), &exponential.negative)
                     : NULL;
    hf_build_point_exponential(builder, &exponential);
    free(above);
    free(below);
}

static void build_points(const struct statsd_store *store, const struct statsd_series *series,
                         struct hf_builder *builder)
{
    for (const struct statsd_values *at = series->first_values; at != NULL; at = at->next) {
        for (uint32_t i = 0; i < at->count; i++) {
            const struct hf_build_point point = {.time_ns = at->items[i].time_ns};
            hf_build_point_double(builder, &point, at->items[i].value);
            build_tags(store, series, builder);
        }
    }
}

static void build_metric(const struct statsd_store *store, const struct statsd_series *series,
                         struct hf_builder *builder)
{
    static const enum hf_build_metric_kind kinds[STATSD_SHAPES] = {
        [STATSD_SUM] = HF_BUILD_SUM,
        [STATSD_LAST] = HF_BUILD_GAUGE,
        [STATSD_POINTS] = HF_BUILD_GAUGE,
        [STATSD_SUMMARY] = HF_BUILD_SUMMARY,
        [STATSD_EXPLICIT] = HF_BUILD_HISTOGRAM,
        [STATSD_EXPONENTIAL] = HF_BUILD_EXPONENTIAL};
    const struct hf_build_metric metric = {.name = series->name,
                                           .kind = kinds[series->shape],
                                           .temporality = HF_BUILD_DELTA,
                                           .is_monotonic = store->config->is_monotonic};
    hf_build_metric(builder, &metric);
}

static void build_series(const struct statsd_store *store, const struct statsd_series *series,
                         struct hf_builder *builder, uint64_t now_ns)
{
    struct hf_build_point point = {.start_ns = store->begun_ns, .time_ns = now_ns};
    build_metric(store, series, builder);
    switch (series->shape) {
    case STATSD_SUM:
        point.time_ns = series->time_ns != 0 ? series->time_ns : now_ns;
        if (series->is_float) {
            hf_build_point_double(builder, &point, series->number);
        } else {
            hf_build_point_int(builder, &point, series->integer);
        }
        break;
    case STATSD_LAST:
        point = (struct hf_build_point){.time_ns = series->time_ns};
        hf_build_point_double(builder, &point, series->number);
        break;
    case STATSD_POINTS:
        build_points(store, series, builder);
        return;
    case STATSD_SUMMARY:
        build_summary(store, series, builder, &point);
        break;
    case STATSD_EXPLICIT: {
        const struct hf_build_histogram histogram = {.point = point,
                                                     .count = series->count,
                                                     .has_sum = true,
                                                     .has_min = series->count != 0,
                                                     .has_max = series->count != 0,
                                                     .sum = series->sum,
                                                     .min = series->min,
                                                     .max = series->max,
                                                     .buckets = series->counts,
                                                     .bounds = series->bounds,
                                                     .bound_count = series->bound_count};
        hf_build_point_histogram(builder, &histogram);
        break;
    }
    case STATSD_EXPONENTIAL:
    case STATSD_SHAPES:
        build_exponential(series, builder, &point);
        break;
    }
    build_tags(store, series, builder);
}

void statsd_store_build(const struct statsd_store *store, const struct statsd_sender *sender,
                        struct hf_builder *builder, uint64_t now_ns)
{
    hf_build_resource(builder, HF_EMPTY_SLICE);
    hf_build_scope(builder, hf_slice_text(scope_name), hf_slice_text(HF_VERSION));
    for (const struct statsd_series *series = sender->first; series != NULL;
         series = series->next) {
        build_series(store, series, builder, now_ns);
    }
}
