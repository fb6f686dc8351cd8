/* The detectors `k8snode`, `k8s_api`, `kubeadm` and `openshift`. */
#include "detect_kubernetes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <holdfast/component.h>

#include "kubernetes/request.h"
#include "pdata/json_any.h"

enum hf_status hf_kubernetes_get(struct hf_detection *detection, const char *path,
                                 struct hf_slice *ret_object)
{
    const struct hf_kube_config config = {.auth_type = HF_KUBE_SERVICE_ACCOUNT};
    struct hf_kube_client *client;
    struct hf_bytes body;
    char why[HF_ERROR_MAX];
    enum hf_status status = hf_kube_client_open(&config, &client, why);
    if (status == HF_OK) {
        status = hf_kube_get(client, path, detection->deadline_ns, NULL, &body, why);
        hf_kube_client_close(client);
    }
    if (status != HF_OK) {
        snprintf(detection->why, sizeof(detection->why), "%.250s", why);
        return status == HF_NOMEM ? HF_NOMEM : HF_NOT_FOUND;
    }
    status = hf_json_any(&detection->maker, hf_slice_of(body.data, body.size), ret_object);
    hf_bytes_release(&body);
    if (status == HF_INVALID || status == HF_TOO_LARGE) {
        snprintf(detection->why, sizeof(detection->why), "%s: the answer is no JSON", path);
        status = HF_INVALID;
    }
    return status;
}

/* The uid of the namespace kube-system stands for the cluster's. */
static enum hf_status detect_cluster_uid(struct hf_detection *detection)
{
    struct hf_slice object;
    if (!hf_detection_wants(detection, "k8s.cluster.uid")) {
        return HF_OK;
    }
    enum hf_status status = hf_kubernetes_get(detection, "/api/v1/namespaces/kube-system", &object);
    if (status == HF_OK) {
        hf_detection_set(detection, "k8s.cluster.uid",
                         hf_json_any_text(&detection->maker, object, "metadata.uid"));
    }
    return status;
}

static enum hf_status detect_node(struct hf_detection *detection)
{
    const char *variable = detection->config->node_from_env_var;
    const char *name = getenv(variable != NULL ? variable : "K8S_NODE_NAME");
    struct hf_slice object;
    if (name == NULL || name[0] == '\0') {
        snprintf(detection->why, sizeof(detection->why), "the variable %s is not set",
                 variable != NULL ? variable : "K8S_NODE_NAME");
        return HF_NOT_FOUND;
    }
    enum hf_status status = hf_kubernetes_get(
        detection, hf_detection_text(detection, "/api/v1/nodes/%s", name), &object);
    if (status == HF_OK) {
        hf_detection_set_text(detection, "k8s.node.name", name);
        hf_detection_set(detection, "k8s.node.uid",
                         hf_json_any_text(&detection->maker, object, "metadata.uid"));
        hf_detection_set(detection, "host.id",
                         hf_json_any_text(&detection->maker, object, "status.nodeInfo.machineID"));
    }
    return status;
}

/* The right to read the node is enough: without that to read the namespace there is no uid of the
 * cluster, as `why` says. */
static enum hf_status detect_api(struct hf_detection *detection)
{
    enum hf_status status = detect_node(detection);
    if (status == HF_OK) {
        status = detect_cluster_uid(detection);
        status = status == HF_NOT_FOUND ? HF_OK : status;
    }
    return status;
}

/* `clusterName: NAME` of the configuration's YAML, a plain or quoted word on a line of its own. */
static struct hf_slice cluster_name_of(struct hf_slice text)
{
    static const char key[] = "clusterName:";
    const uint8_t *at = text.size > 0 ? memmem(text.data, text.size, key, sizeof(key) - 1) : NULL;
    if (at == NULL || (at != text.data && at[-1] != '\n')) {
        return HF_EMPTY_SLICE;
    }
    at += sizeof(key) - 1;
    size_t left = text.size - (size_t)(at - text.data);
    while (left > 0 && strchr(" \"'", *at) != NULL) {
        at++;
        left--;
    }
    size_t size = 0;
    while (size < left && strchr(" \"'\r\n#", at[size]) == NULL) {
        size++;
    }
    return hf_slice_of(at, size);
}

