#include "value.h"

#include <assert.h>
#include <string.h>

#include "utf8.h"
#include "wire.h"

#define EXPECTED_BYTES 100 /* room for lengths below 128 is kept; larger ones move the content */

/* The text and all keys are UTF-8, and their sum is not over the limit. */
static enum hf_status check(const struct hf_value *value, unsigned depth, size_t *bytes)
{
    enum hf_status status = HF_OK;
    assert(depth <= HF_VALUE_DEPTH_MAX); /* the loader has looked */
    if (value->type == HF_VALUE_STRING) {
        *bytes += strlen(value->string);
        status = hf_utf8_is_valid(hf_slice_text(value->string)) ? HF_OK : HF_INVALID;
    }
    *bytes += value->count;
    for (size_t i = 0; i < value->count && status == HF_OK; i++) {
        if (value->type == HF_VALUE_MAP) {
            *bytes += strlen(value->keys[i]);
            status = hf_utf8_is_valid(hf_slice_text(value->keys[i])) ? HF_OK : HF_INVALID;
        }
        if (status == HF_OK) {
            status = check(&value->items[i], depth + 1, bytes);
        }
    }
    return status == HF_OK && *bytes > HF_VALUE_BYTES_MAX ? HF_TOO_LARGE : status;
}

static void put(struct hf_wire_writer *writer, const struct hf_value *value);

static void put_message(struct hf_wire_writer *writer, uint32_t number,
                        const struct hf_value *value)
{
    struct hf_wire_message message = hf_wire_open(writer, number, EXPECTED_BYTES);
    put(writer, value);
    hf_wire_close(writer, message);
}

/* An ArrayValue or a KeyValueList: both hold their items in field 1. */
static void put_items(struct hf_wire_writer *writer, const struct hf_value *value)
{
    struct hf_wire_message all =
        hf_wire_open(writer, value->type == HF_VALUE_LIST ? 5 : 6, EXPECTED_BYTES);
    for (size_t i = 0; i < value->count; i++) {
        if (value->type == HF_VALUE_LIST) {
            put_message(writer, 1, &value->items[i]);
            continue;
        }
        struct hf_wire_message pair = hf_wire_open(writer, 1, EXPECTED_BYTES);
        hf_wire_put_bytes(writer, 1, hf_slice_text(value->keys[i]));
        put_message(writer, 2, &value->items[i]);
        hf_wire_close(writer, pair);
    }
    hf_wire_close(writer, all);
}

static void put(struct hf_wire_writer *writer, const struct hf_value *value)
{
    uint64_t bits;
    switch (value->type) {
    case HF_VALUE_NONE:
        break;
    case HF_VALUE_STRING:
        hf_wire_put_bytes(writer, 1, hf_slice_text(value->string));
        break;
    case HF_VALUE_BOOL:
        hf_wire_put_varint(writer, 2, value->boolean);
        break;
    case HF_VALUE_INT:
        hf_wire_put_varint(writer, 3, (uint64_t)value->integer);
        break;
    case HF_VALUE_DOUBLE:
        memcpy(&bits, &value->number, sizeof(bits));
        hf_wire_put_fixed64(writer, 4, bits);
        break;
    case HF_VALUE_LIST:
    case HF_VALUE_MAP:
        put_items(writer, value);
        break;
    }
}

enum hf_status hf_value_encode(const struct hf_value *value, struct hf_arena *arena,
                               struct hf_slice *ret_bytes)
{
    struct hf_bytes bytes = {0};
    struct hf_wire_writer writer = {.out = &bytes};
    size_t text_bytes = 0;
    enum hf_status status = check(value, 0, &text_bytes);
    if (status != HF_OK || value->type == HF_VALUE_NONE) {
        return status;
    }
    put(&writer, value);
    status = hf_wire_status(&writer);
    if (status == HF_OK && bytes.size > HF_VALUE_BYTES_MAX) {
        status = HF_TOO_LARGE;
    }
    uint8_t *kept = status == HF_OK ? hf_arena_take(arena, bytes.size) : NULL;
    if (status == HF_OK && kept == NULL) {
        status = HF_NOMEM;
    }
    if (kept != NULL) {
        memcpy(kept, bytes.data, bytes.size);
        *ret_bytes = hf_slice_of(kept, bytes.size);
    }
    hf_bytes_release(&bytes);
    return status;
}

const char *hf_value_problem(enum hf_status status)
{
    return status == HF_TOO_LARGE ? "the value takes more than 64 KiB" : "the value is not UTF-8";
}
