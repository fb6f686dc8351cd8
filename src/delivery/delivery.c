#include "delivery.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "export_request.h"
#include "isolation.h"
#include "requeue.h"
#include "storage/storage.h"
#include "util/clock.h"

/* Used by exporters without the keys of sending.h: one request at a time, for ever. */
static const struct hf_delivery_config plain_sending = {
    .queue = {.enabled = true,
              .num_consumers = 1,
              .dead_letter = {.enabled = true, .max_bytes = UINT64_C(1) << 30}},
    .retry = {.enabled = true,
              .initial_interval_ns = UINT64_C(1000000000),
              .max_interval_ns = UINT64_C(30000000000),
              .multiplier = 1.5,
              .randomization_factor = 0.5},
};

double hf_delivery_draw(struct hf_delivery *delivery)
{
    /* xorshift64*: jitter needs no more. */
    delivery->random ^= delivery->random >> 12;
    delivery->random ^= delivery->random << 25;
    delivery->random ^= delivery->random >> 27;
    return (double)((delivery->random * UINT64_C(2685821657736338717)) >> 11) * 0x1.0p-53;
}

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

enum hf_status hf_delivery_new(struct hf_node *node, struct hf_delivery **ret_delivery)
{
    struct hf_delivery *delivery = calloc(1, sizeof(*delivery));
    if (delivery == NULL) {
        return HF_NOMEM;
    }
    delivery->node = node;
    delivery->config = node->delivery_config != NULL ? node->delivery_config : &plain_sending;
    hf_window_init(&delivery->window, (unsigned)delivery->config->queue.num_consumers);
    delivery->meter.bytes_per_s = delivery->config->queue.rate_limit;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    delivery->random = ((uint64_t)now.tv_nsec << 20) ^ (uint64_t)(uintptr_t)delivery ^ 1u;
    sem_init(&delivery->stopped, 0, 0);
    enum hf_status status = hf_loop_new(&delivery->loop);
    node->own_loop = delivery->loop;
    if (status == HF_OK && !make_series(delivery)) {
        status = HF_NOMEM;
    }
    if (status == HF_OK) {
        status = hf_requeued_new(delivery);
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

static void init_reader(struct queue_reader *reader, struct hf_delivery *delivery,
                        const struct hf_pipeline *pipeline)
{
    reader->delivery = delivery;
    reader->pipeline = pipeline;
    reader->pending_end = &reader->pending;
    reader->wake.run = hf_queue_reader_woken;
    reader->timer.fire = hf_queue_reader_timer;
    hf_queue_reader_set_batching(reader);
}

struct queue_reader *hf_delivery_new_reader(struct hf_delivery *delivery,
                                            const struct hf_pipeline *pipeline)
{
    /* Dead letters that are sent again are no backlog that something could come in behind. */
    bool has_fresh = pipeline != NULL && delivery->config->queue.fresh_share != 0;
    struct queue_reader *reader = calloc(has_fresh ? 2 : 1, sizeof(*reader));
    if (reader == NULL) {
        return NULL;
    }
    reader->next = delivery->readers;
    delivery->readers = reader;
    init_reader(reader, delivery, pipeline);
    reader->backlog = reader;
    if (has_fresh) {
        reader->live = reader + 1;
        init_reader(reader->live, delivery, pipeline);
        reader->live->backlog = reader;
    }
    return reader;
}

enum hf_status hf_delivery_add(struct hf_delivery *delivery, const struct hf_pipeline *pipeline)
{
    struct queue_reader *reader = hf_delivery_new_reader(delivery, pipeline);
    if (reader == NULL) {
        return HF_NOMEM;
    }
    atomic_init(&reader->wal, pipeline->wal);
    return HF_OK;
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
        uint64_t limit = (uint64_t)queue->queue_size;
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
        } else if (status == WAL_OK) {
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

struct wal_limits hf_delivery_letter_limits(const struct hf_delivery *delivery)
{
    const struct hf_dead_letter_config *config = &delivery->config->queue.dead_letter;
    return (struct wal_limits){
        .max_bytes = config->max_bytes,
        .drop_oldest = config->on_full == HF_LETTERS_ON_FULL_DROP_OLDEST,
    };
}

void hf_delivery_apply_limits(struct hf_delivery *delivery)
{
    const struct wal_limits limits = hf_delivery_letter_limits(delivery);
    hf_storage_limit_dead_letters(delivery->node->host->store, delivery->node->id, &limits);
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

/* Each time another reader comes first, so that none takes what the window and the meter give for
 * itself alone. */
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

void hf_delivery_pump_later(struct hf_delivery *delivery)
{
    if (!delivery->pump_deferred) {
        delivery->pump_deferred = true;
        delivery->pump_task.run = pump_all;
        hf_loop_defer(delivery->loop, &delivery->pump_task);
    }
}

static void stop_on_loop(struct hf_task *task)
{
    struct hf_delivery *delivery = HF_CONTAINER(task, struct hf_delivery, stop_task);
    delivery->stopping = true;
    if (delivery->in_flight == 0 && delivery->dead_letters_in_flight == 0) {
        sem_post(&delivery->stopped);
    }
}

/* By the clock that nobody sets: a step of Unix time must not hold up a stop, or cut it short. */
static void wait_at_most(sem_t *semaphore, uint64_t grace_ns)
{
    uint64_t until_ns = hf_clock_monotonic_ns() + grace_ns;
    const struct timespec until = {.tv_sec = (time_t)(until_ns / HF_NS_PER_S),
                                   .tv_nsec = (long)(until_ns % HF_NS_PER_S)};
    while (sem_clockwait(semaphore, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR) {
    }
}

#define BURIAL_GRACE_NS UINT64_C(10000000000)

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
    /* The thread is gone: its state may be read here. A dead_letter_write's commit may still call
     * back. */
    if (delivery->dead_letters_in_flight != 0) {
        wait_at_most(&delivery->stopped, BURIAL_GRACE_NS);
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
    return atomic_load(&delivery->unhealthy) || atomic_load(&delivery->unburied) != 0;
}

struct sum {
    const char *name;
    int64_t sizer;
    uint64_t queued;
};

static void add_up(void *user, const struct wal_consumer_stat *stat)
{
    struct sum *sum = user;
    if (strcmp(stat->name, sum->name) == 0) {
        const struct wal_amount *queued = &stat->accounting.queued;
        sum->queued += sum->sizer == HF_SIZER_REQUESTS ? queued->records
                       : sum->sizer == HF_SIZER_ITEMS  ? queued->items
                                                       : queued->bytes;
    }
}

void hf_delivery_refresh(struct hf_delivery *delivery)
{
    struct sum sum = {.name = delivery->node->id, .sizer = delivery->config->queue.sizer};
    for (const struct queue_reader *reader = delivery->readers; reader != NULL;
         reader = reader->next) {
        struct wal *wal = atomic_load(&reader->wal);
        enum wal_status status = wal != NULL ? wal_consumer_each(wal, add_up, &sum) : WAL_OK;
        (void)status; /* a gauge that misses one refresh */
    }
    hf_series_set(delivery->queue_size, (int64_t)sum.queued);
}

/* ---- what became of a request ---- */

void hf_delivery_set_unhealthy(struct hf_delivery *delivery, const char *why)
{
    if (!atomic_exchange(&delivery->unhealthy, true)) {
        hf_node_log(delivery->node, HF_LOG_ERROR, "unhealthy: %s; the data stays in the queue",
                    why);
    }
}

static void delivered(struct export_request *request, const struct hf_outcome *outcome)
{
    struct queue_reader *reader = request->reader->backlog;
    struct hf_delivery *delivery = reader->delivery;
    uint64_t rejected = outcome->rejected_items < request->export.items ? outcome->rejected_items
                                                                        : request->export.items;
    if (rejected != 0 || (outcome->message != NULL && outcome->message[0] != '\0')) {
        hf_node_log(delivery->node, HF_LOG_WARN,
                    "Partial success response: the backend rejected %llu of %u %s: %s",
                    (unsigned long long)rejected, request->export.items,
                    hf_signal_items_name(request->export.signal),
                    outcome->message != NULL ? outcome->message : "");
    }
    hf_series_add(delivery->sent[request->export.signal],
                  (int64_t)(request->export.items - rejected));
    reader->passed++;
    if (reader->failing) {
        hf_isolated_release(reader, hf_loop_now_ns(delivery->loop));
    }
    reader->failing = false;
    hf_window_grow(&delivery->window);
    hf_backoff_reset(&reader->backoff);
    if (atomic_load(&delivery->unhealthy)) {
        atomic_store(&delivery->unhealthy, false);
        hf_node_log(delivery->node, HF_LOG_INFO, "healthy again: the backend takes data");
    }
    hf_export_request_resolve(request, WAL_DELIVERED, WAL_DROP_REJECTED, rejected);
}

/* max_elapsed_time has passed, or retries are off. True: the request is gone. */
static bool give_up(struct export_request *request, const struct hf_outcome *outcome)
{
    struct queue_reader *reader = request->reader->backlog;
    struct hf_delivery *delivery = reader->delivery;
    hf_delivery_set_unhealthy(delivery,
                              outcome->message != NULL ? outcome->message : "no more retries left");
    switch (delivery->config->retry.on_give_up) {
    case HF_GIVE_UP_DROP:
        hf_node_log(delivery->node, HF_LOG_ERROR,
                    "Exporting failed. No more retries left. Dropping data. %u %s: %s",
                    request->export.items, hf_signal_items_name(request->export.signal),
                    outcome->message != NULL ? outcome->message : "");
        hf_series_add(delivery->send_failed[request->export.signal], request->export.items);
        hf_export_request_resolve(request, WAL_DROPPED, WAL_DROP_GAVE_UP, 0);
        hf_backoff_reset(&reader->backoff);
        return true;
    case HF_GIVE_UP_DEAD_LETTER:
        if (request->count == 1) {
            hf_export_request_dead_letter(request, outcome);
            return true;
        }
        return hf_export_request_halve(request);
    default:
        return false;
    }
}

static const char *words(const struct hf_outcome *outcome)
{
    return outcome->message != NULL && outcome->message[0] != '\0'
               ? outcome->message
               : hf_status_row(outcome->status)->says;
}

/* A credential, a route or a protocol that an operator corrects: no record is at fault. */
static bool is_about_the_endpoint(enum hf_status status)
{
    return status == HF_UNAUTHENTICATED || status == HF_FORBIDDEN || status == HF_NOT_FOUND ||
           status == HF_UNSUPPORTED;
}

static void failed_for_now(struct export_request *request, const struct hf_outcome *outcome)
{
    struct queue_reader *reader = request->reader->backlog;
    struct hf_delivery *delivery = reader->delivery;
    const struct hf_retry_config *retry = &delivery->config->retry;
    uint64_t now_ns = hf_loop_now_ns(delivery->loop);
    if (is_about_the_endpoint(outcome->status)) {
        hf_delivery_set_unhealthy(delivery, words(outcome));
    }
    if (outcome->status == HF_BUSY || outcome->retry_after_ns != 0) {
        hf_window_cut(&delivery->window, request->round);
    }
    if (!reader->failing || now_ns >= reader->resume_ns) {
        uint64_t wait_ns = hf_backoff_next(&reader->backoff, retry, now_ns, outcome->retry_after_ns,
                                           hf_delivery_draw(delivery));
        reader->resume_ns = now_ns + wait_ns;
        reader->failing = true;
        hf_node_log(
            delivery->node, HF_LOG_WARN,
            "Exporting failed. Will retry the request after interval. interval %.3fs, code %d: "
            "%s",
            (double)wait_ns / 1e9, outcome->code, words(outcome));
    }
    bool over = !retry->enabled || hf_backoff_is_over(&reader->backoff, retry, now_ns);
    if (over && give_up(request, outcome)) {
        return;
    }
    if (outcome->is_suspect) {
        hf_isolated_wait(request, reader->resume_ns);
    } else {
        hf_queue_reader_put_back(request->reader, request);
    }
}

static void refused_for_good(struct export_request *request, const struct hf_outcome *outcome)
{
    request->reader->backlog->failing = false;
    if (request->count == 1 || !hf_export_request_halve(request)) {
        hf_export_request_dead_letter(request, outcome);
    }
}

static void settle(struct export_request *request, const struct hf_outcome *outcome)
{
    switch (outcome->status) {
    case HF_OK:
        delivered(request, outcome);
        break;
    case HF_TOO_LARGE:
        request->reader->backlog->failing = false;
        if (!hf_export_request_halve(request)) {
            hf_export_request_dead_letter(request, outcome);
        }
        break;
    case HF_INVALID:
    case HF_EXISTS:
    case HF_CORRUPT:
        refused_for_good(request, outcome);
        break;
    case HF_CLOSED:
        hf_queue_reader_put_back(request->reader, request);
        break;
    default:
        if (!outcome->is_suspect || !hf_isolated_judge(request, outcome)) {
            failed_for_now(request, outcome);
        }
    }
}

void hf_export_done(struct hf_export *export, const struct hf_outcome *outcome)
{
    struct export_request *request = HF_CONTAINER(export, struct export_request, export);
    struct queue_reader *reader = request->reader->backlog;
    struct hf_delivery *delivery = reader->delivery;
    assert(delivery->in_flight != 0 && reader->in_flight != 0);
    delivery->in_flight--;
    reader->in_flight--;
    if (delivery->ended && outcome->status != HF_OK) {
        hf_queue_reader_put_back(request->reader,
                                 request); /* its records are released with the reader's */
        return;
    }
    settle(request, outcome);
    if (delivery->stopping) {
        if (delivery->in_flight == 0 && delivery->dead_letters_in_flight == 0) {
            sem_post(&delivery->stopped);
        }
        return;
    }
    hf_delivery_pump_later(delivery);
}
