#include "attributes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire_find.h"

/* The pair that nearly all are: key, then value, both lengths in one byte, nothing left over. */
static inline bool read_plain_pair(struct hf_slice pair, struct hf_slice *ret_key,
                                   struct hf_slice *ret_value)
{
    const size_t least = 4; /* two tags with lengths */
    if (pair.size < least || pair.data[0] != (1 << 3 | HF_WIRE_BYTES) || pair.data[1] >= 0x80 ||
        pair.data[1] > pair.size - least) {
        return false;
    }
    size_t key_end = 2 + (size_t)pair.data[1];
    if (pair.data[key_end] != (2 << 3 | HF_WIRE_BYTES) || pair.data[key_end + 1] >= 0x80 ||
        key_end + 2 + pair.data[key_end + 1] != pair.size) {
        return false;
    }
    *ret_key = (struct hf_slice){&pair.data[2], key_end - 2};
    *ret_value = (struct hf_slice){&pair.data[key_end + 2], pair.data[key_end + 1]};
    return true;
}

bool hf_attribute_read(struct hf_slice pair, struct hf_slice *ret_key, struct hf_slice *ret_value)
{
    struct hf_wire wire = hf_wire_of(pair);
    struct hf_wire_field field;
    if (read_plain_pair(pair, ret_key, ret_value)) {
        return true;
    }
    *ret_key = HF_EMPTY_SLICE;
    *ret_value = HF_EMPTY_SLICE;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
        if (field.number == 1) {
            *ret_key = field.bytes;
        } else if (field.number == 2) {
            *ret_value = field.bytes;
        }
    }
    return true;
}

#define CAPACITY_FIRST 32u /* more than nearly all owners have */
#define CAPACITY_SPARE 2u  /* kept beyond what was read, where memory is lent: what actions add */

static struct hf_attribute *enlarge(const struct hf_attributes *attributes, size_t capacity)
{
    size_t size = capacity * sizeof(struct hf_attribute);
    if (attributes->lender == NULL) {
        return realloc(attributes->items, size);
    }
    struct hf_attribute *items = hf_arena_take(attributes->lender, size);
    if (items != NULL && attributes->count > 0) {
        memcpy(items, attributes->items, attributes->count * sizeof(*items));
    }
    return items;
}

static bool grow(struct hf_attributes *attributes)
{
    size_t capacity = attributes->capacity == 0 ? CAPACITY_FIRST : attributes->capacity * 2;
    struct hf_attribute *items = enlarge(attributes, capacity);
    if (items == NULL) {
        attributes->failed = true;
        return false;
    }
    attributes->items = items;
    attributes->capacity = capacity;
    return true;
}

/* Room for one more; NULL when there is none. */
static inline struct hf_attribute *add(struct hf_attributes *attributes)
{
    if (attributes->count == attributes->capacity && !grow(attributes)) {
        return NULL;
    }
    return &attributes->items[attributes->count++];
}

static struct hf_arena *memory_of(struct hf_attributes *attributes)
{
    return attributes->lender != NULL ? attributes->lender : &attributes->arena;
}

/*
 * The value of a pair that has it in several pieces: all of them joined, by the rules of protobuf.
 * Read after the list is complete, because both take the same memory.
 */
static void join_value(struct hf_attributes *attributes, struct hf_attribute *attribute)
{
    struct hf_wire whole = hf_wire_of(attribute->whole);
    struct hf_wire_field pair, field;
    size_t pieces = 0, size = 0;
    if (!hf_wire_next(&whole, &pair)) {
        return;
    }
    struct hf_wire wire = hf_wire_of(pair.bytes);
    while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        pieces += field.number == 2;
        size += field.number == 2 ? field.bytes.size : 0;
    }
    uint8_t *room = pieces > 1 ? hf_arena_take(memory_of(attributes), size) : NULL;
    attributes->failed |= pieces > 1 && room == NULL;
    if (room == NULL) {
        return;
    }
    attribute->value = hf_slice_of(room, size);
    wire = hf_wire_of(pair.bytes);
    while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        if (field.number == 2 && field.bytes.size > 0) {
            memcpy(room, field.bytes.data, field.bytes.size);
            room += field.bytes.size;
        }
    }
}

/* Lent memory is given back where it was not needed; nothing was taken since the list grew. */
static void trim(struct hf_attributes *attributes)
{
    size_t capacity = attributes->count + CAPACITY_SPARE;
    if (attributes->lender != NULL && capacity < attributes->capacity) {
        hf_arena_trim(attributes->lender, attributes->items, capacity * sizeof(*attributes->items));
        attributes->capacity = capacity;
    }
}

