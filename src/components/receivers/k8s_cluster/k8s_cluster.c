/*
 * k8s_cluster: the state of a Kubernetes cluster as metrics, and in a pipeline of logs what is in
 * it, as events of entities. A watch for each kind keeps what its objects say of themselves; at an
 * interval all of it is written out, and of entities what has changed every second.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.h"
#include "endpoints.h"
#include "support/probe/probe_kubernetes.h"
#include "util/time/clock.h"

#define CHANGES_NS HF_NS_PER_S /* entities that have changed are told that often */

static const char *const sources[] = {"k8s_cluster"};

/* ---- objects; the client's thread ---- */

static void free_object(void *pointer)
{
    struct object *object = pointer;
    hf_bytes_release(&object->record.bytes);
    hf_bytes_release(&object->entities.bytes);
    free(object);
}

static void forget(struct kind *kind, const char *uid)
{
    struct object **found = tfind(uid, &kind->objects, cluster_compare);
    if (found != NULL) {
        struct object *object = *found;
        tdelete(uid, &kind->objects, cluster_compare);
        cluster_note_gone(kind->cluster, &object->entities, NULL);
        free_object(object);
    }
}

static struct object *object_of(struct kind *kind, const char *uid)
{
    struct object **found = tfind(uid, &kind->objects, cluster_compare);
    if (found != NULL) {
        return *found;
    }
    struct object *made = calloc(1, sizeof(*made));
    if (made != NULL) {
        snprintf(made->uid, sizeof(made->uid), "%s", uid);
        if (tsearch(made, &kind->objects, cluster_compare) == NULL) {
            free(made);
            return NULL;
        }
    }
    return made;
}

static void on_changed(struct hf_kube_listener *listener, enum hf_kube_change change,
                       struct hf_slice uid, const struct hf_json *json)
{
    struct kind *kind = HF_CONTAINER(listener, struct kind, listener);
    char key[HF_KUBE_UID_MAX];
    if (!cluster_read_uid(uid, key)) {
        return;
    }
    if (change == HF_KUBE_IS_DELETED) {
        forget(kind, key);
        return;
    }
    struct object *object = object_of(kind, key);
    if (object != NULL) {
        object->record.bytes.size = 0;
        object->record.failed = false;
        kind->what->describe(&object->record, &kind->cluster->config->wanted, json);
        if (kind->cluster->entities != NULL) {
            cluster_describe_entities(kind, object, json);
        }
    }
    if (object == NULL || object->record.failed || object->entities.failed) {
        hf_node_log(kind->cluster->node, HF_LOG_ERROR, "one of the %s is left out: out of memory",
                    kind->what->name);
        forget(kind, key);
    }
}

static void on_synced(struct hf_kube_listener *listener)
{
    HF_CONTAINER(listener, struct kind, listener)->is_known = true;
}

static void say(struct hf_kube_listener *listener, enum hf_log_level level, const char *sentence)
{
    hf_node_log(HF_CONTAINER(listener, struct kind, listener)->cluster->node, level, "%s",
                sentence);
}

/* ---- the scrape ---- */

static void write_object(const void *node, VISIT visit, void *user)
{
    const struct object *const *object = node;
    if (visit == postorder || visit == leaf) {
        record_write(&(*object)->record, user);
    }
}

static void add_slice(const void *node, VISIT visit, void *user)
{
    const struct object *const *object = node;
    if (visit == postorder || visit == leaf) {
        endpoint_tally_add(user, &(*object)->record);
    }
}

/* The endpoints of all services. False: some are not known, or there is no memory for them. */
static bool count_endpoints(const struct cluster *cluster, struct endpoint_tally *tally)
{
    bool is_known = cluster->config->metrics[SERVICE_ENDPOINTS].enabled;
    for (size_t i = 0; i < cluster->kind_count && is_known; i++) {
        const struct kind *kind = &cluster->kinds[i];
        is_known = kind->is_known || !kind->what->is_of_services;
        if (is_known && kind->what->is_of_services) {
            twalk_r(kind->objects, add_slice, tally);
        }
    }
    endpoint_tally_sort(tally);
    if (tally->failed) {
        hf_node_log(cluster->node, HF_LOG_ERROR, "endpoints are not counted: out of memory");
    }
    return is_known && !tally->failed;
}

