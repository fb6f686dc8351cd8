/*
 * attribute_text: attributes of tests as text: "a=x b=#5 c=%1.5 d=?true e=" are the text x, the
 * integer 5, the double 1.5, the boolean true and an empty value; "f=[1,2]" is a list of integers.
 * Keys and values have no blanks.
 * It is included, not linked.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pdata/any.h"
#include "pdata/attributes.h"
#include "pdata/wire.h"

static inline void attribute_text_value(const char *text, size_t size,
                                        struct hf_wire_writer *writer)
{
    char value[128];
    struct hf_wire_message message = hf_wire_open(writer, 2, size + 2);
    assert(size < sizeof(value));
    memcpy(value, text, size);
    value[size] = '\0';
    if (value[0] == '#') {
        hf_wire_put_varint(writer, 3, (uint64_t)strtoll(value + 1, NULL, 10));
    } else if (value[0] == '%') {
        double number = strtod(value + 1, NULL);
        uint64_t bits;
        memcpy(&bits, &number, sizeof(bits));
        hf_wire_put_fixed64(writer, 4, bits);
    } else if (value[0] == '?') {
        hf_wire_put_varint(writer, 2, strcmp(value + 1, "true") == 0);
    } else if (value[0] == '[') {
        struct hf_wire_message list = hf_wire_open(writer, 5, size);
        for (char *at = value; *at != ']';) {
            struct hf_wire_message item = hf_wire_open(writer, 1, size);
            hf_wire_put_varint(writer, 3, (uint64_t)strtoll(at + 1, &at, 10));
            hf_wire_close(writer, item);
        }
        hf_wire_close(writer, list);
    } else if (value[0] != '\0') {
        hf_wire_put_bytes(writer, 1, hf_slice_of(value, size));
    }
    hf_wire_close(writer, message);
}

/* Writes them as fields `number`. */
static inline void attribute_text_put(const char *text, uint32_t number,
                                      struct hf_wire_writer *writer)
{
    while (*text != '\0') {
        size_t size = strcspn(text, " ");
        size_t key_size = strcspn(text, "=");
        assert(key_size < size);
        struct hf_wire_message pair = hf_wire_open(writer, number, size + 8);
        hf_wire_put_bytes(writer, 1, hf_slice_of(text, key_size));
        attribute_text_value(text + key_size + 1, size - key_size - 1, writer);
        hf_wire_close(writer, pair);
        text += size;
        text += strspn(text, " ");
    }
}

/* The other way, into `room`. */
static inline void attribute_text_show(const struct hf_attributes *attributes, char *room,
                                       size_t room_size)
{
    static const char *const marks[] = {
        [HF_ANY_EMPTY] = "",   [HF_ANY_STRING] = "", [HF_ANY_BOOL] = "?", [HF_ANY_INT] = "#",
        [HF_ANY_DOUBLE] = "%", [HF_ANY_ARRAY] = "",  [HF_ANY_MAP] = "",   [HF_ANY_BYTES] = "!"};
    size_t at = 0;
    room[0] = '\0';
    for (size_t i = 0; i < attributes->count; i++) {
        const struct hf_attribute *attribute = &attributes->items[i];
        struct hf_bytes text = {0};
        enum hf_status status = hf_any_text(attribute->value, &text);
        assert(status == HF_OK);
        at += (size_t)snprintf(room + at, room_size - at, "%s%.*s=%s%.*s", i == 0 ? "" : " ",
                               (int)attribute->key.size, (const char *)attribute->key.data,
                               marks[hf_any_read(attribute->value).type], (int)text.size,
                               (const char *)text.data);
        assert(at < room_size);
        hf_bytes_release(&text);
    }
}
