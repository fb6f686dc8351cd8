#include "objects.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "endpoints.h"
#include "kubernetes/quantity.h"

#define AT(...) ((const char *const[]){__VA_ARGS__, NULL})
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct hf_json *at_path(const struct hf_json *object, const char *one,
                                     const char *other)
{
    return hf_json_get(hf_json_get(object, one), other);
}

/* A number that the API leaves out when it is 0. */
static void put_count(struct record *record, unsigned metric, const struct hf_json *object,
                      const char *part, const char *key)
{
    record_int(record, metric, hf_json_int(at_path(object, part, key)), HF_EMPTY_SLICE,
               HF_EMPTY_SLICE);
}

/* One that means nothing when it is left out. */
static void put_if_there(struct record *record, unsigned metric, const struct hf_json *object,
                         const char *part, const char *key)
{
    if (at_path(object, part, key) != NULL) {
        put_count(record, metric, object, part, key);
    }
}

/* The resource of an object, in a namespace or in none. */
static void begin(struct record *record, const struct hf_json *object, unsigned name, unsigned uid)
{
    const struct hf_json *metadata = hf_json_get(object, "metadata");
    struct hf_slice space = hf_json_text_of(metadata, "namespace");
    record_resource(record);
    if (space.size != 0) {
        record_name(record, R_NAMESPACE_NAME, space);
    }
    record_name(record, name, hf_json_text_of(metadata, "name"));
    record_name(record, uid, hf_json_text_of(metadata, "uid"));
}

static bool read_quantity(const struct hf_json *value, struct hf_kube_quantity *ret_quantity)
{
    if (value != NULL && value->kind == HF_JSON_INT) {
        *ret_quantity = (struct hf_kube_quantity){.digits = value->integer};
        return true;
    }
    return hf_kube_quantity_read(hf_json_text(value), ret_quantity);
}

/* ---- pods and containers ---- */

struct number_of {
    const char *text;
    int64_t number;
};

static int64_t number_of(const struct number_of *table, size_t count, struct hf_slice text,
                         int64_t otherwise)
{
    for (size_t i = 0; i < count; i++) {
        if (hf_slice_is(text, table[i].text)) {
            return table[i].number;
        }
    }
    return otherwise;
}

static const struct number_of phases[] = {
    {"Pending", 1}, {"Running", 2}, {"Succeeded", 3}, {"Failed", 4}, {"Unknown", 5}};
static const struct number_of reasons[] = {{"Evicted", 1},
                                           {"NodeAffinity", 2},
                                           {"NodeLost", 3},
                                           {"Shutdown", 4},
                                           {"UnexpectedAdmissionError", 5}};

static void put_resources(struct record *record, const struct hf_json *container)
{
    static const struct {
        const char *name;
        unsigned request, limit;
    } table[] = {
        {"memory", CONTAINER_MEMORY_REQUEST, CONTAINER_MEMORY_LIMIT},
        {"storage", CONTAINER_STORAGE_REQUEST, CONTAINER_STORAGE_LIMIT},
        {"ephemeral-storage", CONTAINER_EPHEMERAL_REQUEST, CONTAINER_EPHEMERAL_LIMIT},
    };
    const struct hf_json *groups[] = {at_path(container, "resources", "requests"),
                                      at_path(container, "resources", "limits")};
    struct hf_kube_quantity quantity;
    for (size_t g = 0; g < 2; g++) {
        if (read_quantity(hf_json_get(groups[g], "cpu"), &quantity)) {
            record_double(record, g == 0 ? CONTAINER_CPU_REQUEST : CONTAINER_CPU_LIMIT,
                          (double)hf_kube_quantity_milli(&quantity) / 1000);
        }
        for (size_t i = 0; i < COUNT(table); i++) {
            if (read_quantity(hf_json_get(groups[g], table[i].name), &quantity)) {
                record_int(record, g == 0 ? table[i].request : table[i].limit,
                           hf_kube_quantity_value(&quantity), HF_EMPTY_SLICE, HF_EMPTY_SLICE);
            }
        }
    }
}

