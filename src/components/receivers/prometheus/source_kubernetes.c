/*
 * source_kubernetes: the objects of a cluster as targets, kept up to date by watches.
 *
 * The watches' thread keeps the objects and makes the targets of them, at most once in a while; the
 * list is posted to the receiver's thread and belongs to it from then on.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "kube_access.h"
#include "kube_targets.h"
#include "kubernetes/watch.h"
#include "source.h"
#include "util/time/clock.h"

#define MAKE_AGAIN_NS (1 * HF_NS_PER_S) /* changes within it are made targets of together */

/* Between the source and its lists that are on their way: the source may be gone when they arrive.
 */
struct link {
    struct prom_source *source; /* the receiver's thread; NULL: it takes no more */
    atomic_int refs;
};

struct list {
    struct hf_task task;
    struct link *link;
    struct hf_arena arena;
    struct prom_found *found;
    size_t count;
};

/* The watch of one kind in one namespace. */
struct kube_watch {
    struct hf_kube_listener listener;
    struct kube_source *kube;
    enum prom_kube_kind kind;
    bool is_synced;
};

struct kube_source {
    struct prom_source source; /* first */
    const struct prom_kube_sd *config;
    struct hf_kube_client *client;
    struct link *link;
    struct kube_watch *watches;
    size_t watch_count;
    char own_namespace[256];
    bool is_open;
    struct list *current; /* the receiver's thread */

    /* The watches' thread. */
    struct prom_kube_store store;
    struct hf_timer timer;
    bool has_changed, is_waiting;
    uint64_t made_ns; /* when the last list was made; 0: never */
};

static const struct {
    const char *root, *name;
} kinds[] = {
    [PROM_KIND_NODE] = {"/api/v1", "nodes"},
    [PROM_KIND_POD] = {"/api/v1", "pods"},
    [PROM_KIND_SERVICE] = {"/api/v1", "services"},
    [PROM_KIND_ENDPOINTS] = {"/api/v1", "endpoints"},
    [PROM_KIND_ENDPOINTSLICE] = {"/apis/discovery.k8s.io/v1", "endpointslices"},
    [PROM_KIND_INGRESS] = {"/apis/networking.k8s.io/v1", "ingresses"},
    [PROM_KIND_NAMESPACE] = {"/api/v1", "namespaces"},
    [PROM_KIND_REPLICASET] = {"/apis/apps/v1", "replicasets"},
    [PROM_KIND_JOB] = {"/apis/batch/v1", "jobs"},
};

/* ---- lists on their way ---- */

static void drop_link(struct link *link)
{
    if (link != NULL && atomic_fetch_sub(&link->refs, 1) == 1) {
        free(link);
    }
}

static void free_list(struct list *list)
{
    if (list != NULL) {
        drop_link(list->link);
        hf_arena_release(&list->arena);
        free(list);
    }
}

/* The receiver's thread. */
static void take_list(struct hf_task *task)
{
    struct list *list = HF_CONTAINER(task, struct list, task);
    struct prom_source *source = list->link->source;
    if (source == NULL) {
        free_list(list);
        return;
    }
    struct kube_source *kube = (struct kube_source *)source;
    struct list *old = kube->current;
    kube->current = list;
    prom_source_report(source, list->found, list->count);
    free_list(old);
}

/* ---- the watches' thread ---- */

static void make_list(struct kube_source *kube)
{
    struct list *list = calloc(1, sizeof(*list));
    kube->has_changed = false;
    kube->made_ns = hf_clock_monotonic_ns();
    if (list == NULL) {
        return;
    }
    list->task.run = take_list;
    list->arena.limit = PROM_SOURCE_BYTES_MAX;
    list->link = kube->link;
    atomic_fetch_add(&kube->link->refs, 1);
    if (!prom_kube_targets(&kube->store, kube->config, &list->arena, &list->found, &list->count)) {
        hf_node_log(kube->source.job->receiver->node, HF_LOG_ERROR,
                    "kubernetes_sd of job \"%s\": out of memory for its targets",
                    kube->source.job->config->job_name);
        free_list(list);
        return;
    }
    hf_loop_post(kube->source.job->receiver->loop, &list->task);
}

