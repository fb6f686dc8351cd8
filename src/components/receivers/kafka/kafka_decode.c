#include "kafka_decode.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <holdfast/component.h>
#include <holdfast/meta.h>

#include "encodings/jaeger/jaeger.h"
#include "encodings/zipkin/zipkin.h"
#include "pdata/any_make.h"
#include "pdata/document.h"
#include "pdata/json.h"
#include "pdata/json_any.h"
#include "pdata/repair.h"
#include "pdata/scan.h"
#include "util/time/clock.h"

#define BATCH_BYTES_MAX ((size_t)256 << 20)
#define JSON_BYTES_MAX ((size_t)256 << 20)
#define NAME_MAX_SIZE 256

enum hf_status kafka_decoder_init(struct kafka_decoder *decoder)
{
    hf_builder_init(&decoder->builder, decoder->signal, BATCH_BYTES_MAX);
    return decoder->plan.encoding == KAFKA_TEXT
               ? hf_encoding_open(decoder->plan.characters, &decoder->characters)
               : HF_OK;
}

void kafka_decoder_release(struct kafka_decoder *decoder)
{
    hf_builder_release(&decoder->builder);
    hf_bytes_release(&decoder->proto);
    hf_bytes_release(&decoder->repaired);
    hf_bytes_release(&decoder->text);
    if (decoder->plan.encoding == KAFKA_TEXT) {
        hf_encoding_close(&decoder->characters);
    }
}

/* ---- the client's metadata: what components downstream read ---- */

static void add_meta(struct hf_meta_writer *writer, const char *key, struct hf_slice value)
{
    enum hf_status status = hf_meta_add(writer, HF_META_HEADER, hf_slice_text(key), value);
    (void)status; /* no room: as with too many headers of a request */
}

static void add_number(struct hf_meta_writer *writer, const char *key, int64_t number)
{
    char text[24];
    int size = snprintf(text, sizeof(text), "%lld", (long long)number);
    add_meta(writer, key, hf_slice_of(text, (size_t)size));
}

static bool is_named(struct hf_slice name, const char *key)
{
    return name.size == strlen(key) && strncasecmp((const char *)name.data, key, name.size) == 0;
}

static void read_meta(const struct kafka_decoder *decoder, const struct hf_kafka_consumer *consumer,
                      const rd_kafka_message_t *message, struct hf_meta_writer *writer)
{
    size_t count = 0;
    const char *const *keys = hf_node_metadata_keys(decoder->node, &count);
    for (size_t k = 0; k < count; k++) {
        struct hf_slice name, value;
        size_t index = 0;
        while (hf_kafka_consumer_header(consumer, message, &index, &name, &value)) {
            if (is_named(name, keys[k])) {
                add_meta(writer, keys[k], value);
            }
        }
        if (strcmp(keys[k], "kafka.topic") == 0) {
            add_meta(writer, keys[k],
                     hf_slice_text(consumer->client.library->topic_name(message->rkt)));
        } else if (strcmp(keys[k], "kafka.partition") == 0) {
            add_number(writer, keys[k], message->partition);
        } else if (strcmp(keys[k], "kafka.offset") == 0) {
            add_number(writer, keys[k], message->offset);
        }
    }
}

/* ---- OTLP ---- */

static enum hf_status make_batch(const struct kafka_decoder *decoder, struct hf_slice raw,
                                 struct hf_slice meta, uint32_t items, struct hf_batch **ret_batch)
{
    struct hf_batch *batch = hf_batch_new(decoder->signal, raw.size, meta);
    if (batch == NULL) {
        return HF_NOMEM;
    }
    if (raw.size != 0) {
        memcpy(hf_batch_room(batch), raw.data, raw.size);
    }
    hf_batch_seal(batch, raw.size, items);
    *ret_batch = batch;
    return HF_OK;
}

/* Text that is not UTF-8 is repaired when that is all that is wrong. */
static enum hf_status read_proto(struct kafka_decoder *decoder, struct hf_slice raw,
                                 struct hf_slice meta, struct hf_batch **ret_batch, char *reterr)
{
    struct hf_scan scan;
    uint64_t count = 0;
    enum hf_status status = hf_scan(decoder->signal, raw, &scan);
    if (status == HF_INVALID) {
        decoder->repaired.size = 0;
        status = hf_repair(decoder->signal, raw, &decoder->repaired, &count);
        raw = hf_slice_of(decoder->repaired.data, decoder->repaired.size);
        status = status == HF_OK && count == 0 ? HF_INVALID : status;
        status = status == HF_OK ? hf_scan(decoder->signal, raw, &scan) : status;
    }
    if (status == HF_OK) {
        return make_batch(decoder, raw, meta, scan.items, ret_batch);
    }
    snprintf(reterr, HF_ERROR_MAX, "it is no OTLP request of %s", hf_signal_name(decoder->signal));
    return status == HF_NOMEM ? HF_NOMEM : HF_INVALID;
}

