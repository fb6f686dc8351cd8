#include "dead_letter.h"

#include <stdlib.h>
#include <string.h>

#include "dead_letter_batch.h"
#include "delivery_state.h"
#include "export_request.h"
#include "request_lists.h"
#include "util/log/log.h"

struct dead_letter_write {
    struct wal_append append; /* to the dead letters on disk */
    struct hf_reply reply;    /* of a pipeline */
    struct hf_task task;      /* posted by a committer */
    struct export_request *request;
    struct hf_batch *batch;
    enum hf_status status;
    bool is_piped;
    struct hf_outcome outcome; /* when it is piped: its message is `message` */
    char message[HF_DEAD_LETTER_REASON_BYTES_MAX + 1];
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
                        delivery->dead_letter_pipeline != NULL
                            ? "unhealthy: the pipeline for dead letters takes nothing for now, so "
                              "data that is refused for good stays in the queue"
                            : "unhealthy: the dead letters are full, so data that is refused for "
                              "good stays in the queue; requeue or drop dead letters, or raise "
                              "sending_queue::dead_letter::max_bytes");
        }
    }
    hf_isolated_add(request, hf_isolated_next_try(request, now_ns, 0));
}

static void keep_on_disk(struct export_request *request, const struct hf_outcome *outcome);

/* The loop's thread again. */
static void dead_letter_written(struct hf_task *task)
{
    struct dead_letter_write *dead_letter_write =
        HF_CONTAINER(task, struct dead_letter_write, task);
    struct export_request *request = dead_letter_write->request;
    struct queue_reader *reader = request->reader->backlog;
    struct hf_delivery *delivery = reader->delivery;
    enum hf_status status = dead_letter_write->status;
    hf_ref_drop(&dead_letter_write->batch->ref);
    if (status == HF_OK) {
        count_lost(request);
        hf_export_request_resolve(request, WAL_DEAD_LETTERED, WAL_DROP_PERMANENT, 0);
    } else if (dead_letter_write->is_piped && !hf_status_row(status)->retryable) {
        keep_on_disk(request, &dead_letter_write->outcome);
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
    dead_letter_write->status = hf_status_of_wal(status);
    hf_loop_post(dead_letter_write->request->reader->delivery->loop, &dead_letter_write->task);
}

static void answered(struct hf_reply *reply, enum hf_status status)
{
    struct dead_letter_write *dead_letter_write =
        HF_CONTAINER(reply, struct dead_letter_write, reply);
    dead_letter_write->status = status;
    hf_loop_post(dead_letter_write->request->reader->delivery->loop, &dead_letter_write->task);
}

static bool submit(struct export_request *request, struct wal *wal,
                   const struct hf_outcome *outcome)
{
    struct dead_letter_write *dead_letter_write = calloc(1, sizeof(*dead_letter_write));
    struct hf_batch *batch =
        dead_letter_write != NULL ? hf_dead_letter_stored(request, outcome) : NULL;
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

static void keep_on_disk(struct export_request *request, const struct hf_outcome *outcome)
{
    struct hf_delivery *delivery = request->reader->delivery;
    const struct wal_limits limits = hf_dead_letter_limits(delivery);
    struct wal *wal =
        hf_storage_dead_letters(delivery->node->host->store, delivery->node->id, &limits);
    if (wal == NULL || !submit(request, wal, outcome)) {
        wait_for_room(request);
    }
}

/* Hands it to the pipeline. HF_OK: an answer follows. */
static enum hf_status pipe(struct export_request *request, const struct hf_outcome *outcome)
{
    struct hf_delivery *delivery = request->reader->delivery;
    struct dead_letter_write *piped = calloc(1, sizeof(*piped));
    enum hf_status status =
        piped != NULL ? hf_dead_letter_piped(request, outcome, &piped->batch) : HF_NOMEM;
    if (status != HF_OK) {
        free(piped);
        return status;
    }
    piped->request = request;
    piped->is_piped = true;
    piped->task.run = dead_letter_written;
    piped->reply.done = answered;
    piped->outcome = *outcome;
    piped->outcome.message = piped->message;
    if (outcome->message != NULL) {
        memcpy(piped->message, outcome->message,
               strnlen(outcome->message, HF_DEAD_LETTER_REASON_BYTES_MAX));
    }
    delivery->dead_letters_in_flight++;
    delivery->submit_dead_letter(delivery->node, &delivery->dead_letter_pipeline, 1, piped->batch,
                                 &piped->reply);
    return HF_OK;
}

static void pass_on(struct export_request *request, const struct hf_outcome *outcome)
{
    enum hf_status status = pipe(request, outcome);
    if (status == HF_NOMEM) {
        wait_for_room(request);
    } else if (status != HF_OK) {
        keep_on_disk(request, outcome);
    }
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
            delivery->dead_letter_pipeline != NULL
                ? "Exporting failed. The error is not retryable. Moving to the pipeline for dead "
                  "letters."
                : "Exporting failed. The error is not retryable. Moving to the dead letters.",
            HF_LOG_KEYS(HF_LOG_NUMBER("items", request->export.items),
                        HF_LOG_TEXT("signal", hf_signal_name(request->export.signal)),
                        HF_LOG_NUMBER("code", outcome->code),
                        HF_LOG_TEXT("error", hf_outcome_message(outcome))));
    }
    if (delivery->dead_letter_pipeline != NULL) {
        pass_on(request, outcome);
    } else {
        keep_on_disk(request, outcome);
    }
}
