/*
 * scraped_json_fuzz: JSON of a kubelet, a Docker daemon, RabbitMQ and a Kubernetes API. The first
 * byte chooses which, the rest is the answer; it serves as both answers where two are asked for.
 * Must reach: kubelet_summary_write, kubelet_pod_find, put_volume, docker_container_write,
 * docker_cpu_limit, rabbitmq_queue_write,
 * rabbitmq_node_write, cluster_kinds[].describe, record_write, hf_kube_quantity_read, lease_read.
 *
 * What is written passes the scan.
 */
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "components/extensions/k8s_leader_elector/lease.h"
#include "components/receivers/docker_stats/container_stats.h"
#include "components/receivers/k8s_cluster/objects.h"
#include "components/receivers/kubeletstats/summary.h"
#include "components/receivers/rabbitmq/management.h"
#include "kubernetes/quantity.h"
#include "pdata/scan.h"
#include "tests/support/wanted_all.h"

#define OUTPUT_MAX (1u << 20)

static bool find_claim(void *user, struct hf_slice space, struct hf_slice name,
                       const struct hf_json **ret_spec)
{
    (void)space;
    *ret_spec = user;
    return name.size % 2 == 0;
}

static void leave_out(void *user, const char *sentence)
{
    (void)user;
    check(strlen(sentence) > 0);
}

static uint32_t write_kubelet(struct hf_builder *builder, const struct hf_json *json)
{
    static struct kubelet_wanted all;
    WANT_METRICS(all.metrics);
    WANT_RESOURCES(all.resources);
    static struct hf_between cpu_usage = {.size = sizeof(struct kubelet_cpu_sample), .most = 1000};
    const struct hf_json *pods = hf_json_get(json, "list");
    struct kubelet_summary summary = {.wanted = &all,
                                      .groups = 15,
                                      .has_container_ids = pods != NULL,
                                      .has_volume_types = pods != NULL,
                                      .all_pod_interfaces = true,
                                      .builder = builder,
                                      .now_ns = 1,
                                      .pods = pods,
                                      .node_cpus = 2,
                                      .node_memory = 3,
                                      .cpu_usage = &cpu_usage,
                                      .claim = find_claim,
                                      .left_out = leave_out,
                                      .user = (void *)(uintptr_t)json};
    (void)!kubelet_summary_write(&summary, json);
    hf_between_turn(&cpu_usage);
    return summary.points;
}

static uint32_t write_docker(struct hf_builder *builder, const struct hf_json *json)
{
    static struct docker_wanted all;
    WANT_METRICS(all.metrics);
    WANT_RESOURCES(all.resources);
    struct docker_writer writer = {.wanted = &all, .builder = builder, .now_ns = 1};
    docker_container_write(&writer, json, json);
    docker_states_write(&writer);
    return writer.points;
}

static uint32_t write_rabbitmq(struct hf_builder *builder, const struct hf_json *json)
{
    static struct rabbitmq_wanted all;
    struct hf_points points;
    WANT_METRICS(all.metrics);
    WANT_RESOURCES(all.resources);
    check(hf_points_init(&points, &(struct hf_metric_set){rabbitmq_rows, all.metrics,
                                                          RABBITMQ_METRIC_COUNT, 0}) == HF_OK);
    struct rabbitmq_writer writer = {
        .wanted = &all, .builder = builder, .points = &points, .begun_ns = 1, .now_ns = 2};
    rabbitmq_queue_write(&writer, json);
    rabbitmq_node_write(&writer, json);
    hf_points_release(&points);
    return writer.written;
}

static uint32_t write_cluster(struct hf_builder *builder, const struct hf_json *json, unsigned kind)
{
    static const char *const conditions[] = {"Ready"}, *const allocatables[] = {"cpu", "memory"};
    static const struct cluster_wanted wanted = {{conditions, 1}, {allocatables, 2}};
    static const struct hf_metric_row extra[] = {{.name = "a", .unit = "", .help = ""},
                                                 {.name = "b", .unit = "", .help = ""},
                                                 {.name = "c", .unit = "", .help = ""}};
    static struct hf_metric_choice all[CLUSTER_METRIC_COUNT];
    static struct hf_resource_choice resources[CLUSTER_RESOURCE_COUNT];
    struct record record = {0};
    WANT_METRICS(all);
    WANT_RESOURCES(resources);
    cluster_kinds[kind % CLUSTER_KIND_COUNT].describe(&record, &wanted, json);
    struct record_writer writer = {
        .builder = builder, .metrics = all, .resources = resources, .extra = extra};
    record_write(&record, &writer);
    hf_bytes_release(&record.bytes);
    return writer.points;
}

static void take_all(struct hf_builder *builder, uint32_t points)
{
    uint32_t items = 0;
    check(hf_build_finish(builder) == HF_OK);
    for (struct hf_batch *batch = hf_build_take(builder); batch != NULL;
         batch = hf_build_take(builder)) {
        struct hf_scan scan;
        check(hf_scan(HF_METRICS, batch->raw, &scan) == HF_OK);
        items += batch->items;
        hf_ref_drop(&batch->ref);
    }
    check(items == points);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_arena arena = {.limit = 16u << 20};
    struct hf_builder builder;
    const struct hf_json *json;
    char error[HF_JSON_ERROR_MAX];
    struct hf_kube_quantity quantity;
    static struct lease_record record;
    if (size < 1) {
        return 0;
    }
    struct hf_slice text = hf_slice_of(data + 1, size - 1);
    if (hf_kube_quantity_read(text, &quantity)) {
        check(hf_kube_quantity_value(&quantity) <= hf_kube_quantity_milli(&quantity) ||
              quantity.digits <= 0);
    }
    if (hf_json_read(text, &arena, &json, error) == HF_OK) {
        hf_builder_init(&builder, HF_METRICS, OUTPUT_MAX);
        uint32_t points = data[0] == 'k'   ? write_kubelet(&builder, json)
                          : data[0] == 'd' ? write_docker(&builder, json)
                          : data[0] == 'r' ? write_rabbitmq(&builder, json)
                                           : write_cluster(&builder, json, data[0]);
        take_all(&builder, points);
        hf_builder_release(&builder);
        (void)!lease_read(json, &record);
    }
    hf_arena_release(&arena);
    return 0;
}
