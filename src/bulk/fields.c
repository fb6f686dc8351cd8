#include "fields.h"

#include <stdlib.h>
#include <string.h>

#include "pair.h"
#include "pdata/any.h"
#include "pdata/wire_find.h"
#include "times.h"
#include "walk.h"

static void add(struct hf_bulk_fields *fields, struct hf_bulk_field field)
{
    if (fields->count == fields->capacity) {
        size_t capacity = fields->capacity != 0 ? 2 * fields->capacity : 64;
        struct hf_bulk_field *items = reallocarray(fields->items, capacity, sizeof(*items));
        if (items == NULL) {
            fields->failed = true;
            return;
        }
        fields->items = items;
        fields->capacity = capacity;
    }
    field.order = (uint32_t)fields->count;
    fields->items[fields->count++] = field;
}

void hf_bulk_fields_text(struct hf_bulk_fields *fields, struct hf_slice key, struct hf_slice text)
{
    if (text.size != 0) {
        add(fields, (struct hf_bulk_field){.key = key, .kind = HF_BULK_FIELD_TEXT, .bytes = text});
    }
}

void hf_bulk_fields_id(struct hf_bulk_fields *fields, const char *key, struct hf_slice id)
{
    if (hf_bulk_has_id(id)) {
        add(fields, (struct hf_bulk_field){
                        .key = hf_slice_text(key), .kind = HF_BULK_FIELD_HEX, .bytes = id});
    }
}

void hf_bulk_fields_int(struct hf_bulk_fields *fields, const char *key, int64_t value)
{
    add(fields, (struct hf_bulk_field){
                    .key = hf_slice_text(key), .kind = HF_BULK_FIELD_INT, .integer = value});
}

void hf_bulk_fields_time(struct hf_bulk_fields *fields, struct hf_slice key, uint64_t time_ns)
{
    add(fields, (struct hf_bulk_field){
                    .key = key, .kind = HF_BULK_FIELD_TIME, .integer = (int64_t)time_ns});
}

void hf_bulk_fields_made(struct hf_bulk_fields *fields, struct hf_slice key, struct hf_slice json)
{
    add(fields, (struct hf_bulk_field){.key = key, .kind = HF_BULK_FIELD_MADE, .bytes = json});
}

struct hf_slice hf_bulk_fields_join(struct hf_bulk_fields *fields, struct hf_slice prefix,
                                    struct hf_slice key)
{
    if (prefix.size == 0) {
        return key;
    }
    size_t size = prefix.size + 1 + key.size;
    uint8_t *joined = hf_arena_take(fields->arena, size);
    if (joined == NULL) {
        fields->failed = true;
        return key;
    }
    memcpy(joined, prefix.data, prefix.size);
    joined[prefix.size] = '.';
    if (key.size != 0) {
        memcpy(joined + prefix.size + 1, key.data, key.size);
    }
    return hf_slice_of(joined, size);
}

static void add_pair(struct hf_bulk_fields *fields, struct hf_slice prefix, struct hf_slice pair)
{
    struct hf_slice key, value;
    if (hf_bulk_pair_read(pair, &key, &value)) {
        hf_bulk_fields_any(fields, hf_bulk_fields_join(fields, prefix, key), value);
    }
}

void hf_bulk_fields_any(struct hf_bulk_fields *fields, struct hf_slice key, struct hf_slice value)
{
    struct hf_any any = hf_any_read(value);
    struct hf_slice pair;
    if (any.type == HF_ANY_MAP) {
        struct hf_wire wire = hf_wire_of(any.bytes);
        while (hf_wire_each(&wire, 1, &pair)) {
            add_pair(fields, key, pair);
        }
    } else if (any.type != HF_ANY_EMPTY && !(any.type == HF_ANY_ARRAY && any.bytes.size == 0)) {
        add(fields, (struct hf_bulk_field){.key = key, .kind = HF_BULK_FIELD_ANY, .bytes = value});
    }
}

void hf_bulk_fields_attributes(struct hf_bulk_fields *fields, struct hf_slice prefix,
                               struct hf_slice owner, uint32_t number)
{
    struct hf_wire wire = hf_wire_of(owner);
    struct hf_slice pair;
    while (hf_wire_each(&wire, number, &pair)) {
        add_pair(fields, prefix, pair);
    }
}

void hf_bulk_fields_copy(struct hf_bulk_fields *fields, const struct hf_bulk_fields *from)
{
    fields->count = 0;
    fields->failed = from->failed;
    for (size_t i = 0; i < from->count; i++) {
        add(fields, from->items[i]);
    }
}

/* ---- names ---- */

