/*
 * node: one part of a parsed text, which is also what runs: after resolving, each has how it is
 * evaluated. In the memory of its program; immutable then.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lexer.h"
#include "ottl.h"
#include "value.h"

enum hf_ottl_node_kind {
    HF_NODE_LITERAL = 0,
    HF_NODE_NAME,   /* an enum's symbol, or a function that is an argument */
    HF_NODE_PATH,   /* `names`; its keys are `items` */
    HF_NODE_CACHE,  /* what some paths become */
    HF_NODE_CALL,   /* `name` of a function; its arguments are `items` */
    HF_NODE_INDEX,  /* `items`: a call and its keys */
    HF_NODE_LIST,   /* `items` */
    HF_NODE_MAP,    /* `items`: a literal key and a value by turns */
    HF_NODE_MATH,   /* `items`: two; `sign` */
    HF_NODE_NEGATE, /* `items`: one; likewise NOT and TEST */
    HF_NODE_COMPARE,
    HF_NODE_AND, /* `items`: two or more */
    HF_NODE_OR,
    HF_NODE_NOT,
    HF_NODE_TEST,   /* a call as a condition */
    HF_NODE_LAMBDA, /* `names` of its parameters; `items`: its body */
    HF_NODE_LOCAL   /* a parameter of a lambda around it; `items`: keys */
};

struct hf_ottl_node;
struct hf_ottl_call;

/* False: `run->error` says why, or `run->no_memory`. */
typedef bool hf_ottl_evaluate(const struct hf_ottl_node *node, struct hf_ottl_run *run,
                              struct hf_ottl_value *ret_value);
typedef enum hf_ottl_verdict hf_ottl_judge(const struct hf_ottl_node *node,
                                           struct hf_ottl_run *run);

#define HF_OTTL_NAMES_MAX 6u

struct hf_ottl_node {
    enum hf_ottl_node_kind kind;
    char sign;
    enum hf_ottl_comparison comparison;
    size_t at; /* in the text */
    hf_ottl_evaluate *evaluate;
    hf_ottl_judge *judge;
    struct hf_ottl_value value; /* LITERAL */
    struct hf_slice name;       /* NAME, CALL */
    struct hf_slice *names;     /* PATH, LAMBDA */
    size_t name_count;
    size_t outward, position; /* LOCAL: of which lambda, counted outward, and which parameter */
    struct hf_ottl_node **items;
    size_t count;
    struct hf_slice *argument_names; /* CALL: empty for one without a name; NULL: all are */
    struct hf_path *path;            /* PATH, resolved */
    bool has_fixed_keys;             /* `path` has them, or there are none */
    struct hf_ottl_call *call;       /* CALL, resolved */
};

/* One text. */
struct hf_ottl_text {
    const char *text;
    struct hf_ottl_node *editor;    /* NULL: it is a condition */
    struct hf_ottl_node *condition; /* NULL: always */
};

/* What is wrong with a text, and where. */
struct hf_ottl_fault {
    size_t at;
    char sentence[HF_ERROR_MAX];
};

__attribute__((format(printf, 3, 4))) enum hf_status
hf_ottl_refuse(struct hf_ottl_fault *fault, size_t at, const char *format, ...);

/* ---- parser.c ---- */

/* HF_INVALID with `fault`, HF_NOMEM. */
HF_MUST_USE enum hf_status hf_ottl_parse(struct hf_ottl_text *text, bool is_statement,
                                         struct hf_arena *arena, struct hf_ottl_fault *fault);

/* ---- resolve.c ---- */

struct hf_ottl_scope;

struct hf_ottl_resolve {
    const struct hf_ottl_scope *scope; /* lambda.h; NULL: outside of all lambdas */
    struct hf_arena *arena;
    enum hf_path_context context;
    unsigned functions;
    bool is_bare; /* paths without a prefix are the context's own */
    struct hf_ottl_fault *fault;
    /* For the arguments of calls: hf_ottl_resolve(). */
    enum hf_status (*resolve)(struct hf_ottl_resolve *resolve, struct hf_ottl_node *node);
};

HF_MUST_USE enum hf_status hf_ottl_resolve(struct hf_ottl_resolve *resolve,
                                           struct hf_ottl_node *node);
/* Gives back what resolving took beside the arena's memory. */
void hf_ottl_release(struct hf_ottl_node *node);

/* ---- enums.c ---- */

/* False: the context has no such symbol. */
HF_MUST_USE bool hf_ottl_enum_find(enum hf_path_context context, struct hf_slice name,
                                   int64_t *ret_value);
/* The nearest symbol of the context; NULL: none is near. */
const char *hf_ottl_enum_suggest(enum hf_path_context context, struct hf_slice name);

/* ---- infer.c ---- */

/* The context of all these texts. HF_INVALID with `fault`. */
HF_MUST_USE enum hf_status hf_ottl_infer(struct hf_ottl_node *const *nodes, size_t count,
                                         const struct hf_ottl_source *source,
                                         enum hf_path_context *ret_context,
                                         struct hf_ottl_fault *fault);
/* Are paths with the prefix `inner` legal in `context`? */
bool hf_ottl_context_has(enum hf_path_context context, enum hf_path_context inner);

/* ---- evaluate.c ---- */

hf_ottl_evaluate hf_ottl_evaluate_literal, hf_ottl_evaluate_path, hf_ottl_evaluate_cache,
    hf_ottl_evaluate_call, hf_ottl_evaluate_index, hf_ottl_evaluate_list, hf_ottl_evaluate_map,
    hf_ottl_evaluate_math, hf_ottl_evaluate_negate, hf_ottl_evaluate_local;
hf_ottl_judge hf_ottl_judge_literal, hf_ottl_judge_compare, hf_ottl_judge_and, hf_ottl_judge_or,
    hf_ottl_judge_not, hf_ottl_judge_test;

/* Sets `run->error`; false, so that it can be returned. */
__attribute__((format(printf, 2, 3))) bool hf_ottl_fail(struct hf_ottl_run *run, const char *format,
                                                        ...);
bool hf_ottl_no_memory(struct hf_ottl_run *run);
/* True for HF_OK; else the run's error is what `status` means. */
bool hf_ottl_passes(struct hf_ottl_run *run, enum hf_status status);

/* Memory until the next place. */
void *hf_ottl_take(struct hf_ottl_run *run, size_t size);
struct hf_slice hf_ottl_keep(struct hf_ottl_run *run, struct hf_slice bytes);

/* Sets what a PATH or CACHE names. */
HF_MUST_USE bool hf_ottl_assign(struct hf_ottl_run *run, const struct hf_ottl_node *target,
                                const struct hf_ottl_value *value);
/* The bytes of an AnyValue in scratch memory. False: no attribute can hold it. */
HF_MUST_USE bool hf_ottl_encode(struct hf_ottl_run *run, const struct hf_ottl_value *value,
                                struct hf_slice *ret_any);
