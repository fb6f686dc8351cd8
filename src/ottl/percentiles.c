/* The editor that makes a gauge of a percentile of histograms. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "function.h"
#include "metrics_internal.h"
#include "pdata/document.h"
#include "pdata/message.h"

enum {
    EXPONENTIAL_SCALE = 6,
    EXPONENTIAL_ZEROS = 7,
    EXPONENTIAL_POSITIVE = 8,
    EXPONENTIAL_NEGATIVE = 9,
    EXPONENTIAL_THRESHOLD = 14,
    BUCKETS_OFFSET = 1,
    BUCKETS_COUNTS = 2
};

/* What is asked of one point. */
struct asking {
    struct hf_ottl_run *run;
    struct hf_message *point;
    uint64_t target; /* how many values are at most as large as the percentile */
    bool is_there;   /* false: the point has no percentile */
    double percentile;
};

static bool found(struct asking *asking, double percentile)
{
    asking->is_there = true;
    asking->percentile = percentile;
    return true;
}

static bool malformed(struct asking *asking)
{
    return hf_ottl_fail(
        asking->run, "malformed data: the buckets do not fit the bounds or the count of a point");
}

static bool linear(struct asking *asking, double lower, double upper, double ratio)
{
    return ratio >= 0 && ratio <= 1 ? found(asking, lower + ratio * (upper - lower))
                                    : malformed(asking);
}

static bool logarithmic(struct asking *asking, double lower, double upper, double ratio,
                        double sign)
{
    if (!(ratio >= 0 && ratio <= 1) || !(lower > 0) || !(upper > 0)) {
        return malformed(asking);
    }
    double low = log2(lower), high = log2(upper);
    return found(asking, sign * exp2(low + (high - low) * ratio));
}

static size_t count_numbers(struct hf_message *message, uint32_t number)
{
    struct hf_wire_numbers numbers = hf_message_numbers(message, number);
    uint64_t bits;
    size_t count = 0;
    while (hf_wire_next_number(&numbers, &bits)) {
        count++;
    }
    return count;
}

static uint64_t number_at(struct hf_message *message, uint32_t number, size_t index)
{
    struct hf_wire_numbers numbers = hf_message_numbers(message, number);
    uint64_t bits = 0;
    for (size_t i = 0; i <= index; i++) {
        if (!hf_wire_next_number(&numbers, &bits)) {
            return 0;
        }
    }
    return bits;
}

/* The bucket in which the target is, and how many values are before it. False: none is. */
static bool find_bucket(struct hf_message *buckets, uint32_t number, uint64_t target,
                        uint64_t *before, size_t *ret_bucket, uint64_t *ret_count)
{
    struct hf_wire_numbers numbers = hf_message_numbers(buckets, number);
    uint64_t count;
    for (size_t i = 0; hf_wire_next_number(&numbers, &count); i++) {
        if (*before + count >= target) {
            *ret_bucket = i;
            *ret_count = count;
            return true;
        }
        *before += count;
    }
    return false;
}

/* ---- histograms ---- */

static double bound_at(struct hf_message *point, size_t index)
{
    return hf_message_as_double(number_at(point, HISTOGRAM_BOUNDS, index));
}

static bool of_one_bucket(struct asking *asking)
{
    struct hf_message *point = asking->point;
    if (!hf_message_has(point, HISTOGRAM_MIN) || !hf_message_has(point, HISTOGRAM_MAX)) {
        return true;
    }
    return linear(asking, hf_message_double(point, HISTOGRAM_MIN),
                  hf_message_double(point, HISTOGRAM_MAX),
                  (double)asking->target / (double)number_at(point, HISTOGRAM_COUNTS, 0));
}

static bool of_bucket(struct asking *asking, size_t bucket, size_t bounds, double ratio)
{
    struct hf_message *point = asking->point;
    double lower = bucket > 0 ? bound_at(point, bucket - 1) : 0;
    double upper = bucket < bounds ? bound_at(point, bucket) : 0;
    double least = hf_message_double(point, HISTOGRAM_MIN);
    double most = hf_message_double(point, HISTOGRAM_MAX);
    if (bucket == 0) {
        if (hf_message_has(point, HISTOGRAM_MIN) && least < upper) {
            lower = least;
        } else if (upper < 0) {
            return found(asking, upper); /* nothing is known of what is below */
        }
    } else if (bucket == bounds) {
        if (!hf_message_has(point, HISTOGRAM_MAX) || most <= lower) {
            return found(asking, lower);
        }
        upper = most;
    }
    return linear(asking, lower, upper, ratio);
}

