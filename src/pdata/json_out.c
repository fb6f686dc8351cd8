/*
 * json_out: writes an Export request as OTLP/JSON.
 */
#include "json.h"

#include <assert.h>
#include <string.h>

#include "json_value.h"
#include "scan.h"
#include "schema.h"
#include "utf8.h"
#include "util/hex.h"
#include "wire.h"

/* What copies of messages that came in parts may take at a time: much more than any writer needs,
 * which would have to cut messages within cut messages many times over. */
#define COPIES_BYTES_MAX ((size_t)64 << 20)
#define COPIES_PER_REQUEST 4

/* Where a field's values lie in its message, from a first look at the framing: JSON wants all
 * values of a list together and one value of everything else, while the wire may have them in any
 * order and number. */
struct found {
    const uint8_t *first; /* start of the first value's tag */
    const uint8_t *last;  /* start of the last value's tag */
    const uint8_t *end;   /* behind the last value */
    uint32_t count;
};

struct value {
    uint32_t number;
    uint32_t wire;
    uint64_t bits;         /* unless BYTES */
    struct hf_slice bytes; /* BYTES */
};

static bool read_value(struct hf_wire *wire, struct value *ret_value)
{
    uint64_t tag = 0;
    struct value value = {0};
    if (!hf_wire_varint(wire, &tag) || tag >> 3 == 0 || tag >> 3 > HF_WIRE_NUMBER_MAX) {
        return false;
    }
    value.number = (uint32_t)(tag >> 3);
    value.wire = tag & 7;
    bool ok = false;
    switch (value.wire) {
    case HF_WIRE_VARINT:
        ok = hf_wire_varint(wire, &value.bits);
        break;
    case HF_WIRE_BYTES:
        ok = hf_wire_bytes(wire, &value.bytes);
        break;
    case HF_WIRE_64:
    case HF_WIRE_32:
        ok = hf_wire_take(wire, value.wire == HF_WIRE_64 ? 8 : 4, &value.bytes);
        for (size_t i = 0; ok && i < value.bytes.size; i++) {
            value.bits |= (uint64_t)value.bytes.data[i] << (8 * i);
        }
        break;
    default:
        break;
    }
    *ret_value = value;
    return ok;
}

/* ---- text ---- */

static HF_MUST_USE enum hf_status reserve(struct hf_bytes *out, size_t more)
{
    return hf_bytes_reserve(out, out->size + more);
}

/* Into room that was reserved. */
static void put(struct hf_bytes *out, const void *text, size_t size)
{
    memcpy(out->data + out->size, text, size);
    out->size += size;
}

static void put_char(struct hf_bytes *out, char text)
{
    out->data[out->size++] = (uint8_t)text;
}

#define ESCAPED_MAX 6u /* \u0000 */

