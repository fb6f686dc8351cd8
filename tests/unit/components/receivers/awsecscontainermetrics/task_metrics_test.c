/* A task and its containers as metrics. */
#include "components/receivers/awsecscontainermetrics/task_metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/json.h"
#include "pdata/scan.h"
#include "tests/support/node_stub.c"

static const struct hf_json *read_json(const char *text, struct hf_arena *arena)
{
    const struct hf_json *json;
    char error[HF_JSON_ERROR_MAX];
    char *copy = strdup(text);
    assert_non_null(copy);
    for (char *at = copy; *at != '\0'; at++) {
        *at = *at == '\'' ? '"' : *at;
    }
    assert_int_equal(hf_json_read(hf_slice_text(copy), arena, &json, error), HF_OK);
    free(copy);
    return json;
}

/* The metrics as JSON with single quotes. */
static char *write(const char *task, const char *stats, uint32_t points)
{
    struct hf_arena arena = {.limit = 1 << 20};
    struct hf_builder builder;
    struct hf_bytes json = {0};
    struct hf_scan scan;
    hf_builder_init(&builder, HF_METRICS, (size_t)1 << 20);
    uint32_t made = ecs_task_write(&builder, read_json(task, &arena), read_json(stats, &arena), 5);
    assert_int_equal(made, points);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    assert_non_null(batch);
    assert_int_equal(hf_scan(HF_METRICS, batch->raw, &scan), HF_OK);
    assert_int_equal(scan.items, points);
    assert_int_equal(hf_json_from_proto(HF_METRICS, batch->raw, &json), HF_OK);
    assert_int_equal(hf_bytes_append(&json, hf_slice_of("", 1)), HF_OK);
    for (char *at = (char *)json.data; *at != '\0'; at++) {
        *at = *at == '"' ? '\'' : *at;
    }
    hf_ref_drop(&batch->ref);
    hf_builder_release(&builder);
    hf_arena_release(&arena);
    return (char *)json.data;
}

static void expect(const char *json, const char *name, const char *kind, const char *value)
{
    char wanted[200];
    snprintf(wanted, sizeof(wanted), "{'name':'%s','unit':", name);
    const char *found = strstr(json, wanted);
    assert_non_null(found);
    snprintf(wanted, sizeof(wanted), "'%s':{'dataPoints':[{'timeUnixNano':'5',%s}]", kind, value);
    const char *point = strstr(found, wanted);
    const char *next = strstr(found + 1, "{'name':");
    assert_non_null(point);
    assert_true(next == NULL || point < next);
}

static void expect_attribute(const char *json, const char *key, const char *value)
{
    char wanted[200];
    snprintf(wanted, sizeof(wanted), "{'key':'%s','value':{'stringValue':'%s'}}", key, value);
    assert_non_null(strstr(json, wanted));
}

#define TASK                                                                                       \
    "'Cluster':'arn:aws:ecs:eu-west-1:123456789012:cluster/shop','TaskARN':"                       \
    "'arn:aws:ecs:eu-west-1:123456789012:task/shop/abc','Family':'web','Revision':'7',"            \
    "'ServiceName':'front','AvailabilityZone':'eu-west-1a','LaunchType':'FARGATE',"                \
    "'KnownStatus':'RUNNING'"

#define STATS                                                                                      \
    "{'id':'c1','name':'app','read':'2026-01-01T00:00:10Z','preread':'2026-01-01T00:00:00Z',"      \
    "'memory_stats':{'usage':10485760,'max_usage':20971520,'limit':41943040,"                      \
    "'stats':{'cache':1048576}},'cpu_stats':{'cpu_usage':{'total_usage':7000000000,"               \
    "'usage_in_kernelmode':1,'usage_in_usermode':2,'percpu_usage':[1,2]},'online_cpus':2,"         \
    "'system_cpu_usage':99},'precpu_stats':{'cpu_usage':{'total_usage':2000000000}},"              \
    "'networks':{'eth0':{'rx_bytes':1,'tx_dropped':3},'eth1':{'rx_bytes':10}},"                    \
    "'network_rate_stats':{'rx_bytes_per_sec':1.5,'tx_bytes_per_sec':2.5},"                        \
    "'blkio_stats':{'io_service_bytes_recursive':[{'op':'Read','value':5},"                        \
    "{'op':'Write','value':6},{'op':'Read','value':7},{'op':'Total','value':18}]}}"

