#include "json_write.h"

#include <math.h>

#include "any.h"
#include "attributes.h"
#include "json_value.h"
#include "util/hex.h"
#include "wire_find.h"
#include "json/json.h"

#define ESCAPE_MAX 6u /* \u0000 */

/* ---- text ---- */

static size_t print_escape(uint8_t byte, uint8_t *room)
{
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *found = byte != 0 ? strchr(plain, byte) : NULL;
    room[0] = '\\';
    if (found != NULL) {
        room[1] = (uint8_t)letters[found - plain];
        return 2;
    }
    memcpy(room + 1, "u00", 3);
    hf_hex_write(hf_slice_of(&byte, 1), (char *)room + 4);
    return ESCAPE_MAX;
}

static inline size_t plain_run(const struct hf_json_writer *writer, struct hf_slice text)
{
    return writer->html ? hf_json_plain_html_run(text) : hf_json_plain_run(text);
}

/* What is behind the first run of plain characters, and the closing quote. */
static void put_rest(struct hf_json_writer *writer, struct hf_slice text)
{
    while (text.size > 0) {
        size_t run = plain_run(writer, text);
        uint8_t *room = hf_json_write_room(writer, run + ESCAPE_MAX);
        if (room == NULL) {
            return;
        }
        memcpy(room, text.data, run);
        size_t written = run;
        if (run < text.size) {
            written += print_escape(text.data[run], room + run);
            run++;
        }
        writer->out->size += written;
        text = hf_slice_of(text.data + run, text.size - run);
    }
    hf_json_write_bytes(writer, "\"", 1);
}

static void put_quoted(struct hf_json_writer *writer, struct hf_slice text)
{
    size_t run = plain_run(writer, text);
    uint8_t *room = hf_json_write_room(writer, run + 2);
    if (room == NULL) {
        return;
    }
    *room = '"';
    if (run != 0) {
        memcpy(room + 1, text.data, run);
    }
    writer->out->size += run + 1;
    if (run == text.size) {
        room[run + 1] = '"';
        writer->out->size++;
        return;
    }
    put_rest(writer, hf_slice_of(text.data + run, text.size - run));
}

void hf_json_write_key(struct hf_json_writer *writer, struct hf_slice key)
{
    hf_json_write_comma(writer);
    put_quoted(writer, key);
    hf_json_write_bytes(writer, ":", 1);
}

void hf_json_write_text(struct hf_json_writer *writer, struct hf_slice text)
{
    hf_json_write_comma(writer);
    put_quoted(writer, text);
    writer->behind_value = true;
}

void hf_json_write_hex(struct hf_json_writer *writer, struct hf_slice bytes)
{
    hf_json_write_comma(writer);
    uint8_t *room = hf_json_write_room(writer, 2 * bytes.size + 2);
    if (room != NULL) {
        size_t size = hf_hex_write(bytes, (char *)room + 1);
        room[0] = room[size + 1] = '"';
        writer->out->size += size + 2;
    }
    writer->behind_value = true;
}

void hf_json_write_base64(struct hf_json_writer *writer, struct hf_slice bytes)
{
    hf_json_write_comma(writer);
    uint8_t *room = hf_json_write_room(writer, bytes.size / 3 * 4 + 4 + 2);
    if (room != NULL) {
        size_t size = hf_json_print_base64(bytes, (char *)room + 1);
        room[0] = room[size + 1] = '"';
        writer->out->size += size + 2;
    }
    writer->behind_value = true;
}

/* ---- numbers ---- */

void hf_json_write_u64(struct hf_json_writer *writer, uint64_t value)
{
    char room[HF_JSON_DIGITS_MAX];
    hf_json_write_made(writer, hf_slice_of(room, hf_json_print_u64(value, room)));
}

void hf_json_write_i64(struct hf_json_writer *writer, int64_t value)
{
    char room[HF_JSON_DIGITS_MAX];
    hf_json_write_made(writer, hf_slice_of(room, hf_json_print_i64(value, room)));
}

void hf_json_write_bool(struct hf_json_writer *writer, bool value)
{
    hf_json_write_made(writer, hf_slice_text(value ? "true" : "false"));
}

void hf_json_write_null(struct hf_json_writer *writer)
{
    hf_json_write_made(writer, hf_slice_text("null"));
}