static bool of_histogram(struct asking *asking)
{
    struct hf_message *point = asking->point;
    size_t counts = count_numbers(point, HISTOGRAM_COUNTS);
    size_t bounds = count_numbers(point, HISTOGRAM_BOUNDS), bucket;
    uint64_t before = 0, count;
    if (counts == 0) {
        return true;
    }
    if (counts != bounds + 1) {
        return malformed(asking);
    }
    if (counts == 1) {
        return of_one_bucket(asking);
    }
    if (!find_bucket(point, HISTOGRAM_COUNTS, asking->target, &before, &bucket, &count)) {
        return malformed(asking);
    }
    return of_bucket(asking, bucket, bounds, (double)(asking->target - before) / (double)count);
}

/* ---- exponential histograms ---- */

static double exponential_bound(int64_t index, int64_t scale)
{
    if (scale <= 0) {
        double exponent = ldexp((double)index, (int)(scale < -64 ? 64 : -scale));
        return exponent > 5000 ? INFINITY : exponent < -5000 ? 0 : ldexp(1, (int)exponent);
    }
    return exp((double)index * ldexp(log(2), (int)(scale > 2000 ? -2000 : -scale)));
}

static bool of_exponential_bucket(struct asking *asking, struct hf_message *buckets, size_t bucket,
                                  double ratio, double sign)
{
    int64_t scale = hf_message_i64(asking->point, EXPONENTIAL_SCALE);
    int64_t index = hf_message_i64(buckets, BUCKETS_OFFSET) + (int64_t)bucket;
    double lower = exponential_bound(index, scale), upper = exponential_bound(index + 1, scale);
    if (sign < 0 && lower >= upper) {
        return malformed(asking);
    }
    return logarithmic(asking, lower, upper, sign < 0 ? 1 - ratio : ratio, sign);
}

/* Negative values: the buckets farthest from zero come first. */
static bool of_negative(struct asking *asking, struct hf_message *buckets, size_t count,
                        uint64_t *before, bool *ret_done)
{
    *ret_done = false;
    for (size_t i = count; i-- > 0;) {
        uint64_t here = number_at(buckets, BUCKETS_COUNTS, i);
        if (*before + here >= asking->target) {
            *ret_done = true;
            return of_exponential_bucket(asking, buckets, i,
                                         (double)(asking->target - *before) / (double)here, -1);
        }
        *before += here;
    }
    return true;
}

static bool of_exponential(struct asking *asking)
{
    struct hf_message *point = asking->point;
    struct hf_message *negative = hf_message_one(point, EXPONENTIAL_NEGATIVE);
    struct hf_message *positive = hf_message_one(point, EXPONENTIAL_POSITIVE);
    size_t negatives = negative != NULL ? count_numbers(negative, BUCKETS_COUNTS) : 0;
    size_t positives = positive != NULL ? count_numbers(positive, BUCKETS_COUNTS) : 0;
    uint64_t zeros = hf_message_u64(point, EXPONENTIAL_ZEROS), before = 0, count;
    size_t bucket;
    bool done;
    if (negatives == 0 && positives == 0 && zeros == 0) {
        return true;
    }
    if (!of_negative(asking, negative, negatives, &before, &done) || done) {
        return done && asking->is_there;
    }
    if (before + zeros >= asking->target) {
        double threshold = hf_message_double(point, EXPONENTIAL_THRESHOLD);
        double lower = negatives == 0 && positives > 0 ? 0 : -threshold;
        double upper = positives == 0 && negatives > 0 ? 0 : threshold;
        return linear(asking, lower, upper, (double)(asking->target - before) / (double)zeros);
    }
    before += zeros;
    if (positives == 0 ||
        !find_bucket(positive, BUCKETS_COUNTS, asking->target, &before, &bucket, &count)) {
        return malformed(asking);
    }
    return of_exponential_bucket(asking, positive, bucket,
                                 (double)(asking->target - before) / (double)count, 1);
}

