/* Maps where they are, at a path or in a value: read as pairs and put back. */
#include "function.h"
#include "pdata/attributes.h"
#include "pdata/document.h"

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
