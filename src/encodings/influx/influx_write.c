/*
 * influx_write: the points of all lines, put together by resource, scope and metric.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "influx_parts.h"
#include "pdata/build_metrics.h"

#define PARTS_MAX 4096u /* bounds of one histogram or summary */

/* One histogram or summary. */
struct distribution {
    struct hf_build_quantile bounds[PARTS_MAX]; /* of buckets too: the bound and what was counted */
    uint64_t counts[PARTS_MAX + 1];
    double limits[PARTS_MAX];
    size_t count;
    bool has_buckets, has_quantiles;
    bool has[INFLUX_PART_MAX + 1];
    double values[INFLUX_PART_MAX + 1];
    uint64_t start_ns;
};

static int compare(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int in_order(const void *a, const void *b)
{
    const struct influx_point *left = a, *right = b;
    int order = compare(left->tags->resource_hash, right->tags->resource_hash);
    order = order != 0 ? order : compare(left->tags->scope_hash, right->tags->scope_hash);
    order = order != 0 ? order : compare(left->metric_hash, right->metric_hash);
    if (order == 0 && left->part >= INFLUX_BOUND && right->part >= INFLUX_BOUND) {
        order = compare(left->tags->attribute_hash, right->tags->attribute_hash);
        order = order != 0 ? order : compare(left->time_ns, right->time_ns);
    }
    return order != 0 ? order : compare(left->order, right->order);
}

static void put_attributes(struct hf_builder *builder, const struct hf_influx_tag *tags,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hf_build_attribute_string(builder, tags[i].key, tags[i].value);
    }
}

static void end_point(struct hf_builder *builder, const struct influx_point *point)
{
    put_attributes(builder, point->tags->attributes, point->tags->attribute_count);
    hf_build_end(builder);
}

static void write_number(struct hf_builder *builder, const struct influx_point *point)
{
    const struct hf_build_point made = {.start_ns = point->start_ns, .time_ns = point->time_ns};
    if (point->is_integer) {
        hf_build_point_int(builder, &made, point->integer);
    } else {
        hf_build_point_double(builder, &made, point->number);
    }
    end_point(builder, point);
}

/* ---- histograms and summaries ---- */

static uint64_t count_of(double value)
{
    return value > 0 ? value < 1.8e19 ? (uint64_t)value : UINT64_MAX : 0;
}

static int by_bound(const void *a, const void *b)
{
    const struct hf_build_quantile *left = a, *right = b;
    return left->quantile < right->quantile ? -1 : left->quantile > right->quantile;
}

/* Of two of the same bound the last one counts. */
static void sort_bounds(struct distribution *all)
{
    size_t kept = 0;
    qsort(all->bounds, all->count, sizeof(all->bounds[0]), by_bound);
    for (size_t i = 0; i < all->count; i++) {
        kept -= kept != 0 && all->bounds[kept - 1].quantile == all->bounds[i].quantile;
        all->bounds[kept++] = all->bounds[i];
    }
    all->count = kept;
}

static void add_part(struct distribution *all, const struct influx_point *point)
{
    all->start_ns = point->start_ns != 0 ? point->start_ns : all->start_ns;
    if (point->part > INFLUX_QUANTILE) {
        all->has[point->part] = true;
        all->values[point->part] = point->number;
    } else if (all->count < PARTS_MAX) {
        all->has_buckets |= point->part == INFLUX_BUCKET;
        all->has_quantiles |= point->part == INFLUX_QUANTILE;
        all->bounds[all->count++] = (struct hf_build_quantile){point->bound, point->number};
    }
}

/* Schema 1 does not tell buckets and quantiles apart: what cannot be counts are values. */
static bool is_summary(const struct distribution *all)
{
    double before = 0;
    if (all->has_quantiles || all->has_buckets) {
        return all->has_quantiles;
    }
    bool could_be = all->count != 0, are_counts = true;
    for (size_t i = 0; i < all->count; i++) {
        double value = all->bounds[i].value;
        could_be &= all->bounds[i].quantile >= 0 && all->bounds[i].quantile <= 1;
        are_counts &=
            value >= before && value == floor(value) && value <= all->values[INFLUX_PART_COUNT];
        before = value;
    }
    return could_be && !are_counts;
}

static void write_summary(struct hf_builder *builder, const struct distribution *all,
                          const struct hf_build_point *point)
{
    const struct hf_build_summary summary = {.point = *point,
                                             .count = count_of(all->values[INFLUX_PART_COUNT]),
                                             .sum = all->values[INFLUX_PART_SUM],
                                             .quantiles = all->bounds,
                                             .quantile_count = all->count};
    hf_build_point_summary(builder, &summary);
}

