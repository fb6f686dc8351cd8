/*
 * value_json: from a text to values, and back. What has no escapes is not copied. Numbers become
 * doubles unless integers are asked for; one that no double can hold is an error. Texts may hold
 * control characters as they are: programs write tabs and line ends into their logs.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/compress/compress.h"
#include "util/hex.h"
#include "util/rune.h"
#include "value_json.h"

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
    while (r->at < r->end && *r->at != '"' && *r->at != '\\') {
        r->at++;
    }
    if (r->at == r->end) {
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
    return *end == '\0' && digits[size - 1] != '.' && isfinite(ret->number);
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

bool hf_expr_json_read(struct hf_arena *arena, struct hf_slice text, bool parse_ints,
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

/* ---- printing ---- */

static enum hf_status put(struct hf_bytes *out, const char *text)
{
    return hf_bytes_append(out, hf_slice_text(text));
}

/* A line end and two blanks per level. */
static enum hf_status put_line(struct hf_bytes *out, unsigned depth)
{
    enum hf_status status = put(out, "\n");
    for (unsigned i = 0; i < depth && status == HF_OK; i++) {
        status = put(out, "  ");
    }
    return status;
}

/* What HTML knows is escaped too, as Go does. */
static enum hf_status put_text(struct hf_bytes *out, struct hf_slice text)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    enum hf_status status = put(out, "\"");
    for (size_t i = 0; i < text.size && status == HF_OK; i++) {
        uint8_t c = text.data[i];
        const char *found = c != '\0' ? strchr(from, c) : NULL;
        char room[8];
        if (found != NULL) {
            snprintf(room, sizeof(room), "\\%c", to[found - from]);
        } else if (c < 0x20 || c == '<' || c == '>' || c == '&') {
            snprintf(room, sizeof(room), "\\u%04x", c);
        } else {
            snprintf(room, sizeof(room), "%c", c);
        }
        status = c != '\0' || found != NULL ? put(out, room) : put(out, "\\u0000");
    }
    return status == HF_OK ? put(out, "\"") : status;
}

static enum hf_status put_value(struct hf_bytes *out, const struct hf_expr_value *value,
                                unsigned depth);

static enum hf_status put_list(struct hf_bytes *out, const struct hf_expr_list *list,
                               unsigned depth)
{
    enum hf_status status = put(out, "[");
    for (size_t i = 0; i < list->count && status == HF_OK; i++) {
        status = i == 0 ? HF_OK : put(out, ",");
        status = status == HF_OK ? put_line(out, depth + 1) : status;
        status = status == HF_OK ? put_value(out, &list->items[i], depth + 1) : status;
    }
    status = status == HF_OK && list->count != 0 ? put_line(out, depth) : status;
    return status == HF_OK ? put(out, "]") : status;
}

static int compare_pairs(const void *a, const void *b)
{
    const struct hf_expr_pair *x = a, *y = b;
    return hf_slice_compare(x->key, y->key);
}

static enum hf_status put_map(struct hf_bytes *out, const struct hf_expr_map *map, unsigned depth)
{
    struct hf_expr_pair *pairs = calloc(map->count + 1, sizeof(*pairs));
    enum hf_status status = pairs != NULL ? put(out, "{") : HF_NOMEM;
    if (status == HF_OK && map->count != 0) {
        memcpy(pairs, map->pairs, map->count * sizeof(*pairs));
        qsort(pairs, map->count, sizeof(*pairs), compare_pairs);
    }
    for (size_t i = 0; i < map->count && status == HF_OK; i++) {
        status = i == 0 ? HF_OK : put(out, ",");
        status = status == HF_OK ? put_line(out, depth + 1) : status;
        status = status == HF_OK ? put_text(out, pairs[i].key) : status;
        status = status == HF_OK ? put(out, ": ") : status;
        status = status == HF_OK ? put_value(out, &pairs[i].value, depth + 1) : status;
    }
    free(pairs);
    status = status == HF_OK && map->count != 0 ? put_line(out, depth) : status;
    return status == HF_OK ? put(out, "}") : status;
}

static enum hf_status put_value(struct hf_bytes *out, const struct hf_expr_value *value,
                                unsigned depth)
{
    char room[HF_EXPR_DOUBLE_MAX];
    switch (depth <= HF_EXPR_DEPTH_MAX ? value->type : HF_EXPR_NULL) {
    case HF_EXPR_STRING:
    case HF_EXPR_BYTES:
        return put_text(out, value->text);
    case HF_EXPR_BOOL:
        return put(out, value->boolean ? "true" : "false");
    case HF_EXPR_INT:
        snprintf(room, sizeof(room), "%lld", (long long)value->integer);
        return put(out, room);
    case HF_EXPR_DOUBLE:
        hf_expr_print_double(value->number, room);
        return put(out, isfinite(value->number) ? room : "null");
    case HF_EXPR_LIST:
        return put_list(out, value->list, depth);
    case HF_EXPR_MAP:
        return put_map(out, value->map, depth);
    default:
        return put(out, "null");
    }
}

struct hf_slice hf_expr_json_print(struct hf_arena *arena, const struct hf_expr_value *value)
{
    struct hf_bytes out = {0};
    struct hf_slice text = HF_EMPTY_SLICE;
    if (put_value(&out, value, 0) == HF_OK) {
        text = hf_expr_copy_text(arena, hf_slice_of(out.data, out.size));
    }
    hf_bytes_release(&out);
    return text;
}
