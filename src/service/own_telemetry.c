#include "own_telemetry.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <holdfast/ref.h>

#include "own_client.h"
#include "own_queue.h"
#include "util/log/log.h"
#include "util/loop.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"

#define OWN_NAME "own telemetry"
#define LOOK_NS (100 * HF_NS_PER_MS)
#define FIRST_BACKOFF_NS HF_NS_PER_S
#define BACKOFF_MAX_NS (30 * HF_NS_PER_S)
#define REQUEST_BYTES_MAX ((size_t)3 << 20)
#define LAST_NS (300 * HF_NS_PER_MS) /* for what is left at the end */

/* One destination of one signal. The loop's thread, but for the queue. */
struct pusher {
    struct hf_own_telemetry *own;
    const struct hf_push_config *push;
    enum hf_signal signal;
    struct hf_own_client *client;
    struct hf_own_queue queue; /* of lines or spans */
    struct hf_builder builder;
    struct hf_batch *batch; /* under way, or to be tried again */
    uint64_t due_ns;        /* of metrics: the next request; of a batch: the next attempt */
    uint64_t backoff_ns;
    struct hf_series *sent, *dropped;
};

struct hf_own_telemetry {
    const struct hf_host *host;
    struct hf_own_resource resource;
    struct hf_loop *loop;
    struct hf_timer timer;
    struct hf_task begin_task, end_task;
    uint64_t start_unix_ns;
    struct pusher *pushers;
    size_t count;
    struct hf_log_sink log_sink;
    struct hf_span_sink span_sink;
    bool has_log_sink, has_span_sink, has_thread;
    bool ending, told; /* the loop's thread */
    sem_t ended;       /* all that was left is sent */
};

/* ---- sending ---- */

static void drop_batch(struct pusher *pusher)
{
    hf_ref_drop(&pusher->batch->ref);
    pusher->batch = NULL;
}

static void on_sent(void *user, bool again, const char *why)
{
    struct pusher *pusher = user;
    const struct hf_own_telemetry *own = pusher->own;
    int64_t items = pusher->batch->items;
    if (why == NULL) {
        hf_series_add(pusher->sent, items);
        pusher->backoff_ns = 0;
        drop_batch(pusher);
        return;
    }
    /* Metrics are sent as they are then. */
    bool keeps = again && pusher->signal != HF_METRICS && !own->ending;
    hf_log_keys(own->host->log, HF_LOG_WARN, OWN_NAME, "own telemetry was not taken",
                HF_LOG_KEYS(HF_LOG_TEXT("endpoint", pusher->push->endpoint),
                            HF_LOG_TEXT("signal", hf_signal_name(pusher->signal)),
                            HF_LOG_TEXT("error", why)));
    if (keeps) {
        pusher->backoff_ns = pusher->backoff_ns == 0 ? FIRST_BACKOFF_NS : 2 * pusher->backoff_ns;
        pusher->backoff_ns =
            pusher->backoff_ns < BACKOFF_MAX_NS ? pusher->backoff_ns : BACKOFF_MAX_NS;
        pusher->due_ns = hf_loop_now_ns(own->loop) + pusher->backoff_ns;
    } else {
        hf_series_add(pusher->dropped, items);
        drop_batch(pusher);
    }
}

static void send_batch(struct pusher *pusher)
{
    hf_own_client_send(pusher->client, pusher->batch, pusher->push->timeout_ns, on_sent, pusher);
}

static struct hf_batch *build(struct pusher *pusher)
{
    struct hf_own_telemetry *own = pusher->own;
    hf_own_build_head(&pusher->builder, &own->resource);
    if (pusher->signal == HF_METRICS) {
        hf_own_build_metrics(&pusher->builder, own->host->metrics, own->start_unix_ns,
                             hf_clock_unix_ns());
    } else {
        hf_own_queue_build(&pusher->queue, pusher->push->batch_items, &pusher->builder);
    }
    if (hf_build_finish(&pusher->builder) != HF_OK) {
        hf_log_line(own->host->log, HF_LOG_WARN, OWN_NAME, "out of memory");
    }
    return hf_build_take(&pusher->builder);
}

/* Is it time for a request that is not made yet? */
static bool is_due(struct pusher *pusher, uint64_t now_ns)
{
    if (pusher->signal == HF_METRICS) {
        return now_ns >= pusher->due_ns;
    }
    size_t count = hf_own_queue_count(&pusher->queue);
    return count != 0 &&
           (pusher->own->ending || count >= pusher->push->batch_items ||
            hf_own_queue_waited_ns(&pusher->queue, now_ns) >= pusher->push->interval_ns);
}

