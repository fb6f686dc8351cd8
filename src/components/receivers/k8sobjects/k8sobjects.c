/*
 * k8sobjects: objects of a Kubernetes cluster as log records: all of a kind at an interval, or each
 * change as it comes. Where a kind is served is asked of the API; nothing more is read while what
 * was read waits for room in a queue.
 *
 * The place of a watch is committed with the records, and a start goes on from there; with an
 * elector no place is kept, since another process may have read in between.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "kubernetes/discover.h"
#include "kubernetes/watch.h"
#include "object.h"
#include "objects_config.h"
#include "pdata/json_value.h"
#include "support/probe/probe_kubernetes.h"
#include "support/scrape/offer.h"
#include "support/scrape/only_leader.h"
#include "support/scrape/placed_watches.h"
#include "util/loop.h"
#include "util/time/clock.h"

#define BATCH_BYTES_MAX (4u << 20)
#define ARENA_BYTES_MAX (64u << 20)
#define ASK_AGAIN_NS (30 * HF_NS_PER_S)
#define TRANSPORT "http"

struct objects;

/* The watch of one kind in one namespace. */
struct space {
    struct hf_kube_listener listener;
    struct kind *kind;
    const char *name; /* NULL: all namespaces */
    bool is_synced;
    struct hf_placed_watch placed;
    char *place_name;
    uint64_t told_version; /* what has no later one was told of before the start */
};

struct kind {
    struct objects *objects;
    const struct object_config *config;
    struct hf_kube_discovery *discovery; /* NULL: none runs */
    struct hf_timer again;
    struct hf_filter_list excluded; /* namespaces */
    struct space *spaces;
    size_t space_count;
};

struct objects {
    struct hf_node *node;
    const struct objects_config *config;
    struct hf_only_leader only_leader;
    struct hf_kube_client *client;
    struct kind *kinds;
    size_t kind_count;
    /* On the client's thread. */
    struct hf_builder builder;
    struct hf_arena arena;
    struct hf_offer offer;
    struct hf_placed_watches places;
    bool stopping;
    sem_t stopped;
};

/* ---- objects ---- */

static bool is_excluded(const struct object_config *config, const char *change)
{
    return hf_string_list_has(&config->exclude_watch_type, hf_slice_text(change));
}

static struct hf_slice namespace_of(const struct hf_json *object)
{
    return hf_json_text_of(hf_json_get(object, "metadata"), "namespace");
}

/* Was it told of before the start? Versions are numbers that grow. */
static bool was_told(const struct space *space, const struct hf_json *object)
{
    uint64_t version;
    return space->told_version != 0 &&
           hf_json_read_u64(hf_json_text_of(hf_json_get(object, "metadata"), "resourceVersion"),
                            &version) &&
           version <= space->told_version;
}

static void on_changed(struct hf_kube_listener *listener, enum hf_kube_change change,
                       struct hf_slice uid, const struct hf_json *object)
{
    struct space *space = HF_CONTAINER(listener, struct space, listener);
    struct objects *objects = space->kind->objects;
    const struct object_config *config = space->kind->config;
    bool is_watch = config->mode == OBJECTS_WATCH;
    /* A watch tells of changes; what was there before is no change, unless it is asked for. */
    bool is_told = space->is_synced || objects->config->include_initial_state;
    if (is_watch && (!is_told || is_excluded(config, objects_changes[change]))) {
        return;
    }
    if (object != NULL && (was_told(space, object) ||
                           hf_filter_list_has(&space->kind->excluded, namespace_of(object)))) {
        return;
    }
    const struct k8s_object what = {
        .resource = config->name,
        .change = is_watch ? objects_changes[change] : NULL,
        .uid = uid,
        .object = object,
        .observed_ns = hf_clock_unix_ns(),
    };
    if (is_watch || object != NULL) {
        k8s_object_build(&objects->builder, &objects->arena, &what);
        hf_arena_reset(&objects->arena);
    }
}

static void on_synced(struct hf_kube_listener *listener)
{
    HF_CONTAINER(listener, struct space, listener)->is_synced = true;
}

