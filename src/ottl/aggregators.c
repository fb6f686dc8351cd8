/* Editors that put several points of a metric, or several buckets of a point, together. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "function.h"
#include "metrics_internal.h"
#include "pdata/document.h"
#include "pdata/message.h"

#define EDITOR(name)                                                                               \
    static bool name(struct hf_ottl_run *run, const struct hf_ottl_call *call,                     \
                     const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)

/* ---- lists of numbers ---- */

struct numbers {
    uint64_t *bits;
    size_t count;
};

static bool read_numbers(struct hf_ottl_run *run, struct hf_message *message, uint32_t number,
                         struct numbers *ret_numbers)
{
    struct hf_wire_numbers wire = hf_message_numbers(message, number);
    uint64_t bits;
    size_t count = 0;
    while (hf_wire_next_number(&wire, &bits)) {
        count++;
    }
    ret_numbers->count = count;
    ret_numbers->bits = hf_ottl_take(run, (count + 1) * sizeof(uint64_t));
    wire = hf_message_numbers(message, number);
    for (size_t i = 0; ret_numbers->bits != NULL && i < count; i++) {
        ret_numbers->bits[i] = hf_wire_next_number(&wire, &bits) ? bits : 0;
    }
    return ret_numbers->bits != NULL;
}

static bool are_same(const struct numbers *a, const struct numbers *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->bits, b->bits, a->count * sizeof(uint64_t)) == 0);
}

/* ---- which points belong together ---- */

static bool same_attributes(struct hf_ottl_run *run, struct hf_message *a, struct hf_message *b)
{
    uint32_t number = hf_message_attributes_number(hf_message_type(a));
    const struct hf_attributes *left = hf_message_attributes(a, number);
    const struct hf_attributes *right = hf_message_attributes(b, number);
    (void)run;
    if (left == NULL || right == NULL || left->count != right->count) {
        return false;
    }
    for (size_t i = 0; i < left->count; i++) {
        const struct hf_attribute *found = hf_attributes_find(right, left->items[i].key);
        if (found == NULL) {
            return false;
        }
        struct hf_any one = hf_any_read(left->items[i].value), other = hf_any_read(found->value);
        if (!hf_any_equal(&one, &other)) {
            return false;
        }
    }
    return true;
}

static bool belong_together(struct hf_ottl_run *run, struct hf_message *data, struct hf_message *a,
                            struct hf_message *b)
{
    uint8_t kind = hf_ottl_metric_kind(data);
    bool is_delta = kind != HF_MESSAGE_GAUGE && hf_message_i64(data, SUM_TEMPORALITY) == 1;
    struct numbers left, right;
    if (hf_message_u64(a, POINT_TIME) != hf_message_u64(b, POINT_TIME) ||
        (is_delta && hf_message_u64(a, POINT_START) != hf_message_u64(b, POINT_START)) ||
        !same_attributes(run, a, b)) {
        return false;
    }
    if (kind != HF_MESSAGE_HISTOGRAM) {
        return true;
    }
    return hf_message_has(a, HISTOGRAM_MIN) == hf_message_has(b, HISTOGRAM_MIN) &&
           hf_message_has(a, HISTOGRAM_MAX) == hf_message_has(b, HISTOGRAM_MAX) &&
           hf_message_u64(a, HISTOGRAM_FLAGS) == hf_message_u64(b, HISTOGRAM_FLAGS) &&
           read_numbers(run, a, HISTOGRAM_BOUNDS, &left) &&
           read_numbers(run, b, HISTOGRAM_BOUNDS, &right) && are_same(&left, &right);
}

/* ---- number points ---- */

enum aggregation { BY_SUM, BY_MAX, BY_MIN, BY_MEAN, BY_MEDIAN, BY_COUNT, AGGREGATION_COUNT };

static const char *const aggregations[AGGREGATION_COUNT] = {"sum",  "max",    "min",
                                                            "mean", "median", "count"};

