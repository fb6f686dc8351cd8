/*
 * json_in: reads OTLP/JSON: the callbacks of the JSON parser, which follow the schema.
 */
#include "json_parser.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Levels of unknown values; yajl keeps a byte per level. */
#define SKIP_DEPTH_MAX 10000u
#define KEY_MAX 1024u

/* What the next single value is for: `*ret_field` NULL means that it is left out. Returns false
 * when none may stand here. */
static bool value_place(struct hf_json_parser *parser, const struct hf_schema_field **ret_field)
{
    *ret_field = NULL;
    if (parser->depth == 0) {
        hf_json_fail(parser, HF_INVALID, "expected an object");
        return false;
    }
    if (parser->skip > 0) {
        return true;
    }
    struct hf_json_frame *frame = hf_json_top(parser);
    if (frame->field != NULL && frame->field->repeated && !frame->in_list) {
        hf_json_fail(parser, HF_INVALID, "expected a list");
        return false;
    }
    *ret_field = frame->field;
    return true;
}

/* Passes on how the value went. */
static int end_value(struct hf_json_parser *parser, int result)
{
    hf_json_top(parser)->element++;
    return result;
}

static int on_null(void *user)
{
    struct hf_json_parser *parser = user;
    if (parser->depth == 0) {
        return hf_json_fail(parser, HF_INVALID, "expected an object");
    }
    struct hf_json_frame *frame = hf_json_top(parser);
    if (parser->skip > 0 || frame->field == NULL || !frame->in_list) {
        return 1; /* absent */
    }
    /* In a list it holds a place: an attribute's list of values may have empty ones. */
    size_t at = 0;
    if (frame->field->type != HF_SCHEMA_MESSAGE) {
        return hf_json_fail_expected(parser, frame->field);
    }
    return end_value(parser, hf_json_open_length(parser, frame->field, &at) &&
                                 hf_json_close_length(parser, at));
}

static int on_boolean(void *user, int value)
{
    struct hf_json_parser *parser = user;
    const struct hf_schema_field *field = NULL;
    if (!value_place(parser, &field)) {
        return 0;
    }
    if (field == NULL) {
        return 1;
    }
    if (field->type != HF_SCHEMA_BOOL) {
        return hf_json_fail_expected(parser, field);
    }
    return end_value(parser, hf_json_put_scalar(parser, field, value != 0 ? 1 : 0));
}

static int on_number(void *user, const char *text, size_t size)
{
    struct hf_json_parser *parser = user;
    const struct hf_schema_field *field = NULL;
    if (!value_place(parser, &field)) {
        return 0;
    }
    return field == NULL ? 1
                         : end_value(parser, hf_json_put_number(parser, field,
                                                                hf_slice_of(text, size), false));
}

static int on_string(void *user, const unsigned char *bytes, size_t size)
{
    struct hf_json_parser *parser = user;
    struct hf_slice text = hf_slice_of(bytes, size);
    const struct hf_schema_field *field = NULL;
    if (!value_place(parser, &field)) {
        return 0;
    }
    if (field == NULL) {
        return 1;
    }
    switch (field->type) {
    case HF_SCHEMA_STRING:
        return end_value(parser, hf_json_put_text(parser, field, text));
    case HF_SCHEMA_BYTES:
        return end_value(parser, hf_json_put_base64(parser, field, text));
    case HF_SCHEMA_ID:
        return end_value(parser, hf_json_put_id(parser, field, text));
    default:
        return end_value(parser, hf_json_put_number(parser, field, text, true));
    }
}

static int skip_deeper(struct hf_json_parser *parser)
{
    if (parser->skip >= SKIP_DEPTH_MAX) {
        return hf_json_fail(parser, HF_INVALID, "nested too deep");
    }
    parser->skip++;
    return 1;
}

static int on_start_map(void *user)
{
    struct hf_json_parser *parser = user;
    size_t at = 0;
    if (parser->depth > 0) {
        struct hf_json_frame *frame = hf_json_top(parser);
        if (parser->skip > 0 || frame->field == NULL) {
            return skip_deeper(parser);
        }
        if (frame->field->repeated && !frame->in_list) {
            return hf_json_fail(parser, HF_INVALID, "expected a list");
        }
        if (frame->field->type != HF_SCHEMA_MESSAGE) {
            return hf_json_fail_expected(parser, frame->field);
        }
        if (parser->depth == HF_JSON_FRAME_COUNT) {
            return hf_json_fail(parser, HF_INVALID, "nested too deep");
        }
        if (!hf_json_open_length(parser, frame->field, &at)) {
            return 0;
        }
        frame->written |= 1u << frame->field->number;
        parser->frames[parser->depth] =
            (struct hf_json_frame){.message = frame->field->message, .length_at = at};
    }
    parser->depth++;
    return 1;
}

static bool is_named(const struct hf_schema_field *field, struct hf_slice key)
{
    if (field->type == HF_SCHEMA_NONE) {
        return false;
    }
    return (key.size == field->json_size && memcmp(key.data, field->json, key.size) == 0) ||
           (key.size == field->name_size && memcmp(key.data, field->name, key.size) == 0);
}

static int on_map_key(void *user, const unsigned char *bytes, size_t size)
{
    struct hf_json_parser *parser = user;
    if (parser->skip > 0) {
        return 1;
    }
    if (size > KEY_MAX) {
        return hf_json_fail(parser, HF_INVALID, "a key of more than 1024 bytes");
    }
    struct hf_json_frame *frame = hf_json_top(parser);
    struct hf_slice key = hf_slice_of(bytes, size);
    frame->field = NULL;
    /* Writers keep an order, mostly that of the numbers: begin behind the last one. */
    for (unsigned i = 1; i <= HF_SCHEMA_NUMBER_MAX + 1; i++) {
        unsigned number = (frame->last + i) % (HF_SCHEMA_NUMBER_MAX + 1);
        if (is_named(&frame->message->fields[number], key)) {
            frame->field = &frame->message->fields[number];
            frame->last = (uint8_t)number;
            break;
        }
    }
    return 1;
}

