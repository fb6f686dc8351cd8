/*
 * kubeletstats: what the kubelet of a node measures of the node, its pods, their containers and
 * volumes, asked for at an interval.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "kubelet.h"
#include "kubernetes/quantity.h"
#include "kubernetes/request.h"
#include "summary.h"
#include "support/probe/probe_kubernetes.h"
#include "support/scrape/scraper.h"
#include "support/settings/confighttp.h"
#include "util/time/clock.h"

#define REQUEST_NS_MAX (10 * HF_NS_PER_S)
#define NODE_EVERY_NS (300 * HF_NS_PER_S)
#define JSON_BYTES_MAX (256u << 20)
#define CLAIMS_BYTES_MAX (16u << 20)

struct kubeletstats_config {
    struct hf_scraper_config scraper; /* first: the scraper's */
    struct kubelet_config kubelet;
    struct hf_string_list metric_groups, extra_metadata_labels;
    const struct hf_kube_config *api; /* NULL: the API server is not asked */
    const char *node;
    bool all_interfaces_of_pods, all_interfaces_of_nodes;
    struct kubelet_wanted wanted;
};

/* A claim whose volume was looked up; in the arena of claims. */
struct claim {
    struct claim *next;
    const char *name; /* "namespace/name" */
    const struct hf_json *spec;
};

struct kubeletstats {
    struct hf_node *node;
    const struct kubeletstats_config *config;
    struct hf_scraper *scraper;
    struct hf_kube_client *kubelet, *api; /* api: NULL: none */
    struct hf_kube_waiter kubelet_waiter, api_waiter;
    char *prefix;
    uint64_t begun_ns;
    unsigned groups;
    bool has_container_ids, has_volume_types, needs_pods, needs_node;
    /* The scraper's thread. */
    struct hf_arena json, claim_memory;
    struct claim *claims;
    double node_cpus, node_memory;
    uint64_t node_due_ns;
    struct hf_between cpu_usage;
    struct hf_scrape *scrape; /* the one that runs */
    uint64_t deadline_ns;
};

static const char *const names[] = {"kubelet_stats"};

/* ---- requests; the scraper's thread ---- */

/* The JSON at a path, in `arena`; NULL: counted and logged. */
static const struct hf_json *fetch(struct kubeletstats *self, struct hf_kube_client *client,
                                   const char *path, struct hf_arena *arena)
{
    struct hf_bytes body;
    char error[HF_ERROR_MAX];
    const struct hf_json *json = NULL;
    struct hf_kube_waiter *waiter =
        client == self->kubelet ? &self->kubelet_waiter : &self->api_waiter;
    if (hf_kube_get(client, path, self->deadline_ns, waiter, &body, error) != HF_OK) {
        if (!waiter->is_cancelled) { /* written by the client's thread, before the answer */
            hf_scrape_failed(self->scrape, 0, 1, "asking for %.200s failed: %s", path, error);
        }
        return NULL;
    }
    if (hf_json_read(hf_slice_of(body.data, body.size), arena, &json, error) != HF_OK) {
        hf_scrape_failed(self->scrape, 0, 1, "the answer for %.200s is of no use: %s", path, error);
        json = NULL;
    }
    hf_bytes_release(&body);
    return json;
}

static const struct hf_json *fetch_kubelet(struct kubeletstats *self, const char *path)
{
    char whole[512];
    snprintf(whole, sizeof(whole), "%s%s", self->prefix, path);
    return fetch(self, self->kubelet, whole, &self->json);
}

/* ---- volumes behind claims ---- */

static const struct hf_json *fetch_volume(struct kubeletstats *self, struct hf_slice space,
                                          struct hf_slice name)
{
    char path[1024];
    snprintf(path, sizeof(path), "/api/v1/namespaces/%.*s/persistentvolumeclaims/%.*s",
             (int)space.size, (const char *)space.data, (int)name.size, (const char *)name.data);
    const struct hf_json *claim = fetch(self, self->api, path, &self->json);
    struct hf_slice volume = hf_json_text_of(hf_json_get(claim, "spec"), "volumeName");
    if (volume.size == 0) {
        return NULL;
    }
    snprintf(path, sizeof(path), "/api/v1/persistentvolumes/%.*s", (int)volume.size,
             (const char *)volume.data);
    return hf_json_get(fetch(self, self->api, path, &self->claim_memory), "spec");
}

