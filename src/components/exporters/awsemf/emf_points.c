#include "emf_points.h"

#include <math.h>
#include <string.h>

#include "emf_places.h"
#include "pdata/json_value.h"
#include "pdata/metric_fields.h"
#include "pdata/point.h"
#include "support/sending/cloudwatch_events.h"

#define NS_PER_MS UINT64_C(1000000)
#define SPLIT 100u /* values of one event at most, as CloudWatch takes them */

/* ---- values ---- */

static enum hf_status add(struct emf_around *around, struct emf_labels labels, uint64_t time_ns,
                          uint32_t part, struct hf_slice name, const struct emf_data *data)
{
    enum hf_status status = emf_add_kubernetes(around->points, &labels);
    status = status == HF_OK ? emf_place_by_labels(around, &labels) : status;
    if (time_ns >= NS_PER_MS) {
        around->place.time_ms = (int64_t)(time_ns / NS_PER_MS);
    }
    if (status != HF_OK) {
        return status;
    }
    struct emf_place place = around->place;
    place.stream = place.stream.size != 0 ? place.stream : around->points->default_stream;
    const struct emf_addition addition = {
        .place = &place,
        .labels = labels,
        .part = part,
        .name = name,
        .unit = around->unit,
        .data = *data,
        .item = around->item,
    };
    return emf_groups_add(around->points->groups, &addition);
}

static struct hf_hash series_of(const struct emf_around *around, const struct emf_labels *labels)
{
    const struct emf_place *place = &around->place;
    struct hf_hash key = hf_hash_mix(emf_labels_hash(labels), hf_hash_of(around->name));
    key = hf_hash_mix(key, hf_hash_pair(place->group, place->stream));
    return hf_hash_mix(
        key, hf_hash_pair(place->namespace, hf_slice_of(&place->metric_kind, sizeof(uint32_t))));
}

/* The rise since the last point. `ret_is_sent` false: there is nothing to send. */
static enum hf_status take_delta(struct emf_around *around, const struct emf_labels *labels,
                                 uint64_t time_ns, struct emf_value *value, bool *ret_is_sent)
{
    struct emf_points *points = around->points;
    switch (emf_deltas_take(points->deltas, series_of(around, labels), around->item, time_ns,
                            around->now_ns, value)) {
    case EMF_DELTA_FOUND:
        *ret_is_sent = true;
        return HF_OK;
    case EMF_DELTA_FIRST:
        *ret_is_sent = points->config->retain_initial;
        return HF_OK;
    case EMF_DELTA_OLD:
        *ret_is_sent = false;
        return HF_OK;
    default:
        return HF_NOMEM;
    }
}

static enum hf_status read_number(struct emf_around *around, const struct emf_labels *labels,
                                  const struct hf_point *point)
{
    double number = point->is_double ? point->number : (double)point->integer;
    struct emf_value value = {.sum = number};
    bool is_cumulative =
        around->walk.kind == HF_BULK_SUM &&
        hf_wire_find_bits(around->walk.data, HF_DATA_TEMPORALITY) == HF_TEMPORALITY_CUMULATIVE;
    bool is_sent = true;
    if (!isfinite(number)) {
        around->points->left_out++;
        return HF_OK;
    }
    if (is_cumulative) {
        enum hf_status status = take_delta(around, labels, point->time_ns, &value, &is_sent);
        if (status != HF_OK || !is_sent) {
            return status;
        }
    }
    const struct emf_data data = {.kind = EMF_NUMBER, .number = value.sum};
    return add(around, *labels, point->time_ns, 0, around->name, &data);
}

static enum hf_status read_histogram(struct emf_around *around, const struct emf_labels *labels,
                                     const struct hf_point *point)
{
    const struct emf_data data = {.kind = EMF_STATISTICS,
                                  .max = point->max,
                                  .min = point->min,
                                  .count = point->count,
                                  .sum = point->sum};
    return add(around, *labels, point->time_ns, 0, around->name, &data);
}

/* ---- exponential histograms ---- */

/* One bucket with something in it. */
struct bucket {
    double low, high, count;
};

/* From the highest value down to the lowest. */
static size_t list_buckets(const struct hf_point *point, struct bucket *buckets)
{
    double base = pow(2, pow(2, -(double)point->scale));
    size_t count = 0;
    for (size_t i = point->positive.count; i-- > 0;) {
        double index = (double)i + point->positive.offset;
        if (point->positive.counts[i] != 0) {
            buckets[count++] = (struct bucket){pow(base, index), pow(base, index + 1),
                                               (double)point->positive.counts[i]};
        }
    }
    if (point->zero_count != 0) {
        buckets[count++] = (struct bucket){0, 0, (double)point->zero_count};
    }
    for (size_t i = 0; i < point->negative.count; i++) {
        double index = (double)i + point->negative.offset;
        if (point->negative.counts[i] != 0) {
            buckets[count++] = (struct bucket){-pow(base, index + 1), -pow(base, index),
                                               (double)point->negative.counts[i]};
        }
    }
    return count;
}

