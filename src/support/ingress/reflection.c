#include "reflection.h"

#include <string.h>

#include "pdata/wire.h"
#include "util/compress/compress.h"

/* Fields of ServerReflectionRequest and of its answer. */
enum {
    ASK_FILE = 3,
    ASK_SYMBOL = 4,
    ASK_EXTENSION = 5,
    ASK_EXTENSION_NUMBERS = 6,
    ASK_SERVICES = 7,
    ANSWER_HOST = 1,
    ANSWER_REQUEST = 2,
    ANSWER_FILES = 4,
    ANSWER_EXTENSION_NUMBERS = 5,
    ANSWER_SERVICES = 6,
    ANSWER_ERROR = 7,
};

enum { CODE_INVALID_ARGUMENT = 3, CODE_NOT_FOUND = 5 };

/* The things of a file that have names, and in which fields of which others they are kept. */
enum thing { FILE_OF, MESSAGE, ENUM, SERVICE, LEAF };

static const struct {
    enum thing in;
    uint32_t number;
    enum thing kept;
} places[] = {{FILE_OF, 4, MESSAGE}, {FILE_OF, 5, ENUM}, {FILE_OF, 6, SERVICE},
              {FILE_OF, 7, LEAF},    {MESSAGE, 2, LEAF}, {MESSAGE, 3, MESSAGE},
              {MESSAGE, 4, ENUM},    {MESSAGE, 6, LEAF}, {MESSAGE, 8, LEAF},
              {ENUM, 2, LEAF},       {SERVICE, 2, LEAF}};

/* The descriptors are our own build's, so they read without a fault. */
static bool next_field(struct hf_wire *wire, struct hf_wire_field *ret_field)
{
    return !hf_wire_at_end(*wire) && hf_wire_next(wire, ret_field);
}

static struct hf_slice bytes_of(struct hf_slice message, uint32_t number)
{
    struct hf_wire wire = hf_wire_of(message);
    struct hf_wire_field field;
    while (next_field(&wire, &field)) {
        if (field.number == number && field.wire == HF_WIRE_BYTES) {
            return field.bytes;
        }
    }
    return HF_EMPTY_SLICE;
}

static bool same(struct hf_slice left, struct hf_slice right)
{
    return left.size == right.size &&
           (left.size == 0 || memcmp(left.data, right.data, left.size) == 0);
}

/* Takes `name` and the point behind it from the front of `*symbol`. At its end nothing is left. */
static bool take_name(struct hf_slice *symbol, struct hf_slice name)
{
    if (name.size == 0 || name.size > symbol->size ||
        memcmp(symbol->data, name.data, name.size) != 0) {
        return false;
    }
    size_t size = name.size;
    if (size < symbol->size && (symbol->data[size++] != '.' || size == symbol->size)) {
        return false;
    }
    *symbol = hf_slice_of(symbol->data + size, symbol->size - size);
    return true;
}

/* As deep as the descriptors of our own build are. */
static bool has_symbol(struct hf_slice body, enum thing thing, struct hf_slice symbol)
{
    struct hf_wire wire = hf_wire_of(body);
    struct hf_wire_field field;
    while (next_field(&wire, &field)) {
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
            if (places[i].in != thing || places[i].number != field.number) {
                continue;
            }
            struct hf_slice rest = symbol;
            bool named = take_name(&rest, bytes_of(field.bytes, 1));
            /* The values of an enumeration are its neighbours by name. */
            if ((named && (rest.size == 0 || has_symbol(field.bytes, places[i].kept, rest))) ||
                (places[i].kept == ENUM && has_symbol(field.bytes, ENUM, symbol))) {
                return true;
            }
        }
    }
    return false;
}

static bool defines(struct hf_slice file, struct hf_slice symbol)
{
    return take_name(&symbol, bytes_of(file, 2)) && symbol.size != 0 &&
           has_symbol(file, FILE_OF, symbol);
}

