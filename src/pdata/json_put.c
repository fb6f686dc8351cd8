/*
 * json_put: writes the values that the JSON parser found as protobuf, and reports errors with their
 * path.
 */
#include "json_parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "json_value.h"
#include "utf8.h"
#include "util/hex.h"
#include "wire.h"

/* What one value writes besides its text; the limit is passed by no more than this before it is
 * noticed. */
#define OVERHEAD_MAX 32u

/* ---- errors ---- */

void hf_json_say(struct hf_json_sentence *sentence, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t left = HF_JSON_ERROR_MAX - sentence->size;
    int size = vsnprintf(sentence->text + sentence->size, left, format, arguments);
    va_end(arguments);
    if (size > 0) {
        sentence->size += (size_t)size < left ? (size_t)size : left - 1;
    }
}

#define PATH_MAX_SHOWN 150u /* leaves room for what is wrong there */

void hf_json_say_path(struct hf_json_sentence *sentence, const struct hf_json_parser *parser)
{
    for (size_t i = 0; i < parser->depth && parser->frames[i].field != NULL; i++) {
        const struct hf_json_frame *frame = &parser->frames[i];
        if (sentence->size > PATH_MAX_SHOWN) {
            hf_json_say(sentence, "...");
            break;
        }
        hf_json_say(sentence, "%s%s", i == 0 ? "" : ".", frame->field->json);
        if (frame->in_list) {
            hf_json_say(sentence, "[%u]", frame->element);
        }
    }
    if (sentence->size > 0) {
        hf_json_say(sentence, ": ");
    }
}

/* Returns what a callback returns to end the parse. */
int hf_json_fail(struct hf_json_parser *parser, enum hf_status status, const char *what)
{
    if (parser->status == HF_OK) {
        struct hf_json_sentence sentence = {.text = parser->reterr};
        hf_json_say_path(&sentence, parser);
        hf_json_say(&sentence, "%s (byte %zu)", what, yajl_get_bytes_consumed(parser->yajl));
        parser->status = status;
    }
    return 0;
}

static const char *const expected[] = {
    [HF_SCHEMA_NONE] = "expected nothing",
    [HF_SCHEMA_BOOL] = "expected true or false",
    [HF_SCHEMA_INT32] = "expected a whole number of 32 bits",
    [HF_SCHEMA_INT64] = "expected a whole number of 64 bits, or one as text",
    [HF_SCHEMA_UINT32] = "expected a whole number of 32 bits, not negative",
    [HF_SCHEMA_UINT64] = "expected a whole number of 64 bits, not negative, or one as text",
    [HF_SCHEMA_SINT32] = "expected a whole number of 32 bits",
    [HF_SCHEMA_ENUM] = "expected a number or name of the enumeration",
    [HF_SCHEMA_FIXED32] = "expected a whole number of 32 bits, not negative",
    [HF_SCHEMA_FIXED64] = "expected a whole number of 64 bits, not negative, or one as text",
    [HF_SCHEMA_SFIXED64] = "expected a whole number of 64 bits, or one as text",
    [HF_SCHEMA_DOUBLE] = "expected a number, \"NaN\", \"Infinity\" or \"-Infinity\"",
    [HF_SCHEMA_STRING] = "expected text",
    [HF_SCHEMA_BYTES] = "expected base64 text",
    [HF_SCHEMA_ID] = "expected an id in hexadecimal digits",
    [HF_SCHEMA_MESSAGE] = "expected an object",
};

int hf_json_fail_expected(struct hf_json_parser *parser, const struct hf_schema_field *field)
{
    return hf_json_fail(parser, HF_INVALID, expected[field->type]);
}

/* ---- output ---- */

static bool reserve(struct hf_json_parser *parser, size_t more)
{
    size_t used = parser->out->size - parser->base;
    if (used > parser->limit ||
        (more > OVERHEAD_MAX && more - OVERHEAD_MAX > parser->limit - used)) {
        hf_json_fail(parser, HF_TOO_LARGE, "larger than the limit when decoded");
        return false;
    }
    enum hf_status status = hf_bytes_reserve(parser->out, parser->out->size + more);
    if (status != HF_OK) {
        hf_json_fail(parser, status, "out of memory");
    }
    return status == HF_OK;
}

/* Messages deeper than the first have lengths of the second, so that closing them moves nothing. */
#define CANONICAL_DEPTH 64u
#define PADDED_BYTES 5u

