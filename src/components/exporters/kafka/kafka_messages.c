#include "kafka_messages.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <holdfast/meta.h>

#include "encodings/jaeger/jaeger_names.h"
#include "encodings/jaeger/jaeger_out.h"
#include "encodings/zipkin/zipkin_write.h"
#include "pdata/any_make.h"
#include "pdata/json.h"
#include "pdata/parts.h"
#include "pdata/walk.h"
#include "support/items/identity.h"
#include "util/hex.h"

#define OUTS_MAX 65536u
#define ARENA_BYTES_MAX (64u << 20)
#define SPAN_TRACE_ID 1
#define SPAN_ID 2
#define LOG_BODY 5
#define LOG_TRACE_ID 9
#define TRACE_ID_SIZE 16
#define TOPIC_MAX 249

bool kafka_is_topic(struct hf_slice name)
{
    bool good = name.size != 0 && name.size <= TOPIC_MAX && !hf_slice_is(name, ".") &&
                !hf_slice_is(name, "..");
    for (size_t i = 0; i < name.size && good; i++) {
        uint8_t byte = name.data[i];
        good = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
               (byte >= '0' && byte <= '9') || byte == '.' || byte == '_' || byte == '-';
    }
    return good;
}

/* A copy that ends with a NUL behind its size. */
static bool keep(struct kafka_request *request, struct hf_slice text, struct hf_slice *ret_kept)
{
    char *room = hf_arena_take(&request->arena, text.size + 1);
    if (room == NULL) {
        return false;
    }
    if (text.size != 0) {
        memcpy(room, text.data, text.size);
    }
    room[text.size] = '\0';
    *ret_kept = hf_slice_of(room, text.size);
    return true;
}

/* ---- headers ---- */

static bool add_header(struct kafka_request *request, struct hf_slice name, struct hf_slice value)
{
    struct hf_kafka_header header = {.value = value};
    if (request->header_count == KAFKA_HEADERS_MAX) {
        return true; /* a client that sends one header many times */
    }
    if (!keep(request, name, &header.name)) {
        return false;
    }
    request->headers[request->header_count++] = header;
    return true;
}

/* Those of the client's request, as often as they were there. Their values are the export's. */
static bool add_metadata(struct kafka_request *request, const char *key)
{
    struct hf_meta_entry entry;
    size_t cursor = 0;
    bool good = true;
    while (good && hf_meta_next(request->export->meta, &cursor, &entry)) {
        if (entry.kind == HF_META_HEADER && entry.key.size == strlen(key) &&
            strncasecmp((const char *)entry.key.data, key, entry.key.size) == 0) {
            good = add_header(request, hf_slice_text(key), entry.value);
        }
    }
    return good;
}

static bool make_headers(struct kafka_request *request, const struct kafka_config *config)
{
    bool good = true;
    for (size_t i = 0; i < config->record_headers.count; i++) {
        const struct hf_string_pair *pair = &config->record_headers.items[i];
        good = good && add_header(request, hf_slice_text(pair->key), hf_slice_text(pair->value));
    }
    for (size_t i = 0; i < config->include_metadata_keys.count; i++) {
        good = good && add_metadata(request, config->include_metadata_keys.items[i]);
    }
    if (config->signal_header) {
        good = good && add_header(request, hf_slice_text("otelcol.signal"),
                                  hf_slice_text(hf_signal_name(request->export->signal)));
    }
    return good;
}

/* ---- where items go ---- */

struct splitter {
    struct kafka_request *request;
    const struct kafka_config *config;
    struct kafka_plan plan;
    struct hf_slice topic, key; /* of the whole request; key without data: none */
    struct hf_document *document;
    struct hf_parts parts;
    struct hf_bytes text; /* topic, NUL, and the key with a byte before it */
    size_t topic_size;    /* of the present resource, in `text` */
    const struct hf_message *resource_group;
    uint8_t resource_key[HF_IDENTITY_SIZE];
    struct hf_jaeger_process process; /* of the present resource, for Jaeger's encodings */
    size_t capacity;                  /* of the request's outs */
};

static bool metadata_of(const struct hf_export *export, const char *key, struct hf_slice *ret_value)
{
    return key != NULL && hf_meta_find(export->meta, HF_META_HEADER, key, ret_value) &&
           ret_value->size != 0;
}

