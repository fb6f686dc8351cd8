/*
 * k8sobjects: objects of a Kubernetes cluster as log records: all of a kind at an interval, or each
 * change as it comes. Where a kind is served is asked of the API; nothing more is read while what
 * was read waits for room in a queue.
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
#include "support/probe/probe_kubernetes.h"
#include "support/scrape/filter_list.h"
#include "support/scrape/offer.h"
#include "support/scrape/only_leader.h"
#include "util/clock.h"
#include "util/loop.h"

#define BATCH_BYTES_MAX (4u << 20)
#define ARENA_BYTES_MAX (64u << 20)
#define ASK_AGAIN_NS (30 * HF_NS_PER_S)
#define TRANSPORT "http"

enum object_mode { PULL = 0, WATCH };

struct object_config {
    const char *name, *group;
    int64_t mode;
    uint64_t interval_ns, initial_delay_ns;
    const char *label_selector, *field_selector, *resource_version;
    struct hf_string_list namespaces, exclude_watch_type;
    struct hf_struct_list exclude_namespaces; /* of struct hf_filter_list_config */
    bool persist_resource_version;
};

struct objects_config {
    struct hf_kube_config kube; /* first */
    struct hf_struct_list objects;
    int64_t error_mode;
    const char *elector; /* NULL: each process reads */
    bool include_initial_state;
};

struct objects;

/* The watch of one kind in one namespace. */
struct space {
    struct hf_kube_listener listener;
    struct kind *kind;
    const char *name; /* NULL: all namespaces */
    bool is_synced;
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
    bool stopping;
    sem_t stopped;
};

