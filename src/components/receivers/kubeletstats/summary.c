#include "summary.h"

#include <inttypes.h>
#include <stdio.h>

#include <holdfast/component.h>

#include "util/fnv.h"
#include "util/time/clock.h"
#include "util/time/time_layout.h"

#define SCOPE                                                                                      \
    "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/kubeletstatsreceiver"
#define NONE KUBELET_METRIC_COUNT /* the level has no such metric */

const struct hf_metric_row kubelet_rows[] = {KUBELET_METRICS(HF_METRIC_ROW)};
static const char *const resource_names[] = {KUBELET_RESOURCES(HF_RESOURCE_NAME)};

/* The metrics of one level. */
struct level {
    unsigned cpu_time, cpu_usage, cpu_node, cpu_limit, cpu_request;
    unsigned fs_available, fs_capacity, fs_usage, fs_inodes, fs_inodes_free;
    unsigned memory_available, memory_usage, memory_rss, memory_working_set, page_faults,
        major_page_faults, memory_node, memory_limit, memory_request;
    unsigned network_io, network_errors, uptime;
};

#define LEVEL_COMMON(P)                                                                            \
    .cpu_time = P##_CPU_TIME, .cpu_usage = P##_CPU_USAGE, .fs_available = P##_FS_AVAILABLE,        \
    .fs_capacity = P##_FS_CAPACITY, .fs_usage = P##_FS_USAGE,                                      \
    .memory_available = P##_MEMORY_AVAILABLE, .memory_usage = P##_MEMORY_USAGE,                    \
    .memory_rss = P##_MEMORY_RSS, .memory_working_set = P##_MEMORY_WORKING_SET,                    \
    .page_faults = P##_MEMORY_PAGE_FAULTS, .major_page_faults = P##_MEMORY_MAJOR_PAGE_FAULTS,      \
    .uptime = P##_UPTIME
#define LEVEL_UTILIZATION(P)                                                                       \
    .cpu_node = P##_CPU_NODE_UTILIZATION, .cpu_limit = P##_CPU_LIMIT_UTILIZATION,                  \
    .cpu_request = P##_CPU_REQUEST_UTILIZATION, .memory_node = P##_MEMORY_NODE_UTILIZATION,        \
    .memory_limit = P##_MEMORY_LIMIT_UTILIZATION, .memory_request = P##_MEMORY_REQUEST_UTILIZATION
#define LEVEL_NO_UTILIZATION                                                                       \
    .cpu_node = NONE, .cpu_limit = NONE, .cpu_request = NONE, .memory_node = NONE,                 \
    .memory_limit = NONE, .memory_request = NONE

static const struct level node_level = {
    LEVEL_COMMON(NODE),
    LEVEL_NO_UTILIZATION,
    .fs_inodes = NODE_FS_INODES,
    .fs_inodes_free = NODE_FS_INODES_FREE,
    .network_io = NODE_NETWORK_IO,
    .network_errors = NODE_NETWORK_ERRORS,
};
static const struct level pod_level = {
    LEVEL_COMMON(POD),      LEVEL_UTILIZATION(POD),       .fs_inodes = NONE,
    .fs_inodes_free = NONE, .network_io = POD_NETWORK_IO, .network_errors = POD_NETWORK_ERRORS,
};
static const struct level container_level = {
    LEVEL_COMMON(CONTAINER), LEVEL_UTILIZATION(CONTAINER), .fs_inodes = NONE,
    .fs_inodes_free = NONE,  .network_io = NONE,           .network_errors = NONE,
};
static const struct level system_level = {
    LEVEL_NO_UTILIZATION,
    .cpu_time = SYSTEM_CPU_TIME,
    .cpu_usage = SYSTEM_CPU_USAGE,
    .memory_usage = SYSTEM_MEMORY_USAGE,
    .memory_working_set = SYSTEM_MEMORY_WORKING_SET,
    .memory_available = NONE,
    .memory_rss = NONE,
    .page_faults = NONE,
    .major_page_faults = NONE,
};

/* ---- points ---- */

static bool wants(const struct kubelet_summary *summary, unsigned id)
{
    return id != NONE && summary->wanted->metrics[id].enabled;
}

static void end_point(struct kubelet_summary *summary)
{
    hf_build_end(summary->builder);
    summary->points++;
}

static void put_double(struct kubelet_summary *summary, unsigned id, double value)
{
    if (wants(summary, id)) {
        hf_metric_open(summary->builder, &kubelet_rows[id]);
        hf_build_point_double(summary->builder, &summary->point, value);
        end_point(summary);
    }
}

