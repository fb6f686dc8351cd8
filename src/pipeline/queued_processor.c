#include "queued_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/storage.h"

static void again(struct hf_timer *timer, uint64_t now_ns)
{
    struct hf_queued_processor *queued_processor =
        HF_CONTAINER(timer, struct hf_queued_processor, again);
    (void)now_ns;
    hf_queued_emit_refused(queued_processor);
    hf_queued_pump(queued_processor);
}

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
    queued_processor->pump_task.run = hf_queued_run_pump;
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
    input_queue->wake.run = hf_queued_woken;
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
    struct wal_consumer_options options = {
        .name = node->id, .wake = hf_queued_on_wake, .user = input_queue};
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
    hf_queued_pump_later(queued_processor);
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
    queued_processor->stopping = true;
    hf_queued_close_outputs(queued_processor);
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
        hf_queued_forget_inputs(input_queue);
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
