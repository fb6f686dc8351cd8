#include "glob.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/compress/compress.h"
#include "util/regex/regex.h"

#define PATTERN_MAX 65536u

enum hf_status hf_ottl_regex_new(struct hf_slice pattern, struct hf_regex **ret_regex, char *reterr)
{
    if (pattern.size > PATTERN_MAX ||
        (pattern.size > 0 && memchr(pattern.data, 0, pattern.size) != NULL)) {
        snprintf(reterr, HF_REGEX_ERROR_MAX, "longer than %u bytes, or with a NUL", PATTERN_MAX);
        return HF_INVALID;
    }
    char *text = malloc(pattern.size + 1);
    if (text == NULL) {
        return HF_NOMEM;
    }
    if (pattern.size > 0) {
        memcpy(text, pattern.data, pattern.size);
    }
    text[pattern.size] = '\0';
    enum hf_status status = hf_regex_new(text, ret_regex, reterr);
    free(text);
    return status;
}

struct translation {
    struct hf_slice pattern;
    const char *any; /* what `*` and `?` take one of */
    size_t at;
    unsigned depth; /* of braces */
    struct hf_bytes out;
    bool failed, malformed;
};

static void put(struct translation *translation, const char *text)
{
    translation->failed |= hf_bytes_append(&translation->out, hf_slice_text(text)) != HF_OK;
}

static void put_literal(struct translation *translation, uint8_t byte)
{
    if (byte < 0x80 && strchr("\\.+*?()|[]{}^$", byte) != NULL && byte != 0) {
        put(translation, "\\");
    }
    translation->failed |= hf_bytes_append(&translation->out, hf_slice_of(&byte, 1)) != HF_OK;
}

/* What follows an opening bracket. */
static void put_class(struct translation *translation)
{
    struct hf_slice pattern = translation->pattern;
    put(translation, "[");
    if (translation->at < pattern.size && pattern.data[translation->at] == '!') {
        put(translation, "^");
        translation->at++;
    }
    while (translation->at < pattern.size && pattern.data[translation->at] != ']') {
        uint8_t byte = pattern.data[translation->at++];
        if (byte == '-') {
            put(translation, "-");
        } else {
            put_literal(translation, byte);
        }
    }
    translation->malformed |= translation->at == pattern.size;
    translation->at++;
    put(translation, "]");
}

static void put_next(struct translation *translation)
{
    uint8_t byte = translation->pattern.data[translation->at++];
    if (byte == '*') {
        bool is_double = translation->at < translation->pattern.size &&
                         translation->pattern.data[translation->at] == '*';
        translation->at += is_double ? 1 : 0;
        put(translation, is_double ? "." : translation->any);
        put(translation, "*");
    } else if (byte == '?') {
        put(translation, translation->any);
    } else if (byte == '[') {
        put_class(translation);
    } else if (byte == '{') {
        translation->depth++;
        put(translation, "(?:");
    } else if (byte == '}' && translation->depth > 0) {
        translation->depth--;
        put(translation, ")");
    } else if (byte == ',' && translation->depth > 0) {
        put(translation, "|");
    } else if (byte == '\\' && translation->at < translation->pattern.size) {
        put_literal(translation, translation->pattern.data[translation->at++]);
    } else {
        put_literal(translation, byte);
    }
}

static enum hf_status compile(struct hf_slice pattern, const char *any, struct hf_regex **ret_regex,
                              char *reterr)
{
    struct translation translation = {.pattern = pattern, .any = any};
    put(&translation, "(?s)^(?:");
    while (translation.at < pattern.size) {
        put_next(&translation);
    }
    put(&translation, ")$");
    enum hf_status status = translation.failed ? HF_NOMEM : HF_OK;
    if (status == HF_OK && (translation.malformed || translation.depth > 0)) {
        snprintf(reterr, HF_REGEX_ERROR_MAX, "a bracket or brace is not closed");
        status = HF_INVALID;
    }
    if (status == HF_OK) {
        status = hf_ottl_regex_new(hf_slice_of(translation.out.data, translation.out.size),
                                   ret_regex, reterr);
    }
    hf_bytes_release(&translation.out);
    return status;
}

enum hf_status hf_ottl_glob_new(struct hf_slice pattern, struct hf_regex **ret_regex, char *reterr)
{
    return compile(pattern, ".", ret_regex, reterr);
}

enum hf_status hf_ottl_glob_new_separated(struct hf_slice pattern, char separator,
                                          struct hf_regex **ret_regex, char *reterr)
{
    char any[sizeof("[^\\.]")];
    snprintf(any, sizeof(any), "[^\\%c]", separator);
    return compile(pattern, any, ret_regex, reterr);
}