/* The number of that key, if it is there. */
static void put_int(struct kubelet_summary *summary, unsigned id, const struct hf_json *stats,
                    const char *key)
{
    const struct hf_json *value = hf_json_get(stats, key);
    if (value != NULL && value->kind == HF_JSON_INT && wants(summary, id)) {
        hf_metric_open(summary->builder, &kubelet_rows[id]);
        hf_build_point_int(summary->builder, &summary->point, value->integer);
        end_point(summary);
    }
}

static bool number_of(const struct hf_json *stats, const char *key, double *ret_number)
{
    const struct hf_json *value = hf_json_get(stats, key);
    bool is_int = value != NULL && value->kind == HF_JSON_INT;
    if (is_int) {
        *ret_number = (double)value->integer;
    }
    return is_int;
}

static void put_share(struct kubelet_summary *summary, unsigned id, double part, double whole)
{
    if (whole > 0) {
        put_double(summary, id, part / whole);
    }
}

/* What is counted, by the level and its names. */
static uint64_t key_of(const struct level *level, struct hf_slice of, struct hf_slice part)
{
    const uint8_t id[] = {(uint8_t)level->cpu_time};
    return hf_fnv_add(
        hf_fnv_add(hf_fnv_add(hf_fnv(hf_slice_of(id, sizeof(id))), of), hf_slice_text("/")), part);
}

/* The usage is what the time has grown by since the last scrape: what the kubelet calls usage is of
 * a shorter time. */
static bool usage_of(struct kubelet_summary *summary, const struct hf_json *cpu, uint64_t key,
                     double *ret_cores)
{
    const struct hf_json *total = hf_json_get(cpu, "usageCoreNanoSeconds");
    struct kubelet_cpu_sample sample = {.key = key};
    if (total == NULL || total->kind != HF_JSON_INT ||
        !hf_time_rfc3339(hf_json_text_of(cpu, "time"), &sample.time_ns)) {
        return false;
    }
    sample.cpu_ns = total->integer;
    return kubelet_cpu_usage_add(summary->cpu_usage, &sample, ret_cores);
}

static void put_cpu(struct kubelet_summary *summary, const struct level *level, uint64_t key,
                    const struct hf_json *cpu, const struct kubelet_limits *limits)
{
    double cores, nanoseconds;
    if (usage_of(summary, cpu, key, &cores)) {
        put_double(summary, level->cpu_usage, cores);
        put_share(summary, level->cpu_node, cores, summary->node_cpus);
        put_share(summary, level->cpu_limit, cores, limits->cpu_limit);
        put_share(summary, level->cpu_request, cores, limits->cpu_request);
    }
    if (number_of(cpu, "usageCoreNanoSeconds", &nanoseconds)) {
        put_double(summary, level->cpu_time, nanoseconds / 1e9);
    }
}

static void put_memory(struct kubelet_summary *summary, const struct level *level,
                       const struct hf_json *memory, const struct kubelet_limits *limits)
{
    double bytes;
    put_int(summary, level->memory_available, memory, "availableBytes");
    put_int(summary, level->memory_usage, memory, "usageBytes");
    put_int(summary, level->memory_rss, memory, "rssBytes");
    put_int(summary, level->memory_working_set, memory, "workingSetBytes");
    put_int(summary, level->page_faults, memory, "pageFaults");
    put_int(summary, level->major_page_faults, memory, "majorPageFaults");
    if (number_of(memory, "usageBytes", &bytes)) {
        put_share(summary, level->memory_limit, bytes, limits->memory_limit);
        put_share(summary, level->memory_request, bytes, limits->memory_request);
        put_share(summary, level->memory_node, bytes, summary->node_memory);
    }
}

static void put_filesystem(struct kubelet_summary *summary, const struct level *level,
                           const struct hf_json *fs)
{
    put_int(summary, level->fs_available, fs, "availableBytes");
    put_int(summary, level->fs_capacity, fs, "capacityBytes");
    put_int(summary, level->fs_usage, fs, "usedBytes");
    put_int(summary, level->fs_inodes, fs, "inodes");
    put_int(summary, level->fs_inodes_free, fs, "inodesFree");
}

static void put_traffic(struct kubelet_summary *summary, const struct hf_json *interface,
                        const char *key, const char *direction)
{
    const struct hf_json *value = hf_json_get(interface, key);
    if (value != NULL && value->kind == HF_JSON_INT) {
        hf_build_point_int(summary->builder, &summary->point, value->integer);
        hf_build_attribute_string(summary->builder, hf_slice_text("interface"),
                                  hf_json_text_of(interface, "name"));
        hf_build_attribute_string(summary->builder, hf_slice_text("direction"),
                                  hf_slice_text(direction));
        end_point(summary);
    }
}

