#include "any_make.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "attributes.h"
#include "wire.h"
#include "wire_find.h"

/* The fields of AnyValue. */
enum { STRING = 1, BOOL, INT, DOUBLE, ARRAY, MAP, BYTES, MEMBER_LAST };

#define HEAD_MAX 11u /* a tag and a length, or a number */

/* A list is filled up to an index that is set; one beyond this is a mistake. */
#define INDEX_MAX 9999

/* A writer into as much of the arena as may be needed. */
struct making {
    struct hf_any_maker *maker;
    struct hf_bytes room;
    struct hf_wire_writer writer;
};

static bool begin(struct making *making, struct hf_any_maker *maker, size_t most)
{
    uint8_t *room = maker->failed ? NULL : hf_arena_take(maker->arena, most);
    maker->failed |= room == NULL;
    *making = (struct making){.maker = maker, .room = {.data = room, .capacity = most}};
    making->writer = (struct hf_wire_writer){.out = &making->room};
    return room != NULL;
}

static struct hf_slice end(struct making *making)
{
    /* The room is lent: it has all that is needed and never grows. */
    assert(!making->writer.failed && making->room.size <= making->room.capacity);
    hf_arena_trim(making->maker->arena, making->room.data, making->room.size);
    return hf_slice_of(making->room.data, making->room.size);
}

/* ---- scalars ---- */

static struct hf_slice make_bytes(struct hf_any_maker *maker, uint32_t number,
                                  struct hf_slice bytes)
{
    struct making making;
    if (!begin(&making, maker, bytes.size + HEAD_MAX)) {
        return HF_EMPTY_SLICE;
    }
    hf_wire_put_bytes(&making.writer, number, bytes);
    return end(&making);
}

static struct hf_slice make_varint(struct hf_any_maker *maker, uint32_t number, uint64_t value)
{
    struct making making;
    if (!begin(&making, maker, HEAD_MAX)) {
        return HF_EMPTY_SLICE;
    }
    hf_wire_put_varint(&making.writer, number, value);
    return end(&making);
}

struct hf_slice hf_any_make_string(struct hf_any_maker *maker, struct hf_slice text)
{
    return make_bytes(maker, STRING, text);
}

struct hf_slice hf_any_make_bytes(struct hf_any_maker *maker, struct hf_slice bytes)
{
    return make_bytes(maker, BYTES, bytes);
}

struct hf_slice hf_any_make_bool(struct hf_any_maker *maker, bool boolean)
{
    return make_varint(maker, BOOL, boolean);
}

struct hf_slice hf_any_make_int(struct hf_any_maker *maker, int64_t integer)
{
    return make_varint(maker, INT, (uint64_t)integer);
}

struct hf_slice hf_any_make_double(struct hf_any_maker *maker, double number)
{
    struct making making;
    uint64_t bits;
    memcpy(&bits, &number, sizeof(bits));
    if (!begin(&making, maker, HEAD_MAX)) {
        return HF_EMPTY_SLICE;
    }
    hf_wire_put_fixed64(&making.writer, DOUBLE, bits);
    return end(&making);
}

struct hf_slice hf_any_make(struct hf_any_maker *maker, const struct hf_any *any)
{
    switch (any->type) {
    case HF_ANY_STRING:
        return hf_any_make_string(maker, any->bytes);
    case HF_ANY_BOOL:
        return hf_any_make_bool(maker, any->integer != 0);
    case HF_ANY_INT:
        return hf_any_make_int(maker, any->integer);
    case HF_ANY_DOUBLE:
        return hf_any_make_double(maker, any->number);
    case HF_ANY_ARRAY:
        return make_bytes(maker, ARRAY, any->bytes);
    case HF_ANY_MAP:
        return make_bytes(maker, MAP, any->bytes);
    case HF_ANY_BYTES:
        return hf_any_make_bytes(maker, any->bytes);
    case HF_ANY_EMPTY:
        break;
    }
    return HF_EMPTY_SLICE;
}

/* ---- lists and maps from their parts ---- */

static size_t field_size(size_t content)
{
    return 1 + hf_wire_varint_size(content) + content;
}

static size_t pair_size(const struct hf_any_pair *pair)
{
    return field_size(pair->key.size) + field_size(pair->value.size);
}

