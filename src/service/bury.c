/*
 * bury: what a backend refused for good goes to the dead letters, with the backend's words, before
 * it leaves the queue.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../util/log.h"
#include "sender_internal.h"
#include "store.h"

/* Entries of a dead letter's meta beside those of the record (meta.h): why, the code, where from.
 */
enum { META_REASON = 'r', META_CODE = 'c', META_PIPELINE = 'q' };

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
    struct lane *lane = request->lane;
    struct hf_sender *sender = lane->sender;
    hf_ref_drop(&burial->batch->ref);
    if (burial->status == WAL_OK) {
        count_lost(request);
        hf_request_resolve(request, WAL_DEAD_LETTERED, WAL_DROP_PERMANENT, 0);
    } else {
        hf_lane_put_back(lane, request);
        lane->failing = true;
        lane->resume_ns = hf_loop_now_ns(sender->loop) + sender->config->retry.initial_interval_ns;
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

static struct hf_batch *make_letter(const struct request *request, const struct hf_outcome *outcome)
{
    struct hf_meta_writer meta = {.size = 0};
    struct hf_slice kept = request->parts[0].held->record.meta;
    char code[16];
    if (kept.size != 0 && kept.size <= sizeof(meta.bytes)) {
        memcpy(meta.bytes, kept.data, kept.size);
        meta.size = kept.size;
    }
    snprintf(code, sizeof(code), "%d", outcome->code);
    struct hf_slice reason = hf_slice_text(outcome->message != NULL ? outcome->message : "");
    if (reason.size > 512) {
        reason.size = 512;
    }
    /* A block that is full only leaves the explanation out. */
    enum hf_status put = hf_meta_add(&meta, (enum hf_meta_kind)META_REASON, HF_EMPTY_SLICE, reason);
    put = put == HF_OK ? hf_meta_add(&meta, (enum hf_meta_kind)META_CODE, HF_EMPTY_SLICE,
                                     hf_slice_text(code))
                       : put;
    put = put == HF_OK ? hf_meta_add(&meta, (enum hf_meta_kind)META_PIPELINE, HF_EMPTY_SLICE,
                                     hf_slice_text(request->lane->pipeline->id))
                       : put;
    (void)put;
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
    struct lane *lane = request->lane;
    struct hf_sender *sender = lane->sender;
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
    hf_node_log(
        sender->node, HF_LOG_ERROR,
        "Exporting failed. The error is not retryable. Moving to the dead letters. %u %s, code "
        "%d: %s",
        request->export.items, hf_signal_items_name(request->export.signal), outcome->code,
        outcome->message != NULL ? outcome->message : "");
    struct wal *wal = hf_store_dead_letters(hf_graph_host(sender->node->graph)->store,
                                            sender->node->id, config->max_bytes);
    if (wal == NULL || !submit(request, wal, outcome)) {
        hf_lane_put_back(lane, request);
        lane->failing = true;
        lane->resume_ns = hf_loop_now_ns(sender->loop) + sender->config->retry.initial_interval_ns;
    }
}