static enum hf_status add_split(struct emf_around *around, const struct emf_labels *labels,
                                const struct hf_point *point, const struct bucket *buckets,
                                size_t first, size_t count, size_t total)
{
    struct hf_arena *arena = around->points->arena;
    struct emf_data data = {
        .kind = EMF_HISTOGRAM,
        .values = hf_arena_take(arena, (count + 1) * sizeof(double)),
        .counts = hf_arena_take(arena, (count + 1) * sizeof(double)),
        .value_count = count,
        .sum = first == 0 ? point->sum : 0, /* once, so that all together have it */
        .max = first == 0 ? point->max : buckets[first].high,
        .min = first + count == total ? point->min : buckets[first + count - 1].low,
    };
    if (data.values == NULL || data.counts == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        data.values[i] = (buckets[first + i].low + buckets[first + i].high) / 2;
        data.counts[i] = buckets[first + i].count;
        data.count += (uint64_t)buckets[first + i].count;
    }
    data.count = total == 0 ? point->count : data.count;
    return add(around, *labels, point->time_ns, (uint32_t)(first / SPLIT), around->name, &data);
}

static enum hf_status read_exponential(struct emf_around *around, const struct emf_labels *labels,
                                       const struct hf_point *point)
{
    size_t room = point->positive.count + point->negative.count + 1;
    struct bucket *buckets = hf_arena_take(around->points->arena, room * sizeof(*buckets));
    if (buckets == NULL) {
        return HF_NOMEM;
    }
    size_t total = list_buckets(point, buckets), first = 0;
    enum hf_status status = HF_OK;
    do {
        size_t count = total - first < SPLIT ? total - first : SPLIT;
        status = add_split(around, labels, point, buckets, first, count, total);
        first += count;
    } while (status == HF_OK && first < total);
    return status;
}

/* ---- summaries ---- */

struct quantile {
    double quantile, value;
};

static double number_of(struct hf_slice message, uint32_t field)
{
    uint64_t bits = hf_wire_find_bits(message, field);
    double number;
    memcpy(&number, &bits, sizeof(number));
    return number;
}

/* False: one of them is not finite. */
static bool list_quantiles(struct hf_slice bytes, struct quantile *quantiles, size_t *ret_count)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_slice one;
    bool is_finite = true;
    *ret_count = 0;
    while (hf_wire_each(&wire, HF_SUMMARY_QUANTILES, &one)) {
        struct quantile found = {number_of(one, 1), number_of(one, 2)};
        is_finite = is_finite && isfinite(found.quantile) && isfinite(found.value);
        quantiles[(*ret_count)++] = found;
    }
    return is_finite;
}

static enum hf_status add_quantiles(struct emf_around *around, const struct emf_labels *labels,
                                    uint64_t time_ns, const struct quantile *quantiles,
                                    size_t count)
{
    struct emf_points *points = around->points;
    enum hf_status status = HF_OK;
    for (size_t i = 0; status == HF_OK && i < count; i++) {
        char room[HF_JSON_DIGITS_MAX];
        size_t size = hf_json_print_double(quantiles[i].quantile, room);
        struct emf_labels own = {
            .items = hf_arena_take(points->arena, (labels->count + 3) * sizeof(*own.items))};
        struct hf_slice text = emf_keep(points, hf_slice_of(room, size));
        if (own.items == NULL || text.data == NULL) {
            return HF_NOMEM;
        }
        memcpy(own.items, labels->items, labels->count * sizeof(*own.items));
        own.count = labels->count;
        emf_add_label(&own, "quantile", text);
        emf_labels_settle(&own);
        const struct emf_data data = {.kind = EMF_NUMBER, .number = quantiles[i].value};
        status = add(around, own, time_ns, 0, around->name, &data);
    }
    return status;
}