static void for_each_space(struct objects *objects, void (*function)(struct hf_kube_listener *))
{
    for (size_t i = 0; i < objects->kind_count; i++) {
        for (size_t s = 0; s < objects->kinds[i].space_count; s++) {
            function(&objects->kinds[i].spaces[s].listener);
        }
    }
}

static void on_settled(struct hf_kube_listener *listener, const char *version)
{
    struct space *space = HF_CONTAINER(listener, struct space, listener);
    struct objects *objects = space->kind->objects;
    hf_placed_watches_note(&objects->places, &space->placed, version);
    if (hf_build_finish(&objects->builder) != HF_OK) {
        hf_node_log(objects->node, HF_LOG_ERROR, "objects are lost: out of memory");
    }
    hf_placed_watches_pass_on(&objects->places);
    if (!hf_offer_is_idle(&objects->offer)) {
        for_each_space(objects, hf_kube_watch_hold);
    }
}

static void when_idle(struct hf_offer *offer)
{
    struct objects *objects = HF_CONTAINER(offer, struct objects, offer);
    if (objects->stopping) {
        sem_post(&objects->stopped);
        return;
    }
    hf_placed_watches_pass_on(&objects->places);
    if (hf_offer_is_idle(offer)) {
        for_each_space(objects, hf_kube_watch_release);
    }
}

static void say(struct hf_kube_listener *listener, enum hf_log_level level, const char *sentence)
{
    hf_node_log(HF_CONTAINER(listener, struct space, listener)->kind->objects->node, level, "%s",
                sentence);
}

/* ---- where they are ---- */

/* Where the watch stood when the process ended; "": it begins now. */
static const char *find_version(struct space *space)
{
    const char *version = "";
    if (hf_placed_watch_find(&space->placed, space->kind->objects->node)) {
        version = space->placed.place.version;
        if (!hf_json_read_u64(hf_slice_text(version), &space->told_version)) {
            space->told_version = 0;
        }
    }
    return version;
}

static void open_space(struct kind *kind, struct space *space, const char *root)
{
    const struct object_config *config = kind->config;
    const char *kept = find_version(space);
    const char *version = kept[0] != '\0' ? kept : config->resource_version;
    /* "0" and "1", the old default, are no version that a server still has. */
    bool from_version = config->mode == OBJECTS_WATCH && version != NULL && version[0] != '\0' &&
                        strcmp(version, "0") != 0 && strcmp(version, "1") != 0 &&
                        !kind->objects->config->include_initial_state;
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s%s%s%s", root, space->name != NULL ? "namespaces/" : "",
             space->name != NULL ? space->name : "", space->name != NULL ? "/" : "", config->name);
    const struct hf_kube_resource resource = {
        .path = path,
        .what = config->name,
        .label_selector = config->label_selector,
        .field_selector = config->field_selector,
        .is_private = true,
        .version = from_version ? version : NULL,
        .pull_interval_ns = config->mode == OBJECTS_PULL ? config->interval_ns : 0,
    };
    space->is_synced = from_version;
    if (hf_kube_watch_open(kind->objects->client, &resource, &space->listener) != HF_OK) {
        hf_node_log(kind->objects->node, HF_LOG_ERROR, "%s are not read: out of memory",
                    config->name);
    }
}

static void ask_in(struct kind *kind, uint64_t delay_ns)
{
    if (hf_loop_timer_set(hf_kube_client_loop(kind->objects->client), &kind->again,
                          hf_clock_monotonic_ns() + delay_ns) != HF_OK) {
        hf_node_log(kind->objects->node, HF_LOG_ERROR, "%s are not read: out of memory",
                    kind->config->name);
    }
}

static void on_found(void *user, const char *root, const char *why)
{
    struct kind *kind = user;
    kind->discovery = NULL;
    if (root == NULL) {
        hf_node_log(kind->objects->node, HF_LOG_WARN, "%s; trying again", why);
        ask_in(kind, ASK_AGAIN_NS);
        return;
    }
    for (size_t i = 0; i < kind->space_count; i++) {
        open_space(kind, &kind->spaces[i], root);
    }
}

