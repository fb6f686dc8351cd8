/*
 * zipkin_v1_json: Zipkin's first version in JSON.
 */
#include "pdata/json_value.h"
#include "zipkin_json.h"
#include "zipkin_readers.h"

static enum hf_status read_endpoint(struct hf_zipkin_reading *reading, const struct hf_json *value,
                                    const struct hf_zipkin_endpoint **ret_endpoint)
{
    if (value->kind == HF_JSON_NULL) {
        return HF_OK;
    }
    struct hf_zipkin_endpoint *endpoint = hf_zipkin_take(reading, sizeof(*endpoint));
    if (endpoint == NULL) {
        return HF_TOO_LARGE;
    }
    *ret_endpoint = endpoint;
    return hf_zipkin_json_endpoint(reading, value, false, endpoint);
}

static enum hf_status read_annotation(struct hf_zipkin_reading *reading,
                                      const struct hf_json *value,
                                      struct hf_zipkin_v1_annotation *annotation)
{
    enum hf_status status = HF_OK;
    uint64_t time_us = 0;
    for (const struct hf_json *one = hf_json_first(value); one != NULL && status == HF_OK;
         one = one->next) {
        if (hf_slice_is(one->key, "timestamp")) {
            status = hf_zipkin_json_whole(reading, one, "the timestamp of an annotation", INT64_MAX,
                                          &time_us);
        } else if (hf_slice_is(one->key, "value")) {
            status =
                hf_zipkin_json_text(reading, one, "the value of an annotation", &annotation->value);
        } else if (hf_slice_is(one->key, "endpoint")) {
            status = read_endpoint(reading, one, &annotation->endpoint);
        }
    }
    annotation->time_us = (int64_t)time_us;
    return status;
}

/* A text, or with `parse_string_tags` what it looks like; other kinds as they are. */
static enum hf_status read_value(struct hf_zipkin_reading *reading, const struct hf_json *value,
                                 struct hf_zipkin_v1_tag *tag)
{
    bool parses = reading->options->parse_string_tags;
    enum hf_zipkin_type type = parses ? hf_zipkin_type_of(hf_json_text(value)) : HF_ZIPKIN_STRING;
    if (value->kind == HF_JSON_BOOL || value->kind == HF_JSON_INT) {
        tag->type = value->kind == HF_JSON_BOOL ? HF_ZIPKIN_BOOL : HF_ZIPKIN_INT;
        tag->integer = value->kind == HF_JSON_BOOL ? value->boolean : value->integer;
        return HF_OK;
    }
    if (value->kind == HF_JSON_DOUBLE) {
        tag->type = HF_ZIPKIN_DOUBLE;
        tag->number = value->number;
        return HF_OK;
    }
    enum hf_status status =
        hf_zipkin_json_text(reading, value, "the value of a binary annotation", &tag->text);
    tag->component = tag->text;
    if (type == HF_ZIPKIN_BOOL) {
        tag->integer = tag->text.size == 4;
    } else if ((type == HF_ZIPKIN_INT && !hf_json_read_i64(tag->text, &tag->integer)) ||
               (type == HF_ZIPKIN_DOUBLE && !hf_json_read_double(tag->text, false, &tag->number))) {
        type = HF_ZIPKIN_STRING;
    }
    tag->type = type;
    return status;
}

static enum hf_status read_tag(struct hf_zipkin_reading *reading, const struct hf_json *value,
                               struct hf_zipkin_v1_tag *tag)
{
    enum hf_status status = HF_OK;
    for (const struct hf_json *one = hf_json_first(value); one != NULL && status == HF_OK;
         one = one->next) {
        if (hf_slice_is(one->key, "key")) {
            status = hf_zipkin_json_text(reading, one, "the key of a binary annotation", &tag->key);
        } else if (hf_slice_is(one->key, "value")) {
            status = read_value(reading, one, tag);
        } else if (hf_slice_is(one->key, "endpoint")) {
            status = read_endpoint(reading, one, &tag->endpoint);
        }
    }
    hf_zipkin_v1_settle_key(tag);
    return status;
}