static void write_all(void *user)
{
    struct cluster *cluster = user;
    struct endpoint_tally tally = {.count = 0};
    cluster->writer->tally = count_endpoints(cluster, &tally) ? &tally : NULL;
    for (size_t i = 0; i < cluster->kind_count; i++) {
        if (cluster->kinds[i].is_known) {
            twalk_r(cluster->kinds[i].objects, write_object, cluster->writer);
        }
    }
    cluster->writer->tally = NULL;
    endpoint_tally_release(&tally);
}

/* The objects belong to the client's thread: it writes them while the scraper's waits. */
static void scrape(void *user, struct hf_scrape *scrape)
{
    struct cluster *cluster = user;
    struct record_writer writer = {
        .builder = scrape->builder,
        .metrics = cluster->config->metrics,
        .resources = cluster->config->resources,
        .extra = cluster->extra,
        .point = {.start_ns = cluster->begun_ns, .time_ns = scrape->now_ns},
    };
    cluster->writer = &writer;
    hf_kube_client_run(cluster->client, write_all, cluster);
    cluster->writer = NULL;
    hf_scrape_count(scrape, 0, writer.points);
}

/* ---- who reads ---- */

static void forget_all(void *user)
{
    struct cluster *cluster = user;
    cluster->gone.bytes.size = 0;
    cluster->told_ns = 0;
    cluster->waits_since_ns = 0;
    for (size_t i = 0; i < cluster->kind_count; i++) {
        cluster->kinds[i].is_known = false;
        tdestroy(cluster->kinds[i].objects, free_object);
        cluster->kinds[i].objects = NULL;
    }
}

static void close_watches(struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->kind_count; i++) {
        hf_kube_watch_close(cluster->client, &cluster->kinds[i].listener);
    }
    hf_kube_client_run(cluster->client, forget_all, cluster);
}

static void open_watch(struct cluster *cluster, struct kind *kind)
{
    const struct cluster_kind *what = kind->what;
    bool is_narrow = kind->space != NULL;
    char path[512];
    snprintf(path, sizeof(path), "%s/%s%s%s%s", what->root, is_narrow ? "namespaces/" : "",
             is_narrow ? kind->space : "", is_narrow ? "/" : "", what->name);
    const struct hf_kube_resource resource = {.path = path, .what = what->name};
    kind->listener =
        (struct hf_kube_listener){.changed = on_changed, .synced = on_synced, .say = say};
    if (hf_kube_watch_open(cluster->client, &resource, &kind->listener) != HF_OK) {
        hf_node_log(cluster->node, HF_LOG_ERROR, "%s are not read: out of memory", what->name);
    }
}

static void on_leader(struct hf_leader_listener *listener, bool is_leader, uint64_t since_ns)
{
    struct hf_only_leader *only = HF_CONTAINER(listener, struct hf_only_leader, listener);
    struct cluster *cluster = HF_CONTAINER(only, struct cluster, only_leader);
    (void)since_ns;
    if (!is_leader) {
        close_watches(cluster);
        return;
    }
    for (size_t i = 0; i < cluster->kind_count; i++) {
        open_watch(cluster, &cluster->kinds[i]);
    }
}

/* ---- life; the main thread ---- */

static void close_cluster(void *self)
{
    struct cluster *cluster = self;
    hf_scraper_free(cluster->scraper);
    hf_scraper_free(cluster->entities);
    hf_kube_client_close(cluster->client);
    hf_bytes_release(&cluster->gone.bytes);
    free(cluster->kinds);
    free(cluster->extra);
    free(cluster->extra_names);
    free(cluster);
}

static void print_unit(const char *allocatable, char *ret_unit)
{
    static const char *const bytes[] = {"memory", "storage", "ephemeral-storage"};
    bool is_pods = strcmp(allocatable, "pods") == 0;
    for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
        if (strcmp(allocatable, bytes[i]) == 0) {
            snprintf(ret_unit, NAME_MAX_BYTES, "By");
            return;
        }
    }
    snprintf(ret_unit, NAME_MAX_BYTES, "{%.100s}", is_pods ? "pod" : allocatable);
}