static void discover(struct kind *kind)
{
    const struct hf_kube_discover_options options = {
        .client = kind->objects->client,
        .name = kind->config->name,
        .group = kind->config->group,
        .found = on_found,
        .user = kind,
    };
    kind->discovery = hf_kube_discover(&options);
    if (kind->discovery == NULL) {
        ask_in(kind, ASK_AGAIN_NS);
    }
}

static void on_again(struct hf_timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    discover(HF_CONTAINER(timer, struct kind, again));
}

static void set_up(void *user)
{
    struct objects *objects = user;
    hf_offer_init(&objects->offer, objects->node, hf_kube_client_loop(objects->client), TRANSPORT,
                  when_idle);
}

static void begin(void *user)
{
    struct objects *objects = user;
    for (size_t i = 0; i < objects->kind_count; i++) {
        struct kind *kind = &objects->kinds[i];
        if (kind->config->initial_delay_ns == 0) {
            discover(kind);
        } else {
            ask_in(kind, kind->config->initial_delay_ns);
        }
    }
}

static void close_space(struct hf_kube_listener *listener)
{
    hf_kube_watch_close(HF_CONTAINER(listener, struct space, listener)->kind->objects->client,
                        listener);
}

static void close_all(void *user)
{
    struct objects *objects = user;
    for (size_t i = 0; i < objects->kind_count; i++) {
        hf_kube_discovery_end(objects->kinds[i].discovery);
        objects->kinds[i].discovery = NULL;
        hf_loop_timer_stop(hf_kube_client_loop(objects->client), &objects->kinds[i].again);
    }
    for_each_space(objects, close_space);
}

static void end(void *user)
{
    struct objects *objects = user;
    close_all(objects);
    objects->stopping = true;
    uint64_t items = hf_offer_stop(&objects->offer) + hf_placed_watches_drop(&objects->places);
    if (items != 0) {
        hf_node_log(objects->node, HF_LOG_WARN,
                    "%llu objects that no queue had room for are lost with the stop",
                    (unsigned long long)items);
    }
    if (hf_offer_is_idle(&objects->offer)) {
        sem_post(&objects->stopped);
    }
}

/* ---- the main thread ---- */

static void close_objects(void *self)
{
    struct objects *objects = self;
    hf_kube_client_close(objects->client);
    hf_builder_release(&objects->builder);
    hf_arena_release(&objects->arena);
    sem_destroy(&objects->stopped);
    for (size_t i = 0; i < objects->kind_count; i++) {
        for (size_t s = 0; s < objects->kinds[i].space_count; s++) {
            free(objects->kinds[i].spaces[s].place_name);
        }
        free(objects->kinds[i].spaces);
        hf_filter_list_release(&objects->kinds[i].excluded);
    }
    free(objects->kinds);
    free(objects);
}

static const char *or_none(const char *text)
{
    return text != NULL ? text : "";
}

/* Adds the place of a watch, by what it is about. False: out of memory. */
static bool add_place(struct objects *objects, struct space *space,
                      const struct object_config *config)
{
    bool is_kept = config->mode == OBJECTS_WATCH && objects->config->elector == NULL &&
                   !objects->config->include_initial_state;
    if (is_kept && asprintf(&space->place_name, "%s/%s/%s?%s&%s", or_none(config->group),
                            config->name, or_none(space->name), or_none(config->label_selector),
                            or_none(config->field_selector)) < 0) {
        space->place_name = NULL;
        return false;
    }
    hf_placed_watches_add(&objects->places, &space->placed, space->place_name);
    return true;
}