static void find_topic_and_key(struct splitter *splitter)
{
    const struct hf_export *export = splitter->request->export;
    struct hf_slice value;
    splitter->topic = metadata_of(export, splitter->plan.topic_key, &value)
                          ? value
                          : hf_slice_text(splitter->plan.topic);
    splitter->key =
        metadata_of(export, splitter->plan.message_key, &value) ? value : HF_EMPTY_SLICE;
}

/* Does the topic come from the client's request? Then no attribute counts. */
static bool has_topic_of_metadata(const struct splitter *splitter)
{
    return splitter->topic.data != (const uint8_t *)splitter->plan.topic;
}

static struct hf_slice topic_of(const struct splitter *splitter, const struct hf_place *place)
{
    const char *name = splitter->config->topic_from_attribute;
    struct hf_message *resource = hf_place_resource(place);
    struct hf_slice value;
    if (name == NULL || has_topic_of_metadata(splitter) || resource == NULL ||
        !hf_attribute_of(hf_message_content(resource), 1, hf_slice_text(name), &value)) {
        return splitter->topic;
    }
    const struct hf_any any = hf_any_read(value);
    return any.type == HF_ANY_STRING && any.bytes.size != 0 ? any.bytes : splitter->topic;
}

static bool is_jaeger(const struct splitter *splitter)
{
    return splitter->plan.encoding == KAFKA_JAEGER_PROTO ||
           splitter->plan.encoding == KAFKA_JAEGER_JSON;
}

static bool is_zipkin(const struct splitter *splitter)
{
    return splitter->plan.encoding == KAFKA_ZIPKIN_PROTO ||
           splitter->plan.encoding == KAFKA_ZIPKIN_JSON;
}

static enum hf_status begin_resource(struct splitter *splitter, const struct hf_place *place)
{
    if (splitter->resource_group == place->resource_group) {
        return HF_OK;
    }
    enum hf_status status = HF_OK;
    splitter->text.size = 0;
    if (splitter->plan.key == KAFKA_KEY_RESOURCE) {
        status = hf_identity_attributes(hf_place_resource(place), splitter->document,
                                        &splitter->text, splitter->resource_key);
        splitter->text.size = 0;
    }
    if (is_jaeger(splitter)) {
        splitter->process = hf_jaeger_out_process(place);
    }
    if (status == HF_OK) {
        status = hf_bytes_append(&splitter->text, topic_of(splitter, place));
    }
    if (status == HF_OK) {
        status = hf_bytes_append(&splitter->text, hf_slice_of("", 1));
    }
    splitter->topic_size = splitter->text.size;
    splitter->resource_group = status == HF_OK ? place->resource_group : NULL;
    return status;
}

/* An id that is there and not zero. */
static bool has_id(struct hf_message *item, uint32_t number, size_t size)
{
    static const uint8_t none[TRACE_ID_SIZE];
    struct hf_slice id = hf_message_bytes(item, number);
    return id.size == size && memcmp(id.data, none, size) != 0;
}

/* As Jaeger's own text of an id: the half in front is left out when it is zero. */
static struct hf_slice jaeger_key(struct hf_slice id, char *room)
{
    static const uint8_t none[TRACE_ID_SIZE];
    id = id.size == TRACE_ID_SIZE ? id : hf_slice_of(none, TRACE_ID_SIZE);
    size_t skip = memcmp(id.data, none, TRACE_ID_SIZE / 2) == 0 ? TRACE_ID_SIZE / 2 : 0;
    return hf_slice_of(room, hf_hex_write(hf_slice_of(id.data + skip, id.size - skip), room));
}

