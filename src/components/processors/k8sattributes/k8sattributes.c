/*
 * k8sattributes: says of each resource which pod it is of, and what the cluster knows of that pod.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>
#include <holdfast/meta.h>

#include "cluster.h"
#include "pdata/any.h"
#include "pdata/any_make.h"
#include "pdata/edit.h"
#include "support/probe/probe_kubernetes.h"
#include "util/metrics/metrics.h"

struct k8s_processor {
    struct hf_node *node;
    const struct k8s_config *config;
    struct k8s_rules rules;
    struct k8s_associations associations;
    struct k8s_cluster *cluster; /* NULL: passthrough */
    struct hf_series *found[HF_SIGNAL_COUNT], *not_found[HF_SIGNAL_COUNT];
};

#define HELD_MAX (K8S_KIND_COUNT + 1u)

/* One batch on its way through. */
struct pass {
    struct hf_editor editor;
    const struct k8s_processor *processor;
    enum hf_signal signal;
    struct hf_slice connection; /* the sender's address */
    char address_room[K8S_ADDRESS_MAX];
    /* What the attributes of the present resource borrow from. */
    struct k8s_record *held[HELD_MAX];
    size_t held_count;
};

static void let_go(struct pass *pass)
{
    while (pass->held_count > 0) {
        hf_ref_drop(&pass->held[--pass->held_count]->ref);
    }
}

/* NULL stays NULL. The reference is the pass's from here on. */
static const struct k8s_record *hold(struct pass *pass, struct k8s_record *record)
{
    if (record != NULL) {
        pass->held[pass->held_count++] = record;
    }
    return record;
}

/* What is there already, and is not empty, stays. */
static void set(struct hf_attributes *attributes, struct hf_slice key, struct hf_slice value)
{
    const struct hf_attribute *present = hf_attributes_find(attributes, key);
    if (present != NULL) {
        struct hf_any any = hf_any_read(present->value);
        if (any.type != HF_ANY_EMPTY && (any.type != HF_ANY_STRING || any.bytes.size != 0)) {
            return;
        }
    }
    hf_attributes_set(attributes, key, value);
}

static void set_text(struct hf_attributes *attributes, const char *key, struct hf_slice text)
{
    set(attributes, hf_slice_text(key), hf_attributes_string(attributes, text));
}

static void set_pairs(struct hf_attributes *attributes, const struct k8s_record *record,
                      size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        set(attributes, record->pairs[i].key, record->pairs[i].value);
    }
}

/* ---- containers ---- */

static const struct k8s_container *find_container(const struct k8s_record *pod,
                                                  const struct hf_attributes *attributes)
{
    struct hf_slice name = k8s_attribute_text(attributes, hf_slice_text("k8s.container.name"));
    struct hf_slice id = k8s_attribute_text(attributes, hf_slice_text("container.id"));
    const struct k8s_container *with_id = NULL;
    size_t with_id_count = 0;
    for (size_t i = 0; i < pod->container_count; i++) {
        const struct k8s_container *container = &pod->containers[i];
        if (name.size != 0 ? hf_slice_equal(container->name, name)
                           : id.size != 0 && hf_slice_equal(container->run.id, id)) {
            return container;
        }
        if (container->has_run) {
            with_id = container;
            with_id_count++;
        }
    }
    if (name.size != 0 || id.size != 0) {
        return NULL;
    }
    /* A pod of one container needs no name. */
    return with_id_count == 1 ? with_id : pod->container_count == 1 ? &pod->containers[0] : NULL;
}

static bool is_the_run(const struct hf_attributes *attributes,
                       const struct k8s_container *container)
{
    const struct hf_attribute *count =
        hf_attributes_find(attributes, hf_slice_text("k8s.container.restart_count"));
    if (count == NULL) {
        return container->has_run;
    }
    struct hf_any any = hf_any_read(count->value);
    int64_t number = any.integer;
    if (any.type == HF_ANY_STRING) {
        char text[24];
        snprintf(text, sizeof(text), "%.*s", (int)(any.bytes.size < 20 ? any.bytes.size : 20),
                 (const char *)any.bytes.data);
        number = strtoll(text, NULL, 10);
    }
    return container->has_run && number == container->run.restart_count;
}

