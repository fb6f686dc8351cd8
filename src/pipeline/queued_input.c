/*
 * queued_input: from the queues in front to the component, and what it is done with.
 */
#include "queued_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "storage/storage.h"
#include "util/compress/compress.h"

#define READ_BYTES ((size_t)1 << 20)
#define TAKES_AT_ONCE 64 /* then timers and outputs get their turn */
#define INPUTS_MAX                                                                                 \
    ((size_t)1 << 20) /* not done with, of one queue: what is kept of each is small */
#define AGAIN_NS UINT64_C(100000000)

void hf_queued_run_pump(struct hf_task *task)
{
    struct hf_queued_processor *queued_processor =
        HF_CONTAINER(task, struct hf_queued_processor, pump_task);
    queued_processor->pump_deferred = false;
    hf_queued_pump(queued_processor);
}

void hf_queued_pump_later(struct hf_queued_processor *queued_processor)
{
    if (!queued_processor->pump_deferred && !queued_processor->stopping) {
        queued_processor->pump_deferred = true;
        hf_loop_post(queued_processor->loop,
                     &queued_processor->pump_task); /* a turn later: others come first */
    }
}

void hf_queued_try_again_soon(struct hf_queued_processor *queued_processor)
{
    enum hf_status set = hf_loop_timer_set(queued_processor->loop, &queued_processor->again,
                                           hf_loop_now_ns(queued_processor->loop) + AGAIN_NS);
    (void)set; /* out of memory: the next input or output pumps */
}

static void link_input(struct input *input)
{
    struct input_queue *input_queue = input->input_queue;
    input->next = input_queue->inputs;
    if (input_queue->inputs != NULL) {
        input_queue->inputs->previous = input;
    }
    input_queue->inputs = input;
    input_queue->input_count++;
}

static void unlink_input(struct input *input)
{
    struct input_queue *input_queue = input->input_queue;
    if (input->previous != NULL) {
        input->previous->next = input->next;
    } else {
        input_queue->inputs = input->next;
    }
    if (input->next != NULL) {
        input->next->previous = input->previous;
    }
    input_queue->input_count--;
}

/* All its items are done with. */
static void acknowledge(struct input *input)
{
    struct input_queue *input_queue = input->input_queue;
    bool all = input->dropped == input->items && input->items != 0;
    struct wal_ack ack = {.sequence = input->input.sequence,
                          .items = input->items,
                          .raw_bytes = input->raw_bytes,
                          .outcome = all ? WAL_DROPPED : WAL_DELIVERED,
                          .drop = WAL_DROP_PROCESSOR,
                          .rejected_items = all ? 0 : input->dropped};
    wal_consumer_ack(input_queue->consumer, &ack, 1);
    unlink_input(input);
    free(input);
    hf_queued_pump_later(input_queue->queued_processor);
}

void hf_input_done_items(struct hf_input *lent, uint32_t items, uint32_t dropped_items)
{
    struct input *input = HF_CONTAINER(lent, struct input, input);
    assert(items <= input->open && dropped_items <= items);
    items = items < input->open ? items : input->open;
    input->open -= items;
    input->dropped += dropped_items < items ? dropped_items : items;
    if (input->open == 0) {
        acknowledge(input);
    }
}

void hf_input_done(struct hf_input *lent, uint32_t dropped_items)
{
    struct input *input = HF_CONTAINER(lent, struct input, input);
    uint32_t open = input->open;
    hf_input_done_items(lent, open, dropped_items < open ? dropped_items : open);
}

/* The record as a batch that the component may keep. HF_CORRUPT, HF_NOMEM. */
static enum hf_status make_batch(const struct input_queue *input_queue,
                                 const struct wal_record *record, struct hf_batch **ret_batch)
{
    enum hf_signal signal = input_queue->pipeline->signal;
    struct hf_batch *batch = NULL;
    if (record->coding == HF_IDENTITY) {
        batch = hf_batch_wrap(signal, HF_IDENTITY, record->body, record->owner, record->meta);
    } else {
        struct hf_bytes raw = {0};
        enum hf_status status = hf_decode((enum hf_coding)record->coding, record->body,
                                          (size_t)record->raw_bytes + 1, &raw);
        if (status == HF_OK) {
            batch = hf_batch_new(signal, raw.size, record->meta);
        }
        if (batch != NULL && raw.size != 0) {
            memcpy(hf_batch_room(batch), raw.data, raw.size);
        }
        if (batch != NULL) {
            hf_batch_seal(batch, raw.size, record->items);
        }
        hf_bytes_release(&raw);
        if (status != HF_OK) {
            return status == HF_NOMEM ? HF_NOMEM : HF_CORRUPT;
        }
    }
    if (batch == NULL) {
        return HF_NOMEM;
    }
    batch->items = record->items;
    batch->received_ns = record->time_ns;
    *ret_batch = batch;
    return HF_OK;
}

