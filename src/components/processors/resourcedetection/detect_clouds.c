/* The detectors `gcp`, `azure`, `aks` and `docker`, by services that run beside the process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "detect.h"
#include "pdata/json_any.h"

#define HOST_NAME_ROOM 256

/* ---- Google ---- */

/* One value of the metadata server; empty: it has none. */
static struct hf_slice gcp_value(struct hf_detection *detection, const char *path)
{
    const char *host = hf_detection_env("GCE_METADATA_HOST", "169.254.169.254");
    struct hf_slice body = HF_EMPTY_SLICE;
    const struct hf_detection_call call = {
        .url = hf_detection_text(detection, "http://%s/computeMetadata/v1/%s", host, path),
        .headers = {{hf_slice_text("metadata-flavor"), hf_slice_text("Google")}},
        .header_count = 1};
    return hf_detection_fetch(detection, &call, &body) == HF_OK ? body : HF_EMPTY_SLICE;
}

/* Behind the last slash: "projects/1/zones/us-central1-a". */
static struct hf_slice last_part(struct hf_slice text)
{
    const uint8_t *slash = text.size > 0 ? memrchr(text.data, '/', text.size) : NULL;
    return slash != NULL ? hf_slice_of(slash + 1, text.size - (size_t)(slash - text.data) - 1)
                         : text;
}

static unsigned count_dashes(struct hf_slice text)
{
    unsigned count = 0;
    for (size_t i = 0; i < text.size; i++) {
        count += text.data[i] == '-';
    }
    return count;
}

/* "us-central1-a" is a zone of the region "us-central1". */
static void set_zone(struct hf_detection *detection, struct hf_slice zone)
{
    const uint8_t *dash = zone.size > 0 ? memrchr(zone.data, '-', zone.size) : NULL;
    hf_detection_set(detection, "cloud.availability_zone", zone);
    if (dash != NULL && count_dashes(zone) == 2) {
        hf_detection_set(detection, "cloud.region",
                         hf_slice_of(zone.data, (size_t)(dash - zone.data)));
    }
}

static void detect_gke(struct hf_detection *detection, struct hf_slice location)
{
    hf_detection_set_text(detection, "cloud.platform", "gcp_kubernetes_engine");
    if (count_dashes(location) == 1) {
        hf_detection_set(detection, "cloud.region", location);
    } else {
        hf_detection_set(detection, "cloud.availability_zone", location);
    }
    hf_detection_set(detection, "k8s.cluster.name",
                     gcp_value(detection, "instance/attributes/cluster-name"));
    hf_detection_set(detection, "host.id", gcp_value(detection, "instance/id"));
    hf_detection_set(detection, "host.name", gcp_value(detection, "instance/name"));
}

/* "projects/1/zones/us-central1-a/instanceGroupManagers/NAME", or of a region. */
static void detect_group(struct hf_detection *detection, struct hf_slice created_by)
{
    char place[8], where[64], name[128];
    const char *text =
        hf_detection_text(detection, "%.*s", (int)created_by.size, (const char *)created_by.data);
    if (sscanf(text, "projects/%*[^/]/%7[^/]/%63[^/]/instanceGroupManagers/%127[^/]", place, where,
               name) != 3) {
        return;
    }
    hf_detection_set_text(detection, "gcp.gce.instance_group_manager.name", name);
    hf_detection_set_text(detection,
                          strcmp(place, "zones") == 0 ? "gcp.gce.instance_group_manager.zone"
                                                      : "gcp.gce.instance_group_manager.region",
                          where);
}

static void detect_gce(struct hf_detection *detection)
{
    struct hf_slice name = gcp_value(detection, "instance/name");
    hf_detection_set_text(detection, "cloud.platform", "gcp_compute_engine");
    set_zone(detection, last_part(gcp_value(detection, "instance/zone")));
    hf_detection_set(detection, "host.type", gcp_value(detection, "instance/machine-type"));
    hf_detection_set(detection, "host.id", gcp_value(detection, "instance/id"));
    hf_detection_set(detection, "host.name", name);
    hf_detection_set(detection, "gcp.gce.instance.name", name);
    if (hf_detection_wants(detection, "gcp.gce.instance.hostname")) {
        hf_detection_set(detection, "gcp.gce.instance.hostname",
                         gcp_value(detection, "instance/hostname"));
    }
    detect_group(detection, gcp_value(detection, "instance/attributes/created-by"));
}