/* Appends the key of an item: nothing when it has none. */
static enum hf_status add_key(struct splitter *splitter, const struct hf_place *place)
{
    char hex[2 * TRACE_ID_SIZE];
    struct hf_slice key = splitter->key;
    if (splitter->plan.key == KAFKA_KEY_RESOURCE) {
        key = hf_slice_of(splitter->resource_key, HF_IDENTITY_SIZE);
    } else if (splitter->plan.key == KAFKA_KEY_TRACE_ID) {
        bool is_span = splitter->request->export->signal == HF_TRACES;
        uint32_t number = is_span ? SPAN_TRACE_ID : LOG_TRACE_ID;
        bool is_there = has_id(place->item, number, TRACE_ID_SIZE);
        struct hf_slice id = hf_message_bytes(place->item, number);
        key = is_there ? hf_slice_of(hex, hf_hex_write(id, hex)) : HF_EMPTY_SLICE;
    } else if (splitter->plan.key == KAFKA_KEY_JAEGER && key.data == NULL) {
        key = jaeger_key(hf_message_bytes(place->item, SPAN_TRACE_ID), hex);
    }
    if (key.data == NULL) {
        return HF_OK;
    }
    enum hf_status status = hf_bytes_append(&splitter->text, hf_slice_of("k", 1));
    return status == HF_OK ? hf_bytes_append(&splitter->text, key) : status;
}

static struct kafka_out *add_out(struct splitter *splitter)
{
    struct kafka_request *request = splitter->request;
    if (request->count == splitter->capacity) {
        size_t capacity = splitter->capacity == 0 ? 16 : 2 * splitter->capacity;
        struct kafka_out *outs = reallocarray(request->outs, capacity, sizeof(*outs));
        if (outs == NULL) {
            return NULL;
        }
        request->outs = outs;
        splitter->capacity = capacity;
    }
    struct kafka_out *out = &request->outs[request->count++];
    *out = (struct kafka_out){.request = request};
    return out;
}

/* A message with the topic and key that `text` has now. */
static struct kafka_out *add_addressed(struct splitter *splitter)
{
    struct kafka_request *request = splitter->request;
    struct hf_slice topic, key = HF_EMPTY_SLICE;
    size_t at = splitter->topic_size;
    bool has_key = splitter->text.size > at;
    bool good = keep(request, hf_slice_of(splitter->text.data, at - 1), &topic);
    if (good && has_key) {
        good = keep(request,
                    hf_slice_of(splitter->text.data + at + 1, splitter->text.size - at - 1), &key);
    }
    struct kafka_out *out = good ? add_out(splitter) : NULL;
    if (out != NULL) {
        out->message.topic = (const char *)topic.data;
        out->message.key = key;
        if (!kafka_is_topic(topic)) {
            out->status = HF_INVALID;
            out->text = "the name of the topic, which comes from the data, is none that Kafka "
                        "allows";
        }
    }
    return out;
}

/* ---- an item as a message: raw bodies and spans of Jaeger ---- */

static bool is_by_item(const struct splitter *splitter)
{
    return splitter->plan.encoding == KAFKA_RAW || is_jaeger(splitter);
}

/* Bytes as they are, all else as JSON. */
static enum hf_status write_body(struct splitter *splitter, struct hf_slice body,
                                 struct hf_bytes *out)
{
    const struct hf_any any = hf_any_read(body);
    if (any.type == HF_ANY_BYTES) {
        return hf_bytes_append(out, any.bytes);
    }
    struct hf_any_maker maker = {.arena = hf_document_arena(splitter->document)};
    struct hf_slice list = hf_any_make_list(&maker, &body, 1);
    enum hf_status status = maker.failed ? HF_NOMEM : hf_any_text(list, out);
    if (status == HF_OK && out->size >= 2) { /* without the brackets of the list */
        memmove(out->data, out->data + 1, out->size - 2);
        out->size -= 2;
    }
    return status;
}

static enum hf_status write_span(struct splitter *splitter, const struct hf_place *place,
                                 struct hf_bytes *out)
{
    const struct hf_jaeger_span span = hf_jaeger_out_span(place, &splitter->process);
    return splitter->plan.encoding == KAFKA_JAEGER_JSON ? hf_jaeger_out_json(&span, out)
                                                        : hf_jaeger_out_proto(&span, out);
}

