#include "stage.h"

#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../util/compress.h"
#include "../util/loop.h"
#include "store.h"

#define RECORDS_AT_ONCE 16
#define READ_BYTES ((size_t)1 << 20)
#define TAKES_AT_ONCE 64 /* then timers and outputs get their turn */
#define INPUTS_MAX 65536 /* not done with, of one queue: what is kept of each is small */
#define AGAIN_NS UINT64_C(100000000)

struct inlet;

struct input {
    struct hf_input input; /* lent to the component */
    struct inlet *inlet;
    struct input *previous, *next; /* among those not done with */
    uint64_t sequence, raw_bytes;
    uint32_t items;
};

/* One queue in front. */
struct inlet {
    struct inlet *next;
    struct hf_stage *stage;
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
struct emission {
    struct hf_reply reply;
    struct hf_task task; /* posted by a committer */
    struct emission *next;
    struct hf_stage *stage;
    struct hf_batch *batch;
    struct hf_output *output;
    enum hf_status status;
};

static_assert(sizeof(struct emission) <= sizeof(((struct hf_output *)0)->room),
              "an output has room for it");

struct hf_stage {
    struct hf_node *node;
    struct hf_loop *loop;
    struct inlet *inlets;
    struct emission *refused, **refused_end; /* to be tried again, in order */
    unsigned emitting;
    struct hf_timer again;
    struct hf_task pump_task, stop_task;
    bool pump_deferred, running, stopping, ended;
    sem_t stopped;
};

struct hf_loop *hf_stage_loop(const struct hf_stage *stage)
{
    return stage->loop;
}

/* ---- input ---- */

static void pump(struct hf_stage *stage);

static void run_pump(struct hf_task *task)
{
    struct hf_stage *stage = HF_CONTAINER(task, struct hf_stage, pump_task);
    stage->pump_deferred = false;
    pump(stage);
}

static void pump_later(struct hf_stage *stage)
{
    if (!stage->pump_deferred && !stage->stopping) {
        stage->pump_deferred = true;
        hf_loop_post(stage->loop, &stage->pump_task); /* a turn later: others come first */
    }
}

static void try_again_soon(struct hf_stage *stage)
{
    enum hf_status set =
        hf_loop_timer_set(stage->loop, &stage->again, hf_loop_now_ns(stage->loop) + AGAIN_NS);
    (void)set; /* out of memory: the next input or output pumps */
}

static void link_input(struct input *input)
{
    struct inlet *inlet = input->inlet;
    input->next = inlet->inputs;
    if (inlet->inputs != NULL) {
        inlet->inputs->previous = input;
    }
    inlet->inputs = input;
    inlet->input_count++;
}

static void unlink_input(struct input *input)
{
    struct inlet *inlet = input->inlet;
    if (input->previous != NULL) {
        input->previous->next = input->next;
    } else {
        inlet->inputs = input->next;
    }
    if (input->next != NULL) {
        input->next->previous = input->previous;
    }
    inlet->input_count--;
}

void hf_input_done(struct hf_input *lent, uint32_t dropped_items)
{
    struct input *input = HF_CONTAINER(lent, struct input, input);
    struct inlet *inlet = input->inlet;
    bool all = dropped_items >= input->items && input->items != 0;
    struct wal_ack ack = {.sequence = input->sequence,
                          .items = input->items,
                          .raw_bytes = input->raw_bytes,
                          .fate = all ? WAL_DROPPED : WAL_DELIVERED,
                          .drop = WAL_DROP_PROCESSOR,
                          .rejected_items = all ? 0 : dropped_items};
    wal_consumer_ack(inlet->consumer, &ack, 1);
    unlink_input(input);
    free(input);
    pump_later(inlet->stage);
}

/* The record as a batch that the component may keep. HF_CORRUPT, HF_NOMEM. */
static enum hf_status make_batch(const struct inlet *inlet, const struct wal_record *record,
                                 struct hf_batch **ret_batch)
{
    enum hf_signal signal = inlet->pipeline->signal;
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
static void skip(const struct inlet *inlet, const struct wal_record *record, bool is_damaged)
{
    struct wal_ack ack = {.sequence = record->sequence,
                          .items = record->items,
                          .raw_bytes = record->raw_bytes,
                          .fate = is_damaged ? WAL_DROPPED : WAL_DELIVERED,
                          .drop = WAL_DROP_DAMAGED};
    wal_consumer_ack(inlet->consumer, &ack, 1);
}

/* Offers one record. False: not now. */
static bool offer(struct inlet *inlet, struct wal_record *record)
{
    struct hf_node *node = inlet->stage->node;
    struct hf_batch *batch = NULL;
    enum hf_status status = record->items != 0 ? make_batch(inlet, record, &batch) : HF_OK;
    if (batch == NULL && status != HF_NOMEM) {
        skip(inlet, record, status != HF_OK);
        hf_ref_drop(record->owner);
        return true;
    }
    struct input *input = batch != NULL ? calloc(1, sizeof(*input)) : NULL;
    if (input != NULL) {
        *input = (struct input){.input = {.batch = batch},
                                .inlet = inlet,
                                .sequence = record->sequence,
                                .raw_bytes = record->raw_bytes,
                                .items = record->items};
        link_input(input); /* it may be done with before take() returns */
        status = node->component->take(node->self, &input->input);
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
static bool feed_one(struct inlet *inlet)
{
    if (inlet->input_count >= INPUTS_MAX) {
        return false;
    }
    if (inlet->at == inlet->count && inlet->dry) {
        return false;
    }
    if (inlet->at == inlet->count) {
        inlet->at = 0;
        inlet->count = 0;
        enum wal_status status = wal_consumer_read(inlet->consumer, RECORDS_AT_ONCE, READ_BYTES,
                                                   inlet->records, &inlet->count);
        if (status != WAL_OK) {
            inlet->count = 0;
            try_again_soon(inlet->stage);
            return false;
        }
        inlet->dry = inlet->count == 0;
        if (inlet->dry) {
            return false;
        }
    }
    if (!offer(inlet, &inlet->records[inlet->at])) {
        try_again_soon(inlet->stage);
        return false;
    }
    inlet->at++;
    return true;
}

static void pump(struct hf_stage *stage)
{
    for (struct inlet *inlet = stage->inlets; inlet != NULL; inlet = inlet->next) {
        unsigned left = TAKES_AT_ONCE;
        while (!stage->stopping && left > 0 && feed_one(inlet)) {
            left--;
        }
        if (left == 0) {
            pump_later(stage);
        }
    }
}

static void woken(struct hf_task *task)
{
    struct inlet *inlet = HF_CONTAINER(task, struct inlet, wake);
    inlet->dry = false;
    pump(inlet->stage);
}

/* The committer's thread. */
static void on_wake(void *user)
{
    struct inlet *inlet = user;
    hf_loop_post(inlet->stage->loop, &inlet->wake);
}

/* ---- output ---- */

static void end_emission(struct emission *emission, enum hf_status status)
{
    struct hf_stage *stage = emission->stage;
    struct hf_output *output = emission->output;
    hf_ref_drop(&emission->batch->ref);
    stage->emitting--;
    output->done(output, status); /* which may free it */
    if (stage->stopping && stage->emitting == 0) {
        sem_post(&stage->stopped);
    }
}

static void emitted(struct hf_task *task)
{
    struct emission *emission = HF_CONTAINER(task, struct emission, task);
    struct hf_stage *stage = emission->stage;
    bool later = emission->status != HF_OK && hf_status_row(emission->status)->retryable;
    if (later && !stage->stopping) {
        emission->next = NULL;
        *stage->refused_end = emission;
        stage->refused_end = &emission->next;
        try_again_soon(stage);
        return;
    }
    end_emission(emission, later ? HF_CLOSED : emission->status);
    pump_later(stage);
}

/* A committer's thread, or this one. */
static void answered(struct hf_reply *reply, enum hf_status status)
{
    struct emission *emission = HF_CONTAINER(reply, struct emission, reply);
    emission->status = status;
    hf_loop_post(emission->stage->loop, &emission->task);
}

void hf_emit(struct hf_node *node, struct hf_batch *batch, struct hf_output *output)
{
    struct hf_stage *stage = node->stage;
    struct emission *emission = (struct emission *)output->room;
    if (stage->stopping) {
        output->done(output, HF_CLOSED);
        return;
    }
    *emission = (struct emission){.reply = {.done = answered},
                                  .task = {.run = emitted},
                                  .stage = stage,
                                  .batch = batch,
                                  .output = output};
    hf_ref_take(&batch->ref);
    stage->emitting++;
    hf_consume(node, batch, NULL, &emission->reply);
}

static void again(struct hf_timer *timer, uint64_t now_ns)
{
    struct hf_stage *stage = HF_CONTAINER(timer, struct hf_stage, again);
    struct emission *emission = stage->refused;
    stage->refused = NULL;
    stage->refused_end = &stage->refused;
    while (emission != NULL) {
        struct emission *next = emission->next;
        hf_consume(stage->node, emission->batch, NULL, &emission->reply);
        emission = next;
    }
    (void)now_ns;
    pump(stage);
}

/* ---- life ---- */

enum hf_status hf_stage_new(struct hf_node *node, struct hf_stage **ret_stage)
{
    struct hf_stage *stage = calloc(1, sizeof(*stage));
    if (stage == NULL) {
        return HF_NOMEM;
    }
    stage->node = node;
    stage->again.fire = again;
    stage->refused_end = &stage->refused;
    stage->pump_task.run = run_pump;
    enum hf_status status = hf_loop_new(&stage->loop);
    if (status != HF_OK) {
        free(stage);
        return status;
    }
    sem_init(&stage->stopped, 0, 0);
    *ret_stage = stage;
    return HF_OK;
}

enum hf_status hf_stage_add(struct hf_stage *stage, const struct hf_pipeline *pipeline,
                            const struct hf_config_pipeline *from)
{
    struct inlet *inlet = calloc(1, sizeof(*inlet));
    if (inlet == NULL) {
        return HF_NOMEM;
    }
    inlet->stage = stage;
    inlet->pipeline = pipeline;
    inlet->from = from;
    inlet->wake.run = woken;
    inlet->next = stage->inlets;
    stage->inlets = inlet;
    return HF_OK;
}

/* What a queue knows of the stage, and of exporters that read it before the stage stood there. */
struct search {
    const struct inlet *inlet;
    bool is_open, has_open;              /* its own place; that of an exporter */
    char lowest[WAL_NAME_BYTES_MAX + 1]; /* the exporter that is farthest back; "": none */
    uint64_t low;
};

static bool was_exporter(const struct inlet *inlet, const char *id)
{
    const struct hf_config_pipeline *from = inlet->from;
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
    if (strcmp(stat->name, search->inlet->stage->node->id) == 0) {
        search->is_open = stat->open;
    } else if (was_exporter(search->inlet, stat->name)) {
        search->has_open = search->has_open || stat->open;
        if (search->lowest[0] == '\0' || stat->low < search->low) {
            snprintf(search->lowest, sizeof(search->lowest), "%s", stat->name);
            search->low = stat->low;
        }
    }
}

/* What the others had left is behind what was taken over. */
static void forget_exporters(const struct inlet *inlet)
{
    for (size_t i = 0; i < inlet->from->exporter_count; i++) {
        enum wal_status status =
            wal_consumer_remove(inlet->pipeline->wal, inlet->from->exporters[i]->id);
        (void)status; /* it may not have had a place there */
    }
}

static enum wal_status open_inlet(struct inlet *inlet, bool only_new)
{
    const struct hf_node *node = inlet->stage->node;
    struct search search = {.inlet = inlet};
    struct wal_consumer_options options = {.name = node->id, .wake = on_wake, .user = inlet};
    enum wal_status status = wal_consumer_each(inlet->pipeline->wal, look, &search);
    if (status != WAL_OK || (only_new && (search.is_open || search.has_open))) {
        return status;
    }
    options.adopt = search.lowest[0] != '\0' ? search.lowest : NULL;
    status = wal_consumer_open(inlet->pipeline->wal, &options, &inlet->consumer);
    if (status == WAL_OK && options.adopt != NULL) {
        hf_node_log(node, HF_LOG_INFO, "took over the backlog of the exporters in pipeline %s",
                    inlet->pipeline->id);
        forget_exporters(inlet);
    }
    return status;
}

enum hf_status hf_stage_open_consumers(struct hf_stage *stage, bool only_new, char *reterr)
{
    for (struct inlet *inlet = stage->inlets; inlet != NULL; inlet = inlet->next) {
        enum wal_status status = inlet->consumer == NULL ? open_inlet(inlet, only_new) : WAL_OK;
        if (status != WAL_OK) {
            snprintf(reterr, HF_ERROR_MAX, "%s: cannot open its place in the queue of %s: %s",
                     stage->node->id, inlet->pipeline->id, wal_status_text(status));
            return hf_status_of_wal(status);
        }
    }
    return HF_OK;
}

enum hf_status hf_stage_start(struct hf_stage *stage)
{
    char name[16];
    stage->running = true;
    pump_later(stage);
    snprintf(name, sizeof(name), "stage:%.9s", stage->node->id);
    enum hf_status status = hf_loop_start_thread(stage->loop, name);
    if (status != HF_OK) {
        stage->running = false;
        stage->stopping = true; /* what was posted has nothing to read any more */
    }
    return status;
}

static void stop_on_loop(struct hf_task *task)
{
    struct hf_stage *stage = HF_CONTAINER(task, struct hf_stage, stop_task);
    struct emission *emission = stage->refused;
    stage->stopping = true;
    stage->refused = NULL;
    stage->refused_end = &stage->refused;
    stage->emitting++; /* so that nobody else posts meanwhile */
    while (emission != NULL) {
        struct emission *next = emission->next;
        end_emission(emission, HF_CLOSED);
        emission = next;
    }
    if (--stage->emitting == 0) {
        sem_post(&stage->stopped);
    }
}

void hf_stage_stop(struct hf_stage *stage)
{
    if (!stage->running || stage->ended) {
        return;
    }
    stage->stop_task.run = stop_on_loop;
    hf_loop_post(stage->loop, &stage->stop_task);
    /* For commits alone, which end or fail; closing the queue would wait for them as well. */
    while (sem_wait(&stage->stopped) != 0 && errno == EINTR) {
    }
    hf_loop_join(stage->loop);
    stage->ended = true;
}

void hf_stage_close_consumers(struct hf_stage *stage)
{
    assert(!stage->running || stage->ended);
    for (struct inlet *inlet = stage->inlets; inlet != NULL; inlet = inlet->next) {
        for (; inlet->at < inlet->count; inlet->at++) {
            hf_ref_drop(inlet->records[inlet->at].owner);
        }
        while (inlet->inputs != NULL) {
            struct input *input = inlet->inputs;
            unlink_input(input);
            free(input);
        }
        if (inlet->consumer != NULL) {
            wal_consumer_close(inlet->consumer);
            inlet->consumer = NULL;
        }
    }
}

void hf_stage_free(struct hf_stage *stage)
{
    if (stage == NULL) {
        return;
    }
    hf_stage_close_consumers(stage);
    hf_loop_free(stage->loop);
    while (stage->inlets != NULL) {
        struct inlet *inlet = stage->inlets;
        stage->inlets = inlet->next;
        free(inlet);
    }
    sem_destroy(&stage->stopped);
    free(stage);
}
