/*
 * k8s_events: the events of a Kubernetes cluster as log records. A watch for each namespace, or one
 * for all; nothing more is read while what was read waits for room in a queue.
 *
 * The place in the stream of events is committed with the records, and a start goes on from there.
 * With an elector the place of this process means nothing, since another one may have read in
 * between: a new leader goes on from the last sign of the one before.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "dedup.h"
#include "event.h"
#include "kubernetes/watch.h"
#include "support/probe/probe_kubernetes.h"
#include "support/scrape/offer.h"
#include "support/scrape/only_leader.h"
#include "support/scrape/placed_watches.h"
#include "util/loop.h"
#include "util/time/clock.h"

#define BATCH_BYTES_MAX (4u << 20)
#define TRANSPORT "http"
/* A new leader looks so far back behind the last sign of the one before: events take time to come.
 */
#define OVERLAP_NS (5 * HF_NS_PER_S)

struct events_config {
    struct hf_kube_config kube; /* first */
    struct hf_string_list namespaces;
    int64_t dedup_interval_ns; /* below 0: changes of an event are left out */
    const char *elector;       /* NULL: each process reads */
};

struct events;

struct space {
    struct hf_kube_listener listener;
    struct events *events;
    struct hf_placed_watch placed;
    uint64_t since_ns; /* what happened before is history */
};

struct events {
    struct hf_node *node;
    const struct events_config *config;
    struct hf_only_leader only_leader;
    struct hf_kube_client *client;
    struct space *spaces;
    size_t space_count;
    /* On the client's thread. */
    struct event_dedup *dedup; /* NULL: all changes are told */
    struct hf_builder builder;
    struct hf_offer offer;
    struct hf_placed_watches places;
    bool stopping;
    sem_t stopped;
};

/* ---- the client's thread ---- */

static void on_changed(struct hf_kube_listener *listener, enum hf_kube_change change,
                       struct hf_slice uid, const struct hf_json *event)
{
    struct space *space = HF_CONTAINER(listener, struct space, listener);
    struct event_dedup *dedup = space->events->dedup;
    bool is_change = change == HF_KUBE_IS_MODIFIED;
    if (change != HF_KUBE_IS_DELETED && k8s_event_time(event) >= space->since_ns &&
        (dedup == NULL || event_dedup_tells(dedup, uid, is_change, hf_clock_monotonic_ns()))) {
        k8s_event_build(&space->events->builder, event, hf_clock_unix_ns());
    }
}

static void on_settled(struct hf_kube_listener *listener, const char *version)
{
    struct space *space = HF_CONTAINER(listener, struct space, listener);
    struct events *events = space->events;
    hf_placed_watches_note(&events->places, &space->placed, version);
    if (hf_build_finish(&events->builder) != HF_OK) {
        hf_node_log(events->node, HF_LOG_ERROR, "events are lost: out of memory");
    }
    hf_placed_watches_pass_on(&events->places);
    if (!hf_offer_is_idle(&events->offer)) {
        for (size_t i = 0; i < events->space_count; i++) {
            hf_kube_watch_hold(&events->spaces[i].listener);
        }
    }
}

static void when_idle(struct hf_offer *offer)
{
    struct events *events = HF_CONTAINER(offer, struct events, offer);
    if (events->stopping) {
        sem_post(&events->stopped);
        return;
    }
    hf_placed_watches_pass_on(&events->places);
    for (size_t i = 0; i < events->space_count && hf_offer_is_idle(offer); i++) {
        hf_kube_watch_release(&events->spaces[i].listener);
    }
}

static void say(struct hf_kube_listener *listener, enum hf_log_level level, const char *sentence)
{
    hf_node_log(HF_CONTAINER(listener, struct space, listener)->events->node, level, "%s",
                sentence);
}

static void set_up(void *user)
{
    struct events *events = user;
    hf_offer_init(&events->offer, events->node, hf_kube_client_loop(events->client), TRANSPORT,
                  when_idle);
}

static void end(void *user)
{
    struct events *events = user;
    events->stopping = true;
    uint64_t items = hf_offer_stop(&events->offer) + hf_placed_watches_drop(&events->places);
    if (items != 0) {
        hf_node_log(events->node, HF_LOG_WARN,
                    "no queue had room for %llu events: they are read again at the next start, or "
                    "by the next leader",
                    (unsigned long long)items);
    }
    if (hf_offer_is_idle(&events->offer)) {
        sem_post(&events->stopped);
    }
}

/* ---- the main thread ---- */

static void close_events(void *self)
{
    struct events *events = self;
    hf_kube_client_close(events->client);
    hf_builder_release(&events->builder);
    sem_destroy(&events->stopped);
    free(events->spaces);
    event_dedup_free(events->dedup);
    free(events);
}

