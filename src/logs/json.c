/*
 * json: from a text to values; what has no escapes is not copied. Numbers become doubles unless
 * integers are asked for.
 */
#include <errno.h>
#include <stdlib.h>

#include "operator.h"
#include "util/hex.h"
#include "util/rune.h"

struct reader {
    const uint8_t *at, *end;
    struct hf_arena *arena;
    bool parse_ints;
    unsigned depth;
};

static void skip_space(struct reader *r)
{
    while (r->at < r->end &&
           (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')) {
        r->at++;
    }
}

static bool take(struct reader *r, uint8_t c)
{
    skip_space(r);
    if (r->at == r->end || *r->at != c) {
        return false;
    }
    r->at++;
    return true;
}

static bool read_hex(struct reader *r, uint32_t *ret)
{
    uint32_t value = 0;
    if (r->end - r->at < 4) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        int digit = hf_hex_digit(*r->at++);
        if (digit < 0) {
            return false;
        }
        value = value << 4 | (uint32_t)digit;
    }
    *ret = value;
    return true;
}

/* Behind "\u". Halves of a pair that stand alone become U+FFFD. */
static bool read_code(struct reader *r, uint8_t *out, size_t *size)
{
    uint32_t code = 0, low = 0;
    if (!read_hex(r, &code)) {
        return false;
    }
    if (code >= 0xd800 && code < 0xdc00 && r->end - r->at >= 6 && r->at[0] == '\\' &&
        r->at[1] == 'u') {
        const uint8_t *back = r->at;
        r->at += 2;
        if (!read_hex(r, &low)) {
            return false;
        }
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        } else {
            r->at = back;
        }
    }
    *size += hf_rune_put(code >= 0xd800 && code < 0xe000 ? HF_RUNE_BAD : code, out + *size);
    return true;
}

/* The rest of a text that has escapes; `start` is its first character. */
static bool read_escaped(struct reader *r, const uint8_t *start, struct hf_slice *ret)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const uint8_t *end = r->at;
    while (end < r->end && *end != '"') {
        end += *end == '\\' ? 2 : 1;
    }
    if (end >= r->end) {
        return false;
    }
    uint8_t *out = hf_arena_take(r->arena, (size_t)(end - start) + 8);
    size_t size = (size_t)(r->at - start);
    if (out == NULL) {
        return false;
    }
    memcpy(out, start, size);
    while (r->at < end) {
        uint8_t c = *r->at++;
        if (c < 0x20) {
            return false;
        }
        if (c != '\\') {
            out[size++] = c;
            continue;
        }
        c = *r->at++;
        const char *found = c != '\0' ? strchr(from, c) : NULL;
        if (found != NULL) {
            out[size++] = (uint8_t)to[found - from];
        } else if (c != 'u' || !read_code(r, out, &size)) {
            return false;
        }
    }
    r->at = end + 1;
    *ret = hf_slice_of(out, size);
    return true;
}

static bool read_text(struct reader *r, struct hf_slice *ret)
{
    const uint8_t *start = r->at;
    while (r->at < r->end && *r->at != '"' && *r->at != '\\' && *r->at >= 0x20) {
        r->at++;
    }
    if (r->at == r->end || *r->at < 0x20) {
        return false;
    }
    if (*r->at == '\\') {
        return read_escaped(r, start, ret);
    }
    *ret = hf_slice_of(start, (size_t)(r->at - start));
    r->at++;
    return true;
}