static enum aggregation aggregation_of(struct hf_slice name)
{
    size_t i = 0;
    while (i < AGGREGATION_COUNT && !hf_slice_is(name, aggregations[i])) {
        i++;
    }
    return (enum aggregation)i;
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double point_value(struct hf_message *point)
{
    return hf_message_has(point, NUMBER_INT) ? (double)hf_message_i64(point, NUMBER_INT)
                                             : hf_message_double(point, NUMBER_DOUBLE);
}

static double aggregate(enum aggregation by, double *values, size_t count)
{
    double result = values[0];
    if (by == BY_COUNT) {
        return count > 1 ? (double)count : values[0];
    }
    if (by == BY_MEDIAN) {
        qsort(values, count, sizeof(*values), compare_doubles);
        return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
    }
    for (size_t i = 1; i < count; i++) {
        result = by == BY_MAX   ? fmax(result, values[i])
                 : by == BY_MIN ? fmin(result, values[i])
                                : result + values[i];
    }
    return by == BY_MEAN ? result / (double)count : result;
}

/* Whole numbers stay whole, and are added without a loss of digits. */
static bool merge_numbers(struct hf_ottl_run *run, enum aggregation by,
                          struct hf_message *const *points, size_t count)
{
    bool is_int = hf_message_has(points[0], NUMBER_INT);
    double *values = hf_ottl_take(run, count * sizeof(*values));
    int64_t sum = 0;
    if (values == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        values[i] = point_value(points[i]);
        sum = (int64_t)((uint64_t)sum + (uint64_t)hf_message_i64(points[i], NUMBER_INT));
    }
    if (!is_int) {
        hf_message_set_double(points[0], NUMBER_DOUBLE, aggregate(by, values, count));
    } else if (by == BY_SUM || by == BY_MEAN) {
        hf_message_set_i64(points[0], NUMBER_INT, by == BY_SUM ? sum : sum / (int64_t)count);
    } else {
        hf_message_set_i64(points[0], NUMBER_INT, (int64_t)aggregate(by, values, count));
    }
    return true;
}

/* ---- histograms: always summed ---- */

static void merge_extreme(struct hf_message *into, struct hf_message *point, uint32_t number,
                          bool of_largest)
{
    double own = hf_message_double(into, number), other = hf_message_double(point, number);
    if (hf_message_has(into, number) && (of_largest ? own < other : own > other)) {
        hf_message_set_double(into, number, other);
    }
}

static bool merge_histograms(struct hf_ottl_run *run, struct hf_message *const *points,
                             size_t count)
{
    struct hf_message *into = points[0];
    struct numbers counts, more;
    if (!read_numbers(run, into, HISTOGRAM_COUNTS, &counts)) {
        return false;
    }
    for (size_t i = 1; i < count; i++) {
        if (hf_message_u64(points[i], POINT_COUNT) == 0) {
            continue;
        }
        if (!read_numbers(run, points[i], HISTOGRAM_COUNTS, &more)) {
            return false;
        }
        for (size_t b = 0; b < more.count && b < counts.count; b++) {
            counts.bits[b] += more.bits[b];
        }
        hf_message_set_u64(into, POINT_COUNT,
                           hf_message_u64(into, POINT_COUNT) +
                               hf_message_u64(points[i], POINT_COUNT));
        hf_message_set_double(into, POINT_SUM,
                              hf_message_double(into, POINT_SUM) +
                                  hf_message_double(points[i], POINT_SUM));
        merge_extreme(into, points[i], HISTOGRAM_MIN, false);
        merge_extreme(into, points[i], HISTOGRAM_MAX, true);
        struct hf_message *exemplar = hf_message_first(points[i], HISTOGRAM_EXEMPLARS);
        while (exemplar != NULL) {
            struct hf_message *next = hf_message_next(exemplar);
            if (hf_message_move(exemplar, into, HISTOGRAM_EXEMPLARS) == NULL) {
                return hf_ottl_no_memory(run);
            }
            exemplar = next;
        }
    }
    if (count > 1 && counts.count > 0) {
        hf_message_set_numbers(into, HISTOGRAM_COUNTS, counts.bits, counts.count);
    }
    return true;
}

/* ---- one group after another ---- */

static void take_earliest_start(struct hf_message *into, struct hf_message *point)
{
    uint64_t start = hf_message_u64(point, POINT_START);
    if (start < hf_message_u64(into, POINT_START)) {
        hf_message_set_u64(into, POINT_START, start);
    }
}

static bool merge_group(struct hf_ottl_run *run, enum aggregation by, struct hf_message *data,
                        struct hf_message *first, struct hf_message **points)
{
    size_t count = 1;
    points[0] = first;
    struct hf_message *point = hf_message_next(first);
    for (; point != NULL; point = hf_message_next(point)) {
        if (belong_together(run, data, first, point)) {
            points[count++] = point;
        }
    }
    if (run->no_memory) {
        return false;
    }
    bool ok = hf_ottl_metric_kind(data) == HF_MESSAGE_HISTOGRAM
                  ? merge_histograms(run, points, count)
                  : count == 1 || merge_numbers(run, by, points, count);
    for (size_t i = 1; ok && i < count; i++) {
        take_earliest_start(first, points[i]);
        hf_message_remove(points[i]);
    }
    return ok;
}

static bool merge_points(struct hf_ottl_run *run, enum aggregation by)
{
    struct hf_message *data = hf_place_data(run->place->metric);
    uint8_t kind = hf_ottl_metric_kind(data);
    size_t count = hf_message_count(data, POINTS);
    if (kind == HF_MESSAGE_SUMMARY || kind == HF_MESSAGE_EXPONENTIAL_HISTOGRAM) {
        return hf_ottl_fail(run, "aggregating metrics of this type is not supported");
    }
    struct hf_message **points = hf_ottl_take(run, (count + 1) * sizeof(struct hf_message *));
    struct hf_message *first = points != NULL ? hf_message_first(data, POINTS) : NULL;
    for (; first != NULL; first = hf_message_next(first)) {
        if (!merge_group(run, by, data, first, points)) {
            return false;
        }
    }
    return points != NULL;
}

/* ---- the editors ---- */

static enum hf_status check_aggregation(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                        size_t at)
{
    (void)at;
    return aggregation_of(hf_ottl_literal_text(call, 0, "")) != AGGREGATION_COUNT
               ? HF_OK
               : hf_ottl_refuse(fault, call->nodes[0]->at,
                                "invalid aggregation function, valid options: sum, max, min, mean, "
                                "median, count");
}

static bool is_one_of(struct hf_slice text, const struct hf_ottl_value *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (hf_slice_equal(items[i].bytes, text)) {
            return true;
        }
    }
    return false;
}