static enum hf_status put_item(struct splitter *splitter, const struct hf_place *place,
                               uint32_t item)
{
    struct kafka_request *request = splitter->request;
    struct hf_slice body =
        is_jaeger(splitter) ? HF_EMPTY_SLICE : hf_message_any(place->item, LOG_BODY);
    if (!is_jaeger(splitter) && hf_any_read(body).type == HF_ANY_EMPTY) {
        request->left_out++;
        return HF_OK;
    }
    struct kafka_out *out = add_addressed(splitter);
    if (out == NULL) {
        return HF_NOMEM;
    }
    out->items = 1;
    request->out_of_item[item] = (uint32_t)request->count;
    return is_jaeger(splitter) ? write_span(splitter, place, &out->bytes)
                               : write_body(splitter, body, &out->bytes);
}

/* ---- parts of the document as messages ---- */

static enum hf_status put_part(struct splitter *splitter, const struct hf_place *place,
                               uint32_t item)
{
    struct kafka_request *request = splitter->request;
    if (is_zipkin(splitter) && (!has_id(place->item, SPAN_TRACE_ID, TRACE_ID_SIZE) ||
                                !has_id(place->item, SPAN_ID, TRACE_ID_SIZE / 2))) {
        request->left_out++;
        return HF_OK;
    }
    const struct hf_slice key = hf_slice_of(splitter->text.data, splitter->text.size);
    size_t before = splitter->parts.count;
    enum hf_status status = hf_parts_put(&splitter->parts, place, key);
    if (status != HF_OK) {
        return status == HF_FULL ? HF_TOO_LARGE : status;
    }
    if (splitter->parts.count != before && add_addressed(splitter) == NULL) {
        return HF_NOMEM;
    }
    /* The part that the item is in is the last one that was made, or one that was met before. */
    size_t part = splitter->parts.count != before ? before : hf_parts_find(&splitter->parts, key);
    request->out_of_item[item] = (uint32_t)part + 1;
    request->outs[part].items++;
    return HF_OK;
}

/* `ret_left_out`: items that the encoding cannot have. */
static enum hf_status encode(const struct splitter *splitter, struct hf_slice raw,
                             struct hf_bytes *out, uint64_t *ret_left_out)
{
    const struct hf_zipkin_write_options options = {.is_proto = splitter->plan.encoding ==
                                                                KAFKA_ZIPKIN_PROTO,
                                                    .default_service = HF_JAEGER_NO_SERVICE};
    *ret_left_out = 0;
    return is_zipkin(splitter) ? hf_zipkin_write(raw, &options, out, ret_left_out)
           : splitter->plan.encoding == KAFKA_OTLP_JSON
               ? hf_json_from_proto(splitter->request->export->signal, raw, out)
               : hf_bytes_append(out, raw);
}

static enum hf_status write_parts(struct splitter *splitter)
{
    size_t count = splitter->parts.count;
    struct hf_bytes *written = calloc(count + 1, sizeof(*written));
    if (written == NULL) {
        return HF_NOMEM;
    }
    uint64_t left_out; /* such items are in no part */
    hf_parts_put_rest(&splitter->parts, splitter->document, 0);
    enum hf_status status = hf_parts_write_all(&splitter->parts, splitter->document, written);
    for (size_t i = 0; i < count; i++) {
        struct hf_bytes *out = &splitter->request->outs[i].bytes;
        if (splitter->plan.encoding == KAFKA_OTLP_PROTO) {
            *out = written[i];
            continue;
        }
        if (status == HF_OK) {
            status =
                encode(splitter, hf_slice_of(written[i].data, written[i].size), out, &left_out);
        }
        hf_bytes_release(&written[i]);
    }
    free(written);
    return status;
}

static enum hf_status walk(struct splitter *splitter)
{
    struct hf_place place = {.document = splitter->document};
    uint32_t items = splitter->request->export->items;
    enum hf_status status = HF_OK;
    uint32_t item = 0;
    while (status == HF_OK && hf_place_next_item(&place)) {
        if (item == items) {
            return HF_CORRUPT;
        }
        status = begin_resource(splitter, &place);
        splitter->text.size = splitter->topic_size;
        if (status == HF_OK) {
            status = add_key(splitter, &place);
        }
        if (status == HF_OK) {
            status = is_by_item(splitter) ? put_item(splitter, &place, item)
                                          : put_part(splitter, &place, item);
        }
        item++;
    }
    status = status == HF_OK ? hf_document_status(splitter->document) : status;
    return status == HF_OK && item != items ? HF_CORRUPT : status;
}