static const char *const changes[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR", NULL};

/* ---- objects ---- */

static bool is_excluded(const struct object_config *config, const char *change)
{
    for (size_t i = 0; i < config->exclude_watch_type.count; i++) {
        if (strcmp(config->exclude_watch_type.items[i], change) == 0) {
            return true;
        }
    }
    return false;
}

static struct hf_slice namespace_of(const struct hf_json *object)
{
    return hf_json_text_of(hf_json_get(object, "metadata"), "namespace");
}

static void on_changed(struct hf_kube_listener *listener, enum hf_kube_change change,
                       struct hf_slice uid, const struct hf_json *object)
{
    struct space *space = HF_CONTAINER(listener, struct space, listener);
    struct objects *objects = space->kind->objects;
    const struct object_config *config = space->kind->config;
    bool is_watch = config->mode == WATCH;
    /* A watch tells of changes; what was there before is no change, unless it is asked for. */
    bool is_told = space->is_synced || objects->config->include_initial_state;
    if (is_watch && (!is_told || is_excluded(config, changes[change]))) {
        return;
    }
    if (object != NULL && hf_filter_list_has(&space->kind->excluded, namespace_of(object))) {
        return;
    }
    const struct k8s_object what = {
        .resource = config->name,
        .change = is_watch ? changes[change] : NULL,
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

static void pass_on(struct objects *objects)
{
    while (hf_offer_room(&objects->offer) > 0) {
        struct hf_batch *batch = hf_build_take(&objects->builder);
        if (batch == NULL) {
            return;
        }
        hf_offer_add(&objects->offer, batch);
    }
}

static void on_settled(struct hf_kube_listener *listener, const char *version)
{
    struct objects *objects = HF_CONTAINER(listener, struct space, listener)->kind->objects;
    (void)version;
    if (hf_build_finish(&objects->builder) != HF_OK) {
        hf_node_log(objects->node, HF_LOG_ERROR, "objects are lost: out of memory");
    }
    pass_on(objects);
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
    pass_on(objects);
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

static void open_space(struct kind *kind, struct space *space, const char *root)
{
    const struct object_config *config = kind->config;
    const char *version = config->resource_version;
    /* "0" and "1", the old default, are no version that a server still has. */
    bool from_version = config->mode == WATCH && version != NULL && version[0] != '\0' &&
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
        .pull_interval_ns = config->mode == PULL ? config->interval_ns : 0,
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
    uint64_t items = hf_offer_stop(&objects->offer);
    struct hf_batch *batch = hf_build_take(&objects->builder);
    while (batch != NULL) {
        items += batch->items;
        hf_ref_drop(&batch->ref);
        batch = hf_build_take(&objects->builder);
    }
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
        free(objects->kinds[i].spaces);
        hf_filter_list_release(&objects->kinds[i].excluded);
    }
    free(objects->kinds);
    free(objects);
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

static const char *check(const void *config)
{
    const struct objects_config *configured = config;
    const struct object_config *kinds = configured->objects.items;
    for (size_t i = 0; i < configured->objects.count; i++) {
        if (kinds[i].mode == PULL && kinds[i].exclude_watch_type.count != 0) {
            return "objects: exclude_watch_type is for the mode watch only";
        }
        if (kinds[i].namespaces.count != 0 && kinds[i].exclude_namespaces.count != 0) {
            return "objects: namespaces and exclude_namespaces exclude each other";
        }
        if (kinds[i].persist_resource_version) {
            return "objects: persist_resource_version is not supported: a watch begins with the "
                   "start; k8s_events keeps its place, and include_initial_state tells of all "
                   "objects";
        }
    }
    return NULL;
}

static const char *const mode_choices[] = {"pull", "watch", NULL};
static const char *const error_choices[] = {"propagate", "ignore", "silent", NULL};

#define OBJECT(member) offsetof(struct object_config, member)

static const struct hf_field object_fields[] = {
    {.key = "name",
     .type = HF_FIELD_STRING,
     .offset = OBJECT(name),
     .required = true,
     .help = "The kind, as in URLs: pods, events, deployments."},
    {.key = "group",
     .type = HF_FIELD_STRING,
     .offset = OBJECT(group),
     .help = "Its API group; without: the first that has the name, the core group before all."},
    {.key = "mode",
     .type = HF_FIELD_ENUM,
     .offset = OBJECT(mode),
     .choices = mode_choices,
     .default_text = "pull",
     .help = "All objects at an interval, or each change as it comes."},
    {.key = "interval",
     .type = HF_FIELD_DURATION,
     .offset = OBJECT(interval_ns),
     .default_text = "1h",
     .min = 1e6,
     .max = 1e18,
     .help = "Of the mode pull: from one list to the next."},
    {.key = "initial_delay",
     .type = HF_FIELD_DURATION,
     .offset = OBJECT(initial_delay_ns),
     .help = "Time from the start to the first pull, or to the watch."},
    {.key = "label_selector",
     .type = HF_FIELD_STRING,
     .offset = OBJECT(label_selector),
     .help = "Only objects with these labels: a=b,c!=d."},
    {.key = "field_selector",
     .type = HF_FIELD_STRING,
     .offset = OBJECT(field_selector),
     .help = "Only objects with these fields: status.phase=Running."},
    {.key = "resource_version",
     .type = HF_FIELD_STRING,
     .offset = OBJECT(resource_version),
     .help = "Of the mode watch: from where to begin; without, from now on."},
    {.key = "namespaces",
     .type = HF_FIELD_STRING_LIST,
     .offset = OBJECT(namespaces),
     .help = "The namespaces; all without."},
    {.key = "exclude_namespaces",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = OBJECT(exclude_namespaces),
     .inner = hf_filter_list_fields,
     .inner_size = sizeof(struct hf_filter_list_config),
     .help = "Namespaces whose objects are left out."},
    {.key = "persist_resource_version",
     .type = HF_FIELD_BOOL,
     .offset = OBJECT(persist_resource_version),
     .help = "Not supported: a watch begins with the start."},
    {.key = "exclude_watch_type",
     .type = HF_FIELD_STRING_LIST,
     .offset = OBJECT(exclude_watch_type),
     .choices = changes,
     .help = "Of the mode watch: changes that are left out. BOOKMARK and ERROR never become "
             "records."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    HF_KUBE_FIELDS,
    {.key = "objects",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct objects_config, objects),
     .inner = object_fields,
     .inner_size = sizeof(struct object_config),
     .required = true,
     .help = "The kinds of objects to read."},
    {.key = "include_initial_state",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct objects_config, include_initial_state),
     .default_text = "false",
     .help = "Of the mode watch: the objects that are there at the start are reported as ADDED; "
             "resource_version does not count then."},
    {.key = "error_mode",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct objects_config, error_mode),
     .choices = error_choices,
     .default_text = "propagate",
     .help = "Accepted; a kind that the API does not serve is always logged and asked for again."},
    {.key = "storage",
     .type = HF_FIELD_IGNORED,
     .help = "In the Go collector for persist_resource_version, which is not supported."},
    HF_ONLY_LEADER_FIELD(offsetof(struct objects_config, elector)),
    HF_FIELDS_END,
};

static const char *const aliases[] = {"k8s_objects", NULL};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct objects_config *config = from;
    const struct object_config *objects = config->objects.items;
    for (size_t i = 0; i < config->objects.count; i++) {
        const struct hf_probe_right right = {
            .verbs = objects[i].mode == WATCH ? "list,watch" : "list",
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
    .fields = fields,
    .check = check,
    .probe = probe_outside,
    .open = open_objects,
    .start = start_objects,
    .stop = stop_objects,
    .close = close_objects,
};
