/* Maps as lists of pairs: read, changed and put back where they were. */
#include <string.h>

#include "function.h"
#include "pdata/attributes.h"
#include "pdata/document.h"

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

bool hf_ottl_pairs_put(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs, struct hf_slice key,
                       struct hf_slice value)
{
    struct hf_any_pair *found = hf_ottl_pairs_find(pairs, key);
    if (found != NULL) {
        found->value = value;
        return true;
    }
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

struct hf_attributes *hf_ottl_list_at(struct hf_ottl_run *run, const struct hf_ottl_node *target)
{
    if (target->kind != HF_NODE_PATH || target->count > 0) {
        return NULL;
    }
    return hf_path_attributes(target->path, run->place, false);
}

static bool pairs_of_list(struct hf_ottl_run *run, const struct hf_attributes *list, size_t more,
                          struct hf_ottl_pairs *ret_pairs)
{
    size_t capacity = list->count + more;
    *ret_pairs = (struct hf_ottl_pairs){.capacity = capacity};
    ret_pairs->items = hf_ottl_take(run, (capacity + 1) * sizeof(struct hf_any_pair));
    if (ret_pairs->items == NULL) {
        return false;
    }
    for (size_t i = 0; i < list->count; i++) {
        ret_pairs->items[i] = (struct hf_any_pair){list->items[i].key, list->items[i].value};
    }
    ret_pairs->count = list->count;
    return true;
}

bool hf_ottl_read_map(struct hf_ottl_run *run, const struct hf_ottl_node *target, size_t more,
                      struct hf_ottl_pairs *ret_pairs)
{
    const struct hf_attributes *list = hf_ottl_list_at(run, target);
    struct hf_ottl_value value;
    if (list != NULL) {
        return pairs_of_list(run, list, more, ret_pairs);
    }
    if (!hf_ottl_value_of(run, target, &value)) {
        return false;
    }
    if (value.type != HF_OTTL_MAP) {
        return hf_ottl_fail(run, "expected pcommon.Map but got %s", hf_ottl_type_name(value.type));
    }
    return hf_ottl_pairs_of(run, value.bytes, more, ret_pairs);
}

bool hf_ottl_write_map(struct hf_ottl_run *run, const struct hf_ottl_node *target,
                       const struct hf_ottl_pairs *pairs)
{
    struct hf_ottl_value map;
    return hf_ottl_map_of_pairs(run, pairs, &map) && hf_ottl_assign(run, target, &map);
}