static void put_escaped(struct hf_bytes *out, uint8_t byte)
{
    static const char short_forms[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *form = byte == 0 ? NULL : strchr(short_forms, byte);
    put_char(out, '\\');
    if (form != NULL) {
        put_char(out, letters[form - short_forms]);
        return;
    }
    put(out, "u00", 3);
    out->size += hf_hex_write(hf_slice_of(&byte, 1), (char *)out->data + out->size);
}

/* Text that is UTF-8, escaped, into room that was reserved. */
static void put_valid(struct hf_bytes *out, struct hf_slice text)
{
    while (text.size > 0) {
        size_t run = hf_json_plain_run(text);
        put(out, text.data, run);
        if (run < text.size) {
            put_escaped(out, text.data[run]);
            run++;
        }
        text = hf_slice_of(text.data + run, text.size - run);
    }
}

/* A scan refuses text that is not UTF-8; without a scan the JSON is valid too, with U+FFFD in it.
 */
static void put_repaired(struct hf_bytes *out, struct hf_slice text)
{
    while (text.size > 0) {
        size_t size = 1;
        while (size < 4 && size < text.size && !hf_utf8_is_valid(hf_slice_of(text.data, size))) {
            size++;
        }
        struct hf_slice front = hf_slice_of(text.data, size);
        if (hf_utf8_is_valid(front)) {
            put_valid(out, front);
        } else {
            put(out, "\\ufffd", 6);
            size = 1;
        }
        text = hf_slice_of(text.data + size, text.size - size);
    }
}

static HF_MUST_USE enum hf_status put_string(struct hf_bytes *out, struct hf_slice text)
{
    if (text.size > SIZE_MAX / 8) {
        return HF_NOMEM;
    }
    /* Most text has nothing to escape: ask for little, and for the worst only then. */
    enum hf_status status = reserve(out, text.size + 2);
    if (status != HF_OK) {
        return status;
    }
    bool valid = hf_utf8_is_ascii(text) || hf_utf8_is_valid(text);
    if (!valid || hf_json_plain_run(text) < text.size) {
        status = reserve(out, text.size * ESCAPED_MAX + 2);
        if (status != HF_OK) {
            return status;
        }
    }
    put_char(out, '"');
    if (valid) {
        put_valid(out, text);
    } else {
        put_repaired(out, text);
    }
    put_char(out, '"');
    return HF_OK;
}

static HF_MUST_USE enum hf_status put_coded(struct hf_bytes *out, struct hf_slice bytes, bool hex)
{
    if (bytes.size > SIZE_MAX / 8) {
        return HF_NOMEM;
    }
    enum hf_status status = reserve(out, 2 * bytes.size + 8);
    if (status != HF_OK) {
        return status;
    }
    put_char(out, '"');
    char *room = (char *)out->data + out->size;
    out->size += hex ? hf_hex_write(bytes, room) : hf_json_print_base64(bytes, room);
    put_char(out, '"');
    return HF_OK;
}

/* ---- values ---- */

static HF_MUST_USE enum hf_status put_number(struct hf_bytes *out, enum hf_schema_type type,
                                             uint64_t bits)
{
    enum hf_status status = reserve(out, HF_JSON_DIGITS_MAX + 2);
    if (status != HF_OK) {
        return status;
    }
    char *room = (char *)out->data + out->size;
    switch (type) {
    case HF_SCHEMA_BOOL:
        put(out, bits != 0 ? "true" : "false", bits != 0 ? 4 : 5);
        break;
    case HF_SCHEMA_INT32:
    case HF_SCHEMA_ENUM:
        out->size += hf_json_print_i64((int32_t)(uint32_t)bits, room);
        break;
    case HF_SCHEMA_SINT32:
        out->size +=
            hf_json_print_i64((int32_t)((uint32_t)bits >> 1 ^ (0 - ((uint32_t)bits & 1))), room);
        break;
    case HF_SCHEMA_UINT32:
    case HF_SCHEMA_FIXED32:
        out->size += hf_json_print_u64((uint32_t)bits, room);
        break;
    case HF_SCHEMA_INT64:
    case HF_SCHEMA_SFIXED64:
        put_char(out, '"');
        out->size += hf_json_print_i64((int64_t)bits, room + 1);
        put_char(out, '"');
        break;
    case HF_SCHEMA_UINT64:
    case HF_SCHEMA_FIXED64:
        put_char(out, '"');
        out->size += hf_json_print_u64(bits, room + 1);
        put_char(out, '"');
        break;
    default: {
        assert(type == HF_SCHEMA_DOUBLE);
        double value;
        memcpy(&value, &bits, sizeof(value));
        out->size += hf_json_print_double(value, room);
        break;
    }
    }
    return HF_OK;
}

/* Where in the request the work is. Copies of messages that came in parts are kept as long as what
 * is within them is written: `copies` is how many bytes all of them together may still get. */
struct level {
    unsigned depth;
    size_t copies;
};

static inline struct level below(struct level level)
{
    level.depth++;
    return level;
}

static HF_MUST_USE enum hf_status put_message(struct hf_bytes *out,
                                              const struct hf_schema_message *message,
                                              struct hf_slice bytes, struct level level);

static HF_MUST_USE enum hf_status put_value(struct hf_bytes *out,
                                            const struct hf_schema_field *field,
                                            const struct value *value, struct level level)
{
    if (value->wire != (uint32_t)hf_schema_wire(field->type)) {
        return HF_INVALID;
    }
    switch (field->type) {
    case HF_SCHEMA_STRING:
        return put_string(out, value->bytes);
    case HF_SCHEMA_BYTES:
    case HF_SCHEMA_ID:
        return put_coded(out, value->bytes, field->type == HF_SCHEMA_ID);
    case HF_SCHEMA_MESSAGE:
        return put_message(out, field->message, value->bytes, below(level));
    default:
        return put_number(out, field->type, value->bits);
    }
}

static HF_MUST_USE enum hf_status put_comma(struct hf_bytes *out, bool wanted)
{
    enum hf_status status = reserve(out, 1);
    if (status == HF_OK && wanted) {
        put_char(out, ',');
    }
    return status;
}

/* Numbers of a list that share one tag. */
static HF_MUST_USE enum hf_status put_packed(struct hf_bytes *out,
                                             const struct hf_schema_field *field,
                                             struct hf_slice bytes, bool *first)
{
    enum hf_schema_wire kind = hf_schema_wire(field->type);
    struct hf_wire wire = hf_wire_of(bytes);
    while (!hf_wire_at_end(wire)) {
        uint64_t bits = 0;
        struct hf_slice fixed = HF_EMPTY_SLICE;
        if (kind == HF_WIRE_VARINT ? !hf_wire_varint(&wire, &bits)
                                   : !hf_wire_take(&wire, kind == HF_WIRE_64 ? 8 : 4, &fixed)) {
            return HF_INVALID;
        }
        for (size_t i = 0; i < fixed.size; i++) {
            bits |= (uint64_t)fixed.data[i] << (8 * i);
        }
        enum hf_status status = put_comma(out, !*first);
        if (status == HF_OK) {
            status = put_number(out, field->type, bits);
        }
        if (status != HF_OK) {
            return status;
        }
        *first = false;
    }
    return HF_OK;
}

/* All values of the field, skipping those of others in between. */
static HF_MUST_USE enum hf_status put_list(struct hf_bytes *out,
                                           const struct hf_schema_field *field,
                                           const struct found *found, struct level level)
{
    enum hf_status status = reserve(out, 1);
    if (status != HF_OK) {
        return status;
    }
    put_char(out, '[');
    struct hf_wire wire = {found->first, found->end};
    for (bool first = true; status == HF_OK && !hf_wire_at_end(wire);) {
        struct value value;
        if (!read_value(&wire, &value)) {
            return HF_INVALID;
        }
        if (value.number != field->number) {
            continue;
        }
        if (value.wire == HF_WIRE_BYTES && hf_schema_is_scalar(field->type)) {
            status = put_packed(out, field, value.bytes, &first);
            continue;
        }
        status = put_comma(out, !first);
        if (status == HF_OK) {
            status = put_value(out, field, &value, level);
        }
        first = false;
    }
    if (status == HF_OK) {
        status = reserve(out, 1);
    }
    if (status == HF_OK) {
        put_char(out, ']');
    }
    return status;
}

/* A message that came in several parts is their concatenation. Rare: writers write one. */
static HF_MUST_USE enum hf_status put_merged(struct hf_bytes *out,
                                             const struct hf_schema_field *field,
                                             const struct found *found, struct level level)
{
    struct hf_bytes whole = {0};
    struct hf_wire wire = {found->first, found->end};
    enum hf_status status = HF_OK;
    while (status == HF_OK && !hf_wire_at_end(wire)) {
        struct value value;
        if (!read_value(&wire, &value)) {
            status = HF_INVALID;
        } else if (value.number == field->number) {
            bool good =
                value.wire == HF_WIRE_BYTES && value.bytes.size <= level.copies - whole.size;
            status = good ? hf_bytes_append(&whole, value.bytes) : HF_INVALID;
        }
    }
    if (status == HF_OK) {
        level.copies -= whole.size;
        status =
            put_message(out, field->message, hf_slice_of(whole.data, whole.size), below(level));
    }
    hf_bytes_release(&whole);
    return status;
}

/* ---- messages ---- */

struct layout {
    uint32_t present; /* a bit for each field number that has a value */
    struct found found[HF_SCHEMA_NUMBER_MAX + 1];
};

/* The members of one choice exclude each other: the last one on the wire counts. */
static void forget_others(const struct hf_schema_message *message, uint32_t number,
                          struct layout *layout)
{
    for (uint32_t other = 1; other <= HF_SCHEMA_NUMBER_MAX; other++) {
        if (other != number && message->fields[other].oneof == message->fields[number].oneof) {
            layout->present &= ~(1u << other);
        }
    }
}

static HF_MUST_USE bool look(const struct hf_schema_message *message, struct hf_slice bytes,
                             struct layout *layout)
{
    struct hf_wire wire = hf_wire_of(bytes);
    layout->present = 0;
    while (!hf_wire_at_end(wire)) {
        const uint8_t *start = wire.at;
        struct value value;
        if (!read_value(&wire, &value)) {
            return false;
        }
        if (value.number > HF_SCHEMA_NUMBER_MAX ||
            message->fields[value.number].type == HF_SCHEMA_NONE) {
            continue;
        }
        uint32_t bit = 1u << value.number;
        struct found *found = &layout->found[value.number];
        if (message->fields[value.number].oneof != 0 && (layout->present & ~bit) != 0) {
            forget_others(message, value.number, layout);
        }
        if ((layout->present & bit) == 0) {
            *found = (struct found){.first = start};
        }
        layout->present |= bit;
        found->last = start;
        found->end = wire.at;
        found->count++;
    }
    return true;
}

/* Whether it is the default value, which is not written. */
static bool is_default(const struct hf_schema_field *field, const struct value *value)
{
    if (field->oneof != 0 || field->optional || field->type == HF_SCHEMA_MESSAGE) {
        return false;
    }
    return value->wire == HF_WIRE_BYTES ? value->bytes.size == 0 : value->bits == 0;
}

static void put_name(struct hf_bytes *out, const struct hf_schema_field *field, bool first)
{
    if (!first) {
        put_char(out, ',');
    }
    put_char(out, '"');
    put(out, field->json, field->json_size);
    put(out, "\":", 2);
}

/* One field with its name; nothing at all for a zero. */
static HF_MUST_USE enum hf_status put_field(struct hf_bytes *out,
                                            const struct hf_schema_field *field,
                                            const struct found *found, struct level level,
                                            bool *first)
{
    struct value value;
    struct hf_wire last = {found->last, found->end};
    if (!read_value(&last, &value)) {
        return HF_INVALID;
    }
    if (!field->repeated && is_default(field, &value)) {
        return HF_OK;
    }
    enum hf_status status = reserve(out, field->json_size + 4u);
    if (status != HF_OK) {
        return status;
    }
    put_name(out, field, *first);
    *first = false;
    if (field->repeated) {
        return put_list(out, field, found, level);
    }
    if (found->count > 1 && field->type == HF_SCHEMA_MESSAGE) {
        return put_merged(out, field, found, level);
    }
    return put_value(out, field, &value, level);
}

static enum hf_status put_message(struct hf_bytes *out, const struct hf_schema_message *message,
                                  struct hf_slice bytes, struct level level)
{
    struct layout layout;
    if (level.depth > HF_SCAN_DEPTH_MAX || !look(message, bytes, &layout)) {
        return HF_INVALID;
    }
    enum hf_status status = reserve(out, 1);
    if (status != HF_OK) {
        return status;
    }
    put_char(out, '{');
    bool first = true;
    for (uint32_t left = layout.present; status == HF_OK && left != 0; left &= left - 1) {
        uint32_t number = (uint32_t)__builtin_ctz(left);
        status = put_field(out, &message->fields[number], &layout.found[number], level, &first);
    }
    if (status == HF_OK) {
        status = reserve(out, 1);
    }
    if (status == HF_OK) {
        put_char(out, '}');
    }
    return status;
}

enum hf_status hf_json_from_proto(enum hf_signal signal, struct hf_slice raw, struct hf_bytes *out)
{
    const struct level level = {.copies = COPIES_BYTES_MAX + COPIES_PER_REQUEST * raw.size};
    size_t base = out->size;
    enum hf_status status = put_message(out, hf_schema_request(signal), raw, level);
    if (status != HF_OK) {
        out->size = base;
    }
    return status;
}
