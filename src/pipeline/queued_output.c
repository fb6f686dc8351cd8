/*
 * queued_output: from the component to the queues behind. What they refuse for now is kept and
 * submitted again until they take it.
 */
#include "queued_internal.h"

#include <assert.h>
#include <semaphore.h>

#include "ingest.h"

static_assert(sizeof(struct pending_output) <= sizeof(((struct hf_output *)0)->room),
              "an output has room for it");

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
        hf_queued_try_again_soon(queued_processor);
        return;
    }
    end_output(pending_output, later ? HF_CLOSED : pending_output->status);
    hf_queued_pump_later(queued_processor);
}

/* A committer's thread, or this one. */
static void answered(struct hf_reply *reply, enum hf_status status)
{
    struct pending_output *pending_output = HF_CONTAINER(reply, struct pending_output, reply);
    pending_output->status = status;
    hf_loop_post(pending_output->queued_processor->loop, &pending_output->task);
}

static void submit(struct pending_output *pending_output)
{
    struct hf_node *node = pending_output->queued_processor->node;
    if (pending_output->to == NULL) {
        hf_submit(node, pending_output->batch, NULL, &pending_output->reply);
    } else {
        hf_submit_to(node, pending_output->to, pending_output->to_count, pending_output->batch,
                     &pending_output->reply);
    }
}

static void emit(struct pending_output output)
{
    struct hf_queued_processor *queued_processor = output.queued_processor;
    struct pending_output *pending_output = (struct pending_output *)output.output->room;
    if (queued_processor->stopping) {
        output.output->done(output.output, HF_CLOSED);
        return;
    }
    *pending_output = output;
    pending_output->reply.done = answered;
    pending_output->task.run = emitted;
    hf_ref_take(&output.batch->ref);
    queued_processor->emitting++;
    submit(pending_output);
}

void hf_emit(struct hf_node *node, struct hf_batch *batch, struct hf_output *output)
{
    emit((struct pending_output){
        .queued_processor = node->queued_processor, .batch = batch, .output = output});
}

void hf_emit_to(struct hf_node *node, struct hf_pipeline *const *pipelines, size_t count,
                struct hf_batch *batch, struct hf_output *output)
{
    assert(count != 0 && count <= UINT32_MAX);
    emit((struct pending_output){.queued_processor = node->queued_processor,
                                 .batch = batch,
                                 .output = output,
                                 .to = pipelines,
                                 .to_count = (uint32_t)count});
}

void hf_queued_emit_refused(struct hf_queued_processor *queued_processor)
{
    struct pending_output *pending_output = queued_processor->refused;
    queued_processor->refused = NULL;
    queued_processor->refused_end = &queued_processor->refused;
    while (pending_output != NULL) {
        struct pending_output *next = pending_output->next;
        submit(pending_output);
        pending_output = next;
    }
}

void hf_queued_close_outputs(struct hf_queued_processor *queued_processor)
{
    struct pending_output *pending_output = queued_processor->refused;
    queued_processor->refused = NULL;
    queued_processor->refused_end = &queued_processor->refused;
    queued_processor->emitting++; /* so that no other end posts meanwhile */
    while (pending_output != NULL) {
        struct pending_output *next = pending_output->next;
        end_output(pending_output, HF_CLOSED);
        pending_output = next;
    }
    if (--queued_processor->emitting == 0) {
        sem_post(&queued_processor->stopped);
    }
}