/* One point for each text: 1 for the one that it is. */
static void put_choice(struct record *record, unsigned metric, const char *const *texts,
                       size_t count, struct hf_slice is)
{
    for (size_t i = 0; i < count; i++) {
        record_int(record, metric, hf_slice_is(is, texts[i]), HF_EMPTY_SLICE,
                   hf_slice_text(texts[i]));
    }
}

static void put_state(struct record *record, const struct hf_json *status)
{
    static const char *const states[] = {"terminated", "running", "waiting"};
    static const char *const why[] = {"ContainerCreating",
                                      "CrashLoopBackOff",
                                      "CreateContainerConfigError",
                                      "ErrImagePull",
                                      "ImagePullBackOff",
                                      "OOMKilled",
                                      "Completed",
                                      "Error",
                                      "ContainerCannotRun"};
    const struct hf_json *state = hf_json_first(hf_json_get(status, "state"));
    if (state != NULL) {
        put_choice(record, CONTAINER_STATE, states, COUNT(states), state->key);
        put_choice(record, CONTAINER_REASON, why, COUNT(why), hf_json_text_of(state, "reason"));
    }
}

void cluster_image(struct hf_slice image, struct hf_slice *ret_name, struct hf_slice *ret_tag)
{
    size_t end = 0, colon;
    while (end < image.size && image.data[end] != '@') {
        end++;
    }
    for (colon = end; colon > 0 && image.data[colon - 1] != ':' && image.data[colon - 1] != '/';
         colon--) {
    }
    bool has_tag = colon > 0 && image.data[colon - 1] == ':';
    struct hf_slice tag = has_tag ? hf_slice_of(image.data + colon, end - colon) : HF_EMPTY_SLICE;
    bool is_latest = tag.size == 0 && image.size != 0;
    *ret_name = hf_slice_of(image.data, has_tag ? colon - 1 : end);
    *ret_tag = is_latest ? hf_slice_text("latest") : tag;
}

struct hf_slice cluster_container_id(struct hf_slice id)
{
    const uint8_t *at = id.size != 0 ? memmem(id.data, id.size, "://", 3) : NULL;
    return at != NULL ? hf_slice_of(at + 3, id.size - (size_t)(at + 3 - id.data)) : id;
}

static const struct hf_json *status_of(const struct hf_json *pod, struct hf_slice name)
{
    const struct hf_json *one = hf_json_first(at_path(pod, "status", "containerStatuses"));
    while (one != NULL && !hf_slice_equal(hf_json_text_of(one, "name"), name)) {
        one = one->next;
    }
    return one;
}

static void name_pod(struct record *record, const struct hf_json *pod)
{
    begin(record, pod, R_POD_NAME, R_POD_UID);
    record_name(record, R_NODE_NAME, hf_json_text_of(hf_json_get(pod, "spec"), "nodeName"));
}

static void describe_container(struct record *record, const struct hf_json *pod,
                               const struct hf_json *container)
{
    struct hf_slice name = hf_json_text_of(container, "name"), image, tag;
    const struct hf_json *status = status_of(pod, name);
    name_pod(record, pod);
    record_name(record, R_CONTAINER_NAME, name);
    record_name(record, R_CONTAINER_ID,
                cluster_container_id(hf_json_text_of(status, "containerID")));
    if (status != NULL) {
        cluster_image(hf_json_text_of(status, "image"), &image, &tag);
        record_name(record, R_IMAGE_NAME, image);
        record_name(record, R_IMAGE_TAG, tag);
    }
    const struct hf_json *ended = at_path(status, "lastState", "terminated");
    if (ended != NULL) {
        record_name(record, R_LAST_REASON, hf_json_text_of(ended, "reason"));
    }
    put_resources(record, container);
    if (status != NULL) {
        record_int(record, CONTAINER_RESTARTS, hf_json_int(hf_json_get(status, "restartCount")),
                   HF_EMPTY_SLICE, HF_EMPTY_SLICE);
        record_int(record, CONTAINER_READY, hf_json_bool(hf_json_get(status, "ready")),
                   HF_EMPTY_SLICE, HF_EMPTY_SLICE);
        put_state(record, status);
    }
}