static int on_end_map(void *user)
{
    struct hf_json_parser *parser = user;
    if (parser->skip > 0) {
        parser->skip--;
        return 1;
    }
    if (parser->depth == 1) {
        parser->depth = 0;
        parser->done = true;
        return 1;
    }
    size_t at = hf_json_top(parser)->length_at;
    if (!hf_json_close_length(parser, at)) {
        return 0;
    }
    parser->depth--;
    return end_value(parser, 1);
}

static int on_start_array(void *user)
{
    struct hf_json_parser *parser = user;
    if (parser->depth == 0) {
        return hf_json_fail(parser, HF_INVALID, "expected an object");
    }
    struct hf_json_frame *frame = hf_json_top(parser);
    if (parser->skip > 0 || frame->field == NULL) {
        return skip_deeper(parser);
    }
    if (!frame->field->repeated || frame->in_list) {
        return hf_json_fail_expected(parser, frame->field);
    }
    if (hf_schema_is_scalar(frame->field->type) &&
        !hf_json_open_length(parser, frame->field, &frame->packed_at)) {
        return 0;
    }
    frame->in_list = true;
    frame->element = 0;
    return 1;
}

static int on_end_array(void *user)
{
    struct hf_json_parser *parser = user;
    if (parser->skip > 0) {
        parser->skip--;
        return 1;
    }
    struct hf_json_frame *frame = hf_json_top(parser);
    frame->in_list = false;
    if (!hf_schema_is_scalar(frame->field->type)) {
        return 1;
    }
    if (frame->element == 0) { /* nothing in it: not even a tag */
        hf_json_drop_length(parser, frame->field, frame->packed_at);
        return 1;
    }
    return hf_json_close_length(parser, frame->packed_at);
}

/* ---- the whole ---- */

/* Syntax errors, which are yajl's to word. */
static enum hf_status say_syntax(struct hf_json_parser *parser, size_t offset)
{
    struct hf_json_sentence sentence = {.text = parser->reterr};
    unsigned char *text = yajl_get_error(parser->yajl, 0, NULL, 0);
    const char *what = text != NULL ? (const char *)text : "";
    const char *colon = strstr(what, ": "); /* behind "parse error" or "lexical error" */
    what = colon != NULL ? colon + 2 : what;
    hf_json_say_path(&sentence, parser);
    hf_json_say(&sentence, "not JSON: %.*s (byte %zu)", (int)strcspn(what, "\n"), what, offset);
    if (text != NULL) {
        yajl_free_error(parser->yajl, text);
    }
    return HF_INVALID;
}

static enum hf_status run(struct hf_json_parser *parser, struct hf_slice json)
{
    static const unsigned char nothing[1];
    yajl_status result = yajl_parse(parser->yajl, json.size > 0 ? json.data : nothing, json.size);
    size_t offset = yajl_get_bytes_consumed(parser->yajl);
    if (result == yajl_status_ok) {
        offset = json.size;
        result = yajl_complete_parse(parser->yajl);
    }
    if (parser->status != HF_OK) {
        return parser->status;
    }
    if (result != yajl_status_ok) {
        return say_syntax(parser, offset);
    }
    assert(parser->done && parser->depth == 0);
    if (parser->out->size - parser->base > parser->limit) {
        hf_json_fail(parser, HF_TOO_LARGE, "larger than the limit when decoded");
    }
    return parser->status;
}

static enum hf_status parse(enum hf_signal signal, struct hf_slice json, size_t limit,
                            bool any_text, struct hf_bytes *out, char *reterr)
{
    static const yajl_callbacks callbacks = {
        .yajl_null = on_null,
        .yajl_boolean = on_boolean,
        .yajl_number = on_number,
        .yajl_string = on_string,
        .yajl_start_map = on_start_map,
        .yajl_map_key = on_map_key,
        .yajl_end_map = on_end_map,
        .yajl_start_array = on_start_array,
        .yajl_end_array = on_end_array,
    };
    struct hf_json_parser parser; /* the frames are set as they are opened */
    memset(&parser, 0, offsetof(struct hf_json_parser, frames));
    parser.out = out;
    parser.base = out->size;
    parser.limit = limit;
    parser.any_text = any_text;
    parser.reterr = reterr;
    parser.frames[0] = (struct hf_json_frame){.message = hf_schema_request(signal)};
    parser.yajl = yajl_alloc(&callbacks, NULL, &parser);
    if (parser.yajl == NULL) {
        snprintf(reterr, HF_JSON_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    enum hf_status status = HF_NOMEM;
    if (!any_text || yajl_config(parser.yajl, yajl_dont_validate_strings, 1) != 0) {
        status = run(&parser, json);
    }
    yajl_free(parser.yajl);
    if (status != HF_OK) {
        out->size = parser.base;
    }
    return status;
}

enum hf_status hf_json_to_proto(enum hf_signal signal, struct hf_slice json, size_t limit,
                                struct hf_bytes *out, char *reterr)
{
    return parse(signal, json, limit, false, out, reterr);
}

enum hf_status hf_json_to_proto_any_text(enum hf_signal signal, struct hf_slice json, size_t limit,
                                         struct hf_bytes *out, char *reterr)
{
    return parse(signal, json, limit, true, out, reterr);
}