static struct hf_slice list_of_one(struct hf_attributes *attributes, struct hf_slice text)
{
    struct hf_any_maker maker = {.arena = attributes->lender != NULL ? attributes->lender
                                                                     : &attributes->arena};
    struct hf_slice value = hf_any_make_string(&maker, text);
    return hf_any_make_list(&maker, &value, 1);
}

static void set_container(const struct pass *pass, const struct k8s_record *pod,
                          struct hf_attributes *attributes)
{
    const struct k8s_rules *rules = &pass->processor->rules;
    const struct k8s_container *container = find_container(pod, attributes);
    if (container == NULL) {
        return;
    }
    if (k8s_wants(rules, K8S_CONTAINER_NAME)) {
        set_text(attributes, "k8s.container.name", container->name);
    }
    if (k8s_wants(rules, K8S_IMAGE_NAME) && container->image_name.size != 0) {
        set_text(attributes, "container.image.name", container->image_name);
    }
    if (k8s_wants(rules, K8S_IMAGE_TAG) && container->image_tag.size != 0) {
        set_text(attributes, "container.image.tag", container->image_tag);
    }
    if (k8s_wants(rules, K8S_IMAGE_TAGS) && container->image_tag.size != 0) {
        set(attributes, hf_slice_text("container.image.tags"),
            list_of_one(attributes, container->image_tag));
    }
    if (k8s_wants(rules, K8S_SERVICE_VERSION) && container->image_tag.size != 0) {
        set_text(attributes, "service.version", container->image_tag);
    }
    if (k8s_wants(rules, K8S_SERVICE_INSTANCE_ID)) {
        char id[1024];
        int size = snprintf(id, sizeof(id), "%.*s.%.*s.%.*s", (int)pod->namespace_name.size,
                            (const char *)pod->namespace_name.data, (int)pod->pod_name.size,
                            (const char *)pod->pod_name.data, (int)container->name.size,
                            (const char *)container->name.data);
        if (size > 0 && (size_t)size < sizeof(id)) {
            set_text(attributes, "service.instance.id", hf_slice_of(id, (size_t)size));
        }
    }
    if (is_the_run(attributes, container)) {
        if (k8s_wants(rules, K8S_CONTAINER_ID)) {
            set_text(attributes, "container.id", container->run.id);
        }
        if (k8s_wants(rules, K8S_IMAGE_DIGESTS) && container->run.digest.size != 0) {
            set(attributes, hf_slice_text("container.image.repo_digests"),
                list_of_one(attributes, container->run.digest));
        }
    }
}

/* ---- a resource ---- */

/* Of the pod, or of an object that the telemetry itself names. */
static const struct k8s_record *owner_of(struct pass *pass, const struct k8s_record *pod,
                                         const struct hf_attributes *attributes, enum k8s_kind kind,
                                         const char *attribute)
{
    struct k8s_cluster *cluster = pass->processor->cluster;
    if ((pass->processor->rules.watched & K8S_KIND_BIT(kind)) == 0) {
        return NULL;
    }
    struct hf_slice text = HF_EMPTY_SLICE;
    if (pod != NULL) {
        text = kind == K8S_NAMESPACE ? pod->namespace_name
               : kind == K8S_NODE    ? pod->node_name
                                     : pod->owners[kind];
    }
    if (text.size == 0) {
        text = k8s_attribute_text(attributes, hf_slice_text(attribute));
    }
    char key_kind = kind == K8S_NAMESPACE || kind == K8S_NODE ? K8S_KEY_OF_NAME : K8S_KEY_OF_UID;
    return hold(pass, k8s_cluster_look_up(cluster, key_kind, kind, text));
}

