#include "cluster.h"

#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <holdfast/component.h>

#include "kubernetes/watch.h"
#include "patience.h"
#include "util/hash.h"
#include "util/loop.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"

#define SWEEP_NS (30 * HF_NS_PER_S)
#define DRAFT_BYTES_MAX (4u << 20)
#define SELECTOR_MAX 2048u

static const struct {
    const char *name; /* in the counters */
    const char *plural, *group;
    bool is_namespaced;
} kinds[K8S_KIND_COUNT] = {
    [K8S_POD] = {"pod", "pods", "/api/v1", true},
    [K8S_NAMESPACE] = {"namespace", "namespaces", "/api/v1", false},
    [K8S_NODE] = {"node", "nodes", "/api/v1", false},
    [K8S_REPLICASET] = {"replicaset", "replicasets", "/apis/apps/v1", true},
    [K8S_DEPLOYMENT] = {"deployment", "deployments", "/apis/apps/v1", true},
    [K8S_STATEFULSET] = {"statefulset", "statefulsets", "/apis/apps/v1", true},
    [K8S_DAEMONSET] = {"daemonset", "daemonsets", "/apis/apps/v1", true},
    [K8S_JOB] = {"job", "jobs", "/apis/batch/v1", true},
};

/* The watch of one kind. */
struct kind_watch {
    struct hf_kube_listener listener;
    struct k8s_cluster *cluster;
    enum k8s_kind kind;
    bool is_synced;
    struct hf_series *counts[3]; /* enum hf_kube_change */
};

struct k8s_cluster {
    struct k8s_cluster *next; /* of those that are open; the main thread, as the two counts */
    unsigned users, started;
    const struct hf_node *node;
    const struct k8s_config *config;
    struct k8s_rules rules;
    struct k8s_associations associations;
    struct hf_kube_client *client;
    struct k8s_table *table;
    struct hf_arena arena; /* of drafts; the client's thread */
    struct hf_timer sweep;
    struct kind_watch watches[K8S_KIND_COUNT];
    struct k8s_patience *patience;
    struct hf_series *table_size, *misses, *waited_in_vain, *waited_well;
    sem_t synced; /* once for each kind */
};

/* ---- the client's thread ---- */

static void forget(struct k8s_cluster *cluster, enum k8s_kind kind, struct hf_slice uid)
{
    struct k8s_key key;
    uint64_t grace_ns = kind == K8S_POD ? cluster->config->pod_delete_grace_ns : 0;
    k8s_key_begin(&key, K8S_KEY_OF_UID, (uint8_t)kind);
    k8s_key_add(&key, uid);
    k8s_table_remove(cluster->table, k8s_key_slice(&key), hf_clock_monotonic_ns(), grace_ns);
}

static void note(struct k8s_cluster *cluster, enum k8s_kind kind, struct hf_slice uid,
                 const struct hf_json *object)
{
    struct k8s_draft draft = {.arena = &cluster->arena};
    struct k8s_pod_keys keys = {.count = 0};
    struct k8s_key identity, name;
    if (kind == K8S_POD) {
        k8s_extract_pod(&cluster->rules, &cluster->associations, object, &draft, &keys);
    } else {
        k8s_extract_other(&cluster->rules, kind, object, &draft);
    }
    k8s_key_begin(&identity, K8S_KEY_OF_UID, (uint8_t)kind);
    k8s_key_add(&identity, uid);
    if (kind == K8S_NAMESPACE || kind == K8S_NODE) {
        k8s_key_begin(&name, K8S_KEY_OF_NAME, (uint8_t)kind);
        k8s_key_add(&name, hf_json_text_of(hf_json_get(object, "metadata"), "name"));
        keys.keys[keys.count++] = k8s_key_slice(&name);
    }
    struct k8s_record *record = k8s_record_make(&draft);
    if (record == NULL || k8s_table_put(cluster->table, k8s_key_slice(&identity), record, keys.keys,
                                        keys.count) != HF_OK) {
        hf_node_log(cluster->node, HF_LOG_ERROR, "a %s is not known: out of memory",
                    kinds[kind].name);
    }
    if (kind == K8S_POD) {
        k8s_patience_wake(cluster->patience);
    }
    hf_arena_reset(&cluster->arena);
}

