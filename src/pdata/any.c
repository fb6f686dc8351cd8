#include "any.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attributes.h"
#include "json_value.h"
#include "scan.h"
#include "util/hex.h"
#include "wire.h"
#include "wire_find.h"

static double double_of(uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof(number));
    return number;
}

/* A text of less than 128 bytes and nothing else, as most values are. */
static bool is_short_text(struct hf_slice value)
{
    return value.size >= 2 && value.data[0] == 0x0a && value.data[1] < 0x80 &&
           value.data[1] == value.size - 2;
}

struct hf_any hf_any_read(struct hf_slice value)
{
    if (is_short_text(value)) {
        return (struct hf_any){.type = HF_ANY_STRING,
                               .bytes = hf_slice_of(value.data + 2, value.size - 2)};
    }
    struct hf_any any = {.type = HF_ANY_EMPTY};
    struct hf_wire wire = hf_wire_of(value);
    struct hf_wire_field field;
    /* Of several the last one counts. */
    while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        switch (field.number) {
        case 1:
            any = (struct hf_any){.type = HF_ANY_STRING, .bytes = field.bytes};
            break;
        case 2:
            any = (struct hf_any){.type = HF_ANY_BOOL, .integer = field.value != 0};
            break;
        case 3:
            any = (struct hf_any){.type = HF_ANY_INT, .integer = (int64_t)field.value};
            break;
        case 4:
            any = (struct hf_any){.type = HF_ANY_DOUBLE, .number = double_of(field.value)};
            break;
        case 5:
            any = (struct hf_any){.type = HF_ANY_ARRAY, .bytes = field.bytes};
            break;
        case 6:
            any = (struct hf_any){.type = HF_ANY_MAP, .bytes = field.bytes};
            break;
        case 7:
            any = (struct hf_any){.type = HF_ANY_BYTES, .bytes = field.bytes};
            break;
        default:
            break;
        }
    }
    return any;
}

static void put_text(struct hf_wire_writer *writer, const char *text)
{
    hf_wire_put_raw(writer, hf_slice_text(text));
}

static void put_base64(struct hf_wire_writer *writer, struct hf_slice bytes)
{
    /* Three bytes are four characters, so pieces of a multiple of three join up. */
    const size_t piece = 48;
    char room[64];
    for (size_t at = 0; at < bytes.size; at += piece) {
        size_t size = bytes.size - at < piece ? bytes.size - at : piece;
        size_t written = hf_json_print_base64(hf_slice_of(bytes.data + at, size), room);
        hf_wire_put_raw(writer, hf_slice_of(room, written));
    }
}

static void put_scalar(struct hf_wire_writer *writer, const struct hf_any *any)
{
    char room[HF_JSON_DIGITS_MAX];
    if (any->type == HF_ANY_BOOL) {
        put_text(writer, any->integer != 0 ? "true" : "false");
    } else if (any->type == HF_ANY_INT) {
        hf_wire_put_raw(writer, hf_slice_of(room, hf_json_print_i64(any->integer, room)));
    } else if (isfinite(any->number)) {
        hf_wire_put_raw(writer, hf_slice_of(room, hf_json_print_double(any->number, room)));
    } else {
        put_text(writer, isnan(any->number) ? "NaN" : any->number > 0 ? "Infinity" : "-Infinity");
    }
}

/* A character that JSON does not take as it is. */
static void put_escaped(struct hf_wire_writer *writer, uint8_t byte)
{
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *found = byte != 0 ? strchr(plain, byte) : NULL;
    char escaped[6] = {'\\', 'u', '0', '0'};
    if (found != NULL) {
        escaped[1] = letters[found - plain];
    } else {
        hf_hex_write(hf_slice_of(&byte, 1), &escaped[4]);
    }
    hf_wire_put_raw(writer, hf_slice_of(escaped, found != NULL ? 2 : sizeof(escaped)));
}

static void put_quoted(struct hf_wire_writer *writer, struct hf_slice text)
{
    put_text(writer, "\"");
    while (text.size > 0) {
        size_t run = hf_json_plain_run(text);
        hf_wire_put_raw(writer, hf_slice_of(text.data, run));
        if (run < text.size) {
            put_escaped(writer, text.data[run++]);
        }
        text = hf_slice_of(text.data + run, text.size - run);
    }
    put_text(writer, "\"");
}

static void put_json(struct hf_wire_writer *writer, struct hf_slice value, unsigned depth);

/* ---- lists and maps: both hold their items in field 1 ---- */

static size_t count_items(struct hf_slice items)
{
    struct hf_wire wire = hf_wire_of(items);
    struct hf_slice item;
    size_t count = 0;
    while (hf_wire_each(&wire, 1, &item)) {
        count++;
    }
    return count;
}

static void put_list(struct hf_wire_writer *writer, struct hf_slice list, unsigned depth)
{
    struct hf_wire wire = hf_wire_of(list);
    struct hf_slice item;
    for (const char *between = ""; hf_wire_each(&wire, 1, &item); between = ",") {
        put_text(writer, between);
        put_json(writer, item, depth + 1);
    }
}

struct pair {
    struct hf_slice key, value;
};

