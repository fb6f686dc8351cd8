#include "queued_processor.h"

#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/storage.h"
#include "util/compress.h"
#include "util/loop.h"

#define RECORDS_AT_ONCE 16
#define READ_BYTES ((size_t)1 << 20)
#define TAKES_AT_ONCE 64 /* then timers and outputs get their turn */
#define INPUTS_MAX 65536 /* not done with, of one queue: what is kept of each is small */
#define AGAIN_NS UINT64_C(100000000)

struct input_queue;

struct input {
    struct hf_input input; /* lent to the component */
    struct input_queue *input_queue;
    struct input *previous, *next; /* among those not done with */
    uint64_t sequence, raw_bytes;
    uint32_t items;
};

/* One queue in front. */
struct input_queue {
    struct input_queue *next;
    struct hf_queued_processor *queued_processor;
    const struct hf_pipeline *pipeline;
    const struct hf_config_pipeline *from; /* NULL: nobody's place to take over */
    struct wal_consumer *consumer;
    struct hf_task wake; /* posted by the committer */
    bool dry;            /* the last read found nothing; `wake` is armed */
    struct wal_record records[RECORDS_AT_ONCE];
    size_t at, count; /* of them, not yet offered */
    struct input *inputs;
    size_t input_count;
};

/* A batch on its way to the queues behind; in the room of its output. */
struct pending_output {
    struct hf_reply reply;
    struct hf_task task; /* posted by a committer */
    struct pending_output *next;
    struct hf_queued_processor *queued_processor;
    struct hf_batch *batch;
    struct hf_output *output;
    enum hf_status status;
};

static_assert(sizeof(struct pending_output) <= sizeof(((struct hf_output *)0)->room),
              "an output has room for it");

struct hf_queued_processor {
    struct hf_node *node;
    struct hf_loop *loop;
    struct input_queue *input_queues;
    struct pending_output *refused, **refused_end; /* to be tried again, in order */
    unsigned emitting;
    struct hf_timer again;
    struct hf_task pump_task, stop_task;
    bool pump_deferred, running, stopping, ended;
    sem_t stopped;
};

/* ---- input ---- */

static void pump(struct hf_queued_processor *queued_processor);

static void run_pump(struct hf_task *task)
{
    struct hf_queued_processor *queued_processor =
        HF_CONTAINER(task, struct hf_queued_processor, pump_task);
    queued_processor->pump_deferred = false;
    pump(queued_processor);
}

static void pump_later(struct hf_queued_processor *queued_processor)
{
    if (!queued_processor->pump_deferred && !queued_processor->stopping) {
        queued_processor->pump_deferred = true;
        hf_loop_post(queued_processor->loop,
                     &queued_processor->pump_task); /* a turn later: others come first */
    }
}

static void try_again_soon(struct hf_queued_processor *queued_processor)
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

void hf_input_done(struct hf_input *lent, uint32_t dropped_items)
{
    struct input *input = HF_CONTAINER(lent, struct input, input);
    struct input_queue *input_queue = input->input_queue;
    bool all = dropped_items >= input->items && input->items != 0;
    struct wal_ack ack = {.sequence = input->sequence,
                          .items = input->items,
                          .raw_bytes = input->raw_bytes,
                          .outcome = all ? WAL_DROPPED : WAL_DELIVERED,
                          .drop = WAL_DROP_PROCESSOR,
                          .rejected_items = all ? 0 : dropped_items};
    wal_consumer_ack(input_queue->consumer, &ack, 1);
    unlink_input(input);
    free(input);
    pump_later(input_queue->queued_processor);
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
        *input = (struct input){.input = {.batch = batch},
                                .input_queue = input_queue,
                                .sequence = record->sequence,
                                .raw_bytes = record->raw_bytes,
                                .items = record->items};
        link_input(input); /* it may be done with before take() returns */
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
            try_again_soon(input_queue->queued_processor);
            return false;
        }
        input_queue->dry = input_queue->count == 0;
        if (input_queue->dry) {
            return false;
        }
    }
    if (!offer(input_queue, &input_queue->records[input_queue->at])) {
        try_again_soon(input_queue->queued_processor);
        return false;
    }
    input_queue->at++;
    return true;
}

static void pump(struct hf_queued_processor *queued_processor)
{
    for (struct input_queue *input_queue = queued_processor->input_queues; input_queue != NULL;
         input_queue = input_queue->next) {
        unsigned left = TAKES_AT_ONCE;
        while (!queued_processor->stopping && left > 0 && feed_one(input_queue)) {
            left--;
        }
        if (left == 0) {
            pump_later(queued_processor);
        }
    }
}

static void woken(struct hf_task *task)
{
    struct input_queue *input_queue = HF_CONTAINER(task, struct input_queue, wake);
    input_queue->dry = false;
    pump(input_queue->queued_processor);
}

/* The committer's thread. */
static void on_wake(void *user)
{
    struct input_queue *input_queue = user;
    hf_loop_post(input_queue->queued_processor->loop, &input_queue->wake);
}

/* ---- output ---- */

