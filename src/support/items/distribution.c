#include "distribution.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SCALE_MAX 20
#define FRACTION_BITS 52
#define EXPONENT_BIAS 1023

static size_t room_of(const struct hf_distribution_form *form)
{
    return form->is_exponential ? form->size_max : form->bound_count + 1;
}

size_t hf_distribution_bytes(const struct hf_distribution_form *form)
{
    return sizeof(struct hf_distribution) + room_of(form) * sizeof(uint64_t);
}

struct hf_distribution *hf_distribution_new(const struct hf_distribution_form *form)
{
    struct hf_distribution *distribution = calloc(1, hf_distribution_bytes(form));
    if (distribution != NULL) {
        distribution->scale = SCALE_MAX;
        distribution->size = form->is_exponential ? 0 : (uint32_t)room_of(form);
    }
    return distribution;
}

/* ---- exponential ---- */

/* The bucket of a positive value: (base^index, base^(index+1)], base = 2^(2^-scale). */
static int32_t index_of(int32_t scale, double value)
{
    uint64_t bits;
    if (value < 0x1p-1022) {
        value = 0x1p-1022;
    }
    if (value > 0x1.fffffffffffffp+1023) {
        value = 0x1.fffffffffffffp+1023;
    }
    memcpy(&bits, &value, sizeof(bits));
    int32_t exponent = (int32_t)(bits >> FRACTION_BITS & 0x7ff) - EXPONENT_BIAS;
    bool is_power = (bits & ((UINT64_C(1) << FRACTION_BITS) - 1)) == 0;
    if (scale <= 0) {
        return (exponent - (is_power ? 1 : 0)) >> -scale;
    }
    if (is_power) {
        return (int32_t)((int64_t)exponent * (INT64_C(1) << scale)) - 1;
    }
    double index = floor(log(value) * ldexp(M_LOG2E, scale));
    double most = ldexp(1024, scale) - 1;
    return (int32_t)(index < most ? index : most);
}

/* Joins neighbours until a bucket is 2^`by` of those of before. */
static void coarsen(struct hf_distribution *distribution, int32_t by)
{
    int32_t first = distribution->first >> by;
    uint32_t size = 0;
    for (uint32_t i = 0; i < distribution->size; i++) {
        uint64_t count = distribution->counts[i];
        uint32_t at = (uint32_t)(((distribution->first + (int32_t)i) >> by) - first);
        distribution->counts[i] = 0;
        distribution->counts[at] += count;
        size = at + 1;
    }
    distribution->first = first;
    distribution->size = size;
    distribution->scale -= by;
}

/* Makes room for the bucket `index`. False: the range has to be coarser by `ret_by` first. */
static bool reach(const struct hf_distribution_form *form, struct hf_distribution *distribution,
                  int32_t index, int32_t *ret_by)
{
    if (distribution->size == 0) {
        distribution->first = index;
        distribution->size = 1;
        return true;
    }
    int64_t low = distribution->first < index ? distribution->first : index;
    int64_t high = (int64_t)distribution->first + distribution->size - 1;
    high = high > index ? high : index;
    int32_t by = 0;
    for (int64_t l = low, h = high; h - l >= form->size_max; by++) {
        l >>= 1;
        h >>= 1;
    }
    *ret_by = by;
    if (by > 0) {
        return false;
    }
    uint32_t more = (uint32_t)(distribution->first - low);
    if (more > 0) {
        memmove(&distribution->counts[more], distribution->counts,
                distribution->size * sizeof(distribution->counts[0]));
        memset(distribution->counts, 0, more * sizeof(distribution->counts[0]));
        distribution->first = (int32_t)low;
    }
    distribution->size = (uint32_t)(high - low + 1);
    return true;
}

static void observe_exponential(const struct hf_distribution_form *form,
                                struct hf_distribution *distribution, double value, uint64_t count)
{
    if (distribution->count == 0 || value < distribution->min) {
        distribution->min = value;
    }
    if (distribution->count == 0 || value > distribution->max) {
        distribution->max = value;
    }
    distribution->count += count;
    if (value == 0) {
        distribution->zero_count += count;
        return;
    }
    distribution->sum += value * (double)count;
    int32_t by = 0;
    int32_t index = index_of(distribution->scale, value);
    if (!reach(form, distribution, index, &by)) {
        coarsen(distribution, by);
        index = index_of(distribution->scale, value);
        if (!reach(form, distribution, index, &by)) {
            return; /* not possible: the coarser range has room for both ends */
        }
    }
    distribution->counts[index - distribution->first] += count;
}

/* ---- of either kind ---- */

void hf_distribution_observe(const struct hf_distribution_form *form,
                             struct hf_distribution *distribution, double value, uint64_t count)
{
    if (form->is_exponential) {
        observe_exponential(form, distribution, value, count);
        return;
    }
    size_t low = 0, high = form->bound_count; /* the first bound that is not below */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (form->bounds[middle] < value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    distribution->counts[low] += count;
    distribution->count += count;
    distribution->sum += value * (double)count;
}

void hf_distribution_build(const struct hf_distribution_form *form,
                           const struct hf_distribution *distribution, struct hf_builder *builder,
                           const struct hf_build_point *point)
{
    if (!form->is_exponential) {
        const struct hf_build_histogram histogram = {.point = *point,
                                                     .count = distribution->count,
                                                     .has_sum = true,
                                                     .sum = distribution->sum,
                                                     .buckets = distribution->counts,
                                                     .bounds = form->bounds,
                                                     .bound_count = form->bound_count};
        hf_build_point_histogram(builder, &histogram);
        return;
    }
    bool has_values = distribution->count != 0;
    const struct hf_build_exponential exponential = {
        .point = *point,
        .count = distribution->count,
        .zero_count = distribution->zero_count,
        .has_sum = true,
        .has_min = has_values,
        .has_max = has_values,
        .sum = distribution->sum,
        .min = distribution->min,
        .max = distribution->max,
        .scale = distribution->size == 0 ? 0 : distribution->scale,
        .positive = {.offset = distribution->first,
                     .counts = distribution->counts,
                     .count = distribution->size}};
    hf_build_point_exponential(builder, &exponential);
}

/* ---- over a restart ---- */

void hf_distribution_save(const struct hf_distribution *distribution,
                          struct hf_state_writer *writer)
{
    hf_state_file_put(writer, distribution, sizeof(*distribution));
    hf_state_file_put(writer, distribution->counts,
                      distribution->size * sizeof(distribution->counts[0]));
}

struct hf_distribution *hf_distribution_load(const struct hf_distribution_form *form,
                                             struct hf_state_reader *reader)
{
    struct hf_distribution head;
    if (!hf_state_file_get(reader, &head, sizeof(head))) {
        return NULL;
    }
    size_t room = room_of(form);
    if (head.size > room || (!form->is_exponential && head.size != room)) {
        reader->status = HF_CORRUPT;
        return NULL;
    }
    struct hf_distribution *distribution = hf_distribution_new(form);
    if (distribution == NULL) {
        reader->status = HF_NOMEM;
        return NULL;
    }
    memcpy(distribution, &head, sizeof(head));
    if (!hf_state_file_get(reader, distribution->counts,
                           distribution->size * sizeof(distribution->counts[0]))) {
        free(distribution);
        return NULL;
    }
    return distribution;
}