static enum hf_status open_events(struct hf_node *node, const void *config, void **ret_self,
                                  char *reterr)
{
    const struct events_config *configured = config;
    struct events *events = calloc(1, sizeof(*events));
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (events == NULL) {
        return HF_NOMEM;
    }
    events->node = node;
    events->config = configured;
    events->places =
        (struct hf_placed_watches){.builder = &events->builder, .offer = &events->offer};
    events->space_count = configured->namespaces.count != 0 ? configured->namespaces.count : 1;
    sem_init(&events->stopped, 0, 0);
    hf_builder_init(&events->builder, HF_LOGS, BATCH_BYTES_MAX);
    events->spaces = calloc(events->space_count, sizeof(*events->spaces));
    enum hf_status status = events->spaces != NULL ? HF_OK : HF_NOMEM;
    if (status == HF_OK && configured->dedup_interval_ns != 0) {
        events->dedup = event_dedup_new(configured->dedup_interval_ns);
        status = events->dedup != NULL ? HF_OK : HF_NOMEM;
    }
    if (status == HF_OK) {
        status = hf_node_add_transport(node, TRANSPORT);
    }
    if (status == HF_OK) {
        status = hf_kube_client_open(&configured->kube, &events->client, reterr);
    }
    if (status != HF_OK) {
        close_events(events);
        return status;
    }
    /* All of them before the first is opened: the thread of that one looks at the others. */
    for (size_t i = 0; i < events->space_count; i++) {
        bool is_kept = configured->elector == NULL;
        const char *space =
            configured->namespaces.count != 0 ? configured->namespaces.items[i] : "all namespaces";
        events->spaces[i].events = events;
        hf_placed_watches_add(&events->places, &events->spaces[i].placed, is_kept ? space : NULL);
        events->spaces[i].listener =
            (struct hf_kube_listener){.changed = on_changed, .settled = on_settled, .say = say};
    }
    *ret_self = events;
    return HF_OK;
}

static void close_watches(struct events *events)
{
    for (size_t i = 0; i < events->space_count; i++) {
        hf_kube_watch_close(events->client, &events->spaces[i].listener);
    }
}

static enum hf_status open_watches(struct events *events)
{
    for (size_t i = 0; i < events->space_count; i++) {
        struct space *space = &events->spaces[i];
        char path[512] = "/api/v1/events";
        if (events->config->namespaces.count != 0) {
            snprintf(path, sizeof(path), "/api/v1/namespaces/%s/events",
                     events->config->namespaces.items[i]);
        }
        const struct hf_kube_resource resource = {
            .path = path,
            .what = "events",
            .is_private = true,
            .version = space->placed.place.version[0] != '\0' ? space->placed.place.version : NULL};
        if (hf_kube_watch_open(events->client, &resource, &space->listener) != HF_OK) {
            close_watches(events);
            return HF_NOMEM;
        }
    }
    return HF_OK;
}

static void find_places(struct events *events, uint64_t since_ns)
{
    for (size_t i = 0; i < events->space_count; i++) {
        struct space *space = &events->spaces[i];
        /* Times of events are in whole seconds. */
        space->since_ns = since_ns / HF_NS_PER_S * HF_NS_PER_S;
        if (hf_placed_watch_find(&space->placed, events->node)) {
            space->since_ns = space->placed.place.time_ns - OVERLAP_NS;
        }
    }
}

static void on_leader(struct hf_leader_listener *listener, bool is_leader, uint64_t since_ns)
{
    struct hf_only_leader *only = HF_CONTAINER(listener, struct hf_only_leader, listener);
    struct events *events = HF_CONTAINER(only, struct events, only_leader);
    if (!is_leader) {
        close_watches(events);
        return;
    }
    find_places(events, since_ns > OVERLAP_NS ? since_ns - OVERLAP_NS : hf_clock_unix_ns());
    if (open_watches(events) != HF_OK) {
        hf_node_log(events->node, HF_LOG_ERROR, "events are not read: out of memory");
    }
}

static enum hf_status start_events(void *self, char *reterr)
{
    struct events *events = self;
    hf_kube_client_run(events->client, set_up, events);
    return hf_only_leader_start(&events->only_leader, events->node, events->config->elector,
                                on_leader, reterr);
}

static void stop_events(void *self)
{
    struct events *events = self;
    hf_only_leader_stop(&events->only_leader);
    close_watches(events);
    hf_kube_client_run(events->client, end, events);
    while (sem_wait(&events->stopped) != 0 && errno == EINTR) {
    }
}

static const struct hf_field fields[] = {
    HF_KUBE_FIELDS,
    {.key = "namespaces",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct events_config, namespaces),
     .help = "The namespaces whose events are read; all without."},
    {.key = "dedup_interval",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct events_config, dedup_interval_ns),
     .min = -1e18,
     .max = 1e18,
     .help = "An event that occurs again is told again after that time at the earliest; 0: each "
             "time; below 0: never."},
    {.key = "storage",
     .type = HF_FIELD_IGNORED,
     .help = "Its place in the events is kept with the records in the queue."},
    HF_ONLY_LEADER_FIELD(offsetof(struct events_config, elector)),
    HF_FIELDS_END,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    static const struct hf_probe_right rights[] = {{.verbs = "list,watch", .resource = "events"}};
    const struct events_config *config = from;
    hf_probe_kubernetes_in(probe, &config->kube, rights, 1, config->namespaces);
}

const struct hf_component hf_receiver_k8s_events = {
    .type = "k8s_events",
    .help = "Reads the events of a Kubernetes cluster as log records.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct events_config),
    .fields = fields,
    .probe = probe_outside,
    .open = open_events,
    .start = start_events,
    .stop = stop_events,
    .close = close_events,
};