static void end_output(struct pending_output *pending_output, enum hf_status status)
{
    struct hf_queued_processor *queued_processor = pending_output->queued_processor;
    struct hf_output *output = pending_output->output;
    hf_ref_drop(&pending_output->batch->ref);
    queued_processor->emitting--;
    output->done(output, status); /* which may free it */
    if (queued_processor->stopping && queued_processor->emitting == 0) {
        sem_post(&queued_processor->stopped);
    }
}

static void emitted(struct hf_task *task)
{
    struct pending_output *pending_output = HF_CONTAINER(task, struct pending_output, task);
    struct hf_queued_processor *queued_processor = pending_output->queued_processor;
    bool later =
        pending_output->status != HF_OK && hf_status_row(pending_output->status)->retryable;
    if (later && !queued_processor->stopping) {
        pending_output->next = NULL;
        *queued_processor->refused_end = pending_output;
        queued_processor->refused_end = &pending_output->next;
        try_again_soon(queued_processor);
        return;
    }
    end_output(pending_output, later ? HF_CLOSED : pending_output->status);
    pump_later(queued_processor);
}

/* A committer's thread, or this one. */
static void answered(struct hf_reply *reply, enum hf_status status)
{
    struct pending_output *pending_output = HF_CONTAINER(reply, struct pending_output, reply);
    pending_output->status = status;
    hf_loop_post(pending_output->queued_processor->loop, &pending_output->task);
}

void hf_emit(struct hf_node *node, struct hf_batch *batch, struct hf_output *output)
{
    struct hf_queued_processor *queued_processor = node->queued_processor;
    struct pending_output *pending_output = (struct pending_output *)output->room;
    if (queued_processor->stopping) {
        output->done(output, HF_CLOSED);
        return;
    }
    *pending_output = (struct pending_output){.reply = {.done = answered},
                                              .task = {.run = emitted},
                                              .queued_processor = queued_processor,
                                              .batch = batch,
                                              .output = output};
    hf_ref_take(&batch->ref);
    queued_processor->emitting++;
    hf_submit(node, batch, NULL, &pending_output->reply);
}

static void again(struct hf_timer *timer, uint64_t now_ns)
{
    struct hf_queued_processor *queued_processor =
        HF_CONTAINER(timer, struct hf_queued_processor, again);
    struct pending_output *pending_output = queued_processor->refused;
    queued_processor->refused = NULL;
    queued_processor->refused_end = &queued_processor->refused;
    while (pending_output != NULL) {
        struct pending_output *next = pending_output->next;
        hf_submit(queued_processor->node, pending_output->batch, NULL, &pending_output->reply);
        pending_output = next;
    }
    (void)now_ns;
    pump(queued_processor);
}

/* ---- life ---- */

enum hf_status hf_queued_processor_new(struct hf_node *node,
                                       struct hf_queued_processor **ret_queued_processor)
{
    struct hf_queued_processor *queued_processor = calloc(1, sizeof(*queued_processor));
    if (queued_processor == NULL) {
        return HF_NOMEM;
    }
    queued_processor->node = node;
    queued_processor->again.fire = again;
    queued_processor->refused_end = &queued_processor->refused;
    queued_processor->pump_task.run = run_pump;
    enum hf_status status = hf_loop_new(&queued_processor->loop);
    if (status != HF_OK) {
        free(queued_processor);
        return status;
    }
    node->own_loop = queued_processor->loop;
    sem_init(&queued_processor->stopped, 0, 0);
    *ret_queued_processor = queued_processor;
    return HF_OK;
}

enum hf_status hf_queued_processor_add(struct hf_queued_processor *queued_processor,
                                       const struct hf_pipeline *pipeline,
                                       const struct hf_config_pipeline *from)
{
    struct input_queue *input_queue = calloc(1, sizeof(*input_queue));
    if (input_queue == NULL) {
        return HF_NOMEM;
    }
    input_queue->queued_processor = queued_processor;
    input_queue->pipeline = pipeline;
    input_queue->from = from;
    input_queue->wake.run = woken;
    input_queue->next = queued_processor->input_queues;
    queued_processor->input_queues = input_queue;
    return HF_OK;
}

/* What a queue knows of the queued_processor, and of exporters that read it before the
 * queued_processor stood there. */
struct search {
    const struct input_queue *input_queue;
    bool is_open, has_open;              /* its own place; that of an exporter */
    char lowest[WAL_NAME_BYTES_MAX + 1]; /* the exporter that is farthest back; "": none */
    uint64_t low;
};

static bool was_exporter(const struct input_queue *input_queue, const char *id)
{
    const struct hf_config_pipeline *from = input_queue->from;
    for (size_t i = 0; from != NULL && i < from->exporter_count; i++) {
        if (strcmp(from->exporters[i]->id, id) == 0) {
            return true;
        }
    }
    return false;
}

static void look(void *user, const struct wal_consumer_stat *stat)
{
    struct search *search = user;
    if (strcmp(stat->name, search->input_queue->queued_processor->node->id) == 0) {
        search->is_open = stat->open;
    } else if (was_exporter(search->input_queue, stat->name)) {
        search->has_open = search->has_open || stat->open;
        if (search->lowest[0] == '\0' || stat->low < search->low) {
            snprintf(search->lowest, sizeof(search->lowest), "%s", stat->name);
            search->low = stat->low;
        }
    }
}

