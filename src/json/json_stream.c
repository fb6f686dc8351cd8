/*
 * json_stream: the parser's events put together into trees.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "json.h"

#define NUMBER_TEXT_MAX 512
#define ARENA_KEPT_BYTES (256u << 10)
#define TREE_FACTOR 4 /* a tree takes more than its text */
#define TREE_LEAST (16u << 10)

/* A list or map that is open. */
struct level {
    struct hf_json *value;
    struct hf_json *last; /* the latest child that was linked; NULL: none */
};

struct hf_json_stream {
    struct hf_json_stream_options options;
    yajl_handle parser;
    struct hf_arena own;  /* of the value that is being read */
    struct hf_arena rest; /* of the map around the elements, when there are such */
    struct hf_arena *arena;
    struct level levels[HF_JSON_DEPTH_MAX];
    unsigned depth;
    struct hf_slice key;  /* of the member that comes next */
    size_t unshown;       /* bytes fed since a value was shown */
    unsigned elements_at; /* depth of the list whose elements are shown; 0: not inside of it */
    const struct hf_json **ret_value; /* hf_json_read(): where the tree goes */
    enum hf_status status;
    char error[HF_JSON_ERROR_MAX];
};

static int fail(struct hf_json_stream *stream, enum hf_status status, const char *sentence)
{
    if (stream->status == HF_OK) {
        stream->status = status;
        snprintf(stream->error, sizeof(stream->error), "%s", sentence);
    }
    return 0;
}

/* NULL: the stream has failed. */
static void *take(struct hf_json_stream *stream, size_t size)
{
    void *piece = hf_arena_take(stream->arena, size);
    if (piece == NULL) {
        fail(stream, HF_TOO_LARGE, "a value is larger than its limit, or memory has run out");
    }
    return piece;
}

static struct hf_slice keep(struct hf_json_stream *stream, const void *data, size_t size)
{
    char *copy = take(stream, size + 1);
    if (copy == NULL) {
        return HF_EMPTY_SLICE;
    }
    if (size != 0) {
        memcpy(copy, data, size);
    }
    copy[size] = '\0';
    return hf_slice_of(copy, size);
}

static bool is_element(const struct hf_json_stream *stream)
{
    return stream->elements_at != 0 && stream->depth == stream->elements_at;
}

/* A value without parent inside of what is shown. */
static struct hf_json *make(struct hf_json_stream *stream, enum hf_json_kind kind)
{
    struct hf_json *value = take(stream, sizeof(*value));
    if (value == NULL) {
        return NULL;
    }
    *value = (struct hf_json){.kind = kind};
    if (stream->depth == 0 || is_element(stream)) {
        return value;
    }
    struct level *level = &stream->levels[stream->depth - 1];
    if (level->value->kind == HF_JSON_MAP) {
        value->key = stream->key;
    }
    if (level->last != NULL) {
        level->last->next = value;
    } else {
        level->value->first = value;
    }
    level->last = value;
    return value;
}

/* A value is complete: shows it, if it is one of those. */
static int complete(struct hf_json_stream *stream, const struct hf_json *value)
{
    bool element = is_element(stream);
    if (!element && stream->depth != 0) {
        return 1;
    }
    if (stream->ret_value != NULL) {
        *stream->ret_value = value;
        return 1;
    }
    if (!stream->options.show(stream->options.user, value, element)) {
        return fail(stream, HF_CLOSED, "the reading was ended");
    }
    stream->unshown = 0;
    hf_arena_rewind(stream->arena, ARENA_KEPT_BYTES);
    return 1;
}

static int on_null(void *user)
{
    struct hf_json *value = make(user, HF_JSON_NULL);
    return value != NULL && complete(user, value);
}

static int on_boolean(void *user, int boolean)
{
    struct hf_json *value = make(user, HF_JSON_BOOL);
    if (value == NULL) {
        return 0;
    }
    value->boolean = boolean != 0;
    return complete(user, value);
}

static int on_number(void *user, const char *data, size_t size)
{
    char text[NUMBER_TEXT_MAX];
    char *end;
    struct hf_json *value = make(user, HF_JSON_DOUBLE);
    if (value == NULL) {
        return 0;
    }
    if (size >= sizeof(text)) {
        return fail(user, HF_INVALID, "a number has too many digits");
    }
    memcpy(text, data, size);
    text[size] = '\0';
    errno = 0;
    long long integer = strtoll(text, &end, 10);
    if (*end == '\0' && errno == 0) {
        value->kind = HF_JSON_INT;
        value->integer = integer;
    } else {
        value->number = strtod(text, NULL);
    }
    return complete(user, value);
}

static int on_string(void *user, const unsigned char *data, size_t size)
{
    struct hf_json_stream *stream = user;
    struct hf_json *value = make(stream, HF_JSON_STRING);
    if (value == NULL) {
        return 0;
    }
    value->text = keep(stream, data, size);
    return stream->status == HF_OK && complete(stream, value);
}

static int on_key(void *user, const unsigned char *data, size_t size)
{
    struct hf_json_stream *stream = user;
    stream->key = keep(stream, data, size);
    return stream->status == HF_OK;
}