static void describe_pod(struct record *record, const struct cluster_wanted *wanted,
                         const struct hf_json *pod)
{
    const struct hf_json *status = hf_json_get(pod, "status");
    (void)wanted;
    name_pod(record, pod);
    record_name(record, R_POD_QOS, hf_json_text_of(status, "qosClass"));
    record_int(record, POD_PHASE,
               number_of(phases, COUNT(phases), hf_json_text_of(status, "phase"), 5),
               HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    record_int(record, POD_STATUS_REASON,
               number_of(reasons, COUNT(reasons), hf_json_text_of(status, "reason"), 6),
               HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    const struct hf_json *container = hf_json_first(at_path(pod, "spec", "containers"));
    for (; container != NULL; container = container->next) {
        describe_container(record, pod, container);
    }
}

/* ---- nodes ---- */

void cluster_snake(const char *text, char *ret_text, size_t room)
{
    size_t used = 0;
    for (size_t i = 0; text[i] != '\0' && used + 2 < room; i++) {
        unsigned char now = (unsigned char)text[i];
        unsigned char before = i > 0 ? (unsigned char)text[i - 1] : '\0';
        unsigned char after = (unsigned char)text[i + 1];
        bool breaks = (islower(before) && (isupper(now) || isdigit(now))) ||
                      (isdigit(before) && isalpha(now)) || (isupper(before) && isdigit(now)) ||
                      (isupper(before) && isupper(now) && islower(after));
        if (breaks) {
            ret_text[used++] = '_';
        }
        ret_text[used++] = isalnum(now) ? (char)tolower(now) : '_';
    }
    ret_text[used] = '\0';
}

static int64_t condition_value(struct hf_slice status)
{
    return hf_slice_is(status, "True") ? 1 : hf_slice_is(status, "False") ? 0 : -1;
}

static const struct hf_json *condition_of(const struct hf_json *node, const char *type)
{
    const struct hf_json *one = hf_json_first(at_path(node, "status", "conditions"));
    while (one != NULL && !hf_slice_is(hf_json_text_of(one, "type"), type)) {
        one = one->next;
    }
    return one;
}

static void put_allocatable(struct record *record, unsigned metric, const struct hf_json *node,
                            const char *name)
{
    const struct hf_json *value = hf_json_at(node, AT("status", "allocatable", name));
    struct hf_kube_quantity quantity;
    if (!read_quantity(value, &quantity)) {
        return;
    }
    if (strcmp(name, "cpu") == 0) {
        record_double(record, metric, (double)hf_kube_quantity_milli(&quantity) / 1000);
    } else {
        record_int(record, metric, hf_kube_quantity_value(&quantity), HF_EMPTY_SLICE,
                   HF_EMPTY_SLICE);
    }
}

static void name_node(struct record *record, const struct hf_json *node)
{
    const struct hf_json *metadata = hf_json_get(node, "metadata");
    const struct hf_json *info = at_path(node, "status", "nodeInfo");
    struct hf_slice runtime = hf_json_text_of(info, "containerRuntimeVersion");
    struct hf_slice version = cluster_container_id(runtime);
    record_resource(record);
    record_name(record, R_NODE_NAME, hf_json_text_of(metadata, "name"));
    record_name(record, R_NODE_UID, hf_json_text_of(metadata, "uid"));
    record_name(record, R_KUBELET_VERSION, hf_json_text_of(info, "kubeletVersion"));
    if (version.size < runtime.size) { /* "containerd://1.7" */
        record_name(record, R_RUNTIME, hf_slice_of(runtime.data, runtime.size - version.size - 3));
        record_name(record, R_RUNTIME_VERSION, version);
    }
    record_name(record, R_OS_DESCRIPTION, hf_json_text_of(info, "osImage"));
    record_name(record, R_OS_TYPE, hf_json_text_of(info, "operatingSystem"));
}

static void describe_node(struct record *record, const struct cluster_wanted *wanted,
                          const struct hf_json *node)
{
    unsigned metric = CLUSTER_METRIC_COUNT;
    name_node(record, node);
    for (size_t i = 0; i < wanted->conditions.count; i++) {
        const struct hf_json *condition = condition_of(node, wanted->conditions.items[i]);
        record_int(record, metric++, condition_value(hf_json_text_of(condition, "status")),
                   HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    }
    for (size_t i = 0; i < wanted->allocatables.count; i++) {
        put_allocatable(record, metric++, node, wanted->allocatables.items[i]);
    }
    const struct hf_json *one = hf_json_first(at_path(node, "status", "conditions"));
    for (; one != NULL; one = one->next) {
        record_int(record, NODE_CONDITION, condition_value(hf_json_text_of(one, "status")),
                   HF_EMPTY_SLICE, hf_json_text_of(one, "type"));
    }
}

static void describe_namespace(struct record *record, const struct cluster_wanted *wanted,
                               const struct hf_json *space)
{
    static const struct number_of states[] = {{"Active", 1}, {"Terminating", 0}};
    (void)wanted;
    begin(record, space, R_NAMESPACE_NAME, R_NAMESPACE_UID);
    record_int(record, NAMESPACE_PHASE,
               number_of(states, COUNT(states),
                         hf_json_text_of(hf_json_get(space, "status"), "phase"), -1),
               HF_EMPTY_SLICE, HF_EMPTY_SLICE);
}

/* ---- workloads ---- */

static void describe_deployment(struct record *record, const struct cluster_wanted *wanted,
                                const struct hf_json *object)
{
    (void)wanted;
    begin(record, object, R_DEPLOYMENT_NAME, R_DEPLOYMENT_UID);
    put_count(record, DEPLOYMENT_DESIRED, object, "spec", "replicas");
    put_count(record, DEPLOYMENT_AVAILABLE, object, "status", "availableReplicas");
}

static void describe_replicaset(struct record *record, const struct cluster_wanted *wanted,
                                const struct hf_json *object)
{
    (void)wanted;
    begin(record, object, R_REPLICASET_NAME, R_REPLICASET_UID);
    if (at_path(object, "spec", "replicas") != NULL) {
        put_count(record, REPLICASET_DESIRED, object, "spec", "replicas");
        put_count(record, REPLICASET_AVAILABLE, object, "status", "availableReplicas");
    }
}

static void describe_controller(struct record *record, const struct cluster_wanted *wanted,
                                const struct hf_json *object)
{
    (void)wanted;
    begin(record, object, R_CONTROLLER_NAME, R_CONTROLLER_UID);
    if (at_path(object, "spec", "replicas") != NULL) {
        put_count(record, CONTROLLER_DESIRED, object, "spec", "replicas");
        put_count(record, CONTROLLER_AVAILABLE, object, "status", "availableReplicas");
    }
}

static void describe_daemonset(struct record *record, const struct cluster_wanted *wanted,
                               const struct hf_json *object)
{
    (void)wanted;
    begin(record, object, R_DAEMONSET_NAME, R_DAEMONSET_UID);
    put_count(record, DAEMONSET_CURRENT, object, "status", "currentNumberScheduled");
    put_count(record, DAEMONSET_DESIRED, object, "status", "desiredNumberScheduled");
    put_count(record, DAEMONSET_MISSCHEDULED, object, "status", "numberMisscheduled");
    put_count(record, DAEMONSET_READY, object, "status", "numberReady");
}

static void describe_statefulset(struct record *record, const struct cluster_wanted *wanted,
                                 const struct hf_json *object)
{
    (void)wanted;
    begin(record, object, R_STATEFULSET_NAME, R_STATEFULSET_UID);
    if (at_path(object, "spec", "replicas") != NULL) {
        put_count(record, STATEFULSET_DESIRED, object, "spec", "replicas");
        put_count(record, STATEFULSET_READY, object, "status", "readyReplicas");
        put_count(record, STATEFULSET_CURRENT, object, "status", "currentReplicas");
        put_count(record, STATEFULSET_UPDATED, object, "status", "updatedReplicas");
        put_count(record, STATEFULSET_AVAILABLE, object, "status", "availableReplicas");
    }
}

static void describe_job(struct record *record, const struct cluster_wanted *wanted,
                         const struct hf_json *object)
{
    (void)wanted;
    begin(record, object, R_JOB_NAME, R_JOB_UID);
    put_count(record, JOB_ACTIVE, object, "status", "active");
    put_count(record, JOB_FAILED, object, "status", "failed");
    put_count(record, JOB_SUCCESSFUL, object, "status", "succeeded");
    put_if_there(record, JOB_DESIRED, object, "spec", "completions");
    put_if_there(record, JOB_PARALLEL, object, "spec", "parallelism");
}

static void describe_cronjob(struct record *record, const struct cluster_wanted *wanted,
                             const struct hf_json *object)
{
    const struct hf_json *job = hf_json_first(at_path(object, "status", "active"));
    int64_t count = 0;
    (void)wanted;
    for (; job != NULL; job = job->next) {
        count++;
    }
    begin(record, object, R_CRONJOB_NAME, R_CRONJOB_UID);
    record_int(record, CRONJOB_ACTIVE, count, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
}

static void describe_hpa(struct record *record, const struct cluster_wanted *wanted,
                         const struct hf_json *object)
{
    const struct hf_json *target = at_path(object, "spec", "scaleTargetRef");
    (void)wanted;
    begin(record, object, R_HPA_NAME, R_HPA_UID);
    record_name(record, R_HPA_TARGET_VERSION, hf_json_text_of(target, "apiVersion"));
    record_name(record, R_HPA_TARGET_KIND, hf_json_text_of(target, "kind"));
    record_name(record, R_HPA_TARGET_NAME, hf_json_text_of(target, "name"));
    put_count(record, HPA_MAX, object, "spec", "maxReplicas");
    put_if_there(record, HPA_MIN, object, "spec", "minReplicas");
    put_count(record, HPA_CURRENT, object, "status", "currentReplicas");
    put_count(record, HPA_DESIRED, object, "status", "desiredReplicas");
}

/* ---- quotas ---- */

/* CPU in thousandths. */
static void put_amounts(struct record *record, unsigned metric, const struct hf_json *amounts,
                        struct hf_slice space)
{
    const struct hf_json *one = hf_json_first(amounts);
    for (; one != NULL; one = one->next) {
        bool is_cpu =
            one->key.size >= 4 && memcmp(one->key.data + one->key.size - 4, ".cpu", 4) == 0;
        struct hf_kube_quantity quantity;
        if (read_quantity(one, &quantity)) {
            record_int(record, metric,
                       is_cpu ? hf_kube_quantity_milli(&quantity)
                              : hf_kube_quantity_value(&quantity),
                       space, one->key);
        }
    }
}

static void describe_quota(struct record *record, const struct cluster_wanted *wanted,
                           const struct hf_json *object)
{
    (void)wanted;
    begin(record, object, R_QUOTA_NAME, R_QUOTA_UID);
    put_amounts(record, QUOTA_HARD, at_path(object, "status", "hard"), HF_EMPTY_SLICE);
    put_amounts(record, QUOTA_USED, at_path(object, "status", "used"), HF_EMPTY_SLICE);
}

static void describe_clusterquota(struct record *record, const struct cluster_wanted *wanted,
                                  const struct hf_json *object)
{
    const struct hf_json *total = at_path(object, "status", "total");
    const struct hf_json *spaces = at_path(object, "status", "namespaces");
    static const struct {
        unsigned metric;
        const char *key;
    } applied[] = {{APPLIEDQUOTA_LIMIT, "hard"}, {APPLIEDQUOTA_USED, "used"}};
    (void)wanted;
    begin(record, object, R_CLUSTERQUOTA_NAME, R_CLUSTERQUOTA_UID);
    put_amounts(record, CLUSTERQUOTA_LIMIT, hf_json_get(total, "hard"), HF_EMPTY_SLICE);
    put_amounts(record, CLUSTERQUOTA_USED, hf_json_get(total, "used"), HF_EMPTY_SLICE);
    for (size_t i = 0; i < COUNT(applied); i++) {
        const struct hf_json *space = hf_json_first(spaces);
        for (; space != NULL; space = space->next) {
            put_amounts(record, applied[i].metric, at_path(space, "status", applied[i].key),
                        hf_json_text_of(space, "namespace"));
        }
    }
}

/* ---- volumes and services ---- */

static void put_storage(struct record *record, unsigned metric, const struct hf_json *amounts)
{
    struct hf_kube_quantity quantity;
    if (read_quantity(hf_json_get(amounts, "storage"), &quantity)) {
        record_int(record, metric, hf_kube_quantity_value(&quantity), HF_EMPTY_SLICE,
                   HF_EMPTY_SLICE);
    }
}

/* An attribute that is left out when the object does not have it. */
static void name_if_there(struct record *record, unsigned id, struct hf_slice text)
{
    if (text.size != 0) {
        record_name(record, id, text);
    }
}

static void describe_volume(struct record *record, const struct cluster_wanted *wanted,
                            const struct hf_json *object)
{
    static const char *const states[] = {"Pending", "Available", "Bound", "Released", "Failed"};
    const struct hf_json *spec = hf_json_get(object, "spec");
    (void)wanted;
    begin(record, object, R_PV_NAME, R_PV_UID);
    record_name(record, R_STORAGE_CLASS, hf_json_text_of(spec, "storageClassName"));
    name_if_there(record, R_PV_RECLAIM, hf_json_text_of(spec, "persistentVolumeReclaimPolicy"));
    put_choice(record, PV_PHASE, states, COUNT(states),
               hf_json_text_of(hf_json_get(object, "status"), "phase"));
    put_storage(record, PV_CAPACITY, hf_json_get(spec, "capacity"));
}

static void describe_claim(struct record *record, const struct cluster_wanted *wanted,
                           const struct hf_json *object)
{
    static const char *const states[] = {"Pending", "Bound", "Lost"};
    const struct hf_json *spec = hf_json_get(object, "spec");
    (void)wanted;
    begin(record, object, R_PVC_NAME, R_PVC_UID);
    record_name(record, R_STORAGE_CLASS, hf_json_text_of(spec, "storageClassName"));
    put_choice(record, PVC_PHASE, states, COUNT(states),
               hf_json_text_of(hf_json_get(object, "status"), "phase"));
    put_storage(record, PVC_REQUEST, at_path(spec, "resources", "requests"));
    put_storage(record, PVC_CAPACITY, at_path(object, "status", "capacity"));
}

static void describe_service(struct record *record, const struct cluster_wanted *wanted,
                             const struct hf_json *object)
{
    const struct hf_json *spec = hf_json_get(object, "spec");
    const struct hf_json *ingress =
        hf_json_first(hf_json_at(object, AT("status", "loadBalancer", "ingress")));
    struct hf_slice names[] = {hf_json_text_of(hf_json_get(object, "metadata"), "namespace"),
                               hf_json_text_of(hf_json_get(object, "metadata"), "name")};
    char key[512];
    int64_t count = 0;
    (void)wanted;
    begin(record, object, R_SERVICE_NAME, R_SERVICE_UID);
    record_name(record, R_SERVICE_TYPE, hf_json_text_of(spec, "type"));
    name_if_there(record, R_SERVICE_TRAFFIC, hf_json_text_of(spec, "trafficDistribution"));
    record_flag(record, R_SERVICE_NOT_READY,
                hf_json_bool(hf_json_get(spec, "publishNotReadyAddresses")));
    int size = snprintf(key, sizeof(key), "%.*s/%.*s", (int)names[0].size,
                        names[0].size != 0 ? (const char *)names[0].data : "", (int)names[1].size,
                        names[1].size != 0 ? (const char *)names[1].data : "");
    if (size > 0 && (size_t)size < sizeof(key)) {
        record_endpoints(record, hf_slice_text(key));
    }
    for (; ingress != NULL; ingress = ingress->next) {
        count++;
    }
    if (hf_slice_is(hf_json_text_of(spec, "type"), "LoadBalancer")) {
        record_int(record, SERVICE_INGRESS, count, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    }
}

static const unsigned volume_metrics[] = {PV_PHASE, PV_CAPACITY};
static const unsigned claim_metrics[] = {PVC_PHASE, PVC_CAPACITY, PVC_REQUEST};
static const unsigned service_metrics[] = {SERVICE_INGRESS, SERVICE_ENDPOINTS};
static const unsigned slice_metrics[] = {SERVICE_ENDPOINTS};

#define CORE "/api/v1"
#define APPS "/apis/apps/v1"
#define BATCH "/apis/batch/v1"

const struct cluster_kind cluster_kinds[CLUSTER_KIND_COUNT] = {
    {.describe = describe_pod, .root = CORE, .name = "pods"},
    {.describe = describe_node, .root = CORE, .name = "nodes", .is_of_cluster = true},
    {.describe = describe_namespace, .root = CORE, .name = "namespaces", .is_of_cluster = true},
    {.describe = describe_controller, .root = CORE, .name = "replicationcontrollers"},
    {.describe = describe_quota, .root = CORE, .name = "resourcequotas"},
    {.describe = describe_deployment, .root = APPS, .name = "deployments"},
    {.describe = describe_replicaset, .root = APPS, .name = "replicasets"},
    {.describe = describe_daemonset, .root = APPS, .name = "daemonsets"},
    {.describe = describe_statefulset, .root = APPS, .name = "statefulsets"},
    {.describe = describe_job, .root = BATCH, .name = "jobs"},
    {.describe = describe_cronjob, .root = BATCH, .name = "cronjobs"},
    {.describe = describe_hpa, .root = "/apis/autoscaling/v2", .name = "horizontalpodautoscalers"},
    {.describe = describe_clusterquota,
     .root = "/apis/quota.openshift.io/v1",
     .name = "clusterresourcequotas",
     .is_of_cluster = true,
     .is_of_openshift = true},
    {.describe = describe_volume,
     .root = CORE,
     .name = "persistentvolumes",
     .is_of_cluster = true,
     .metrics = volume_metrics,
     .metric_count = COUNT(volume_metrics)},
    {.describe = describe_claim,
     .root = CORE,
     .name = "persistentvolumeclaims",
     .metrics = claim_metrics,
     .metric_count = COUNT(claim_metrics)},
    {.describe = describe_service,
     .root = CORE,
     .name = "services",
     .metrics = service_metrics,
     .metric_count = COUNT(service_metrics)},
    {.describe = cluster_describe_slice,
     .root = "/apis/discovery.k8s.io/v1",
     .name = "endpointslices",
     .is_of_services = true,
     .metrics = slice_metrics,
     .metric_count = COUNT(slice_metrics)},
};
