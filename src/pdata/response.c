#include "response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <yajl/yajl_parse.h>

#include "wire.h"

#define DEPTH_MAX 32

/* Keeps what is printable, and no half of a UTF-8 character at the cut. */
static void keep_text(struct hf_response *response, struct hf_slice text)
{
    size_t size = text.size < HF_RESPONSE_TEXT_MAX - 1 ? text.size : HF_RESPONSE_TEXT_MAX - 1;
    if (size < text.size) {
        while (size > 0 && (text.data[size] & 0xc0) == 0x80) {
            size--;
        }
    }
    while (size > 0 && text.data[size - 1] <= ' ') {
        size--;
    }
    for (size_t i = 0; i < size; i++) {
        response->message[i] =
            (char)(text.data[i] < ' ' || text.data[i] == 0x7f ? ' ' : text.data[i]);
    }
    response->message[size] = '\0';
}

/* Status {1 int32 code, 2 string message}; PartialSuccess {1 int64 rejected, 2 string
 * error_message}. */
static void read_proto_pair(struct hf_slice bytes, bool counts, struct hf_response *ret)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        if (counts && field.number == 1 && field.wire == HF_WIRE_VARINT) {
            ret->rejected = (int64_t)field.value > 0 ? field.value : 0;
        } else if (field.number == 2 && field.wire == HF_WIRE_BYTES) {
            keep_text(ret, field.bytes);
        }
    }
}

static void read_proto(struct hf_slice body, bool success, struct hf_response *ret)
{
    if (!success) {
        read_proto_pair(body, false, ret);
        return;
    }
    struct hf_wire wire = hf_wire_of(body);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        if (field.number == 1 && field.wire == HF_WIRE_BYTES) {
            read_proto_pair(field.bytes, true, ret);
        }
    }
}

enum json_key { KEY_OTHER = 0, KEY_PARTIAL, KEY_REJECTED, KEY_MESSAGE };

struct json_reader {
    struct hf_response *response;
    bool success;
    size_t depth;
    enum json_key outer, key; /* of the top level's object, and the last one read */
};

static enum json_key key_of(struct hf_slice name)
{
    static const struct {
        const char *name;
        enum json_key key;
    } keys[] = {
        {"partialSuccess", KEY_PARTIAL},
        {"partial_success", KEY_PARTIAL},
        {"rejectedSpans", KEY_REJECTED},
        {"rejected_spans", KEY_REJECTED},
        {"rejectedDataPoints", KEY_REJECTED},
        {"rejected_data_points", KEY_REJECTED},
        {"rejectedLogRecords", KEY_REJECTED},
        {"rejected_log_records", KEY_REJECTED},
        {"rejectedProfiles", KEY_REJECTED},
        {"rejected_profiles", KEY_REJECTED},
        {"errorMessage", KEY_MESSAGE},
        {"error_message", KEY_MESSAGE},
        {"message", KEY_MESSAGE},
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (hf_slice_is(name, keys[i].name)) {
            return keys[i].key;
        }
    }
    return KEY_OTHER;
}

static int on_key(void *user, const unsigned char *text, size_t size)
{
    struct json_reader *reader = user;
    reader->key = key_of(hf_slice_of(text, size));
    if (reader->depth == 1) {
        reader->outer = reader->key;
    }
    return 1;
}

static int on_open(void *user)
{
    struct json_reader *reader = user;
    reader->key = KEY_OTHER;
    return ++reader->depth <= DEPTH_MAX;
}

static int on_close(void *user)
{
    struct json_reader *reader = user;
    reader->depth--;
    reader->key = KEY_OTHER;
    return 1;
}

/* Does the value that comes belong to what is read? */
static bool is_in_place(const struct json_reader *reader)
{
    return reader->success ? reader->depth == 2 && reader->outer == KEY_PARTIAL
                           : reader->depth == 1;
}

/* 64-bit numbers are text in OTLP/JSON, and numbers are taken too. */
static void keep_count(struct json_reader *reader, const char *text, size_t size)
{
    char digits[24] = "";
    if (reader->key == KEY_REJECTED && is_in_place(reader) && size < sizeof(digits)) {
        memcpy(digits, text, size);
        long long count = strtoll(digits, NULL, 10);
        reader->response->rejected = count > 0 ? (uint64_t)count : 0;
    }
}

static int on_string(void *user, const unsigned char *text, size_t size)
{
    struct json_reader *reader = user;
    if (reader->key == KEY_MESSAGE && is_in_place(reader)) {
        keep_text(reader->response, hf_slice_of(text, size));
    }
    keep_count(reader, (const char *)text, size);
    return 1;
}

static int on_number(void *user, const char *text, size_t size)
{
    keep_count(user, text, size);
    return 1;
}

/* Is it JSON, as far as it goes? */
static bool read_json(struct hf_slice body, bool success, struct hf_response *ret)
{
    static const yajl_callbacks callbacks = {.yajl_number = on_number,
                                             .yajl_string = on_string,
                                             .yajl_start_map = on_open,
                                             .yajl_map_key = on_key,
                                             .yajl_end_map = on_close,
                                             .yajl_start_array = on_open,
                                             .yajl_end_array = on_close};
    struct json_reader reader = {.response = ret, .success = success};
    yajl_handle yajl = yajl_alloc(&callbacks, NULL, &reader);
    if (yajl == NULL) {
        return false;
    }
    bool ok = yajl_parse(yajl, body.data, body.size) == yajl_status_ok &&
              yajl_complete_parse(yajl) == yajl_status_ok;
    yajl_free(yajl);
    return ok;
}

static bool is_type(struct hf_slice type, const char *name)
{
    size_t size = strlen(name);
    return type.size >= size && strncasecmp((const char *)type.data, name, size) == 0;
}

void hf_response_read(struct hf_slice content_type, struct hf_slice body, bool success,
                      struct hf_response *ret)
{
    *ret = (struct hf_response){0};
    if (body.size == 0) {
        return;
    }
    if (is_type(content_type, "application/x-protobuf")) {
        read_proto(body, success, ret);
    } else if (is_type(content_type, "application/json")) {
        bool ok = read_json(body, success, ret);
        if (!success && (!ok || ret->message[0] == '\0')) {
            keep_text(ret, body);
        }
    } else if (!success) {
        keep_text(ret, body);
    }
}
