#include "dead_letter_batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dead_letter_meta.h"
#include "pdata/build.h"
#include "pdata/edit.h"
#include "pdata/json.h"
#include "pdata/utf8.h"
#include "util/time/clock.h"

/* The client's entries of a record. Of those that an earlier dead letter added, only the pipeline
 * is kept.
 */
static struct hf_slice client_meta(const struct export_request *request,
                                   struct hf_slice *ret_pipeline)
{
    const struct hf_pipeline *own = request->reader->pipeline;
    const struct hf_pipeline *pipeline = own != NULL && own->lead != NULL ? own->lead : own;
    struct hf_slice meta = request->ranges[0].record->stored.meta;
    struct hf_meta_entry entry;
    size_t cursor = 0;
    size_t kept = 0;
    *ret_pipeline = pipeline != NULL ? hf_slice_text(pipeline->id) : HF_EMPTY_SLICE;
    while (hf_meta_next(meta, &cursor, &entry)) {
        if (entry.kind == HF_META_PEER || entry.kind == HF_META_AUTH ||
            entry.kind == HF_META_HEADER) {
            kept = cursor;
        } else if ((int)entry.kind == HF_DEAD_LETTER_PIPELINE && pipeline == NULL) {
            *ret_pipeline = entry.value;
        }
    }
    return hf_slice_of(meta.data, kept);
}

static struct hf_slice reason_of(const struct hf_outcome *outcome)
{
    struct hf_slice reason = hf_slice_text(outcome->message != NULL ? outcome->message : "");
    reason.size = reason.size < HF_DEAD_LETTER_REASON_BYTES_MAX ? reason.size
                                                                : HF_DEAD_LETTER_REASON_BYTES_MAX;
    return reason;
}

static void copy_meta(struct hf_meta_writer *meta, struct hf_slice kept)
{
    if (kept.size != 0 && kept.size <= sizeof(meta->bytes)) {
        memcpy(meta->bytes, kept.data, kept.size);
        meta->size = kept.size;
    }
}

static void write_meta(struct hf_meta_writer *meta, const struct export_request *request,
                       const struct hf_outcome *outcome)
{
    struct hf_slice pipeline;
    struct hf_slice kept = client_meta(request, &pipeline);
    struct hf_slice reason = reason_of(outcome);
    char code[16];
    snprintf(code, sizeof(code), "%d", outcome->code);
    copy_meta(meta, kept);
    const struct {
        int kind;
        struct hf_slice value;
    } added[] = {{HF_DEAD_LETTER_REASON, reason},
                 {HF_DEAD_LETTER_CODE, hf_slice_text(code)},
                 {HF_DEAD_LETTER_PIPELINE, pipeline}};
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < sizeof(added) / sizeof(added[0]) && status == HF_OK; i++) {
        /* A full block only loses the explanation. */
        status =
            hf_meta_add(meta, (enum hf_meta_kind)added[i].kind, HF_EMPTY_SLICE, added[i].value);
    }
}

struct hf_batch *hf_dead_letter_stored(const struct export_request *request,
                                       const struct hf_outcome *outcome)
{
    struct hf_meta_writer meta = {.size = 0};
    write_meta(&meta, request, outcome);
    const struct hf_export_body *body = &request->bodies[0];
    struct hf_batch *batch =
        hf_batch_new(request->export.signal, body->wire.size, hf_slice_of(meta.bytes, meta.size));
    if (batch != NULL) {
        memcpy(hf_batch_room(batch), body->wire.data, body->wire.size);
        hf_batch_seal(batch, body->wire.size, body->items);
        batch->coding = body->coding;
        batch->received_ns = body->received_ns;
    }
    return batch;
}

/* ---- for a pipeline ---- */

struct added {
    const char *key;
    struct hf_slice text; /* without data: the number counts */
    int64_t number;
};
#define ADDED_MAX 6

/* What a pipeline is told of the refusal. */
struct story {
    struct hf_editor editor;
    struct added added[ADDED_MAX];
    size_t count;
};

static struct story tell(const struct export_request *request, const struct hf_outcome *outcome,
                         struct hf_slice pipeline)
{
    const struct hf_delivery *delivery = request->reader->delivery;
    const struct hf_export *export = &request->export;
    struct story story = {
        .editor = {.of_resources = true},
        .added = {{"holdfast.dead_letter.reason", reason_of(outcome), 0},
                  {"holdfast.dead_letter.code", HF_EMPTY_SLICE, outcome->code},
                  {"holdfast.dead_letter.exporter", hf_slice_text(delivery->node->id), 0},
                  {"holdfast.dead_letter.pipeline", pipeline, 0}},
        .count = 4,
    };
    if (export->signal != delivery->dead_letter_pipeline->signal) {
        story.added[4] = (struct added){"holdfast.dead_letter.signal",
                                        hf_slice_text(hf_signal_name(export->signal)), 0};
        story.added[5] =
            (struct added){"holdfast.dead_letter.items", HF_EMPTY_SLICE, request->bodies[0].items};
        story.count = 6;
    }
    return story;
}