static void set_owners(struct pass *pass, const struct k8s_record *pod,
                       struct hf_attributes *attributes)
{
    static const struct {
        enum k8s_kind kind;
        const char *attribute;
    } rows[] = {
        {K8S_NAMESPACE, "k8s.namespace.name"},
        {K8S_NODE, "k8s.node.name"},
        {K8S_REPLICASET, "k8s.replicaset.uid"},
        {K8S_DEPLOYMENT, "k8s.deployment.uid"},
        {K8S_STATEFULSET, "k8s.statefulset.uid"},
        {K8S_DAEMONSET, "k8s.daemonset.uid"},
        {K8S_JOB, "k8s.job.uid"},
    };
    const struct k8s_record *replicaset = NULL;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool by_replicaset = rows[i].kind == K8S_DEPLOYMENT && replicaset != NULL;
        const struct k8s_record *owner = owner_of(pass, by_replicaset ? replicaset : pod,
                                                  attributes, rows[i].kind, rows[i].attribute);
        if (rows[i].kind == K8S_REPLICASET) {
            replicaset = owner;
        }
        if (owner != NULL) {
            set_pairs(attributes, owner, 0, owner->pair_count);
        }
    }
}

static void set_cluster_uid(struct pass *pass, struct hf_attributes *attributes)
{
    const struct hf_slice key = hf_slice_text("k8s.cluster.uid");
    const struct k8s_record *system =
        hold(pass, k8s_cluster_look_up(pass->processor->cluster, K8S_KEY_OF_NAME, K8S_NAMESPACE,
                                       hf_slice_text("kube-system")));
    for (size_t i = 0; system != NULL && i < system->pair_count; i++) {
        if (hf_slice_equal(system->pairs[i].key, key)) {
            set(attributes, key, system->pairs[i].value);
        }
    }
}

static void change(struct hf_editor *editor, struct hf_attributes *attributes)
{
    struct pass *pass = HF_CONTAINER(editor, struct pass, editor);
    const struct k8s_processor *processor = pass->processor;
    struct k8s_key key;
    struct hf_slice address;
    let_go(pass);
    bool is_told =
        k8s_associate(&processor->associations, attributes, pass->connection, &key, &address);
    if (is_told && address.size != 0 &&
        (processor->cluster == NULL || k8s_wants(&processor->rules, K8S_POD_IP))) {
        set_text(attributes, "k8s.pod.ip", address);
    }
    if (processor->cluster == NULL) {
        return;
    }
    struct k8s_record *found =
        is_told ? k8s_cluster_find(processor->cluster, k8s_key_slice(&key)) : NULL;
    const struct k8s_record *pod = hold(pass, found);
    pod = pod != NULL && pod->is_ignored ? NULL : pod;
    hf_series_add(pod != NULL ? processor->found[pass->signal] : processor->not_found[pass->signal],
                  1);
    if (pod != NULL) {
        set_pairs(attributes, pod, 0, pod->late);
        set_container(pass, pod, attributes);
        if (k8s_wants(&processor->rules, K8S_CLUSTER_UID)) {
            set_cluster_uid(pass, attributes);
        }
    }
    set_owners(pass, pod, attributes);
    if (pod != NULL) {
        set_pairs(attributes, pod, pod->late, pod->pair_count);
    }
}

static enum hf_status process(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    const struct k8s_processor *processor = self;
    struct pass pass = {.editor = {.of_resources = true, .change = change},
                        .processor = processor,
                        .signal = batch->signal};
    struct hf_slice peer;
    if (hf_meta_find(batch->meta, HF_META_PEER, "", &peer)) {
        pass.connection = k8s_address_of_peer(peer, pass.address_room);
    }
    enum hf_status status = hf_edit_batch(&pass.editor, batch, ret_batch);
    let_go(&pass);
    return status;
}

/* ---- the main thread ---- */

