#include "identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pdata/any_make.h"
#include "util/checksum.h"
#include "util/fnv.h"

/* What stands before each part of a map in the text that is hashed. */
enum mark {
    MARK_MORE = 0xf3, /* behind all, for the second half of the digest */
    MARK_KEY,
    MARK_EMPTY,
    MARK_BYTES,
    MARK_STRING,
    MARK_TRUE,
    MARK_FALSE,
    MARK_INT,
    MARK_DOUBLE,
    MARK_MAP,
    MARK_MAP_END,
    MARK_LIST,
    MARK_LIST_END
};

struct text {
    struct hf_bytes *out;
    struct hf_arena *arena;
    bool failed;
};

static void put(struct text *text, struct hf_slice bytes)
{
    text->failed = text->failed || hf_bytes_append(text->out, bytes) != HF_OK;
}

static void put_mark(struct text *text, enum mark mark)
{
    const uint8_t byte = (uint8_t)mark;
    put(text, hf_slice_of(&byte, 1));
}

static void put_u64(struct text *text, uint64_t number)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(number >> (8 * i));
    }
    put(text, hf_slice_of(bytes, sizeof(bytes)));
}

/* Of the same key the one that came first is first: they are neighbours in memory order. */
static int compare_pairs(const void *left, const void *right)
{
    const struct hf_any_pair *a = left;
    const struct hf_any_pair *b = right;
    int order = hf_slice_compare(a->key, b->key);
    return order != 0 ? order : a->value.data < b->value.data ? -1 : a->value.data > b->value.data;
}

static void put_value(struct text *text, struct hf_slice value);

/* Sorts them. A key that is there more often counts as often, with its first value. */
static void put_pairs(struct text *text, struct hf_any_pair *pairs, size_t count)
{
    qsort(pairs, count, sizeof(*pairs), compare_pairs);
    struct hf_slice value = HF_EMPTY_SLICE;
    for (size_t i = 0; i < count; i++) {
        bool is_new = i == 0 || !hf_slice_equal(pairs[i].key, pairs[i - 1].key);
        value = is_new ? pairs[i].value : value;
        put_mark(text, MARK_KEY);
        put(text, pairs[i].key);
        put_value(text, value);
    }
}

static void put_map(struct text *text, const struct hf_any *any)
{
    size_t count = hf_any_count(any);
    struct hf_any_pair *pairs =
        count != 0 ? hf_arena_take(text->arena, count * sizeof(*pairs)) : NULL;
    struct hf_wire items = hf_any_items(any);
    size_t at = 0;
    if (count != 0 && pairs == NULL) {
        text->failed = true;
        return;
    }
    while (at < count && hf_any_next_pair(&items, &pairs[at])) {
        at++;
    }
    put_mark(text, MARK_MAP);
    if (at != 0) {
        put_pairs(text, pairs, at);
    }
    put_mark(text, MARK_MAP_END);
}

static void put_list(struct text *text, const struct hf_any *any)
{
    struct hf_wire items = hf_any_items(any);
    struct hf_slice value;
    put_mark(text, MARK_LIST);
    while (hf_any_next_value(&items, &value)) {
        put_value(text, value);
    }
    put_mark(text, MARK_LIST_END);
}

/* The depth is that which hf_scan() allows. */
static void put_value(struct text *text, struct hf_slice value)
{
    const struct hf_any any = hf_any_read(value);
    uint64_t bits;
    switch (any.type) {
    case HF_ANY_STRING:
        put_mark(text, MARK_STRING);
        put(text, any.bytes);
        break;
    case HF_ANY_BOOL:
        put_mark(text, any.integer != 0 ? MARK_TRUE : MARK_FALSE);
        break;
    case HF_ANY_INT:
        put_mark(text, MARK_INT);
        put_u64(text, (uint64_t)any.integer);
        break;
    case HF_ANY_DOUBLE:
        memcpy(&bits, &any.number, sizeof(bits));
        put_mark(text, MARK_DOUBLE);
        put_u64(text, bits);
        break;
    case HF_ANY_MAP:
        put_map(text, &any);
        break;
    case HF_ANY_ARRAY:
        put_list(text, &any);
        break;
    case HF_ANY_BYTES:
        put_mark(text, MARK_BYTES);
        put(text, any.bytes);
        break;
    case HF_ANY_EMPTY:
        put_mark(text, MARK_EMPTY);
        break;
    }
}

static void store_u64(uint8_t *room, uint64_t number)
{
    for (unsigned i = 0; i < 8; i++) {
        room[i] = (uint8_t)(number >> (8 * i));
    }
}