static void put_pair(struct hf_wire_writer *writer, const struct hf_any_pair *pair)
{
    struct hf_wire_message message = hf_wire_open(writer, 1, pair_size(pair));
    hf_wire_put_bytes(writer, 1, pair->key);
    hf_wire_put_bytes(writer, 2, pair->value);
    hf_wire_close(writer, message);
}

struct hf_slice hf_any_make_list(struct hf_any_maker *maker, const struct hf_slice *values,
                                 size_t count)
{
    struct making making;
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += field_size(values[i].size);
    }
    if (!begin(&making, maker, size + HEAD_MAX)) {
        return HF_EMPTY_SLICE;
    }
    struct hf_wire_message list = hf_wire_open(&making.writer, ARRAY, size);
    for (size_t i = 0; i < count; i++) {
        hf_wire_put_bytes(&making.writer, 1, values[i]);
    }
    hf_wire_close(&making.writer, list);
    return end(&making);
}

struct hf_slice hf_any_make_map(struct hf_any_maker *maker, const struct hf_any_pair *pairs,
                                size_t count)
{
    struct making making;
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += field_size(pair_size(&pairs[i]));
    }
    if (!begin(&making, maker, size + HEAD_MAX)) {
        return HF_EMPTY_SLICE;
    }
    struct hf_wire_message map = hf_wire_open(&making.writer, MAP, size);
    for (size_t i = 0; i < count; i++) {
        put_pair(&making.writer, &pairs[i]);
    }
    hf_wire_close(&making.writer, map);
    return end(&making);
}

/* ---- values of several fields ---- */

static bool is_one_field(struct hf_slice value)
{
    struct hf_wire wire = hf_wire_of(value);
    struct hf_wire_field field;
    return hf_wire_at_end(wire) || (hf_wire_next(&wire, &field) && hf_wire_at_end(wire));
}

struct hf_slice hf_any_settle(struct hf_any_maker *maker, struct hf_slice value)
{
    if (is_one_field(value)) {
        return value;
    }
    struct hf_wire wire = hf_wire_of(value);
    struct hf_wire_field field, last = {.number = 0};
    struct making making;
    if (!begin(&making, maker, value.size + HEAD_MAX)) {
        return HF_EMPTY_SLICE;
    }
    /* The content of a list or map is that of all its pieces since another kind stood there. */
    while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        if (field.number > MEMBER_LAST) {
            continue;
        }
        if (field.number != last.number || (field.number != ARRAY && field.number != MAP)) {
            making.room.size = 0;
        }
        if (field.number == ARRAY || field.number == MAP) {
            hf_wire_put_raw(&making.writer, field.bytes);
        }
        last = field;
    }
    struct hf_slice content = end(&making);
    return last.number == ARRAY || last.number == MAP ? make_bytes(maker, last.number, content)
                                                      : last.whole;
}

/* ---- reading lists and maps ---- */

static bool is_container(const struct hf_any *any)
{
    return any->type == HF_ANY_ARRAY || any->type == HF_ANY_MAP;
}

struct hf_wire hf_any_items(const struct hf_any *any)
{
    return hf_wire_of(is_container(any) ? any->bytes : HF_EMPTY_SLICE);
}

bool hf_any_next_value(struct hf_wire *items, struct hf_slice *ret_value)
{
    return hf_wire_each(items, 1, ret_value);
}

bool hf_any_next_pair(struct hf_wire *items, struct hf_any_pair *ret_pair)
{
    struct hf_slice pair;
    while (hf_any_next_value(items, &pair)) {
        if (hf_attribute_read(pair, &ret_pair->key, &ret_pair->value)) {
            return true;
        }
    }
    return false;
}

size_t hf_any_count(const struct hf_any *any)
{
    struct hf_wire items = hf_any_items(any);
    struct hf_slice value;
    size_t count = 0;
    while (hf_any_next_value(&items, &value)) {
        count++;
    }
    return count;
}

bool hf_any_look_up(const struct hf_any *map, struct hf_slice key, struct hf_slice *ret_value)
{
    struct hf_wire items = hf_any_items(map);
    struct hf_any_pair pair;
    while (map->type == HF_ANY_MAP && hf_any_next_pair(&items, &pair)) {
        if (hf_slice_equal(pair.key, key)) {
            *ret_value = pair.value;
            return true;
        }
    }
    return false;
}

bool hf_any_at(const struct hf_any *list, size_t index, struct hf_slice *ret_value)
{
    struct hf_wire items = hf_any_items(list);
    for (size_t i = 0; list->type == HF_ANY_ARRAY && hf_any_next_value(&items, ret_value); i++) {
        if (i == index) {
            return true;
        }
    }
    return false;
}

