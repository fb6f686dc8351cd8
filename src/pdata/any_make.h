/*
 * any_make: values of AnyValue as immutable bytes, made from nothing or from other values.
 *
 * A value is a slice: it can be set as an attribute, a body, an element of a list; an empty slice
 * is the empty value. Making never changes an operand. The result is in the memory of the arena, or
 * is an operand, or part of one. When memory runs out, the arena's maker notes it and returns empty
 * values: ask once at the end. Operands have passed hf_scan() or were made here. Owned by one
 * thread: {.arena = arena} at first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "any.h"
#include "scan.h"
#include "util/arena.h"

struct hf_any_maker {
    struct hf_arena *arena; /* borrowed */
    bool failed;
};

struct hf_slice hf_any_make_string(struct hf_any_maker *maker, struct hf_slice text);
struct hf_slice hf_any_make_bytes(struct hf_any_maker *maker, struct hf_slice bytes);
struct hf_slice hf_any_make_bool(struct hf_any_maker *maker, bool boolean);
struct hf_slice hf_any_make_int(struct hf_any_maker *maker, int64_t integer);
struct hf_slice hf_any_make_double(struct hf_any_maker *maker, double number);
/* Of values; of pairs, in their order. Keys should be there once. */
struct hf_slice hf_any_make_list(struct hf_any_maker *maker, const struct hf_slice *values,
                                 size_t count);

struct hf_any_pair {
    struct hf_slice key, value;
};

struct hf_slice hf_any_make_map(struct hf_any_maker *maker, const struct hf_any_pair *pairs,
                                size_t count);

/* The bytes of a value that was read. */
struct hf_slice hf_any_make(struct hf_any_maker *maker, const struct hf_any *any);

/*
 * A value in the form that everything else here expects: one field at most. Values that came from
 * other encoders may have several, of which the last counts and lists are joined. Values inside are
 * as they came.
 */
struct hf_slice hf_any_settle(struct hf_any_maker *maker, struct hf_slice value);

/* ---- lists and maps; `value` holds one, or else it counts as an empty one ---- */

/* Steps through a list or a map, from hf_any_items(&any) on. */
struct hf_wire hf_any_items(const struct hf_any *any);
HF_MUST_USE bool hf_any_next_value(struct hf_wire *items, struct hf_slice *ret_value);
HF_MUST_USE bool hf_any_next_pair(struct hf_wire *items, struct hf_any_pair *ret_pair);
size_t hf_any_count(const struct hf_any *any);

/* Of a key that is there more often, the first counts. */
HF_MUST_USE bool hf_any_look_up(const struct hf_any *map, struct hf_slice key,
                                struct hf_slice *ret_value);
HF_MUST_USE bool hf_any_at(const struct hf_any *list, size_t index, struct hf_slice *ret_value);

/* A map with that key set (in its place, or at the end) or removed. */
struct hf_slice hf_any_with(struct hf_any_maker *maker, const struct hf_any *map,
                            struct hf_slice key, struct hf_slice value);
struct hf_slice hf_any_without(struct hf_any_maker *maker, const struct hf_any *map,
                               struct hf_slice key);
/* A list with one more; with another at `index`, and empty ones before it when it is shorter. */
struct hf_slice hf_any_append(struct hf_any_maker *maker, const struct hf_any *list,
                              struct hf_slice value);
struct hf_slice hf_any_with_at(struct hf_any_maker *maker, const struct hf_any *list, size_t index,
                               struct hf_slice value);

/*
 * How many messages a value is deep, itself included. Above HF_ANY_DEPTH_MAX it would not pass
 * hf_scan() wherever it stands in a request.
 */
#define HF_ANY_DEPTH_MAX (HF_SCAN_DEPTH_MAX - 10u)
unsigned hf_any_depth(struct hf_slice value);

/* ---- keys ---- */

#define HF_ANY_KEYS_MAX 16u /* in one path */

/* ["a"] or [0]. */
struct hf_any_key {
    bool is_index;
    int64_t index;
    struct hf_slice text;
};

/*
 * Follows keys into a value. HF_OK: `ret_value`, which is empty when a key is missing in a map.
 * HF_INVALID with one sentence in `reterr` (HF_ERROR_MAX): what is there takes no such key, or the
 * index is out of bounds.
 */
HF_MUST_USE enum hf_status hf_any_get(struct hf_slice value, const struct hf_any_key *keys,
                                      size_t count, struct hf_slice *ret_value, char *reterr);

/* `value` with another value at the end of the keys; maps and lists on the way are made where there
 * is nothing. HF_INVALID likewise: an index that is negative or far out, a scalar on the way. */
HF_MUST_USE enum hf_status hf_any_put(struct hf_any_maker *maker, struct hf_slice value,
                                      const struct hf_any_key *keys, size_t count,
                                      struct hf_slice set, struct hf_slice *ret_value,
                                      char *reterr);