static void look_at(struct pusher *pusher, uint64_t now_ns)
{
    uint64_t dropped = pusher->signal != HF_METRICS ? hf_own_queue_take_dropped(&pusher->queue) : 0;
    hf_series_add(pusher->dropped, (int64_t)dropped);
    if (hf_own_client_is_busy(pusher->client)) {
        return;
    }
    if (pusher->batch != NULL) {
        if (now_ns >= pusher->due_ns || pusher->own->ending) {
            send_batch(pusher);
        }
        return;
    }
    pusher->batch = hf_build_take(&pusher->builder); /* what did not fit into one request */
    if (pusher->batch == NULL && is_due(pusher, now_ns)) {
        if (pusher->signal == HF_METRICS) {
            pusher->due_ns = pusher->own->ending ? UINT64_MAX : now_ns + pusher->push->interval_ns;
        }
        pusher->batch = build(pusher);
    }
    if (pusher->batch != NULL) {
        send_batch(pusher);
    }
}

static bool is_idle(struct pusher *pusher)
{
    return pusher->batch == NULL &&
           (pusher->signal == HF_METRICS || hf_own_queue_count(&pusher->queue) == 0);
}

static void look(struct hf_timer *timer, uint64_t now_ns)
{
    struct hf_own_telemetry *own = HF_CONTAINER(timer, struct hf_own_telemetry, timer);
    bool idle = true;
    for (size_t i = 0; i < own->count; i++) {
        look_at(&own->pushers[i], now_ns);
        idle = idle && is_idle(&own->pushers[i]);
    }
    if (own->ending && idle && !own->told) {
        own->told = true;
        sem_post(&own->ended);
    }
    uint64_t pause_ns = own->ending ? LOOK_NS / 20 : LOOK_NS;
    if (hf_loop_timer_set(own->loop, &own->timer, now_ns + pause_ns) != HF_OK) {
        hf_log_line(own->host->log, HF_LOG_ERROR, OWN_NAME, "out of memory: nothing more is sent");
    }
}

/* ---- what comes in ---- */

static void take_line(struct hf_log_sink *sink, enum hf_log_level level, const char *component,
                      const char *message, const char *fields)
{
    struct hf_own_telemetry *own = HF_CONTAINER(sink, struct hf_own_telemetry, log_sink);
    const struct hf_own_log_line line = {hf_clock_unix_ns(), level, component, message, fields};
    if (strcmp(component, OWN_NAME) == 0) {
        return; /* what is not taken must not cause more of it */
    }
    for (size_t i = 0; i < own->count; i++) {
        if (own->pushers[i].signal == HF_LOGS) {
            hf_own_queue_add_line(&own->pushers[i].queue, &line);
        }
    }
}

static void take_span(struct hf_span_sink *sink, const struct hf_span_name *name,
                      const struct hf_own_span *span)
{
    struct hf_own_telemetry *own = HF_CONTAINER(sink, struct hf_own_telemetry, span_sink);
    for (size_t i = 0; i < own->count; i++) {
        if (own->pushers[i].signal == HF_TRACES) {
            hf_own_queue_add_span(&own->pushers[i].queue, name, span);
        }
    }
}

/* ---- its life ---- */

static struct hf_series *series(struct hf_metrics *metrics, const char *name, const char *help,
                                enum hf_signal signal)
{
    const struct hf_metric_family family = {.name = name, .type = HF_COUNTER, .help = help};
    const struct hf_label labels[] = {{"signal", hf_signal_name(signal)}, {NULL, NULL}};
    return hf_metrics_series(metrics, &family, labels);
}

static enum hf_status open_pushers(struct hf_own_telemetry *own, const struct hf_push_list *list,
                                   enum hf_signal signal, char *reterr)
{
    struct hf_metrics *metrics = own->host->metrics;
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < list->count && status == HF_OK; i++) {
        struct pusher *pusher = &own->pushers[own->count++];
        *pusher = (struct pusher){.own = own, .push = list->items[i], .signal = signal};
        hf_own_queue_init(&pusher->queue, list->items[i]->queue_items);
        hf_builder_init(&pusher->builder, signal, REQUEST_BYTES_MAX);
        pusher->due_ns = hf_clock_monotonic_ns() + list->items[i]->interval_ns;
        pusher->sent = series(metrics, "holdfast_own_telemetry_sent",
                              "Own telemetry that was taken: points, lines, spans.", signal);
        pusher->dropped = series(metrics, "holdfast_own_telemetry_dropped",
                                 "Own telemetry that found no room, or was not taken.", signal);
        status = pusher->sent != NULL && pusher->dropped != NULL
                     ? hf_own_client_new(list->items[i], own->loop, &pusher->client, reterr)
                     : HF_NOMEM;
    }
    return status;
}