static void note_surroundings(struct hf_attributes *attributes, struct hf_slice owner)
{
    attributes->before = owner;
    attributes->after = HF_EMPTY_SLICE;
    if (attributes->count == 0) {
        return;
    }
    struct hf_slice first = attributes->items[0].whole;
    struct hf_slice last = attributes->items[attributes->count - 1].whole;
    size_t start = (size_t)(first.data - owner.data);
    size_t end = (size_t)(last.data - owner.data) + last.size;
    attributes->before.size = start;
    attributes->after = (struct hf_slice){owner.data + end, owner.size - end};
}

bool hf_attributes_read(struct hf_attributes *attributes, struct hf_slice owner, uint32_t number)
{
    struct hf_wire wire = hf_wire_of(owner);
    struct hf_wire_field field;
    const uint8_t *expected = NULL; /* where the next one stands when they are not scattered */
    attributes->count = 0;
    attributes->changed = false;
    attributes->is_scattered = false;
    bool is_odd = false; /* some pair is not plain */
    hf_arena_reset(&attributes->arena);
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_step(&wire, &field)) {
            return false;
        }
        if (field.number != number) {
            continue;
        }
        struct hf_attribute *attribute = add(attributes);
        if (attribute == NULL) {
            return true; /* `failed` tells */
        }
        attribute->whole = field.whole;
        attribute->changed = false;
        attributes->is_scattered |= attributes->count > 1 && field.whole.data != expected;
        expected = wire.at;
        if (read_plain_pair(field.bytes, &attribute->key, &attribute->value)) {
            continue;
        }
        is_odd = true;
        if (!hf_attribute_read(field.bytes, &attribute->key, &attribute->value)) {
            return false;
        }
    }
    trim(attributes);
    for (size_t i = 0; is_odd && i < attributes->count; i++) {
        join_value(attributes, &attributes->items[i]);
    }
    note_surroundings(attributes, owner);
    return true;
}

void hf_attributes_release(struct hf_attributes *attributes)
{
    free(attributes->items);
    hf_arena_release(&attributes->arena);
    attributes->items = NULL;
    attributes->count = 0;
    attributes->capacity = 0;
}

/* The index of the first one with that key from `from` on; `count` when there is none. */
static size_t index_of(const struct hf_attributes *attributes, size_t from, struct hf_slice key)
{
    size_t i = from;
    while (i < attributes->count && !hf_slice_equal(attributes->items[i].key, key)) {
        i++;
    }
    return i;
}

const struct hf_attribute *hf_attributes_find(const struct hf_attributes *attributes,
                                              struct hf_slice key)
{
    size_t i = index_of(attributes, 0, key);
    return i < attributes->count ? &attributes->items[i] : NULL;
}

/* Removes those with that key from `from` on. */
static void remove_from(struct hf_attributes *attributes, size_t from, struct hf_slice key)
{
    size_t i = index_of(attributes, from, key);
    if (i == attributes->count) {
        return;
    }
    size_t kept = i;
    for (i++; i < attributes->count; i++) {
        if (!hf_slice_equal(attributes->items[i].key, key)) {
            attributes->items[kept++] = attributes->items[i];
        }
    }
    attributes->count = kept;
    attributes->changed = true;
}

void hf_attributes_set(struct hf_attributes *attributes, struct hf_slice key, struct hf_slice value)
{
    if (attributes->failed) {
        return;
    }
    size_t i = index_of(attributes, 0, key);
    if (i == attributes->count) {
        struct hf_attribute *attribute = add(attributes);
        if (attribute != NULL) {
            *attribute = (struct hf_attribute){.key = key, .value = value, .changed = true};
            attributes->changed = true;
        }
        return;
    }
    if (!hf_slice_equal(attributes->items[i].value, value)) {
        attributes->items[i].value = value;
        attributes->items[i].changed = true;
        attributes->changed = true;
    }
    remove_from(attributes, i + 1, key);
}

void hf_attributes_remove(struct hf_attributes *attributes, struct hf_slice key)
{
    remove_from(attributes, 0, key);
}

void hf_attributes_clear(struct hf_attributes *attributes)
{
    attributes->changed |= attributes->count > 0;
    attributes->count = 0;
}

/* The largest AnyValue of a number: a tag and a varint of ten bytes. */
#define NUMBER_MAX 11u

