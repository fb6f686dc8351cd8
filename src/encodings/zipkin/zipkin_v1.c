#include "zipkin_v1.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pdata/build_spans.h"
#include "pdata/json_value.h"
#include "util/time/clock.h"

#define NO_SERVICE "unknown-service"
#define ABSENT_START "otel.zipkin.absentField.startTime"
#define SETTLED_TAGS_MAX 128u /* in more tags, keys that are there twice stay */

void hf_zipkin_v1_settle_key(struct hf_zipkin_v1_tag *tag)
{
    if (hf_slice_is(tag->key, "lc")) {
        tag->key = hf_slice_text("component");
    } else {
        tag->component = HF_EMPTY_SLICE;
    }
}

/* ---- annotations: kind, times and the service ---- */

/* The kind that an annotation of a core event tells; 0: it is another one. */
static uint32_t kind_of(struct hf_slice value)
{
    if (value.size != 2) {
        return 0;
    }
    if (hf_slice_is(value, "cs") || hf_slice_is(value, "cr")) {
        return 3;
    }
    if (hf_slice_is(value, "ss") || hf_slice_is(value, "sr")) {
        return 2;
    }
    return hf_slice_is(value, "ms") ? 4 : hf_slice_is(value, "mr") ? 5 : 0;
}

static uint64_t ns_of(int64_t us)
{
    return us <= 0 ? 0 : hf_zipkin_ns((uint64_t)us);
}

static void take_annotations(struct hf_zipkin_v1_span *span, struct hf_build_span *out)
{
    int64_t first = INT64_MAX, last = INT64_MIN;
    bool has_endpoint = false;
    for (size_t i = 0; i < span->annotation_count; i++) {
        const struct hf_zipkin_v1_annotation *one = &span->annotations[i];
        uint32_t kind = kind_of(one->value);
        if (one->value.size == 0) {
            continue;
        }
        if (kind != 0 && !has_endpoint && one->endpoint != NULL &&
            one->endpoint->service.size != 0) {
            span->local = *one->endpoint;
            has_endpoint = true;
        }
        out->kind = out->kind == 0 ? kind : out->kind;
        if (one->time_us < first) {
            first = one->time_us;
            out->start_ns = ns_of(first);
        }
        if (one->time_us > last) {
            last = one->time_us;
            out->end_ns = ns_of(last);
        }
    }
    if (!has_endpoint) {
        span->local = (struct hf_zipkin_endpoint){.service = hf_slice_text(NO_SERVICE)};
    }
}

/* ---- tags: attributes, the status, the service in the end ---- */

struct status {
    bool is_known;
    uint32_t code;
    struct hf_slice text;
};

struct statuses {
    struct status census, own, error, http;
};

static bool number_of(const struct hf_zipkin_v1_tag *tag, int64_t *ret_number)
{
    *ret_number = tag->integer;
    bool is_number = tag->type == HF_ZIPKIN_INT ||
                     (tag->type == HF_ZIPKIN_STRING && hf_json_read_i64(tag->text, ret_number));
    return is_number && *ret_number >= INT32_MIN && *ret_number <= INT32_MAX;
}

/* True: the tag tells of the status alone and is no attribute. */
static bool take_status(struct statuses *all, const struct hf_zipkin_v1_tag *tag)
{
    int64_t number;
    bool has_number = number_of(tag, &number);
    if (hf_slice_is(tag->key, "census.status_code")) {
        all->census.is_known |= has_number;
        all->census.code = !has_number ? all->census.code : number == 0 ? 1 : 2;
        return true;
    }
    if (hf_slice_is(tag->key, "census.status_description") ||
        hf_slice_is(tag->key, "opencensus.status_description")) {
        all->census.text = tag->text;
        return true;
    }
    if (hf_slice_is(tag->key, "otel.status_code")) {
        all->own.is_known |= has_number;
        all->own.code = has_number ? (uint32_t)number : all->own.code;
        return true;
    }
    if (hf_slice_is(tag->key, "otel.status_description")) {
        all->own.text = tag->text;
        return true;
    }
    if (hf_slice_is(tag->key, "error")) {
        all->error = (struct status){.is_known = true, .code = 2};
        return true;
    }
    if (has_number && (hf_slice_is(tag->key, "http.status_code") ||
                       hf_slice_is(tag->key, "http.response.status_code"))) {
        all->http.is_known = true;
        all->http.code = number >= 100 && number < 400 ? 0 : 2;
    } else if (hf_slice_is(tag->key, "http.status_message")) {
        all->http.text = tag->text;
    }
    return false;
}

static struct status choose(const struct statuses *all)
{
    struct status error = all->error;
    error.text = all->census.text.size != 0 ? all->census.text : all->own.text;
    if (all->census.is_known) {
        return all->census;
    }
    if (all->own.is_known) {
        return all->own;
    }
    return all->error.is_known ? error : all->http;
}

static void drop_repeated(struct hf_zipkin_v1_span *span)
{
    for (size_t i = 0; i < span->tag_count && span->tag_count <= SETTLED_TAGS_MAX; i++) {
        for (size_t j = i + 1; j < span->tag_count && !span->tags[i].is_dropped; j++) {
            span->tags[i].is_dropped =
                !span->tags[j].is_dropped && hf_slice_equal(span->tags[i].key, span->tags[j].key);
        }
    }
}

