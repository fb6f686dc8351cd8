#include "loki_logfmt.h"

#include <stdio.h>

#include "loki_text.h"
#include "pdata/any.h"
#include "pdata/any_make.h"

#define DEPTH_MAX 16u /* deeper values are written as JSON */

/* The names of the record's own fields, which stand for pairs of the body with the same name. */
static const char *const own_keys[] = {"traceID", "spanID", "severity", "flags"};

/* ---- reading pairs ---- */

static bool is_key_byte(uint8_t byte)
{
    return byte > ' ' && byte != '=' && byte != '"' && byte != 0x7f;
}

/* One pair: `whole` is its text, `key` its name. */
struct pair {
    struct hf_slice whole, key;
    bool has_value;
};

/* The size of a value in quotes; 0: it does not end. */
static size_t quoted_size(struct hf_slice text)
{
    for (size_t i = 1; i < text.size; i++) {
        if (text.data[i] == '\\') {
            i++;
        } else if (text.data[i] == '"') {
            return i + 1;
        } else if (text.data[i] < ' ') {
            return 0;
        }
    }
    return 0;
}

/* The next pair of `rest`. False: the end, or no pair (`rest` is not empty then). */
static bool next_pair(struct hf_slice *rest, struct pair *ret)
{
    size_t at = 0;
    while (at < rest->size && rest->data[at] == ' ') {
        at++;
    }
    size_t start = at;
    while (at < rest->size && is_key_byte(rest->data[at])) {
        at++;
    }
    *rest = hf_slice_of(rest->data + start, rest->size - start);
    at -= start;
    if (at == 0) {
        return false;
    }
    ret->key = hf_slice_of(rest->data, at);
    ret->has_value = at < rest->size && rest->data[at] == '=';
    if (ret->has_value) {
        at++;
        if (at < rest->size && rest->data[at] == '"') {
            size_t size = quoted_size(hf_slice_of(rest->data + at, rest->size - at));
            if (size == 0) {
                return false;
            }
            at += size;
        } else {
            while (at < rest->size && is_key_byte(rest->data[at])) {
                at++;
            }
        }
    }
    if (at < rest->size && rest->data[at] != ' ') {
        return false;
    }
    ret->whole = hf_slice_of(rest->data, at);
    *rest = hf_slice_of(rest->data + at, rest->size - at);
    return true;
}

bool loki_is_logfmt(struct hf_slice text)
{
    struct pair pair;
    bool any = false;
    while (next_pair(&text, &pair)) {
        any = any || pair.has_value;
    }
    return any && text.size == 0;
}

/* ---- writing pairs ---- */

struct line {
    struct hf_bytes *out;
    size_t start;
    char prefix[256]; /* of the key; a longer one is cut */
    enum hf_status status;
};

static void put(struct line *line, struct hf_slice text)
{
    if (line->status == HF_OK) {
        line->status = hf_bytes_append(line->out, text);
    }
}

static void put_key(struct line *line, struct hf_slice key)
{
    if (line->out->size != line->start) {
        put(line, hf_slice_text(" "));
    }
    for (size_t i = 0; i < key.size; i++) {
        uint8_t byte = is_key_byte(key.data[i]) ? key.data[i] : '_';
        put(line, hf_slice_of(&byte, 1));
    }
    put(line, hf_slice_text("="));
}

static bool needs_quotes(struct hf_slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_key_byte(text.data[i])) {
            return true;
        }
    }
    return false;
}

static void put_pair(struct line *line, struct hf_slice key, struct hf_slice text)
{
    put_key(line, key);
    if (!needs_quotes(text)) {
        put(line, text);
        return;
    }
    if (line->status == HF_OK) {
        struct hf_json_writer writer = {.out = line->out, .html = true};
        hf_json_write_text(&writer, text);
        line->status = hf_json_write_status(&writer);
    }
}

static void put_scalar(struct line *line, struct hf_slice key, struct hf_slice value)
{
    struct hf_bytes text = {0};
    if (line->status == HF_OK) {
        line->status = hf_any_text(value, &text);
    }
    put_pair(line, key, hf_slice_of(text.data, text.size));
    hf_bytes_release(&text);
}

static void put_flat(struct line *line, size_t prefix, struct hf_slice value, unsigned depth);

static size_t extend(struct line *line, size_t prefix, struct hf_slice name)
{
    size_t room = sizeof(line->prefix) - prefix;
    int size = snprintf(line->prefix + prefix, room, "%s%.*s", prefix != 0 ? "_" : "",
                        (int)name.size, (const char *)name.data);
    return size < 0 ? prefix : prefix + ((size_t)size < room ? (size_t)size : room - 1);
}