static bool make_counters(struct k8s_processor *processor)
{
    bool made = true;
    for (unsigned signal = 0; signal < HF_SIGNAL_COUNT && made; signal++) {
        const struct hf_label labels[] = {
            {"processor", hf_node_id(processor->node)},
            {"k8s_telemetry_type", hf_signal_name((enum hf_signal)signal)},
            {NULL, NULL}};
        const struct hf_metric_family found = {
            .name = "otelcol_processor_k8sattributes_pod_association_success",
            .type = HF_COUNTER,
            .help = "Resources whose pod was found."};
        const struct hf_metric_family not_found = {
            .name = "otelcol_processor_k8sattributes_pod_association_error",
            .type = HF_COUNTER,
            .help = "Resources whose pod was not found."};
        struct hf_metrics *metrics = hf_node_metrics(processor->node);
        processor->found[signal] = hf_metrics_series(metrics, &found, labels);
        processor->not_found[signal] = hf_metrics_series(metrics, &not_found, labels);
        made = processor->found[signal] != NULL && processor->not_found[signal] != NULL;
    }
    return made;
}

static void close_processor(void *self)
{
    struct k8s_processor *processor = self;
    k8s_cluster_close(processor->cluster);
    k8s_rules_release(&processor->rules);
    free(processor);
}

static enum hf_status open_processor(struct hf_node *node, const void *config, void **ret_self,
                                     char *reterr)
{
    struct k8s_processor *processor = calloc(1, sizeof(*processor));
    if (processor == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    processor->node = node;
    processor->config = config;
    k8s_associations_compile(config, &processor->associations);
    enum hf_status status = k8s_rules_compile(config, &processor->rules, reterr);
    if (status == HF_OK && !make_counters(processor)) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        status = HF_NOMEM;
    }
    if (status == HF_OK && !processor->config->passthrough) {
        status = k8s_cluster_open(node, config, &processor->cluster, reterr);
    }
    if (status != HF_OK) {
        close_processor(processor);
        return status;
    }
    *ret_self = processor;
    return HF_OK;
}

static enum hf_status start_processor(void *self, char *reterr)
{
    struct k8s_processor *processor = self;
    return processor->cluster != NULL ? k8s_cluster_start(processor->cluster, reterr) : HF_OK;
}

static void stop_processor(void *self)
{
    struct k8s_processor *processor = self;
    if (processor->cluster != NULL) {
        k8s_cluster_stop(processor->cluster);
    }
}

static const char *const *context_keys(void *self, size_t *ret_count)
{
    static const char *const keys[] = {"client.address"};
    (void)self;
    *ret_count = 1;
    return keys;
}

static const struct hf_processor_ops processor_ops = {
    .process = process,
    .context_keys = context_keys,
};

static const char *const aliases[] = {"k8s_attributes", NULL};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct k8s_config *config = from;
    struct hf_probe_right rights[K8S_KIND_COUNT];
    struct k8s_rules rules;
    char error[HF_ERROR_MAX];
    if (config->passthrough || k8s_rules_compile(config, &rules, error) != HF_OK) {
        return; /* bad rules are an error of the configuration */
    }
    size_t count = k8s_cluster_rights(&rules, config, rights);
    k8s_rules_release(&rules);
    hf_probe_kubernetes(probe, &config->kube, rights, count);
}

const struct hf_component hf_processor_k8sattributes = {
    .type = "k8sattributes",
    .aliases = aliases,
    .help = "Adds what the Kubernetes cluster knows of the pod that telemetry comes from.",
    .kind = HF_PROCESSOR,
    .signals = HF_ALL_SIGNALS_AND_PROFILES,
    .config_size = sizeof(struct k8s_config),
    .fields = k8s_fields,
    .check = k8s_config_check,
    .probe = probe_outside,
    .open = open_processor,
    .start = start_processor,
    .stop = stop_processor,
    .close = close_processor,
    .processor = &processor_ops,
};
