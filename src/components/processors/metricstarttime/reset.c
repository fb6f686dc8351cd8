#include "reset.h"

#include <string.h>

#include "pdata/buckets.h"

static bool are_lower(const uint64_t *counts, size_t count, const uint64_t *before,
                      size_t before_count)
{
    if (count != before_count) {
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (counts[i] < before[i]) {
            return true;
        }
    }
    return false;
}

static bool is_reset_histogram(const struct hf_point *point, const struct hf_point *before)
{
    return point->bound_count != before->bound_count ||
           (point->bound_count > 0 && memcmp(point->bounds, before->bounds,
                                             point->bound_count * sizeof(*point->bounds)) != 0) ||
           are_lower(point->counts, point->count_count, before->counts, before->count_count);
}

static bool is_reset_exponential(const struct hf_point *point, const struct hf_point *before)
{
    return point->zero_count < before->zero_count || point->scale != before->scale ||
           are_lower(point->positive.counts, point->positive.count, before->positive.counts,
                     before->positive.count) ||
           are_lower(point->negative.counts, point->negative.count, before->negative.counts,
                     before->negative.count);
}

bool metricstarttime_is_reset(const struct hf_point *point, const struct hf_point *before)
{
    if (point->kind == HF_POINT_NUMBER) {
        return point->number < before->number || point->integer < before->integer;
    }
    if (point->count < before->count || point->sum < before->sum) {
        return true;
    }
    return point->kind == HF_POINT_HISTOGRAM     ? is_reset_histogram(point, before)
           : point->kind == HF_POINT_EXPONENTIAL ? is_reset_exponential(point, before)
                                                 : false;
}

/* ---- subtracting ---- */

/* Buckets that the reference has not are as they are. */
static void subtract_buckets(struct hf_point_buckets *buckets,
                             const struct hf_point_buckets *reference)
{
    for (size_t i = 0; i < buckets->count; i++) {
        buckets->counts[i] -= hf_buckets_at(reference, (int64_t)buckets->offset + (int64_t)i);
    }
}

enum hf_status metricstarttime_subtract(struct hf_point *point, const struct hf_point *reference,
                                        struct hf_arena *arena)
{
    if (point->kind == HF_POINT_NUMBER) {
        point->number -= reference->number;
        point->integer = (int64_t)((uint64_t)point->integer - (uint64_t)reference->integer);
        return HF_OK;
    }
    if (hf_point_own(point, arena) != HF_OK) {
        return HF_NOMEM;
    }
    point->count -= reference->count;
    point->sum -= reference->sum;
    point->zero_count -= reference->zero_count;
    if (point->count_count == reference->count_count) {
        for (size_t i = 0; i < point->count_count; i++) {
            point->counts[i] -= reference->counts[i];
        }
    }
    if (point->positive.count == reference->positive.count &&
        point->negative.count == reference->negative.count) {
        subtract_buckets(&point->positive, &reference->positive);
        subtract_buckets(&point->negative, &reference->negative);
    }
    return HF_OK;
}