enum hf_status hf_input_load(const struct hf_input *lent, struct hf_batch **ret_batch)
{
    const struct input *input = HF_CONTAINER(lent, struct input, input);
    struct wal_record record;
    enum wal_status found =
        wal_get(input->input_queue->pipeline->wal, input->input.sequence, &record);
    if (found != WAL_OK) {
        return found == WAL_MISSING ? HF_NOT_FOUND : hf_status_of_wal(found);
    }
    enum hf_status status = make_batch(input->input_queue, &record, ret_batch);
    hf_ref_drop(record.owner);
    return status;
}

/* Done with, without the component: it has nothing to take, or cannot be read. */
static void skip(const struct input_queue *input_queue, const struct wal_record *record,
                 bool is_damaged)
{
    struct wal_ack ack = {.sequence = record->sequence,
                          .items = record->items,
                          .raw_bytes = record->raw_bytes,
                          .outcome = is_damaged ? WAL_DROPPED : WAL_DELIVERED,
                          .drop = WAL_DROP_DAMAGED};
    wal_consumer_ack(input_queue->consumer, &ack, 1);
}

/* Offers one record. False: not now. */
static bool offer(struct input_queue *input_queue, struct wal_record *record)
{
    struct hf_node *node = input_queue->queued_processor->node;
    struct hf_batch *batch = NULL;
    enum hf_status status = record->items != 0 ? make_batch(input_queue, record, &batch) : HF_OK;
    if (batch == NULL && status != HF_NOMEM) {
        skip(input_queue, record, status != HF_OK);
        hf_ref_drop(record->owner);
        return true;
    }
    struct input *input = batch != NULL ? calloc(1, sizeof(*input)) : NULL;
    if (input != NULL) {
        *input = (struct input){
            .input = {.batch = batch,
                      .queue = input_queue->pipeline->id,
                      .sequence = record->sequence},
            .input_queue = input_queue,
            .raw_bytes = record->raw_bytes < UINT32_MAX ? (uint32_t)record->raw_bytes : UINT32_MAX,
            .items = record->items,
            .open = record->items};
        link_input(input); /* it may be done with before process_queued() returns */
        status = node->component->queued->process_queued(node->self, &input->input);
        if (status != HF_OK) {
            unlink_input(input);
            free(input);
        }
    }
    bool taken = input != NULL && status == HF_OK;
    if (batch != NULL) {
        hf_ref_drop(&batch->ref);
    }
    if (taken) {
        hf_ref_drop(record->owner);
    }
    return taken;
}

/* False: there is nothing, or not now. */
static bool feed_one(struct input_queue *input_queue)
{
    if (input_queue->input_count >= INPUTS_MAX) {
        return false;
    }
    if (input_queue->at == input_queue->count && input_queue->dry) {
        return false;
    }
    if (input_queue->at == input_queue->count) {
        input_queue->at = 0;
        input_queue->count = 0;
        enum wal_status status =
            wal_consumer_read(input_queue->consumer, RECORDS_AT_ONCE, READ_BYTES,
                              input_queue->records, &input_queue->count);
        if (status != WAL_OK) {
            input_queue->count = 0;
            hf_queued_try_again_soon(input_queue->queued_processor);
            return false;
        }
        input_queue->dry = input_queue->count == 0;
        if (input_queue->dry) {
            return false;
        }
    }
    if (!offer(input_queue, &input_queue->records[input_queue->at])) {
        hf_queued_try_again_soon(input_queue->queued_processor);
        return false;
    }
    input_queue->at++;
    return true;
}

void hf_queued_pump(struct hf_queued_processor *queued_processor)
{
    for (struct input_queue *input_queue = queued_processor->input_queues; input_queue != NULL;
         input_queue = input_queue->next) {
        unsigned left = TAKES_AT_ONCE;
        while (!queued_processor->stopping && left > 0 && feed_one(input_queue)) {
            left--;
        }
        if (left == 0) {
            hf_queued_pump_later(queued_processor);
        }
    }
}

void hf_queued_woken(struct hf_task *task)
{
    struct input_queue *input_queue = HF_CONTAINER(task, struct input_queue, wake);
    input_queue->dry = false;
    hf_queued_pump(input_queue->queued_processor);
}

/* The committer's thread. */
void hf_queued_on_wake(void *user)
{
    struct input_queue *input_queue = user;
    hf_loop_post(input_queue->queued_processor->loop, &input_queue->wake);
}

void hf_queued_forget_inputs(struct input_queue *input_queue)
{
    for (; input_queue->at < input_queue->count; input_queue->at++) {
        hf_ref_drop(input_queue->records[input_queue->at].owner);
    }
    while (input_queue->inputs != NULL) {
        struct input *input = input_queue->inputs;
        unlink_input(input);
        free(input);
    }
}
