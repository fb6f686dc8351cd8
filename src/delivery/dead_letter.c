#include "dead_letter.h"

#include <stdio.h>
#include <stdlib.h>

#include "dead_letter_meta.h"
#include "delivery_state.h"
#include "export_request.h"
#include "request_lists.h"
#include "util/log.h"

#define REASON_BYTES_MAX 512u

struct dead_letter_write {
    struct wal_append append;
    struct hf_task task; /* posted by the dead letters' committer */
    struct export_request *request;
    struct hf_batch *batch;
    enum wal_status status;
};

static void count_lost(const struct export_request *request)
{
    struct hf_delivery *delivery = request->reader->delivery;
    hf_series_add(delivery->send_failed[request->export.signal], request->export.items);
}

struct wal_limits hf_dead_letter_limits(const struct hf_delivery *delivery)
{
    const struct hf_dead_letter_config *config = &delivery->config->queue.dead_letter;
    return (struct wal_limits){
        .max_bytes = config->max_bytes,
        .drop_oldest = config->on_full == HF_DEAD_LETTERS_DROP_OLDEST,
    };
}

static void wait_for_room(struct export_request *request)
{
    struct hf_delivery *delivery = request->reader->delivery;
    uint64_t now_ns = hf_loop_now_ns(delivery->loop);
    if (!request->isolation.is_dead_letter_waiting) {
        request->isolation.is_dead_letter_waiting = true;
        if (atomic_fetch_add(&delivery->dead_letters_waiting, 1) == 0) {
            hf_node_log(delivery->node, HF_LOG_ERROR,
                        "unhealthy: the dead letters are full, so data that is refused for good "
                        "stays in the queue; requeue or drop dead letters, or raise "
                        "sending_queue::dead_letter::max_bytes");
        }
    }
    hf_isolated_add(request, hf_isolated_next_try(request, now_ns, 0));
}

/* The loop's thread again. */
static void dead_letter_written(struct hf_task *task)
{
    struct dead_letter_write *dead_letter_write =
        HF_CONTAINER(task, struct dead_letter_write, task);
    struct export_request *request = dead_letter_write->request;
    struct queue_reader *reader = request->reader->backlog;
    struct hf_delivery *delivery = reader->delivery;
    hf_ref_drop(&dead_letter_write->batch->ref);
    if (dead_letter_write->status == WAL_OK) {
        count_lost(request);
        hf_export_request_resolve(request, WAL_DEAD_LETTERED, WAL_DROP_PERMANENT, 0);
    } else {
        wait_for_room(request);
    }
    free(dead_letter_write);
    delivery->dead_letters_in_flight--;
    if (delivery->stopping) {
        if (delivery->dead_letters_in_flight == 0 && delivery->in_flight == 0) {
            sem_post(&delivery->stopped);
        }
        return;
    }
    hf_delivery_pump_later(delivery);
}

static void committed(struct wal_append *append, enum wal_status status)
{
    struct dead_letter_write *dead_letter_write =
        HF_CONTAINER(append, struct dead_letter_write, append);
    dead_letter_write->status = status;
    hf_loop_post(dead_letter_write->request->reader->delivery->loop, &dead_letter_write->task);
}

/* The client's entries of a record. Of those that an earlier dead letter added, only the pipeline
 * is kept.
 */
static struct hf_slice client_meta(const struct export_request *request,
                                   struct hf_slice *ret_pipeline)
{
    const struct hf_pipeline *pipeline = request->reader->pipeline;
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

static void write_meta(struct hf_meta_writer *meta, const struct export_request *request,
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

static struct hf_batch *make_dead_letter(const struct export_request *request,
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

static bool submit(struct export_request *request, struct wal *wal,
                   const struct hf_outcome *outcome)
{
    struct dead_letter_write *dead_letter_write = calloc(1, sizeof(*dead_letter_write));
    struct hf_batch *batch = dead_letter_write != NULL ? make_dead_letter(request, outcome) : NULL;
    if (batch == NULL) {
        free(dead_letter_write);
        return false;
    }
    *dead_letter_write = (struct dead_letter_write){
        .request = request,
        .batch = batch,
        .task = {.run = dead_letter_written},
        .append = {.kind = (uint8_t)batch->signal,
                   .coding = (uint8_t)batch->coding,
                   .items = batch->items,
                   .raw_bytes = request->bodies[0].raw_size,
                   .time_ns = batch->received_ns,
                   .meta = batch->meta,
                   .body = batch->wire,
                   .owner = &batch->ref,
                   .done = committed},
    };
    if (wal_admit(wal, &dead_letter_write->append) != WAL_OK) {
        hf_ref_drop(&batch->ref);
        free(dead_letter_write);
        return false;
    }
    request->reader->delivery->dead_letters_in_flight++;
    wal_append(wal, &dead_letter_write->append);
    return true;
}

void hf_export_request_dead_letter(struct export_request *request, const struct hf_outcome *outcome)
{
    struct hf_delivery *delivery = request->reader->delivery;
    const struct hf_dead_letter_config *config = &delivery->config->queue.dead_letter;
    hf_exporter_history_refused(delivery->history, outcome->status, outcome->code,
                                hf_outcome_message(outcome));
    if (!config->enabled) {
        hf_node_log_keys(delivery->node, HF_LOG_ERROR,
                         "Exporting failed. The error is not retryable. Dropping data.",
                         HF_LOG_KEYS(HF_LOG_NUMBER("dropped_items", request->export.items),
                                     HF_LOG_NUMBER("code", outcome->code),
                                     HF_LOG_TEXT("error", hf_outcome_message(outcome))));
        count_lost(request);
        hf_export_request_resolve(request, WAL_DROPPED, WAL_DROP_PERMANENT, 0);
        return;
    }
    if (!request->isolation.is_dead_letter_waiting) {
        hf_node_log_keys(
            delivery->node, HF_LOG_ERROR,
            "Exporting failed. The error is not retryable. Moving to the dead letters.",
            HF_LOG_KEYS(HF_LOG_NUMBER("items", request->export.items),
                        HF_LOG_TEXT("signal", hf_signal_name(request->export.signal)),
                        HF_LOG_NUMBER("code", outcome->code),
                        HF_LOG_TEXT("error", hf_outcome_message(outcome))));
    }
    const struct wal_limits limits = hf_dead_letter_limits(delivery);
    struct wal *wal =
        hf_storage_dead_letters(delivery->node->host->store, delivery->node->id, &limits);
    if (wal == NULL || !submit(request, wal, outcome)) {
        wait_for_room(request);
    }
}