static enum hf_status detect_kubeadm(struct hf_detection *detection)
{
    struct hf_slice object;
    if (hf_detection_wants(detection, "k8s.cluster.name")) {
        enum hf_status status = hf_kubernetes_get(
            detection, "/api/v1/namespaces/kube-system/configmaps/kubeadm-config", &object);
        if (status != HF_OK) {
            return status;
        }
        hf_detection_set(detection, "k8s.cluster.name",
                         cluster_name_of(hf_json_any_text(&detection->maker, object,
                                                          "data.ClusterConfiguration")));
    }
    return detect_cluster_uid(detection);
}

/* What OpenShift calls the place it was installed on, and what the conventions call it. */
struct openshift_platform {
    const char *type, *provider, *platform, *region; /* region: where it stands in the answer */
};

static const struct openshift_platform *openshift_platform_of(struct hf_slice type)
{
    static const struct openshift_platform platforms[] = {
        {"AWS", "aws", "aws_openshift", "status.platformStatus.aws.region"},
        {"Azure", "azure", "azure.openshift", "status.platformStatus.azure.cloudName"},
        {"GCP", "gcp", "gcp_openshift", "status.platformStatus.gcp.region"},
        {"IBMCloud", "ibm_cloud", "ibm_cloud_openshift", "status.platformStatus.ibmcloud.location"},
        {"OpenStack", "", "", "status.platformStatus.openstack.cloudName"},
    };
    for (size_t i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++) {
        if (type.size == strlen(platforms[i].type) &&
            strncasecmp((const char *)type.data, platforms[i].type, type.size) == 0) {
            return &platforms[i];
        }
    }
    return NULL;
}

static enum hf_status detect_openshift(struct hf_detection *detection)
{
    struct hf_any_maker *maker = &detection->maker;
    struct hf_slice object;
    enum hf_status status = hf_kubernetes_get(
        detection, "/apis/config.openshift.io/v1/infrastructures/cluster", &object);
    if (status != HF_OK) {
        return status;
    }
    hf_detection_set(detection, "k8s.cluster.name",
                     hf_json_any_text(maker, object, "status.infrastructureName"));
    const struct openshift_platform *platform =
        openshift_platform_of(hf_json_any_text(maker, object, "status.platformStatus.type"));
    if (platform != NULL) {
        hf_detection_set_text(detection, "cloud.provider", platform->provider);
        hf_detection_set_text(detection, "cloud.platform", platform->platform);
        hf_detection_set(detection, "cloud.region",
                         hf_json_any_text(maker, object, platform->region));
    }
    return HF_OK;
}

static const struct hf_detector_attribute openshift_attributes[] = {{"cloud.provider", false},
                                                                    {"cloud.platform", false},
                                                                    {"cloud.region", false},
                                                                    {"k8s.cluster.name", false},
                                                                    {NULL, false}};
static const struct hf_detector_attribute api_attributes[] = {{"k8s.node.name", false},
                                                              {"k8s.node.uid", false},
                                                              {"k8s.cluster.uid", false},
                                                              {"host.id", true},
                                                              {NULL, false}};
static const struct hf_detector_attribute kubeadm_attributes[] = {
    {"k8s.cluster.name", false}, {"k8s.cluster.uid", false}, {NULL, false}};

/* The old name of the next. */
const struct hf_detector hf_detector_k8snode = {
    .name = "k8snode", .attributes = api_attributes, .detect = detect_api};
const struct hf_detector hf_detector_k8s_api = {
    .name = "k8s_api", .attributes = api_attributes, .detect = detect_api};
const struct hf_detector hf_detector_kubeadm = {
    .name = "kubeadm", .attributes = kubeadm_attributes, .detect = detect_kubeadm};
const struct hf_detector hf_detector_openshift = {
    .name = "openshift", .attributes = openshift_attributes, .detect = detect_openshift};
