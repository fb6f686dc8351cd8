#include "endpoint_tally.h"

#include <stdlib.h>

#include "util/grow.h"

static bool reserve(struct endpoint_tally *tally)
{
    bool has_room =
        hf_grow(&tally->counts, &tally->capacity, tally->count + 1, sizeof(*tally->counts));
    tally->failed |= !has_room;
    return has_room;
}

void endpoint_tally_put(struct endpoint_tally *tally, const struct endpoint_count *count)
{
    if (reserve(tally)) {
        tally->counts[tally->count++] = *count;
    }
}

static int compare(const void *a, const void *b)
{
    const struct endpoint_count *one = a;
    const struct endpoint_count *other = b;
    int order = hf_slice_compare(one->service, other->service);
    order = order != 0 ? order : hf_slice_compare(one->address_type, other->address_type);
    return order != 0 ? order : hf_slice_compare(one->zone, other->zone);
}

void endpoint_tally_sort(struct endpoint_tally *tally)
{
    size_t kept = 0;
    if (tally->count == 0) {
        return;
    }
    qsort(tally->counts, tally->count, sizeof(*tally->counts), compare);
    for (size_t i = 1; i < tally->count; i++) {
        struct endpoint_count *last = &tally->counts[kept];
        const struct endpoint_count *next = &tally->counts[i];
        if (compare(last, next) == 0) {
            last->ready += next->ready;
            last->serving += next->serving;
            last->terminating += next->terminating;
        } else {
            tally->counts[++kept] = *next;
        }
    }
    tally->count = kept + 1;
}

const struct endpoint_count *endpoint_tally_find(const struct endpoint_tally *tally,
                                                 struct hf_slice service, size_t *ret_count)
{
    size_t low = 0;
    size_t high = tally->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (hf_slice_compare(tally->counts[middle].service, service) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *ret_count = 0;
    while (low + *ret_count < tally->count &&
           hf_slice_equal(tally->counts[low + *ret_count].service, service)) {
        ++*ret_count;
    }
    return *ret_count != 0 ? &tally->counts[low] : NULL;
}

void endpoint_tally_release(struct endpoint_tally *tally)
{
    free(tally->counts);
    *tally = (struct endpoint_tally){.count = 0};
}
