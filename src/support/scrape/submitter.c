#include "submitter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/grow.h"
#include "util/time/clock.h"

static void take_answer(struct hf_reply *reply, enum hf_status status)
{
    struct hf_submitter *submit = HF_CONTAINER(reply, struct hf_submitter, reply);
    pthread_mutex_lock(&submit->lock);
    submit->answered = true;
    submit->status = status;
    pthread_cond_broadcast(&submit->changed);
    pthread_mutex_unlock(&submit->lock);
}

void hf_submitter_init(struct hf_submitter *submit, struct hf_node *node)
{
    pthread_condattr_t monotonic;
    *submit = (struct hf_submitter){.node = node, .transport = "", .reply = {take_answer}};
    pthread_mutex_init(&submit->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&submit->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void hf_submitter_release(struct hf_submitter *submit)
{
    assert(submit->batch == NULL);
    free(submit->checkpoints);
    hf_bytes_release(&submit->bytes);
    pthread_cond_destroy(&submit->changed);
    pthread_mutex_destroy(&submit->lock);
}

bool hf_submitter_sleep(struct hf_submitter *submit, uint64_t wait_ns)
{
    uint64_t due_ns = hf_clock_monotonic_ns() + wait_ns;
    struct timespec due = {.tv_sec = (time_t)(due_ns / HF_NS_PER_S),
                           .tv_nsec = (long)(due_ns % HF_NS_PER_S)};
    int error = 0;
    pthread_mutex_lock(&submit->lock);
    while (!submit->stopping && error == 0) {
        error = pthread_cond_timedwait(&submit->changed, &submit->lock, &due);
    }
    bool go_on = !submit->stopping;
    pthread_mutex_unlock(&submit->lock);
    return go_on;
}

void hf_submitter_stop(struct hf_submitter *submit)
{
    pthread_mutex_lock(&submit->lock);
    submit->stopping = true;
    pthread_cond_broadcast(&submit->changed);
    pthread_mutex_unlock(&submit->lock);
}

static void submit_now(struct hf_submitter *submit)
{
    const struct hf_submit_options options = {.transport = submit->transport,
                                              .checkpoints = submit->checkpoints,
                                              .checkpoint_count = submit->checkpoint_count};
    submit->answered = false;
    hf_submit_with(submit->node, submit->batch, &options, &submit->reply);
}

static enum hf_status wait_answer(struct hf_submitter *submit)
{
    pthread_mutex_lock(&submit->lock);
    while (!submit->answered) {
        pthread_cond_wait(&submit->changed, &submit->lock);
    }
    enum hf_status status = submit->status;
    pthread_mutex_unlock(&submit->lock);
    return status;
}

/* What can never pass is dropped; its places are committed without it. */
static bool give_up(struct hf_submitter *submit, enum hf_status status)
{
    hf_node_log(submit->node, HF_LOG_ERROR, "%u items are dropped: %s", submit->batch->items,
                hf_status_row(status)->says);
    struct hf_batch *empty = hf_batch_new(submit->batch->signal, 0, HF_EMPTY_SLICE);
    if (empty == NULL) {
        return false;
    }
    hf_batch_seal(empty, 0, 0);
    hf_ref_drop(&submit->batch->ref);
    submit->batch = empty;
    return true;
}

bool hf_submitter_wait(struct hf_submitter *submit)
{
    uint64_t wait_ns = submit->wait_first_ns;
    while (submit->batch != NULL) {
        enum hf_status status = wait_answer(submit);
        bool go_on = true;
        if (status == HF_OK) {
            hf_ref_drop(&submit->batch->ref);
            submit->batch = NULL;
            return true;
        }
        if (hf_status_row(status)->retryable || submit->batch->items == 0 ||
            !give_up(submit, status)) {
            go_on = hf_submitter_sleep(submit, wait_ns);
            wait_ns = wait_ns * 2 < submit->wait_max_ns ? wait_ns * 2 : submit->wait_max_ns;
        }
        if (!go_on) {
            hf_ref_drop(&submit->batch->ref);
            submit->batch = NULL;
            return false;
        }
        submit_now(submit);
    }
    return true;
}

/* Names and values are borrowed for the call only. */
static bool copy_checkpoints(struct hf_submitter *submit, const struct hf_checkpoint *checkpoints,
                             size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += checkpoints[i].name.size + checkpoints[i].value.size;
    }
    if (!hf_grow(&submit->checkpoints, &submit->checkpoint_capacity, count,
                 sizeof(*submit->checkpoints)) ||
        hf_bytes_reserve(&submit->bytes, size + 1) != HF_OK) {
        return false;
    }
    uint8_t *at = submit->bytes.data;
    for (size_t i = 0; i < count; i++) {
        struct hf_slice name = checkpoints[i].name, value = checkpoints[i].value;
        memcpy(at, name.data, name.size);
        submit->checkpoints[i].name = hf_slice_of(at, name.size);
        at += name.size;
        if (value.size != 0) {
            memcpy(at, value.data, value.size);
        }
        submit->checkpoints[i].value = hf_slice_of(at, value.size);
        at += value.size;
    }
    submit->checkpoint_count = count;
    return true;
}

bool hf_submitter_add(struct hf_submitter *submit, struct hf_batch *batch,
                      const struct hf_checkpoint *checkpoints, size_t count)
{
    if (!hf_submitter_wait(submit) || !copy_checkpoints(submit, checkpoints, count)) {
        hf_ref_drop(&batch->ref);
        return false;
    }
    submit->batch = batch;
    submit_now(submit);
    return true;
}
