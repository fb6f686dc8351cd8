#include "between.h"

#include <stdlib.h>
#include <string.h>

#include "util/grow.h"

static int by_key(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;
    return (first > second) - (first < second);
}

const void *hf_between_find(const struct hf_between *between, uint64_t key)
{
    const struct hf_between_items *before = &between->before;
    return before->count != 0 ? bsearch(&key, before->items, before->count, between->size, by_key)
                              : NULL;
}

void hf_between_keep(struct hf_between *between, const void *item)
{
    struct hf_between_items *now = &between->now;
    if (now->count < between->most &&
        hf_grow(&now->items, &now->capacity, now->count + 1, between->size)) {
        memcpy((char *)now->items + now->count++ * between->size, item, between->size);
    }
}

void hf_between_turn(struct hf_between *between)
{
    struct hf_between_items room = between->before;
    if (between->now.count != 0) {
        qsort(between->now.items, between->now.count, between->size, by_key);
    }
    between->before = between->now;
    between->now = room;
    between->now.count = 0;
}

void hf_between_release(struct hf_between *between)
{
    free(between->now.items);
    free(between->before.items);
}
