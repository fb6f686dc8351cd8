/*
 * lexer: the tokens of an OTTL text. No state; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/arena.h"

enum hf_ottl_token_kind {
    HF_TOKEN_END = 0,
    HF_TOKEN_BYTES, /* 0x00ff */
    HF_TOKEN_FLOAT,
    HF_TOKEN_INT,
    HF_TOKEN_STRING, /* with its quotation marks */
    HF_TOKEN_WORD,   /* letters, digits and '_' */
    HF_TOKEN_EQUALS, /* the comparisons in the order of enum hf_ottl_comparison */
    HF_TOKEN_DIFFERS,
    HF_TOKEN_LESS,
    HF_TOKEN_AT_MOST,
    HF_TOKEN_MORE,
    HF_TOKEN_AT_LEAST,
    HF_TOKEN_ARROW,
    HF_TOKEN_SIGN /* one character: + - * / = ( ) { } : , . [ ] */
};

struct hf_ottl_token {
    enum hf_ottl_token_kind kind;
    struct hf_slice text;
    size_t at; /* in the whole text */
};

/*
 * All tokens of `text` in memory of the arena, the last one HF_TOKEN_END. HF_INVALID: `ret_at` is
 * where no token begins. HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_ottl_lex(struct hf_slice text, struct hf_arena *arena,
                                       struct hf_ottl_token **ret_tokens, size_t *ret_at);

/* The content of a STRING token without its escapes, in memory of the arena. HF_INVALID: an escape
 * that Go does not know. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_ottl_unquote(struct hf_slice token, struct hf_arena *arena,
                                           struct hf_slice *ret_text);

static inline bool hf_token_is_sign(const struct hf_ottl_token *token, char sign)
{
    return token->kind == HF_TOKEN_SIGN && token->text.data[0] == (uint8_t)sign;
}

static inline bool hf_token_is_word(const struct hf_ottl_token *token, const char *word)
{
    return token->kind == HF_TOKEN_WORD && hf_slice_is(token->text, word);
}

/* A word that begins with a capital letter; one of a path: small letters, digits, '_', and a letter
 * first; the name of a function. */
bool hf_token_is_upper(const struct hf_ottl_token *token);
bool hf_token_is_segment(const struct hf_ottl_token *token);
bool hf_token_is_name(const struct hf_ottl_token *token);