static size_t write_varint(uint8_t *room, uint64_t value)
{
    size_t size = 0;
    for (; value >= 0x80; value >>= 7) {
        room[size++] = (uint8_t)(value | 0x80);
    }
    room[size++] = (uint8_t)value;
    return size;
}

/* Into room that was reserved. */
static void put_varint(struct hf_json_parser *parser, uint64_t value)
{
    parser->out->size += write_varint(parser->out->data + parser->out->size, value);
}

static void put_little_endian(struct hf_json_parser *parser, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        parser->out->data[parser->out->size++] = (uint8_t)(value >> (8 * i));
    }
}

static void put_tag(struct hf_json_parser *parser, const struct hf_schema_field *field,
                    enum hf_schema_wire wire)
{
    put_varint(parser, field->number << 3 | (uint32_t)wire);
}

int hf_json_open_length(struct hf_json_parser *parser, const struct hf_schema_field *field,
                        size_t *ret_at)
{
    if (!reserve(parser, HF_WIRE_VARINT_MAX + 1)) {
        return 0;
    }
    put_tag(parser, field, HF_WIRE_BYTES);
    *ret_at = parser->out->size;
    if (parser->depth > CANONICAL_DEPTH) {
        memset(parser->out->data + parser->out->size, 0x80, PADDED_BYTES);
        parser->out->size += PADDED_BYTES;
    } else {
        parser->out->data[parser->out->size++] = 0; /* the byte kept for it */
    }
    return 1;
}

void hf_json_drop_length(struct hf_json_parser *parser, const struct hf_schema_field *field,
                         size_t at)
{
    parser->out->size = at - hf_wire_varint_size(field->number << 3);
}

/* A length with bits of zero above it, which every decoder takes. */
static void write_padded(uint8_t *room, uint64_t value)
{
    for (size_t i = 0; i < PADDED_BYTES; i++, value >>= 7) {
        room[i] = (uint8_t)((value & 0x7f) | (i + 1 < PADDED_BYTES ? 0x80 : 0));
    }
}

/*
 * Ends it. A longer length moves the content up. A byte moves at most CANONICAL_DEPTH times, at the
 * speed of memory, which is little beside the parsing; and down to there the result is canonical.
 */
int hf_json_close_length(struct hf_json_parser *parser, size_t at)
{
    struct hf_bytes *out = parser->out;
    if (out->data[at] != 0) {
        write_padded(out->data + at, out->size - at - PADDED_BYTES);
        return 1;
    }
    size_t size = out->size - at - 1;
    size_t extra = hf_wire_varint_size(size) - 1;
    if (extra > 0) {
        if (!reserve(parser, extra)) {
            return 0;
        }
        memmove(out->data + at + 1 + extra, out->data + at + 1, size);
        out->size += extra;
    }
    write_varint(out->data + at, size);
    return 1;
}

/* ---- single values ---- */

/* May a zero value be left out? Not where its presence means something, and not after another value
 * of the same key, which it replaces. */
static bool is_implied(const struct hf_json_frame *frame, const struct hf_schema_field *field)
{
    return field->oneof == 0 && !field->optional && !frame->in_list &&
           (frame->written & 1u << field->number) == 0;
}

int hf_json_put_scalar(struct hf_json_parser *parser, const struct hf_schema_field *field,
                       uint64_t bits)
{
    struct hf_json_frame *frame = hf_json_top(parser);
    if (bits == 0 && is_implied(frame, field)) {
        return 1;
    }
    if (!reserve(parser, 2 * HF_WIRE_VARINT_MAX)) {
        return 0;
    }
    enum hf_schema_wire wire = hf_schema_wire(field->type);
    if (!frame->in_list) { /* numbers in a list are packed: one tag was written for all */
        put_tag(parser, field, wire);
    }
    if (wire == HF_WIRE_VARINT) {
        put_varint(parser, bits);
    } else {
        put_little_endian(parser, bits, wire == HF_WIRE_64 ? 8 : 4);
    }
    frame->written |= 1u << field->number;
    return 1;
}

static bool read_enum(struct hf_slice text, const struct hf_schema_enum *values, int64_t *ret_value)
{
    for (const struct hf_schema_enum_value *value = values->values; value->name != NULL; value++) {
        if (hf_slice_is(text, value->name)) {
            *ret_value = value->number;
            return true;
        }
    }
    return false;
}

