/*
 * parse_steps: what the rules of the grammar are made of: taking a token, making a node, saying
 * what was expected. Owned by the thread that parses.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "node.h"

struct hf_parser {
    const struct hf_ottl_token *token; /* the next */
    struct hf_arena *arena;
    struct hf_ottl_fault *fault;
    enum hf_status status; /* why something is NULL */
    unsigned depth;
};

/* Both yield NULL, so that it can be returned. Of several faults the farthest in the text, which
 * says most, is kept. */
void *hf_parse_no_memory(struct hf_parser *parser);
void *hf_parse_unexpected(struct hf_parser *parser, const char *expected);

/* Takes the token if it is that one. */
bool hf_parse_take_sign(struct hf_parser *parser, char sign);
bool hf_parse_take_word(struct hf_parser *parser, const char *word);

/* NULL: no memory. */
struct hf_ottl_node *hf_parse_new_node(struct hf_parser *parser, enum hf_ottl_node_kind kind,
                                       size_t at);
/* Puts one more behind the items. False: `item` is NULL, too many, or no memory. */
bool hf_parse_add_item(struct hf_parser *parser, struct hf_ottl_node *node,
                       struct hf_ottl_node *item);
