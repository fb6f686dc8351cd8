#include "buckets.h"

uint64_t hf_buckets_trim(struct hf_point_buckets *buckets, double index)
{
    uint64_t sum = 0;
    while (buckets->count > 0 && buckets->offset <= index) {
        sum += buckets->counts[0];
        buckets->counts++;
        buckets->count--;
        buckets->offset++;
    }
    return sum;
}

static int32_t halved(int32_t index, unsigned times)
{
    return times >= 31 ? (index < 0 ? -1 : 0) : index >> times;
}

void hf_buckets_coarsen(struct hf_point_buckets *buckets, unsigned times)
{
    int32_t offset = halved(buckets->offset, times);
    size_t count = 0;
    for (size_t i = 0; i < buckets->count; i++) {
        size_t at = (size_t)(halved(buckets->offset + (int32_t)i, times) - offset);
        uint64_t more = buckets->counts[i];
        if (at >= count) {
            count = at + 1;
            buckets->counts[at] = 0;
        }
        buckets->counts[at] += more;
    }
    buckets->offset = offset;
    buckets->count = count;
}

uint64_t hf_buckets_at(const struct hf_point_buckets *buckets, int64_t index)
{
    int64_t at = index - buckets->offset;
    return at >= 0 && (uint64_t)at < buckets->count ? buckets->counts[at] : 0;
}

struct hf_buckets_range hf_buckets_range(const struct hf_point_buckets *a,
                                         const struct hf_point_buckets *b)
{
    int64_t ends[2] = {(int64_t)a->offset + (int64_t)a->count,
                       (int64_t)b->offset + (int64_t)b->count};
    struct hf_buckets_range range = {a->offset < b->offset ? a->offset : b->offset,
                                     ends[0] > ends[1] ? ends[0] : ends[1]};
    while (range.lower < range.upper && hf_buckets_at(a, range.lower) == 0 &&
           hf_buckets_at(b, range.lower) == 0) {
        range.lower++;
    }
    while (range.lower < range.upper - 1 && hf_buckets_at(a, range.upper - 1) == 0 &&
           hf_buckets_at(b, range.upper - 1) == 0) {
        range.upper--;
    }
    return range;
}

/* Buckets far from each other need room for all in between. */
#define BUCKETS_MAX ((int64_t)1 << 20)

enum hf_status hf_buckets_add(struct hf_point_buckets *sum, const struct hf_point_buckets *more,
                              struct hf_arena *arena)
{
    if (more->count == 0) {
        return HF_OK;
    }
    if (sum->count == 0) {
        *sum = *more;
        return HF_OK;
    }
    struct hf_buckets_range range = hf_buckets_range(sum, more);
    int64_t size = range.upper - range.lower;
    uint64_t *counts =
        size <= BUCKETS_MAX ? hf_arena_take(arena, ((size_t)size + 1) * sizeof(*counts)) : NULL;
    if (counts == NULL) {
        return HF_NOMEM;
    }
    for (int64_t i = 0; i < size; i++) {
        counts[i] = hf_buckets_at(sum, range.lower + i) + hf_buckets_at(more, range.lower + i);
    }
    *sum = (struct hf_point_buckets){(int32_t)range.lower, counts, (size_t)size};
    return HF_OK;
}