static void add_to_resource(struct hf_editor *editor, struct hf_attributes *attributes)
{
    const struct story *story = HF_CONTAINER(editor, struct story, editor);
    for (size_t i = 0; i < story->count; i++) {
        const struct added *added = &story->added[i];
        struct hf_slice value = added->text.data != NULL
                                    ? hf_attributes_string(attributes, added->text)
                                    : hf_attributes_int(attributes, added->number);
        hf_attributes_set(attributes, hf_slice_text(added->key), value);
    }
}

static enum hf_status batch_of(enum hf_signal signal, struct hf_slice body, uint32_t items,
                               const struct hf_meta_writer *meta, struct hf_batch **ret_batch)
{
    struct hf_batch *batch = hf_batch_new(signal, body.size, hf_slice_of(meta->bytes, meta->size));
    if (batch == NULL) {
        return HF_NOMEM;
    }
    if (body.size != 0) {
        memcpy(hf_batch_room(batch), body.data, body.size);
    }
    hf_batch_seal(batch, body.size, items);
    *ret_batch = batch;
    return HF_OK;
}

static enum hf_status pipe_same(struct story *story, enum hf_signal signal, struct hf_slice raw,
                                uint32_t items, const struct hf_meta_writer *meta,
                                struct hf_batch **ret_batch)
{
    struct hf_bytes edited = {0};
    bool changed = false;
    story->editor.change = add_to_resource;
    enum hf_status status = hf_edit(&story->editor, signal, raw, &edited, &changed);
    if (status == HF_OK) {
        struct hf_slice body = changed ? hf_slice_of(edited.data, edited.size) : raw;
        status = batch_of(signal, body, items, meta, ret_batch);
    }
    hf_bytes_release(&edited);
    return status;
}

static void build_record(struct hf_builder *builder, const struct story *story,
                         uint64_t received_ns, struct hf_slice json)
{
    const struct hf_build_log_record record = {
        .time_ns = received_ns, .observed_ns = hf_clock_unix_ns(), .severity_number = 17};
    hf_build_resource(builder, HF_EMPTY_SLICE);
    for (size_t i = 0; i < story->count; i++) {
        const struct added *added = &story->added[i];
        if (added->text.data != NULL) {
            hf_build_attribute_string(builder, hf_slice_text(added->key), added->text);
        } else {
            hf_build_attribute_int(builder, hf_slice_text(added->key), added->number);
        }
    }
    hf_build_scope(builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    hf_build_log_record(builder, &record);
    hf_build_body_string(builder, json);
    hf_build_end(builder);
}

static enum hf_status pipe_as_log(const struct story *story, enum hf_signal signal,
                                  struct hf_slice raw, uint64_t received_ns,
                                  const struct hf_meta_writer *meta, struct hf_batch **ret_batch)
{
    struct hf_bytes json = {0};
    struct hf_builder builder;
    enum hf_status status = hf_json_from_proto(signal, raw, &json);
    if (status == HF_OK) {
        hf_builder_init(&builder, HF_LOGS, SIZE_MAX);
        build_record(&builder, story, received_ns, hf_slice_of(json.data, json.size));
        status = hf_build_finish(&builder);
        struct hf_batch *built = hf_build_take(&builder);
        if (built != NULL) {
            status = batch_of(HF_LOGS, built->wire, built->items, meta, ret_batch);
            hf_ref_drop(&built->ref);
        }
        hf_builder_release(&builder);
    }
    hf_bytes_release(&json);
    return status;
}

enum hf_status hf_dead_letter_piped(const struct export_request *request,
                                    const struct hf_outcome *outcome, struct hf_batch **ret_batch)
{
    const struct hf_export_body *body = &request->bodies[0];
    enum hf_signal signal = request->export.signal;
    struct hf_meta_writer meta = {.size = 0};
    struct hf_bytes decoded = {0};
    struct hf_slice pipeline;
    struct hf_slice raw = body->wire;
    enum hf_status status = HF_OK;
    copy_meta(&meta, client_meta(request, &pipeline));
    struct story story = tell(request, outcome, pipeline);
    if (body->coding != HF_IDENTITY) {
        status = hf_decode(body->coding, body->wire, body->raw_size, &decoded);
        raw = hf_slice_of(decoded.data, decoded.size);
    }
    if (status == HF_OK) {
        status = signal == request->reader->delivery->dead_letter_pipeline->signal
                     ? pipe_same(&story, signal, raw, body->items, &meta, ret_batch)
                     : pipe_as_log(&story, signal, raw, body->received_ns, &meta, ret_batch);
    }
    if (status == HF_OK) {
        (*ret_batch)->received_ns = body->received_ns;
    }
    hf_bytes_release(&decoded);
    return status;
}
