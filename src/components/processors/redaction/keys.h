/*
 * keys: sets of names, sorted for bsearch(). Immutable once sorted; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/slice.h>

struct hf_key_set {
    struct hf_slice *items;
    size_t count;
};

/* For qsort() and bsearch() over struct hf_slice. */
static inline int hf_key_compare(const void *left, const void *right)
{
    const struct hf_slice *a = left, *b = right;
    size_t least = a->size < b->size ? a->size : b->size;
    int order = least > 0 ? memcmp(a->data, b->data, least) : 0;
    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

static inline bool hf_key_is_in(const struct hf_key_set *set, struct hf_slice key)
{
    return set->count > 0 &&
           bsearch(&key, set->items, set->count, sizeof(*set->items), hf_key_compare) != NULL;
}