/* Counts of buckets add up from bound to bound; the last one has no bound. */
static void write_histogram(struct hf_builder *builder, struct distribution *all,
                            const struct hf_build_point *point)
{
    uint64_t below = 0;
    size_t count = all->count;
    count -= count != 0 && isinf(all->bounds[count - 1].quantile);
    for (size_t i = 0; i < count; i++) {
        uint64_t so_far = count_of(all->bounds[i].value);
        so_far = so_far > below ? so_far : below;
        all->limits[i] = all->bounds[i].quantile;
        all->counts[i] = so_far - below;
        below = so_far;
    }
    uint64_t total = all->has[INFLUX_PART_COUNT] ? count_of(all->values[INFLUX_PART_COUNT])
                     : all->count != 0           ? count_of(all->bounds[all->count - 1].value)
                                                 : 0;
    total = total > below ? total : below;
    all->counts[count] = total - below;
    const struct hf_build_histogram histogram = {
        .point = *point,
        .count = total,
        .has_sum = all->has[INFLUX_PART_SUM],
        .sum = all->values[INFLUX_PART_SUM],
        .has_min = all->has[INFLUX_PART_MIN],
        .min = all->values[INFLUX_PART_MIN],
        .has_max = all->has[INFLUX_PART_MAX],
        .max = all->values[INFLUX_PART_MAX],
        .buckets = all->counts,
        .bounds = all->limits,
        .bound_count = count,
    };
    hf_build_point_histogram(builder, &histogram);
}

/* Do two parts belong to one point? */
static bool is_same(const struct influx_point *a, const struct influx_point *b)
{
    return a->tags->resource_hash == b->tags->resource_hash &&
           a->tags->scope_hash == b->tags->scope_hash && a->metric_hash == b->metric_hash &&
           a->tags->attribute_hash == b->tags->attribute_hash && a->time_ns == b->time_ns;
}

/* The parts of one point from `first` on, in `all`. How many there are. */
static size_t gather(const struct influx_work *work, size_t first, struct distribution *all)
{
    size_t end = first;
    all->count = 0;
    all->has_buckets = all->has_quantiles = false;
    all->start_ns = 0;
    for (enum influx_part part = INFLUX_PART_COUNT; part <= INFLUX_PART_MAX; part++) {
        all->has[part] = false;
        all->values[part] = 0;
    }
    while (end < work->point_count && is_same(&work->points[first], &work->points[end])) {
        add_part(all, &work->points[end++]);
    }
    sort_bounds(all);
    return end - first;
}

/* ---- metrics ---- */

/* Opens what the point belongs to, unless it is open. */
static void open_parents(struct hf_builder *builder, const struct influx_point *point,
                         const struct influx_point *before, enum hf_build_metric_kind kind,
                         enum hf_build_metric_kind before_kind)
{
    const struct influx_tags *tags = point->tags;
    bool is_new = before == NULL || before->tags->resource_hash != tags->resource_hash;
    if (is_new) {
        hf_build_resource(builder, HF_EMPTY_SLICE);
        put_attributes(builder, tags->resource, tags->resource_count);
    }
    is_new |= before != NULL && before->tags->scope_hash != tags->scope_hash;
    if (is_new) {
        hf_build_scope(builder, tags->scope_name, tags->scope_version);
    }
    if (is_new || before->metric_hash != point->metric_hash || kind != before_kind) {
        const struct hf_build_metric metric = {.name = point->name,
                                               .kind = kind,
                                               .temporality = tags->is_delta ? HF_BUILD_DELTA
                                                                             : HF_BUILD_CUMULATIVE,
                                               .is_monotonic = true};
        hf_build_metric(builder, &metric);
    }
}

static enum hf_status write_sorted(struct influx_work *work, struct distribution *all)
{
    const struct influx_point *before = NULL;
    enum hf_build_metric_kind kind = HF_BUILD_GAUGE, before_kind = HF_BUILD_GAUGE;
    for (size_t i = 0; i < work->point_count;) {
        const struct influx_point *point = &work->points[i];
        size_t parts = 1;
        if (point->part >= INFLUX_BOUND) {
            parts = gather(work, i, all);
            kind = is_summary(all) ? HF_BUILD_SUMMARY : HF_BUILD_HISTOGRAM;
        } else {
            kind = point->part == INFLUX_SUM ? HF_BUILD_SUM : HF_BUILD_GAUGE;
        }
        open_parents(work->builder, point, before, kind, before_kind);
        const struct hf_build_point made = {.start_ns = all->start_ns, .time_ns = point->time_ns};
        if (kind == HF_BUILD_SUMMARY) {
            write_summary(work->builder, all, &made);
            end_point(work->builder, point);
        } else if (kind == HF_BUILD_HISTOGRAM) {
            write_histogram(work->builder, all, &made);
            end_point(work->builder, point);
        } else {
            write_number(work->builder, point);
        }
        if (work->builder->ready != NULL) {
            snprintf(
                work->reterr, HF_INFLUX_ERROR_MAX,
                "the body is larger as OTLP than one request may be; send fewer lines at once");
            return HF_TOO_LARGE;
        }
        before = point;
        before_kind = kind;
        i += parts;
    }
    return HF_OK;
}

enum hf_status influx_write_points(struct influx_work *work)
{
    struct distribution *all = malloc(sizeof(*all));
    if (all == NULL) {
        return HF_NOMEM;
    }
    if (work->point_count != 0) {
        qsort(work->points, work->point_count, sizeof(*work->points), in_order);
    }
    enum hf_status status = write_sorted(work, all);
    free(all);
    return status;
}