static void put_network(struct kubelet_summary *summary, unsigned id, const struct hf_json *network,
                        const char *received, const char *sent, bool all)
{
    const struct hf_json *interface =
        all ? hf_json_first(hf_json_get(network, "interfaces")) : network;
    if (!wants(summary, id) || interface == NULL) {
        return;
    }
    hf_metric_open(summary->builder, &kubelet_rows[id]);
    for (; interface != NULL; interface = all ? interface->next : NULL) {
        put_traffic(summary, interface, received, "receive");
        put_traffic(summary, interface, sent, "transmit");
    }
}

static void put_networks(struct kubelet_summary *summary, const struct level *level,
                         const struct hf_json *network, bool all)
{
    put_network(summary, level->network_io, network, "rxBytes", "txBytes", all);
    put_network(summary, level->network_errors, network, "rxErrors", "txErrors", all);
}

/* ---- resources ---- */

static void begin_resource(struct kubelet_summary *summary, const struct hf_json *stats)
{
    int64_t start_ns = 0;
    bool has_start = hf_time_rfc3339(hf_json_text_of(stats, "startTime"), &start_ns);
    summary->point = (struct hf_build_point){
        .start_ns = has_start && start_ns > 0 ? (uint64_t)start_ns : 0,
        .time_ns = summary->now_ns,
    };
    hf_build_resource(summary->builder, HF_EMPTY_SLICE);
}

static void name(struct kubelet_summary *summary, unsigned id, struct hf_slice value)
{
    if (summary->wanted->resources[id].enabled && value.size != 0) {
        hf_build_attribute_string(summary->builder, hf_slice_text(resource_names[id]), value);
    }
}

static void end_resource(struct kubelet_summary *summary)
{
    hf_build_scope(summary->builder, hf_slice_text(SCOPE), hf_slice_text(HF_VERSION));
}

static struct hf_slice uid_of(const struct hf_json *pod)
{
    return hf_json_text_of(hf_json_get(pod, "podRef"), "uid");
}

static void name_pod(struct kubelet_summary *summary, const struct hf_json *pod)
{
    const struct hf_json *reference = hf_json_get(pod, "podRef");
    name(summary, POD_UID, uid_of(pod));
    name(summary, POD_NAME, hf_json_text_of(reference, "name"));
    name(summary, NAMESPACE_NAME, hf_json_text_of(reference, "namespace"));
}

static void put_uptime(struct kubelet_summary *summary, unsigned id)
{
    uint64_t start_ns = summary->point.start_ns;
    if (wants(summary, id) && start_ns != 0) {
        hf_metric_open(summary->builder, &kubelet_rows[id]);
        hf_build_point_int(summary->builder, &summary->point,
                           ((int64_t)summary->now_ns - (int64_t)start_ns) / (int64_t)HF_NS_PER_S);
        end_point(summary);
    }
}

static void put_node(struct kubelet_summary *summary, const struct hf_json *node)
{
    static const struct kubelet_limits no_limits = {0};
    struct hf_slice node_name = hf_json_text_of(node, "nodeName");
    begin_resource(summary, node);
    name(summary, NODE_NAME, node_name);
    end_resource(summary);
    put_uptime(summary, NODE_UPTIME);
    put_cpu(summary, &node_level, key_of(&node_level, node_name, HF_EMPTY_SLICE),
            hf_json_get(node, "cpu"), &no_limits);
    put_memory(summary, &node_level, hf_json_get(node, "memory"), &no_limits);
    put_filesystem(summary, &node_level, hf_json_get(node, "fs"));
    put_networks(summary, &node_level, hf_json_get(node, "network"), summary->all_node_interfaces);
    put_int(summary, NODE_PID_LIMIT, hf_json_get(node, "rlimit"), "maxpid");
    put_int(summary, NODE_PID_USAGE, hf_json_get(node, "rlimit"), "curproc");
    const struct hf_json *system = hf_json_first(hf_json_get(node, "systemContainers"));
    for (; system != NULL; system = system->next) {
        begin_resource(summary, system);
        name(summary, NODE_NAME, node_name);
        name(summary, SYSTEM_CONTAINER_NAME, hf_json_text_of(system, "name"));
        end_resource(summary);
        put_cpu(summary, &system_level,
                key_of(&system_level, node_name, hf_json_text_of(system, "name")),
                hf_json_get(system, "cpu"), &no_limits);
        put_memory(summary, &system_level, hf_json_get(system, "memory"), &no_limits);
    }
}