static void detect_faas(struct hf_detection *detection, const char *platform, const char *name,
                        const char *version)
{
    hf_detection_set_text(detection, "cloud.platform", platform);
    hf_detection_set_text(detection, "faas.name", name);
    hf_detection_set_text(detection, "faas.version", version);
    hf_detection_set(detection, "faas.instance", gcp_value(detection, "instance/id"));
    hf_detection_set(detection, "cloud.region", last_part(gcp_value(detection, "instance/region")));
}

static void detect_app_engine(struct hf_detection *detection, const char *service)
{
    hf_detection_set_text(detection, "cloud.platform", "gcp_app_engine");
    hf_detection_set_text(detection, "faas.name", service);
    hf_detection_set_text(detection, "faas.version", hf_detection_env("GAE_VERSION", ""));
    hf_detection_set_text(detection, "faas.instance", hf_detection_env("GAE_INSTANCE", ""));
    set_zone(detection, last_part(gcp_value(detection, "instance/zone")));
}

static enum hf_status detect_gcp(struct hf_detection *detection)
{
    const char *run = hf_detection_env("K_CONFIGURATION", NULL),
               *job = hf_detection_env("CLOUD_RUN_JOB", NULL);
    const char *function = hf_detection_env("FUNCTION_TARGET", NULL),
               *engine = hf_detection_env("GAE_SERVICE", NULL);
    struct hf_slice project = gcp_value(detection, "project/project-id");
    if (project.size == 0) {
        return HF_NOT_FOUND;
    }
    hf_detection_set_text(detection, "cloud.provider", "gcp");
    hf_detection_set(detection, "cloud.account.id", project);
    struct hf_slice location = hf_detection_env("KUBERNETES_SERVICE_HOST", NULL) != NULL
                                   ? gcp_value(detection, "instance/attributes/cluster-location")
                                   : HF_EMPTY_SLICE;
    if (location.size > 0) {
        detect_gke(detection, location);
    } else if (function != NULL || run != NULL) {
        detect_faas(detection, function != NULL ? "gcp_cloud_functions" : "gcp_cloud_run",
                    hf_detection_env("K_SERVICE", ""), hf_detection_env("K_REVISION", ""));
    } else if (job != NULL) {
        detect_faas(detection, "gcp_cloud_run", job, "");
        hf_detection_set_text(detection, "gcp.cloud_run.job.execution",
                              hf_detection_env("CLOUD_RUN_EXECUTION", ""));
        hf_detection_set_text(detection, "gcp.cloud_run.job.task_index",
                              hf_detection_env("CLOUD_RUN_TASK_INDEX", ""));
    } else if (engine != NULL) {
        detect_app_engine(detection, engine);
    } else {
        detect_gce(detection);
    }
    return HF_OK;
}

static const struct hf_detector_attribute gcp_attributes[] = {
    {"cloud.provider", false},
    {"cloud.platform", false},
    {"cloud.account.id", false},
    {"cloud.region", false},
    {"cloud.availability_zone", false},
    {"host.id", false},
    {"host.name", false},
    {"host.type", false},
    {"k8s.cluster.name", false},
    {"faas.name", false},
    {"faas.version", false},
    {"faas.instance", false},
    {"gcp.cloud_run.job.execution", false},
    {"gcp.cloud_run.job.task_index", false},
    {"gcp.gce.instance.hostname", true},
    {"gcp.gce.instance.name", true},
    {"gcp.gce.instance_group_manager.name", false},
    {"gcp.gce.instance_group_manager.region", false},
    {"gcp.gce.instance_group_manager.zone", false},
    {NULL, false},
};