/* ---- the metric ---- */

/* The name and the description are put together when the first point has a percentile. */
static struct hf_message *add_gauge(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                                    double percentile)
{
    struct hf_message *metric = run->place->metric;
    struct hf_slice suffix = hf_ottl_literal_text(call, 1, "");
    struct hf_slice description = hf_message_bytes(metric, METRIC_DESCRIPTION);
    struct hf_ottl_value text;
    char preset[40];
    int size = snprintf(preset, sizeof(preset), "_p%g", percentile);
    if (suffix.size == 0) {
        suffix = hf_slice_of(preset, (size_t)size);
    }
    struct hf_message *made =
        hf_ottl_add_metric(run, suffix, hf_message_bytes(metric, METRIC_UNIT));
    if (made == NULL) {
        return NULL;
    }
    hf_ottl_start_text(run);
    hf_ottl_add_text(run, description);
    hf_ottl_add_text(run, hf_slice_text(description.size > 0 ? " (" : ""));
    hf_ottl_add_text(run, hf_slice_of(preset + 1, (size_t)size - 1));
    hf_ottl_add_text(run, hf_slice_text(description.size > 0 ? ")" : ""));
    if (!hf_ottl_end_text(run, &text)) {
        return NULL;
    }
    hf_message_set_bytes(made, METRIC_DESCRIPTION, text.bytes);
    struct hf_message *gauge = hf_message_append(made, METRIC_GAUGE);
    if (gauge == NULL) {
        hf_ottl_no_memory(run);
    }
    return gauge;
}

static bool ask(struct asking *asking, bool is_exponential, double percentile)
{
    uint64_t count = hf_message_u64(asking->point, POINT_COUNT);
    asking->is_there = false;
    if (count == 0) {
        return true;
    }
    asking->target = (uint64_t)ceil((double)count * (percentile / 100.0));
    return is_exponential ? of_exponential(asking) : of_histogram(asking);
}

/* All points are asked first: a malformed one adds no metric. */
static bool extract_percentile(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                               const struct hf_ottl_value *arguments,
                               struct hf_ottl_value *ret_value)
{
    struct hf_message *data = hf_place_data(run->place->metric), *gauge = NULL;
    uint8_t kind = hf_ottl_metric_kind(data);
    bool is_exponential = kind == HF_MESSAGE_EXPONENTIAL_HISTOGRAM;
    struct asking asking = {.run = run};
    (void)ret_value;
    if (kind != HF_MESSAGE_HISTOGRAM && !is_exponential) {
        return true;
    }
    for (int adds = 0; adds <= 1; adds++) {
        for (asking.point = hf_message_first(data, POINTS); asking.point != NULL;
             asking.point = hf_message_next(asking.point)) {
            if (!ask(&asking, is_exponential, arguments[0].real)) {
                return false;
            }
            if (adds == 0 || !asking.is_there) {
                continue;
            }
            gauge = gauge == NULL ? add_gauge(run, call, arguments[0].real) : gauge;
            struct hf_message *made =
                gauge != NULL ? hf_ottl_add_point(run, gauge, asking.point) : NULL;
            if (made == NULL) {
                return false;
            }
            hf_message_set_double(made, NUMBER_DOUBLE, asking.percentile);
        }
    }
    return true;
}

static enum hf_status check_percentile(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                       size_t at)
{
    const struct hf_ottl_value *value = hf_ottl_literal(call, 0);
    return value == NULL || (value->real > 0 && value->real < 100)
               ? HF_OK
               : hf_ottl_refuse(fault, at,
                                "the percentile must be greater than 0 and less than "
                                "100");
}

const struct hf_ottl_function hf_ottl_percentiles[] = {
    {.name = "extract_percentile_metric",
     .arguments = {{"percentile", HF_ARG_DOUBLE | HF_ARG_LITERAL},
                   {"suffix", HF_ARG_STRING | HF_ARG_LITERAL | HF_ARG_OPTIONAL}},
     .run = extract_percentile,
     .check = check_percentile,
     .contexts = 1u << HF_PATH_METRIC,
     .functions = HF_OTTL_METRIC_EDITORS},
    {.name = NULL},
};