static void on_changed(struct hf_kube_listener *listener, enum hf_kube_change change,
                       struct hf_slice uid, const struct hf_json *object)
{
    struct kind_watch *watch = HF_CONTAINER(listener, struct kind_watch, listener);
    struct k8s_cluster *cluster = watch->cluster;
    hf_series_add(watch->counts[change], 1);
    if (change == HF_KUBE_IS_DELETED) {
        forget(cluster, watch->kind, uid);
    } else {
        note(cluster, watch->kind, uid, object);
    }
    hf_series_set(cluster->table_size, (int64_t)k8s_table_size(cluster->table));
}

static void on_synced(struct hf_kube_listener *listener)
{
    struct kind_watch *watch = HF_CONTAINER(listener, struct kind_watch, listener);
    if (!watch->is_synced) {
        watch->is_synced = true;
        sem_post(&watch->cluster->synced);
    }
}

static void say(struct hf_kube_listener *listener, enum hf_log_level level, const char *sentence)
{
    hf_node_log(HF_CONTAINER(listener, struct kind_watch, listener)->cluster->node, level, "%s",
                sentence);
}

static void set_sweep(struct k8s_cluster *cluster)
{
    if (hf_loop_timer_set(hf_kube_client_loop(cluster->client), &cluster->sweep,
                          hf_clock_monotonic_ns() + SWEEP_NS) != HF_OK) {
        hf_node_log(cluster->node, HF_LOG_ERROR, "deleted pods stay known: out of memory");
    }
}

static void on_sweep(struct hf_timer *timer, uint64_t now_ns)
{
    struct k8s_cluster *cluster = HF_CONTAINER(timer, struct k8s_cluster, sweep);
    k8s_table_sweep(cluster->table, now_ns);
    hf_series_set(cluster->table_size, (int64_t)k8s_table_size(cluster->table));
    set_sweep(cluster);
}

static void begin_sweeps(void *user)
{
    set_sweep(user);
}

static void end_sweeps(void *user)
{
    struct k8s_cluster *cluster = user;
    hf_loop_timer_stop(hf_kube_client_loop(cluster->client), &cluster->sweep);
}

/* ---- the main thread ---- */