static enum hf_status split(struct splitter *splitter, struct hf_slice raw)
{
    struct kafka_request *request = splitter->request;
    request->out_of_item = calloc(request->export->items + 1, sizeof(*request->out_of_item));
    splitter->document = hf_document_borrow(request->export->signal, raw);
    enum hf_status status =
        request->out_of_item != NULL && splitter->document != NULL ? walk(splitter) : HF_NOMEM;
    if (status == HF_OK && !is_by_item(splitter)) {
        status = write_parts(splitter);
    }
    hf_document_return(splitter->document);
    return status;
}

/* All items in one message. */
static enum hf_status make_one(struct splitter *splitter, struct hf_slice raw)
{
    struct kafka_request *request = splitter->request;
    enum hf_status status = hf_bytes_append(&splitter->text, splitter->topic);
    if (status == HF_OK) {
        status = hf_bytes_append(&splitter->text, hf_slice_of("", 1));
    }
    splitter->topic_size = splitter->text.size;
    if (status == HF_OK) {
        status = add_key(splitter, &(const struct hf_place){0});
    }
    struct kafka_out *out = status == HF_OK ? add_addressed(splitter) : NULL;
    if (out == NULL) {
        return HF_NOMEM;
    }
    out->items = request->export->items;
    if (splitter->plan.encoding == KAFKA_OTLP_PROTO) {
        out->message.value = raw; /* the payload's, or the queue's */
        return HF_OK;
    }
    uint64_t left_out = 0;
    status = encode(splitter, raw, &out->bytes, &left_out);
    request->left_out = (uint32_t)left_out;
    if (status == HF_OK && left_out == request->export->items && is_zipkin(splitter)) {
        hf_bytes_release(&out->bytes);
        request->count--; /* there is nothing to send */
    }
    return status;
}

static enum hf_status fill(struct splitter *splitter)
{
    struct kafka_request *request = splitter->request;
    const struct hf_export *export = request->export;
    struct hf_slice raw;
    if (!make_headers(request, splitter->config)) {
        return HF_NOMEM;
    }
    enum hf_status status =
        hf_payload_read(&request->payload, export->bodies, export->body_count, &raw);
    if (status != HF_OK) {
        return status;
    }
    find_topic_and_key(splitter);
    bool is_split =
        splitter->plan.key != KAFKA_KEY_NONE || is_by_item(splitter) ||
        (splitter->config->topic_from_attribute != NULL && !has_topic_of_metadata(splitter));
    status = is_split ? split(splitter, raw) : make_one(splitter, raw);
    return status == HF_INVALID ? HF_CORRUPT : status;
}

/* The list of messages does not grow any more: what points into it can be set. */
static void finish(struct kafka_request *request)
{
    for (size_t i = 0; i < request->count; i++) {
        struct kafka_out *out = &request->outs[i];
        if (out->message.value.data == NULL) {
            out->message.value = hf_slice_of(out->bytes.data, out->bytes.size);
        }
        out->message.headers = request->headers;
        out->message.header_count = request->header_count;
    }
}

enum hf_status kafka_request_new(struct hf_export *export, const struct kafka_config *config,
                                 struct kafka_request **ret_request)
{
    struct kafka_request *request = calloc(1, sizeof(*request));
    if (request == NULL) {
        return HF_NOMEM;
    }
    request->export = export;
    request->arena.limit = ARENA_BYTES_MAX;
    struct splitter splitter = {.request = request,
                                .config = config,
                                .plan = kafka_config_plan(config, export->signal),
                                .parts = {.limit = OUTS_MAX}};
    enum hf_status status = fill(&splitter);
    hf_parts_release(&splitter.parts);
    hf_bytes_release(&splitter.text);
    if (status != HF_OK) {
        kafka_request_free(request);
        return status;
    }
    finish(request);
    *ret_request = request;
    return HF_OK;
}

void kafka_request_free(struct kafka_request *request)
{
    for (size_t i = 0; i < request->count; i++) {
        hf_bytes_release(&request->outs[i].bytes);
    }
    free(request->outs);
    free(request->out_of_item);
    hf_arena_release(&request->arena);
    hf_payload_release(&request->payload);
    free(request);
}