static void put_pod(struct kubelet_summary *summary, const struct hf_json *pod,
                    const struct hf_json *known)
{
    struct kubelet_limits limits = kubelet_pod_limits(known);
    begin_resource(summary, pod);
    name_pod(summary, pod);
    end_resource(summary);
    put_uptime(summary, POD_UPTIME);
    put_cpu(summary, &pod_level, key_of(&pod_level, uid_of(pod), HF_EMPTY_SLICE),
            hf_json_get(pod, "cpu"), &limits);
    put_memory(summary, &pod_level, hf_json_get(pod, "memory"), &limits);
    put_filesystem(summary, &pod_level, hf_json_get(pod, "ephemeral-storage"));
    put_networks(summary, &pod_level, hf_json_get(pod, "network"), summary->all_pod_interfaces);
}

static void leave_out(struct kubelet_summary *summary, const char *kind, const struct hf_json *pod,
                      struct hf_slice part, const char *why)
{
    struct hf_slice of = hf_json_text_of(hf_json_get(pod, "podRef"), "name");
    char sentence[HF_ERROR_MAX];
    snprintf(sentence, sizeof(sentence), "the %s %.100s of the pod %.100s is left out: %s", kind,
             part.size != 0 ? (const char *)part.data : "",
             of.size != 0 ? (const char *)of.data : "", why);
    summary->left_out(summary->user, sentence);
}

static void put_ephemeral(struct kubelet_summary *summary, const struct hf_json *container)
{
    static const char *const types[] = {"rootfs", "logs"};
    if (!wants(summary, CONTAINER_EPHEMERAL_USAGE)) {
        return;
    }
    hf_metric_open(summary->builder, &kubelet_rows[CONTAINER_EPHEMERAL_USAGE]);
    for (size_t i = 0; i < 2; i++) {
        const struct hf_json *used = hf_json_get(hf_json_get(container, types[i]), "usedBytes");
        if (used != NULL && used->kind == HF_JSON_INT) {
            hf_build_point_int(summary->builder, &summary->point, used->integer);
            hf_build_attribute_string(summary->builder, hf_slice_text("fs.type"),
                                      hf_slice_text(types[i]));
            end_point(summary);
        }
    }
}

static void put_container(struct kubelet_summary *summary, const struct hf_json *pod,
                          const struct hf_json *known, const struct hf_json *container)
{
    struct hf_slice called = hf_json_text_of(container, "name");
    struct kubelet_limits limits = kubelet_pod_container_limits(known, called);
    struct hf_slice id = kubelet_pod_container_id(known, called);
    if (summary->has_container_ids && id.size == 0) {
        leave_out(summary, "container", pod, called, "/pods has no id of it");
        return;
    }
    begin_resource(summary, container);
    name_pod(summary, pod);
    name(summary, CONTAINER_NAME, called);
    if (summary->has_container_ids) {
        name(summary, CONTAINER_ID, id);
    }
    end_resource(summary);
    put_uptime(summary, CONTAINER_UPTIME);
    put_cpu(summary, &container_level, key_of(&container_level, uid_of(pod), called),
            hf_json_get(container, "cpu"), &limits);
    put_memory(summary, &container_level, hf_json_get(container, "memory"), &limits);
    put_filesystem(summary, &container_level, hf_json_get(container, "rootfs"));
    put_ephemeral(summary, container);
}

/* ---- volumes ---- */

/* The parts of a volume's source that become attributes. */
static const struct {
    const char *source, *type;
    const char *keys[2];
    unsigned ids[2];
    bool has_partition;
} sources[] = {
    {"configMap", "configMap", {NULL}, {0}, false},
    {"downwardAPI", "downwardAPI", {NULL}, {0}, false},
    {"emptyDir", "emptyDir", {NULL}, {0}, false},
    {"secret", "secret", {NULL}, {0}, false},
    {"persistentVolumeClaim", "persistentVolumeClaim", {"claimName"}, {CLAIM_NAME}, false},
    {"hostPath", "hostPath", {NULL}, {0}, false},
    {"local", "local", {NULL}, {0}, false},
    {"awsElasticBlockStore",
     "awsElasticBlockStore",
     {"volumeID", "fsType"},
     {AWS_VOLUME_ID, FS_TYPE},
     true},
    {"gcePersistentDisk", "gcePersistentDisk", {"pdName", "fsType"}, {GCE_PD_NAME, FS_TYPE}, true},
    {"glusterfs", "glusterfs", {"endpoints", "path"}, {GLUSTERFS_ENDPOINTS, GLUSTERFS_PATH}, false},
};
#define SOURCE_COUNT (sizeof(sources) / sizeof(sources[0]))

