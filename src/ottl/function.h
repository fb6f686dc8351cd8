/*
 * function: editors and converters as tables: names, arguments and what runs. A new function is a
 * row in the table of its file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node.h"
#include "value.h"

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
    HF_ARG_STRINGS,  /* a list in the text whose items are strings */
    HF_ARG_STRING_LIKES,
    HF_ARG_ANYS,
};

#define HF_ARG_KIND_MASK 0x3fu
#define HF_ARG_OPTIONAL 0x40u
#define HF_ARG_LITERAL 0x80u /* not a path, not a call */

#define HF_OTTL_ARGUMENTS_MAX 8u

struct hf_ottl_function {
    const char *name;
    struct hf_ottl_argument {
        const char *name;
        unsigned kind; /* enum hf_ottl_argument_kind and the flags above */
    } arguments[HF_OTTL_ARGUMENTS_MAX];
    /* False: `run->error`. `ret_value` is NIL before. Arguments that are not there are NIL. */
    bool (*run)(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value);
    /* Checks literals when the text is compiled. NULL: nothing to check. HF_INVALID with the
     * fault's sentence. */
    enum hf_status (*check)(struct hf_ottl_call *call, struct hf_ottl_fault *fault, size_t at);
    unsigned contexts;  /* bits by enum hf_path_context; 0: all */
    unsigned functions; /* HF_OTTL_METRIC_EDITORS and so on: where it is; 0: everywhere */
    bool varies;        /* with the same arguments it does not yield the same */
    bool fails_early;   /* with literals that it cannot take the text does not compile */
};

/* A function with its arguments, as it stands in a text. */
struct hf_ottl_call {
    const struct hf_ottl_function *function;
    struct hf_ottl_node *nodes[HF_OTTL_ARGUMENTS_MAX]; /* NULL: not given */
    struct hf_regex *regexes[HF_OTTL_ARGUMENTS_MAX];   /* of REGEX and GLOB; NULL: not fixed */
    const struct hf_ottl_function *applied;            /* of FUNCTION; NULL: not given */
    size_t count;                                      /* arguments that the function has */
};

/* Every table, by an index from 0 on; NULL behind the last. A table ends with a name NULL. */
const struct hf_ottl_function *hf_ottl_functions(size_t index);
/* NULL: there is none of that name for such a context. */
const struct hf_ottl_function *hf_ottl_function_find(struct hf_slice name, unsigned functions,
                                                     enum hf_path_context context, bool is_editor);
const char *hf_ottl_function_suggest(struct hf_slice name, unsigned functions,
                                     enum hf_path_context context, bool is_editor);

/* An argument that is a literal: its value; NULL otherwise, or not given. */
static inline const struct hf_ottl_value *hf_ottl_literal(const struct hf_ottl_call *call,
                                                          size_t argument)
{
    const struct hf_ottl_node *node = call->nodes[argument];
    return node != NULL && node->kind == HF_NODE_LITERAL ? &node->value : NULL;
}

/* A literal number, or `preset`. */
static inline int64_t hf_ottl_literal_int(const struct hf_ottl_call *call, size_t argument,
                                          int64_t preset)
{
    const struct hf_ottl_value *value = hf_ottl_literal(call, argument);
    return value != NULL ? value->integer : preset;
}

static inline struct hf_slice hf_ottl_literal_text(const struct hf_ottl_call *call, size_t argument,
                                                   const char *preset)
{
    const struct hf_ottl_value *value = hf_ottl_literal(call, argument);
    return value != NULL ? value->bytes : hf_slice_text(preset);
}

/* ---- for functions ---- */

HF_MUST_USE bool hf_ottl_value_of(struct hf_ottl_run *run, const struct hf_ottl_node *node,
                                  struct hf_ottl_value *ret_value);

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

/* A check of the arguments 1 and 2: delimiters that are there and differ. */
enum hf_status hf_ottl_check_delimiters(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                        size_t at);

/* ---- the tables ---- */

extern const struct hf_ottl_function hf_ottl_editors[], hf_ottl_replacers[], hf_ottl_kinds[],
    hf_ottl_texts[], hf_ottl_numbers[], hf_ottl_digests[], hf_ottl_times[], hf_ottl_containers[],
    hf_ottl_parsers[], hf_ottl_patterns[], hf_ottl_metrics[], hf_ottl_addresses[],
    hf_ottl_codings[], hf_ottl_flatteners[], hf_ottl_aggregators[], hf_ottl_exponential[];
