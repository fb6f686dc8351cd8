/*
 * k8s_observer: finds pods with their containers and ports, services, ingresses and nodes of a
 * Kubernetes cluster as endpoints, kept up to date by watches.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "kubernetes/access.h"
#include "kubernetes/watch.h"
#include "objects.h"
#include "support/discovery/endpoints.h"
#include "support/probe/probe_kubernetes.h"

struct kube_config {
    struct hf_kube_config kube; /* first: its fields */
    const char *node;
    bool pods, nodes, services, ingresses;
    struct hf_string_list namespaces;
};

struct kube_observer;

/* The watch of one kind, in one namespace or in all. */
struct kube_watch {
    struct hf_kube_listener listener;
    struct kube_observer *observer;
    void (*find)(struct kube_found *found, const struct hf_json *object);
};

struct kube_observer {
    struct hf_node *node;
    const struct kube_config *config;
    struct hf_endpoints table;
    struct hf_kube_client *client;
    struct kube_watch *watches;
    size_t watch_count;
    struct hf_endpoint **room; /* the client's thread: of one object */
};

/* What is watched. */
static const struct kind {
    const char *root, *group, *name;
    const char *selector; /* by the key `node`; NULL: it does not count */
    bool is_namespaced;
    size_t wanted; /* offset of its key */
    void (*find)(struct kube_found *found, const struct hf_json *object);
} kinds[] = {
    {"/api/v1", NULL, "pods", "spec.nodeName=", true, offsetof(struct kube_config, pods),
     kube_pod_find},
    {"/api/v1", NULL, "services", NULL, true, offsetof(struct kube_config, services),
     kube_service_find},
    {"/api/v1", NULL, "nodes", "metadata.name=", false, offsetof(struct kube_config, nodes),
     kube_node_find},
    {"/apis/networking.k8s.io/v1", "networking.k8s.io", "ingresses", NULL, true,
     offsetof(struct kube_config, ingresses), kube_ingress_find},
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static bool is_wanted(const struct kube_config *config, const struct kind *kind)
{
    return *(const bool *)((const char *)config + kind->wanted);
}

/* ---- the client's thread ---- */

static void on_changed(struct hf_kube_listener *listener, enum hf_kube_change change,
                       struct hf_slice uid, const struct hf_json *object)
{
    struct kube_watch *watch = HF_CONTAINER(listener, struct kube_watch, listener);
    struct kube_observer *observer = watch->observer;
    struct kube_found found = {.observer = hf_node_id(observer->node), .items = observer->room};
    if (change != HF_KUBE_IS_DELETED && object != NULL) {
        watch->find(&found, object);
    }
    hf_endpoints_set(&observer->table, uid, found.items, found.count);
}

static void say(struct hf_kube_listener *listener, enum hf_log_level level, const char *sentence)
{
    const struct kube_watch *watch = HF_CONTAINER(listener, struct kube_watch, listener);
    hf_node_log(watch->observer->node, level, "%s", sentence);
}

/* ---- the main thread ---- */

static enum hf_status watch_one(struct kube_observer *observer, const struct kind *kind,
                                const char *name_space)
{
    char path[512], selector[300];
    const char *node = observer->config->node;
    bool is_narrow = kind->selector != NULL && node != NULL && node[0] != '\0';
    struct kube_watch *watch = &observer->watches[observer->watch_count];
    snprintf(path, sizeof(path), "%s/%s%s%s%s", kind->root, name_space != NULL ? "namespaces/" : "",
             name_space != NULL ? name_space : "", name_space != NULL ? "/" : "", kind->name);
    snprintf(selector, sizeof(selector), "%s%s", is_narrow ? kind->selector : "",
             is_narrow ? node : "");
    *watch = (struct kube_watch){
        .observer = observer, .find = kind->find, .listener = {.changed = on_changed, .say = say}};
    const struct hf_kube_resource resource = {
        .path = path, .what = kind->name, .field_selector = is_narrow ? selector : NULL};
    enum hf_status status = hf_kube_watch_open(observer->client, &resource, &watch->listener);
    observer->watch_count += status == HF_OK;
    return status;
}

static enum hf_status watch_kind(struct kube_observer *observer, const struct kind *kind)
{
    struct hf_string_list spaces = observer->config->namespaces;
    if (!kind->is_namespaced || spaces.count == 0) {
        return watch_one(observer, kind, NULL);
    }
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < spaces.count && status == HF_OK; i++) {
        status = watch_one(observer, kind, spaces.items[i]);
    }
    return status;
}

static void stop_observer(void *self)
{
    struct kube_observer *observer = self;
    for (size_t i = 0; i < observer->watch_count; i++) {
        hf_kube_watch_close(observer->client, &observer->watches[i].listener);
    }
    observer->watch_count = 0;
}

