#include "accumulate.h"

#include <math.h>
#include <string.h>

#include "pdata/buckets.h"

#define BUCKETS_MAX 160 /* of each sign: the scale is lowered before there are more */

static void add_numbers(struct hf_point *sum, const struct hf_point *delta)
{
    if (!delta->has_number) {
        return;
    }
    if (sum->is_double || delta->is_double) {
        double before = sum->is_double ? sum->number : (double)sum->integer;
        sum->number = before + (delta->is_double ? delta->number : (double)delta->integer);
        sum->is_double = true;
    } else {
        sum->integer = (int64_t)((uint64_t)sum->integer + (uint64_t)delta->integer);
    }
    sum->has_number = true;
}

/* What not all of them have, the sum has not either. */
static void add_extremes(struct hf_point *sum, const struct hf_point *delta)
{
    sum->count += delta->count;
    sum->has_sum = sum->has_sum && delta->has_sum;
    sum->sum += delta->sum;
    sum->has_min = sum->has_min && delta->has_min;
    sum->min = fmin(sum->min, delta->min);
    sum->has_max = sum->has_max && delta->has_max;
    sum->max = fmax(sum->max, delta->max);
}

static void add_histograms(struct hf_point *sum, const struct hf_point *delta)
{
    bool are_same = sum->bound_count == delta->bound_count &&
                    (sum->bound_count == 0 || memcmp(sum->bounds, delta->bounds,
                                                     sum->bound_count * sizeof(*sum->bounds)) == 0);
    if (!are_same) {
        *sum = *delta; /* with other bounds it begins again */
        return;
    }
    for (size_t i = 0; i < sum->count_count && i < delta->count_count; i++) {
        sum->counts[i] += delta->counts[i];
    }
    add_extremes(sum, delta);
}

/* ---- exponential histograms ---- */

static void lower_scale(struct hf_point *point, int32_t scale)
{
    if (point->scale > scale) {
        unsigned times = (unsigned)(point->scale - scale);
        hf_buckets_coarsen(&point->positive, times);
        hf_buckets_coarsen(&point->negative, times);
        point->scale = scale;
    }
}

/* The scale at which the sum of both has few enough buckets. */
static int32_t limit_scale(int32_t scale, const struct hf_point_buckets *a,
                           const struct hf_point_buckets *b)
{
    struct hf_buckets_range range = hf_buckets_range(a, b);
    while (range.upper - range.lower > BUCKETS_MAX) {
        range.lower /= 2;
        range.upper /= 2;
        scale--;
    }
    return scale;
}

/* The largest bucket that ends at or below the value. */
static double index_of(double value, int32_t scale)
{
    int exponent;
    if (frexp(value, &exponent) == 0.5) {
        return ldexp(exponent - 1, scale) - 1;
    }
    return floor(log(value) * ldexp(1 / log(2), scale));
}

static void widen_zero(struct hf_point *point, double width)
{
    double index = index_of(width, point->scale);
    point->zero_count += hf_buckets_trim(&point->positive, index);
    point->zero_count += hf_buckets_trim(&point->negative, index);
    point->zero_threshold = exp((index + 1) * ldexp(log(2), -point->scale));
}

static enum hf_status add_exponential(struct hf_point *sum, struct hf_point *delta,
                                      struct hf_arena *arena)
{
    lower_scale(sum, delta->scale);
    lower_scale(delta, sum->scale);
    int32_t positive = limit_scale(sum->scale, &sum->positive, &delta->positive);
    int32_t negative = limit_scale(sum->scale, &sum->negative, &delta->negative);
    int32_t scale = positive < negative ? positive : negative;
    lower_scale(sum, scale);
    lower_scale(delta, scale);
    if (sum->zero_threshold < delta->zero_threshold) {
        widen_zero(sum, delta->zero_threshold);
    } else if (delta->zero_threshold < sum->zero_threshold) {
        widen_zero(delta, sum->zero_threshold);
    }
    enum hf_status status = hf_buckets_add(&sum->positive, &delta->positive, arena);
    if (status == HF_OK) {
        status = hf_buckets_add(&sum->negative, &delta->negative, arena);
    }
    add_extremes(sum, delta);
    sum->zero_count += delta->zero_count;
    return status;
}

enum hf_status deltatocumulative_add(struct hf_point *sum, struct hf_point *delta,
                                     struct hf_arena *arena)
{
    uint64_t time_ns = delta->time_ns;
    enum hf_status status = hf_point_own(delta, arena);
    if (status == HF_OK) {
        status = hf_point_own(sum, arena);
    }
    if (status != HF_OK) {
        return status;
    }
    switch (sum->kind) {
    case HF_POINT_HISTOGRAM:
        add_histograms(sum, delta);
        break;
    case HF_POINT_EXPONENTIAL:
        status = add_exponential(sum, delta, arena);
        break;
    default:
        add_numbers(sum, delta);
        break;
    }
    sum->time_ns = time_ns;
    return status;
}