/* The digest of the attributes of a message; of none: zeros. */
static void digest(struct text *text, struct hf_message *message,
                   uint8_t ret_digest[HF_IDENTITY_SIZE])
{
    memset(ret_digest, 0, HF_IDENTITY_SIZE);
    uint32_t number = message != NULL ? hf_message_attributes_number(hf_message_type(message)) : 0;
    const struct hf_attributes *attributes =
        number != 0 ? hf_message_attributes(message, number) : NULL;
    if (attributes == NULL || attributes->count == 0) {
        return;
    }
    struct hf_any_pair *pairs = hf_arena_take(text->arena, attributes->count * sizeof(*pairs));
    if (pairs == NULL) {
        text->failed = true;
        return;
    }
    for (size_t i = 0; i < attributes->count; i++) {
        pairs[i] = (struct hf_any_pair){attributes->items[i].key, attributes->items[i].value};
    }
    size_t before = text->out->size;
    put_pairs(text, pairs, attributes->count);
    store_u64(ret_digest, hf_xxh64(text->out->data + before, text->out->size - before));
    put_mark(text, MARK_MORE);
    store_u64(ret_digest + 8, hf_xxh64(text->out->data + before, text->out->size - before));
    text->out->size = before;
}

enum hf_status hf_identity_attributes(struct hf_message *message, struct hf_document *document,
                                      struct hf_bytes *scratch,
                                      uint8_t ret_digest[HF_IDENTITY_SIZE])
{
    struct text text = {.out = scratch, .arena = hf_document_arena(document)};
    digest(&text, message, ret_digest);
    return text.failed ? HF_NOMEM : HF_OK;
}

static enum hf_status print(const char *what, uint64_t hash, struct hf_bytes *out)
{
    char text[32];
    int size = snprintf(text, sizeof(text), "%s/%llx", what, (unsigned long long)hash);
    return hf_bytes_append(out, hf_slice_of(text, (size_t)size));
}

static uint64_t add_digest(uint64_t hash, struct text *text, struct hf_message *message)
{
    uint8_t bytes[HF_IDENTITY_SIZE];
    digest(text, message, bytes);
    return hf_fnv_add(hash, hf_slice_of(bytes, sizeof(bytes)));
}

enum hf_status hf_identity_resource(const struct hf_place *place, struct hf_bytes *out)
{
    struct text text = {.out = out, .arena = hf_document_arena(place->document)};
    uint64_t hash = add_digest(HF_FNV_START, &text, hf_place_resource(place));
    return text.failed ? HF_NOMEM : print("resource", hash, out);
}

/* The kind of a metric, whether it is monotonic, and its temporality. */
static uint64_t add_kind(uint64_t hash, const struct hf_place *place)
{
    uint8_t kind[3] = {0};
    if (place->data != NULL) {
        switch ((enum hf_schema_index)hf_message_type(place->data)->index) {
        case HF_MESSAGE_GAUGE:
            kind[0] = 1;
            break;
        case HF_MESSAGE_SUM:
            kind[0] = 2;
            kind[1] = hf_message_i64(place->data, 3) != 0;
            kind[2] = (uint8_t)hf_message_i64(place->data, 2);
            break;
        case HF_MESSAGE_HISTOGRAM:
        case HF_MESSAGE_EXPONENTIAL_HISTOGRAM:
            kind[0] = hf_message_type(place->data)->index == HF_MESSAGE_HISTOGRAM ? 3 : 4;
            kind[1] = 1;
            kind[2] = (uint8_t)hf_message_i64(place->data, 2);
            break;
        case HF_MESSAGE_SUMMARY:
            kind[0] = 5;
            break;
        default:
            break;
        }
    }
    return hf_fnv_add(hash, hf_slice_of(kind, sizeof(kind)));
}

enum hf_status hf_identity_stream(const struct hf_place *place, struct hf_bytes *out)
{
    struct text text = {.out = out, .arena = hf_document_arena(place->document)};
    struct hf_message *scope = hf_place_scope(place);
    uint8_t of_resource[HF_IDENTITY_SIZE];
    digest(&text, hf_place_resource(place), of_resource);
    uint64_t hash = hf_fnv(hf_slice_of(of_resource, sizeof(of_resource)));
    hash = hf_fnv_add(hash, hf_message_bytes(scope, 1));
    hash = hf_fnv_add(hash, hf_message_bytes(scope, 2));
    hash = add_digest(hash, &text, scope);
    hash = hf_fnv_add(hash, hf_message_bytes(place->metric, 1));
    hash = hf_fnv_add(hash, hf_message_bytes(place->metric, 3));
    hash = add_kind(hash, place);
    hash = add_digest(hash, &text, place->item);
    return text.failed ? HF_NOMEM : print("stream", hash, out);
}
