#include "delivery.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dead_letter.h"
#include "delivery_internal.h"
#include "delivery_state.h"
#include "queue_reader.h"
#include "requeue.h"
#include "storage/storage.h"
#include "util/time/clock.h"

/* Of exporters without delivery keys: one request at a time, retried without limit. */
static const struct hf_delivery_config default_config = {
    .queue = {.enabled = true,
              .num_consumers = 1,
              .dead_letter = {.enabled = true, .max_bytes = UINT64_C(1) << 30}},
    .retry = {.enabled = true,
              .initial_interval_ns = UINT64_C(1000000000),
              .max_interval_ns = UINT64_C(30000000000),
              .multiplier = 1.5,
              .randomization_factor = 0.5},
};

static struct hf_series *items_series(const struct hf_node *node, const char *what,
                                      enum hf_signal signal, const char *help)
{
    char name[96];
    snprintf(name, sizeof(name), "otelcol_exporter_%s_%s", what, hf_signal_items_name(signal));
    const struct hf_metric_family family = {.name = name, .type = HF_COUNTER, .help = help};
    const struct hf_label labels[] = {{"exporter", node->id}, {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(node), &family, labels);
}

static struct hf_series *gauge(const struct hf_node *node, const char *name, const char *help)
{
    const struct hf_metric_family family = {.name = name, .type = HF_GAUGE, .help = help};
    const struct hf_label labels[] = {{"exporter", node->id}, {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(node), &family, labels);
}

static bool make_series(struct hf_delivery *delivery)
{
    bool made = true;
    for (int i = 0; i < HF_SIGNAL_COUNT; i++) {
        enum hf_signal signal = (enum hf_signal)i;
        delivery->sent[i] = items_series(delivery->node, "sent", signal, "Items the backend took.");
        delivery->send_failed[i] = items_series(delivery->node, "send_failed", signal,
                                                "Items given up: refused for good.");
        delivery->enqueue_failed[i] = items_series(delivery->node, "enqueue_failed", signal,
                                                   "Items that found this exporter's queue full.");
        made = made && delivery->sent[i] && delivery->send_failed[i] && delivery->enqueue_failed[i];
    }
    delivery->queue_size = gauge(delivery->node, "otelcol_exporter_queue_size",
                                 "Backlog, in units of the queue's sizer.");
    delivery->queue_capacity =
        gauge(delivery->node, "otelcol_exporter_queue_capacity",
              "queue_size of the configuration, in units of the queue's sizer.");
    return made && delivery->queue_size != NULL && delivery->queue_capacity != NULL;
}

/* Each time another reader comes first, so that none takes the whole window and rate for itself. */
static void pump_all(struct hf_task *task)
{
    struct hf_delivery *delivery = HF_CONTAINER(task, struct hf_delivery, pump_task);
    struct queue_reader *first = delivery->turn != NULL ? delivery->turn : delivery->readers;
    struct queue_reader *reader = first;
    delivery->pump_deferred = false;
    delivery->turn = first->next;
    do {
        hf_queue_reader_pump(reader);
        reader = reader->next != NULL ? reader->next : delivery->readers;
    } while (reader != first);
}

/* As the Go collector names them. */
static void name_spans(struct hf_delivery *delivery)
{
    static const struct hf_span_kind kinds[HF_SIGNAL_COUNT] = {
        [HF_TRACES] = {"sent_spans", "send_failed_spans", true},
        [HF_METRICS] = {"sent_metric_points", "send_failed_metric_points", true},
        [HF_LOGS] = {"sent_log_records", "send_failed_log_records", true},
        [HF_PROFILES] = {"sent_profile_samples", "send_failed_profile_samples", true}};
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        char text[256];
        snprintf(text, sizeof(text), "exporter/%s/%s", delivery->node->id,
                 hf_signal_name((enum hf_signal)signal));
        delivery->span_names[signal] =
            hf_own_spans_name(delivery->node->host->spans, text, &kinds[signal]);
    }
}

enum hf_status hf_delivery_new(struct hf_node *node, struct hf_delivery **ret_delivery)
{
    struct hf_delivery *delivery = calloc(1, sizeof(*delivery));
    if (delivery == NULL) {
        return HF_NOMEM;
    }
    delivery->node = node;
    delivery->history = hf_exporter_history_of(node->host->histories, node->id);
    delivery->is_out = true; /* perhaps, since before a reload: the first success tells */
    delivery->config = node->delivery_config != NULL ? node->delivery_config : &default_config;
    unsigned in_flight = (unsigned)delivery->config->queue.num_consumers;
    unsigned own = node->component->exporter->in_flight;
    if (own != 0 && (node->delivery_config == NULL || own < in_flight)) {
        in_flight = own;
    }
    hf_window_init(&delivery->window, in_flight);
    delivery->meter.bytes_per_s = delivery->config->queue.rate_limit;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    delivery->random = ((uint64_t)now.tv_nsec << 20) ^ (uint64_t)(uintptr_t)delivery ^ 1u;
    delivery->pump_task.run = pump_all;
    sem_init(&delivery->stopped, 0, 0);
    hf_fault_init(&delivery->fault);
    enum hf_status status = hf_loop_new(&delivery->loop);
    node->own_loop = delivery->loop;
    if (status == HF_OK && !make_series(delivery)) {
        status = HF_NOMEM;
    }
    name_spans(delivery);
    if (status == HF_OK) {
        struct queue_reader *requeued = hf_queue_reader_new(delivery, NULL);
        status = requeued != NULL ? HF_OK : HF_NOMEM;
        hf_requeued_init(delivery, requeued);
    }
    if (status != HF_OK) {
        hf_delivery_free(delivery);
        return status;
    }
    hf_series_set(delivery->queue_capacity, delivery->config->queue.queue_size);
    if (!delivery->config->queue.enabled) {
        hf_node_log(
            node, HF_LOG_WARN,
            "sending_queue::enabled: false has no effect: every configuration has the durable "
            "queue, so that OK means on disk");
    }
    *ret_delivery = delivery;
    return HF_OK;
}

enum hf_status hf_delivery_add(struct hf_delivery *delivery, const struct hf_pipeline *pipeline)
{
    struct queue_reader *reader = hf_queue_reader_new(delivery, pipeline);
    if (reader == NULL) {
        return HF_NOMEM;
    }
    atomic_init(&reader->wal, pipeline->wal);
    return HF_OK;
}

void hf_delivery_lead_dead_letters(struct hf_delivery *delivery, struct hf_pipeline *pipeline,
                                   void (*submit)(struct hf_node *node,
                                                  struct hf_pipeline *const *pipelines,
                                                  size_t count, struct hf_batch *batch,
                                                  struct hf_reply *reply))
{
    delivery->dead_letter_pipeline = pipeline;
    delivery->submit_dead_letter = submit;
}

struct search {
    const char *name;
    bool open, stored;
};

static void look(void *user, const struct wal_consumer_stat *stat)
{
    struct search *search = user;
    if (strcmp(stat->name, search->name) == 0) {
        search->stored = true;
        search->open = stat->open;
    }
}

static struct wal_consumer_options consumer_options(struct queue_reader *reader)
{
    const struct hf_queue_config *queue = &reader->delivery->config->queue;
    struct wal_consumer_options options = {
        .name = reader->delivery->node->id, .wake = hf_queue_reader_wake, .user = reader};
    if (queue->queue_size_written) {
        unsigned parts = reader->pipeline->queue_count > 1 ? reader->pipeline->queue_count : 1;
        uint64_t limit = ((uint64_t)queue->queue_size + parts - 1) / parts;
        options.limit_records = queue->sizer == HF_SIZER_REQUESTS ? limit : 0;
        options.limit_items = queue->sizer == HF_SIZER_ITEMS ? limit : 0;
        options.limit_bytes = queue->sizer == HF_SIZER_BYTES ? limit : 0;
    }
    return options;
}

static enum wal_status open_consumer(struct queue_reader *reader, bool only_new)
{
    struct hf_delivery *delivery = reader->delivery;
    struct wal_consumer_options options = consumer_options(reader);
    struct search own = {.name = delivery->node->id};
    enum wal_status status = wal_consumer_each(reader->wal, look, &own);
    if (status != WAL_OK || own.open) {
        return own.open && !only_new ? WAL_CLOSED : status;
    }
    const char *attach = delivery->config->queue.attach;
    struct search other = {.name = attach};
    if (attach != NULL && !own.stored) {
        status = wal_consumer_each(reader->wal, look, &other);
        if (status == WAL_OK && other.stored && !other.open) {
            options.adopt = attach;
            hf_node_log(delivery->node, HF_LOG_INFO, "took over the backlog of %s in pipeline %s",
                        attach, reader->pipeline->id);
        } else if (status == WAL_OK && reader->pipeline->lead == NULL) {
            hf_node_log(
                delivery->node, HF_LOG_WARN,
                "sending_queue::attach: pipeline %s has no backlog of a removed exporter %s",
                reader->pipeline->id, attach);
        }
    }
    return wal_consumer_open(reader->wal, &options, &reader->consumer);
}

enum hf_status hf_delivery_open_consumers(struct hf_delivery *delivery, bool only_new, char *reterr)
{
    assert(!delivery->running && "consumers are opened before the thread starts");
    for (struct queue_reader *reader = delivery->readers; reader != NULL; reader = reader->next) {
        if (reader->consumer != NULL || reader->pipeline == NULL) {
            continue;
        }
        enum wal_status status = open_consumer(reader, only_new);
        if (status != WAL_OK) {
            snprintf(reterr, HF_ERROR_MAX, "%s: cannot open its place in the queue of %s: %s",
                     delivery->node->id, reader->pipeline->id, wal_status_text(status));
            return hf_status_of_wal(status);
        }
    }
    if (!only_new) {
        hf_requeued_watch(delivery);
    }
    return HF_OK;
}

void hf_delivery_apply_limits(struct hf_delivery *delivery)
{
    const struct wal_limits limits = hf_dead_letter_limits(delivery);
    hf_storage_limit_dead_letters(delivery->node->host->store, delivery->node->id, &limits);
}

/* ---- a queue that is no more ---- */

static bool is_idle(const struct queue_reader *reader)
{
    return reader == NULL ||
           (reader->pending == NULL && reader->waiting == NULL && reader->in_flight == 0 &&
            reader->isolated.count == 0 && reader->held.records == 0);
}

static void let_go(struct hf_task *task)
{
    struct queue_reader *reader = HF_CONTAINER(task, struct queue_reader, let_go);
    if (reader->consumer != NULL && !reader->delivery->stopping && is_idle(reader) &&
        is_idle(reader->live)) {
        wal_consumer_close(reader->consumer);
        reader->consumer = NULL;
        atomic_store(&reader->wal, NULL);
    }
    atomic_store(&reader->is_letting_go, false);
}

void hf_delivery_let_go(struct hf_delivery *delivery, const struct hf_pipeline *pipeline)
{
    for (struct queue_reader *reader = delivery->readers; reader != NULL; reader = reader->next) {
        if (reader->pipeline == pipeline && atomic_load(&reader->wal) != NULL &&
            !atomic_exchange(&reader->is_letting_go, true)) {
            reader->let_go.run = let_go;
            hf_loop_post(delivery->loop, &reader->let_go);
        }
    }
}

static enum hf_status start_auth_keys(struct hf_delivery *delivery)
{
    const struct hf_exporter_ops *exporter = delivery->node->component->exporter;
    if (exporter->context_keys == NULL) {
        return HF_OK;
    }
    size_t count = 0;
    const char *const *keys = exporter->context_keys(delivery->node->self, &count);
    delivery->context_keys = calloc(count + 1, sizeof(*keys));
    if (delivery->context_keys == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        delivery->context_keys[i] = keys[i];
    }
    delivery->context_key_count = count;
    return HF_OK;
}

enum hf_status hf_delivery_start(struct hf_delivery *delivery)
{
    assert(!delivery->running && !delivery->stop_begun);
    char name[16];
    enum hf_status status = start_auth_keys(delivery);
    if (status != HF_OK) {
        return status;
    }
    for (struct queue_reader *reader = delivery->readers; reader != NULL; reader = reader->next) {
        hf_loop_post(delivery->loop, &reader->wake);
    }
    delivery->running = true;
    snprintf(name, sizeof(name), "send:%.10s", delivery->node->id);
    status = hf_loop_start_thread(delivery->loop, name);
    if (status != HF_OK) {
        delivery->running = false; /* the thread's own once there is one */
    }
    return status;
}

static void stop_on_loop(struct hf_task *task)
{
    struct hf_delivery *delivery = HF_CONTAINER(task, struct hf_delivery, stop_task);
    delivery->stopping = true;
    if (delivery->in_flight == 0 && delivery->dead_letters_in_flight == 0) {
        sem_post(&delivery->stopped);
    }
}

/* By the monotonic clock: a step of Unix time must not delay a stop, or shorten it. */
static void wait_at_most(sem_t *semaphore, uint64_t grace_ns)
{
    uint64_t until_ns = hf_clock_monotonic_ns() + grace_ns;
    const struct timespec until = {.tv_sec = (time_t)(until_ns / HF_NS_PER_S),
                                   .tv_nsec = (long)(until_ns % HF_NS_PER_S)};
    while (sem_clockwait(semaphore, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR) {
    }
}

#define DEAD_LETTER_GRACE_NS UINT64_C(10000000000)

void hf_delivery_begin_stop(struct hf_delivery *delivery)
{
    if (delivery->running && !delivery->stop_begun) {
        delivery->stop_begun = true;
        delivery->stop_task.run = stop_on_loop;
        hf_loop_post(delivery->loop, &delivery->stop_task);
    }
}

void hf_delivery_stop(struct hf_delivery *delivery, uint64_t grace_ns)
{
    if (!delivery->running || delivery->ended) {
        return;
    }
    hf_delivery_begin_stop(delivery);
    wait_at_most(&delivery->stopped, grace_ns);
    hf_loop_join(delivery->loop);
    /* The thread has ended, so its state may be read here. The commit of a dead letter may still
     * call back. */
    if (delivery->dead_letters_in_flight != 0) {
        wait_at_most(&delivery->stopped, DEAD_LETTER_GRACE_NS);
    }
    delivery->ended = true;
}

void hf_delivery_close_consumers(struct hf_delivery *delivery)
{
    assert(!delivery->running || delivery->ended);
    hf_requeued_unwatch(delivery);
    for (struct queue_reader *reader = delivery->readers; reader != NULL; reader = reader->next) {
        hf_queue_reader_drop_all(reader);
        if (reader->consumer != NULL) {
            wal_consumer_close(reader->consumer);
            reader->consumer = NULL;
        }
    }
}

void hf_delivery_free(struct hf_delivery *delivery)
{
    if (delivery == NULL) {
        return;
    }
    hf_delivery_close_consumers(delivery);
    if (delivery->loop != NULL) {
        hf_loop_free(delivery->loop);
    }
    while (delivery->readers != NULL) {
        struct queue_reader *reader = delivery->readers;
        delivery->readers = reader->next;
        free(reader);
    }
    sem_destroy(&delivery->stopped);
    hf_fault_release(&delivery->fault);
    free(delivery->context_keys);
    free(delivery);
}

struct hf_series *hf_delivery_enqueue_failed(const struct hf_delivery *delivery,
                                             enum hf_signal signal)
{
    return delivery->enqueue_failed[signal];
}

struct hf_loop *hf_delivery_loop(const struct hf_delivery *delivery)
{
    return delivery->loop;
}

bool hf_delivery_is_unhealthy(const struct hf_delivery *delivery)
{
    return atomic_load(&delivery->unhealthy) || atomic_load(&delivery->dead_letters_waiting) != 0;
}

bool hf_delivery_fault(struct hf_delivery *delivery, struct hf_state_look *ret_look)
{
    if (atomic_load(&delivery->dead_letters_waiting) != 0) {
        ret_look->state = HF_STATE_PERMANENT_ERROR;
        snprintf(ret_look->error, sizeof(ret_look->error),
                 "the dead letters are full: requeue or drop some, or raise their max_bytes");
        return true;
    }
    return hf_fault_look(&delivery->fault, ret_look);
}

bool hf_delivery_is_failing(const struct hf_delivery *delivery, const struct hf_pipeline *pipeline)
{
    for (const struct queue_reader *reader = delivery->readers; reader != NULL;
         reader = reader->next) {
        if (reader->pipeline == pipeline && atomic_load(&reader->failing)) {
            return true;
        }
    }
    return atomic_load(&delivery->unhealthy);
}

void hf_delivery_look(const struct hf_delivery *delivery, struct hf_delivery_look *ret_look)
{
    *ret_look = (struct hf_delivery_look){
        .in_flight = atomic_load_explicit(&delivery->shown_in_flight, memory_order_relaxed),
        .window = atomic_load_explicit(&delivery->shown_window, memory_order_relaxed),
        .is_unhealthy = atomic_load(&delivery->unhealthy),
        .dead_letters_waiting = atomic_load(&delivery->dead_letters_waiting)};
    for (const struct queue_reader *reader = delivery->readers; reader != NULL;
         reader = reader->next) {
        ret_look->is_failing = ret_look->is_failing || atomic_load(&reader->failing);
        ret_look->held_records += atomic_load_explicit(&reader->shown_held, memory_order_relaxed);
        ret_look->isolated += atomic_load_explicit(&reader->shown_isolated, memory_order_relaxed);
    }
}

void hf_delivery_refresh(struct hf_delivery *delivery)
{
    hf_series_set(delivery->queue_size,
                  (int64_t)hf_delivery_queued(delivery, delivery->config->queue.sizer));
}
