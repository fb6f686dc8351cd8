/*
 * queued_internal: what the files of the queued processor share. All of it belongs to the thread of
 * its loop while that runs.
 */
#pragma once

#include <semaphore.h>

#include "queued_processor.h"
#include "util/loop.h"

#define RECORDS_AT_ONCE 16

struct input {
    struct hf_input input; /* lent to the component */
    struct input_queue *input_queue;
    struct input *previous, *next; /* among those not done with */
    /* As read. A million inputs may wait, so each byte counts: a request is at most 256 MiB. */
    uint32_t raw_bytes, items;
    uint32_t open, dropped; /* items that are not done with; of those done with */
};

/* One queue in front. */
struct input_queue {
    struct input_queue *next;
    struct hf_queued_processor *queued_processor;
    const struct hf_pipeline *pipeline;
    const struct hf_config_pipeline *from; /* NULL: there is no place to take over */
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
    struct hf_pipeline *const *to; /* NULL: all that follow */
    uint32_t to_count;
    enum hf_status status;
};

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

/* queued_input.c: offers what can be offered. */
void hf_queued_pump(struct hf_queued_processor *queued_processor);
/* Likewise, a turn later: others come first. */
void hf_queued_pump_later(struct hf_queued_processor *queued_processor);
void hf_queued_run_pump(struct hf_task *task);
void hf_queued_woken(struct hf_task *task);
/* `wake` of a consumer: the committer's thread. */
void hf_queued_on_wake(void *user);
/* Sets the timer `again`. */
void hf_queued_try_again_soon(struct hf_queued_processor *queued_processor);
/* Frees the inputs that the component was not done with: they stay in the queue. */
void hf_queued_forget_inputs(struct input_queue *input_queue);

/* queued_output.c: submits again what was refused for now. */
void hf_queued_emit_refused(struct hf_queued_processor *queued_processor);
/* Ends what was refused: nothing is submitted any more. */
void hf_queued_close_outputs(struct hf_queued_processor *queued_processor);