static void begin(struct hf_task *task)
{
    struct hf_own_telemetry *own = HF_CONTAINER(task, struct hf_own_telemetry, begin_task);
    own->timer.fire = look;
    look(&own->timer, hf_loop_now_ns(own->loop));
}

static void end(struct hf_task *task)
{
    struct hf_own_telemetry *own = HF_CONTAINER(task, struct hf_own_telemetry, end_task);
    own->ending = true;
    for (size_t i = 0; i < own->count; i++) {
        own->pushers[i].due_ns = 0;
    }
    look(&own->timer, hf_loop_now_ns(own->loop));
}

static void start(struct hf_own_telemetry *own, const struct hf_telemetry_config *config)
{
    own->begin_task.run = begin;
    own->end_task.run = end;
    hf_loop_post(own->loop, &own->begin_task);
    if (config->logs_push.count != 0) {
        own->log_sink.take = take_line;
        hf_log_set_sink(own->host->log, &own->log_sink);
        own->has_log_sink = true;
    }
    if (config->traces_push.count != 0) {
        own->span_sink.take = take_span;
        hf_own_spans_add_sink(own->host->spans, &own->span_sink);
        own->has_span_sink = true;
    }
}

enum hf_status hf_own_telemetry_new(const struct hf_host *host,
                                    const struct hf_telemetry_config *config, const char *instance,
                                    struct hf_own_telemetry **ret, char *reterr)
{
    size_t wanted =
        config->metrics_push.count + config->logs_push.count + config->traces_push.count;
    *ret = NULL;
    if (wanted == 0) {
        return HF_OK;
    }
    struct hf_own_telemetry *own = calloc(1, sizeof(*own));
    if (own == NULL) {
        return HF_NOMEM;
    }
    own->host = host;
    own->resource = (struct hf_own_resource){instance, &config->resource};
    own->start_unix_ns = hf_clock_unix_ns();
    sem_init(&own->ended, 0, 0);
    own->pushers = calloc(wanted, sizeof(*own->pushers));
    enum hf_status status = own->pushers != NULL ? hf_loop_new(&own->loop) : HF_NOMEM;
    if (status == HF_OK) {
        status = open_pushers(own, &config->metrics_push, HF_METRICS, reterr);
    }
    if (status == HF_OK) {
        status = open_pushers(own, &config->logs_push, HF_LOGS, reterr);
    }
    if (status == HF_OK) {
        status = open_pushers(own, &config->traces_push, HF_TRACES, reterr);
    }
    if (status == HF_OK) {
        status = hf_loop_start_thread(own->loop, "telemetry");
        own->has_thread = status == HF_OK;
    }
    if (status != HF_OK) {
        hf_own_telemetry_free(own);
        return status;
    }
    start(own, config);
    *ret = own;
    return HF_OK;
}

struct hf_own_telemetry *hf_own_telemetry_begin(const struct hf_host *host,
                                                const struct hf_config *config,
                                                const struct hf_self_metrics *self)
{
    struct hf_own_telemetry *own = NULL;
    char error[HF_ERROR_MAX] = "out of memory";
    if (hf_own_telemetry_new(host, hf_config_telemetry(config), hf_self_metrics_instance(self),
                             &own, error) != HF_OK) {
        hf_log_line(host->log, HF_LOG_ERROR, "service",
                    "service::telemetry: %s; own telemetry is not sent", error);
        return NULL;
    }
    return own;
}

static void send_the_rest(struct hf_own_telemetry *own)
{
    struct timespec until;
    uint64_t until_ns = hf_clock_monotonic_ns() + LAST_NS;
    until = (struct timespec){(time_t)(until_ns / HF_NS_PER_S), (long)(until_ns % HF_NS_PER_S)};
    hf_loop_post(own->loop, &own->end_task);
    int waited = sem_clockwait(&own->ended, CLOCK_MONOTONIC, &until);
    (void)waited; /* what is left then is lost */
    hf_loop_join(own->loop);
}

void hf_own_telemetry_free(struct hf_own_telemetry *own)
{
    if (own == NULL) {
        return;
    }
    if (own->has_log_sink) {
        hf_log_set_sink(own->host->log, NULL);
    }
    if (own->has_span_sink) {
        hf_own_spans_remove_sink(own->host->spans, &own->span_sink);
    }
    if (own->has_thread) {
        send_the_rest(own);
    }
    for (size_t i = 0; i < own->count; i++) {
        struct pusher *pusher = &own->pushers[i];
        hf_own_client_free(pusher->client);
        if (pusher->batch != NULL) {
            drop_batch(pusher);
        }
        hf_own_queue_release(&pusher->queue);
        hf_builder_release(&pusher->builder);
    }
    free(own->pushers);
    if (own->loop != NULL) {
        hf_loop_free(own->loop);
    }
    sem_destroy(&own->ended);
    free(own);
}