static enum hf_status start_observer(void *self, char *reterr)
{
    struct kube_observer *observer = self;
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < KIND_COUNT && status == HF_OK; i++) {
        if (is_wanted(observer->config, &kinds[i])) {
            status = watch_kind(observer, &kinds[i]);
        }
    }
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        stop_observer(observer);
    }
    return status;
}

static void close_observer(void *self)
{
    struct kube_observer *observer = self;
    hf_kube_client_close(observer->client);
    hf_endpoints_release(&observer->table);
    free(observer->watches);
    free(observer->room);
    free(observer);
}

static enum hf_status open_observer(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    const struct kube_config *keys = config;
    struct kube_observer *observer = calloc(1, sizeof(*observer));
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (observer == NULL) {
        return HF_NOMEM;
    }
    observer->node = node;
    observer->config = keys;
    hf_endpoints_init(&observer->table, node);
    observer->watches =
        calloc(KIND_COUNT * (keys->namespaces.count + 1), sizeof(*observer->watches));
    observer->room = calloc(KUBE_ENDPOINTS_MAX, sizeof(struct hf_endpoint *));
    enum hf_status status = observer->watches != NULL && observer->room != NULL ? HF_OK : HF_NOMEM;
    if (status == HF_OK) {
        status = hf_kube_client_open(&keys->kube, &observer->client, reterr);
    }
    if (status != HF_OK) {
        close_observer(observer);
        return status;
    }
    *ret_self = observer;
    return HF_OK;
}

/* ---- the component ---- */

static uint64_t version(void *self)
{
    const struct kube_observer *observer = self;
    return hf_endpoints_version(&observer->table);
}

static void each(void *self, void (*visit)(void *user, struct hf_endpoint *endpoint), void *user)
{
    struct kube_observer *observer = self;
    hf_endpoints_each(&observer->table, visit, user);
}

static bool is_name(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
    return text[strspn(text, letters)] == '\0' && strlen(text) < 254;
}

static const char *object_name(const char *key, const char *text)
{
    (void)key;
    return is_name(text) ? NULL : "a name of lower-case letters, digits, dashes and dots";
}

static const char *check_observer(const void *config)
{
    const struct kube_config *keys = config;
    for (size_t i = 0; i < keys->namespaces.count; i++) {
        const char *name = keys->namespaces.items[i];
        if (name[0] == '\0' || !is_name(name)) {
            return "namespaces: one is no name of lower-case letters, digits, dashes and dots";
        }
    }
    return keys->pods || keys->nodes || keys->services || keys->ingresses
               ? NULL
               : "one of observe_pods, observe_nodes, observe_services and observe_ingresses must "
                 "be true";
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct kube_config *config = from;
    for (size_t i = 0; i < KIND_COUNT; i++) {
        const struct hf_probe_right right = {
            .verbs = "list,watch", .group = kinds[i].group, .resource = kinds[i].name};
        struct hf_string_list spaces =
            kinds[i].is_namespaced ? config->namespaces : (struct hf_string_list){0};
        if (is_wanted(config, &kinds[i])) {
            hf_probe_kubernetes_in(probe, &config->kube, &right, 1, spaces);
        }
    }
}

#define AT(member) offsetof(struct kube_config, member)

static const struct hf_field fields[] = {
    HF_KUBE_FIELDS,
    {.key = "node",
     .type = HF_FIELD_STRING,
     .offset = AT(node),
     .validate = object_name,
     .help = "Only this node, and the pods on it; all of them without."},
    {.key = "observe_pods",
     .type = HF_FIELD_BOOL,
     .offset = AT(pods),
     .default_text = "true",
     .help = "Finds pods, their containers and the ports of these."},
    {.key = "observe_nodes",
     .type = HF_FIELD_BOOL,
     .offset = AT(nodes),
     .default_text = "false",
     .help = "Finds nodes."},
    {.key = "observe_services",
     .type = HF_FIELD_BOOL,
     .offset = AT(services),
     .default_text = "false",
     .help = "Finds services."},
    {.key = "observe_ingresses",
     .type = HF_FIELD_BOOL,
     .offset = AT(ingresses),
     .default_text = "false",
     .help = "Finds the paths of ingresses."},
    {.key = "namespaces",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(namespaces),
     .help = "Only these namespaces; all without."},
    HF_FIELDS_END,
};

static const struct hf_observer observer_ops = {.version = version, .each = each};

static const struct hf_extension_ops extension_ops = {.observer = &observer_ops};

const struct hf_component hf_extension_k8s_observer = {
    .type = "k8s_observer",
    .help = "Finds pods, ports, services, ingresses and nodes of a Kubernetes cluster, for "
            "receiver_creator.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct kube_config),
    .fields = fields,
    .check = check_observer,
    .probe = probe_outside,
    .open = open_observer,
    .start = start_observer,
    .stop = stop_observer,
    .close = close_observer,
    .extension = &extension_ops,
};