static bool remember(struct kubeletstats *self, const char *name, const struct hf_json *spec)
{
    size_t size = strlen(name) + 1;
    struct claim *claim = hf_arena_take(&self->claim_memory, sizeof(*claim));
    char *copy = hf_arena_take(&self->claim_memory, size);
    if (claim == NULL || copy == NULL) {
        return false;
    }
    memcpy(copy, name, size);
    *claim = (struct claim){.next = self->claims, .name = copy, .spec = spec};
    self->claims = claim;
    return true;
}

static bool find_claim(void *user, struct hf_slice space, struct hf_slice name,
                       const struct hf_json **ret_spec)
{
    struct kubeletstats *self = user;
    char whole[600];
    if (self->api == NULL) {
        *ret_spec = NULL;
        return true;
    }
    snprintf(whole, sizeof(whole), "%.*s/%.*s", (int)space.size, (const char *)space.data,
             (int)name.size, (const char *)name.data);
    for (struct claim *claim = self->claims; claim != NULL; claim = claim->next) {
        if (strcmp(claim->name, whole) == 0) {
            *ret_spec = claim->spec;
            return true;
        }
    }
    const struct hf_json *spec = fetch_volume(self, space, name);
    if (spec == NULL || !remember(self, whole, spec)) {
        /* Perhaps the memory is full of claims that are gone; it is filled again. */
        self->claims = NULL;
        hf_arena_reset(&self->claim_memory);
        return false;
    }
    *ret_spec = spec;
    return true;
}

static void on_left_out(void *user, const char *sentence)
{
    struct kubeletstats *self = user;
    hf_scrape_failed(self->scrape, 0, 1, "%s", sentence);
}

/* ---- the node's capacity ---- */

static double capacity(const struct hf_json *node, const char *name)
{
    struct hf_kube_quantity quantity;
    struct hf_slice text =
        hf_json_text(hf_json_at(node, (const char *const[]){"status", "capacity", name, NULL}));
    return hf_kube_quantity_read(text, &quantity) ? hf_kube_quantity_double(&quantity) : 0;
}

static void look_at_node(struct kubeletstats *self)
{
    char path[512];
    uint64_t now_ns = hf_clock_monotonic_ns();
    if (!self->needs_node || now_ns < self->node_due_ns) {
        return;
    }
    snprintf(path, sizeof(path), "/api/v1/nodes/%s", self->config->node);
    const struct hf_json *node = fetch(self, self->api, path, &self->json);
    if (node != NULL) {
        self->node_cpus = capacity(node, "cpu");
        self->node_memory = capacity(node, "memory");
        self->node_due_ns = now_ns + NODE_EVERY_NS;
    }
}

/* ---- a scrape ---- */

static void write_all(struct kubeletstats *self, const struct hf_json *stats,
                      const struct hf_json *pods)
{
    const struct kubeletstats_config *config = self->config;
    struct kubelet_summary summary = {
        .wanted = &config->wanted,
        .groups = self->groups,
        .has_container_ids = self->has_container_ids,
        .has_volume_types = self->has_volume_types,
        .all_node_interfaces = config->all_interfaces_of_nodes,
        .all_pod_interfaces = config->all_interfaces_of_pods,
        .builder = self->scrape->builder,
        .now_ns = self->scrape->now_ns,
        .begun_ns = self->begun_ns,
        .pods = pods,
        .node_cpus = self->node_cpus,
        .node_memory = self->node_memory,
        .cpu_usage = &self->cpu_usage,
        .claim = find_claim,
        .left_out = on_left_out,
        .user = self,
    };
    if (kubelet_summary_write(&summary, stats)) {
        hf_between_turn(&self->cpu_usage);
    } else {
        hf_scrape_failed(self->scrape, 0, 1, "/stats/summary names no node");
    }
    hf_scrape_count(self->scrape, 0, summary.points);
}

static void scrape(void *user, struct hf_scrape *scrape)
{
    struct kubeletstats *self = user;
    uint64_t deadline_ns = hf_clock_monotonic_ns() + REQUEST_NS_MAX;
    self->scrape = scrape;
    self->deadline_ns = deadline_ns < scrape->deadline_ns ? deadline_ns : scrape->deadline_ns;
    const struct hf_json *stats = fetch_kubelet(self, "/stats/summary"), *pods = NULL;
    if (stats != NULL && self->needs_pods) {
        pods = fetch_kubelet(self, "/pods");
    }
    if (stats != NULL && (pods != NULL || !self->needs_pods)) {
        look_at_node(self);
        write_all(self, stats, pods);
    }
    hf_arena_reset(&self->json);
}

