#include "zipkin_span.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "pdata/build_spans.h"
#include "pdata/json_value.h"
#include "util/fnv.h"
#include "zipkin_parts.h"

#define NO_SERVICE "OTLPResourceNoServiceName" /* what the Go collector's exporter writes */
#define ABSENT_START "otel.zipkin.absentField.startTime"
#define SETTLED_TAGS_MAX 128u /* in more tags, keys that are there twice stay */
#define LINKS_MAX 128u

struct hf_slice hf_zipkin_ip_text(struct hf_arena *arena, struct hf_slice bytes)
{
    if (bytes.size != 4 && bytes.size != 16) {
        return HF_EMPTY_SLICE;
    }
    char *text = hf_arena_take(arena, INET6_ADDRSTRLEN);
    if (text == NULL || inet_ntop(bytes.size == 4 ? AF_INET : AF_INET6, bytes.data, text,
                                  INET6_ADDRSTRLEN) == NULL) {
        return HF_EMPTY_SLICE;
    }
    return hf_slice_text(text);
}

void hf_zipkin_put_text(struct hf_builder *builder, struct hf_slice key, struct hf_slice text,
                        bool parse)
{
    enum hf_zipkin_type type = parse ? hf_zipkin_type_of(text) : HF_ZIPKIN_STRING;
    int64_t integer;
    double number;
    if (type == HF_ZIPKIN_INT && hf_json_read_i64(text, &integer)) {
        hf_build_attribute_int(builder, key, integer);
    } else if (type == HF_ZIPKIN_DOUBLE && hf_json_read_double(text, false, &number)) {
        hf_build_attribute_double(builder, key, number);
    } else if (type == HF_ZIPKIN_BOOL) {
        hf_build_attribute_bool(builder, key, text.size == 4);
    } else {
        hf_build_attribute_string(builder, key, text); /* a number that does not fit, too */
    }
}

/* ---- resources and scopes ---- */

static bool is_of_resource(const struct hf_zipkin_tag *tag)
{
    return tag->meaning == HF_ZIPKIN_RESOURCE || tag->meaning == HF_ZIPKIN_SERVICE_NAME ||
           tag->meaning == HF_ZIPKIN_SERVICE_SOURCE;
}

static const struct hf_zipkin_tag *find(const struct hf_zipkin_span *span,
                                        enum hf_zipkin_key meaning)
{
    for (size_t i = 0; i < span->tag_count; i++) {
        if (span->tags[i].meaning == meaning) {
            return &span->tags[i];
        }
    }
    return NULL;
}

static struct hf_slice text_of(const struct hf_zipkin_span *span, enum hf_zipkin_key meaning,
                               enum hf_zipkin_key other)
{
    const struct hf_zipkin_tag *tag = find(span, meaning);
    tag = tag != NULL ? tag : find(span, other);
    return tag != NULL ? tag->value : HF_EMPTY_SLICE;
}

static uint64_t hash_of(uint64_t hash, struct hf_slice text)
{
    return hf_fnv_add(hash, text) * 31 + text.size;
}

/* Of a key that is there more often, the last counts: the others go. */
static void settle_tags(struct hf_zipkin_span *span)
{
    size_t kept = 0;
    for (size_t i = 0; i < span->tag_count && span->tag_count <= SETTLED_TAGS_MAX; i++) {
        bool is_last = true;
        for (size_t j = i + 1; j < span->tag_count && is_last; j++) {
            is_last = !hf_slice_equal(span->tags[i].key, span->tags[j].key);
        }
        if (is_last) {
            span->tags[kept++] = span->tags[i];
        }
    }
    span->tag_count = span->tag_count <= SETTLED_TAGS_MAX ? kept : span->tag_count;
}

static void prepare(struct hf_zipkin_span *span, size_t position)
{
    bool has_named = false;
    for (size_t i = 0; i < span->tag_count; i++) {
        span->tags[i].key = hf_zipkin_present_key(span->tags[i].key);
    }
    settle_tags(span);
    for (size_t i = 0; i < span->tag_count; i++) {
        struct hf_zipkin_tag *tag = &span->tags[i];
        tag->meaning = hf_zipkin_key_of(tag->key);
        has_named |= tag->meaning != HF_ZIPKIN_PLAIN;
        if (is_of_resource(tag)) {
            /* A sum, because the order of tags does not matter. */
            span->resource_hash += hash_of(hash_of(HF_FNV_START, tag->key), tag->value);
        }
    }
    span->position = position;
    span->scope_name = span->scope_version = HF_EMPTY_SLICE;
    if (has_named) {
        span->scope_name = text_of(span, HF_ZIPKIN_SCOPE_NAME, HF_ZIPKIN_LIBRARY_NAME);
        span->scope_version = text_of(span, HF_ZIPKIN_SCOPE_VERSION, HF_ZIPKIN_LIBRARY_VERSION);
    }
    if (hf_slice_is(span->local.service, NO_SERVICE)) {
        span->local.service = HF_EMPTY_SLICE;
    }
}