/* By key; those of one key as they stand in the message. */
static int compare_pairs(const void *a, const void *b)
{
    const struct pair *left = a;
    const struct pair *right = b;
    int order = hf_slice_compare(left->key, right->key);
    if (order != 0) {
        return order;
    }
    return left->value.data < right->value.data ? -1 : left->value.data > right->value.data;
}

/* Sorted, as the Go collector has it; of a key that is there more often, the last. */
static void put_map(struct hf_wire_writer *writer, struct hf_slice map, unsigned depth)
{
    struct hf_wire wire = hf_wire_of(map);
    struct hf_slice item;
    size_t count = count_items(map);
    struct pair *pairs = count != 0 ? calloc(count, sizeof(*pairs)) : NULL;
    writer->failed = writer->failed || (count != 0 && pairs == NULL);
    for (size_t i = 0; pairs != NULL && hf_wire_each(&wire, 1, &item); i++) {
        if (!hf_attribute_read(item, &pairs[i].key, &pairs[i].value)) {
            pairs[i] = (struct pair){HF_EMPTY_SLICE, HF_EMPTY_SLICE}; /* no scan would pass it */
        }
    }
    if (pairs != NULL) {
        qsort(pairs, count, sizeof(*pairs), compare_pairs);
    }
    const char *between = "";
    for (size_t i = 0; pairs != NULL && i < count; i++) {
        if (i + 1 < count && hf_slice_equal(pairs[i].key, pairs[i + 1].key)) {
            continue;
        }
        put_text(writer, between);
        between = ",";
        put_quoted(writer, pairs[i].key);
        put_text(writer, ":");
        put_json(writer, pairs[i].value, depth + 1);
    }
    free(pairs);
}

static void put_json(struct hf_wire_writer *writer, struct hf_slice value, unsigned depth)
{
    struct hf_any any = hf_any_read(value);
    switch (any.type) {
    case HF_ANY_EMPTY:
        put_text(writer, "null");
        break;
    case HF_ANY_STRING:
        put_quoted(writer, any.bytes);
        break;
    case HF_ANY_BYTES:
        put_text(writer, "\"");
        put_base64(writer, any.bytes);
        put_text(writer, "\"");
        break;
    case HF_ANY_ARRAY:
        put_text(writer, "[");
        if (depth < HF_SCAN_DEPTH_MAX) {
            put_list(writer, any.bytes, depth);
        }
        put_text(writer, "]");
        break;
    case HF_ANY_MAP:
        put_text(writer, "{");
        if (depth < HF_SCAN_DEPTH_MAX) {
            put_map(writer, any.bytes, depth);
        }
        put_text(writer, "}");
        break;
    default: {
        /* JSON has no such numbers; OTLP/JSON quotes them too. */
        const char *quote = any.type == HF_ANY_DOUBLE && !isfinite(any.number) ? "\"" : "";
        put_text(writer, quote);
        put_scalar(writer, &any);
        put_text(writer, quote);
        break;
    }
    }
}

enum hf_status hf_any_text(struct hf_slice value, struct hf_bytes *out)
{
    struct hf_wire_writer writer = {.out = out};
    struct hf_any any = hf_any_read(value);
    switch (any.type) {
    case HF_ANY_EMPTY:
        break;
    case HF_ANY_STRING:
        hf_wire_put_raw(&writer, any.bytes);
        break;
    case HF_ANY_BYTES:
        put_base64(&writer, any.bytes);
        break;
    case HF_ANY_ARRAY:
    case HF_ANY_MAP:
        put_json(&writer, value, 0);
        break;
    default:
        put_scalar(&writer, &any);
        break;
    }
    return hf_wire_status(&writer);
}

static bool is_same(struct hf_slice a, struct hf_slice b)
{
    struct hf_any left = hf_any_read(a);
    struct hf_any right = hf_any_read(b);
    return hf_any_equal(&left, &right);
}

static bool are_lists_equal(struct hf_slice a, struct hf_slice b)
{
    struct hf_wire left = hf_wire_of(a);
    struct hf_wire right = hf_wire_of(b);
    struct hf_slice one, other;
    while (hf_wire_each(&left, 1, &one)) {
        if (!hf_wire_each(&right, 1, &other) || !is_same(one, other)) {
            return false;
        }
    }
    return !hf_wire_each(&right, 1, &other);
}

/* Is every key of `a` in `b`, and with the same value? */
static bool is_within(struct hf_slice a, struct hf_slice b, bool compare_values)
{
    struct hf_wire wire = hf_wire_of(a);
    struct hf_slice pair, key, value, other;
    while (hf_wire_each(&wire, 1, &pair)) {
        if (!hf_attribute_read(pair, &key, &value) || !hf_attribute_of(b, 1, key, &other) ||
            (compare_values && !is_same(value, other))) {
            return false;
        }
    }
    return true;
}

bool hf_any_equal(const struct hf_any *a, const struct hf_any *b)
{
    if (a->type != b->type) {
        return false;
    }
    switch (a->type) {
    case HF_ANY_ARRAY:
        return are_lists_equal(a->bytes, b->bytes);
    case HF_ANY_MAP:
        /* Both ways: a key may stand in one of them twice. */
        return count_items(a->bytes) == count_items(b->bytes) &&
               is_within(b->bytes, a->bytes, false) && is_within(a->bytes, b->bytes, true);
    default:
        return a->integer == b->integer && a->number == b->number &&
               hf_slice_equal(a->bytes, b->bytes);
    }
}