static bool read_number(struct reader *r, struct hf_expr_value *ret)
{
    char digits[64];
    size_t size = 0;
    bool whole = true, simple = true;
    int64_t value = 0;
    const uint8_t *start = r->at;
    for (; r->at < r->end && size < sizeof(digits) - 1; r->at++) {
        uint8_t c = *r->at;
        bool digit = c >= '0' && c <= '9';
        if (!digit && c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E') {
            break;
        }
        whole = whole && (digit || (c == '-' && size == 0));
        value = digit && size < 18 ? value * 10 + (c - '0') : value;
        digits[size++] = (char)c;
    }
    simple = whole && size < 18;
    digits[size] = '\0';
    /* JSON has no leading zeros, no bare signs, no dots at an end. */
    const char *number = digits + (digits[0] == '-');
    if (number[0] < '0' || number[0] > '9' ||
        (number[0] == '0' && number[1] >= '0' && number[1] <= '9') || start == r->at) {
        return false;
    }
    if (simple) {
        value = digits[0] == '-' ? -value : value;
        *ret = r->parse_ints ? hf_expr_integer(value) : hf_expr_number((double)value);
        return true;
    }
    char *end = NULL;
    if (whole && r->parse_ints) {
        errno = 0;
        *ret = hf_expr_integer(strtoll(digits, &end, 10));
        if (errno == 0) {
            return *end == '\0';
        }
    }
    *ret = hf_expr_number(strtod(digits, &end));
    return *end == '\0' && digits[size - 1] != '.';
}

static bool read_word(struct reader *r, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(r->end - r->at) < size || memcmp(r->at, word, size) != 0) {
        return false;
    }
    r->at += size;
    return true;
}

static bool read_value(struct reader *r, struct hf_expr_value *ret);

static bool read_object(struct reader *r, struct hf_expr_value *ret)
{
    struct hf_expr_map *map = hf_expr_map_new(r->arena, 8);
    *ret = (struct hf_expr_value){.type = HF_EXPR_MAP, .map = map};
    if (map == NULL || take(r, '}')) {
        return map != NULL;
    }
    do {
        struct hf_slice key;
        struct hf_expr_value value;
        if (!take(r, '"') || !read_text(r, &key) || !take(r, ':') || !read_value(r, &value) ||
            hf_expr_map_set(r->arena, map, key, value) != HF_OK) {
            return false;
        }
    } while (take(r, ','));
    return take(r, '}');
}

static bool read_array(struct reader *r, struct hf_expr_value *ret)
{
    struct hf_expr_list *list = hf_expr_list_new(r->arena, 4);
    *ret = (struct hf_expr_value){.type = HF_EXPR_LIST, .list = list};
    if (list == NULL || take(r, ']')) {
        return list != NULL;
    }
    do {
        struct hf_expr_value value;
        if (!read_value(r, &value) || hf_expr_list_add(r->arena, list, value) != HF_OK) {
            return false;
        }
    } while (take(r, ','));
    return take(r, ']');
}

static bool read_value(struct reader *r, struct hf_expr_value *ret)
{
    bool good = false;
    skip_space(r);
    if (r->at == r->end || ++r->depth > HF_EXPR_DEPTH_MAX) {
        return false;
    }
    switch (*r->at) {
    case '{':
        r->at++;
        good = read_object(r, ret);
        break;
    case '[':
        r->at++;
        good = read_array(r, ret);
        break;
    case '"':
        r->at++;
        ret->type = HF_EXPR_STRING;
        good = read_text(r, &ret->text);
        break;
    case 't':
        *ret = hf_expr_boolean(true);
        good = read_word(r, "true");
        break;
    case 'f':
        *ret = hf_expr_boolean(false);
        good = read_word(r, "false");
        break;
    case 'n':
        *ret = (struct hf_expr_value){0};
        good = read_word(r, "null");
        break;
    default:
        good = read_number(r, ret);
        break;
    }
    r->depth--;
    return good;
}

bool json_read(struct hf_arena *arena, struct hf_slice text, bool parse_ints,
               struct hf_expr_value *ret_value)
{
    struct reader r = {.at = text.data, .arena = arena, .parse_ints = parse_ints};
    r.end = text.size != 0 ? text.data + text.size : text.data;
    if (!read_value(&r, ret_value)) {
        return false;
    }
    skip_space(&r);
    return r.at == r.end;
}