/* ---- life ---- */

static bool any(const struct hf_metric_choice *choices, const unsigned *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (choices[ids[i]].enabled) {
            return true;
        }
    }
    return false;
}

static const unsigned of_limits[] = {
    CONTAINER_CPU_LIMIT_UTILIZATION,    CONTAINER_CPU_REQUEST_UTILIZATION,
    CONTAINER_MEMORY_LIMIT_UTILIZATION, CONTAINER_MEMORY_REQUEST_UTILIZATION,
    POD_CPU_LIMIT_UTILIZATION,          POD_CPU_REQUEST_UTILIZATION,
    POD_MEMORY_LIMIT_UTILIZATION,       POD_MEMORY_REQUEST_UTILIZATION,
};
static const unsigned of_node[] = {
    CONTAINER_CPU_NODE_UTILIZATION,
    CONTAINER_MEMORY_NODE_UTILIZATION,
    POD_CPU_NODE_UTILIZATION,
    POD_MEMORY_NODE_UTILIZATION,
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void plan(struct kubeletstats *self)
{
    static const char *const groups[] = {"container", "pod", "node", "volume"};
    const struct kubeletstats_config *config = self->config;
    self->cpu_usage = KUBELET_CPU_USAGE;
    for (unsigned i = 0; i < COUNT(groups); i++) {
        self->groups |=
            hf_string_list_has(&config->metric_groups, hf_slice_text(groups[i])) ? 1u << i : 0;
    }
    self->has_container_ids =
        hf_string_list_has(&config->extra_metadata_labels, hf_slice_text("container.id"));
    self->has_volume_types =
        hf_string_list_has(&config->extra_metadata_labels, hf_slice_text("k8s.volume.type"));
    self->needs_pods = config->extra_metadata_labels.count != 0 ||
                       any(config->wanted.metrics, of_limits, COUNT(of_limits));
    self->needs_node = any(config->wanted.metrics, of_node, COUNT(of_node));
}

static void close_kubeletstats(void *self_pointer)
{
    struct kubeletstats *self = self_pointer;
    hf_scraper_free(self->scraper);
    hf_kube_client_close(self->kubelet);
    hf_kube_client_close(self->api);
    hf_arena_release(&self->json);
    hf_between_release(&self->cpu_usage);
    hf_arena_release(&self->claim_memory);
    free(self->prefix);
    free(self);
}

static enum hf_status open_kubeletstats(struct hf_node *node, const void *config, void **ret_self,
                                        char *reterr)
{
    static const char *const resources[] = {KUBELET_RESOURCES(HF_RESOURCE_NAME)};
    const struct kubeletstats_config *keys = config;
    struct kubeletstats *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    self->node = node;
    self->config = keys;
    self->begun_ns = hf_clock_unix_ns();
    self->json = (struct hf_arena){.limit = JSON_BYTES_MAX};
    self->claim_memory = (struct hf_arena){.limit = CLAIMS_BYTES_MAX};
    plan(self);
    enum hf_status status = kubelet_open(&keys->kubelet, &self->kubelet, &self->prefix, reterr);
    if (status == HF_OK && keys->api != NULL) {
        status = hf_kube_client_open(keys->api, &self->api, reterr);
    }
    if (status == HF_OK) {
        status = hf_scraper_new(
            &(struct hf_scraper_options){
                .node = node,
                .config = &keys->scraper,
                .signal = HF_METRICS,
                .sources = names,
                .source_count = 1,
                .resources = {resources, keys->wanted.resources, KUBELET_RESOURCE_COUNT},
                .metrics = &(struct hf_metric_set){kubelet_rows, keys->wanted.metrics,
                                                   KUBELET_METRIC_COUNT, 0},
                .metric_sets = 1,
                .scrape = scrape,
                .user = self},
            &self->scraper, reterr);
    }
    if (status != HF_OK) {
        close_kubeletstats(self);
        return status;
    }
    *ret_self = self;
    return HF_OK;
}

static enum hf_status start_kubeletstats(void *self_pointer, char *reterr)
{
    struct kubeletstats *self = self_pointer;
    return hf_scraper_start(self->scraper, reterr);
}

static void stop_kubeletstats(void *self_pointer)
{
    struct kubeletstats *self = self_pointer;
    hf_kube_waiter_cancel(self->kubelet, &self->kubelet_waiter);
    if (self->api != NULL) {
        hf_kube_waiter_cancel(self->api, &self->api_waiter);
    }
    hf_scraper_stop(self->scraper);
}

static const char *check_kubeletstats(const void *config)
{
    const struct kubeletstats_config *keys = config;
    const struct kubelet_config *kubelet = &keys->kubelet;
    bool has_certificate = (kubelet->cert_file != NULL || kubelet->cert_pem != NULL) &&
                           (kubelet->key_file != NULL || kubelet->key_pem != NULL);
    bool needs_node = any(keys->wanted.metrics, of_node, COUNT(of_node));
    if (kubelet->auth_type == KUBELET_TLS && !has_certificate) {
        return "auth_type tls needs cert_file and key_file, or cert_pem and key_pem";
    }
    if (needs_node && (keys->node == NULL || keys->node[0] == '\0')) {
        return "the metrics *.node.utilization need the name of the node in the key node";
    }
    if (needs_node && keys->api == NULL) {
        return "the metrics *.node.utilization need k8s_api_config, to ask for the node's capacity";
    }
    return NULL;
}

/* ---- keys ---- */

static const struct hf_field metric_fields[] = {KUBELET_METRICS(HF_METRIC_FIELD) HF_FIELDS_END};
static const struct hf_field resource_fields[] = {KUBELET_RESOURCES(HF_RESOURCE_FIELD)
                                                      HF_FIELDS_END};

static const struct hf_field interface_fields[] = {
    {.key = "pod",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct kubeletstats_config, all_interfaces_of_pods),
     .default_text = "false",
     .help = "Of pods."},
    {.key = "node",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct kubeletstats_config, all_interfaces_of_nodes),
     .default_text = "false",
     .help = "Of the node."},
    HF_FIELDS_END,
};