/* The metrics whose names come from the configuration. */
static bool name_extra(struct cluster *cluster)
{
    const struct cluster_wanted *wanted = &cluster->config->wanted;
    size_t conditions = wanted->conditions.count, count = conditions + wanted->allocatables.count;
    cluster->extra = calloc(count + 1, sizeof(*cluster->extra));
    cluster->extra_names = calloc(2 * count + 1, sizeof(*cluster->extra_names));
    if (cluster->extra == NULL || cluster->extra_names == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        bool is_condition = i < conditions;
        const char *name =
            is_condition ? wanted->conditions.items[i] : wanted->allocatables.items[i - conditions];
        char snake[NAME_MAX_BYTES / 2];
        cluster_snake(name, snake, sizeof(snake));
        char *full = cluster->extra_names[2 * i], *unit = cluster->extra_names[2 * i + 1];
        snprintf(full, NAME_MAX_BYTES, "k8s.node.%s_%s", is_condition ? "condition" : "allocatable",
                 snake);
        if (!is_condition) {
            print_unit(name, unit);
        }
        cluster->extra[i] = (struct hf_metric_row){
            .name = full,
            .unit = unit,
            .help = is_condition ? "State of that condition of the node: 1 true, 0 false, -1 not "
                                   "known."
                                 : "Amount of that resource that pods on the node can have.",
        };
    }
    return true;
}

static void add_kind(struct cluster *cluster, const struct cluster_kind *what, const char *space)
{
    cluster->kinds[cluster->kind_count++] =
        (struct kind){.cluster = cluster, .what = what, .space = space};
}

static bool is_wanted(const struct cluster_config *config, const struct cluster_kind *what)
{
    bool is_wanted = what->metrics == NULL;
    for (size_t i = 0; i < what->metric_count; i++) {
        is_wanted = is_wanted || config->metrics[what->metrics[i]].enabled;
    }
    return is_wanted && (!what->is_of_openshift || config->distribution == OPENSHIFT);
}

/* The namespaces that are read; none: all. */
static struct hf_string_list spaces_of(const struct cluster_config *config)
{
    const struct hf_string_list one = {.items = &config->space, .count = 1};
    return config->space != NULL && config->space[0] != '\0' ? one : config->namespaces;
}

/* With namespaces given, what is in none is not read: a Role would not allow it. */
static bool plan(struct cluster *cluster)
{
    const struct cluster_config *config = cluster->config;
    const struct hf_string_list spaces = spaces_of(config);
    cluster->kinds = calloc(CLUSTER_KIND_COUNT * (spaces.count + 1), sizeof(*cluster->kinds));
    if (cluster->kinds == NULL) {
        return false;
    }
    for (size_t i = 0; i < CLUSTER_KIND_COUNT; i++) {
        const struct cluster_kind *what = &cluster_kinds[i];
        if (!is_wanted(config, what)) {
            continue;
        }
        if (spaces.count == 0) {
            add_kind(cluster, what, NULL);
        }
        for (size_t s = 0; s < spaces.count && !what->is_of_cluster; s++) {
            add_kind(cluster, what, spaces.items[s]);
        }
    }
    return true;
}

static enum hf_status make_scraper(struct cluster *cluster, char *reterr)
{
    static const char *const resources[] = {CLUSTER_RESOURCES(HF_RESOURCE_NAME)};
    const struct hf_metric_set metrics = {cluster_rows, cluster->config->metrics,
                                          CLUSTER_METRIC_COUNT, 0};
    const struct hf_scraper_options options = {
        .node = cluster->node,
        .config = &cluster->config->scraper,
        .signal = HF_METRICS,
        .sources = sources,
        .source_count = 1,
        .resources = {resources, cluster->config->resources, CLUSTER_RESOURCE_COUNT},
        .metrics = &metrics,
        .metric_sets = 1,
        .scrape = scrape,
        .user = cluster};
    return hf_scraper_new(&options, &cluster->scraper, reterr);
}