/* What the others had left is behind what was taken over. */
static void forget_exporters(const struct input_queue *input_queue)
{
    for (size_t i = 0; i < input_queue->from->exporter_count; i++) {
        enum wal_status status =
            wal_consumer_remove(input_queue->pipeline->wal, input_queue->from->exporters[i]->id);
        (void)status; /* it may not have had a place there */
    }
}

static enum wal_status open_input_queue(struct input_queue *input_queue, bool only_new)
{
    const struct hf_node *node = input_queue->queued_processor->node;
    struct search search = {.input_queue = input_queue};
    struct wal_consumer_options options = {.name = node->id, .wake = on_wake, .user = input_queue};
    enum wal_status status = wal_consumer_each(input_queue->pipeline->wal, look, &search);
    if (status != WAL_OK || (only_new && (search.is_open || search.has_open))) {
        return status;
    }
    options.adopt = search.lowest[0] != '\0' ? search.lowest : NULL;
    status = wal_consumer_open(input_queue->pipeline->wal, &options, &input_queue->consumer);
    if (status == WAL_OK && options.adopt != NULL) {
        hf_node_log(node, HF_LOG_INFO, "took over the backlog of the exporters in pipeline %s",
                    input_queue->pipeline->id);
        forget_exporters(input_queue);
    }
    return status;
}

enum hf_status hf_queued_processor_open_consumers(struct hf_queued_processor *queued_processor,
                                                  bool only_new, char *reterr)
{
    for (struct input_queue *input_queue = queued_processor->input_queues; input_queue != NULL;
         input_queue = input_queue->next) {
        enum wal_status status =
            input_queue->consumer == NULL ? open_input_queue(input_queue, only_new) : WAL_OK;
        if (status != WAL_OK) {
            snprintf(reterr, HF_ERROR_MAX, "%s: cannot open its place in the queue of %s: %s",
                     queued_processor->node->id, input_queue->pipeline->id,
                     wal_status_text(status));
            return hf_status_of_wal(status);
        }
    }
    return HF_OK;
}

enum hf_status hf_queued_processor_start(struct hf_queued_processor *queued_processor)
{
    char name[16];
    queued_processor->running = true;
    pump_later(queued_processor);
    snprintf(name, sizeof(name), "queued:%.8s", queued_processor->node->id);
    enum hf_status status = hf_loop_start_thread(queued_processor->loop, name);
    if (status != HF_OK) {
        queued_processor->running = false;
        queued_processor->stopping = true; /* what was posted has nothing to read any more */
    }
    return status;
}

static void stop_on_loop(struct hf_task *task)
{
    struct hf_queued_processor *queued_processor =
        HF_CONTAINER(task, struct hf_queued_processor, stop_task);
    struct pending_output *pending_output = queued_processor->refused;
    queued_processor->stopping = true;
    queued_processor->refused = NULL;
    queued_processor->refused_end = &queued_processor->refused;
    queued_processor->emitting++; /* so that nobody else posts meanwhile */
    while (pending_output != NULL) {
        struct pending_output *next = pending_output->next;
        end_output(pending_output, HF_CLOSED);
        pending_output = next;
    }
    if (--queued_processor->emitting == 0) {
        sem_post(&queued_processor->stopped);
    }
}

void hf_queued_processor_stop(struct hf_queued_processor *queued_processor)
{
    if (!queued_processor->running || queued_processor->ended) {
        return;
    }
    queued_processor->stop_task.run = stop_on_loop;
    hf_loop_post(queued_processor->loop, &queued_processor->stop_task);
    /* For commits alone, which end or fail; closing the queue would wait for them as well. */
    while (sem_wait(&queued_processor->stopped) != 0 && errno == EINTR) {
    }
    hf_loop_join(queued_processor->loop);
    queued_processor->ended = true;
}

void hf_queued_processor_close_consumers(struct hf_queued_processor *queued_processor)
{
    assert(!queued_processor->running || queued_processor->ended);
    for (struct input_queue *input_queue = queued_processor->input_queues; input_queue != NULL;
         input_queue = input_queue->next) {
        for (; input_queue->at < input_queue->count; input_queue->at++) {
            hf_ref_drop(input_queue->records[input_queue->at].owner);
        }
        while (input_queue->inputs != NULL) {
            struct input *input = input_queue->inputs;
            unlink_input(input);
            free(input);
        }
        if (input_queue->consumer != NULL) {
            wal_consumer_close(input_queue->consumer);
            input_queue->consumer = NULL;
        }
    }
}

void hf_queued_processor_free(struct hf_queued_processor *queued_processor)
{
    if (queued_processor == NULL) {
        return;
    }
    hf_queued_processor_close_consumers(queued_processor);
    hf_loop_free(queued_processor->loop);
    while (queued_processor->input_queues != NULL) {
        struct input_queue *input_queue = queued_processor->input_queues;
        queued_processor->input_queues = input_queue->next;
        free(input_queue);
    }
    sem_destroy(&queued_processor->stopped);
    free(queued_processor);
}
