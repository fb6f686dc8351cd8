#include "parse_steps.h"

#include <string.h>

#define ITEMS_MAX 1000u /* of one list */

void *hf_parse_no_memory(struct hf_parser *parser)
{
    parser->status = HF_NOMEM;
    return NULL;
}

void *hf_parse_unexpected(struct hf_parser *parser, const char *expected)
{
    const struct hf_ottl_token *token = parser->token;
    if (parser->status == HF_NOMEM ||
        (parser->fault->sentence[0] != '\0' && parser->fault->at > token->at)) {
        return NULL;
    }
    int shown = (int)(token->text.size < 40 ? token->text.size : 40);
    parser->status = token->kind == HF_TOKEN_END
                         ? hf_ottl_refuse(parser->fault, token->at,
                                          "the text ends where %s is expected", expected)
                         : hf_ottl_refuse(parser->fault, token->at, "unexpected %.*s, expected %s",
                                          shown, (const char *)token->text.data, expected);
    return NULL;
}

bool hf_parse_take_sign(struct hf_parser *parser, char sign)
{
    if (!hf_token_is_sign(parser->token, sign)) {
        return false;
    }
    parser->token++;
    return true;
}

bool hf_parse_take_word(struct hf_parser *parser, const char *word)
{
    if (!hf_token_is_word(parser->token, word)) {
        return false;
    }
    parser->token++;
    return true;
}

struct hf_ottl_node *hf_parse_new_node(struct hf_parser *parser, enum hf_ottl_node_kind kind,
                                       size_t at)
{
    struct hf_ottl_node *node = hf_arena_take(parser->arena, sizeof(*node));
    if (node == NULL) {
        return hf_parse_no_memory(parser);
    }
    *node = (struct hf_ottl_node){.kind = kind, .at = at};
    return node;
}

/* Room for powers of two. */
bool hf_parse_add_item(struct hf_parser *parser, struct hf_ottl_node *node,
                       struct hf_ottl_node *item)
{
    size_t count = node->count;
    if (item == NULL) {
        return false;
    }
    if (count >= ITEMS_MAX) {
        hf_parse_unexpected(parser, "a shorter list");
        return false;
    }
    if ((count & (count - 1)) == 0) {
        size_t room = count == 0 ? 1 : 2 * count;
        struct hf_ottl_node **items =
            hf_arena_take(parser->arena, room * sizeof(struct hf_ottl_node *));
        if (items == NULL) {
            hf_parse_no_memory(parser);
            return false;
        }
        if (count > 0) {
            memcpy(items, node->items, count * sizeof(struct hf_ottl_node *));
        }
        node->items = items;
    }
    node->items[node->count++] = item;
    return true;
}
