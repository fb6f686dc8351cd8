/* The editor that makes histograms with given bounds of exponential ones. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "function.h"
#include "metrics_internal.h"
#include "pdata/document.h"
#include "pdata/message.h"

enum {
    EXPONENTIAL_ATTRIBUTES = 1,
    EXPONENTIAL_SCALE = 6,
    EXPONENTIAL_ZEROS = 7,
    EXPONENTIAL_POSITIVE = 8,
    EXPONENTIAL_EXEMPLARS = 11,
    EXPONENTIAL_MIN = 12,
    EXPONENTIAL_MAX = 13,
    BUCKETS_OFFSET = 1,
    BUCKETS_COUNTS = 2
};

/* Bounds and what was counted below each, the last one with all that is beyond. */
struct buckets {
    double *bounds;
    uint64_t *counts;
    size_t count;
};

struct range {
    double lower, upper;
    uint64_t count;
};

enum distribution { BY_UPPER, BY_MIDPOINT, BY_UNIFORM, BY_RANDOM, DISTRIBUTION_COUNT };

static enum distribution distribution_of(struct hf_slice name)
{
    static const char *const names[] = {"upper", "midpoint", "uniform", "random"};
    size_t i = 0;
    while (i < DISTRIBUTION_COUNT && !hf_slice_is(name, names[i])) {
        i++;
    }
    return (enum distribution)i;
}

/* The first bound that is not below; the count of bounds: none. */
static size_t first_at_least(const struct buckets *buckets, double value)
{
    size_t i = 0;
    while (i < buckets->count && value > buckets->bounds[i]) {
        i++;
    }
    return i;
}

static void put_at(struct buckets *buckets, const struct range *range, double value, size_t back)
{
    size_t at = first_at_least(buckets, value);
    if (at == buckets->count) {
        at--;
    } else {
        at -= at > 0 ? back : 0;
    }
    buckets->counts[at] += range->count;
}

static void put_uniform(struct buckets *buckets, const struct range *range)
{
    size_t start = first_at_least(buckets, range->lower);
    size_t end = start;
    while (end < buckets->count && range->upper > buckets->bounds[end]) {
        end++;
    }
    end = end == buckets->count ? end - 1 : end;
    start = start > end ? end : start;
    uint64_t share = range->count / (end - start + 1), rest = range->count % (end - start + 1);
    for (size_t i = start; i <= end; i++) {
        buckets->counts[i] += share + (rest > 0);
        rest -= rest > 0;
    }
}

/* Anywhere between the bounds, by chance. */
static void put_random(struct buckets *buckets, const struct range *range, unsigned *seed)
{
    size_t start = first_at_least(buckets, range->lower);
    size_t end = first_at_least(buckets, range->upper);
    end = end == buckets->count ? end - 1 : end;
    start = start > end ? end : start;
    size_t places = end - start + 1;
    uint64_t left = range->count;
    for (size_t i = start; i < end; i++) {
        double part = (double)rand_r(seed) / ((double)RAND_MAX + 1) * 2 / (double)places;
        uint64_t here = (uint64_t)((double)range->count * part);
        here = here < left ? here : left;
        buckets->counts[i] += here;
        left -= here;
    }
    buckets->counts[end] += left;
}

static void put_range(struct buckets *buckets, enum distribution by, const struct range *range,
                      unsigned *seed)
{
    if (range->lower > buckets->bounds[buckets->count - 1]) {
        buckets->counts[buckets->count - 1] += range->count;
        return;
    }
    for (size_t i = 1; i < buckets->count; i++) {
        if (range->lower > buckets->bounds[i - 1] && range->upper <= buckets->bounds[i]) {
            buckets->counts[i - 1] += range->count;
            return;
        }
    }
    if (by == BY_UPPER) {
        put_at(buckets, range, range->upper, 0);
    } else if (by == BY_MIDPOINT) {
        put_at(buckets, range, (range->upper + range->lower) / 2, 1);
    } else if (by == BY_UNIFORM) {
        put_uniform(buckets, range);
    } else {
        put_random(buckets, range, seed);
    }
}

static void count_point(struct hf_message *point, enum distribution by, struct buckets *buckets)
{
    struct hf_message *positive = hf_message_one(point, EXPONENTIAL_POSITIVE);
    double factor = ldexp(log(2), -(int)hf_message_i64(point, EXPONENTIAL_SCALE));
    int64_t index = hf_message_i64(positive, BUCKETS_OFFSET);
    unsigned seed = (unsigned)hf_message_u64(point, POINT_TIME);
    memset(buckets->counts, 0, buckets->count * sizeof(*buckets->counts));
    if (buckets->bounds[0] == 0) {
        buckets->counts[0] = hf_message_u64(point, EXPONENTIAL_ZEROS);
    }
    if (positive == NULL) {
        return;
    }
    struct hf_wire_numbers counts = hf_message_numbers(positive, BUCKETS_COUNTS);
    struct range range;
    while (hf_wire_next_number(&counts, &range.count)) {
        range.lower = exp((double)index * factor);
        range.upper = exp((double)(index + 1) * factor);
        put_range(buckets, by, &range, &seed);
        index++;
    }
}