/* Writes one AnyValue into memory of the list. */
static struct hf_slice keep(struct hf_attributes *attributes, size_t most,
                            void (*put)(struct hf_wire_writer *writer, const void *from),
                            const void *from)
{
    uint8_t *room = attributes->failed ? NULL : hf_arena_take(memory_of(attributes), most);
    if (room == NULL) {
        attributes->failed = true;
        return HF_EMPTY_SLICE;
    }
    /* The buffer is only lent: it has all the room that is needed and never grows. */
    struct hf_bytes bytes = {.data = room, .capacity = most};
    struct hf_wire_writer writer = {.out = &bytes};
    put(&writer, from);
    assert(bytes.data == room && !writer.failed);
    return hf_slice_of(room, bytes.size);
}

static void put_string(struct hf_wire_writer *writer, const void *from)
{
    hf_wire_put_bytes(writer, 1, *(const struct hf_slice *)from);
}

static void put_int(struct hf_wire_writer *writer, const void *from)
{
    hf_wire_put_varint(writer, 3, (uint64_t) * (const int64_t *)from);
}

static void put_double(struct hf_wire_writer *writer, const void *from)
{
    uint64_t bits;
    memcpy(&bits, from, sizeof(bits));
    hf_wire_put_fixed64(writer, 4, bits);
}

struct hf_slice hf_attributes_string(struct hf_attributes *attributes, struct hf_slice text)
{
    return keep(attributes, text.size + NUMBER_MAX, put_string, &text);
}

struct hf_slice hf_attributes_int(struct hf_attributes *attributes, int64_t integer)
{
    return keep(attributes, NUMBER_MAX, put_int, &integer);
}

struct hf_slice hf_attributes_double(struct hf_attributes *attributes, double number)
{
    return keep(attributes, NUMBER_MAX, put_double, &number);
}

/* The received pair with another value; unknown fields are kept. */
static void write_changed(const struct hf_attribute *attribute, uint32_t number,
                          struct hf_wire_writer *writer)
{
    size_t expected = attribute->key.size + attribute->value.size + 4;
    struct hf_wire_message pair = hf_wire_open(writer, number, expected);
    struct hf_wire whole = hf_wire_of(attribute->whole);
    struct hf_wire_field field;
    if (hf_wire_at_end(whole) || !hf_wire_next(&whole, &field)) {
        hf_wire_put_bytes(writer, 1, attribute->key);
    } else {
        struct hf_wire wire = hf_wire_of(field.bytes);
        while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
            if (field.number != 2) {
                hf_wire_put_raw(writer, field.whole);
            }
        }
    }
    hf_wire_put_bytes(writer, 2, attribute->value);
    hf_wire_close(writer, pair);
}

void hf_attributes_write(const struct hf_attributes *attributes, uint32_t number,
                         struct hf_wire_writer *writer)
{
    struct hf_slice run = HF_EMPTY_SLICE; /* neighbours that did not change are copied at once */
    for (size_t i = 0; i < attributes->count; i++) {
        const struct hf_attribute *attribute = &attributes->items[i];
        if (!attribute->changed && run.size != 0 && attribute->whole.data == run.data + run.size) {
            run.size += attribute->whole.size;
            continue;
        }
        hf_wire_put_raw(writer, run);
        run = attribute->changed ? HF_EMPTY_SLICE : attribute->whole;
        if (attribute->changed) {
            write_changed(attribute, number, writer);
        }
    }
    hf_wire_put_raw(writer, run);
}

bool hf_attribute_of(struct hf_slice owner, uint32_t number, struct hf_slice key,
                     struct hf_slice *ret_value)
{
    struct hf_wire wire = hf_wire_of(owner);
    struct hf_wire_field field;
    struct hf_slice found, value;
    while (!hf_wire_at_end(wire) && hf_wire_step(&wire, &field)) {
        if (field.number == number && field.wire == HF_WIRE_BYTES &&
            hf_attribute_read(field.bytes, &found, &value) && hf_slice_equal(found, key)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

enum hf_attribute_found hf_attribute_peek(struct hf_slice owner, uint32_t number,
                                          struct hf_slice key, struct hf_slice *ret_value)
{
    struct hf_wire wire = hf_wire_of(owner);
    struct hf_wire_field field;
    struct hf_slice found, value;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_step(&wire, &field)) {
            return HF_ATTRIBUTE_UNKNOWN;
        }
        if (field.number != number) {
            continue;
        }
        if (!read_plain_pair(field.bytes, &found, &value)) {
            return HF_ATTRIBUTE_UNKNOWN;
        }
        if (hf_slice_equal(found, key)) {
            *ret_value = value;
            return HF_ATTRIBUTE_THERE;
        }
    }
    return HF_ATTRIBUTE_ABSENT;
}