static bool is_all_synced(const struct kube_source *kube)
{
    for (size_t i = 0; i < kube->watch_count; i++) {
        if (!kube->watches[i].is_synced) {
            return false;
        }
    }
    return true;
}

/* Makes the list now, or when others have changed with it. */
static void make_soon(struct kube_source *kube)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    uint64_t due_ns = kube->made_ns + MAKE_AGAIN_NS;
    if (!kube->has_changed || kube->is_waiting || !is_all_synced(kube)) {
        return;
    }
    if (kube->made_ns == 0 || now_ns >= due_ns ||
        hf_loop_timer_set(hf_kube_client_loop(kube->client), &kube->timer, due_ns) != HF_OK) {
        make_list(kube);
        return;
    }
    kube->is_waiting = true;
}

static void fire(struct hf_timer *timer, uint64_t now_ns)
{
    struct kube_source *kube = HF_CONTAINER(timer, struct kube_source, timer);
    (void)now_ns;
    kube->is_waiting = false;
    make_list(kube);
}

static void on_changed(struct hf_kube_listener *listener, enum hf_kube_change change,
                       struct hf_slice uid, const struct hf_json *object)
{
    struct kube_watch *watch = HF_CONTAINER(listener, struct kube_watch, listener);
    struct kube_source *kube = watch->kube;
    kube->has_changed = true;
    if (change == HF_KUBE_IS_DELETED || object == NULL) {
        prom_kube_remove(&kube->store, watch->kind, uid);
    } else if (!prom_kube_put(&kube->store, watch->kind, uid, object)) {
        hf_node_log(kube->source.job->receiver->node, HF_LOG_ERROR,
                    "kubernetes_sd of job \"%s\": an object is left out: out of memory, or there "
                    "are too many",
                    kube->source.job->config->job_name);
    }
}

static void on_synced(struct hf_kube_listener *listener)
{
    struct kube_watch *watch = HF_CONTAINER(listener, struct kube_watch, listener);
    watch->kube->has_changed |= !watch->is_synced;
    watch->is_synced = true;
    make_soon(watch->kube);
}

static void on_settled(struct hf_kube_listener *listener, const char *version)
{
    (void)version;
    make_soon(HF_CONTAINER(listener, struct kube_watch, listener)->kube);
}

static void say(struct hf_kube_listener *listener, enum hf_log_level level, const char *sentence)
{
    const struct kube_source *kube = HF_CONTAINER(listener, struct kube_watch, listener)->kube;
    hf_node_log(kube->source.job->receiver->node, level, "kubernetes_sd of job \"%s\": %s",
                kube->source.job->config->job_name, sentence);
}

/* ---- the receiver's thread ---- */

static const struct prom_kube_selector *selector_of(const struct prom_kube_sd *config,
                                                    enum prom_kube_kind kind)
{
    const struct prom_kube_selector *selectors = config->selectors.items;
    for (size_t i = 0; i < config->selectors.count; i++) {
        if (selectors[i].role == (int64_t)kind) {
            return &selectors[i];
        }
    }
    return NULL;
}

static void open_watch(struct kube_source *kube, enum prom_kube_kind kind, const char *name_space)
{
    struct kube_watch *watch = &kube->watches[kube->watch_count];
    const struct prom_kube_selector *selector = selector_of(kube->config, kind);
    char path[512];
    snprintf(path, sizeof(path), "%s/%s%s%s%s", kinds[kind].root,
             name_space != NULL ? "namespaces/" : "", name_space != NULL ? name_space : "",
             name_space != NULL ? "/" : "", kinds[kind].name);
    *watch = (struct kube_watch){
        .kube = kube,
        .kind = kind,
        .listener = {.changed = on_changed, .synced = on_synced, .settled = on_settled, .say = say},
    };
    const struct hf_kube_resource resource = {
        .path = path,
        .what = kinds[kind].name,
        .label_selector = selector != NULL ? selector->label : NULL,
        .field_selector = selector != NULL ? selector->field : NULL,
    };
    kube->watch_count++;
    if (hf_kube_watch_open(kube->client, &resource, &watch->listener) != HF_OK) {
        prom_source_say(&kube->source, kinds[kind].name, "out of memory");
    }
}