/* A histogram's point of the exponential one, with its times, sums and attributes. */
static bool convert_point(struct hf_ottl_run *run, struct hf_message *histogram,
                          struct hf_message *point, const struct buckets *buckets)
{
    struct hf_message *made = hf_message_append(histogram, POINTS);
    const struct hf_attributes *from = hf_message_attributes(point, EXPONENTIAL_ATTRIBUTES);
    struct hf_attributes *to = hf_message_attributes(made, HISTOGRAM_ATTRIBUTES);
    uint64_t *bits = hf_ottl_take(run, buckets->count * sizeof(*bits));
    if (made == NULL || from == NULL || to == NULL || bits == NULL) {
        return hf_ottl_no_memory(run);
    }
    for (size_t i = 0; i < from->count; i++) {
        hf_attributes_set(to, from->items[i].key, from->items[i].value);
    }
    hf_message_set_u64(made, POINT_START, hf_message_u64(point, POINT_START));
    hf_message_set_u64(made, POINT_TIME, hf_message_u64(point, POINT_TIME));
    hf_message_set_u64(made, POINT_COUNT, hf_message_u64(point, POINT_COUNT));
    hf_message_set_double(made, POINT_SUM, hf_message_double(point, POINT_SUM));
    hf_message_set_double(made, HISTOGRAM_MIN, hf_message_double(point, EXPONENTIAL_MIN));
    hf_message_set_double(made, HISTOGRAM_MAX, hf_message_double(point, EXPONENTIAL_MAX));
    memcpy(bits, buckets->bounds, buckets->count * sizeof(*bits));
    hf_message_set_numbers(made, HISTOGRAM_BOUNDS, bits, buckets->count);
    hf_message_set_numbers(made, HISTOGRAM_COUNTS, buckets->counts, buckets->count);
    struct hf_message *exemplar = hf_message_first(point, EXPONENTIAL_EXEMPLARS);
    while (exemplar != NULL) {
        struct hf_message *next = hf_message_next(exemplar);
        if (hf_message_move(exemplar, made, HISTOGRAM_EXEMPLARS) == NULL) {
            return hf_ottl_no_memory(run);
        }
        exemplar = next;
    }
    return true;
}

static bool read_bounds(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                        struct buckets *buckets)
{
    struct hf_ottl_value *items;
    if (!hf_ottl_items_of(run, call, 1, HF_ARG_DOUBLE, &items, &buckets->count)) {
        return false;
    }
    buckets->bounds = hf_ottl_take(run, buckets->count * sizeof(double));
    buckets->counts = hf_ottl_take(run, buckets->count * sizeof(uint64_t));
    for (size_t i = 0; buckets->bounds != NULL && i < buckets->count; i++) {
        buckets->bounds[i] = items[i].real;
    }
    return buckets->bounds != NULL && buckets->counts != NULL;
}

static bool convert(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                    const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    struct hf_message *metric = run->place->metric;
    struct hf_message *data = hf_place_data(metric);
    struct hf_message *point = hf_message_first(data, POINTS);
    struct buckets buckets;
    (void)ret_value;
    if (hf_ottl_metric_kind(data) != HF_MESSAGE_EXPONENTIAL_HISTOGRAM) {
        return true;
    }
    int64_t temporality = hf_message_i64(data, SUM_TEMPORALITY);
    struct hf_message *histogram = hf_message_append(metric, METRIC_HISTOGRAM);
    if (histogram == NULL || !read_bounds(run, call, &buckets)) {
        return hf_ottl_no_memory(run);
    }
    hf_message_set_i64(histogram, SUM_TEMPORALITY, temporality);
    for (; point != NULL; point = hf_message_next(point)) {
        count_point(point, distribution_of(arguments[0].bytes), &buckets);
        if (!convert_point(run, histogram, point, &buckets)) {
            return false;
        }
    }
    return true;
}

static enum hf_status check_bounds(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                   size_t at)
{
    const struct hf_ottl_node *bounds = call->nodes[1];
    if (distribution_of(hf_ottl_literal_text(call, 0, "")) == DISTRIBUTION_COUNT) {
        return hf_ottl_refuse(fault, call->nodes[0]->at,
                              "the distribution must be upper, midpoint, uniform or random");
    }
    for (size_t i = 0; i < bounds->count; i++) {
        if (bounds->items[i]->value.type != HF_OTTL_DOUBLE) {
            return hf_ottl_refuse(fault, bounds->items[i]->at,
                                  "a bound must be a number with a point, such as 5.0");
        }
    }
    return bounds->count > 0 ? HF_OK : hf_ottl_refuse(fault, at, "explicit bounds cannot be empty");
}

const struct hf_ottl_function hf_ottl_exponential[] = {
    {.name = "convert_exponential_histogram_to_histogram",
     .arguments = {{"distribution_fn", HF_ARG_STRING | HF_ARG_LITERAL},
                   {"explicit_bounds", HF_ARG_ANYS | HF_ARG_LITERAL}},
     .run = convert,
     .check = check_bounds,
     .contexts = 1u << HF_PATH_METRIC,
     .functions = HF_OTTL_METRIC_EDITORS},
    {.name = NULL},
};