static int compare(const void *left, const void *right)
{
    const struct hf_zipkin_span *a = *(struct hf_zipkin_span *const *)left;
    const struct hf_zipkin_span *b = *(struct hf_zipkin_span *const *)right;
    int order = hf_slice_compare(a->local.service, b->local.service);
    order = order != 0
                ? order
                : (a->resource_hash > b->resource_hash) - (a->resource_hash < b->resource_hash);
    order = order != 0 ? order : hf_slice_compare(a->scope_name, b->scope_name);
    order = order != 0 ? order : hf_slice_compare(a->scope_version, b->scope_version);
    return order != 0 ? order : (a->position > b->position) - (a->position < b->position);
}

static bool has_tag(const struct hf_zipkin_span *span, const struct hf_zipkin_tag *wanted)
{
    for (size_t i = 0; i < span->tag_count; i++) {
        const struct hf_zipkin_tag *tag = &span->tags[i];
        if (tag->meaning == wanted->meaning && hf_slice_equal(tag->key, wanted->key)) {
            return hf_slice_equal(tag->value, wanted->value);
        }
    }
    return false;
}

static bool covers(const struct hf_zipkin_span *span, const struct hf_zipkin_span *other)
{
    for (size_t i = 0; i < other->tag_count; i++) {
        if (is_of_resource(&other->tags[i]) && !has_tag(span, &other->tags[i])) {
            return false;
        }
    }
    return true;
}

static bool share_resource(const struct hf_zipkin_span *a, const struct hf_zipkin_span *b)
{
    return a->resource_hash == b->resource_hash &&
           hf_slice_equal(a->local.service, b->local.service) &&
           (a->resource_hash == 0 || (covers(a, b) && covers(b, a)));
}

static void write_resource(struct hf_builder *builder, const struct hf_zipkin_span *span)
{
    const struct hf_zipkin_tag *source = find(span, HF_ZIPKIN_SERVICE_SOURCE);
    struct hf_zipkin_tag service = {.key = hf_slice_text("service.name"),
                                    .value = span->local.service};
    if (source != NULL && source->value.size != 0) {
        service.key = source->value;
    }
    hf_build_resource(builder, HF_EMPTY_SLICE);
    for (size_t i = 0; i < span->tag_count; i++) {
        const struct hf_zipkin_tag *tag = &span->tags[i];
        if (is_of_resource(tag) && tag != source) {
            hf_build_attribute_string(builder, tag->key, tag->value);
            service.value = hf_slice_equal(tag->key, service.key) ? HF_EMPTY_SLICE : service.value;
        }
    }
    if (service.value.size != 0) {
        hf_build_attribute_string(builder, service.key, service.value);
    }
}

/* ---- spans ---- */

static uint32_t status_of(struct hf_slice text)
{
    if (hf_slice_is(text, "Ok") || hf_slice_is(text, "STATUS_CODE_OK")) {
        return 1;
    }
    return hf_slice_is(text, "Error") || hf_slice_is(text, "STATUS_CODE_ERROR") ? 2 : 0;
}

/* Fills what tags tell of the span itself; those tags then have the meaning KEY_COUNT. */
static void take_tags(struct hf_zipkin_span *span, struct hf_build_span *out)
{
    bool has_code = find(span, HF_ZIPKIN_STATUS_CODE) != NULL, has_failed = false;
    for (size_t i = 0; i < span->tag_count; i++) {
        struct hf_zipkin_tag *tag = &span->tags[i];
        bool is_taken = true;
        if (tag->meaning == HF_ZIPKIN_STATE) {
            out->trace_state = tag->value;
        } else if (tag->meaning == HF_ZIPKIN_STATUS_CODE) {
            out->status_code = status_of(tag->value);
        } else if (tag->meaning == HF_ZIPKIN_STATUS_TEXT && has_code) {
            out->status_message = tag->value;
        } else if (tag->meaning == HF_ZIPKIN_ERROR) {
            has_failed = true;
            is_taken = hf_slice_is(tag->value, "true");
        } else if (tag->meaning == HF_ZIPKIN_SPAN_KIND && out->kind == 0 &&
                   hf_slice_is(tag->value, "internal")) {
            out->kind = 1;
        } else {
            is_taken = false;
        }
        tag->meaning = is_taken ? HF_ZIPKIN_KEY_COUNT : tag->meaning;
    }
    out->status_code = has_failed ? 2 : out->status_code;
}

