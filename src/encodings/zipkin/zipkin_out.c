#include "zipkin_out.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pdata/any.h"
#include "pdata/any_make.h"
#include "pdata/json_value.h"
#include "util/hex.h"

enum {
    RESOURCE_ATTRIBUTES = 1,
    SCOPE_NAME = 1,
    SCOPE_VERSION = 2,
    SCOPE_ATTRIBUTES = 3,
    SPAN_TRACE_ID = 1,
    SPAN_ID = 2,
    SPAN_STATE = 3,
    SPAN_PARENT_ID = 4,
    SPAN_NAME = 5,
    SPAN_KIND = 6,
    SPAN_START = 7,
    SPAN_END = 8,
    SPAN_ATTRIBUTES = 9,
    SPAN_EVENTS = 11,
    SPAN_LINKS = 13,
    SPAN_STATUS = 15,
    STATUS_MESSAGE = 2,
    STATUS_CODE = 3,
    EVENT_TIME = 1,
    EVENT_NAME = 2,
    EVENT_ATTRIBUTES = 3,
    EVENT_DROPPED = 4,
    LINK_TRACE_ID = 1,
    LINK_SPAN_ID = 2,
    LINK_STATE = 3,
    LINK_ATTRIBUTES = 4,
    LINK_DROPPED = 5,
};

#define NS_PER_S UINT64_C(1000000000)
#define SETTLED_TAGS_MAX 1024u /* in more tags, keys that are there twice stay */

/* The tags of one span as they are gathered. */
struct gathering {
    struct hf_document *document;
    struct hf_zipkin_tag *tags;
    size_t count, capacity;
};

/* ---- tags ---- */

static struct hf_zipkin_tag *find(const struct gathering *all, struct hf_slice key)
{
    for (size_t i = 0; i < all->count; i++) {
        if (hf_slice_equal(all->tags[i].key, key)) {
            return &all->tags[i];
        }
    }
    return NULL;
}

static struct hf_zipkin_tag *find_text(const struct gathering *all, const char *key)
{
    return find(all, hf_slice_text(key));
}

static void drop(struct gathering *all, struct hf_zipkin_tag *tag)
{
    if (tag != NULL) {
        *tag = all->tags[--all->count];
    }
}

/* The last value that a key gets counts. */
static void set(struct gathering *all, struct hf_slice key, struct hf_slice value)
{
    struct hf_zipkin_tag *tag = all->count <= SETTLED_TAGS_MAX ? find(all, key) : NULL;
    if (tag == NULL && all->count < all->capacity) {
        tag = &all->tags[all->count++];
        tag->key = key;
    }
    if (tag != NULL) {
        tag->value = value;
    }
}

static void set_text(struct gathering *all, const char *key, struct hf_slice value)
{
    set(all, hf_slice_text(key), value);
}

/* A value as the text of a tag. */
static struct hf_slice text_of(struct hf_document *document, struct hf_slice value)
{
    struct hf_any any = hf_any_read(value);
    struct hf_bytes bytes = {0};
    struct hf_slice text = HF_EMPTY_SLICE;
    if (any.type == HF_ANY_STRING) {
        return any.bytes;
    }
    if (hf_any_text(value, &bytes) == HF_OK) {
        text = hf_document_keep(document, hf_slice_of(bytes.data, bytes.size));
    }
    hf_bytes_release(&bytes);
    return text;
}

static void set_attributes(struct gathering *all, const struct hf_attributes *attributes)
{
    for (size_t i = 0; attributes != NULL && i < attributes->count; i++) {
        set(all, attributes->items[i].key, text_of(all->document, attributes->items[i].value));
    }
}

/* All of them as the text of a JSON object. */
static struct hf_slice object_of(struct hf_document *document,
                                 const struct hf_attributes *attributes)
{
    size_t count = attributes == NULL ? 0 : attributes->count;
    struct hf_any_maker maker = {.arena = hf_document_arena(document)};
    struct hf_any_pair *pairs = hf_arena_take(maker.arena, (count + 1) * sizeof(*pairs));
    for (size_t i = 0; i < count && pairs != NULL; i++) {
        pairs[i] = (struct hf_any_pair){attributes->items[i].key, attributes->items[i].value};
    }
    return pairs == NULL ? HF_EMPTY_SLICE
                         : text_of(document, hf_any_make_map(&maker, pairs, count));
}

/* ---- service and endpoints ---- */

static struct hf_slice service_of(struct gathering *all, struct hf_slice otherwise)
{
    static const char *const keys[] = {"service.name", "faas.name", "k8s.deployment.name",
                                       "process.executable.name"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct hf_zipkin_tag *tag = find_text(all, keys[i]);
        if (tag != NULL) {
            struct hf_slice service = tag->value;
            drop(all, tag);
            if (i != 0) {
                set_text(all, "otlp.service.name.source", hf_slice_text(keys[i]));
            }
            return service;
        }
    }
    return otherwise;
}