static enum hf_status make_entities(struct cluster *cluster, char *reterr)
{
    static const char *const names[] = {"entities"};
    const struct hf_scraper_options options = {.node = cluster->node,
                                               .config = &cluster->entity_times,
                                               .signal = HF_LOGS,
                                               .sources = names,
                                               .source_count = 1,
                                               .scrape = cluster_tell_entities,
                                               .user = cluster};
    cluster->entity_times = (struct hf_scraper_config){
        .interval_ns = CHANGES_NS, .initial_delay_ns = cluster->config->scraper.initial_delay_ns};
    return hf_scraper_new(&options, &cluster->entities, reterr);
}

static enum hf_status open_cluster(struct hf_node *node, const void *config, void **ret_self,
                                   char *reterr)
{
    const struct cluster_config *keys = config;
    struct cluster *cluster = calloc(1, sizeof(*cluster));
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (cluster == NULL) {
        return HF_NOMEM;
    }
    cluster->node = node;
    cluster->config = keys;
    cluster->begun_ns = hf_clock_unix_ns();
    enum hf_status status = plan(cluster) && name_extra(cluster) ? HF_OK : HF_NOMEM;
    if (status == HF_OK) {
        status = hf_kube_client_open(&keys->kube, &cluster->client, reterr);
    }
    if (status == HF_OK && (hf_node_signals(node) & HF_SIGNAL_BIT(HF_METRICS)) != 0) {
        status = make_scraper(cluster, reterr);
    }
    if (status == HF_OK && (hf_node_signals(node) & HF_SIGNAL_BIT(HF_LOGS)) != 0) {
        status = make_entities(cluster, reterr);
    }
    if (status != HF_OK) {
        close_cluster(cluster);
        return status;
    }
    *ret_self = cluster;
    return HF_OK;
}

static enum hf_status start_cluster(void *self, char *reterr)
{
    struct cluster *cluster = self;
    enum hf_status status = HF_OK;
    if (cluster->scraper != NULL) {
        status = hf_scraper_start(cluster->scraper, reterr);
    }
    if (status == HF_OK && cluster->entities != NULL) {
        status = hf_scraper_start(cluster->entities, reterr);
    }
    return status == HF_OK ? hf_only_leader_start(&cluster->only_leader, cluster->node,
                                                  cluster->config->elector, on_leader, reterr)
                           : status;
}

static void stop_cluster(void *self)
{
    struct cluster *cluster = self;
    hf_only_leader_stop(&cluster->only_leader);
    if (cluster->scraper != NULL) {
        hf_scraper_stop(cluster->scraper);
    }
    if (cluster->entities != NULL) {
        hf_scraper_stop(cluster->entities);
    }
    close_watches(cluster);
}

static const char *check_cluster(const void *config)
{
    const struct cluster_config *keys = config;
    bool has_space = keys->space != NULL && keys->space[0] != '\0';
    return has_space && keys->namespaces.count != 0 ? "namespace and namespaces exclude each other"
                                                    : NULL;
}

/* ---- keys ---- */

static const struct hf_field metric_fields[] = {CLUSTER_METRICS(HF_METRIC_FIELD) HF_FIELDS_END};
static const struct hf_field resource_fields[] = {CLUSTER_RESOURCES(HF_RESOURCE_FIELD)
                                                      HF_FIELDS_END};

static const char *const distributions[] = {"kubernetes", "openshift", NULL};

#define AT(member) offsetof(struct cluster_config, member)
#define KUBE_AT(member) offsetof(struct cluster_config, kube.member)

