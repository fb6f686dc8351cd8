/*
 * node: the tree of a compiled expression. Immutable after parsing.
 */
#pragma once

#include "expr.h"

struct hf_regex;

enum node_kind {
    NODE_CONSTANT,
    NODE_VARIABLE, /* index */
    NODE_ELEMENT,  /* `#` in a predicate; index: 0 the element, 1 its number, 2 `#acc` */
    NODE_LOCAL,    /* index, of what `let` named */
    NODE_LET,      /* let index = left; right */
    NODE_MEMBER,   /* left[right] */
    NODE_SLICE,    /* left[right:third] */
    NODE_LIST,
    NODE_MAP, /* keys and values by turns */
    NODE_NOT,
    NODE_MINUS,
    NODE_AND,
    NODE_OR,
    NODE_COALESCE,
    NODE_CONDITION, /* left ? right : third */
    NODE_EQUAL,
    NODE_UNEQUAL,
    NODE_LESS,
    NODE_LESS_EQUAL,
    NODE_GREATER,
    NODE_GREATER_EQUAL,
    NODE_IN,
    NODE_MATCHES,
    NODE_CONTAINS,
    NODE_STARTS_WITH,
    NODE_ENDS_WITH,
    NODE_RANGE,
    NODE_ADD,
    NODE_SUBTRACT,
    NODE_MULTIPLY,
    NODE_DIVIDE,
    NODE_REMAINDER,
    NODE_POWER,
    NODE_CALL,
};

struct node;
struct scope;

#define EXPR_ARGUMENTS_MAX 256u
#define EXPR_LOCALS_MAX 16u

/* What a function has beside plain arguments. */
#define EXPR_PREDICATE 1u /* its second argument is evaluated per element */
#define EXPR_LABELS 2u    /* it looks into HF_EXPR_LABELS, which is put behind its arguments */

/* What an expression can call. */
struct expr_function {
    const char *name;
    struct hf_expr_value (*call)(struct scope *scope, const struct node *node);
    unsigned min, max; /* arguments */
    unsigned kind;     /* bits of the above */
};

struct node {
    enum node_kind kind;
    bool is_optional; /* MEMBER: of nothing it is nothing */
    unsigned index;
    struct node *left, *right, *third;
    struct node **items; /* LIST, MAP, CALL */
    size_t count;
    const struct expr_function *function; /* CALL */
    struct hf_expr_value constant;
    struct hf_regex *regex;  /* MATCHES with a literal */
    struct node *next_regex; /* of all that have one, to free them */
};

struct hf_expr {
    struct hf_arena arena;
    struct node *root;
    struct node *regexes;
};

/* Everything that an evaluation needs. */
struct scope {
    const struct hf_expr_value *variables;
    struct hf_arena *arena;
    struct hf_expr_value element, number, accumulated; /* #, #index, #acc */
    struct hf_expr_value locals[EXPR_LOCALS_MAX];
    uint64_t steps; /* that were taken */
    char *reterr;
    enum hf_status status;
};

#define EXPR_DEPTH_MAX 100u
#define EXPR_STEPS_MAX UINT64_C(10000000)

/* eval.c */
struct hf_expr_value expr_eval_node(struct scope *scope, const struct node *node);
/* The evaluation ends: for this reason, or because there is no memory. Both return nil. */
struct hf_expr_value expr_fail(struct scope *scope, const char *why);
struct hf_expr_value expr_no_memory(struct scope *scope);
/* Counts what takes as long as so many nodes. False: an evaluation may not take that long. */
bool expr_spend(struct scope *scope, uint64_t steps);

/* functions.c: NULL when none has that name. */
const struct expr_function *expr_function_find(struct hf_slice name);

/* parser.c: NULL, or what is wrong, with the place in `ret_at`. */
const char *expr_parse(struct hf_expr *expr, const char *text, const char *const *names,
                       size_t *ret_at);