/* Keeps the attributes of these names alone. */
static void keep_attributes(struct hf_message *point, const struct hf_ottl_value *names,
                            size_t count)
{
    struct hf_attributes *attributes =
        hf_message_attributes(point, hf_message_attributes_number(hf_message_type(point)));
    for (size_t i = attributes != NULL ? attributes->count : 0; i-- > 0;) {
        if (!is_one_of(attributes->items[i].key, names, count)) {
            hf_attributes_remove(attributes, attributes->items[i].key);
            i = i > attributes->count ? attributes->count : i;
        }
    }
}

EDITOR(aggregate_on_attributes)
{
    struct hf_message *point = hf_message_first(hf_place_data(run->place->metric), POINTS);
    struct hf_ottl_value *names;
    size_t count;
    (void)ret_value;
    if (hf_ottl_metric_kind(hf_place_data(run->place->metric)) == HF_MESSAGE_SUMMARY) {
        return hf_ottl_fail(run, "aggregate_on_attributes does not support aggregating Summary "
                                 "metrics");
    }
    if (!hf_ottl_items_of(run, call, 1, HF_ARG_STRINGS, &names, &count)) {
        return false;
    }
    for (; call->nodes[1] != NULL && point != NULL; point = hf_message_next(point)) {
        keep_attributes(point, names, count);
    }
    return merge_points(run, aggregation_of(arguments[0].bytes));
}

EDITOR(aggregate_on_attribute_value)
{
    struct hf_message *point = hf_message_first(hf_place_data(run->place->metric), POINTS);
    struct hf_any_maker maker = {.arena = hf_document_arena(run->document)};
    struct hf_ottl_value *values;
    size_t count;
    (void)ret_value;
    if (!hf_ottl_items_of(run, call, 2, HF_ARG_STRINGS, &values, &count)) {
        return false;
    }
    for (; point != NULL; point = hf_message_next(point)) {
        struct hf_attributes *attributes =
            hf_message_attributes(point, hf_message_attributes_number(hf_message_type(point)));
        const struct hf_attribute *found =
            attributes != NULL ? hf_attributes_find(attributes, arguments[1].bytes) : NULL;
        struct hf_any any =
            found != NULL ? hf_any_read(found->value) : (struct hf_any){.type = HF_ANY_EMPTY};
        if (any.type == HF_ANY_STRING && is_one_of(any.bytes, values, count)) {
            hf_attributes_set(attributes, found->key,
                              hf_any_make_string(&maker, arguments[3].bytes));
        }
    }
    if (maker.failed) {
        return hf_ottl_no_memory(run);
    }
    return merge_points(run, aggregation_of(arguments[0].bytes));
}

/* ---- buckets ---- */

static double as_double(uint64_t bits)
{
    return hf_message_as_double(bits);
}

static void remove_bound(struct numbers *bounds, struct numbers *counts, double target)
{
    const double epsilon = 1e-12;
    size_t at = 0;
    while (at < bounds->count && !(fabs(as_double(bounds->bits[at]) - target) < epsilon)) {
        at++;
    }
    if (at == bounds->count) {
        return;
    }
    counts->bits[at + 1] += counts->bits[at];
    memmove(&counts->bits[at], &counts->bits[at + 1], (counts->count - at - 1) * sizeof(uint64_t));
    memmove(&bounds->bits[at], &bounds->bits[at + 1], (bounds->count - at - 1) * sizeof(uint64_t));
    counts->count--;
    bounds->count--;
}

