/*
 * call: the functions that expressions call, and what they share. A function evaluates its own
 * arguments; when it fails, it says why by expr_fail() and its value is nil.
 */
#pragma once

#include "node.h"

#define EXPR_FUNCTION(name, call, min, max, kind)                                                  \
    struct hf_expr_value call(struct scope *scope, const struct node *node);
#include "functions.def"
#undef EXPR_FUNCTION

/* The value of an argument; nil: there is none. */
struct hf_expr_value expr_argument(struct scope *scope, const struct node *node, size_t i);
/* An argument that must be of that type; false: the evaluation failed. */
bool expr_text_argument(struct scope *scope, const struct node *node, size_t i,
                        struct hf_slice *ret_text);
bool expr_int_argument(struct scope *scope, const struct node *node, size_t i, int64_t *ret_int);
/* NULL: the evaluation failed. */
struct hf_expr_list *expr_list_argument(struct scope *scope, const struct node *node, size_t i);
struct hf_expr_map *expr_map_argument(struct scope *scope, const struct node *node, size_t i);

/* The list as a value; NULL: the evaluation fails for memory. */
struct hf_expr_value expr_list_value(struct scope *scope, struct hf_expr_list *list);
/* The bytes as a text; NULL: likewise. */
struct hf_expr_value expr_text_value(struct scope *scope, const void *data, size_t size);

/* A copy with a zero byte behind it; data NULL: no memory. */
struct hf_slice expr_terminated(struct scope *scope, struct hf_slice text);

/* Sorts `items` by `keys`, of the same count, both in place. False: the keys have no order. */
bool expr_sort(struct scope *scope, struct hf_expr_value *items, const struct hf_expr_value *keys,
               size_t count, bool is_descending);
/* "asc" or "desc" of an argument, if it is there. False: it is neither. */
bool expr_direction(struct scope *scope, const struct node *node, size_t i, bool *ret_descending);
