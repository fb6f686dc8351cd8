#include "delta.h"

#include <math.h>
#include <string.h>

#include "pdata/buckets.h"

static enum cumulativetodelta_verdict subtract_numbers(struct hf_point *point,
                                                       const struct hf_point *before)
{
    if (point->is_double ? point->number < before->number : point->integer < before->integer) {
        return CUMULATIVETODELTA_RESET;
    }
    if (point->is_double) {
        point->number -= before->number;
    } else {
        point->integer = (int64_t)((uint64_t)point->integer - (uint64_t)before->integer);
    }
    return CUMULATIVETODELTA_OK;
}

static enum cumulativetodelta_verdict
subtract_histograms(struct hf_point *point, const struct hf_point *before, struct hf_arena *arena)
{
    bool are_same =
        point->count_count == before->count_count && point->bound_count == before->bound_count &&
        (point->bound_count == 0 ||
         memcmp(point->bounds, before->bounds, point->bound_count * sizeof(*point->bounds)) == 0);
    if (!are_same) {
        return CUMULATIVETODELTA_BUCKET_MISMATCH;
    }
    bool is_reset = point->count < before->count;
    for (size_t i = 0; i < point->count_count; i++) {
        is_reset |= point->counts[i] < before->counts[i];
    }
    if (is_reset) {
        return CUMULATIVETODELTA_RESET;
    }
    if (hf_point_own(point, arena) != HF_OK) {
        return CUMULATIVETODELTA_NO_MEMORY;
    }
    point->count -= before->count;
    point->sum -= isnan(point->sum) ? 0 : before->sum;
    for (size_t i = 0; i < point->count_count; i++) {
        point->counts[i] -= before->counts[i];
    }
    return CUMULATIVETODELTA_OK;
}

/* ---- exponential histograms ---- */

/* False: a bucket has less than before. `buckets` are changed in place, without zeros around. */
static bool subtract_buckets(struct hf_point_buckets *buckets,
                             const struct hf_point_buckets *before)
{
    size_t first = buckets->count, last = 0;
    for (size_t i = 0; i < buckets->count; i++) {
        uint64_t had = hf_buckets_at(before, (int64_t)buckets->offset + (int64_t)i);
        if (buckets->counts[i] == 0) {
            continue;
        }
        if (buckets->counts[i] < had) {
            return false;
        }
        buckets->counts[i] -= had;
        if (buckets->counts[i] != 0) {
            first = first < i ? first : i;
            last = i + 1;
        }
    }
    if (last == 0) {
        *buckets = (struct hf_point_buckets){0, NULL, 0};
        return true;
    }
    buckets->counts += first;
    buckets->offset += (int32_t)first;
    buckets->count = last - first;
    return true;
}

static enum cumulativetodelta_verdict
subtract_exponential(struct hf_point *point, struct hf_point *before, struct hf_arena *arena)
{
    if (point->count < before->count || point->zero_threshold < before->zero_threshold ||
        point->scale > before->scale) {
        return CUMULATIVETODELTA_RESET;
    }
    if (hf_point_own(point, arena) != HF_OK) {
        return CUMULATIVETODELTA_NO_MEMORY;
    }
    point->count -= before->count;
    point->sum -= isnan(point->sum) ? 0 : before->sum;
    if (point->zero_threshold > before->zero_threshold) {
        double factor = ldexp(1 / log(2), before->scale);
        double index = ceil(log(point->zero_threshold) * factor) - 1;
        before->zero_count += hf_buckets_trim(&before->positive, index);
        before->zero_count += hf_buckets_trim(&before->negative, index);
    }
    point->zero_count -= before->zero_count;
    if (point->scale < before->scale) {
        unsigned times = (unsigned)(before->scale - point->scale);
        hf_buckets_coarsen(&before->positive, times);
        hf_buckets_coarsen(&before->negative, times);
    }
    return subtract_buckets(&point->positive, &before->positive) &&
                   subtract_buckets(&point->negative, &before->negative)
               ? CUMULATIVETODELTA_OK
               : CUMULATIVETODELTA_RESET;
}

enum cumulativetodelta_verdict
cumulativetodelta_subtract(struct hf_point *point, struct hf_point *before, struct hf_arena *arena)
{
    point->start_ns = before->time_ns;
    switch (point->kind) {
    case HF_POINT_HISTOGRAM:
        return subtract_histograms(point, before, arena);
    case HF_POINT_EXPONENTIAL:
        return subtract_exponential(point, before, arena);
    default:
        return subtract_numbers(point, before);
    }
}
