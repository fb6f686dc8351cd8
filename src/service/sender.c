#include "sender.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../util/clock.h"
#include "isolated.h"
#include "request.h"
#include "requeued.h"
#include "store.h"

/* Used by exporters without the keys of sending.h: one request at a time, for ever. */
static const struct hf_sending_config plain_sending = {
    .queue = {.enabled = true,
              .num_consumers = 1,
              .dead_letter = {.enabled = true, .max_bytes = UINT64_C(1) << 30}},
    .retry = {.enabled = true,
              .initial_interval_ns = UINT64_C(1000000000),
              .max_interval_ns = UINT64_C(30000000000),
              .multiplier = 1.5,
              .randomization_factor = 0.5},
};

double hf_sender_draw(struct hf_sender *sender)
{
    /* xorshift64*: jitter needs no more. */
    sender->random ^= sender->random >> 12;
    sender->random ^= sender->random << 25;
    sender->random ^= sender->random >> 27;
    return (double)((sender->random * UINT64_C(2685821657736338717)) >> 11) * 0x1.0p-53;
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

static bool make_series(struct hf_sender *sender)
{
    bool made = true;
    for (int i = 0; i < HF_SIGNAL_COUNT; i++) {
        enum hf_signal signal = (enum hf_signal)i;
        sender->sent[i] = items_series(sender->node, "sent", signal, "Items the backend took.");
        sender->send_failed[i] =
            items_series(sender->node, "send_failed", signal, "Items given up: refused for good.");
        sender->enqueue_failed[i] = items_series(sender->node, "enqueue_failed", signal,
                                                 "Items that found this exporter's queue full.");
        made = made && sender->sent[i] && sender->send_failed[i] && sender->enqueue_failed[i];
    }
    sender->queue_size = gauge(sender->node, "otelcol_exporter_queue_size",
                               "Backlog, in units of the queue's sizer.");
    sender->queue_capacity =
        gauge(sender->node, "otelcol_exporter_queue_capacity",
              "queue_size of the configuration, in units of the queue's sizer.");
    return made && sender->queue_size != NULL && sender->queue_capacity != NULL;
}

enum hf_status hf_sender_new(struct hf_node *node, struct hf_sender **ret_sender)
{
    struct hf_sender *sender = calloc(1, sizeof(*sender));
    if (sender == NULL) {
        return HF_NOMEM;
    }
    sender->node = node;
    sender->config = node->component->has_sending ? node->config : &plain_sending;
    hf_window_init(&sender->window, (unsigned)sender->config->queue.num_consumers);
    sender->meter.bytes_per_s = sender->config->queue.rate_limit;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    sender->random = ((uint64_t)now.tv_nsec << 20) ^ (uint64_t)(uintptr_t)sender ^ 1u;
    sem_init(&sender->stopped, 0, 0);
    enum hf_status status = hf_loop_new(&sender->loop);
    if (status == HF_OK && !make_series(sender)) {
        status = HF_NOMEM;
    }
    if (status == HF_OK) {
        status = hf_requeued_new(sender);
    }
    if (status != HF_OK) {
        hf_sender_free(sender);
        return status;
    }
    hf_series_set(sender->queue_capacity, sender->config->queue.queue_size);
    if (!sender->config->queue.enabled) {
        hf_node_log(
            node, HF_LOG_WARN,
            "sending_queue::enabled: false has no effect: every configuration has the durable "
            "queue, so that OK means on disk");
    }
    *ret_sender = sender;
    return HF_OK;
}

static void init_lane(struct lane *lane, struct hf_sender *sender,
                      const struct hf_pipeline *pipeline)
{
    lane->sender = sender;
    lane->pipeline = pipeline;
    lane->pending_end = &lane->pending;
    lane->wake.run = hf_lane_woken;
    lane->timer.fire = hf_lane_timer;
    hf_lane_shape(lane);
}

struct lane *hf_sender_new_lane(struct hf_sender *sender, const struct hf_pipeline *pipeline)
{
    /* Dead letters that are sent again are no backlog that something could come in behind. */
    bool has_fresh = pipeline != NULL && sender->config->queue.fresh_share != 0;
    struct lane *lane = calloc(has_fresh ? 2 : 1, sizeof(*lane));
    if (lane == NULL) {
        return NULL;
    }
    lane->next = sender->lanes;
    sender->lanes = lane;
    init_lane(lane, sender, pipeline);
    lane->whole = lane;
    if (has_fresh) {
        lane->fresh = lane + 1;
        init_lane(lane->fresh, sender, pipeline);
        lane->fresh->whole = lane;
    }
    return lane;
}

enum hf_status hf_sender_add(struct hf_sender *sender, const struct hf_pipeline *pipeline)
{
    struct lane *lane = hf_sender_new_lane(sender, pipeline);
    if (lane == NULL) {
        return HF_NOMEM;
    }
    atomic_init(&lane->wal, pipeline->wal);
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

static struct wal_consumer_options consumer_options(struct lane *lane)
{
    const struct hf_queue_config *queue = &lane->sender->config->queue;
    struct wal_consumer_options options = {
        .name = lane->sender->node->id, .wake = hf_lane_wake, .user = lane};
    if (queue->queue_size_written) {
        uint64_t limit = (uint64_t)queue->queue_size;
        options.limit_records = queue->sizer == HF_SIZER_REQUESTS ? limit : 0;
        options.limit_items = queue->sizer == HF_SIZER_ITEMS ? limit : 0;
        options.limit_bytes = queue->sizer == HF_SIZER_BYTES ? limit : 0;
    }
    return options;
}

static enum wal_status open_consumer(struct lane *lane, bool only_new)
{
    struct hf_sender *sender = lane->sender;
    struct wal_consumer_options options = consumer_options(lane);
    struct search own = {.name = sender->node->id};
    enum wal_status status = wal_consumer_each(lane->wal, look, &own);
    if (status != WAL_OK || own.open) {
        return own.open && !only_new ? WAL_CLOSED : status;
    }
    const char *attach = sender->config->queue.attach;
    struct search other = {.name = attach};
    if (attach != NULL && !own.stored) {
        status = wal_consumer_each(lane->wal, look, &other);
        if (status == WAL_OK && other.stored && !other.open) {
            options.adopt = attach;
            hf_node_log(sender->node, HF_LOG_INFO, "took over the backlog of %s in pipeline %s",
                        attach, lane->pipeline->id);
        } else if (status == WAL_OK) {
            hf_node_log(
                sender->node, HF_LOG_WARN,
                "sending_queue::attach: pipeline %s has no backlog of a removed exporter %s",
                lane->pipeline->id, attach);
        }
    }
    return wal_consumer_open(lane->wal, &options, &lane->consumer);
}

enum hf_status hf_sender_open_consumers(struct hf_sender *sender, bool only_new, char *reterr)
{
    for (struct lane *lane = sender->lanes; lane != NULL; lane = lane->next) {
        if (lane->consumer != NULL || lane->pipeline == NULL) {
            continue;
        }
        enum wal_status status = open_consumer(lane, only_new);
        if (status != WAL_OK) {
            snprintf(reterr, HF_ERROR_MAX, "%s: cannot open its place in the queue of %s: %s",
                     sender->node->id, lane->pipeline->id, wal_status_text(status));
            return hf_status_of_wal(status);
        }
    }
    if (!only_new) {
        hf_requeued_watch(sender);
    }
    return HF_OK;
}

struct wal_limits hf_sender_letter_limits(const struct hf_sender *sender)
{
    const struct hf_dead_letter_config *config = &sender->config->queue.dead_letter;
    return (struct wal_limits){
        .max_bytes = config->max_bytes,
        .drop_oldest = config->on_full == HF_LETTERS_ON_FULL_DROP_OLDEST,
    };
}

void hf_sender_apply_limits(struct hf_sender *sender)
{
    const struct wal_limits limits = hf_sender_letter_limits(sender);
    hf_store_limit_letters(hf_graph_host(sender->node->graph)->store, sender->node->id, &limits);
}

static enum hf_status start_auth_keys(struct hf_sender *sender)
{
    const struct hf_component *component = sender->node->component;
    if (component->context_keys == NULL) {
        return HF_OK;
    }
    size_t count = 0;
    const char *const *keys = component->context_keys(sender->node->self, &count);
    sender->context_keys = calloc(count + 1, sizeof(*keys));
    if (sender->context_keys == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        sender->context_keys[i] = keys[i];
    }
    sender->context_key_count = count;
    return HF_OK;
}

enum hf_status hf_sender_start(struct hf_sender *sender)
{
    char name[16];
    enum hf_status status = start_auth_keys(sender);
    if (status != HF_OK) {
        return status;
    }
    for (struct lane *lane = sender->lanes; lane != NULL; lane = lane->next) {
        hf_loop_post(sender->loop, &lane->wake);
    }
    sender->running = true;
    snprintf(name, sizeof(name), "send:%.10s", sender->node->id);
    status = hf_loop_start_thread(sender->loop, name);
    if (status != HF_OK) {
        sender->running = false; /* the thread's own once there is one */
    }
    return status;
}

/* Each time another lane comes first, so that none takes what the window and the meter give for
 * itself alone. */
static void pump_all(struct hf_task *task)
{
    struct hf_sender *sender = HF_CONTAINER(task, struct hf_sender, pump_task);
    struct lane *first = sender->turn != NULL ? sender->turn : sender->lanes;
    struct lane *lane = first;
    sender->pump_deferred = false;
    sender->turn = first->next;
    do {
        hf_lane_pump(lane);
        lane = lane->next != NULL ? lane->next : sender->lanes;
    } while (lane != first);
}

void hf_sender_pump_later(struct hf_sender *sender)
{
    if (!sender->pump_deferred) {
        sender->pump_deferred = true;
        sender->pump_task.run = pump_all;
        hf_loop_defer(sender->loop, &sender->pump_task);
    }
}

static void stop_on_loop(struct hf_task *task)
{
    struct hf_sender *sender = HF_CONTAINER(task, struct hf_sender, stop_task);
    sender->stopping = true;
    if (sender->in_flight == 0 && sender->burying == 0) {
        sem_post(&sender->stopped);
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

void hf_sender_begin_stop(struct hf_sender *sender)
{
    if (sender->running && !sender->stop_begun) {
        sender->stop_begun = true;
        sender->stop_task.run = stop_on_loop;
        hf_loop_post(sender->loop, &sender->stop_task);
    }
}

void hf_sender_stop(struct hf_sender *sender, uint64_t grace_ns)
{
    if (!sender->running || sender->ended) {
        return;
    }
    hf_sender_begin_stop(sender);
    wait_at_most(&sender->stopped, grace_ns);
    hf_loop_join(sender->loop);
    /* The thread is gone: its state may be read here. A burial's commit may still call back. */
    if (sender->burying != 0) {
        wait_at_most(&sender->stopped, BURIAL_GRACE_NS);
    }
    sender->ended = true;
}

void hf_sender_close_consumers(struct hf_sender *sender)
{
    assert(!sender->running || sender->ended);
    hf_requeued_unwatch(sender);
    for (struct lane *lane = sender->lanes; lane != NULL; lane = lane->next) {
        hf_lane_drop_all(lane);
        if (lane->consumer != NULL) {
            wal_consumer_close(lane->consumer);
            lane->consumer = NULL;
        }
    }
}

void hf_sender_free(struct hf_sender *sender)
{
    if (sender == NULL) {
        return;
    }
    hf_sender_close_consumers(sender);
    if (sender->loop != NULL) {
        hf_loop_free(sender->loop);
    }
    while (sender->lanes != NULL) {
        struct lane *lane = sender->lanes;
        sender->lanes = lane->next;
        free(lane);
    }
    sem_destroy(&sender->stopped);
    free(sender->context_keys);
    free(sender);
}

struct hf_series *hf_sender_enqueue_failed(const struct hf_sender *sender, enum hf_signal signal)
{
    return sender->enqueue_failed[signal];
}

struct hf_loop *hf_sender_loop(const struct hf_sender *sender)
{
    return sender->loop;
}

bool hf_sender_is_unhealthy(const struct hf_sender *sender)
{
    return atomic_load(&sender->unhealthy) || atomic_load(&sender->unburied) != 0;
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
        const struct wal_amount *queued = &stat->books.queued;
        sum->queued += sum->sizer == HF_SIZER_REQUESTS ? queued->records
                       : sum->sizer == HF_SIZER_ITEMS  ? queued->items
                                                       : queued->bytes;
    }
}

void hf_sender_refresh(struct hf_sender *sender)
{
    struct sum sum = {.name = sender->node->id, .sizer = sender->config->queue.sizer};
    for (const struct lane *lane = sender->lanes; lane != NULL; lane = lane->next) {
        struct wal *wal = atomic_load(&lane->wal);
        enum wal_status status = wal != NULL ? wal_consumer_each(wal, add_up, &sum) : WAL_OK;
        (void)status; /* a gauge that misses one refresh */
    }
    hf_series_set(sender->queue_size, (int64_t)sum.queued);
}

/* ---- what became of a request ---- */

void hf_sender_set_unhealthy(struct hf_sender *sender, const char *why)
{
    if (!atomic_exchange(&sender->unhealthy, true)) {
        hf_node_log(sender->node, HF_LOG_ERROR, "unhealthy: %s; the data stays in the queue", why);
    }
}

static void delivered(struct request *request, const struct hf_outcome *outcome)
{
    struct lane *lane = request->lane->whole;
    struct hf_sender *sender = lane->sender;
    uint64_t rejected = outcome->rejected_items < request->export.items ? outcome->rejected_items
                                                                        : request->export.items;
    if (rejected != 0 || (outcome->message != NULL && outcome->message[0] != '\0')) {
        hf_node_log(sender->node, HF_LOG_WARN,
                    "Partial success response: the backend rejected %llu of %u %s: %s",
                    (unsigned long long)rejected, request->export.items,
                    hf_signal_items_name(request->export.signal),
                    outcome->message != NULL ? outcome->message : "");
    }
    hf_series_add(sender->sent[request->export.signal],
                  (int64_t)(request->export.items - rejected));
    lane->passed++;
    if (lane->failing) {
        hf_isolated_release(lane, hf_loop_now_ns(sender->loop));
    }
    lane->failing = false;
    hf_window_grow(&sender->window);
    hf_backoff_reset(&lane->backoff);
    if (atomic_load(&sender->unhealthy)) {
        atomic_store(&sender->unhealthy, false);
        hf_node_log(sender->node, HF_LOG_INFO, "healthy again: the backend takes data");
    }
    hf_request_resolve(request, WAL_DELIVERED, WAL_DROP_REJECTED, rejected);
}

/* max_elapsed_time has passed, or retries are off. True: the request is gone. */
static bool give_up(struct request *request, const struct hf_outcome *outcome)
{
    struct lane *lane = request->lane->whole;
    struct hf_sender *sender = lane->sender;
    hf_sender_set_unhealthy(sender,
                            outcome->message != NULL ? outcome->message : "no more retries left");
    switch (sender->config->retry.on_give_up) {
    case HF_GIVE_UP_DROP:
        hf_node_log(sender->node, HF_LOG_ERROR,
                    "Exporting failed. No more retries left. Dropping data. %u %s: %s",
                    request->export.items, hf_signal_items_name(request->export.signal),
                    outcome->message != NULL ? outcome->message : "");
        hf_series_add(sender->send_failed[request->export.signal], request->export.items);
        hf_request_resolve(request, WAL_DROPPED, WAL_DROP_GAVE_UP, 0);
        hf_backoff_reset(&lane->backoff);
        return true;
    case HF_GIVE_UP_DEAD_LETTER:
        if (request->count == 1) {
            hf_request_bury(request, outcome);
            return true;
        }
        return hf_request_halve(request);
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

static void failed_for_now(struct request *request, const struct hf_outcome *outcome)
{
    struct lane *lane = request->lane->whole;
    struct hf_sender *sender = lane->sender;
    const struct hf_retry_config *retry = &sender->config->retry;
    uint64_t now_ns = hf_loop_now_ns(sender->loop);
    if (is_about_the_endpoint(outcome->status)) {
        hf_sender_set_unhealthy(sender, words(outcome));
    }
    if (outcome->status == HF_BUSY || outcome->retry_after_ns != 0) {
        hf_window_cut(&sender->window, request->round);
    }
    if (!lane->failing || now_ns >= lane->resume_ns) {
        uint64_t wait_ns = hf_backoff_next(&lane->backoff, retry, now_ns, outcome->retry_after_ns,
                                           hf_sender_draw(sender));
        lane->resume_ns = now_ns + wait_ns;
        lane->failing = true;
        hf_node_log(
            sender->node, HF_LOG_WARN,
            "Exporting failed. Will retry the request after interval. interval %.3fs, code %d: "
            "%s",
            (double)wait_ns / 1e9, outcome->code, words(outcome));
    }
    bool over = !retry->enabled || hf_backoff_is_over(&lane->backoff, retry, now_ns);
    if (over && give_up(request, outcome)) {
        return;
    }
    if (outcome->is_suspect) {
        hf_isolated_wait(request, lane->resume_ns);
    } else {
        hf_lane_put_back(request->lane, request);
    }
}

static void refused_for_good(struct request *request, const struct hf_outcome *outcome)
{
    request->lane->whole->failing = false;
    if (request->count == 1 || !hf_request_halve(request)) {
        hf_request_bury(request, outcome);
    }
}

static void settle(struct request *request, const struct hf_outcome *outcome)
{
    switch (outcome->status) {
    case HF_OK:
        delivered(request, outcome);
        break;
    case HF_TOO_LARGE:
        request->lane->whole->failing = false;
        if (!hf_request_halve(request)) {
            hf_request_bury(request, outcome);
        }
        break;
    case HF_INVALID:
    case HF_EXISTS:
    case HF_CORRUPT:
        refused_for_good(request, outcome);
        break;
    case HF_CLOSED:
        hf_lane_put_back(request->lane, request);
        break;
    default:
        if (!outcome->is_suspect || !hf_isolated_judge(request, outcome)) {
            failed_for_now(request, outcome);
        }
    }
}

void hf_export_done(struct hf_export *export, const struct hf_outcome *outcome)
{
    struct request *request = HF_CONTAINER(export, struct request, export);
    struct lane *lane = request->lane->whole;
    struct hf_sender *sender = lane->sender;
    assert(sender->in_flight != 0 && lane->in_flight != 0);
    sender->in_flight--;
    lane->in_flight--;
    if (sender->ended && outcome->status != HF_OK) {
        hf_lane_put_back(request->lane, request); /* its records are released with the lane's */
        return;
    }
    settle(request, outcome);
    if (sender->stopping) {
        if (sender->in_flight == 0 && sender->burying == 0) {
            sem_post(&sender->stopped);
        }
        return;
    }
    hf_sender_pump_later(sender);
}
