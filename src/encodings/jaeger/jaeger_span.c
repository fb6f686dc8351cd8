#include "jaeger_span.h"

#include <stdlib.h>
#include <string.h>

#include "jaeger_names.h"
#include "jaeger_tags.h"
#include "pdata/build_spans.h"

static int compare_processes(const struct hf_jaeger_process *a, const struct hf_jaeger_process *b)
{
    if (a == b) {
        return 0;
    }
    return a == NULL ? -1 : b == NULL ? 1 : hf_slice_compare(a->bytes, b->bytes);
}

static int compare(const void *left, const void *right)
{
    const struct hf_jaeger_span *a = *(struct hf_jaeger_span *const *)left;
    const struct hf_jaeger_span *b = *(struct hf_jaeger_span *const *)right;
    int order = compare_processes(a->process, b->process);
    order = order != 0 ? order : hf_slice_compare(a->scope_name, b->scope_name);
    order = order != 0 ? order : hf_slice_compare(a->scope_version, b->scope_version);
    return order != 0 ? order : (a->position > b->position) - (a->position < b->position);
}

/* ---- the resource ---- */

/* "Jaeger-" and the version of the client. */
static struct hf_slice exporter_of(struct hf_arena *arena, struct hf_slice version)
{
    static const char prefix[] = "Jaeger-";
    uint8_t *text = hf_arena_take(arena, sizeof(prefix) + version.size);
    if (text == NULL) {
        return version;
    }
    memcpy(text, prefix, sizeof(prefix) - 1);
    if (version.size != 0) {
        memcpy(text + sizeof(prefix) - 1, version.data, version.size);
    }
    return hf_slice_of(text, sizeof(prefix) - 1 + version.size);
}

static void write_resource(struct hf_builder *builder, const struct hf_jaeger_process *process,
                           struct hf_arena *arena)
{
    hf_build_resource(builder, HF_EMPTY_SLICE);
    if (process == NULL) {
        return;
    }
    struct hf_jaeger_tags tags = process->tags;
    struct hf_jaeger_tag *host = hf_jaeger_tags_find(&tags, "hostname");
    struct hf_jaeger_tag *version = hf_jaeger_tags_find(&tags, "jaeger.version");
    if (host != NULL && hf_jaeger_tags_find(&tags, "host.name") == NULL) {
        host->key = hf_slice_text("host.name");
    }
    if (version != NULL && hf_jaeger_tags_find(&tags, "opencensus.exporterversion") == NULL) {
        struct hf_slice text = version->type == HF_JAEGER_STRING ? version->text : HF_EMPTY_SLICE;
        version->key = hf_slice_text("opencensus.exporterversion");
        version->type = HF_JAEGER_STRING;
        version->text = exporter_of(arena, text);
    }
    if (process->service.size != 0 && !hf_slice_is(process->service, HF_JAEGER_NO_SERVICE) &&
        hf_jaeger_tags_find(&tags, "service.name") == NULL) {
        hf_build_attribute_string(builder, hf_slice_text("service.name"), process->service);
    }
    hf_jaeger_tags_write(builder, &tags);
}

/* ---- spans ---- */

static struct hf_slice id_of(const uint8_t *id, size_t size)
{
    static const uint8_t none[16];
    return memcmp(id, none, size) == 0 ? HF_EMPTY_SLICE : hf_slice_of(id, size);
}

static uint32_t kind_of(struct hf_slice text)
{
    uint32_t kind = 5;
    while (kind != 0 && !hf_slice_equal(text, hf_jaeger_kind_name(kind))) {
        kind--;
    }
    return kind;
}

/* Without one of its own: the first reference within the trace, one of a child before others. */
static void find_parent(struct hf_jaeger_span *span)
{
    const struct hf_jaeger_reference *found = NULL;
    if (id_of(span->parent_id, 8).size != 0) {
        return;
    }
    for (size_t i = 0; i < span->reference_count; i++) {
        const struct hf_jaeger_reference *one = &span->references[i];
        bool is_near = memcmp(one->trace_id, span->trace_id, 16) == 0;
        if (is_near && (found == NULL || (found->follows && !one->follows))) {
            found = one;
        }
    }
    if (found != NULL) {
        memcpy(span->parent_id, found->span_id, 8);
    }
}

