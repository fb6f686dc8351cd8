/*
 * value: what a field of a log entry holds. A value is copied as it is; texts, lists and maps that
 * it leads to are borrowed, or in the arena of the entry, so that an untouched line is never
 * copied. Maps keep the order in which keys were set. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/field.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/arena.h"

enum hf_expr_type {
    HF_EXPR_NULL = 0,
    HF_EXPR_STRING,
    HF_EXPR_BYTES,
    HF_EXPR_BOOL,
    HF_EXPR_INT,
    HF_EXPR_DOUBLE,
    HF_EXPR_LIST,
    HF_EXPR_MAP
};

struct hf_expr_value {
    enum hf_expr_type type;
    union {
        bool boolean;
        int64_t integer;
        double number;
        struct hf_slice text; /* STRING, BYTES */
        struct hf_expr_list *list;
        struct hf_expr_map *map;
    };
};

struct hf_expr_list {
    struct hf_expr_value *items;
    size_t count, capacity;
};

struct hf_expr_pair {
    struct hf_slice key;
    struct hf_expr_value value;
};

struct hf_expr_map {
    struct hf_expr_pair *pairs;
    size_t count, capacity;
    bool holds_texts; /* a key that is not there is an empty text, as in a map of texts in Go */
};

#define HF_EXPR_DEPTH_MAX 64u /* lists and maps within each other */

static inline struct hf_expr_value hf_expr_string(struct hf_slice text)
{
    return (struct hf_expr_value){.type = HF_EXPR_STRING, .text = text};
}

static inline struct hf_expr_value hf_expr_text(const char *text)
{
    return hf_expr_string(hf_slice_text(text));
}

static inline struct hf_expr_value hf_expr_integer(int64_t integer)
{
    return (struct hf_expr_value){.type = HF_EXPR_INT, .integer = integer};
}

static inline struct hf_expr_value hf_expr_number(double number)
{
    return (struct hf_expr_value){.type = HF_EXPR_DOUBLE, .number = number};
}

static inline struct hf_expr_value hf_expr_boolean(bool boolean)
{
    return (struct hf_expr_value){.type = HF_EXPR_BOOL, .boolean = boolean};
}

/* Empty ones, with room for so many; NULL: no memory. */
struct hf_expr_map *hf_expr_map_new(struct hf_arena *arena, size_t capacity);
struct hf_expr_list *hf_expr_list_new(struct hf_arena *arena, size_t capacity);

/* The pair of that key; NULL: none. */
struct hf_expr_pair *hf_expr_map_find(const struct hf_expr_map *map, struct hf_slice key);
/* Sets in place, or adds at the end. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_expr_map_set(struct hf_arena *arena, struct hf_expr_map *map,
                                           struct hf_slice key, struct hf_expr_value value);
/* Adds without looking for the key. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_expr_map_add(struct hf_arena *arena, struct hf_expr_map *map,
                                           struct hf_slice key, struct hf_expr_value value);
/* False: it was not there. */
bool hf_expr_map_remove(struct hf_expr_map *map, struct hf_slice key);
/* Sets every key of `from`. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_expr_map_merge(struct hf_arena *arena, struct hf_expr_map *map,
                                             const struct hf_expr_map *from);
/* A list of so many items of another; NULL: no memory. */
struct hf_expr_list *hf_expr_list_copy(struct hf_arena *arena, const struct hf_expr_value *items,
                                       size_t count);
/* The item at that place, from the end if it is negative; NULL: there is none. */
struct hf_expr_value *hf_expr_list_at(const struct hf_expr_list *list, int64_t at);
HF_MUST_USE enum hf_status hf_expr_list_add(struct hf_arena *arena, struct hf_expr_list *list,
                                            struct hf_expr_value value);

/* Bytes in the arena; data NULL: no memory (or nothing to copy). */
struct hf_slice hf_expr_copy_text(struct hf_arena *arena, struct hf_slice text);
/* Everything that it leads to as well. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_expr_value_copy(struct hf_arena *arena,
                                              const struct hf_expr_value *value,
                                              struct hf_expr_value *ret_value);
bool hf_expr_value_equal(const struct hf_expr_value *a, const struct hf_expr_value *b);

static inline bool hf_expr_is_number(const struct hf_expr_value *value)
{
    return value->type == HF_EXPR_INT || value->type == HF_EXPR_DOUBLE;
}

static inline double hf_expr_number_of(const struct hf_expr_value *value)
{
    return value->type == HF_EXPR_INT ? (double)value->integer : value->number;
}

/* Below, equal or above 0 by the order of numbers or texts. False: they have none. */
bool hf_expr_value_order(const struct hf_expr_value *a, const struct hf_expr_value *b,
                         int *ret_sign);

#define HF_EXPR_DOUBLE_MAX 40u

/* The shortest digits that read back the same. Returns their number. */
size_t hf_expr_print_double(double number, char room[HF_EXPR_DOUBLE_MAX]);

/* A value of the configuration; texts are borrowed. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_expr_value_of(struct hf_arena *arena, const struct hf_value *from,
                                            struct hf_expr_value *ret_value);
