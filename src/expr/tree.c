#include "tree.h"

#include <string.h>

void expr_advance(struct parser *parser)
{
    const char *wrong = hf_expr_lex(&parser->lexer, &parser->token);
    if (wrong != NULL && parser->wrong == NULL) {
        parser->wrong = wrong;
        parser->token.kind = HF_TOKEN_END;
    }
}

void *expr_refuse(struct parser *parser, const char *wrong)
{
    parser->wrong = parser->wrong != NULL ? parser->wrong : wrong;
    return NULL;
}

bool expr_is_sign(const struct parser *parser, const char *text)
{
    return parser->token.kind == HF_TOKEN_SIGN && hf_slice_is(parser->token.text, text);
}

bool expr_is_word(const struct parser *parser, const char *text)
{
    return parser->token.kind == HF_TOKEN_NAME && hf_slice_is(parser->token.text, text);
}

bool expr_accept_sign(struct parser *parser, const char *text)
{
    bool found = expr_is_sign(parser, text);
    if (found) {
        expr_advance(parser);
    }
    return found;
}

struct node *expr_new_node(struct parser *parser, enum node_kind kind)
{
    struct node *node = hf_arena_take(&parser->expr->arena, sizeof(*node));
    if (node == NULL) {
        return expr_refuse(parser, "it is too long");
    }
    *node = (struct node){.kind = kind};
    return node;
}

struct node *expr_new_pair(struct parser *parser, enum node_kind kind, struct node *left,
                           struct node *right)
{
    struct node *node = expr_new_node(parser, kind);
    if (node != NULL) {
        node->left = left;
        node->right = right;
    }
    return left != NULL && right != NULL ? node : NULL;
}

struct node *expr_new_constant(struct parser *parser, struct hf_expr_value value)
{
    struct node *node = expr_new_node(parser, NODE_CONSTANT);
    if (node != NULL) {
        node->constant = value;
    }
    return node;
}

struct node *expr_with_items(struct parser *parser, enum node_kind kind, struct node **items,
                             size_t count)
{
    struct node *node = expr_new_node(parser, kind);
    struct node **kept = hf_arena_take(&parser->expr->arena, (count + 1) * sizeof(struct node *));
    if (node == NULL || kept == NULL) {
        return expr_refuse(parser, "it is too long");
    }
    memcpy(kept, items, count * sizeof(struct node *));
    node->items = kept;
    node->count = count;
    return node;
}

struct node *expr_new_index(struct parser *parser, enum node_kind kind, unsigned index)
{
    struct node *node = expr_new_node(parser, kind);
    if (node != NULL) {
        node->index = index;
    }
    return node;
}