static int open_level(struct hf_json_stream *stream, enum hf_json_kind kind)
{
    struct hf_json *value = make(stream, kind);
    if (value == NULL) {
        return 0;
    }
    if (stream->depth == HF_JSON_DEPTH_MAX) {
        return fail(stream, HF_INVALID, "lists and maps are too deep within each other");
    }
    value->first = NULL;
    stream->levels[stream->depth++] = (struct level){value, NULL};
    return 1;
}

static int close_level(struct hf_json_stream *stream)
{
    struct hf_json *value = stream->levels[--stream->depth].value;
    return complete(stream, value);
}

static int on_map(void *user)
{
    return open_level(user, HF_JSON_MAP);
}

static int on_list(void *user)
{
    struct hf_json_stream *stream = user;
    const char *each = stream->options.each;
    bool is_each = each != NULL && stream->elements_at == 0 && stream->depth == 1 &&
                   stream->levels[0].value->kind == HF_JSON_MAP && hf_slice_is(stream->key, each);
    if (!open_level(stream, HF_JSON_LIST)) {
        return 0;
    }
    if (is_each) {
        stream->elements_at = stream->depth;
        stream->arena = &stream->own;
    }
    return 1;
}

static int on_list_end(void *user)
{
    struct hf_json_stream *stream = user;
    if (is_element(stream)) {
        stream->elements_at = 0;
        stream->arena = &stream->rest;
    }
    return close_level(stream);
}

static int on_map_end(void *user)
{
    return close_level(user);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_map,
    .yajl_map_key = on_key,
    .yajl_end_map = on_map_end,
    .yajl_start_array = on_list,
    .yajl_end_array = on_list_end,
};

enum hf_status hf_json_stream_new(const struct hf_json_stream_options *options,
                                  struct hf_json_stream **ret_stream)
{
    struct hf_json_stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL) {
        return HF_NOMEM;
    }
    stream->options = *options;
    stream->own.limit = stream->rest.limit = options->value_bytes_max * TREE_FACTOR + TREE_LEAST;
    stream->arena = options->each != NULL ? &stream->rest : &stream->own;
    stream->parser = yajl_alloc(&callbacks, NULL, stream);
    if (stream->parser == NULL) {
        free(stream);
        return HF_NOMEM;
    }
    if (options->each == NULL) {
        yajl_config(stream->parser, yajl_allow_multiple_values, 1);
    }
    *ret_stream = stream;
    return HF_OK;
}

static enum hf_status settle(struct hf_json_stream *stream, yajl_status parsed)
{
    if (parsed != yajl_status_ok && stream->status == HF_OK) {
        unsigned char *text = yajl_get_error(stream->parser, 0, NULL, 0);
        fail(stream, HF_INVALID, text != NULL ? (const char *)text : "it is no JSON");
        stream->error[strcspn(stream->error, "\n")] = '\0';
        if (text != NULL) {
            yajl_free_error(stream->parser, text);
        }
    }
    return stream->status;
}

enum hf_status hf_json_stream_feed(struct hf_json_stream *stream, struct hf_slice bytes)
{
    if (stream->status != HF_OK) {
        return stream->status;
    }
    /* The parser keeps a text that goes on in the next piece. */
    stream->unshown += bytes.size;
    if (stream->ret_value == NULL && stream->unshown > stream->options.value_bytes_max) {
        fail(stream, HF_TOO_LARGE, "a value is larger than its limit");
        return stream->status;
    }
    return settle(stream, yajl_parse(stream->parser, bytes.data, bytes.size));
}

enum hf_status hf_json_stream_end(struct hf_json_stream *stream)
{
    if (stream->status != HF_OK) {
        return stream->status;
    }
    if (stream->options.each == NULL && stream->ret_value == NULL && stream->depth == 0) {
        return HF_OK; /* between two values, or before the first */
    }
    return settle(stream, yajl_complete_parse(stream->parser));
}

const char *hf_json_stream_error(const struct hf_json_stream *stream)
{
    return stream->error;
}

void hf_json_stream_free(struct hf_json_stream *stream)
{
    if (stream == NULL) {
        return;
    }
    yajl_free(stream->parser);
    hf_arena_release(&stream->own);
    hf_arena_release(&stream->rest);
    free(stream);
}

enum hf_status hf_json_read(struct hf_slice text, struct hf_arena *arena,
                            const struct hf_json **ret_value, char *reterr)
{
    struct hf_json_stream stream = {.arena = arena, .ret_value = ret_value};
    stream.parser = yajl_alloc(&callbacks, NULL, &stream);
    *ret_value = NULL;
    if (stream.parser == NULL) {
        snprintf(reterr, HF_JSON_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    enum hf_status status = hf_json_stream_feed(&stream, text);
    if (status == HF_OK) {
        status = hf_json_stream_end(&stream);
    }
    if (status != HF_OK) {
        snprintf(reterr, HF_JSON_ERROR_MAX, "%s", stream.error);
        *ret_value = NULL;
    }
    yajl_free(stream.parser);
    return status;
}