static void put_error(struct hf_wire_writer *writer, int code, const char *text)
{
    struct hf_wire_message error = hf_wire_open(writer, ANSWER_ERROR, strlen(text) + 4);
    hf_wire_put_varint(writer, 1, (uint64_t)code);
    hf_wire_put_bytes(writer, 2, hf_slice_text(text));
    hf_wire_close(writer, error);
}

/* The file of that name, or that defines that symbol; those it imports are asked for by name. */
static void put_file(struct hf_wire_writer *writer, uint32_t asked, struct hf_slice what)
{
    struct hf_wire wire = hf_wire_of(hf_slice_of(hf_descriptors, hf_descriptors_size));
    struct hf_wire_field file;
    while (next_field(&wire, &file)) {
        if (asked == ASK_FILE ? same(bytes_of(file.bytes, 1), what) : defines(file.bytes, what)) {
            struct hf_wire_message files = hf_wire_open(writer, ANSWER_FILES, file.bytes.size + 4);
            hf_wire_put_bytes(writer, 1, file.bytes);
            hf_wire_close(writer, files);
            return;
        }
    }
    put_error(writer, CODE_NOT_FOUND, asked == ASK_FILE ? "unknown file" : "unknown symbol");
}

static void put_services(struct hf_wire_writer *writer, const struct hf_reflection *reflection)
{
    struct hf_wire_message services = hf_wire_open(writer, ANSWER_SERVICES, 256);
    for (size_t i = 0; i < reflection->count; i++) {
        const char *name = reflection->paths[i] + 1;
        struct hf_slice text = hf_slice_of(name, strcspn(name, "/"));
        struct hf_wire_message service = hf_wire_open(writer, 1, text.size + 2);
        hf_wire_put_bytes(writer, 1, text);
        hf_wire_close(writer, service);
    }
    hf_wire_close(writer, services);
}

/* None of our messages can be extended. */
static void put_extensions(struct hf_wire_writer *writer, struct hf_slice type)
{
    struct hf_wire wire = hf_wire_of(hf_slice_of(hf_descriptors, hf_descriptors_size));
    struct hf_wire_field file;
    bool is_known = false;
    while (!is_known && next_field(&wire, &file)) {
        is_known = defines(file.bytes, type);
    }
    if (!is_known) {
        put_error(writer, CODE_NOT_FOUND, "unknown type");
        return;
    }
    struct hf_wire_message numbers = hf_wire_open(writer, ANSWER_EXTENSION_NUMBERS, type.size + 4);
    hf_wire_put_bytes(writer, 1, type);
    hf_wire_close(writer, numbers);
}

enum hf_status hf_reflect(const struct hf_reflection *reflection, struct hf_slice request,
                          struct hf_bytes *answer)
{
    struct hf_wire wire = hf_wire_of(request);
    struct hf_wire_field field, asked = {.number = 0};
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return HF_INVALID;
        }
        if (field.wire == HF_WIRE_BYTES && field.number >= ASK_FILE &&
            field.number <= ASK_SERVICES) {
            asked = field; /* of a oneof the last one counts */
        }
    }
    struct hf_wire_writer writer = {.out = answer};
    hf_wire_put_bytes(&writer, ANSWER_HOST, bytes_of(request, 1));
    hf_wire_put_bytes(&writer, ANSWER_REQUEST, request);
    switch (asked.number) {
    case ASK_FILE:
    case ASK_SYMBOL:
        put_file(&writer, asked.number, asked.bytes);
        break;
    case ASK_EXTENSION:
        put_error(&writer, CODE_NOT_FOUND, "no such extension");
        break;
    case ASK_EXTENSION_NUMBERS:
        put_extensions(&writer, asked.bytes);
        break;
    case ASK_SERVICES:
        put_services(&writer, reflection);
        break;
    default:
        put_error(&writer, CODE_INVALID_ARGUMENT, "nothing that is known is asked for");
        break;
    }
    return hf_wire_status(&writer);
}