static bool do_increase(const struct numbers *bounds)
{
    for (size_t i = 1; i < bounds->count; i++) {
        if (!(as_double(bounds->bits[i]) > as_double(bounds->bits[i - 1]))) {
            return false;
        }
    }
    return true;
}

static void limit_buckets(struct numbers *bounds, struct numbers *counts, size_t most)
{
    if (counts->count <= most || counts->count <= 1 || !do_increase(bounds)) {
        return;
    }
    size_t divisor = (counts->count - 1) / most + 1;
    size_t made = 0;
    for (size_t from = 0; from < counts->count; from += divisor) {
        uint64_t sum = 0;
        for (size_t i = from; i < from + divisor && i < counts->count; i++) {
            sum += counts->bits[i];
        }
        counts->bits[made++] = sum;
    }
    counts->count = made;
    made = 0;
    for (size_t i = divisor - 1; i < bounds->count; i += divisor) {
        bounds->bits[made++] = bounds->bits[i];
    }
    bounds->count = made;
}

static enum hf_status check_buckets(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                    size_t at)
{
    struct hf_slice method = hf_ottl_literal_text(call, 1, "remove_explicit_bound");
    (void)at;
    return hf_slice_is(method, "remove_explicit_bound") || hf_slice_is(method, "limit_buckets")
               ? HF_OK
               : hf_ottl_refuse(fault, call->nodes[1]->at,
                                "the method must be \"remove_explicit_bound\" or "
                                "\"limit_buckets\"");
}

EDITOR(merge_histogram_buckets)
{
    struct hf_message *point = run->place->item;
    struct numbers bounds, counts;
    double target = arguments[0].real;
    (void)ret_value;
    if (arguments[0].type == HF_OTTL_NIL) {
        return hf_ottl_fail(run, "target_value must not be nil");
    }
    if (hf_message_type(point)->index != HF_MESSAGE_HISTOGRAM_POINT) {
        return true;
    }
    bool limits = hf_slice_is(hf_ottl_literal_text(call, 1, ""), "limit_buckets");
    if (limits && (target < 1 || trunc(target) != target || target > 1e9)) {
        return hf_ottl_fail(run, "target_value must be a positive integer");
    }
    if (!read_numbers(run, point, HISTOGRAM_BOUNDS, &bounds) ||
        !read_numbers(run, point, HISTOGRAM_COUNTS, &counts)) {
        return false;
    }
    if (bounds.count + 1 != counts.count || counts.count == 1) {
        return true;
    }
    size_t before = counts.count;
    if (limits) {
        limit_buckets(&bounds, &counts, (size_t)target);
    } else {
        remove_bound(&bounds, &counts, target);
    }
    if (counts.count != before) {
        hf_message_set_numbers(point, HISTOGRAM_BOUNDS, bounds.bits, bounds.count);
        hf_message_set_numbers(point, HISTOGRAM_COUNTS, counts.bits, counts.count);
    }
    return true;
}

#define OF_METRICS .contexts = 1u << HF_PATH_METRIC, .functions = HF_OTTL_METRIC_EDITORS

const struct hf_ottl_function hf_ottl_aggregators[] = {
    {.name = "aggregate_on_attributes",
     .arguments = {{"aggregation_function", HF_ARG_STRING | HF_ARG_LITERAL},
                   {"attributes", HF_ARG_STRINGS | HF_ARG_LITERAL | HF_ARG_OPTIONAL}},
     .run = aggregate_on_attributes,
     .check = check_aggregation,
     OF_METRICS},
    {.name = "aggregate_on_attribute_value",
     .arguments = {{"aggregation_function", HF_ARG_STRING | HF_ARG_LITERAL},
                   {"attribute", HF_ARG_STRING | HF_ARG_LITERAL},
                   {"values", HF_ARG_STRINGS | HF_ARG_LITERAL},
                   {"new_value", HF_ARG_STRING | HF_ARG_LITERAL}},
     .run = aggregate_on_attribute_value,
     .check = check_aggregation,
     OF_METRICS},
    {.name = "merge_histogram_buckets",
     .arguments = {{"target_value", HF_ARG_DOUBLE_LIKE},
                   {"method", HF_ARG_STRING | HF_ARG_LITERAL | HF_ARG_OPTIONAL}},
     .run = merge_histogram_buckets,
     .check = check_buckets,
     .contexts = 1u << HF_PATH_DATAPOINT,
     .functions = HF_OTTL_METRIC_EDITORS},
    {.name = NULL},
};