/* The address is kept as a tag when it is none. */
static void take_ip(struct gathering *all, const char *key, struct hf_zipkin_endpoint *endpoint)
{
    struct hf_zipkin_tag *tag = find_text(all, key);
    char text[INET6_ADDRSTRLEN];
    uint8_t bytes[16];
    if (tag == NULL || tag->value.size == 0 || tag->value.size >= sizeof(text)) {
        return;
    }
    snprintf(text, sizeof(text), "%.*s", (int)tag->value.size, (const char *)tag->value.data);
    bool is_ip6 = strchr(text, ':') != NULL;
    if (inet_pton(is_ip6 ? AF_INET6 : AF_INET, text, bytes) == 1) {
        *(is_ip6 ? &endpoint->ip6 : &endpoint->ip4) = tag->value;
        drop(all, tag);
    }
}

static void take_port(struct gathering *all, const char *key, struct hf_zipkin_endpoint *endpoint)
{
    struct hf_zipkin_tag *tag = find_text(all, key);
    bool has_host =
        endpoint->service.size != 0 || endpoint->ip4.size != 0 || endpoint->ip6.size != 0;
    uint64_t port;
    if (tag != NULL && has_host && hf_json_read_u64(tag->value, &port) && port <= UINT16_MAX) {
        endpoint->port = (uint32_t)port;
        drop(all, tag);
    }
}

static void take_remote(struct gathering *all, struct hf_zipkin_endpoint *remote)
{
    struct hf_zipkin_tag *tag = find_text(all, "service.peer.name");
    tag = tag != NULL ? tag : find_text(all, "peer.service");
    if (tag != NULL) {
        remote->service = tag->value;
        drop(all, tag);
    }
    take_ip(all, "network.peer.address", remote);
    take_port(all, "net.peer.port", remote);
}

/* ---- what the span has beside attributes ---- */

static void set_status(struct gathering *all, struct hf_message *span)
{
    static const char *const names[] = {NULL, "STATUS_CODE_OK", "STATUS_CODE_ERROR"};
    struct hf_message *status = hf_message_one(span, SPAN_STATUS);
    int64_t code = hf_message_i64(status, STATUS_CODE);
    struct hf_slice message = hf_message_bytes(status, STATUS_MESSAGE);
    drop(all, find_text(all, "error"));
    if (code != 1 && code != 2) {
        return;
    }
    if (code == 2) {
        set_text(all, "error", hf_slice_text("true"));
    }
    set_text(all, "otel.status_code", hf_slice_text(names[code]));
    if (message.size != 0) {
        set_text(all, "otel.status_description", message);
    }
}

/* The pieces and the count, a bar between each. */
static struct hf_slice join(struct hf_document *document, const struct hf_slice *pieces,
                            size_t count, uint64_t dropped)
{
    struct hf_bytes bytes = {0};
    char number[HF_JSON_DIGITS_MAX];
    bool is_good = true;
    for (size_t i = 0; i < count; i++) {
        is_good = is_good && hf_bytes_append(&bytes, pieces[i]) == HF_OK &&
                  hf_bytes_append(&bytes, hf_slice_text("|")) == HF_OK;
    }
    size_t size = hf_json_print_u64(dropped, number);
    is_good = is_good && hf_bytes_append(&bytes, hf_slice_of(number, size)) == HF_OK;
    struct hf_slice text =
        is_good ? hf_document_keep(document, hf_slice_of(bytes.data, bytes.size)) : HF_EMPTY_SLICE;
    hf_bytes_release(&bytes);
    return text;
}

static void set_links(struct gathering *all, struct hf_message *span)
{
    unsigned number = 0;
    for (struct hf_message *link = hf_message_first(span, SPAN_LINKS); link != NULL;
         link = hf_message_next(link)) {
        char key[32], trace[32], id[16];
        struct hf_slice trace_id = hf_message_bytes(link, LINK_TRACE_ID);
        struct hf_slice span_id = hf_message_bytes(link, LINK_SPAN_ID);
        const struct hf_slice pieces[] = {
            hf_slice_of(trace, trace_id.size == 16 ? hf_hex_write(trace_id, trace) : 0),
            hf_slice_of(id, span_id.size == 8 ? hf_hex_write(span_id, id) : 0),
            hf_message_bytes(link, LINK_STATE),
            object_of(all->document, hf_message_attributes(link, LINK_ATTRIBUTES)),
        };
        int size = snprintf(key, sizeof(key), "otlp.link.%u", number++);
        set(all, hf_document_keep(all->document, hf_slice_of(key, (size_t)size)),
            join(all->document, pieces, 4, hf_message_u64(link, LINK_DROPPED)));
    }
}

