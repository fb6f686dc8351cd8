/*
 * parse_uri: uri_parser. A text is a whole URI, an absolute path, or a query with its question
 * mark.
 */
#include <ctype.h>
#include <stdlib.h>

#include "operator.h"

struct uri {
    struct hf_slice scheme, user, host, port, path, query;
    bool has_query;
};

static struct hf_slice cut(struct hf_slice text, size_t from, size_t to)
{
    return hf_slice_of(text.data + from, to - from);
}

/* Where the first of these characters is, or the end. */
static size_t find_any(struct hf_slice text, size_t from, const char *set)
{
    while (from < text.size && (text.data[from] == '\0' || strchr(set, text.data[from]) == NULL)) {
        from++;
    }
    return from;
}

/* In small letters. */
static bool take_scheme(struct hf_arena *arena, struct hf_slice *text, struct uri *uri)
{
    size_t end = find_any(*text, 0, ":/?#");
    if (end == text->size || text->data[end] != ':') {
        return true;
    }
    for (size_t i = 0; i < end; i++) {
        uint8_t c = text->data[i];
        if (!isalpha(c) && (i == 0 || (!isdigit(c) && c != '+' && c != '-' && c != '.'))) {
            return false;
        }
    }
    uint8_t *scheme = hf_arena_take(arena, end + 1);
    for (size_t i = 0; scheme != NULL && i < end; i++) {
        scheme[i] = (uint8_t)tolower(text->data[i]);
    }
    uri->scheme = hf_slice_of(scheme, end);
    *text = cut(*text, end + 1, text->size);
    return end != 0 && scheme != NULL;
}

/* Each % stands before two hexadecimal digits. */
static bool is_escaped_well(struct hf_slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '%' &&
            (i + 2 >= text.size || !isxdigit(text.data[i + 1]) || !isxdigit(text.data[i + 2]))) {
            return false;
        }
    }
    return true;
}

/* A password is left out, and the brackets around an address. */
static bool take_authority(struct hf_slice *text, struct uri *uri)
{
    if (uri->scheme.size == 0 || text->size < 2 || memcmp(text->data, "//", 2) != 0) {
        return true;
    }
    size_t end = find_any(*text, 2, "/?");
    struct hf_slice authority = cut(*text, 2, end);
    const uint8_t *at = authority.size != 0 ? memrchr(authority.data, '@', authority.size) : NULL;
    if (at != NULL) {
        uri->user = cut(authority, 0, (size_t)(at - authority.data));
        uri->user = cut(uri->user, 0, find_any(uri->user, 0, ":"));
        authority = cut(authority, (size_t)(at - authority.data) + 1, authority.size);
    }
    const uint8_t *colon =
        authority.size != 0 ? memrchr(authority.data, ':', authority.size) : NULL;
    const uint8_t *bracket =
        authority.size != 0 ? memrchr(authority.data, ']', authority.size) : NULL;
    uri->host = authority;
    if (colon != NULL && (bracket == NULL || colon > bracket)) {
        uri->host = cut(authority, 0, (size_t)(colon - authority.data));
        uri->port = cut(authority, (size_t)(colon - authority.data) + 1, authority.size);
    }
    if (uri->host.size >= 2 && uri->host.data[0] == '[' && bracket != NULL) {
        uri->host = cut(uri->host, 1, uri->host.size - 1);
    }
    *text = cut(*text, end, text->size);
    bool is_good = is_escaped_well(uri->user);
    for (size_t i = 0; i < uri->port.size; i++) {
        is_good = is_good && isdigit(uri->port.data[i]);
    }
    return is_good;
}

static bool split_uri(struct hf_arena *arena, struct hf_slice text, struct uri *uri)
{
    if (!take_scheme(arena, &text, uri)) {
        return false;
    }
    bool is_relative =
        uri->scheme.size == 0 && (text.size == 0 || (text.data[0] != '/' && text.data[0] != '?'));
    if (is_relative || !take_authority(&text, uri)) {
        return false;
    }
    size_t query = find_any(text, 0, "?");
    /* Behind a scheme without a slash stands what has no path. */
    bool opaque = uri->scheme.size != 0 && uri->host.size == 0 && query != 0 && text.data[0] != '/';
    uri->path = opaque ? HF_EMPTY_SLICE : cut(text, 0, query);
    uri->has_query = query < text.size;
    uri->query = uri->has_query ? cut(text, query + 1, text.size) : HF_EMPTY_SLICE;
    return is_escaped_well(uri->path);
}