static const struct hf_field api_fields[] = {HF_KUBE_FIELDS, HF_FIELDS_END};

static const char *const auth_choices[] = {"none", "tls", "serviceAccount", "kubeConfig", NULL};
static const char *const group_choices[] = {"container", "pod", "node", "volume", NULL};
static const char *const label_choices[] = {"container.id", "k8s.volume.type", NULL};

#define AT(member) offsetof(struct kubeletstats_config, member)

static const struct hf_field fields[] = {
    HF_SCRAPER_FIELDS("10s"),
    {.key = "auth_type",
     .type = HF_FIELD_ENUM,
     .offset = AT(kubelet.auth_type),
     .choices = auth_choices,
     .default_text = "tls",
     .help = "How to sign in to the kubelet: with a client certificate, as the pod's service "
             "account, through the proxy of the API server by a kubeconfig file, or not at all."},
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(kubelet.endpoint),
     .help = "Host and port of the kubelet, with or without a scheme; with kubeConfig the name of "
             "the node. This host's port 10250, or 10255 with auth_type none, without."},
    {.key = "context",
     .type = HF_FIELD_STRING,
     .offset = AT(kubelet.context),
     .help = "The context of the kubeconfig file; the current one without."},
    {.key = "ca_file",
     .type = HF_FIELD_STRING,
     .offset = AT(kubelet.ca_file),
     .help = "The authority that signed the kubelet's certificate; with serviceAccount the pod's "
             "ca.crt without."},
    {.key = "cert_file",
     .type = HF_FIELD_STRING,
     .offset = AT(kubelet.cert_file),
     .help = "The client's certificate, with tls."},
    {.key = "key_file",
     .type = HF_FIELD_STRING,
     .offset = AT(kubelet.key_file),
     .help = "Its key."},
    {.key = "ca_pem",
     .type = HF_FIELD_STRING,
     .offset = AT(kubelet.ca_pem),
     .help = "What ca_file would hold."},
    {.key = "cert_pem",
     .type = HF_FIELD_STRING,
     .offset = AT(kubelet.cert_pem),
     .help = "What cert_file would hold."},
    {.key = "key_pem",
     .type = HF_FIELD_SECRET,
     .offset = AT(kubelet.key_pem),
     .help = "What key_file would hold."},
    {.key = "include_system_ca_certs_pool",
     .type = HF_FIELD_BOOL,
     .offset = AT(kubelet.include_system_ca_certs_pool),
     .default_text = "false",
     .help = "Trust the authorities of the system too."},
    HF_HTTP_IGNORED("min_version", "TLS 1.2 and 1.3 are spoken."),
    HF_HTTP_IGNORED("max_version", "TLS 1.2 and 1.3 are spoken."),
    HF_HTTP_IGNORED("cipher_suites", "Those of the system are used."),
    HF_HTTP_IGNORED("curve_preferences", "Those of the system are used."),
    HF_HTTP_IGNORED("reload_interval", "The files are looked at again each 5 s."),
    HF_HTTP_IGNORED("tpm", "Keys in a TPM are not supported."),
    HF_HTTP_IGNORED("dialer", "A request ends with its scrape."),
    {.key = "insecure_skip_verify",
     .type = HF_FIELD_BOOL,
     .offset = AT(kubelet.insecure_skip_verify),
     .default_text = "false",
     .help = "Do not verify the kubelet's certificate."},
    {.key = "metric_groups",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(metric_groups),
     .choices = group_choices,
     .default_text = "container,pod,node",
     .help = "What is reported: container, pod, node, volume."},
    {.key = "extra_metadata_labels",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(extra_metadata_labels),
     .choices = label_choices,
     .help = "Resource attributes that are taken from /pods: container.id, k8s.volume.type."},
    {.key = "k8s_api_config",
     .type = HF_FIELD_OPTIONAL,
     .offset = AT(api),
     .inner = api_fields,
     .inner_size = sizeof(struct hf_kube_config),
     .help = "How to ask the Kubernetes API, for volumes behind claims and the node's capacity."},
    {.key = "node",
     .type = HF_FIELD_STRING,
     .offset = AT(node),
     .help = "Name of the node, for the metrics *.node.utilization."},
    {.key = "collect_all_network_interfaces",
     .type = HF_FIELD_STRUCT,
     .offset = 0,
     .inner = interface_fields,
     .help = "Report each network interface, and not the default one alone."},
    HF_METRIC_TABLES(struct kubeletstats_config, wanted, metric_fields, resource_fields)
        HF_FIELDS_END,
};

