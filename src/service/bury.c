/*
 * bury: what a backend refused for good goes to the dead letters, with the backend's words, before
 * it leaves the queue.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../util/log.h"
#include "isolated.h"
#include "letter.h"
#include "request.h"

#define REASON_BYTES_MAX 512u

struct burial {
    struct wal_append append;
    struct hf_task task; /* posted by the dead letters' committer */
    struct request *request;
    struct hf_batch *batch;
    enum wal_status status;
};

static void count_lost(const struct request *request)
{
    struct hf_sender *sender = request->lane->sender;
    hf_series_add(sender->send_failed[request->export.signal], request->export.items);
}

/* The loop's thread again. */
static void buried(struct hf_task *task)
{
    struct burial *burial = HF_CONTAINER(task, struct burial, task);
    struct request *request = burial->request;
    struct lane *lane = request->lane->whole;
    struct hf_sender *sender = lane->sender;
    hf_ref_drop(&burial->batch->ref);
    if (burial->status == WAL_OK) {
        count_lost(request);
        hf_request_resolve(request, WAL_DEAD_LETTERED, WAL_DROP_PERMANENT, 0);
    } else {
        hf_isolated_hold(request);
    }
    free(burial);
    sender->burying--;
    if (sender->stopping) {
        if (sender->burying == 0 && sender->in_flight == 0) {
            sem_post(&sender->stopped);
        }
        return;
    }
    hf_lane_pump(lane);
}

static void committed(struct wal_append *append, enum wal_status status)
{
    struct burial *burial = HF_CONTAINER(append, struct burial, append);
    burial->status = status;
    hf_loop_post(burial->request->lane->sender->loop, &burial->task);
}

/* The client's entries of a record; what an earlier burial added stays behind but for the pipeline.
 */
static struct hf_slice client_meta(const struct request *request, struct hf_slice *ret_pipeline)
{
    const struct hf_pipeline *pipeline = request->lane->pipeline;
    struct hf_slice meta = request->parts[0].held->record.meta;
    struct hf_meta_entry entry;
    size_t cursor = 0;
    size_t kept = 0;
    *ret_pipeline = pipeline != NULL ? hf_slice_text(pipeline->id) : HF_EMPTY_SLICE;
    while (hf_meta_next(meta, &cursor, &entry)) {
        if (entry.kind == HF_META_PEER || entry.kind == HF_META_AUTH ||
            entry.kind == HF_META_HEADER) {
            kept = cursor;
        } else if ((int)entry.kind == HF_LETTER_PIPELINE && pipeline == NULL) {
            *ret_pipeline = entry.value;
        }
    }
    return hf_slice_of(meta.data, kept);
}

static void write_meta(struct hf_meta_writer *meta, const struct request *request,
                       const struct hf_outcome *outcome)
{
    struct hf_slice pipeline;
    struct hf_slice kept = client_meta(request, &pipeline);
    struct hf_slice reason = hf_slice_text(outcome->message != NULL ? outcome->message : "");
    char code[16];
    snprintf(code, sizeof(code), "%d", outcome->code);
    reason.size = reason.size < REASON_BYTES_MAX ? reason.size : REASON_BYTES_MAX;
    if (kept.size != 0 && kept.size <= sizeof(meta->bytes)) {
        memcpy(meta->bytes, kept.data, kept.size);
        meta->size = kept.size;
    }
    const struct {
        int kind;
        struct hf_slice value;
    } added[] = {{HF_LETTER_REASON, reason},
                 {HF_LETTER_CODE, hf_slice_text(code)},
                 {HF_LETTER_PIPELINE, pipeline}};
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < sizeof(added) / sizeof(added[0]) && status == HF_OK; i++) {
        /* A block that is full only leaves the explanation out. */
        status =
            hf_meta_add(meta, (enum hf_meta_kind)added[i].kind, HF_EMPTY_SLICE, added[i].value);
    }
}

static struct hf_batch *make_letter(const struct request *request, const struct hf_outcome *outcome)
{
    struct hf_meta_writer meta = {.size = 0};
    write_meta(&meta, request, outcome);
    const struct hf_piece *piece = &request->pieces[0];
    struct hf_batch *batch =
        hf_batch_new(request->export.signal, piece->wire.size, hf_slice_of(meta.bytes, meta.size));
    if (batch != NULL) {
        memcpy(hf_batch_room(batch), piece->wire.data, piece->wire.size);
        hf_batch_seal(batch, piece->wire.size, piece->items);
        batch->coding = piece->coding;
        batch->received_ns = piece->received_ns;
    }
    return batch;
}

static bool submit(struct request *request, struct wal *wal, const struct hf_outcome *outcome)
{
    struct burial *burial = calloc(1, sizeof(*burial));
    struct hf_batch *batch = burial != NULL ? make_letter(request, outcome) : NULL;
    if (batch == NULL) {
        free(burial);
        return false;
    }
    *burial = (struct burial){
        .request = request,
        .batch = batch,
        .task = {.run = buried},
        .append = {.kind = (uint8_t)batch->signal,
                   .coding = (uint8_t)batch->coding,
                   .items = batch->items,
                   .raw_bytes = request->pieces[0].raw_size,
                   .time_ns = batch->received_ns,
                   .meta = batch->meta,
                   .body = batch->wire,
                   .owner = &batch->ref,
                   .done = committed},
    };
    if (wal_admit(wal, &burial->append) != WAL_OK) {
        hf_ref_drop(&batch->ref);
        free(burial);
        return false;
    }
    request->lane->sender->burying++;
    wal_append(wal, &burial->append);
    return true;
}

void hf_request_bury(struct request *request, const struct hf_outcome *outcome)
{
    struct hf_sender *sender = request->lane->sender;
    const struct hf_dead_letter_config *config = &sender->config->queue.dead_letter;
    if (!config->enabled) {
        hf_node_log(
            sender->node, HF_LOG_ERROR,
            "Exporting failed. The error is not retryable. Dropping data. %u %s, code %d: %s",
            request->export.items, hf_signal_items_name(request->export.signal), outcome->code,
            outcome->message != NULL ? outcome->message : "");
        count_lost(request);
        hf_request_resolve(request, WAL_DROPPED, WAL_DROP_PERMANENT, 0);
        return;
    }
    if (!request->aside.is_unburied) {
        hf_node_log(
            sender->node, HF_LOG_ERROR,
            "Exporting failed. The error is not retryable. Moving to the dead letters. %u %s, code "
            "%d: %s",
            request->export.items, hf_signal_items_name(request->export.signal), outcome->code,
            outcome->message != NULL ? outcome->message : "");
    }
    const struct wal_limits limits = hf_sender_letter_limits(sender);
    struct wal *wal =
        hf_store_dead_letters(hf_graph_host(sender->node->graph)->store, sender->node->id, &limits);
    if (wal == NULL || !submit(request, wal, outcome)) {
        hf_isolated_hold(request);
    }
}
