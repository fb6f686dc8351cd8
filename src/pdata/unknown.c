#include "unknown.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "schema.h"
#include "wire.h"

struct reader {
    const struct hf_schema_message *message;
    size_t depth;
    bool has_known, has_unknown;
};

static bool is_field(const struct hf_schema_message *message, struct hf_slice key)
{
    bool found = false;
    for (size_t i = 1; i <= HF_SCHEMA_NUMBER_MAX && !found; i++) {
        const struct hf_schema_field *field = &message->fields[i];
        found = field->type != HF_SCHEMA_NONE &&
                (hf_slice_is(key, field->json) || hf_slice_is(key, field->name));
    }
    return found;
}

/* A known one is all there is to find: the rest need not be read. */
static int on_key(void *user, const unsigned char *text, size_t size)
{
    struct reader *reader = user;
    if (reader->depth == 1) {
        reader->has_known = is_field(reader->message, hf_slice_of(text, size));
        reader->has_unknown = true;
    }
    return !reader->has_known;
}

static int on_open(void *user)
{
    ((struct reader *)user)->depth++;
    return 1;
}

static int on_close(void *user)
{
    ((struct reader *)user)->depth--;
    return 1;
}

bool hf_unknown_in_json(enum hf_signal signal, struct hf_slice json)
{
    static const yajl_callbacks callbacks = {.yajl_start_map = on_open,
                                             .yajl_map_key = on_key,
                                             .yajl_end_map = on_close,
                                             .yajl_start_array = on_open,
                                             .yajl_end_array = on_close};
    struct reader reader = {.message = hf_schema_request(signal)};
    yajl_handle yajl = yajl_alloc(&callbacks, NULL, &reader);
    if (yajl == NULL) {
        return false; /* a warning that is left out */
    }
    (void)yajl_parse(yajl, json.data, json.size);
    yajl_free(yajl);
    return reader.has_unknown && !reader.has_known;
}

bool hf_unknown_in_proto(struct hf_slice raw, const struct hf_scan *scan)
{
    return raw.size != 0 && scan->resources == 0;
}

void hf_unknown_say(enum hf_signal signal, char ret_text[HF_UNKNOWN_TEXT_MAX])
{
    snprintf(ret_text, HF_UNKNOWN_TEXT_MAX, "no known field was found in the request: expected %s",
             hf_schema_request(signal)->fields[1].json);
}

size_t hf_unknown_answer(enum hf_signal signal, bool json, uint8_t ret_body[HF_UNKNOWN_ANSWER_MAX])
{
    char text[HF_UNKNOWN_TEXT_MAX];
    hf_unknown_say(signal, text);
    size_t size = strlen(text);
    if (json) {
        return (size_t)snprintf((char *)ret_body, HF_UNKNOWN_ANSWER_MAX,
                                "{\"partialSuccess\":{\"errorMessage\":\"%s\"}}", text);
    }
    /* {1 partial_success {2 error_message}}; both lengths have one byte. */
    assert(size < 0x80 - 2);
    const uint8_t head[] = {1 << 3 | HF_WIRE_BYTES, (uint8_t)(size + 2), 2 << 3 | HF_WIRE_BYTES,
                            (uint8_t)size};
    memcpy(ret_body, head, sizeof(head));
    memcpy(ret_body + sizeof(head), text, size);
    return sizeof(head) + size;
}
