/*
 * lexer: the words of an expression. Owned by the parser.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>

#include "util/arena.h"

enum hf_expr_token_kind {
    HF_TOKEN_END = 0,
    HF_TOKEN_NAME,
    HF_TOKEN_STRING,
    HF_TOKEN_INT,
    HF_TOKEN_DOUBLE,
    HF_TOKEN_SIGN, /* an operator or bracket, in `text` */
};

struct hf_expr_token {
    enum hf_expr_token_kind kind;
    struct hf_slice text; /* STRING: without quotes and escapes */
    int64_t integer;
    double number;
    size_t at; /* in the expression */
};

struct hf_expr_lexer {
    const char *text;
    size_t at, size;
    struct hf_arena *arena;
};

/* NULL, or what is wrong. */
const char *hf_expr_lex(struct hf_expr_lexer *lexer, struct hf_expr_token *ret_token);