void hf_json_write_double(struct hf_json_writer *writer, double value)
{
    if (!isfinite(value)) {
        hf_json_write_null(writer);
        return;
    }
    char room[HF_JSON_DIGITS_MAX + 2];
    size_t size = hf_json_print_double(value, room);
    room[size] = '\0';
    if (strpbrk(room, ".e") == NULL) {
        memcpy(room + size, ".0", 2);
        size += 2;
    }
    hf_json_write_made(writer, hf_slice_of(room, size));
}

/* ---- values that were read ---- */

void hf_json_write_value(struct hf_json_writer *writer, const struct hf_json *value)
{
    char room[HF_JSON_DIGITS_MAX];
    bool is_list = value->kind == HF_JSON_LIST;
    switch (value->kind) {
    case HF_JSON_NULL:
        hf_json_write_null(writer);
        break;
    case HF_JSON_BOOL:
        hf_json_write_bool(writer, value->boolean);
        break;
    case HF_JSON_INT:
        hf_json_write_i64(writer, value->integer);
        break;
    case HF_JSON_DOUBLE:
        hf_json_write_made(writer, hf_slice_of(room, hf_json_print_double(value->number, room)));
        break;
    case HF_JSON_STRING:
        hf_json_write_text(writer, value->text);
        break;
    case HF_JSON_LIST:
    case HF_JSON_MAP:
        /* As deep as it was read: HF_JSON_DEPTH_MAX. */
        hf_json_write_open(writer, is_list ? '[' : '{');
        for (const struct hf_json *one = value->first; one != NULL; one = one->next) {
            if (!is_list) {
                hf_json_write_key(writer, one->key);
            }
            hf_json_write_value(writer, one);
        }
        hf_json_write_close(writer, is_list ? ']' : '}');
        break;
    }
}

/* ---- AnyValue ---- */

static void put_map_text(struct hf_json_writer *writer, struct hf_slice value)
{
    struct hf_bytes text = {0};
    if (hf_any_text(value, &text) != HF_OK) {
        writer->failed = true;
    } else {
        hf_json_write_text(writer, hf_slice_of(text.data, text.size));
    }
    hf_bytes_release(&text);
}

static void put_list(struct hf_json_writer *writer, struct hf_slice list,
                     const struct hf_json_any_style *style)
{
    struct hf_wire wire = hf_wire_of(list);
    struct hf_slice element;
    hf_json_write_open(writer, '[');
    while (hf_wire_each(&wire, 1, &element)) {
        hf_json_write_any(writer, element, style);
    }
    hf_json_write_close(writer, ']');
}

static void put_map(struct hf_json_writer *writer, struct hf_slice map,
                    const struct hf_json_any_style *style)
{
    struct hf_wire wire = hf_wire_of(map);
    struct hf_slice pair, key, value;
    const struct hf_json_any_style inner = {.bytes_as_hex = style->bytes_as_hex};
    hf_json_write_open(writer, '{');
    while (hf_wire_each(&wire, 1, &pair)) {
        if (hf_attribute_read(pair, &key, &value)) {
            hf_json_write_key(writer, key);
            hf_json_write_any(writer, value, &inner);
        }
    }
    hf_json_write_close(writer, '}');
}

void hf_json_write_any(struct hf_json_writer *writer, struct hf_slice value,
                       const struct hf_json_any_style *style)
{
    const size_t head = 2;
    if (value.size >= head && value.data[0] == 0x0a && value.data[1] == value.size - head &&
        value.size < 0x80 + head) { /* a short text, which most values are */
        hf_json_write_text(writer, hf_slice_of(value.data + head, value.size - head));
        return;
    }
    struct hf_any any = hf_any_read(value);
    switch (any.type) {
    case HF_ANY_STRING:
        hf_json_write_text(writer, any.bytes);
        break;
    case HF_ANY_BOOL:
        hf_json_write_bool(writer, any.integer != 0);
        break;
    case HF_ANY_INT:
        hf_json_write_i64(writer, any.integer);
        break;
    case HF_ANY_DOUBLE:
        hf_json_write_double(writer, any.number);
        break;
    case HF_ANY_ARRAY:
        put_list(writer, any.bytes, style);
        break;
    case HF_ANY_MAP:
        if (style->maps_as_text) {
            put_map_text(writer, value);
        } else {
            put_map(writer, any.bytes, style);
        }
        break;
    case HF_ANY_BYTES:
        if (style->bytes_as_hex) {
            hf_json_write_hex(writer, any.bytes);
        } else {
            hf_json_write_base64(writer, any.bytes);
        }
        break;
    default:
        hf_json_write_null(writer);
        break;
    }
}
