/*
 * function: editors and converters as tables: names, arguments and what runs. A new function is a
 * row in the table of its file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node.h"
#include "support.h"
#include "value.h"

struct hf_regex;

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
    void *prepared; /* what `check` made of literals; given back by `unprepare` */
    void (*unprepare)(void *prepared);
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

/* A check of the arguments 1 and 2: delimiters that are there and differ. */
enum hf_status hf_ottl_check_delimiters(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                        size_t at);

/* ---- the tables ---- */

extern const struct hf_ottl_function hf_ottl_editors[], hf_ottl_replacers[], hf_ottl_kinds[],
    hf_ottl_texts[], hf_ottl_numbers[], hf_ottl_digests[], hf_ottl_times[], hf_ottl_containers[],
    hf_ottl_parsers[], hf_ottl_patterns[], hf_ottl_metrics[], hf_ottl_addresses[],
    hf_ottl_codings[], hf_ottl_flatteners[], hf_ottl_aggregators[], hf_ottl_exponential[],
    hf_ottl_lambdas[], hf_ottl_formats[], hf_ottl_groks[], hf_ottl_user_agents[],
    hf_ottl_log_formats[], hf_ottl_extended_log[], hf_ottl_span_names[], hf_ottl_xml[],
    hf_ottl_xml_maps[], hf_ottl_percentiles[];