static bool make_kind(struct objects *objects, struct kind *kind,
                      const struct object_config *config)
{
    size_t count = config->namespaces.count != 0 ? config->namespaces.count : 1;
    *kind = (struct kind){.objects = objects, .config = config, .again.fire = on_again};
    kind->spaces = calloc(count, sizeof(*kind->spaces));
    if (kind->spaces == NULL) {
        return false;
    }
    kind->space_count = count;
    for (size_t i = 0; i < count; i++) {
        kind->spaces[i] = (struct space){
            .kind = kind,
            .name = config->namespaces.count != 0 ? config->namespaces.items[i] : NULL,
            .listener = {.changed = on_changed,
                         .synced = on_synced,
                         .settled = on_settled,
                         .say = say},
        };
        if (!add_place(objects, &kind->spaces[i], config)) {
            return false;
        }
    }
    return true;
}

static enum hf_status open_objects(struct hf_node *node, const void *config, void **ret_self,
                                   char *reterr)
{
    const struct objects_config *configured = config;
    const struct object_config *kinds = configured->objects.items;
    struct objects *objects = calloc(1, sizeof(*objects));
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (objects == NULL) {
        return HF_NOMEM;
    }
    objects->node = node;
    objects->config = configured;
    objects->arena.limit = ARENA_BYTES_MAX;
    objects->places =
        (struct hf_placed_watches){.builder = &objects->builder, .offer = &objects->offer};
    sem_init(&objects->stopped, 0, 0);
    hf_builder_init(&objects->builder, HF_LOGS, BATCH_BYTES_MAX);
    objects->kinds = calloc(configured->objects.count + 1, sizeof(*objects->kinds));
    objects->kind_count = objects->kinds != NULL ? configured->objects.count : 0;
    enum hf_status status = objects->kinds != NULL ? HF_OK : HF_NOMEM;
    for (size_t i = 0; i < objects->kind_count && status == HF_OK; i++) {
        status = make_kind(objects, &objects->kinds[i], &kinds[i]) ? HF_OK : HF_NOMEM;
        if (status == HF_OK) {
            status = hf_filter_list_make(&objects->kinds[i].excluded, &kinds[i].exclude_namespaces,
                                         reterr);
        }
    }
    if (status == HF_OK) {
        status = hf_node_add_transport(node, TRANSPORT);
    }
    if (status == HF_OK) {
        status = hf_kube_client_open(&configured->kube, &objects->client, reterr);
    }
    if (status != HF_OK) {
        close_objects(objects);
        return status;
    }
    *ret_self = objects;
    return HF_OK;
}

static void on_leader(struct hf_leader_listener *listener, bool is_leader, uint64_t since_ns)
{
    struct hf_only_leader *only = HF_CONTAINER(listener, struct hf_only_leader, listener);
    struct objects *objects = HF_CONTAINER(only, struct objects, only_leader);
    (void)since_ns;
    hf_kube_client_run(objects->client, is_leader ? begin : close_all, objects);
}

static enum hf_status start_objects(void *self, char *reterr)
{
    struct objects *objects = self;
    hf_kube_client_run(objects->client, set_up, objects);
    return hf_only_leader_start(&objects->only_leader, objects->node, objects->config->elector,
                                on_leader, reterr);
}

static void stop_objects(void *self)
{
    struct objects *objects = self;
    hf_only_leader_stop(&objects->only_leader);
    hf_kube_client_run(objects->client, end, objects);
    while (sem_wait(&objects->stopped) != 0 && errno == EINTR) {
    }
}

static const char *const aliases[] = {"k8s_objects", NULL};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct objects_config *config = from;
    const struct object_config *objects = config->objects.items;
    for (size_t i = 0; i < config->objects.count; i++) {
        const struct hf_probe_right right = {
            .verbs = objects[i].mode == OBJECTS_WATCH ? "list,watch" : "list",
            .group = objects[i].group,
            .resource = objects[i].name,
        };
        hf_probe_kubernetes_in(probe, &config->kube, &right, 1, objects[i].namespaces);
    }
}

const struct hf_component hf_receiver_k8sobjects = {
    .type = "k8sobjects",
    .aliases = aliases,
    .help = "Reads objects of a Kubernetes cluster, or their changes, as log records.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct objects_config),
    .fields = objects_fields,
    .check = objects_check,
    .probe = probe_outside,
    .open = open_objects,
    .start = start_objects,
    .stop = stop_objects,
    .close = close_objects,
};