static const struct hf_field fields[] = {
    HF_SCRAPER_FIELDS("10s"),
    {.key = "auth_type",
     .type = HF_FIELD_ENUM,
     .offset = KUBE_AT(auth_type),
     .choices = hf_kube_auth_choices,
     .default_text = "serviceAccount",
     .help = "How to sign in to the Kubernetes API: as the pod's service account, by a "
             "kubeconfig file, or not at all."},
    {.key = "context",
     .type = HF_FIELD_STRING,
     .offset = KUBE_AT(context),
     .help = "The context of the kubeconfig file; the current one without."},
    {.key = "kube_config_path",
     .type = HF_FIELD_STRING,
     .offset = KUBE_AT(config_path),
     .help = "The kubeconfig file; without, that of KUBECONFIG or ~/.kube/config."},
    {.key = "kube_api_qps",
     .type = HF_FIELD_IGNORED,
     .help = "Objects are read by one list and one watch a kind."},
    {.key = "kube_api_burst",
     .type = HF_FIELD_IGNORED,
     .help = "Objects are read by one list and one watch a kind."},
    {.key = "node_conditions_to_report",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(wanted.conditions),
     .default_text = "Ready",
     .help = "The conditions of nodes that become metrics: k8s.node.condition_NAME."},
    {.key = "allocatable_types_to_report",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(wanted.allocatables),
     .help = "The allocatable resources of nodes that become metrics: "
             "k8s.node.allocatable_NAME."},
    {.key = "distribution",
     .type = HF_FIELD_ENUM,
     .offset = AT(distribution),
     .choices = distributions,
     .default_text = "kubernetes",
     .help = "openshift: the quotas of the cluster are read too."},
    {.key = "namespaces",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(namespaces),
     .help = "The namespaces that are read, and then nothing that is in none; all without."},
    {.key = "namespace",
     .type = HF_FIELD_STRING,
     .offset = AT(space),
     .help = "One namespace; namespaces replaces it."},
    HF_ONLY_LEADER_FIELD(AT(elector)),
    {.key = "metadata_collection_interval",
     .type = HF_FIELD_DURATION,
     .offset = AT(metadata_interval_ns),
     .default_text = "5m",
     .help = "In a pipeline of logs: how often events tell of all entities; of those that have "
             "changed they do within a second. 0: of all once."},
    {.key = "metadata_exporters",
     .type = HF_FIELD_IGNORED,
     .help = "entities are reported to pipelines of logs"},
    {.key = "metrics",
     .type = HF_FIELD_STRUCT,
     .offset = AT(metrics),
     .inner = metric_fields,
     .help = "Which metrics are reported."},
    {.key = "resource_attributes",
     .type = HF_FIELD_STRUCT,
     .offset = AT(resources),
     .inner = resource_fields,
     .help = "Which resource attributes are reported."},
    HF_FIELDS_END,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct cluster_config *config = from;
    struct hf_probe_right rights[CLUSTER_KIND_COUNT];
    const struct hf_string_list spaces = spaces_of(config);
    size_t count = 0;
    for (size_t i = 0; i < CLUSTER_KIND_COUNT; i++) {
        const struct cluster_kind *kind = &cluster_kinds[i];
        if (!is_wanted(config, kind) || kind->is_of_openshift) {
            continue; /* OpenShift's own are not everywhere */
        }
        if (kind->is_of_cluster && spaces.count != 0) {
            continue;
        }
        const char *group = strncmp(kind->root, "/apis/", 6) == 0 ? kind->root + 6 : "";
        rights[count++] = (struct hf_probe_right){
            .verbs = "list,watch",
            .group = strcmp(group, "apps/v1") == 0          ? "apps"
                     : strcmp(group, "batch/v1") == 0       ? "batch"
                     : strcmp(group, "autoscaling/v2") == 0 ? "autoscaling"
                     : kind->is_of_services                 ? "discovery.k8s.io"
                                                            : "",
            .resource = kind->name,
        };
    }
    hf_probe_kubernetes_in(probe, &config->kube, rights, count, spaces);
}

const struct hf_component hf_receiver_k8s_cluster = {
    .type = "k8s_cluster",
    .help = "Reports the state of a Kubernetes cluster, and tells of what is in it as entities.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_METRICS) | HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct cluster_config),
    .fields = fields,
    .check = check_cluster,
    .probe = probe_outside,
    .open = open_cluster,
    .start = start_cluster,
    .stop = stop_cluster,
    .close = close_cluster,
};
