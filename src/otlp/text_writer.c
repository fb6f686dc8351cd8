#include "text_writer.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "json_value.h"
#include "scan.h"

#define SAY_MAX 1024 /* two doubles of 309 digits fit */

static void put_raw(struct hf_text_writer *writer, const char *text, size_t size)
{
    if (!writer->failed) {
        writer->failed = hf_bytes_append(writer->out, hf_slice_of(text, size)) != HF_OK;
    }
}

void hf_text_say(struct hf_text_writer *writer, const char *format, ...)
{
    char text[SAY_MAX];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (size > 0) {
        put_raw(writer, text, (size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1);
    }
}

static bool is_shown(uint8_t byte)
{
    return (byte >= 0x20 && byte != 0x7F) || byte == '\n' || byte == '\t';
}

void hf_text_put(struct hf_text_writer *writer, struct hf_slice text)
{
    size_t before = writer->out->size;
    put_raw(writer, (const char *)text.data, text.size);
    for (size_t i = before; !writer->failed && i < writer->out->size; i++) {
        if (!is_shown(writer->out->data[i])) {
            writer->out->data[i] = '?';
        }
    }
}

void hf_text_put_hex(struct hf_text_writer *writer, struct hf_slice bytes)
{
    char digits[64];
    /* Ids have 16 bytes at most; longer ones are wrong and shown in part. */
    size_t size = bytes.size < sizeof(digits) / 2 ? bytes.size : sizeof(digits) / 2;
    put_raw(writer, digits, hf_json_print_hex(hf_slice_of(bytes.data, size), digits));
}

void hf_text_put_time(struct hf_text_writer *writer, uint64_t unix_ns)
{
    time_t seconds = (time_t)(unix_ns / 1000000000);
    struct tm parts = {0};
    char text[64];
    size_t size = 0;
    if (gmtime_r(&seconds, &parts) != NULL) {
        size = strftime(text, 40, "%Y-%m-%d %H:%M:%S", &parts);
    }
    if (unix_ns % 1000000000 != 0) {
        size += (size_t)snprintf(text + size, sizeof(text) - size, ".%09u",
                                 (unsigned)(unix_ns % 1000000000));
        while (text[size - 1] == '0') {
            size--;
        }
    }
    put_raw(writer, text, size);
    hf_text_say(writer, " +0000 UTC");
}

void hf_text_put_double(struct hf_text_writer *writer, uint64_t bits, bool fixed)
{
    double value;
    char text[HF_JSON_DIGITS_MAX];
    memcpy(&value, &bits, sizeof(value));
    if (isnan(value)) {
        hf_text_say(writer, "NaN");
    } else if (isinf(value)) {
        hf_text_say(writer, value > 0 ? "+Inf" : "-Inf");
    } else if (fixed) {
        hf_text_say(writer, "%f", value);
    } else {
        put_raw(writer, text, hf_json_print_double(value, text));
    }
}

/* ---- reading ---- */

bool hf_text_find(struct hf_slice message, uint32_t number, struct hf_wire_field *ret_field)
{
    struct hf_wire wire = hf_wire_of(message);
    struct hf_wire_field field;
    bool found = false;
    while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        if (field.number == number) {
            *ret_field = field;
            found = true;
        }
    }
    return found;
}

struct hf_slice hf_text_bytes(struct hf_slice message, uint32_t number)
{
    struct hf_wire_field field;
    return hf_text_find(message, number, &field) && field.wire == HF_WIRE_BYTES ? field.bytes
                                                                                : HF_EMPTY_SLICE;
}

uint64_t hf_text_bits(struct hf_slice message, uint32_t number)
{
    struct hf_wire_field field;
    return hf_text_find(message, number, &field) && field.wire != HF_WIRE_BYTES ? field.value : 0;
}

bool hf_text_each(struct hf_wire *wire, uint32_t number, struct hf_slice *ret_bytes)
{
    struct hf_wire_field field;
    while (!hf_wire_at_end(*wire) && hf_wire_next(wire, &field)) {
        if (field.number == number && field.wire == HF_WIRE_BYTES) {
            *ret_bytes = field.bytes;
            return true;
        }
    }
    return false;
}

static bool next_packed(struct hf_wire *packed, enum hf_schema_wire kind, uint64_t *ret_bits)
{
    struct hf_slice bytes;
    if (kind == HF_WIRE_VARINT) {
        return hf_wire_varint(packed, ret_bits);
    }
    if (!hf_wire_take(packed, 8, &bytes)) {
        return false;
    }
    *ret_bits = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        *ret_bits |= (uint64_t)bytes.data[i] << (8 * i);
    }
    return true;
}