static void put_list(struct line *line, size_t prefix, const struct hf_any *list, unsigned depth)
{
    struct hf_wire items = hf_any_items(list);
    struct hf_slice value;
    for (unsigned i = 0; hf_any_next_value(&items, &value); i++) {
        char digits[16];
        int size = snprintf(digits, sizeof(digits), "%u", i);
        put_flat(line, extend(line, prefix, hf_slice_of(digits, (size_t)size)), value, depth + 1);
    }
}

/* Maps and lists as one pair for each value inside; the names are joined by '_'. */
static void put_flat(struct line *line, size_t prefix, struct hf_slice value, unsigned depth)
{
    struct hf_any any = hf_any_read(value);
    if (any.type == HF_ANY_MAP && depth < DEPTH_MAX) {
        struct hf_wire items = hf_any_items(&any);
        struct hf_any_pair pair;
        while (hf_any_next_pair(&items, &pair)) {
            put_flat(line, extend(line, prefix, pair.key), pair.value, depth + 1);
        }
    } else if (any.type == HF_ANY_ARRAY && depth < DEPTH_MAX) {
        put_list(line, prefix, &any, depth);
    } else {
        put_scalar(line, hf_slice_of(line->prefix, prefix), value);
    }
}

static bool is_replaced(struct hf_slice key, const bool present[4])
{
    for (size_t i = 0; i < 4; i++) {
        if (present[i] && hf_slice_is(key, own_keys[i])) {
            return true;
        }
    }
    return false;
}

static void put_body(struct line *line, struct hf_slice body, const bool present[4])
{
    struct hf_any any = hf_any_read(body);
    if (any.type == HF_ANY_EMPTY) {
        return;
    }
    if (any.type == HF_ANY_STRING && loki_is_logfmt(any.bytes)) {
        struct pair pair;
        while (next_pair(&any.bytes, &pair)) {
            if (!is_replaced(pair.key, present)) {
                put(line, hf_slice_text(line->out->size != line->start ? " " : ""));
                put(line, pair.whole);
            }
        }
    } else if (any.type == HF_ANY_MAP) {
        put_flat(line, 0, body, 0);
    } else if (any.type == HF_ANY_ARRAY) {
        put_flat(line, extend(line, 0, hf_slice_text("body")), body, 0);
    } else {
        put_scalar(line, hf_slice_text("msg"), body);
    }
}

static void put_attributes(struct line *line, const char *prefix, struct hf_message *owner,
                           uint32_t number, const struct loki_hidden *hidden)
{
    const struct hf_attributes *list = owner != NULL ? hf_message_attributes(owner, number) : NULL;
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        if (!loki_is_hidden(hidden, list->items[i].key)) {
            size_t size = extend(line, 0, hf_slice_text(prefix));
            put_flat(line, extend(line, size, list->items[i].key), list->items[i].value, 0);
        }
    }
}

static void put_given(struct line *line, const char *key, struct hf_slice text)
{
    if (text.size != 0) {
        put_pair(line, hf_slice_text(key), text);
    }
}

enum hf_status loki_logfmt_write(const struct hf_place *place, const struct loki_labels *labels,
                                 struct hf_bytes *out)
{
    struct line line = {.out = out, .start = out->size};
    struct hf_message *record = place->item, *scope = hf_place_scope(place);
    char trace[33], span[33], digits[24];
    uint64_t flags = hf_message_u64(record, 8);
    int size = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)flags);
    const struct hf_slice own[4] = {
        loki_hex(hf_message_bytes(record, 9), trace), loki_hex(hf_message_bytes(record, 10), span),
        hf_message_bytes(record, 3), hf_slice_of(digits, flags != 0 ? (size_t)size : 0)};
    bool present[4];
    for (size_t i = 0; i < 4; i++) {
        present[i] = own[i].size != 0;
    }
    put_body(&line, hf_message_any(record, 5), present);
    for (size_t i = 0; i < 4; i++) {
        put_given(&line, own_keys[i], own[i]);
    }
    put_attributes(&line, "attribute", record, LOKI_RECORD_ATTRIBUTES, &labels->attributes);
    put_attributes(&line, "resource", hf_place_resource(place), LOKI_RESOURCE_ATTRIBUTES,
                   &labels->resource);
    if (scope != NULL && hf_message_bytes(scope, 1).size != 0) {
        put_given(&line, "instrumentation_scope_name", hf_message_bytes(scope, 1));
        put_given(&line, "instrumentation_scope_version", hf_message_bytes(scope, 2));
    }
    return line.status;
}