/* %41 and + of a query. */
static struct hf_slice unescape(struct hf_arena *arena, struct hf_slice text)
{
    uint8_t *out = hf_arena_take(arena, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; out != NULL && i < text.size; i++) {
        char hex[3] = "";
        if (text.data[i] == '%' && i + 2 < text.size && isxdigit(text.data[i + 1]) &&
            isxdigit(text.data[i + 2])) {
            hex[0] = (char)text.data[i + 1];
            hex[1] = (char)text.data[i + 2];
            out[size++] = (uint8_t)strtoul(hex, NULL, 16);
            i += 2;
        } else {
            out[size++] = text.data[i] == '+' ? ' ' : text.data[i];
        }
    }
    return out != NULL ? hf_slice_of(out, size) : HF_EMPTY_SLICE;
}

/* Each key with the list of its values; a pair that is malformed is left out. */
static struct hf_expr_value read_query(struct hf_arena *arena, struct hf_slice query)
{
    struct hf_expr_value value = {.type = HF_EXPR_MAP, .map = hf_expr_map_new(arena, 4)};
    while (query.size != 0 && value.map != NULL) {
        size_t end = find_any(query, 0, "&");
        struct hf_slice pair = cut(query, 0, end);
        query = cut(query, end < query.size ? end + 1 : end, query.size);
        size_t equals = find_any(pair, 0, "=");
        struct hf_slice key = unescape(arena, cut(pair, 0, equals));
        struct hf_slice text =
            unescape(arena, cut(pair, equals < pair.size ? equals + 1 : equals, pair.size));
        struct hf_expr_pair *found = hf_expr_map_find(value.map, key);
        struct hf_expr_list *list = found != NULL ? found->value.list : hf_expr_list_new(arena, 1);
        if (pair.size == 0 || !is_escaped_well(pair) || memchr(pair.data, ';', pair.size) != NULL) {
            continue;
        }
        if (list == NULL || hf_expr_list_add(arena, list, hf_expr_string(text)) != HF_OK ||
            hf_expr_map_set(arena, value.map, key,
                            (struct hf_expr_value){.type = HF_EXPR_LIST, .list = list}) != HF_OK) {
            return (struct hf_expr_value){0};
        }
    }
    return value;
}

static bool parse_uri(struct run *run, struct hf_log_entry *entry, const struct hf_expr_value *from,
                      struct hf_expr_value *ret_value)
{
    struct uri uri = {0};
    if (from->type != HF_EXPR_STRING || !split_uri(entry->arena, from->text, &uri)) {
        operator_failed(run, "the text is no URI");
        return false;
    }
    struct hf_expr_map *map = hf_expr_map_new(entry->arena, 6);
    const struct {
        const char *key;
        struct hf_slice text;
    } parts[] = {{"scheme", uri.scheme},
                 {"user", uri.user},
                 {"host", uri.host},
                 {"port", uri.port},
                 {"path", uri.path}};
    bool good = map != NULL;
    for (size_t i = 0; i < 5 && good; i++) {
        good = parts[i].text.size == 0 ||
               hf_expr_map_add(entry->arena, map, hf_slice_text(parts[i].key),
                               hf_expr_string(parts[i].text)) == HF_OK;
    }
    if (good && uri.query.size != 0) {
        struct hf_expr_value query = read_query(entry->arena, uri.query);
        good = query.type == HF_EXPR_MAP &&
               hf_expr_map_add(entry->arena, map, hf_slice_text("query"), query) == HF_OK;
    }
    *ret_value = (struct hf_expr_value){.type = HF_EXPR_MAP, .map = map};
    if (!good) {
        operator_failed(run, "out of memory");
    }
    return good;
}

const struct operator_kind operator_uri_parser = {
    .type = "uri_parser", .is_parser = true, .parse = parse_uri};