/* otlp.link.0, otlp.link.1, ... as long as each is a link. */
static void write_links(struct hf_builder *builder, struct hf_zipkin_span *span,
                        struct hf_arena *arena)
{
    for (unsigned number = 0; number < LINKS_MAX; number++) {
        struct hf_zipkin_tag *link = NULL;
        for (size_t i = 0; i < span->tag_count && link == NULL; i++) {
            struct hf_zipkin_tag *tag = &span->tags[i];
            bool is_it =
                tag->meaning == HF_ZIPKIN_LINK && hf_zipkin_is_link_number(tag->key, number);
            link = is_it ? tag : NULL;
        }
        if (link == NULL) {
            return;
        }
        if (hf_zipkin_put_link(builder, link->value, arena)) {
            link->meaning = HF_ZIPKIN_KEY_COUNT;
        }
    }
}

static void write_endpoint(struct hf_builder *builder, const struct hf_zipkin_endpoint *endpoint,
                           const char *ip_key, const char *port_key)
{
    struct hf_slice ip = endpoint->ip6.size != 0 ? endpoint->ip6 : endpoint->ip4;
    if (ip.size != 0) {
        hf_build_attribute_string(builder, hf_slice_text(ip_key), ip);
    }
    if (endpoint->port != 0) {
        hf_build_attribute_int(builder, hf_slice_text(port_key), endpoint->port);
    }
}

/* Is it an attribute of the span that no endpoint sets? */
static bool is_attribute(const struct hf_zipkin_span *span, const struct hf_zipkin_tag *tag)
{
    switch (tag->meaning) {
    case HF_ZIPKIN_HOST_IP:
        return span->local.ip4.size == 0 && span->local.ip6.size == 0;
    case HF_ZIPKIN_HOST_PORT:
        return span->local.port == 0;
    case HF_ZIPKIN_PEER_SERVICE:
        return span->remote.service.size == 0;
    case HF_ZIPKIN_PEER_IP:
        return span->remote.ip4.size == 0 && span->remote.ip6.size == 0;
    case HF_ZIPKIN_PEER_PORT:
        return span->remote.port == 0;
    case HF_ZIPKIN_LIBRARY_NAME:
    case HF_ZIPKIN_LIBRARY_VERSION:
    case HF_ZIPKIN_SCOPE_NAME:
    case HF_ZIPKIN_SCOPE_VERSION:
    case HF_ZIPKIN_KEY_COUNT:
        return false;
    default:
        return !is_of_resource(tag);
    }
}

static struct hf_slice id_of(const uint8_t *id, size_t size)
{
    static const uint8_t none[16];
    return memcmp(id, none, size) == 0 ? HF_EMPTY_SLICE : hf_slice_of(id, size);
}

static void write_span(struct hf_builder *builder, struct hf_zipkin_span *span,
                       bool parse_string_tags, struct hf_arena *arena)
{
    bool is_root = memcmp(span->parent_id, span->span_id, sizeof(span->span_id)) == 0;
    struct hf_build_span out = {
        .trace_id = id_of(span->trace_id, 16),
        .span_id = id_of(span->span_id, 8),
        .parent_span_id = is_root ? HF_EMPTY_SLICE : id_of(span->parent_id, 8),
        .name = span->name,
        .kind = span->kind,
        .start_ns = hf_zipkin_ns(span->time_us),
        .end_ns = hf_zipkin_ns(span->time_us + span->duration_us),
    };
    take_tags(span, &out);
    hf_build_span(builder, &out);
    write_links(builder, span, arena);
    for (size_t i = 0; i < span->tag_count; i++) {
        const struct hf_zipkin_tag *tag = &span->tags[i];
        if (is_attribute(span, tag)) {
            hf_zipkin_put_text(builder, tag->key, tag->value, parse_string_tags);
        }
    }
    write_endpoint(builder, &span->local, "network.local.address", "net.host.port");
    if (span->remote.service.size != 0) {
        hf_build_attribute_string(builder, hf_slice_text("service.peer.name"),
                                  span->remote.service);
    }
    write_endpoint(builder, &span->remote, "network.peer.address", "net.peer.port");
    if (span->has_no_time) {
        hf_build_attribute_bool(builder, hf_slice_text(ABSENT_START), true);
    }
    for (size_t i = 0; i < span->annotation_count; i++) {
        hf_zipkin_put_event(builder, &span->annotations[i], arena);
    }
    hf_build_end(builder);
}

void hf_zipkin_span_translate(struct hf_zipkin_span **spans, size_t count, bool parse_string_tags,
                              struct hf_arena *arena, struct hf_builder *builder)
{
    const struct hf_zipkin_span *before = NULL;
    for (size_t i = 0; i < count; i++) {
        prepare(spans[i], i);
    }
    qsort(spans, count, sizeof(*spans), compare);
    for (size_t i = 0; i < count; i++) {
        struct hf_zipkin_span *span = spans[i];
        bool same = before != NULL && share_resource(before, span);
        if (!same) {
            write_resource(builder, span);
        }
        if (!same || !hf_slice_equal(before->scope_name, span->scope_name) ||
            !hf_slice_equal(before->scope_version, span->scope_version)) {
            hf_build_scope(builder, span->scope_name, span->scope_version);
        }
        write_span(builder, span, parse_string_tags, arena);
        before = span;
    }
}