static int compare(const void *left, const void *right)
{
    const struct hf_bulk_field *a = left, *b = right;
    int order = hf_slice_compare(a->key, b->key);
    return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

static void sort(struct hf_bulk_fields *fields)
{
    if (fields->count > 1) {
        qsort(fields->items, fields->count, sizeof(*fields->items), compare);
    }
}

static bool is_beginning(struct hf_slice key, struct hf_slice of)
{
    return key.size < of.size && of.data[key.size] == '.' &&
           (key.size == 0 || memcmp(key.data, of.data, key.size) == 0);
}

static void resolve(struct hf_bulk_fields *fields)
{
    bool is_renamed = false;
    sort(fields);
    for (size_t i = 0; i + 1 < fields->count; i++) {
        if (is_beginning(fields->items[i].key, fields->items[i + 1].key)) {
            fields->items[i].key =
                hf_bulk_fields_join(fields, fields->items[i].key, hf_slice_text("value"));
            is_renamed = true;
        }
    }
    if (is_renamed) {
        sort(fields);
    }
    for (size_t i = 0; i + 1 < fields->count; i++) {
        if (hf_slice_equal(fields->items[i].key, fields->items[i + 1].key)) {
            fields->items[i].kind = HF_BULK_FIELD_NONE;
        }
    }
}

/* ---- values ---- */

static void write_any(struct hf_bulk_fields *fields, struct hf_slice value,
                      struct hf_json_writer *writer);

/* A map within a list is a document of its own. */
static void write_map(struct hf_bulk_fields *fields, struct hf_slice value,
                      struct hf_json_writer *writer)
{
    struct hf_bulk_fields inner = {.arena = fields->arena};
    hf_bulk_fields_any(&inner, HF_EMPTY_SLICE, value);
    if (inner.count == 0) {
        hf_json_write_null(writer);
    } else {
        hf_bulk_fields_write(&inner, true, writer);
    }
    fields->failed |= inner.failed;
    hf_bulk_fields_release(&inner);
}

static void write_list(struct hf_bulk_fields *fields, struct hf_slice list,
                       struct hf_json_writer *writer)
{
    struct hf_wire wire = hf_wire_of(list);
    struct hf_slice element;
    hf_json_write_open(writer, '[');
    while (hf_wire_each(&wire, 1, &element)) {
        write_any(fields, element, writer);
    }
    hf_json_write_close(writer, ']');
}

static void write_any(struct hf_bulk_fields *fields, struct hf_slice value,
                      struct hf_json_writer *writer)
{
    static const struct hf_json_any_style style = {.bytes_as_hex = true};
    struct hf_any any = hf_any_read(value);
    if (any.type == HF_ANY_ARRAY) {
        write_list(fields, any.bytes, writer);
    } else if (any.type == HF_ANY_MAP) {
        write_map(fields, value, writer);
    } else {
        hf_json_write_any(writer, value, &style);
    }
}

static void write_value(struct hf_bulk_fields *fields, const struct hf_bulk_field *field,
                        struct hf_json_writer *writer)
{
    char room[HF_BULK_TIME_MAX];
    switch (field->kind) {
    case HF_BULK_FIELD_TEXT:
        hf_json_write_text(writer, field->bytes);
        break;
    case HF_BULK_FIELD_HEX:
        hf_json_write_hex(writer, field->bytes);
        break;
    case HF_BULK_FIELD_INT:
        hf_json_write_i64(writer, field->integer);
        break;
    case HF_BULK_FIELD_TIME:
        hf_json_write_text(
            writer, hf_slice_of(room, hf_bulk_time_print((uint64_t)field->integer, false, room)));
        break;
    case HF_BULK_FIELD_MADE:
        hf_json_write_made(writer, field->bytes);
        break;
    default:
        write_any(fields, field->bytes, writer);
        break;
    }
}

/* ---- objects of dots ---- */

static size_t path_size(struct hf_slice key)
{
    size_t size = key.size;
    while (size > 0 && key.data[size - 1] != '.') {
        size--;
    }
    return size;
}

/* The whole names, dots and all, at the beginning of both. */
static size_t common_path(struct hf_slice a, struct hf_slice b)
{
    size_t whole = 0;
    for (size_t i = 0; i < a.size && i < b.size && a.data[i] == b.data[i]; i++) {
        whole = a.data[i] == '.' ? i + 1 : whole;
    }
    return whole;
}

/* From the objects of `from` into those of `to`; both end with a dot, or are empty. */
static void change_path(struct hf_slice from, struct hf_slice to, struct hf_json_writer *writer)
{
    size_t common = common_path(from, to);
    for (size_t i = common; i < from.size; i++) {
        if (from.data[i] == '.') {
            hf_json_write_close(writer, '}');
        }
    }
    size_t start = common;
    for (size_t i = common; i < to.size; i++) {
        if (to.data[i] == '.') {
            hf_json_write_key(writer, hf_slice_of(to.data + start, i - start));
            hf_json_write_open(writer, '{');
            start = i + 1;
        }
    }
}

void hf_bulk_fields_write(struct hf_bulk_fields *fields, bool dots_are_objects,
                          struct hf_json_writer *writer)
{
    struct hf_slice path = HF_EMPTY_SLICE;
    resolve(fields);
    hf_json_write_open(writer, '{');
    for (size_t i = 0; i < fields->count; i++) {
        const struct hf_bulk_field *field = &fields->items[i];
        struct hf_slice name = field->key;
        if (field->kind == HF_BULK_FIELD_NONE) {
            continue;
        }
        if (dots_are_objects) {
            struct hf_slice own = hf_slice_of(name.data, path_size(name));
            change_path(path, own, writer);
            path = own;
            name = hf_slice_of(name.data + own.size, name.size - own.size);
        }
        hf_json_write_key(writer, name);
        write_value(fields, field, writer);
    }
    change_path(path, HF_EMPTY_SLICE, writer);
    hf_json_write_close(writer, '}');
    writer->failed |= fields->failed;
}

void hf_bulk_fields_release(struct hf_bulk_fields *fields)
{
    free(fields->items);
    fields->items = NULL;
    fields->count = fields->capacity = 0;
}