static void take_events(struct hf_document *document, struct hf_message *span,
                        struct hf_zipkin_span *out)
{
    size_t count = hf_message_count(span, SPAN_EVENTS);
    struct hf_zipkin_annotation *annotations =
        hf_arena_take(hf_document_arena(document), (count + 1) * sizeof(*annotations));
    out->annotations = annotations;
    for (struct hf_message *event = hf_message_first(span, SPAN_EVENTS);
         event != NULL && annotations != NULL && out->annotation_count < count;
         event = hf_message_next(event)) {
        const struct hf_attributes *attributes = hf_message_attributes(event, EVENT_ATTRIBUTES);
        uint64_t dropped = hf_message_u64(event, EVENT_DROPPED);
        struct hf_slice value = hf_message_bytes(event, EVENT_NAME);
        if ((attributes != NULL && attributes->count != 0) || dropped != 0) {
            const struct hf_slice pieces[] = {value, object_of(document, attributes)};
            value = join(document, pieces, 2, dropped);
        }
        annotations[out->annotation_count++] =
            (struct hf_zipkin_annotation){hf_message_u64(event, EVENT_TIME), value};
    }
}

/* Zipkin's older names, which its users look for. */
static void add_older_names(struct gathering *all)
{
    struct hf_zipkin_tag *code = find_text(all, "http.response.status_code");
    struct hf_zipkin_tag *resource = find_text(all, "cloud.resource_id");
    if (code != NULL && find_text(all, "http.status_code") == NULL) {
        set_text(all, "http.status_code", code->value);
    }
    if (resource != NULL && find_text(all, "faas.id") == NULL) {
        resource->key = hf_slice_text("faas.id");
    }
}

static void gather(const struct hf_place *place, struct hf_slice default_service,
                   struct gathering *all, struct hf_zipkin_span *out)
{
    struct hf_message *scope = hf_place_scope(place);
    struct hf_slice name = hf_message_bytes(scope, SCOPE_NAME);
    struct hf_slice version = hf_message_bytes(scope, SCOPE_VERSION);
    struct hf_slice state = hf_message_bytes(place->item, SPAN_STATE);
    set_attributes(all, hf_message_attributes(hf_place_resource(place), RESOURCE_ATTRIBUTES));
    out->local.service = service_of(all, default_service);
    set_attributes(all, hf_message_attributes(scope, SCOPE_ATTRIBUTES));
    if (name.size != 0) {
        set_text(all, "otel.library.name", name);
    }
    if (version.size != 0) {
        set_text(all, "otel.library.version", version);
    }
    set_attributes(all, hf_message_attributes(place->item, SPAN_ATTRIBUTES));
    add_older_names(all);
    if (state.size != 0) {
        set_text(all, "w3c.tracestate", state);
    }
    if (out->kind == 1) {
        set_text(all, "span.kind", hf_slice_text("internal"));
    }
    take_ip(all, "network.local.address", &out->local);
    take_port(all, "net.host.port", &out->local);
    take_remote(all, &out->remote);
    set_status(all, place->item);
    set_links(all, place->item);
}

static size_t count_of(struct hf_message *message, uint32_t number)
{
    const struct hf_attributes *attributes = hf_message_attributes(message, number);
    return attributes == NULL ? 0 : attributes->count;
}

bool hf_zipkin_out_span(const struct hf_place *place, struct hf_slice default_service,
                        struct hf_zipkin_span *ret_span)
{
    static const uint8_t none[16];
    struct hf_message *span = place->item;
    struct hf_slice trace_id = hf_message_bytes(span, SPAN_TRACE_ID);
    struct hf_slice id = hf_message_bytes(span, SPAN_ID);
    struct hf_slice parent = hf_message_bytes(span, SPAN_PARENT_ID);
    struct gathering all = {.document = place->document, .capacity = 16};
    *ret_span = (struct hf_zipkin_span){.name = hf_message_bytes(span, SPAN_NAME),
                                        .kind = (uint32_t)hf_message_i64(span, SPAN_KIND),
                                        .time_us = hf_message_u64(span, SPAN_START)};
    if (trace_id.size != 16 || id.size != 8 || memcmp(trace_id.data, none, 16) == 0 ||
        memcmp(id.data, none, 8) == 0) {
        return false;
    }
    memcpy(ret_span->trace_id, trace_id.data, 16);
    memcpy(ret_span->span_id, id.data, 8);
    if (parent.size == 8) {
        memcpy(ret_span->parent_id, parent.data, 8);
    }
    uint64_t end_ns = hf_message_u64(span, SPAN_END);
    ret_span->duration_us = end_ns > ret_span->time_us ? end_ns - ret_span->time_us : 0;
    ret_span->has_no_time = ret_span->time_us < NS_PER_S;
    all.capacity += count_of(hf_place_resource(place), RESOURCE_ATTRIBUTES) +
                    count_of(hf_place_scope(place), SCOPE_ATTRIBUTES) +
                    count_of(span, SPAN_ATTRIBUTES) + hf_message_count(span, SPAN_LINKS);
    all.tags = hf_arena_take(hf_document_arena(place->document), all.capacity * sizeof(*all.tags));
    if (all.tags != NULL) {
        gather(place, default_service, &all, ret_span);
        take_events(place->document, span, ret_span);
    }
    ret_span->tags = all.tags;
    ret_span->tag_count = all.tags != NULL ? all.count : 0;
    return true;
}