const struct hf_detector hf_detector_gcp = {
    .name = "gcp", .attributes = gcp_attributes, .detect = detect_gcp};

/* ---- Azure ---- */

static void detect_azure_tags(struct hf_detection *detection, struct hf_slice compute)
{
    struct hf_any map = hf_any_read(compute);
    struct hf_slice tags, tag;
    if (!hf_any_look_up(&map, hf_slice_text("tagsList"), &tags)) {
        return;
    }
    struct hf_any list = hf_any_read(tags);
    struct hf_wire items = hf_any_items(&list);
    while (list.type == HF_ANY_ARRAY && hf_any_next_value(&items, &tag)) {
        struct hf_slice name = hf_json_any_text(&detection->maker, tag, "name");
        if (hf_detection_matches(&detection->config->tags, name)) {
            hf_detection_set_named(detection, "azure.tag.", name,
                                   hf_json_any_text(&detection->maker, tag, "value"));
        }
    }
}

static enum hf_status azure_compute(struct hf_detection *detection, struct hf_slice *ret_compute)
{
    const struct hf_detection_call call = {
        .url = hf_detection_text(
            detection, "%s/metadata/instance/compute?api-version=2020-09-01&format=json",
            hf_detection_env("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://169.254.169.254")),
        .headers = {{hf_slice_text("metadata"), hf_slice_text("true")}},
        .header_count = 1};
    return hf_detection_fetch_json(detection, &call, ret_compute);
}

static enum hf_status detect_azure(struct hf_detection *detection)
{
    static const char *const pairs[][2] = {
        {"location", "cloud.region"},
        {"vmId", "host.id"},
        {"subscriptionId", "cloud.account.id"},
        {"zone", "cloud.availability_zone"},
        {"name", "azure.vm.name"},
        {"vmSize", "azure.vm.size"},
        {"vmScaleSetName", "azure.vm.scaleset.name"},
        {"resourceGroupName", "azure.resourcegroup.name"},
    };
    struct hf_slice compute;
    enum hf_status status = azure_compute(detection, &compute);
    if (status != HF_OK) {
        return status;
    }
    struct hf_slice name = hf_json_any_text(&detection->maker, compute, "osProfile.computerName");
    hf_detection_set_text(detection, "cloud.provider", "azure");
    hf_detection_set_text(detection, "cloud.platform", "azure.vm");
    hf_detection_set(detection, "host.name",
                     name.size > 0 ? name : hf_json_any_text(&detection->maker, compute, "name"));
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        hf_detection_set(detection, pairs[i][1],
                         hf_json_any_text(&detection->maker, compute, pairs[i][0]));
    }
    if (detection->config->tags.count > 0) {
        detect_azure_tags(detection, compute);
    }
    return HF_OK;
}

static const struct hf_detector_attribute azure_attributes[] = {
    {"cloud.provider", false},
    {"cloud.platform", false},
    {"cloud.account.id", false},
    {"cloud.region", false},
    {"cloud.availability_zone", true},
    {"host.id", false},
    {"host.name", false},
    {"azure.vm.name", false},
    {"azure.vm.size", false},
    {"azure.vm.scaleset.name", false},
    {"azure.resourcegroup.name", false},
    {"azure.resource_group.name", false}, /* without effect: behind a gate that is off */
    {NULL, false},
};

const struct hf_detector hf_detector_azure = {
    .name = "azure", .attributes = azure_attributes, .detect = detect_azure};

/* The nodes of a cluster are in a resource group "MC_GROUP_CLUSTER_LOCATION", unless it was given
 * another name. */
static struct hf_slice aks_cluster(struct hf_detection *detection, struct hf_slice group)
{
    char prefix[3], name[128], more[2];
    const char *text =
        hf_detection_text(detection, "%.*s", (int)group.size, (const char *)group.data);
    bool is_made = sscanf(text, "%2[MmCc]_%*[^_]_%127[^_]_%*[^_]%1[_]", prefix, name, more) == 2 &&
                   strcasecmp(prefix, "mc") == 0;
    return is_made ? hf_slice_text(hf_detection_text(detection, "%s", name)) : group;
}