/* In each of the namespaces. */
static void open_kind(struct kube_source *kube, enum prom_kube_kind kind)
{
    const struct hf_string_list *names = &kube->config->namespaces.names;
    bool has_own = kube->own_namespace[0] != '\0';
    if (names->count == 0 && !has_own) {
        open_watch(kube, kind, NULL);
        return;
    }
    for (size_t i = 0; i < names->count; i++) {
        open_watch(kube, kind, names->items[i]);
    }
    if (has_own) {
        open_watch(kube, kind, kube->own_namespace);
    }
}

/* Watches of all kinds are counted before the first one is open, so that no list is made early. */
static void open_watches(void *user)
{
    struct kube_source *kube = user;
    for (int kind = 0; kind < PROM_KIND_COUNT; kind++) {
        if (!prom_kube_needs(kube->config, (enum prom_kube_kind)kind)) {
            continue;
        }
        if (prom_kube_is_of_cluster((enum prom_kube_kind)kind)) {
            open_watch(kube, (enum prom_kube_kind)kind, NULL);
        } else {
            open_kind(kube, (enum prom_kube_kind)kind);
        }
    }
}

static void start(struct prom_source *source)
{
    struct kube_source *kube = (struct kube_source *)source;
    char why[HF_ERROR_MAX];
    if (prom_kube_open(kube->config, &kube->client, why) != HF_OK) {
        prom_source_say(source, "the cluster", why);
        return;
    }
    kube->is_open = true;
    hf_kube_client_run(kube->client, open_watches, kube);
}

static void end(void *user)
{
    struct kube_source *kube = user;
    hf_loop_timer_stop(hf_kube_client_loop(kube->client), &kube->timer);
}

static void stop(struct prom_source *source)
{
    struct kube_source *kube = (struct kube_source *)source;
    kube->link->source = NULL;
    if (!kube->is_open) {
        return;
    }
    for (size_t i = 0; i < kube->watch_count; i++) {
        hf_kube_watch_close(kube->client, &kube->watches[i].listener);
    }
    hf_kube_client_run(kube->client, end, kube);
    hf_kube_client_close(kube->client);
    kube->is_open = false;
}

/* ---- the main thread ---- */

static void free_source(struct prom_source *source)
{
    struct kube_source *kube = (struct kube_source *)source;
    if (kube->link != NULL) {
        kube->link->source = NULL;
    }
    drop_link(kube->link);
    free_list(kube->current);
    prom_kube_release(&kube->store);
    free(kube->watches);
    free(kube);
}

struct prom_source *prom_source_kubernetes(struct prom_job_state *job,
                                           const struct prom_kube_sd *config, char *reterr)
{
    static const struct prom_source_ops ops = {start, stop, free_source};
    struct kube_source *kube = calloc(1, sizeof(*kube));
    if (kube == NULL) {
        return NULL;
    }
    kube->source = (struct prom_source){.ops = &ops, .job = job, .kind = "kubernetes_sd"};
    kube->config = config;
    kube->timer.fire = fire;
    kube->link = calloc(1, sizeof(*kube->link));
    if (kube->link != NULL) {
        atomic_init(&kube->link->refs, 1);
    }
    kube->watches =
        calloc(PROM_KIND_COUNT * (config->namespaces.names.count + 1), sizeof(*kube->watches));
    if (kube->link == NULL || kube->watches == NULL ||
        (config->namespaces.own_namespace &&
         !hf_kube_own_namespace(kube->own_namespace, sizeof(kube->own_namespace), reterr))) {
        free_source(&kube->source);
        return NULL;
    }
    kube->link->source = &kube->source;
    return &kube->source;
}
