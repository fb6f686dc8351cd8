/*
 * support: what editors and converters are made of: values of the kinds that they ask for, texts,
 * lists and maps in the run's scratch memory. Each owned by the thread of its run.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node.h"
#include "value.h"

struct hf_attributes;
struct hf_regex;

enum hf_ottl_argument_kind {
    HF_ARG_NONE = 0,
    HF_ARG_ANY,
    HF_ARG_STRING,
    HF_ARG_STRING_LIKE, /* made a text; NIL stays */
    HF_ARG_INT,
    HF_ARG_INT_LIKE, /* made an integer; NIL stays */
    HF_ARG_DOUBLE,
    HF_ARG_DOUBLE_LIKE,
    HF_ARG_BOOL,
    HF_ARG_BOOL_LIKE,
    HF_ARG_BYTES_LIKE, /* made BYTES; NIL stays */
    HF_ARG_MAP,
    HF_ARG_LIST,
    HF_ARG_TIME,
    HF_ARG_DURATION,
    HF_ARG_REGEX,    /* a text; compiled when it is a literal */
    HF_ARG_GLOB,     /* likewise */
    HF_ARG_PATH,     /* these are not evaluated before the function runs */
    HF_ARG_MAP_PATH, /* a path that holds a map */
    HF_ARG_FUNCTION, /* the name of a converter */
    HF_ARG_LAMBDA,
    HF_ARG_LAZY,    /* the function evaluates it, when it has to */
    HF_ARG_STRINGS, /* a list in the text whose items are strings */
    HF_ARG_STRING_LIKES,
    HF_ARG_ANYS,
};

HF_MUST_USE bool hf_ottl_value_of(struct hf_ottl_run *run, const struct hf_ottl_node *node,
                                  struct hf_ottl_value *ret_value);

/* The keys of a node from item `first` on, as they are now. */
HF_MUST_USE bool hf_ottl_keys_of(struct hf_ottl_run *run, const struct hf_ottl_node *node,
                                 size_t first, struct hf_any_key *keys);
/* Follows one key into a value. Unlike below a path, what is missing is an error. */
HF_MUST_USE bool hf_ottl_step_into(struct hf_ottl_run *run, const struct hf_any_key *key,
                                   struct hf_ottl_value *value);

/* Makes a value one of the kind; false: it is none, and `run->error` says so. */
HF_MUST_USE bool hf_ottl_convert(struct hf_ottl_run *run, enum hf_ottl_argument_kind kind,
                                 struct hf_ottl_value *value);

/* Text of any value but NIL, in scratch memory. */
HF_MUST_USE bool hf_ottl_text_of(struct hf_ottl_run *run, const struct hf_ottl_value *value,
                                 struct hf_slice *ret_text);

/* The items of an argument that is a list in the text, each of the kind. */
HF_MUST_USE bool hf_ottl_items_of(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                                  size_t argument, enum hf_ottl_argument_kind kind,
                                  struct hf_ottl_value **ret_items, size_t *ret_count);

/* The regular expression of an argument: the fixed one, or one compiled now that the caller gives
 * back with hf_ottl_put_regex(). NULL: `run->error`. */
struct hf_regex *hf_ottl_take_regex(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                                    size_t argument, const struct hf_ottl_value *text);
void hf_ottl_put_regex(const struct hf_ottl_call *call, size_t argument, struct hf_regex *regex);

/* ---- growing texts in scratch memory ---- */

/* Appends to `run->text`, which hf_ottl_start_text() empties. */
static inline void hf_ottl_start_text(struct hf_ottl_run *run)
{
    run->text.size = 0;
}

static inline void hf_ottl_add_text(struct hf_ottl_run *run, struct hf_slice more)
{
    run->no_memory |= hf_bytes_append(&run->text, more) != HF_OK;
}

/* A copy of it as a value. */
HF_MUST_USE bool hf_ottl_end_text(struct hf_ottl_run *run, struct hf_ottl_value *ret_value);

/* A text that was cut or decoded from bytes: what is no UTF-8 in it becomes U+FFFD, for a request
 * with other texts would be refused by who gets it. */
HF_MUST_USE bool hf_ottl_mend_text(struct hf_ottl_run *run, struct hf_slice text,
                                   struct hf_ottl_value *ret_value);

/* ---- maps as lists of pairs, to be changed and put back ---- */

struct hf_ottl_pairs {
    struct hf_any_pair *items;
    size_t count, capacity;
};

/* The pairs of the content of a map; room for `more`. */
HF_MUST_USE bool hf_ottl_pairs_of(struct hf_ottl_run *run, struct hf_slice content, size_t more,
                                  struct hf_ottl_pairs *ret_pairs);
/* NULL: not there. */
struct hf_any_pair *hf_ottl_pairs_find(struct hf_ottl_pairs *pairs, struct hf_slice key);
/* Changes or adds; false: no memory. */
HF_MUST_USE bool hf_ottl_pairs_put(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs,
                                   struct hf_slice key, struct hf_slice value);
/* Adds one whose key is not there. */
HF_MUST_USE bool hf_ottl_pairs_add(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs,
                                   struct hf_slice key, struct hf_slice value);
HF_MUST_USE bool hf_ottl_map_of_pairs(struct hf_ottl_run *run, const struct hf_ottl_pairs *pairs,
                                      struct hf_ottl_value *ret_map);
HF_MUST_USE bool hf_ottl_list_of(struct hf_ottl_run *run, const struct hf_slice *values,
                                 size_t count, struct hf_ottl_value *ret_list);

/* What a MAP_PATH holds, as pairs. False: no map, `run->error`. */
HF_MUST_USE bool hf_ottl_read_map(struct hf_ottl_run *run, const struct hf_ottl_node *target,
                                  size_t more, struct hf_ottl_pairs *ret_pairs);
HF_MUST_USE bool hf_ottl_write_map(struct hf_ottl_run *run, const struct hf_ottl_node *target,
                                   const struct hf_ottl_pairs *pairs);
/* Of a path to attributes, the list itself, to be changed in place; NULL otherwise. */
struct hf_attributes *hf_ottl_list_at(struct hf_ottl_run *run, const struct hf_ottl_node *target);