static enum hf_status detect_aks(struct hf_detection *detection)
{
    struct hf_slice compute;
    if (hf_detection_env("KUBERNETES_SERVICE_HOST", NULL) == NULL) {
        return HF_OK;
    }
    enum hf_status status = azure_compute(detection, &compute);
    if (status == HF_OK) {
        hf_detection_set_text(detection, "cloud.provider", "azure");
        hf_detection_set_text(detection, "cloud.platform", "azure.aks");
        hf_detection_set(detection, "k8s.cluster.name",
                         aks_cluster(detection, hf_json_any_text(&detection->maker, compute,
                                                                 "resourceGroupName")));
    }
    return status;
}

static const struct hf_detector_attribute aks_attributes[] = {{"cloud.provider", false},
                                                              {"cloud.platform", false},
                                                              {"k8s.cluster.name", true},
                                                              {NULL, false}};

const struct hf_detector hf_detector_aks = {
    .name = "aks", .attributes = aks_attributes, .detect = detect_aks};

/* ---- Docker ---- */

static enum hf_status docker_get(struct hf_detection *detection, const char *path,
                                 struct hf_slice *ret_object)
{
    static const char unix_scheme[] = "unix://", tcp_scheme[] = "tcp://";
    const char *host = hf_detection_env("DOCKER_HOST", "unix:///var/run/docker.sock");
    struct hf_detection_call call = {.url = NULL};
    if (strncmp(host, unix_scheme, sizeof(unix_scheme) - 1) == 0) {
        call.unix_socket = host + sizeof(unix_scheme) - 1;
        call.url = hf_detection_text(detection, "http://localhost%s", path);
    } else if (strncmp(host, tcp_scheme, sizeof(tcp_scheme) - 1) == 0) {
        call.url = hf_detection_text(detection, "http://%s%s", host + sizeof(tcp_scheme) - 1, path);
    } else {
        snprintf(detection->why, sizeof(detection->why), "DOCKER_HOST: neither unix:// nor tcp://");
        return HF_NOT_FOUND;
    }
    return hf_detection_fetch_json(detection, &call, ret_object);
}

static enum hf_status detect_docker(struct hf_detection *detection)
{
    struct hf_slice info, container;
    char own[HOST_NAME_ROOM] = "";
    enum hf_status status = docker_get(detection, "/info", &info);
    if (status != HF_OK) {
        return status;
    }
    hf_detection_set(detection, "os.type", hf_json_any_text(&detection->maker, info, "OSType"));
    hf_detection_set(detection, "host.name", hf_json_any_text(&detection->maker, info, "Name"));
    if (!hf_detection_wants(detection, "container.name") &&
        !hf_detection_wants(detection, "container.image.name")) {
        return HF_OK;
    }
    /* A container's own host name is its id, unless it was given another one. */
    if (gethostname(own, sizeof(own) - 1) != 0) {
        return HF_NOT_FOUND;
    }
    status =
        docker_get(detection, hf_detection_text(detection, "/containers/%s/json", own), &container);
    if (status == HF_OK) {
        struct hf_slice name = hf_json_any_text(&detection->maker, container, "Name");
        hf_detection_set(detection, "container.name",
                         name.size > 0 && name.data[0] == '/'
                             ? hf_slice_of(name.data + 1, name.size - 1)
                             : name);
        hf_detection_set(detection, "container.image.name",
                         hf_json_any_text(&detection->maker, container, "Config.Image"));
    }
    return status;
}

static const struct hf_detector_attribute docker_attributes[] = {
    {"host.name", false},           {"os.type", false}, {"container.name", true},
    {"container.image.name", true}, {NULL, false},
};

const struct hf_detector hf_detector_docker = {
    .name = "docker", .attributes = docker_attributes, .detect = detect_docker};