static bool read_signed(struct hf_slice text, const struct hf_schema_field *field,
                        uint64_t *ret_bits)
{
    int64_t value = 0;
    if (!hf_json_read_i64(text, &value) &&
        (field->type != HF_SCHEMA_ENUM || !read_enum(text, field->values, &value))) {
        return false;
    }
    bool is_wide = field->type == HF_SCHEMA_INT64 || field->type == HF_SCHEMA_SFIXED64;
    if (!is_wide && (value < INT32_MIN || value > INT32_MAX)) {
        return false;
    }
    *ret_bits = (uint64_t)value;
    if (field->type == HF_SCHEMA_SINT32) { /* zigzag: small negative numbers stay short */
        *ret_bits = (uint32_t)value << 1 ^ (uint32_t)(value >> 31);
    }
    return true;
}

/* The bits that go on the wire for a number, written as a number or as text. */
static bool read_number(struct hf_slice text, const struct hf_schema_field *field, bool quoted,
                        uint64_t *ret_bits)
{
    switch (field->type) {
    case HF_SCHEMA_INT32:
    case HF_SCHEMA_INT64:
    case HF_SCHEMA_SFIXED64:
    case HF_SCHEMA_SINT32:
    case HF_SCHEMA_ENUM:
        return read_signed(text, field, ret_bits);
    case HF_SCHEMA_UINT32:
    case HF_SCHEMA_FIXED32:
        return hf_json_read_u64(text, ret_bits) && *ret_bits <= UINT32_MAX;
    case HF_SCHEMA_UINT64:
    case HF_SCHEMA_FIXED64:
        return hf_json_read_u64(text, ret_bits);
    case HF_SCHEMA_DOUBLE: {
        double value = 0;
        if (!hf_json_read_double(text, quoted, &value)) {
            return false;
        }
        memcpy(ret_bits, &value, sizeof(value));
        return true;
    }
    default:
        return false;
    }
}

int hf_json_put_number(struct hf_json_parser *parser, const struct hf_schema_field *field,
                       struct hf_slice text, bool quoted)
{
    uint64_t bits = 0;
    if (!read_number(text, field, quoted, &bits)) {
        return hf_json_fail_expected(parser, field);
    }
    return hf_json_put_scalar(parser, field, bits);
}

int hf_json_put_text(struct hf_json_parser *parser, const struct hf_schema_field *field,
                     struct hf_slice text)
{
    struct hf_json_frame *frame = hf_json_top(parser);
    if (text.size == 0 && is_implied(frame, field)) {
        return 1;
    }
    /* yajl checks the form of a sequence, not for overlong ones, surrogates and the like. */
    if (!parser->any_text && !hf_utf8_is_ascii(text) && !hf_utf8_is_valid(text)) {
        return hf_json_fail(parser, HF_INVALID, "text that is not UTF-8");
    }
    if (!reserve(parser, 2 * HF_WIRE_VARINT_MAX + text.size)) {
        return 0;
    }
    put_tag(parser, field, HF_WIRE_BYTES);
    put_varint(parser, text.size);
    if (text.size > 0) {
        memcpy(parser->out->data + parser->out->size, text.data, text.size);
        parser->out->size += text.size;
    }
    frame->written |= 1u << field->number;
    return 1;
}

int hf_json_put_base64(struct hf_json_parser *parser, const struct hf_schema_field *field,
                       struct hf_slice text)
{
    size_t at = 0;
    size_t size = 0;
    if (text.size == 0 && is_implied(hf_json_top(parser), field)) {
        return 1;
    }
    if (!hf_json_open_length(parser, field, &at) ||
        !reserve(parser, HF_JSON_BASE64_ROOM(text.size))) {
        return 0;
    }
    if (!hf_json_read_base64(text, parser->out->data + parser->out->size, &size)) {
        return hf_json_fail_expected(parser, field);
    }
    parser->out->size += size;
    hf_json_top(parser)->written |= 1u << field->number;
    return hf_json_close_length(parser, at);
}

int hf_json_put_id(struct hf_json_parser *parser, const struct hf_schema_field *field,
                   struct hf_slice text)
{
    if (text.size == 0) {
        return 1; /* how absence is written */
    }
    if (text.size != 2 * (size_t)field->id_size) {
        return hf_json_fail(parser, HF_INVALID,
                            field->id_size == 16 ? "expected 32 hexadecimal digits"
                                                 : "expected 16 hexadecimal digits");
    }
    if (!reserve(parser, HF_WIRE_VARINT_MAX + field->id_size)) {
        return 0;
    }
    put_tag(parser, field, HF_WIRE_BYTES);
    put_varint(parser, field->id_size);
    if (!hf_hex_read(text, parser->out->data + parser->out->size)) {
        return hf_json_fail_expected(parser, field);
    }
    parser->out->size += field->id_size;
    return 1;
}
