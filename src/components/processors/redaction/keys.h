/*
 * keys: sets of names, sorted for bsearch(). Immutable once sorted; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <holdfast/slice.h>

struct hf_key_set {
    struct hf_slice *items;
    size_t count;
};

static inline bool hf_key_is_in(const struct hf_key_set *set, struct hf_slice key)
{
    return set->count > 0 &&
           bsearch(&key, set->items, set->count, sizeof(*set->items), hf_slice_order) != NULL;
}