static struct hf_series *series(const struct k8s_cluster *cluster, const char *name,
                                enum hf_metric_type type, const char *help)
{
    const struct hf_metric_family family = {.name = name, .type = type, .help = help};
    const struct hf_label labels[] = {{"processor", hf_node_id(cluster->node)}, {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(cluster->node), &family, labels);
}

static struct hf_series *waits(const struct k8s_cluster *cluster, const char *outcome)
{
    const struct hf_metric_family family = {
        .name = "holdfast_processor_k8sattributes_waits",
        .type = HF_COUNTER,
        .help = "Requests that waited because the pod of their sender was not known yet."};
    const struct hf_label labels[] = {
        {"processor", hf_node_id(cluster->node)}, {"outcome", outcome}, {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(cluster->node), &family, labels);
}

static bool make_counters(struct k8s_cluster *cluster)
{
    static const char *const verbs[] = {"added", "updated", "deleted"};
    bool made = true;
    for (unsigned kind = 0; kind < K8S_KIND_COUNT && made; kind++) {
        for (unsigned verb = 0; verb < 3 && made; verb++) {
            char name[80];
            snprintf(name, sizeof(name), "otelcol_otelsvc_k8s_%s_%s", kinds[kind].name,
                     verbs[verb]);
            cluster->watches[kind].counts[verb] =
                series(cluster, name, HF_COUNTER, "Changes of objects that the watch brought.");
            made = cluster->watches[kind].counts[verb] != NULL;
        }
    }
    cluster->table_size = series(cluster, "otelcol_otelsvc_k8s_pod_table_size", HF_GAUGE,
                                 "Keys under which objects of the cluster are found.");
    cluster->misses = series(cluster, "otelcol_otelsvc_k8s_ip_lookup_miss", HF_COUNTER,
                             "Look-ups of a pod that found none.");
    cluster->waited_well = waits(cluster, "found");
    cluster->waited_in_vain = waits(cluster, "not_found");
    return made && cluster->table_size != NULL && cluster->misses != NULL &&
           cluster->waited_well != NULL && cluster->waited_in_vain != NULL;
}

/* Those that are open. Graphs are opened and closed on the main thread. */
static struct k8s_cluster *clusters;

static void free_cluster(struct k8s_cluster *cluster)
{
    hf_kube_client_close(cluster->client);
    k8s_table_free(cluster->table);
    k8s_patience_free(cluster->patience);
    k8s_rules_release(&cluster->rules);
    hf_arena_release(&cluster->arena);
    sem_destroy(&cluster->synced);
    free(cluster);
}

static enum hf_status make(const struct hf_node *node, const struct k8s_config *config,
                           struct k8s_cluster **ret_cluster, char *reterr)
{
    struct k8s_cluster *cluster = calloc(1, sizeof(*cluster));
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (cluster == NULL) {
        return HF_NOMEM;
    }
    cluster->node = node;
    cluster->config = config;
    cluster->arena.limit = DRAFT_BYTES_MAX;
    cluster->sweep.fire = on_sweep;
    sem_init(&cluster->synced, 0, 0);
    k8s_associations_compile(config, &cluster->associations);
    enum hf_status status = make_counters(cluster) ? HF_OK : HF_NOMEM;
    if (status == HF_OK) {
        status = k8s_table_new(&cluster->table);
    }
    if (status == HF_OK) {
        status = k8s_patience_new(&cluster->patience);
    }
    if (status == HF_OK) {
        status = k8s_rules_compile(config, &cluster->rules, reterr);
    }
    if (status == HF_OK) {
        status = hf_kube_client_open(&config->kube, &cluster->client, reterr);
    }
    if (status != HF_OK) {
        free_cluster(cluster);
        return status;
    }
    *ret_cluster = cluster;
    return HF_OK;
}

enum hf_status k8s_cluster_open(const struct hf_node *node, const struct k8s_config *config,
                                struct k8s_cluster **ret_cluster, char *reterr)
{
    struct k8s_cluster *cluster = clusters;
    while (cluster != NULL && cluster->config != config) {
        cluster = cluster->next;
    }
    if (cluster == NULL) {
        enum hf_status status = make(node, config, &cluster, reterr);
        if (status != HF_OK) {
            return status;
        }
        cluster->next = clusters;
        clusters = cluster;
    }
    cluster->users++;
    *ret_cluster = cluster;
    return HF_OK;
}

void k8s_cluster_close(struct k8s_cluster *cluster)
{
    if (cluster == NULL || --cluster->users > 0) {
        return;
    }
    struct k8s_cluster **place = &clusters;
    while (*place != cluster) {
        place = &(*place)->next;
    }
    *place = cluster->next;
    free_cluster(cluster);
}

static void add_term(char selector[SELECTOR_MAX], const struct k8s_filter_field *field)
{
    size_t used = strlen(selector);
    const char *op = field->op != NULL ? field->op : "";
    const char *key = field->key != NULL ? field->key : "";
    const char *value = field->value != NULL ? field->value : "";
    const char *comma = used != 0 ? "," : "";
    if (strcmp(op, "exists") == 0) {
        snprintf(selector + used, SELECTOR_MAX - used, "%s%s", comma, key);
    } else if (strcmp(op, "does-not-exist") == 0) {
        snprintf(selector + used, SELECTOR_MAX - used, "%s!%s", comma, key);
    } else {
        snprintf(selector + used, SELECTOR_MAX - used, "%s%s%s%s", comma, key,
                 strcmp(op, "not-equals") == 0 ? "!=" : "=", value);
    }
}

static void select_pods(const struct k8s_config *config, char labels[SELECTOR_MAX],
                        char fields[SELECTOR_MAX])
{
    const struct k8s_filter_field *label_items = config->filter.labels.items;
    const struct k8s_filter_field *field_items = config->filter.fields.items;
    const char *variable = config->filter.node_from_env_var;
    const char *node = config->filter.node;
    if (variable != NULL && variable[0] != '\0') {
        node = getenv(variable);
    }
    if (node != NULL && node[0] != '\0') {
        add_term(fields, &(struct k8s_filter_field){.key = "spec.nodeName", .value = node});
    }
    for (size_t i = 0; i < config->filter.fields.count; i++) {
        add_term(fields, &field_items[i]);
    }
    for (size_t i = 0; i < config->filter.labels.count; i++) {
        add_term(labels, &label_items[i]);
    }
}

static enum hf_status open_watch(struct k8s_cluster *cluster, enum k8s_kind kind)
{
    struct kind_watch *watch = &cluster->watches[kind];
    char path[512], labels[SELECTOR_MAX] = "", fields[SELECTOR_MAX] = "";
    const char *in = cluster->config->filter.namespace_name;
    bool is_within = in != NULL && in[0] != '\0' && kinds[kind].is_namespaced;
    snprintf(path, sizeof(path), "%s/%s%s%s%s", kinds[kind].group, is_within ? "namespaces/" : "",
             is_within ? in : "", is_within ? "/" : "", kinds[kind].plural);
    if (kind == K8S_POD) {
        select_pods(cluster->config, labels, fields);
    }
    const struct hf_kube_resource resource = {
        .path = path,
        .what = kinds[kind].plural,
        .label_selector = labels,
        .field_selector = fields,
    };
    watch->listener =
        (struct hf_kube_listener){.changed = on_changed, .synced = on_synced, .say = say};
    watch->cluster = cluster;
    watch->kind = kind;
    return hf_kube_watch_open(cluster->client, &resource, &watch->listener);
}

/* Waits until every watched kind has been listed. False: not in time. */
static bool wait_synced(struct k8s_cluster *cluster)
{
    struct timespec until;
    uint64_t timeout_ns = cluster->config->wait_for_metadata_timeout_ns;
    clock_gettime(CLOCK_REALTIME, &until);
    uint64_t nanoseconds = (uint64_t)until.tv_nsec + timeout_ns % HF_NS_PER_S;
    until.tv_sec += (time_t)(timeout_ns / HF_NS_PER_S + nanoseconds / HF_NS_PER_S);
    until.tv_nsec = (long)(nanoseconds % HF_NS_PER_S);
    for (unsigned kind = 0; kind < K8S_KIND_COUNT; kind++) {
        while ((cluster->rules.watched & K8S_KIND_BIT(kind)) != 0 &&
               sem_timedwait(&cluster->synced, &until) != 0) {
            if (errno != EINTR) {
                return false;
            }
        }
    }
    return true;
}

static void end_watches(struct k8s_cluster *cluster)
{
    for (unsigned kind = 0; kind < K8S_KIND_COUNT; kind++) {
        hf_kube_watch_close(cluster->client, &cluster->watches[kind].listener);
    }
    hf_kube_client_run(cluster->client, end_sweeps, cluster);
}

enum hf_status k8s_cluster_start(struct k8s_cluster *cluster, char *reterr)
{
    if (cluster->started > 0) {
        cluster->started++;
        return HF_OK;
    }
    hf_kube_client_run(cluster->client, begin_sweeps, cluster);
    for (unsigned kind = K8S_KIND_COUNT; kind-- > 0;) {
        bool wanted = (cluster->rules.watched & K8S_KIND_BIT(kind)) != 0;
        if (wanted && open_watch(cluster, (enum k8s_kind)kind) != HF_OK) {
            snprintf(reterr, HF_ERROR_MAX, "out of memory");
            end_watches(cluster);
            return HF_NOMEM;
        }
    }
    if (cluster->config->wait_for_metadata && !wait_synced(cluster)) {
        snprintf(reterr, HF_ERROR_MAX,
                 "wait_for_metadata: the objects of the cluster are not known after "
                 "wait_for_metadata_timeout; the log says what the Kubernetes API refuses");
        end_watches(cluster);
        return HF_DEADLINE;
    }
    cluster->started = 1;
    return HF_OK;
}

void k8s_cluster_stop(struct k8s_cluster *cluster)
{
    assert(cluster->started > 0);
    if (--cluster->started == 0) {
        end_watches(cluster);
    }
}

/* ---- any thread ---- */

struct awaiting {
    struct k8s_cluster *cluster;
    struct hf_slice key;
    struct k8s_record *record;
};

static bool is_there(void *user)
{
    struct awaiting *awaiting = user;
    awaiting->record = k8s_table_find(awaiting->cluster->table, awaiting->key);
    return awaiting->record != NULL;
}

static struct k8s_record *await(struct k8s_cluster *cluster, struct hf_slice key)
{
    struct awaiting awaiting = {.cluster = cluster, .key = key};
    if (!k8s_patience_grant(cluster->patience, hf_hash_64(key), hf_clock_monotonic_ns())) {
        return NULL;
    }
    bool found = k8s_patience_wait(cluster->patience, is_there, &awaiting);
    hf_series_add(found ? cluster->waited_well : cluster->waited_in_vain, 1);
    return awaiting.record;
}

struct k8s_record *k8s_cluster_find(struct k8s_cluster *cluster, struct hf_slice key)
{
    struct k8s_record *record = key.size != 0 ? k8s_table_find(cluster->table, key) : NULL;
    if (record == NULL && key.size != 0) {
        record = await(cluster, key);
    }
    if (record == NULL) {
        hf_series_add(cluster->misses, 1);
    }
    return record;
}

struct k8s_record *k8s_cluster_look_up(struct k8s_cluster *cluster, char key_kind,
                                       enum k8s_kind kind, struct hf_slice text)
{
    struct k8s_key key;
    if (text.size == 0 || (cluster->rules.watched & K8S_KIND_BIT(kind)) == 0) {
        return NULL;
    }
    k8s_key_begin(&key, key_kind, (uint8_t)kind);
    k8s_key_add(&key, text);
    return key.size != 0 ? k8s_table_find(cluster->table, k8s_key_slice(&key)) : NULL;
}

size_t k8s_cluster_rights(const struct k8s_rules *rules, const struct k8s_config *config,
                          struct hf_probe_right ret_rights[K8S_KIND_COUNT])
{
    const char *space = config->filter.namespace_name;
    size_t count = 0;
    for (unsigned kind = 0; kind < K8S_KIND_COUNT; kind++) {
        if ((rules->watched & K8S_KIND_BIT(kind)) == 0) {
            continue;
        }
        bool is_narrow = kinds[kind].is_namespaced && space != NULL && space[0] != '\0';
        ret_rights[count++] = (struct hf_probe_right){
            .verbs = "list,watch",
            .group = strcmp(kinds[kind].group, "/apis/apps/v1") == 0    ? "apps"
                     : strcmp(kinds[kind].group, "/apis/batch/v1") == 0 ? "batch"
                                                                        : "",
            .resource = kinds[kind].plural,
            .namespace = is_narrow ? space : NULL,
        };
    }
    return count;
}