bool hf_text_each_number(struct hf_text_numbers *numbers, uint32_t number, enum hf_schema_wire kind,
                         uint64_t *ret_bits)
{
    struct hf_wire_field field;
    if (!hf_wire_at_end(numbers->packed)) {
        return next_packed(&numbers->packed, kind, ret_bits);
    }
    while (!hf_wire_at_end(numbers->message) && hf_wire_next(&numbers->message, &field)) {
        if (field.number == number && field.wire != HF_WIRE_BYTES) {
            *ret_bits = field.value;
            return true;
        }
        if (field.number == number && field.bytes.size > 0) {
            numbers->packed = hf_wire_of(field.bytes);
            return next_packed(&numbers->packed, kind, ret_bits);
        }
    }
    return false;
}

/* ---- values ---- */

enum value_kind { STRING = 1, BOOL, INT, DOUBLE, ARRAY, KVLIST, BYTES };

/* The member that is set; number 0 when none is. */
static struct hf_wire_field read_value(struct hf_slice value)
{
    struct hf_wire wire = hf_wire_of(value);
    struct hf_wire_field field;
    struct hf_wire_field last = {0};
    while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        if (field.number >= STRING && field.number <= BYTES) {
            last = field;
        }
    }
    return last;
}

static void put_quoted(struct hf_text_writer *writer, struct hf_slice text)
{
    put_raw(writer, "\"", 1);
    for (size_t at = 0; at < text.size;) {
        struct hf_slice rest = hf_slice_of(text.data + at, text.size - at);
        size_t run = hf_json_plain_run(rest);
        hf_text_put(writer, hf_slice_of(rest.data, run));
        if (run < rest.size) {
            uint8_t byte = rest.data[run++];
            hf_text_say(writer, byte == '"' || byte == '\\' ? "\\%c" : "\\u%04x", byte);
        }
        at += run;
    }
    put_raw(writer, "\"", 1);
}

static void put_base64(struct hf_text_writer *writer, struct hf_slice bytes)
{
    char text[64];
    for (size_t at = 0; at < bytes.size; at += 48) { /* whole groups of three */
        size_t size = bytes.size - at < 48 ? bytes.size - at : 48;
        put_raw(writer, text, hf_json_print_base64(hf_slice_of(bytes.data + at, size), text));
    }
}

static void put_nested(struct hf_text_writer *writer, struct hf_slice value, unsigned depth);

static void put_list(struct hf_text_writer *writer, struct hf_slice list, bool is_map,
                     unsigned depth)
{
    struct hf_wire wire = hf_wire_of(list);
    struct hf_slice item;
    put_raw(writer, is_map ? "{" : "[", 1);
    for (bool first = true; hf_text_each(&wire, 1, &item); first = false) {
        if (!first) {
            put_raw(writer, ",", 1);
        }
        if (is_map) {
            put_quoted(writer, hf_text_bytes(item, 1));
            put_raw(writer, ":", 1);
            item = hf_text_bytes(item, 2);
        }
        put_nested(writer, item, depth + 1);
    }
    put_raw(writer, is_map ? "}" : "]", 1);
}

/* All but text at the top are as JSON has them. */
static void put_member(struct hf_text_writer *writer, const struct hf_wire_field *member,
                       unsigned depth)
{
    switch (member->number) {
    case BOOL:
        hf_text_say(writer, member->value != 0 ? "true" : "false");
        break;
    case INT:
        hf_text_say(writer, "%lld", (long long)member->value);
        break;
    case DOUBLE:
        hf_text_put_double(writer, member->value, false);
        break;
    case ARRAY:
    case KVLIST:
        if (depth <= HF_SCAN_DEPTH_MAX) {
            put_list(writer, member->bytes, member->number == KVLIST, depth);
        }
        break;
    default:
        put_base64(writer, member->bytes);
        break;
    }
}

static void put_nested(struct hf_text_writer *writer, struct hf_slice value, unsigned depth)
{
    struct hf_wire_field member = read_value(value);
    if (member.number == 0) {
        hf_text_say(writer, "null");
    } else if (member.number == STRING) {
        put_quoted(writer, member.bytes);
    } else if (member.number == BYTES) {
        put_raw(writer, "\"", 1);
        put_base64(writer, member.bytes);
        put_raw(writer, "\"", 1);
    } else {
        put_member(writer, &member, depth);
    }
}

void hf_text_put_value(struct hf_text_writer *writer, struct hf_slice value)
{
    struct hf_wire_field member = read_value(value);
    if (member.number == STRING) {
        hf_text_put(writer, member.bytes);
    } else if (member.number != 0) {
        put_member(writer, &member, 0);
    }
}

void hf_text_put_typed(struct hf_text_writer *writer, struct hf_slice value)
{
    static const char *const names[] = {"Empty",  "Str",   "Bool", "Int",
                                        "Double", "Slice", "Map",  "Bytes"};
    hf_text_say(writer, "%s(", names[read_value(value).number]);
    hf_text_put_value(writer, value);
    put_raw(writer, ")", 1);
}
