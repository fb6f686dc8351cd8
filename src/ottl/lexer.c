#include "lexer.h"

#include <ctype.h>
#include <string.h>

#include "util/hex.h"
#include "util/rune.h"

/* ---- one token each ---- */

static size_t run_of(struct hf_slice text, size_t at, int (*is)(int))
{
    size_t start = at;
    while (at < text.size && is(text.data[at])) {
        at++;
    }
    return at - start;
}

static bool is_at(struct hf_slice text, size_t at, const char *one_of)
{
    return at < text.size && text.data[at] != '\0' && strchr(one_of, text.data[at]) != NULL;
}

/* Digits with a point among them or around them, and an exponent. 0: no such number. */
static size_t size_of_float(struct hf_slice text)
{
    size_t before = run_of(text, 0, isdigit);
    if (!is_at(text, before, ".")) {
        return 0;
    }
    size_t after = run_of(text, before + 1, isdigit);
    if (before + after == 0) {
        return 0;
    }
    size_t size = before + 1 + after;
    if (is_at(text, size, "eE")) {
        size_t at = size + 1;
        at += is_at(text, at, "+-") ? 1 : 0;
        size_t digits = run_of(text, at, isdigit);
        size = digits > 0 ? at + digits : size;
    }
    return size;
}

/* 0: it does not end. */
static size_t size_of_string(struct hf_slice text)
{
    for (size_t at = 1; at < text.size; at++) {
        if (text.data[at] == '"') {
            return at + 1;
        }
        at += text.data[at] == '\\' ? 1 : 0;
    }
    return 0;
}

static int is_of_word(int byte)
{
    return byte == '_' || (byte < 0x80 && isalnum(byte));
}

static struct hf_ottl_token comparison_at(struct hf_slice text)
{
    static const struct {
        const char *text;
        enum hf_ottl_token_kind kind;
    } all[] = {{"==", HF_TOKEN_EQUALS},  {"!=", HF_TOKEN_DIFFERS}, {">=", HF_TOKEN_AT_LEAST},
               {"<=", HF_TOKEN_AT_MOST}, {">", HF_TOKEN_MORE},     {"<", HF_TOKEN_LESS},
               {"=>", HF_TOKEN_ARROW}};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        size_t size = strlen(all[i].text);
        if (text.size >= size && memcmp(text.data, all[i].text, size) == 0) {
            return (struct hf_ottl_token){all[i].kind, hf_slice_of(text.data, size), 0};
        }
    }
    return (struct hf_ottl_token){.kind = HF_TOKEN_END};
}

/* The token at the front of `text`, which is not empty. END: there is none. */
static struct hf_ottl_token token_at(struct hf_slice text)
{
    struct hf_ottl_token token = comparison_at(text);
    size_t size = 0;
    size_t hex = is_at(text, 0, "0") && is_at(text, 1, "x") ? run_of(text, 2, isxdigit) : 0;
    if (token.kind != HF_TOKEN_END) {
        return token;
    }
    if (hex > 0) {
        token.kind = HF_TOKEN_BYTES;
        size = hex + 2;
    } else if ((size = size_of_float(text)) > 0) {
        token.kind = HF_TOKEN_FLOAT;
    } else if ((size = run_of(text, 0, isdigit)) > 0) {
        token.kind = HF_TOKEN_INT;
    } else if (text.data[0] == '"' && (size = size_of_string(text)) > 0) {
        token.kind = HF_TOKEN_STRING;
    } else if ((size = run_of(text, 0, is_of_word)) > 0) {
        token.kind = HF_TOKEN_WORD;
    } else if (is_at(text, 0, "+-*/=(){}:,.[]")) {
        token.kind = HF_TOKEN_SIGN;
        size = 1;
    }
    token.text = hf_slice_of(text.data, size);
    return token;
}

static int is_blank(int byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' || byte == '\f';
}

