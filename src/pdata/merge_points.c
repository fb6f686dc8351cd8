#include "merge_points.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "any.h"
#include "any_make.h"
#include "document.h"
#include "metric_fields.h"
#include "series.h"

const char *const hf_merge_names[] = {"sum", "max", "min", "mean", "median", "count", NULL};

bool hf_merge_find(struct hf_slice name, enum hf_merge *ret_merge)
{
    for (size_t i = 0; hf_merge_names[i] != NULL; i++) {
        if (hf_slice_is(name, hf_merge_names[i])) {
            *ret_merge = (enum hf_merge)i;
            return true;
        }
    }
    return false;
}

/* ---- which points belong together ---- */

static bool same_attributes(struct hf_message *a, struct hf_message *b)
{
    uint32_t number = hf_message_attributes_number(hf_message_type(a));
    const struct hf_attributes *left = hf_message_attributes(a, number);
    const struct hf_attributes *right = hf_message_attributes(b, number);
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

static bool same_numbers(struct hf_message *a, struct hf_message *b, uint32_t number)
{
    struct hf_wire_numbers left = hf_message_numbers(a, number);
    struct hf_wire_numbers right = hf_message_numbers(b, number);
    uint64_t one, other;
    while (hf_wire_next_number(&left, &one)) {
        if (!hf_wire_next_number(&right, &other) || one != other) {
            return false;
        }
    }
    return !hf_wire_next_number(&right, &other);
}

static bool same_presence(struct hf_message *a, struct hf_message *b, uint32_t number)
{
    return hf_message_has(a, number) == hf_message_has(b, number);
}

static bool same_bits(struct hf_message *a, struct hf_message *b, uint32_t number)
{
    return hf_message_i64(a, number) == hf_message_i64(b, number);
}

static bool same_offset(struct hf_message *a, struct hf_message *b, uint32_t number)
{
    return same_bits(hf_message_one(a, number), hf_message_one(b, number), HF_BUCKETS_OFFSET);
}

static bool same_form(uint8_t kind, struct hf_message *a, struct hf_message *b)
{
    if (kind == HF_MESSAGE_HISTOGRAM) {
        return same_presence(a, b, HF_HISTOGRAM_MIN) && same_presence(a, b, HF_HISTOGRAM_MAX) &&
               same_bits(a, b, HF_HISTOGRAM_FLAGS) && same_numbers(a, b, HF_HISTOGRAM_BOUNDS);
    }
    if (kind == HF_MESSAGE_EXPONENTIAL_HISTOGRAM) {
        return same_presence(a, b, HF_EXPONENTIAL_MIN) && same_presence(a, b, HF_EXPONENTIAL_MAX) &&
               same_bits(a, b, HF_EXPONENTIAL_FLAGS) && same_bits(a, b, HF_EXPONENTIAL_SCALE) &&
               same_offset(a, b, HF_EXPONENTIAL_POSITIVE) &&
               same_offset(a, b, HF_EXPONENTIAL_NEGATIVE);
    }
    return true;
}

static bool is_delta(struct hf_message *data)
{
    return hf_message_type(data)->index != HF_MESSAGE_GAUGE &&
           hf_message_u64(data, HF_DATA_TEMPORALITY) == HF_TEMPORALITY_DELTA;
}

bool hf_merge_belong_together(struct hf_message *data, struct hf_message *a, struct hf_message *b)
{
    return same_bits(a, b, HF_POINT_TIME) && (!is_delta(data) || same_bits(a, b, HF_POINT_START)) &&
           same_form(hf_message_type(data)->index, a, b) && same_attributes(a, b);
}

/* ---- number points ---- */

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double point_value(struct hf_message *point)
{
    return hf_message_has(point, HF_NUMBER_INT) ? (double)hf_message_i64(point, HF_NUMBER_INT)
                                                : hf_message_double(point, HF_NUMBER_DOUBLE);
}

static double aggregate(enum hf_merge by, double *values, size_t count)
{
    double result = values[0];
    if (by == HF_MERGE_COUNT) {
        return count > 1 ? (double)count : values[0];
    }
    if (by == HF_MERGE_MEDIAN) {
        qsort(values, count, sizeof(*values), compare_doubles);
        return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
    }
    for (size_t i = 1; i < count; i++) {
        result = by == HF_MERGE_MAX   ? fmax(result, values[i])
                 : by == HF_MERGE_MIN ? fmin(result, values[i])
                                      : result + values[i];
    }
    return by == HF_MERGE_MEAN ? result / (double)count : result;
}

/* Whole numbers stay whole, and are added without a loss of digits. */
static bool merge_numbers(enum hf_merge by, struct hf_message *const *points, size_t count,
                          struct hf_arena *scratch)
{
    bool is_int = hf_message_has(points[0], HF_NUMBER_INT);
    double *values = hf_arena_take(scratch, count * sizeof(*values));
    int64_t sum = 0;
    if (values == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        values[i] = point_value(points[i]);
        sum = (int64_t)((uint64_t)sum + (uint64_t)hf_message_i64(points[i], HF_NUMBER_INT));
    }
    if (!is_int) {
        hf_message_set_double(points[0], HF_NUMBER_DOUBLE, aggregate(by, values, count));
    } else if (by == HF_MERGE_SUM || by == HF_MERGE_MEAN) {
        hf_message_set_i64(points[0], HF_NUMBER_INT,
                           by == HF_MERGE_SUM ? sum : sum / (int64_t)count);
    } else {
        hf_message_set_i64(points[0], HF_NUMBER_INT, (int64_t)aggregate(by, values, count));
    }
    return true;
}

/* ---- histograms ---- */

static void merge_extreme(struct hf_message *into, struct hf_message *point, uint32_t number,
                          bool of_largest)
{
    double own = hf_message_double(into, number), other = hf_message_double(point, number);
    if (hf_message_has(into, number) && (of_largest ? own < other : own > other)) {
        hf_message_set_double(into, number, other);
    }
}

/* Adds the counts of all points, place by place; the list is as long as the first one's, or with
 * `grows` as the longest. */
static bool add_counts(struct hf_message *const *owners, size_t count, uint32_t number, bool grows,
                       struct hf_arena *scratch)
{
    size_t size = 0;
    uint64_t bits;
    for (size_t i = 0; i < (grows ? count : 1); i++) {
        struct hf_wire_numbers wire = hf_message_numbers(owners[i], number);
        size_t own = 0;
        while (hf_wire_next_number(&wire, &bits)) {
            own++;
        }
        size = own > size ? own : size;
    }
    uint64_t *sums = hf_arena_take(scratch, (size + 1) * sizeof(*sums));
    if (sums == NULL) {
        return false;
    }
    memset(sums, 0, (size + 1) * sizeof(*sums));
    for (size_t i = 0; i < count; i++) {
        struct hf_wire_numbers wire = hf_message_numbers(owners[i], number);
        for (size_t b = 0; b < size && hf_wire_next_number(&wire, &bits); b++) {
            sums[b] += bits;
        }
    }
    if (size > 0) {
        hf_message_set_numbers(owners[0], number, sums, size);
    }
    return true;
}

static bool add_sums(struct hf_message *const *points, size_t count, uint32_t minimum,
                     uint32_t maximum, uint32_t exemplars)
{
    struct hf_message *into = points[0];
    for (size_t i = 1; i < count; i++) {
        uint64_t more = hf_message_u64(points[i], HF_POINT_COUNT);
        if (more == 0) {
            continue;
        }
        hf_message_set_u64(into, HF_POINT_COUNT, hf_message_u64(into, HF_POINT_COUNT) + more);
        hf_message_set_double(into, HF_POINT_SUM,
                              hf_message_double(into, HF_POINT_SUM) +
                                  hf_message_double(points[i], HF_POINT_SUM));
        merge_extreme(into, points[i], minimum, false);
        merge_extreme(into, points[i], maximum, true);
        struct hf_message *exemplar = hf_message_first(points[i], exemplars);
        while (exemplar != NULL) {
            struct hf_message *next = hf_message_next(exemplar);
            if (hf_message_move(exemplar, into, exemplars) == NULL) {
                return false;
            }
            exemplar = next;
        }
    }
    return true;
}

static bool add_side(struct hf_message *const *points, size_t count, uint32_t number,
                     struct hf_arena *scratch)
{
    struct hf_message **sides = hf_arena_take(scratch, count * sizeof(struct hf_message *));
    bool is_there = false;
    for (size_t i = 0; sides != NULL && i < count; i++) {
        sides[i] = hf_message_one(points[i], number);
        is_there |= sides[i] != NULL;
    }
    if (sides == NULL || !is_there) {
        return sides != NULL;
    }
    sides[0] = hf_message_need(points[0], number);
    return sides[0] != NULL && add_counts(sides, count, HF_BUCKETS_COUNTS, true, scratch);
}

static bool merge_exponential(struct hf_message *const *points, size_t count,
                              struct hf_arena *scratch)
{
    uint64_t zeros = 0;
    for (size_t i = 0; i < count; i++) {
        zeros += hf_message_u64(points[i], HF_EXPONENTIAL_ZERO_COUNT);
    }
    if (zeros != 0) {
        hf_message_set_u64(points[0], HF_EXPONENTIAL_ZERO_COUNT, zeros);
    }
    return add_side(points, count, HF_EXPONENTIAL_POSITIVE, scratch) &&
           add_side(points, count, HF_EXPONENTIAL_NEGATIVE, scratch) &&
           add_sums(points, count, HF_EXPONENTIAL_MIN, HF_EXPONENTIAL_MAX,
                    HF_EXPONENTIAL_EXEMPLARS);
}

/* ---- one group after another ---- */

/* The points of one group, chained from the first. */
struct entry {
    struct hf_message *point;
    struct hf_hash hash;
    struct entry *same, *last; /* of the group; of another hash in the table: `bucket` */
    struct entry *bucket;
    size_t count;
};

static void take_earliest_start(struct hf_message *into, struct hf_message *point)
{
    uint64_t start = hf_message_u64(point, HF_POINT_START);
    if (start < hf_message_u64(into, HF_POINT_START)) {
        hf_message_set_u64(into, HF_POINT_START, start);
    }
}

static bool merge_group(struct hf_message *data, enum hf_merge by, const struct entry *first,
                        struct hf_arena *scratch)
{
    struct hf_message **points = hf_arena_take(scratch, first->count * sizeof(struct hf_message *));
    size_t count = 0;
    for (const struct entry *entry = first; points != NULL && entry != NULL; entry = entry->same) {
        points[count++] = entry->point;
    }
    if (points == NULL) {
        return false;
    }
    uint8_t kind = hf_message_type(data)->index;
    bool ok = kind == HF_MESSAGE_HISTOGRAM
                  ? add_counts(points, count, HF_HISTOGRAM_COUNTS, false, scratch) &&
                        add_sums(points, count, HF_HISTOGRAM_MIN, HF_HISTOGRAM_MAX,
                                 HF_HISTOGRAM_EXEMPLARS)
              : kind == HF_MESSAGE_EXPONENTIAL_HISTOGRAM
                  ? merge_exponential(points, count, scratch)
                  : merge_numbers(by, points, count, scratch);
    for (size_t i = 1; ok && i < count; i++) {
        take_earliest_start(points[0], points[i]);
        hf_message_remove(points[i]);
    }
    return ok;
}

/* Puts the point to its group, or as the first of a new one into the bucket. */
static void add_entry(struct hf_message *data, struct entry *entry, struct entry **bucket)
{
    for (struct entry *first = *bucket; first != NULL; first = first->bucket) {
        if (hf_hash_equal(first->hash, entry->hash) &&
            hf_merge_belong_together(data, first->point, entry->point)) {
            first->last->same = entry;
            first->last = entry;
            first->count++;
            entry->count = 0;
            return;
        }
    }
    entry->bucket = *bucket;
    *bucket = entry;
}

static bool merge_all(struct hf_message *data, enum hf_merge by, size_t count,
                      struct hf_arena *scratch)
{
    size_t size = 1;
    while (size < 2 * count) {
        size *= 2;
    }
    struct entry *entries = hf_arena_take(scratch, count * sizeof(*entries));
    struct entry **table = hf_arena_take(scratch, size * sizeof(struct entry *));
    if (entries == NULL || table == NULL) {
        return false;
    }
    memset(table, 0, size * sizeof(struct entry *));
    struct hf_message *point = hf_message_first(data, HF_DATA_POINTS);
    for (size_t i = 0; i < count; i++, point = hf_message_next(point)) {
        entries[i] = (struct entry){
            .point = point, .hash = hf_series_attributes(point), .last = &entries[i], .count = 1};
        add_entry(data, &entries[i], &table[entries[i].hash.low & (size - 1)]);
    }
    for (size_t i = 0; i < count; i++) {
        if (entries[i].count > 1 && !merge_group(data, by, &entries[i], scratch)) {
            return false;
        }
    }
    return true;
}

enum hf_status hf_merge_points(struct hf_message *data, enum hf_merge by, struct hf_arena *scratch)
{
    size_t count = data != NULL ? hf_message_count(data, HF_DATA_POINTS) : 0;
    if (count < 2 || hf_message_type(data)->index == HF_MESSAGE_SUMMARY) {
        return HF_OK;
    }
    bool ok = merge_all(data, by, count, scratch);
    return ok ? hf_document_status(hf_message_document(data)) : HF_NOMEM;
}
