/* Maps and lists as pairs and values: read, changed, made again. */
#include <string.h>

#include "function.h"

bool hf_ottl_pairs_of(struct hf_ottl_run *run, struct hf_slice content, size_t more,
                      struct hf_ottl_pairs *ret_pairs)
{
    struct hf_any map = {.type = HF_ANY_MAP, .bytes = content};
    size_t count = hf_any_count(&map);
    struct hf_wire items = hf_any_items(&map);
    *ret_pairs = (struct hf_ottl_pairs){.capacity = count + more};
    ret_pairs->items = hf_ottl_take(run, (count + more + 1) * sizeof(struct hf_any_pair));
    if (ret_pairs->items == NULL) {
        return false;
    }
    while (ret_pairs->count < count &&
           hf_any_next_pair(&items, &ret_pairs->items[ret_pairs->count])) {
        ret_pairs->count++;
    }
    return true;
}

struct hf_any_pair *hf_ottl_pairs_find(struct hf_ottl_pairs *pairs, struct hf_slice key)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (hf_slice_equal(pairs->items[i].key, key)) {
            return &pairs->items[i];
        }
    }
    return NULL;
}

bool hf_ottl_pairs_add(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs, struct hf_slice key,
                       struct hf_slice value)
{
    if (pairs->count == pairs->capacity) {
        size_t capacity = 2 * pairs->capacity + 8;
        struct hf_any_pair *items = hf_ottl_take(run, capacity * sizeof(*items));
        if (items == NULL) {
            return false;
        }
        if (pairs->count > 0) {
            memcpy(items, pairs->items, pairs->count * sizeof(*items));
        }
        pairs->items = items;
        pairs->capacity = capacity;
    }
    pairs->items[pairs->count++] = (struct hf_any_pair){key, value};
    return true;
}

bool hf_ottl_pairs_put(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs, struct hf_slice key,
                       struct hf_slice value)
{
    struct hf_any_pair *found = hf_ottl_pairs_find(pairs, key);
    if (found == NULL) {
        return hf_ottl_pairs_add(run, pairs, key, value);
    }
    found->value = value;
    return true;
}

bool hf_ottl_map_of_pairs(struct hf_ottl_run *run, const struct hf_ottl_pairs *pairs,
                          struct hf_ottl_value *ret_map)
{
    struct hf_any_maker maker = {.arena = &run->scratch};
    struct hf_any any = hf_any_read(hf_any_make_map(&maker, pairs->items, pairs->count));
    *ret_map = hf_ottl_of(HF_OTTL_MAP, any.bytes);
    return maker.failed ? hf_ottl_no_memory(run) : true;
}

bool hf_ottl_list_of(struct hf_ottl_run *run, const struct hf_slice *values, size_t count,
                     struct hf_ottl_value *ret_list)
{
    struct hf_any_maker maker = {.arena = &run->scratch};
    struct hf_any any = hf_any_read(hf_any_make_list(&maker, values, count));
    *ret_list = hf_ottl_of(HF_OTTL_LIST, any.bytes);
    return maker.failed ? hf_ottl_no_memory(run) : true;
}