static enum hf_status read_json(struct kafka_decoder *decoder, struct hf_slice text,
                                struct hf_slice meta, struct hf_batch **ret_batch, char *reterr)
{
    char why[HF_JSON_ERROR_MAX] = "";
    decoder->proto.size = 0;
    enum hf_status status =
        hf_json_to_proto_any_text(decoder->signal, text, JSON_BYTES_MAX, &decoder->proto, why);
    if (status == HF_OK) {
        return read_proto(decoder, hf_slice_of(decoder->proto.data, decoder->proto.size), meta,
                          ret_batch, reterr);
    }
    snprintf(reterr, HF_ERROR_MAX, "%s", why);
    return status == HF_NOMEM ? HF_NOMEM : HF_INVALID;
}

/* ---- what is built ---- */

/* The one batch that the builder has, which may have none. */
static enum hf_status take_built(const struct kafka_decoder *decoder, struct hf_builder *builder,
                                 struct hf_slice meta, struct hf_batch **ret_batch, char *reterr)
{
    enum hf_status status = hf_build_finish(builder);
    if (status != HF_OK) {
        return status;
    }
    struct hf_batch *built = hf_build_take(builder);
    struct hf_batch *more = built != NULL ? hf_build_take(builder) : NULL;
    if (more != NULL) {
        snprintf(reterr, HF_ERROR_MAX, "as OTLP it is larger than one request may be (256 MiB)");
        for (; more != NULL; more = hf_build_take(builder)) {
            hf_ref_drop(&more->ref);
        }
        status = HF_INVALID;
    } else if (built == NULL) {
        return make_batch(decoder, HF_EMPTY_SLICE, meta, 0, ret_batch);
    } else if (meta.size == 0) {
        *ret_batch = built;
        return HF_OK;
    } else {
        *ret_batch = hf_batch_wrap(decoder->signal, HF_IDENTITY, built->wire, &built->ref, meta);
        status = *ret_batch != NULL ? HF_OK : HF_NOMEM;
    }
    if (status == HF_OK) {
        (*ret_batch)->items = built->items;
        (*ret_batch)->received_ns = built->received_ns;
    }
    hf_ref_drop(&built->ref);
    return status;
}

/* ---- spans of Jaeger and Zipkin ---- */

static enum hf_status parse_spans(struct kafka_decoder *decoder, struct hf_slice value,
                                  char *reterr)
{
    struct hf_zipkin_options zipkin = {.format = HF_ZIPKIN_V2_PROTO};
    switch (decoder->plan.encoding) {
    case KAFKA_JAEGER_PROTO:
        return hf_jaeger_read(value, HF_JAEGER_SPAN_PROTO, &decoder->builder, reterr);
    case KAFKA_JAEGER_JSON:
        return hf_jaeger_read(value, HF_JAEGER_SPAN_JSON, &decoder->builder, reterr);
    case KAFKA_ZIPKIN_JSON:
        zipkin.format = HF_ZIPKIN_V2_JSON;
        break;
    case KAFKA_ZIPKIN_THRIFT:
        zipkin.format = HF_ZIPKIN_V1_THRIFT;
        break;
    default:
        break;
    }
    return hf_zipkin_read(value, &zipkin, &decoder->builder, reterr);
}

static enum hf_status read_spans(struct kafka_decoder *decoder, struct hf_slice value,
                                 struct hf_slice meta, struct hf_batch **ret_batch, char *reterr)
{
    struct hf_batch *batch = NULL;
    enum hf_status status = parse_spans(decoder, value, reterr);
    if (status == HF_OK) {
        return take_built(decoder, &decoder->builder, meta, ret_batch, reterr);
    }
    /* Spans in front of the fault are thrown away. */
    char unused[HF_ERROR_MAX];
    if (take_built(decoder, &decoder->builder, HF_EMPTY_SLICE, &batch, unused) == HF_OK) {
        hf_ref_drop(&batch->ref);
    }
    return status == HF_NOMEM ? HF_NOMEM : HF_INVALID;
}

/* ---- a log record of a message ---- */

static enum hf_status put_body(struct kafka_decoder *decoder, struct hf_slice value,
                               struct hf_any_maker *maker)
{
    struct hf_builder *builder = &decoder->builder;
    struct hf_slice body = value;
    enum hf_status status = HF_OK;
    switch (decoder->plan.encoding) {
    case KAFKA_TEXT:
        status = hf_encoding_decode(&decoder->characters, value, &decoder->text, &body);
        if (status == HF_OK) {
            hf_build_body_string(builder, body);
        }
        break;
    case KAFKA_JSON:
        status = hf_json_any(maker, value, &body);
        if (status == HF_OK && hf_any_read(body).type != HF_ANY_MAP) {
            status = HF_INVALID;
        }
        if (status == HF_OK) {
            hf_build_body_value(builder, body);
        }
        break;
    default:
        hf_build_body_bytes(builder, value);
    }
    return status;
}

