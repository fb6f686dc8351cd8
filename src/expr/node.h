/*
 * node: the tree of a compiled expression. Immutable after parsing.
 */
#pragma once

#include "expr.h"

struct hf_regex;

enum node_kind {
    NODE_CONSTANT,
    NODE_VARIABLE, /* index */
    NODE_ELEMENT,  /* `#` in a predicate; index: 0 the element, 1 its number */
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
    NODE_CALL, /* index: of the function */
};

struct node {
    enum node_kind kind;
    bool is_optional; /* MEMBER: of nothing it is nothing */
    unsigned index;
    struct node *left, *right, *third;
    struct node **items; /* LIST, MAP, CALL */
    size_t count;
    struct hf_log_value constant;
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
    const struct hf_log_value *variables;
    struct hf_arena *arena;
    struct hf_log_value element, number;
    unsigned depth;
    char *reterr;
    enum hf_status status;
};

#define EXPR_DEPTH_MAX 100u

struct hf_log_value expr_eval_node(struct scope *scope, const struct node *node);
struct hf_log_value expr_fail(struct scope *scope, const char *why);

/* functions.c: the number of a function; -1: none of that name. Its arguments: how many it takes,
 * and whether the second is a predicate. */
int expr_function_find(struct hf_slice name);
unsigned expr_function_min(unsigned index);
unsigned expr_function_max(unsigned index);
bool expr_function_has_predicate(unsigned index);
/* It looks into HF_EXPR_LABELS, which is put behind its arguments. */
bool expr_function_has_labels(unsigned index);
struct hf_log_value expr_function_call(struct scope *scope, const struct node *node);

/* parser.c: NULL, or what is wrong, with the place in `ret_at`. */
const char *expr_parse(struct hf_expr *expr, const char *text, const char *const *names,
                       size_t *ret_at);