static enum hf_status add_detailed(struct emf_around *around, const struct emf_labels *labels,
                                   uint64_t time_ns, const struct emf_value *value,
                                   const struct quantile *quantiles, size_t count)
{
    const struct emf_data sum = {.kind = EMF_NUMBER, .number = value->sum};
    const struct emf_data counted = {.kind = EMF_COUNT, .count = value->count};
    struct hf_slice sum_name = emf_join(around->points, around->name, "_sum", HF_EMPTY_SLICE);
    struct hf_slice count_name = emf_join(around->points, around->name, "_count", HF_EMPTY_SLICE);
    if (sum_name.data == NULL || count_name.data == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = add(around, *labels, time_ns, 0, sum_name, &sum);
    status = status == HF_OK ? add(around, *labels, time_ns, 0, count_name, &counted) : status;
    return status == HF_OK ? add_quantiles(around, labels, time_ns, quantiles, count) : status;
}

static enum hf_status read_summary(struct emf_around *around, const struct emf_labels *labels,
                                   const struct hf_point *point, struct hf_slice bytes)
{
    size_t room = emf_count_pairs(bytes, HF_SUMMARY_QUANTILES) + 1, count = 0;
    struct quantile *quantiles = hf_arena_take(around->points->arena, room * sizeof(*quantiles));
    struct emf_value value = {.sum = point->sum, .count = point->count};
    bool is_sent = true;
    if (quantiles == NULL) {
        return HF_NOMEM;
    }
    if (!list_quantiles(bytes, quantiles, &count)) {
        around->points->left_out++;
        return HF_OK;
    }
    /* Those of the prometheus receiver are cumulative, others are of an interval. */
    if (around->place.is_prometheus) {
        enum hf_status status = take_delta(around, labels, point->time_ns, &value, &is_sent);
        if (status != HF_OK || !is_sent) {
            return status;
        }
    }
    if (around->points->config->detailed) {
        return add_detailed(around, labels, point->time_ns, &value, quantiles, count);
    }
    const struct emf_data data = {.kind = EMF_STATISTICS,
                                  .max = count != 0 ? quantiles[count - 1].value : 0,
                                  .min = count != 0 ? quantiles[0].value : 0,
                                  .count = value.count,
                                  .sum = value.sum};
    return add(around, *labels, point->time_ns, 0, around->name, &data);
}

/* ---- points ---- */

static enum hf_point_kind kind_of(uint32_t kind)
{
    switch (kind) {
    case HF_BULK_HISTOGRAM:
        return HF_POINT_HISTOGRAM;
    case HF_BULK_EXPONENTIAL:
        return HF_POINT_EXPONENTIAL;
    case HF_BULK_SUMMARY:
        return HF_POINT_SUMMARY;
    default:
        return HF_POINT_NUMBER;
    }
}

static void enter_metric(struct emf_around *around)
{
    const struct hf_bulk_walk *walk = &around->walk;
    uint64_t received_ns =
        hf_export_received_ns(around->export, around->item, &around->range, &around->range_first);
    around->metric = walk->metric;
    around->name = hf_wire_find_bytes(walk->metric, HF_METRIC_NAME);
    around->unit = emf_unit(around->points->config, around->name,
                            hf_wire_find_bytes(walk->metric, HF_METRIC_UNIT));
    around->place = around->of_resource;
    around->place.metric_kind = walk->kind;
    around->place.time_ms = (int64_t)(received_ns / NS_PER_MS);
}

static enum hf_status read_point(struct emf_around *around, struct hf_slice bytes)
{
    struct hf_point point;
    struct emf_labels labels;
    uint32_t kind = around->walk.kind;
    enum hf_status status = hf_point_read(bytes, kind_of(kind), around->points->arena, &point);
    if (status != HF_OK) {
        return status;
    }
    bool has_value = kind_of(kind) == HF_POINT_NUMBER ||
                     (isfinite(point.sum) && isfinite(point.min) && isfinite(point.max));
    if ((point.flags & HF_POINT_NO_RECORDED_VALUE) != 0 || !has_value) {
        around->points->left_out += has_value ? 0 : 1; /* the end of a series is no value */
        return HF_OK;
    }
    status = emf_make_labels(around, bytes, hf_bulk_point_attributes(kind), &labels);
    if (status != HF_OK) {
        return status;
    }
    switch (kind) {
    case HF_BULK_HISTOGRAM:
        return read_histogram(around, &labels, &point);
    case HF_BULK_EXPONENTIAL:
        return read_exponential(around, &labels, &point);
    case HF_BULK_SUMMARY:
        return read_summary(around, &labels, &point, bytes);
    default:
        return read_number(around, &labels, &point);
    }
}

enum hf_status emf_points_read(struct emf_points *points, const struct hf_export *export,
                               struct hf_slice raw, uint64_t now_ns)
{
    struct emf_around around = {
        .points = points,
        .walk = {.request = hf_wire_of(raw), .signal = HF_METRICS},
        .export = export,
        .now_ns = now_ns,
    };
    struct hf_slice bytes;
    enum hf_status status = HF_OK;
    points->left_out = 0;
    for (; status == HF_OK && hf_bulk_walk_next(&around.walk, &bytes); around.item++) {
        if (around.walk.is_new_resource) {
            status = emf_enter_resource(&around);
            around.metric = HF_EMPTY_SLICE;
        }
        if (around.walk.is_new_scope || around.walk.is_new_resource) {
            struct hf_slice scope = hf_wire_find_bytes(around.walk.scope, 1);
            around.scope = scope.size != 0 ? scope : around.scope;
        }
        if (status == HF_OK && around.walk.metric.data != around.metric.data) {
            enter_metric(&around);
        }
        status = status == HF_OK ? read_point(&around, bytes) : status;
    }
    return status;
}