static void a_container_and_its_task_are_measured(void **state)
{
    char *json =
        write("{" TASK ",'Containers':[{'DockerId':'c1','Name':'app','DockerName':'ecs-app',"
              "'Image':'localhost:5000/team/app:1.2','ImageID':'sha256:a','ExitCode':0,"
              "'CreatedAt':'x','StartedAt':'y','KnownStatus':'RUNNING',"
              "'Limits':{'CPU':256,'Memory':64}}],'Limits':{'CPU':0.5,'Memory':512},"
              "'EphemeralStorageMetrics':{'Utilized':500,'Reserved':21000}}",
              "{'c1':" STATS "}", 26 + 28);
    (void)state;
    expect(json, "container.memory.usage", "gauge", "'asInt':'10485760'");
    expect(json, "container.memory.utilized", "gauge", "'asInt':'9'");
    expect(json, "container.memory.reserved", "gauge", "'asInt':'64'");
    expect(json, "container.cpu.usage.total", "sum", "'asInt':'7000000000'");
    expect(json, "container.cpu.cores", "gauge", "'asInt':'2'");
    expect(json, "container.cpu.usage.vcpu", "gauge", "'asDouble':0.5");
    expect(json, "container.cpu.utilized", "gauge", "'asDouble':0.1953125");
    expect(json, "container.network.io.usage.rx_bytes", "sum", "'asInt':'11'");
    expect(json, "container.network.rate.tx", "gauge", "'asDouble':2.5");
    expect(json, "container.storage.read_bytes", "sum", "'asInt':'12'");
    expect(json, "ecs.task.memory.usage", "gauge", "'asInt':'10485760'");
    expect(json, "ecs.task.memory.reserved", "gauge", "'asInt':'512'");
    expect(json, "ecs.task.cpu.reserved", "gauge", "'asDouble':512");
    expect(json, "ecs.task.cpu.utilized", "gauge", "'asDouble':512");
    expect(json, "ecs.task.ephemeral_storage.utilized", "gauge", "'asInt':'500'");
    expect_attribute(json, "aws.ecs.cluster.name", "shop");
    expect_attribute(json, "aws.ecs.task.id", "abc");
    expect_attribute(json, "cloud.region", "eu-west-1");
    expect_attribute(json, "cloud.account.id", "123456789012");
    expect_attribute(json, "aws.ecs.launchtype", "fargate");
    expect_attribute(json, "container.image.name", "localhost:5000/team/app");
    expect_attribute(json, "container.image.tag", "1.2");
    assert_non_null(strstr(json, "{'key':'aws.ecs.container.exit_code','value':{'intValue':'0'}}"));
    assert_null(strstr(json, "finished_at"));
    free(json);
}

static void the_task_has_the_sums_when_it_has_no_limits(void **state)
{
    char *json =
        write("{'TaskARN':'odd','Cluster':'plain','Containers':["
              "{'DockerId':'c1','Limits':{'CPU':256,'Memory':64}},"
              "{'DockerId':'c2','Limits':{'CPU':256,'Memory':64},'Image':'app@sha256:1'}]}",
              "{'c1':" STATS ",'c2':" STATS "}", 2 * 26 + 28);
    (void)state;
    expect(json, "ecs.task.memory.reserved", "gauge", "'asInt':'128'");
    expect(json, "ecs.task.cpu.reserved", "gauge", "'asDouble':512");
    expect(json, "ecs.task.cpu.usage.vcpu", "gauge", "'asDouble':1");
    expect(json, "ecs.task.cpu.utilized", "gauge", "'asDouble':1024");
    expect(json, "ecs.task.network.io.usage.rx_bytes", "sum", "'asInt':'22'");
    expect_attribute(json, "aws.ecs.cluster.name", "plain");
    expect_attribute(json, "aws.ecs.task.arn", "odd");
    expect_attribute(json, "aws.ecs.task.id", "");
    expect_attribute(json, "container.image.name", "app");
    expect_attribute(json, "container.image.tag", "latest");
    free(json);
}

static void a_container_that_has_ended_has_its_duration(void **state)
{
    char *json =
        write("{" TASK ",'Containers':[{'DockerId':'c1','StartedAt':'2026-01-01T00:00:00Z',"
              "'FinishedAt':'2026-01-01T00:01:30.5Z'},{'DockerId':'c2'}]}",
              "{'c1':null}", 1 + 28);
    (void)state;
    expect(json, "container.duration", "gauge", "'asDouble':90.5");
    assert_null(strstr(json, "container.memory.usage"));
    expect(json, "ecs.task.memory.usage", "gauge", "'asInt':'0'");
    free(json);
}

static void what_is_no_number_counts_as_nothing(void **state)
{
    char *json = write("{'Containers':[{'DockerId':'c1','Limits':{'CPU':'x','Memory':null}}]}",
                       "{'c1':{'id':'c1','memory_stats':{'usage':1,'stats':{'cache':5}},"
                       "'cpu_stats':[],'networks':7,'blkio_stats':null}}",
                       26 + 28);
    (void)state;
    expect(json, "container.memory.utilized", "gauge", "'asInt':'0'");
    expect(json, "container.cpu.usage.total", "sum", "'asInt':'0'");
    free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_container_and_its_task_are_measured),
        cmocka_unit_test(the_task_has_the_sums_when_it_has_no_limits),
        cmocka_unit_test(a_container_that_has_ended_has_its_duration),
        cmocka_unit_test(what_is_no_number_counts_as_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
