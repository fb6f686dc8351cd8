/* The editor that turns maps within maps into one, with keys joined by points. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "function.h"

struct flattening {
    struct hf_ottl_run *run;
    struct hf_ottl_pairs result;
    struct hf_ottl_pairs collisions; /* key: how often it collided, as the size of its value */
    int64_t depth;
    bool resolves;
};

static struct hf_slice join(struct flattening *flattening, struct hf_slice prefix,
                            struct hf_slice key)
{
    struct hf_ottl_value joined;
    hf_ottl_start_text(flattening->run);
    hf_ottl_add_text(flattening->run, prefix);
    hf_ottl_add_text(flattening->run, prefix.size > 0 ? hf_slice_text(".") : HF_EMPTY_SLICE);
    hf_ottl_add_text(flattening->run, key);
    return hf_ottl_end_text(flattening->run, &joined) ? joined.bytes : HF_EMPTY_SLICE;
}

static struct hf_slice join_number(struct flattening *flattening, struct hf_slice prefix,
                                   size_t number)
{
    char digits[24];
    int size = snprintf(digits, sizeof(digits), "%zu", number);
    return join(flattening, prefix, hf_slice_of(digits, (size_t)size));
}

/* The first of a key keeps it; those that come later get a number. */
static bool put_resolved(struct flattening *flattening, struct hf_slice key, struct hf_slice value)
{
    static const uint8_t counted[4096];
    struct hf_any_pair *count = hf_ottl_pairs_find(&flattening->collisions, key);
    if (hf_ottl_pairs_find(&flattening->result, key) == NULL) {
        return hf_ottl_pairs_put(flattening->run, &flattening->collisions, key, HF_EMPTY_SLICE) &&
               hf_ottl_pairs_put(flattening->run, &flattening->result, key, value);
    }
    size_t times = count != NULL ? count->value.size : 0;
    if (times == sizeof(counted)) {
        return hf_ottl_fail(flattening->run, "a key collides too often");
    }
    struct hf_slice numbered = join_number(flattening, key, times);
    return hf_ottl_pairs_put(flattening->run, &flattening->collisions, key,
                             hf_slice_of(counted, times + 1)) &&
           hf_ottl_pairs_put(flattening->run, &flattening->result, numbered, value);
}

static bool put_leaf(struct flattening *flattening, struct hf_slice key, struct hf_slice value)
{
    return flattening->resolves
               ? put_resolved(flattening, key, value)
               : hf_ottl_pairs_put(flattening->run, &flattening->result, key, value);
}

static bool flatten_map(struct flattening *flattening, const struct hf_any *map,
                        struct hf_slice prefix, int64_t depth);
static bool flatten_list(struct flattening *flattening, const struct hf_any *list,
                         struct hf_slice key, int64_t depth);

static bool flatten_value(struct flattening *flattening, struct hf_slice key, struct hf_slice value,
                          int64_t depth)
{
    struct hf_any any = hf_any_read(value);
    if (any.type == HF_ANY_MAP && depth < flattening->depth) {
        return flatten_map(flattening, &any, key, depth + 1);
    }
    if (any.type == HF_ANY_ARRAY && depth < flattening->depth) {
        return flatten_list(flattening, &any, key, depth);
    }
    return put_leaf(flattening, key, value);
}

static bool flatten_map(struct flattening *flattening, const struct hf_any *map,
                        struct hf_slice prefix, int64_t depth)
{
    struct hf_wire items = hf_any_items(map);
    struct hf_any_pair pair;
    while (hf_any_next_pair(&items, &pair)) {
        struct hf_slice key = join(flattening, prefix, pair.key);
        if (!flatten_value(flattening, key, pair.value, depth)) {
            return false;
        }
    }
    return true;
}

/* One item of a list: what is inside of it is two levels deeper than the list's key. */
static bool flatten_item(struct flattening *flattening, struct hf_slice key, size_t number,
                         struct hf_slice item, int64_t depth)
{
    struct hf_any any = hf_any_read(item);
    bool goes_in = depth + 1 < flattening->depth;
    if (any.type == HF_ANY_MAP && goes_in) {
        return flatten_map(flattening, &any, join_number(flattening, key, number), depth + 2);
    }
    if (any.type == HF_ANY_ARRAY && goes_in) {
        struct hf_wire items = hf_any_items(&any);
        struct hf_slice prefix = join_number(flattening, key, number), inner;
        for (size_t i = 0; hf_any_next_value(&items, &inner); i++) {
            char digits[24];
            int size = snprintf(digits, sizeof(digits), "%zu", i);
            /* No point between: so the Go collector has it for lists within lists. */
            struct hf_ottl_value joined;
            hf_ottl_start_text(flattening->run);
            hf_ottl_add_text(flattening->run, prefix);
            hf_ottl_add_text(flattening->run, hf_slice_of(digits, (size_t)size));
            if (!hf_ottl_end_text(flattening->run, &joined) ||
                !flatten_value(flattening, joined.bytes, inner, depth + 3)) {
                return false;
            }
        }
        return true;
    }
    struct hf_slice own = flattening->resolves ? key : join_number(flattening, key, number);
    return put_leaf(flattening, own, item);
}

static bool flatten_list(struct flattening *flattening, const struct hf_any *list,
                         struct hf_slice key, int64_t depth)
{
    struct hf_wire items = hf_any_items(list);
    struct hf_slice item;
    for (size_t i = 0; hf_any_next_value(&items, &item); i++) {
        if (!flatten_item(flattening, key, i, item, depth)) {
            return false;
        }
    }
    return true;
}

static enum hf_status check_depth(struct hf_ottl_call *call, struct hf_ottl_fault *fault, size_t at)
{
    int64_t depth = hf_ottl_literal_int(call, 2, INT64_MAX);
    return depth >= 1 ? HF_OK
                      : hf_ottl_refuse(fault, at,
                                       "invalid depth '%" PRId64
                                       "' for flatten function, must be greater than 0",
                                       depth);
}

static bool flatten(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                    const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    struct flattening flattening = {.run = run,
                                    .depth = hf_ottl_literal_int(call, 2, INT64_MAX),
                                    .resolves = hf_ottl_literal_int(call, 3, 0) != 0};
    struct hf_ottl_pairs pairs;
    struct hf_slice prefix = hf_ottl_literal_text(call, 1, "");
    (void)arguments;
    (void)ret_value;
    if (!hf_ottl_read_map(run, call->nodes[0], 0, &pairs)) {
        return false;
    }
    for (size_t i = 0; i < pairs.count; i++) {
        struct hf_slice key = join(&flattening, prefix, pairs.items[i].key);
        if (!flatten_value(&flattening, key, pairs.items[i].value, 0)) {
            return false;
        }
    }
    return hf_ottl_write_map(run, call->nodes[0], &flattening.result);
}

const struct hf_ottl_function hf_ottl_flatteners[] = {
    {.name = "flatten",
     .arguments = {{"target", HF_ARG_MAP_PATH},
                   {"prefix", HF_ARG_STRING | HF_ARG_LITERAL | HF_ARG_OPTIONAL},
                   {"depth", HF_ARG_INT | HF_ARG_LITERAL | HF_ARG_OPTIONAL},
                   {"resolve_conflicts", HF_ARG_BOOL | HF_ARG_LITERAL | HF_ARG_OPTIONAL}},
     .run = flatten,
     .check = check_depth},
    {.name = NULL},
};
