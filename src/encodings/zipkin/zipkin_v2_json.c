/*
 * zipkin_v2_json: Zipkin's second version in JSON.
 */
#include "zipkin_json.h"
#include "zipkin_readers.h"

static enum hf_status read_tags(struct hf_zipkin_reading *reading, const struct hf_json *value,
                                struct hf_zipkin_span *span)
{
    size_t count = hf_zipkin_json_count(value);
    span->tags = hf_zipkin_take(reading, (count + 1) * sizeof(*span->tags));
    if (span->tags == NULL) {
        return HF_TOO_LARGE;
    }
    if (value->kind != HF_JSON_MAP && value->kind != HF_JSON_NULL) {
        return hf_zipkin_fault(reading, "tags is not an object");
    }
    enum hf_status status = HF_OK;
    span->tag_count = 0;
    for (const struct hf_json *one = hf_json_first(value); one != NULL && status == HF_OK;
         one = one->next) {
        struct hf_zipkin_tag *tag = &span->tags[span->tag_count++];
        tag->key = one->key;
        status = hf_zipkin_json_text(reading, one, "the value of a tag", &tag->value);
    }
    return status;
}

static enum hf_status read_annotation(struct hf_zipkin_reading *reading,
                                      const struct hf_json *value,
                                      struct hf_zipkin_annotation *annotation)
{
    enum hf_status status = HF_OK;
    for (const struct hf_json *one = hf_json_first(value); one != NULL && status == HF_OK;
         one = one->next) {
        if (hf_slice_is(one->key, "timestamp")) {
            status = hf_zipkin_json_whole(reading, one, "the timestamp of an annotation",
                                          UINT64_MAX, &annotation->time_us);
        } else if (hf_slice_is(one->key, "value")) {
            status =
                hf_zipkin_json_text(reading, one, "the value of an annotation", &annotation->value);
        }
    }
    if (status == HF_OK && annotation->time_us == 0) {
        status = hf_zipkin_fault(reading, "an annotation has no timestamp");
    }
    return status;
}

static enum hf_status read_annotations(struct hf_zipkin_reading *reading,
                                       const struct hf_json *value, struct hf_zipkin_span *span)
{
    size_t count = hf_zipkin_json_count(value);
    struct hf_zipkin_annotation *annotations =
        hf_zipkin_take(reading, (count + 1) * sizeof(*annotations));
    if (annotations == NULL) {
        return HF_TOO_LARGE;
    }
    if (value->kind != HF_JSON_LIST && value->kind != HF_JSON_NULL) {
        return hf_zipkin_fault(reading, "annotations is not a list");
    }
    enum hf_status status = HF_OK;
    span->annotations = annotations;
    span->annotation_count = 0;
    for (const struct hf_json *one = hf_json_first(value); one != NULL && status == HF_OK;
         one = one->next) {
        status = read_annotation(reading, one, &annotations[span->annotation_count++]);
    }
    return status;
}

static enum hf_status read_id(struct hf_zipkin_reading *reading, const struct hf_json *value,
                              const char *what, uint8_t *ret_id, size_t size)
{
    struct hf_slice text;
    enum hf_status status = hf_zipkin_json_text(reading, value, what, &text);
    if (status == HF_OK && !hf_zipkin_json_id(text, ret_id, size)) {
        status = hf_zipkin_fault(reading, what);
    }
    return status;
}

static uint32_t kind_of(struct hf_slice text)
{
    static const char *const names[] = {[2] = "SERVER", "CLIENT", "PRODUCER", "CONSUMER"};
    for (uint32_t kind = 2; kind < sizeof(names) / sizeof(names[0]); kind++) {
        if (hf_slice_is(text, names[kind])) {
            return kind;
        }
    }
    return 0;
}

static enum hf_status read_member(struct hf_zipkin_reading *reading, const struct hf_json *value,
                                  struct hf_zipkin_span *span)
{
    struct hf_slice key = value->key, text = HF_EMPTY_SLICE;
    enum hf_status status;
    if (hf_slice_is(key, "traceId")) {
        return read_id(reading, value, "traceId is not 1 to 32 hex digits", span->trace_id, 16);
    }
    if (hf_slice_is(key, "id")) {
        return read_id(reading, value, "id is not 1 to 16 hex digits", span->span_id, 8);
    }
    if (hf_slice_is(key, "parentId")) {
        bool is_empty =
            value->kind == HF_JSON_NULL || (value->kind == HF_JSON_STRING && value->text.size == 0);
        return is_empty ? HF_OK
                        : read_id(reading, value, "parentId is not 1 to 16 hex digits",
                                  span->parent_id, 8);
    }
    if (hf_slice_is(key, "tags")) {
        return read_tags(reading, value, span);
    }
    if (hf_slice_is(key, "annotations")) {
        return read_annotations(reading, value, span);
    }
    if (hf_slice_is(key, "localEndpoint")) {
        return hf_zipkin_json_endpoint(reading, value, true, &span->local);
    }
    if (hf_slice_is(key, "remoteEndpoint")) {
        return hf_zipkin_json_endpoint(reading, value, true, &span->remote);
    }
    if (hf_slice_is(key, "timestamp")) {
        return hf_zipkin_json_whole(reading, value, "timestamp", UINT64_MAX, &span->time_us);
    }
    if (hf_slice_is(key, "duration")) {
        return hf_zipkin_json_whole(reading, value, "duration", UINT64_MAX, &span->duration_us);
    }
    if (hf_slice_is(key, "name")) {
        return hf_zipkin_json_text(reading, value, "name", &span->name);
    }
    if (hf_slice_is(key, "kind")) {
        status = hf_zipkin_json_text(reading, value, "kind", &text);
        span->kind = kind_of(text);
        return status;
    }
    return HF_OK; /* shared, debug and what others add have no place in OTLP */
}

static enum hf_status read_span(struct hf_zipkin_reading *reading, const struct hf_json *value)
{
    static const uint8_t none[8];
    struct hf_zipkin_span *span = hf_zipkin_take(reading, sizeof(*span));
    if (span == NULL) {
        return HF_TOO_LARGE;
    }
    enum hf_status status = HF_OK;
    for (const struct hf_json *one = hf_json_first(value); one != NULL && status == HF_OK;
         one = one->next) {
        status = read_member(reading, one, span);
    }
    if (status == HF_OK && memcmp(span->span_id, none, sizeof(none)) == 0) {
        status = hf_zipkin_fault(reading, "it has no id");
    }
    span->has_no_time = span->time_us == 0;
    return status == HF_OK ? hf_zipkin_add(reading, span) : status;
}

enum hf_status hf_zipkin_read_json(struct hf_zipkin_reading *reading, struct hf_slice text)
{
    return hf_zipkin_each_json(reading, text, read_span);
}