/* All but the one to the parent. */
static void write_links(struct hf_builder *builder, const struct hf_jaeger_span *span)
{
    for (size_t i = 0; i < span->reference_count; i++) {
        const struct hf_jaeger_reference *one = &span->references[i];
        if (!one->follows && memcmp(one->span_id, span->parent_id, 8) == 0) {
            continue;
        }
        const struct hf_build_link link = {.trace_id = id_of(one->trace_id, 16),
                                           .span_id = id_of(one->span_id, 8)};
        hf_build_link(builder, &link);
        hf_build_attribute_string(builder, hf_slice_text(HF_JAEGER_REFERENCE_TYPE),
                                  hf_slice_text(one->follows ? "follows_from" : "child_of"));
        hf_build_end(builder);
    }
}

static void write_events(struct hf_builder *builder, const struct hf_jaeger_span *span)
{
    for (size_t i = 0; i < span->log_count; i++) {
        struct hf_jaeger_log *log = &span->logs[i];
        hf_jaeger_tags_settle(&log->fields);
        hf_build_event(builder, log->time_ns, hf_jaeger_tags_take(&log->fields, "event"));
        hf_jaeger_tags_write(builder, &log->fields);
        hf_build_end(builder);
    }
}

static void write_span(struct hf_builder *builder, struct hf_jaeger_span *span)
{
    find_parent(span);
    struct hf_build_span out = {.trace_id = id_of(span->trace_id, 16),
                                .span_id = id_of(span->span_id, 8),
                                .parent_span_id = id_of(span->parent_id, 8),
                                .name = span->name,
                                .start_ns = span->start_ns,
                                .end_ns = span->end_ns,
                                .flags = span->is_sampled ? 1 : 0};
    if (span->has_scope_tags) {
        out.trace_state = hf_jaeger_tags_take(&span->tags, "w3c.tracestate");
    }
    out.kind = kind_of(hf_jaeger_tags_take(&span->tags, "span.kind"));
    struct hf_jaeger_status status = hf_jaeger_tags_status(&span->tags, out.kind);
    out.status_code = status.code;
    out.status_message = status.message;
    hf_build_span(builder, &out);
    hf_jaeger_tags_write(builder, &span->tags);
    write_events(builder, span);
    write_links(builder, span);
    hf_build_end(builder);
}

static void prepare(struct hf_jaeger_span *span, size_t position)
{
    span->position = position;
    span->scope_name = span->scope_version = HF_EMPTY_SLICE;
    hf_jaeger_tags_settle(&span->tags);
    if (span->has_scope_tags && hf_jaeger_tags_find(&span->tags, "otel.scope.name") != NULL) {
        span->scope_name = hf_jaeger_tags_take(&span->tags, "otel.scope.name");
        span->scope_version = hf_jaeger_tags_take(&span->tags, "otel.scope.version");
    }
}

void hf_jaeger_span_translate(struct hf_jaeger_span **spans, size_t count, struct hf_arena *arena,
                              struct hf_builder *builder)
{
    const struct hf_jaeger_span *before = NULL;
    for (size_t i = 0; i < count; i++) {
        prepare(spans[i], i);
    }
    qsort(spans, count, sizeof(*spans), compare);
    for (size_t i = 0; i < count; i++) {
        struct hf_jaeger_span *span = spans[i];
        bool same = before != NULL && compare_processes(before->process, span->process) == 0;
        if (!same) {
            write_resource(builder, span->process, arena);
        }
        if (!same || !hf_slice_equal(before->scope_name, span->scope_name) ||
            !hf_slice_equal(before->scope_version, span->scope_version)) {
            hf_build_scope(builder, span->scope_name, span->scope_version);
        }
        write_span(builder, span);
        before = span;
    }
}