/* ---- changed lists and maps ---- */

/* A map in which `set` (NULL: nothing) stands for the pairs of `key`. */
static struct hf_slice remake_map(struct hf_any_maker *maker, const struct hf_any *map,
                                  struct hf_slice key, const struct hf_any_pair *set)
{
    struct making making;
    struct hf_slice content = map->type == HF_ANY_MAP ? map->bytes : HF_EMPTY_SLICE;
    size_t most = content.size + (set != NULL ? pair_size(set) : 0);
    if (!begin(&making, maker, most + 3 * (size_t)HEAD_MAX)) {
        return HF_EMPTY_SLICE;
    }
    struct hf_wire_message message = hf_wire_open(&making.writer, MAP, most);
    struct hf_wire wire = hf_wire_of(content);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        struct hf_any_pair pair;
        if (field.number != 1 || field.wire != HF_WIRE_BYTES ||
            !hf_attribute_read(field.bytes, &pair.key, &pair.value) ||
            !hf_slice_equal(pair.key, key)) {
            hf_wire_put_raw(&making.writer, field.whole);
        } else if (set != NULL) {
            put_pair(&making.writer, set);
            set = NULL;
        }
    }
    if (set != NULL) {
        put_pair(&making.writer, set);
    }
    hf_wire_close(&making.writer, message);
    return end(&making);
}

struct hf_slice hf_any_with(struct hf_any_maker *maker, const struct hf_any *map,
                            struct hf_slice key, struct hf_slice value)
{
    struct hf_any_pair pair = {key, value};
    return remake_map(maker, map, key, &pair);
}

struct hf_slice hf_any_without(struct hf_any_maker *maker, const struct hf_any *map,
                               struct hf_slice key)
{
    return remake_map(maker, map, key, NULL);
}

struct hf_slice hf_any_with_at(struct hf_any_maker *maker, const struct hf_any *list, size_t index,
                               struct hf_slice value)
{
    struct making making;
    size_t count = list->type == HF_ANY_ARRAY ? hf_any_count(list) : 0;
    size_t added = index >= count ? index - count : 0; /* empty ones: two bytes each */
    size_t most = (count > 0 ? list->bytes.size : 0) + field_size(value.size) + 2 * added;
    if (added > INDEX_MAX || !begin(&making, maker, most + 2 * (size_t)HEAD_MAX)) {
        maker->failed = true;
        return HF_EMPTY_SLICE;
    }
    struct hf_wire_message message = hf_wire_open(&making.writer, ARRAY, most);
    struct hf_wire items = count > 0 ? hf_any_items(list) : hf_wire_of(HF_EMPTY_SLICE);
    struct hf_slice one;
    for (size_t i = 0; hf_any_next_value(&items, &one); i++) {
        hf_wire_put_bytes(&making.writer, 1, i == index ? value : one);
    }
    for (size_t i = count; i <= index; i++) {
        hf_wire_put_bytes(&making.writer, 1, i == index ? value : HF_EMPTY_SLICE);
    }
    hf_wire_close(&making.writer, message);
    return end(&making);
}

struct hf_slice hf_any_append(struct hf_any_maker *maker, const struct hf_any *list,
                              struct hf_slice value)
{
    size_t count = list->type == HF_ANY_ARRAY ? hf_any_count(list) : 0;
    return hf_any_with_at(maker, list, count, value);
}

/* ---- keys ---- */

/* As the Go collector names them. */
static const char *type_name(enum hf_any_type type)
{
    static const char *const names[] = {
        [HF_ANY_EMPTY] = "Empty", [HF_ANY_STRING] = "Str",    [HF_ANY_BOOL] = "Bool",
        [HF_ANY_INT] = "Int",     [HF_ANY_DOUBLE] = "Double", [HF_ANY_ARRAY] = "Slice",
        [HF_ANY_MAP] = "Map",     [HF_ANY_BYTES] = "Bytes",
    };
    return names[type];
}

/* Does a value of that type take such a key? */
static bool takes_key(const struct hf_any *any, const struct hf_any_key *key, char *reterr)
{
    if (any->type == (key->is_index ? HF_ANY_ARRAY : HF_ANY_MAP) || any->type == HF_ANY_EMPTY) {
        return true;
    }
    snprintf(reterr, HF_ERROR_MAX, "type %s does not support %s indexing", type_name(any->type),
             key->is_index ? "int" : "string");
    return false;
}