static enum hf_status build_record(struct kafka_decoder *decoder, struct hf_slice value,
                                   struct hf_slice meta, struct hf_batch **ret_batch, char *reterr)
{
    struct hf_arena arena = {.limit = 4 * (size_t)HF_JSON_ANY_BYTES_MAX + 4 * value.size + 4096};
    struct hf_any_maker maker = {.arena = &arena};
    struct hf_builder *builder = &decoder->builder;
    const struct hf_build_log_record record = {.observed_ns = hf_clock_unix_ns()};
    hf_build_resource(builder, HF_EMPTY_SLICE);
    hf_build_scope(builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    hf_build_log_record(builder, &record);
    enum hf_status status = put_body(decoder, value, &maker);
    hf_build_end(builder);
    enum hf_status taken = take_built(decoder, builder, meta, ret_batch, reterr);
    hf_arena_release(&arena);
    if (taken == HF_OK && status != HF_OK) {
        hf_ref_drop(&(*ret_batch)->ref);
    }
    if (status != HF_OK && status != HF_NOMEM) {
        snprintf(reterr, HF_ERROR_MAX, "%s",
                 decoder->plan.encoding == KAFKA_JSON ? "it is no JSON object"
                                                      : "it is not in its encoding");
        return HF_INVALID;
    }
    return status != HF_OK ? status : taken;
}

/* ---- headers as attributes of resources ---- */

static void set_header(struct hf_document *document, struct hf_message *resource,
                       struct hf_slice name, struct hf_slice value)
{
    char key[NAME_MAX_SIZE];
    int size =
        snprintf(key, sizeof(key), "kafka.header.%.*s", (int)name.size, (const char *)name.data);
    struct hf_any_maker maker = {.arena = hf_document_arena(document)};
    struct hf_slice kept = hf_document_keep(
        document, hf_slice_of(key, (size_t)size < sizeof(key) ? (size_t)size : sizeof(key) - 1));
    struct hf_attributes *attributes = hf_message_attributes(resource, 1);
    struct hf_bytes text = {0};
    if (attributes != NULL && hf_repair_text(value, &text) == HF_OK) {
        hf_attributes_set(attributes, kept,
                          hf_any_make_string(&maker, hf_slice_of(text.data, text.size)));
    }
    hf_bytes_release(&text);
}

/* Of each name that is wanted, the first header. */
static void set_headers(const struct kafka_decoder *decoder,
                        const struct hf_kafka_consumer *consumer, const rd_kafka_message_t *message,
                        struct hf_document *document, struct hf_message *resource)
{
    const struct hf_string_list *wanted = &decoder->config->header_extraction.headers;
    for (size_t i = 0; i < wanted->count; i++) {
        struct hf_slice name, value;
        size_t index = 0;
        bool found = false;
        while (!found && hf_kafka_consumer_header(consumer, message, &index, &name, &value)) {
            found = hf_slice_is(name, wanted->items[i]);
        }
        if (found) {
            set_header(document, resource, name, value);
        }
    }
}

/* `*batch` is replaced. */
static enum hf_status extract_headers(const struct kafka_decoder *decoder,
                                      const struct hf_kafka_consumer *consumer,
                                      const rd_kafka_message_t *message, struct hf_batch **batch)
{
    struct hf_batch *made = NULL;
    struct hf_document *document = hf_document_borrow(decoder->signal, (*batch)->wire);
    if (document == NULL) {
        return HF_NOMEM;
    }
    struct hf_message *group = hf_message_first(hf_document_root(document), 1);
    for (; group != NULL; group = hf_message_next(group)) {
        struct hf_message *resource = hf_message_need(group, 1);
        if (resource != NULL) {
            set_headers(decoder, consumer, message, document, resource);
        }
    }
    enum hf_status status = hf_document_batch(document, *batch, &made);
    hf_document_return(document);
    if (status == HF_OK && made != NULL) {
        hf_ref_drop(&(*batch)->ref);
        *batch = made;
    }
    return status;
}

enum hf_status kafka_decode(struct kafka_decoder *decoder, const struct hf_kafka_consumer *consumer,
                            const rd_kafka_message_t *message, struct hf_batch **ret_batch,
                            char *reterr)
{
    struct hf_meta_writer writer = {.size = 0};
    const struct hf_slice value = hf_slice_of(message->payload, message->len);
    struct hf_batch *batch = NULL;
    read_meta(decoder, consumer, message, &writer);
    const struct hf_slice meta = hf_slice_of(writer.bytes, writer.size);
    enum hf_status status = decoder->plan.encoding == KAFKA_OTLP_PROTO
                                ? read_proto(decoder, value, meta, &batch, reterr)
                            : decoder->plan.encoding == KAFKA_OTLP_JSON
                                ? read_json(decoder, value, meta, &batch, reterr)
                            : decoder->plan.encoding >= KAFKA_JAEGER_PROTO
                                ? read_spans(decoder, value, meta, &batch, reterr)
                                : build_record(decoder, value, meta, &batch, reterr);
    if (status == HF_OK && decoder->config->header_extraction.extract_headers &&
        decoder->config->header_extraction.headers.count != 0) {
        status = extract_headers(decoder, consumer, message, &batch);
        if (status != HF_OK) {
            hf_ref_drop(&batch->ref);
        }
    }
    if (status == HF_OK) {
        batch->raw = batch->wire;
        *ret_batch = batch;
    }
    return status;
}