/* The place of a volume's source in the table; SOURCE_COUNT: it is of another kind. */
static size_t source_of(const struct hf_json *volume)
{
    size_t i = 0;
    while (i < SOURCE_COUNT && hf_json_get(volume, sources[i].source) == NULL) {
        i++;
    }
    return i;
}

static void name_source(struct kubelet_summary *summary, const struct hf_json *volume, size_t i)
{
    const struct hf_json *source = hf_json_get(volume, sources[i].source);
    char partition[24];
    for (size_t k = 0; k < 2 && sources[i].keys[k] != NULL; k++) {
        name(summary, sources[i].ids[k], hf_json_text_of(source, sources[i].keys[k]));
    }
    if (sources[i].has_partition) {
        snprintf(partition, sizeof(partition), "%" PRId64,
                 hf_json_int(hf_json_get(source, "partition")));
        name(summary, PARTITION, hf_slice_text(partition));
    }
}

/* The type of the volume, and what is behind its claim. */
static void name_volume(struct kubelet_summary *summary, const struct hf_json *volume,
                        const struct hf_json *behind)
{
    size_t own = source_of(volume), other = behind != NULL ? source_of(behind) : SOURCE_COUNT;
    if (own != SOURCE_COUNT) {
        name_source(summary, volume, own);
    }
    if (other != SOURCE_COUNT) {
        name_source(summary, behind, other);
    }
    size_t type = other != SOURCE_COUNT ? other : own;
    if (type != SOURCE_COUNT) {
        name(summary, VOLUME_TYPE, hf_slice_text(sources[type].type));
    }
}

static void put_volume(struct kubelet_summary *summary, const struct hf_json *pod,
                       const struct hf_json *known, const struct hf_json *stats)
{
    struct hf_slice called = hf_json_text_of(stats, "name");
    const struct hf_json *volume = kubelet_pod_volume(known, called), *behind = NULL;
    struct hf_slice claim =
        hf_json_text_of(hf_json_get(volume, "persistentVolumeClaim"), "claimName");
    if (summary->has_volume_types && volume == NULL) {
        leave_out(summary, "volume", pod, called, "/pods does not have it");
        return;
    }
    if (summary->has_volume_types && claim.size != 0 &&
        !summary->claim(summary->user, hf_json_text_of(hf_json_get(pod, "podRef"), "namespace"),
                        claim, &behind)) {
        leave_out(summary, "volume", pod, called, "its claim cannot be looked up");
        return;
    }
    begin_resource(summary, NULL);
    summary->point.start_ns = summary->begun_ns;
    name_pod(summary, pod);
    name(summary, VOLUME_NAME, called);
    if (summary->has_volume_types) {
        name_volume(summary, volume, behind);
    }
    end_resource(summary);
    put_int(summary, VOLUME_AVAILABLE, stats, "availableBytes");
    put_int(summary, VOLUME_CAPACITY, stats, "capacityBytes");
    put_int(summary, POD_VOLUME_USAGE, stats, "usedBytes");
    put_int(summary, VOLUME_INODES, stats, "inodes");
    put_int(summary, VOLUME_INODES_FREE, stats, "inodesFree");
    put_int(summary, VOLUME_INODES_USED, stats, "inodesUsed");
}

/* ---- all of it ---- */

static void put_pod_and_parts(struct kubelet_summary *summary, const struct hf_json *pod)
{
    const struct hf_json *known = kubelet_pod_find(summary->pods, uid_of(pod));
    if ((summary->groups & KUBELET_POD) != 0) {
        put_pod(summary, pod, known);
    }
    const struct hf_json *part = hf_json_first(hf_json_get(pod, "containers"));
    for (; part != NULL && (summary->groups & KUBELET_CONTAINER) != 0; part = part->next) {
        put_container(summary, pod, known, part);
    }
    part = hf_json_first(hf_json_get(pod, "volume"));
    for (; part != NULL && (summary->groups & KUBELET_VOLUME) != 0; part = part->next) {
        put_volume(summary, pod, known, part);
    }
}

bool kubelet_summary_write(struct kubelet_summary *summary, const struct hf_json *json)
{
    const struct hf_json *node = hf_json_get(json, "node");
    const struct hf_json *pod = hf_json_first(hf_json_get(json, "pods"));
    if (node == NULL) {
        return false;
    }
    if ((summary->groups & KUBELET_NODE) != 0) {
        put_node(summary, node);
    }
    for (; pod != NULL; pod = pod->next) {
        put_pod_and_parts(summary, pod);
    }
    return true;
}
