/*
 * tree: what the parser reads and makes: its tokens, its nodes, and the first thing that is wrong.
 * Private to the parser.
 */
#pragma once

#include "lexer.h"
#include "node.h"

struct parser {
    struct hf_expr *expr;
    struct hf_expr_lexer lexer;
    struct hf_expr_token token; /* the next one */
    const char *const *names;
    const char *wrong;
    unsigned depth, predicates;
    struct hf_slice locals[EXPR_LOCALS_MAX]; /* what `let` named, the innermost last */
    unsigned local_count;
};

void expr_advance(struct parser *parser);
/* Keeps the first reason; returns NULL. */
void *expr_refuse(struct parser *parser, const char *wrong);

/* Whether the next token is that; the latter also steps over it. */
bool expr_is_sign(const struct parser *parser, const char *text);
bool expr_is_word(const struct parser *parser, const char *text);
bool expr_accept_sign(struct parser *parser, const char *text);

/* All of these: NULL: refused, for memory, or because a part is NULL. */
struct node *expr_new_node(struct parser *parser, enum node_kind kind);
struct node *expr_new_pair(struct parser *parser, enum node_kind kind, struct node *left,
                           struct node *right);
struct node *expr_new_constant(struct parser *parser, struct hf_expr_value value);
struct node *expr_with_items(struct parser *parser, enum node_kind kind, struct node **items,
                             size_t count);
struct node *expr_new_index(struct parser *parser, enum node_kind kind, unsigned index);
