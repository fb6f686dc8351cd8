#include "jaeger_tags.h"

#include <string.h>
#include <strings.h>

#include "pdata/json_value.h"

#define HTTP_STATUS "http.response.status_code"
#define SETTLED_TAGS_MAX 128u /* in more tags, keys that are there twice stay */

void hf_jaeger_tags_settle(struct hf_jaeger_tags *tags)
{
    for (size_t i = 0; i < tags->count; i++) {
        if (hf_slice_is(tags->items[i].key, "http.status_code")) {
            tags->items[i].key = hf_slice_text(HTTP_STATUS); /* its present name */
        }
    }
    for (size_t i = 0; i < tags->count && tags->count <= SETTLED_TAGS_MAX; i++) {
        for (size_t j = i + 1; j < tags->count && !tags->items[i].is_dropped; j++) {
            tags->items[i].is_dropped = hf_slice_equal(tags->items[i].key, tags->items[j].key);
        }
    }
}

struct hf_jaeger_tag *hf_jaeger_tags_find(const struct hf_jaeger_tags *tags, const char *key)
{
    struct hf_slice wanted = hf_slice_text(key);
    for (size_t i = 0; i < tags->count; i++) {
        if (hf_slice_equal(tags->items[i].key, wanted) && !tags->items[i].is_dropped) {
            return &tags->items[i];
        }
    }
    return NULL;
}

static struct hf_slice text_of(const struct hf_jaeger_tag *tag)
{
    return tag != NULL && tag->type == HF_JAEGER_STRING ? tag->text : HF_EMPTY_SLICE;
}

struct hf_slice hf_jaeger_tags_take(const struct hf_jaeger_tags *tags, const char *key)
{
    struct hf_jaeger_tag *tag = hf_jaeger_tags_find(tags, key);
    if (tag != NULL) {
        tag->is_dropped = true;
    }
    return text_of(tag);
}

void hf_jaeger_tags_write(struct hf_builder *builder, const struct hf_jaeger_tags *tags)
{
    for (size_t i = 0; i < tags->count; i++) {
        const struct hf_jaeger_tag *tag = &tags->items[i];
        if (tag->is_dropped) {
            continue;
        }
        switch (tag->type) {
        case HF_JAEGER_STRING:
            hf_build_attribute_string(builder, tag->key, tag->text);
            break;
        case HF_JAEGER_BOOL:
            hf_build_attribute_bool(builder, tag->key, tag->integer != 0);
            break;
        case HF_JAEGER_INT:
            hf_build_attribute_int(builder, tag->key, tag->integer);
            break;
        case HF_JAEGER_DOUBLE:
            hf_build_attribute_double(builder, tag->key, tag->number);
            break;
        case HF_JAEGER_BINARY:
            hf_build_attribute_bytes(builder, tag->key, tag->text);
            break;
        }
    }
}

static bool is_word(struct hf_slice text, const char *word)
{
    return text.size == strlen(word) && strncasecmp((const char *)text.data, word, text.size) == 0;
}

/* A failed request tells of a failed span; a server is not to blame for its client's. */
static uint32_t code_of_http(const struct hf_jaeger_tag *tag, uint32_t kind, bool *ret_is_known)
{
    int64_t code = tag->integer;
    *ret_is_known = tag->type == HF_JAEGER_INT ||
                    (tag->type == HF_JAEGER_STRING && hf_json_read_i64(tag->text, &code));
    if (!*ret_is_known || (code >= 100 && code < 400)) {
        return 0;
    }
    return code >= 400 && code < 500 && kind == 2 ? 0 : 2;
}

/* Without error=true: by otel.status_code, else by the code of HTTP. */
static struct hf_jaeger_status other_status(const struct hf_jaeger_tags *tags, uint32_t kind)
{
    struct hf_jaeger_status status = {0};
    struct hf_jaeger_tag *own = hf_jaeger_tags_find(tags, "otel.status_code");
    const struct hf_jaeger_tag *http = hf_jaeger_tags_find(tags, HTTP_STATUS);
    bool is_known = false;
    if (own != NULL) {
        own->is_dropped = true;
        status.code = is_word(text_of(own), "OK") ? 1 : is_word(text_of(own), "ERROR") ? 2 : 0;
        status.message = hf_jaeger_tags_take(tags, "otel.status_description");
    } else if (http != NULL) {
        status.code = code_of_http(http, kind, &is_known);
        if (is_known && status.code != 0) {
            status.message = text_of(hf_jaeger_tags_find(tags, "http.status_message"));
        }
    }
    return status;
}

struct hf_jaeger_status hf_jaeger_tags_status(const struct hf_jaeger_tags *tags, uint32_t kind)
{
    struct hf_jaeger_tag *error = hf_jaeger_tags_find(tags, "error");
    if (error == NULL || error->type != HF_JAEGER_BOOL || error->integer == 0) {
        return other_status(tags, kind);
    }
    error->is_dropped = true;
    struct hf_jaeger_status status = {.code = 2};
    struct hf_jaeger_tag *own = hf_jaeger_tags_find(tags, "otel.status_code");
    if (hf_jaeger_tags_find(tags, "otel.status_description") != NULL) {
        status.message = hf_jaeger_tags_take(tags, "otel.status_description");
    } else {
        status.message = text_of(hf_jaeger_tags_find(tags, "http.status_message"));
    }
    if (own != NULL) {
        own->is_dropped = true;
    }
    return status;
}