/* The kubelet is asked as at each scrape. */
static void probe_kubelet(const struct kubelet_config *config, struct hf_probe *probe)
{
    struct hf_kube_client *client = NULL;
    struct hf_bytes body = {0};
    char *prefix = NULL, path[1024], why[HF_ERROR_MAX] = "";
    const char *target =
        config->endpoint != NULL && config->endpoint[0] != '\0' ? config->endpoint : "this host";
    enum hf_status status = kubelet_open(config, &client, &prefix, why);
    if (status == HF_OK) {
        snprintf(path, sizeof(path), "%.500s/stats/summary", prefix);
        status = hf_kube_get(client, path, hf_clock_monotonic_ns() + probe->timeout_ns, NULL, &body,
                             why);
        hf_kube_client_close(client);
    }
    hf_probe_say(probe, "kubelet", target, status == HF_OK ? HF_PROBE_OK : HF_PROBE_FAILED, "%s",
                 status == HF_OK ? "answers" : why);
    hf_bytes_release(&body);
    free(prefix);
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct kubeletstats_config *config = from;
    struct hf_probe_right rights[3];
    size_t count = 0;
    if (config->kubelet.auth_type == KUBELET_TLS) {
        hf_probe_read(probe, config->kubelet.cert_file);
        hf_probe_read(probe, config->kubelet.key_file);
    }
    hf_probe_read(probe, config->kubelet.ca_file);
    probe_kubelet(&config->kubelet, probe);
    if (any(config->wanted.metrics, of_node, COUNT(of_node))) {
        rights[count++] =
            (struct hf_probe_right){.verbs = "get", .resource = "nodes", .name = config->node};
    }
    for (size_t i = 0; i < config->extra_metadata_labels.count; i++) {
        if (strcmp(config->extra_metadata_labels.items[i], "k8s.volume.type") == 0) {
            rights[count++] =
                (struct hf_probe_right){.verbs = "get", .resource = "persistentvolumeclaims"};
            rights[count++] =
                (struct hf_probe_right){.verbs = "get", .resource = "persistentvolumes"};
            break;
        }
    }
    if (config->api != NULL) {
        hf_probe_kubernetes(probe, config->api, rights, count);
    }
}

static const char *const aliases[] = {"kubelet_stats", NULL};

const struct hf_component hf_receiver_kubeletstats = {
    .type = "kubeletstats",
    .aliases = aliases,
    .help = "Measures a node's pods, containers and volumes by its kubelet.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct kubeletstats_config),
    .fields = fields,
    .check = check_kubeletstats,
    .probe = probe_outside,
    .open = open_kubeletstats,
    .start = start_kubeletstats,
    .stop = stop_kubeletstats,
    .close = close_kubeletstats,
};
