#include "lexer.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "util/rune.h"

static const char *const signs[] = {
    "??", "?.", "==", "!=", "<=", ">=", "&&", "||", "**", "..", "+", "-", "*", "/", "%", "^", "<",
    ">",  "!",  "?",  ":",  ",",  ".",  "(",  ")",  "[",  "]",  "{", "}", "#", "|", ";", "="};

static bool is_name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || c == '$';
}

/* What stands behind a backslash; false: nothing that is known. */
static bool lex_escape(struct hf_expr_lexer *lexer, uint8_t *out, size_t *size)
{
    static const char from[] = "abfnrtv\\'\"`/", to[] = "\a\b\f\n\r\t\v\\'\"`/";
    char c = lexer->text[lexer->at++];
    const char *found = c != '\0' ? strchr(from, c) : NULL;
    if (found != NULL) {
        out[(*size)++] = (uint8_t)to[found - from];
        return true;
    }
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 0;
    char hex[5] = "";
    for (size_t i = 0; i < digits; i++) {
        if (!isxdigit((unsigned char)lexer->text[lexer->at])) {
            return false;
        }
        hex[i] = lexer->text[lexer->at++];
    }
    *size += digits != 0 ? hf_rune_put((uint32_t)strtoul(hex, NULL, 16), out + *size) : 0;
    return digits != 0;
}

static const char *lex_string(struct hf_expr_lexer *lexer, struct hf_expr_token *token)
{
    char quote = lexer->text[lexer->at++];
    uint8_t *out = hf_arena_take(lexer->arena, lexer->size - lexer->at + 4);
    size_t size = 0;
    if (out == NULL) {
        return "it is too long";
    }
    while (lexer->at < lexer->size && lexer->text[lexer->at] != quote) {
        char c = lexer->text[lexer->at++];
        if (c != '\\' || quote == '`') {
            out[size++] = (uint8_t)c;
        } else if (!lex_escape(lexer, out, &size)) {
            return "an escape in a text is not known";
        }
    }
    if (lexer->at >= lexer->size) {
        return "a text has no end";
    }
    lexer->at++;
    out[size] = '\0';
    token->kind = HF_TOKEN_STRING;
    token->text = hf_slice_of(out, size);
    return NULL;
}

/* 0x1F, 0b11, 0o17: the base, or 10. */
static int base_of(const char *text)
{
    char letter = text[0] == '0' ? (char)(text[1] | 32) : '\0';
    return letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
}

static const char *lex_number(struct hf_expr_lexer *lexer, struct hf_expr_token *token)
{
    char digits[64];
    size_t size = 0;
    int base = base_of(lexer->text + lexer->at);
    bool is_double = false;
    lexer->at += base != 10 ? 2 : 0;
    for (; lexer->at < lexer->size && size < sizeof(digits) - 1; lexer->at++) {
        char c = lexer->text[lexer->at];
        char next = lexer->text[lexer->at + 1];
        bool is_point = c == '.' && base == 10 && next != '.' && !is_double;
        bool is_exponent = base == 10 && (c == 'e' || c == 'E');
        bool is_sign =
            (c == '-' || c == '+') && base == 10 && size != 0 && (digits[size - 1] | 32) == 'e';
        bool is_digit = base == 16 ? isxdigit((unsigned char)c) : isdigit((unsigned char)c);
        if (!is_digit && !is_point && !is_exponent && !is_sign && c != '_') {
            break;
        }
        is_double = is_double || is_point || is_exponent;
        if (c != '_') {
            digits[size++] = c;
        }
    }
    digits[size] = '\0';
    errno = 0;
    token->kind = is_double ? HF_TOKEN_DOUBLE : HF_TOKEN_INT;
    char *end = digits;
    if (is_double) {
        token->number = strtod(digits, &end);
    } else {
        token->integer = strtoll(digits, &end, base);
    }
    return errno != 0 || size == 0 || *end != '\0' ? "a number is none" : NULL;
}

static void skip_space(struct hf_expr_lexer *lexer)
{
    for (;;) {
        while (lexer->at < lexer->size && isspace((unsigned char)lexer->text[lexer->at])) {
            lexer->at++;
        }
        const char *here = lexer->text + lexer->at;
        const char *end = strncmp(here, "/*", 2) == 0   ? strstr(here + 2, "*/")
                          : strncmp(here, "//", 2) == 0 ? here + strcspn(here, "\n")
                                                        : NULL;
        if (end == NULL) {
            return;
        }
        lexer->at += (size_t)(end - here) + (here[1] == '*' ? 2 : 0);
    }
}

const char *hf_expr_lex(struct hf_expr_lexer *lexer, struct hf_expr_token *ret_token)
{
    skip_space(lexer);
    const char *here = lexer->text + lexer->at;
    *ret_token = (struct hf_expr_token){.at = lexer->at};
    if (lexer->at >= lexer->size) {
        return NULL;
    }
    if (*here == '"' || *here == '\'' || *here == '`') {
        return lex_string(lexer, ret_token);
    }
    if (isdigit((unsigned char)*here) || (*here == '.' && isdigit((unsigned char)here[1]))) {
        return lex_number(lexer, ret_token);
    }
    if (is_name_start(*here)) {
        size_t size = 1;
        while (is_name_start(here[size]) || isdigit((unsigned char)here[size])) {
            size++;
        }
        lexer->at += size;
        ret_token->kind = HF_TOKEN_NAME;
        ret_token->text = hf_slice_of(here, size);
        return NULL;
    }
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        size_t size = strlen(signs[i]);
        if (strncmp(here, signs[i], size) == 0) {
            lexer->at += size;
            ret_token->kind = HF_TOKEN_SIGN;
            ret_token->text = hf_slice_of(here, size);
            return NULL;
        }
    }
    return "a character is not known";
}