static bool is_out_of_bounds(const struct hf_any_key *key, size_t count, char *reterr)
{
    if (key->index >= 0 && (uint64_t)key->index < count) {
        return false;
    }
    snprintf(reterr, HF_ERROR_MAX, "index %" PRId64 " out of bounds", key->index);
    return true;
}

enum hf_status hf_any_get(struct hf_slice value, const struct hf_any_key *keys, size_t count,
                          struct hf_slice *ret_value, char *reterr)
{
    for (size_t i = 0; i < count; i++) {
        struct hf_any any = hf_any_read(value);
        if (!takes_key(&any, &keys[i], reterr)) {
            return HF_INVALID;
        }
        bool found = true;
        if (any.type == HF_ANY_EMPTY) {
            found = false;
        } else if (!keys[i].is_index) {
            found = hf_any_look_up(&any, keys[i].text, &value);
        } else if (keys[i].index < 0 || !hf_any_at(&any, (size_t)keys[i].index, &value)) {
            is_out_of_bounds(&keys[i], 0, reterr);
            return HF_INVALID;
        }
        if (!found) {
            value = HF_EMPTY_SLICE;
            break;
        }
    }
    *ret_value = value;
    return HF_OK;
}

unsigned hf_any_depth(struct hf_slice value)
{
    struct hf_any any = hf_any_read(value);
    struct hf_wire items = hf_any_items(&any);
    struct hf_any_pair pair;
    unsigned deepest = 0;
    unsigned between = 2; /* messages from this value to those inside: a list and a value */
    if (!is_container(&any)) {
        return 1;
    }
    if (any.type == HF_ANY_MAP) {
        between = 3;
        while (hf_any_next_pair(&items, &pair)) {
            unsigned depth = hf_any_depth(pair.value);
            deepest = depth > deepest ? depth : deepest;
        }
    } else {
        while (hf_any_next_value(&items, &pair.value)) {
            unsigned depth = hf_any_depth(pair.value);
            deepest = depth > deepest ? depth : deepest;
        }
    }
    return deepest + between;
}

/* What stands under the first of the keys, exchanged. */
static enum hf_status put_below(struct hf_any_maker *maker, struct hf_slice value,
                                const struct hf_any_key *keys, size_t count, struct hf_slice set,
                                struct hf_slice *ret_value, char *reterr)
{
    if (count == 0) {
        *ret_value = set;
        return HF_OK;
    }
    struct hf_any any = hf_any_read(value);
    struct hf_slice inner = HF_EMPTY_SLICE;
    if (!takes_key(&any, keys, reterr)) {
        return HF_INVALID;
    }
    if (!keys->is_index) {
        if (!hf_any_look_up(&any, keys->text, &inner)) {
            inner = HF_EMPTY_SLICE;
        }
    } else {
        size_t most = any.type == HF_ANY_EMPTY ? INDEX_MAX : hf_any_count(&any);
        if (is_out_of_bounds(keys, most, reterr)) {
            return HF_INVALID;
        }
        if (!hf_any_at(&any, (size_t)keys->index, &inner)) {
            inner = HF_EMPTY_SLICE;
        }
    }
    enum hf_status status = put_below(maker, inner, keys + 1, count - 1, set, &inner, reterr);
    if (status == HF_OK) {
        *ret_value = keys->is_index ? hf_any_with_at(maker, &any, (size_t)keys->index, inner)
                                    : hf_any_with(maker, &any, keys->text, inner);
    }
    return status;
}

enum hf_status hf_any_put(struct hf_any_maker *maker, struct hf_slice value,
                          const struct hf_any_key *keys, size_t count, struct hf_slice set,
                          struct hf_slice *ret_value, char *reterr)
{
    if (count > HF_ANY_KEYS_MAX || hf_any_depth(set) + 3 * count > HF_ANY_DEPTH_MAX) {
        snprintf(reterr, HF_ERROR_MAX, "the value would be nested too deeply");
        return HF_INVALID;
    }
    struct hf_slice made = HF_EMPTY_SLICE;
    enum hf_status status = put_below(maker, value, keys, count, set, &made, reterr);
    if (status == HF_OK && maker->failed) {
        status = HF_NOMEM;
    }
    if (status == HF_OK) {
        *ret_value = made;
    }
    return status;
}