static void take_tags(struct hf_zipkin_v1_span *span, struct hf_build_span *out)
{
    struct statuses all = {0};
    struct hf_slice service = HF_EMPTY_SLICE, component = HF_EMPTY_SLICE;
    for (size_t i = 0; i < span->tag_count; i++) {
        struct hf_zipkin_v1_tag *tag = &span->tags[i];
        if (tag->endpoint != NULL && tag->endpoint->service.size != 0) {
            service = tag->endpoint->service;
        }
        if (tag->component.size != 0) {
            component = tag->component;
        }
        tag->is_dropped = take_status(&all, tag);
    }
    drop_repeated(span);
    service = service.size != 0 ? service : component;
    if (hf_slice_is(span->local.service, NO_SERVICE) && service.size != 0) {
        span->local.service = service;
    }
    struct status status = choose(&all);
    if (status.is_known) {
        out->status_code = status.code;
        out->status_message = status.text;
    }
}

static void write_tag(struct hf_builder *builder, const struct hf_zipkin_v1_tag *tag)
{
    struct hf_slice key = hf_zipkin_present_key(tag->key);
    switch (tag->type) {
    case HF_ZIPKIN_STRING:
        hf_build_attribute_string(builder, key, tag->text);
        break;
    case HF_ZIPKIN_INT:
        hf_build_attribute_int(builder, key, tag->integer);
        break;
    case HF_ZIPKIN_DOUBLE:
        hf_build_attribute_double(builder, key, tag->number);
        break;
    case HF_ZIPKIN_BOOL:
        hf_build_attribute_bool(builder, key, tag->integer != 0);
        break;
    }
}

/* ---- spans ---- */

static struct hf_slice id_of(const uint8_t *id, size_t size)
{
    static const uint8_t none[16];
    return memcmp(id, none, size) == 0 ? HF_EMPTY_SLICE : hf_slice_of(id, size);
}

static void write_span(struct hf_builder *builder, const struct hf_zipkin_v1_span *span,
                       struct hf_build_span *out)
{
    bool is_absent = span->needs_time && out->start_ns == 0;
    if (is_absent) {
        out->start_ns = out->end_ns = hf_clock_unix_ns();
    }
    hf_build_span(builder, out);
    for (size_t i = 0; i < span->tag_count; i++) {
        if (!span->tags[i].is_dropped) {
            write_tag(builder, &span->tags[i]);
        }
    }
    if (is_absent) {
        hf_build_attribute_bool(builder, hf_slice_text(ABSENT_START), true);
    }
    for (size_t i = 0; i < span->annotation_count; i++) {
        const struct hf_zipkin_v1_annotation *one = &span->annotations[i];
        if (one->value.size != 0 && kind_of(one->value) == 0) {
            hf_build_event(builder, ns_of(one->time_us), one->value);
            hf_build_end(builder);
        }
    }
    hf_build_end(builder);
}

static struct hf_build_span take(struct hf_zipkin_v1_span *span)
{
    struct hf_build_span out = {.trace_id = id_of(span->trace_id, 16),
                                .span_id = id_of(span->span_id, 8),
                                .parent_span_id = id_of(span->parent_id, 8),
                                .name = span->name};
    take_annotations(span, &out);
    take_tags(span, &out);
    if (span->has_time) {
        out.start_ns = ns_of(span->time_us);
        out.end_ns = ns_of((int64_t)((uint64_t)span->time_us + (uint64_t)span->duration_us));
    }
    return out;
}

static int compare_endpoints(const struct hf_zipkin_endpoint *a, const struct hf_zipkin_endpoint *b)
{
    int order = hf_slice_compare(a->service, b->service);
    order = order != 0 ? order : hf_slice_compare(a->ip4, b->ip4);
    order = order != 0 ? order : hf_slice_compare(a->ip6, b->ip6);
    return order != 0 ? order : (a->port > b->port) - (a->port < b->port);
}

static int compare(const void *left, const void *right)
{
    const struct hf_zipkin_v1_span *a = *(struct hf_zipkin_v1_span *const *)left;
    const struct hf_zipkin_v1_span *b = *(struct hf_zipkin_v1_span *const *)right;
    int order = compare_endpoints(&a->local, &b->local);
    return order != 0 ? order : (a->position > b->position) - (a->position < b->position);
}

static void write_resource(struct hf_builder *builder, const struct hf_zipkin_endpoint *local)
{
    char port[16];
    hf_build_resource(builder, HF_EMPTY_SLICE);
    hf_build_attribute_string(builder, hf_slice_text("service.name"), local->service);
    if (local->ip4.size != 0) {
        hf_build_attribute_string(builder, hf_slice_text("ipv4"), local->ip4);
    }
    if (local->ip6.size != 0) {
        hf_build_attribute_string(builder, hf_slice_text("ipv6"), local->ip6);
    }
    if (local->port != 0) {
        snprintf(port, sizeof(port), "%" PRIu32, local->port);
        hf_build_attribute_string(builder, hf_slice_text("port"), hf_slice_text(port));
    }
    hf_build_scope(builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
}

void hf_zipkin_v1_translate(struct hf_zipkin_v1_span **spans, size_t count,
                            struct hf_builder *builder)
{
    const struct hf_zipkin_endpoint *local = NULL;
    for (size_t i = 0; i < count; i++) {
        spans[i]->position = i;
        (void)take(spans[i]);
    }
    qsort(spans, count, sizeof(*spans), compare);
    for (size_t i = 0; i < count; i++) {
        if (local == NULL || compare_endpoints(local, &spans[i]->local) != 0) {
            local = &spans[i]->local;
            write_resource(builder, local);
        }
        struct hf_build_span out = take(spans[i]);
        write_span(builder, spans[i], &out);
    }
}