enum hf_status hf_ottl_lex(struct hf_slice text, struct hf_arena *arena,
                           struct hf_ottl_token **ret_tokens, size_t *ret_at)
{
    struct hf_ottl_token *tokens = hf_arena_take(arena, (text.size + 1) * sizeof(*tokens));
    size_t count = 0;
    if (tokens == NULL) {
        return HF_NOMEM;
    }
    size_t at = run_of(text, 0, is_blank);
    while (at < text.size) {
        struct hf_ottl_token token = token_at(hf_slice_of(text.data + at, text.size - at));
        if (token.kind == HF_TOKEN_END) {
            *ret_at = at;
            return HF_INVALID;
        }
        token.at = at;
        tokens[count++] = token;
        at += token.text.size;
        at += run_of(text, at, is_blank);
    }
    tokens[count++] = (struct hf_ottl_token){.kind = HF_TOKEN_END, .at = text.size};
    hf_arena_trim(arena, tokens, count * sizeof(*tokens));
    *ret_tokens = tokens;
    return HF_OK;
}

/* ---- words ---- */

bool hf_token_is_upper(const struct hf_ottl_token *token)
{
    return token->kind == HF_TOKEN_WORD && token->text.data[0] >= 'A' && token->text.data[0] <= 'Z';
}

static bool is_reserved(const struct hf_ottl_token *token)
{
    static const char *const words[] = {"nil", "not", "or", "and", "true", "false"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (hf_token_is_word(token, words[i])) {
            return true;
        }
    }
    return false;
}

bool hf_token_is_segment(const struct hf_ottl_token *token)
{
    if (token->kind != HF_TOKEN_WORD || is_reserved(token) || token->text.data[0] < 'a') {
        return false;
    }
    for (size_t i = 0; i < token->text.size; i++) {
        if (token->text.data[i] >= 'A' && token->text.data[i] <= 'Z') {
            return false;
        }
    }
    return true;
}

bool hf_token_is_name(const struct hf_ottl_token *token)
{
    return token->kind == HF_TOKEN_WORD && !is_reserved(token) && token->text.data[0] != '_';
}

/* ---- escapes ---- */

/* `count` digits of base 16 or 8. -1: not so many. */
static int32_t number_at(struct hf_slice text, size_t at, size_t count, unsigned base)
{
    int32_t value = 0;
    for (size_t i = at; i < at + count; i++) {
        bool is_digit = i < text.size && (base == 16 ? isxdigit(text.data[i]) != 0
                                                     : text.data[i] >= '0' && text.data[i] <= '7');
        if (!is_digit || value > 0x10ffff) {
            return -1;
        }
        value = value * (int32_t)base + hf_hex_digit(text.data[i]);
    }
    return value;
}

/* The escape behind a backslash: how long it is and what it stands for. 0: none. */
static size_t escape_at(struct hf_slice text, size_t at, int32_t *ret_rune)
{
    static const char letters[] = "abfnrtv\\\"";
    static const char meant[] = "\a\b\f\n\r\t\v\\\"";
    static const char coded[] = "xuU";
    static const size_t digits[] = {2, 4, 8};
    uint8_t byte = at < text.size ? text.data[at] : 0;
    const char *found = byte != 0 ? strchr(letters, byte) : NULL;
    const char *code = byte != 0 ? strchr(coded, byte) : NULL;
    if (found != NULL) {
        *ret_rune = meant[found - letters];
        return 1;
    }
    if (code != NULL) {
        *ret_rune = number_at(text, at + 1, digits[code - coded], 16);
        bool is_half = *ret_rune >= 0xd800 && *ret_rune < 0xe000;
        return *ret_rune < 0 || *ret_rune > 0x10ffff || is_half ? 0 : 1 + digits[code - coded];
    }
    *ret_rune = number_at(text, at, 3, 8);
    return *ret_rune < 0 || *ret_rune > 0xff ? 0 : 3;
}

enum hf_status hf_ottl_unquote(struct hf_slice token, struct hf_arena *arena,
                               struct hf_slice *ret_text)
{
    struct hf_slice text = hf_slice_of(token.data + 1, token.size - 2);
    /* Two characters for \xHH at most: never more than the text itself has. */
    uint8_t *room = hf_arena_take(arena, text.size + 1);
    size_t size = 0;
    if (room == NULL) {
        return HF_NOMEM;
    }
    for (size_t at = 0; at < text.size;) {
        if (text.data[at] != '\\') {
            room[size++] = text.data[at++];
            continue;
        }
        int32_t rune;
        size_t escape = escape_at(text, at + 1, &rune);
        if (escape == 0) {
            return HF_INVALID;
        }
        size += hf_rune_put((uint32_t)rune, &room[size]);
        at += 1 + escape;
    }
    room[size] = '\0';
    *ret_text = hf_slice_of(room, size);
    return HF_OK;
}