static enum hf_status read_annotations(struct hf_zipkin_reading *reading,
                                       const struct hf_json *value, struct hf_zipkin_v1_span *span)
{
    size_t count = hf_zipkin_json_count(value);
    struct hf_zipkin_v1_annotation *annotations =
        hf_zipkin_take(reading, (count + 1) * sizeof(*annotations));
    enum hf_status status = annotations == NULL ? HF_TOO_LARGE : HF_OK;
    span->annotations = annotations;
    span->annotation_count = 0;
    for (const struct hf_json *one = hf_json_first(value); one != NULL && status == HF_OK;
         one = one->next) {
        status = read_annotation(reading, one, &annotations[span->annotation_count++]);
    }
    return status;
}

static enum hf_status read_tags(struct hf_zipkin_reading *reading, const struct hf_json *value,
                                struct hf_zipkin_v1_span *span)
{
    size_t count = hf_zipkin_json_count(value);
    span->tags = hf_zipkin_take(reading, (count + 1) * sizeof(*span->tags));
    enum hf_status status = span->tags == NULL ? HF_TOO_LARGE : HF_OK;
    span->tag_count = 0;
    for (const struct hf_json *one = hf_json_first(value); one != NULL && status == HF_OK;
         one = one->next) {
        status = read_tag(reading, one, &span->tags[span->tag_count++]);
    }
    return status;
}

/* Of exactly `digits` hex digits, or of half of them for a trace id. */
static enum hf_status read_id(struct hf_zipkin_reading *reading, const struct hf_json *value,
                              const char *what, uint8_t *ret_id, size_t size)
{
    struct hf_slice text;
    enum hf_status status = hf_zipkin_json_text(reading, value, what, &text);
    bool fits = status == HF_OK && (text.size == 2 * size || (size == 16 && text.size == 16));
    if (status == HF_OK && (!fits || !hf_zipkin_json_id(text, ret_id, size))) {
        status = hf_zipkin_fault(reading, what);
    }
    return status;
}

static enum hf_status read_member(struct hf_zipkin_reading *reading, const struct hf_json *value,
                                  struct hf_zipkin_v1_span *span)
{
    struct hf_slice key = value->key;
    uint64_t number = 0;
    enum hf_status status = HF_OK;
    if (hf_slice_is(key, "traceId")) {
        return read_id(reading, value, "traceId has neither 16 nor 32 hex digits", span->trace_id,
                       16);
    }
    if (hf_slice_is(key, "id")) {
        return read_id(reading, value, "id has not 16 hex digits", span->span_id, 8);
    }
    if (hf_slice_is(key, "parentId")) {
        bool is_empty =
            value->kind == HF_JSON_NULL || (value->kind == HF_JSON_STRING && value->text.size == 0);
        return is_empty
                   ? HF_OK
                   : read_id(reading, value, "parentId has not 16 hex digits", span->parent_id, 8);
    }
    if (hf_slice_is(key, "annotations")) {
        return read_annotations(reading, value, span);
    }
    if (hf_slice_is(key, "binaryAnnotations")) {
        return read_tags(reading, value, span);
    }
    if (hf_slice_is(key, "name")) {
        return hf_zipkin_json_text(reading, value, "name", &span->name);
    }
    if (hf_slice_is(key, "timestamp")) {
        status = hf_zipkin_json_whole(reading, value, "timestamp", INT64_MAX, &number);
        span->time_us = (int64_t)number;
        span->has_time = number != 0;
    } else if (hf_slice_is(key, "duration")) {
        status = hf_zipkin_json_whole(reading, value, "duration", INT64_MAX, &number);
        span->duration_us = (int64_t)number;
    }
    return status;
}

static enum hf_status read_span(struct hf_zipkin_reading *reading, const struct hf_json *value)
{
    struct hf_zipkin_v1_span *span = hf_zipkin_take(reading, sizeof(*span));
    if (span == NULL) {
        return HF_TOO_LARGE;
    }
    enum hf_status status = HF_OK;
    for (const struct hf_json *one = hf_json_first(value); one != NULL && status == HF_OK;
         one = one->next) {
        status = read_member(reading, one, span);
    }
    if (status == HF_OK && (hf_slice_is_zero(hf_slice_of(span->trace_id, 16)) ||
                            hf_slice_is_zero(hf_slice_of(span->span_id, 8)))) {
        status = hf_zipkin_fault(reading, "it has no traceId, or no id");
    }
    span->needs_time = true;
    return status == HF_OK ? hf_zipkin_add(reading, span) : status;
}

enum hf_status hf_zipkin_read_v1_json(struct hf_zipkin_reading *reading, struct hf_slice text)
{
    return hf_zipkin_each_json(reading, text, read_span);
}
