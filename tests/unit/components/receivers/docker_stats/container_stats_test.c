#include "components/receivers/docker_stats/container_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/wanted_all.h"

static const struct hf_json *read_text(struct hf_arena *arena, const char *text)
{
    const struct hf_json *json;
    char error[HF_JSON_ERROR_MAX];
    assert_int_equal(hf_json_read(hf_slice_text(text), arena, &json, error), HF_OK);
    return json;
}

static void the_limit_of_cpus_is_found(void **state)
{
    static const struct {
        const char *config;
        double cpus;
    } rows[] = {
        {"{}", 0},
        {"{\"NanoCpus\":1500000000,\"CpusetCpus\":\"0\"}", 1.5},
        {"{\"CpusetCpus\":\"0\"}", 1},
        {"{\"CpusetCpus\":\"0-3\",\"CpuQuota\":50000}", 4},
        {"{\"CpusetCpus\":\"0-1,4,6-7\"}", 5},
        {"{\"CpusetCpus\":\"3-1\"}", 0},
        {"{\"CpusetCpus\":\"a\"}", 0},
        {"{\"CpusetCpus\":\"1-\"}", 0},
        {"{\"CpusetCpus\":\"1;2\"}", 0},
        {"{\"CpuQuota\":50000}", 0.5},
        {"{\"CpuQuota\":50000,\"CpuPeriod\":25000}", 2},
        {"{\"CpuQuota\":-1}", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_arena arena = {.limit = 1 << 20};
        assert_true(docker_cpu_limit(read_text(&arena, rows[i].config)) == rows[i].cpus);
        hf_arena_release(&arena);
    }
}

static void nonsense_is_no_fault(void **state)
{
    static const char *const texts[] = {
        "{}", "[]", "null", "{\"State\":[],\"Config\":{\"Env\":{},\"Cmd\":[1,null],\"Labels\":[]}}",
        "{\"networks\":{\"a\":1},\"blkio_stats\":{\"sectors_recursive\":[{},1]},"
        "\"cpu_stats\":{\"cpu_usage\":{\"percpu_usage\":[-1,1e300,\"x\"]}},"
        "\"memory_stats\":{\"limit\":1e30,\"stats\":{\"file\":\"x\"}},\"pids_stats\":{\"current\":"
        "1}}"};
    static struct docker_wanted all;
    (void)state;
    WANT_METRICS(all.metrics);
    WANT_RESOURCES(all.resources);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct hf_arena arena = {.limit = 1 << 20};
        struct hf_builder builder;
        hf_builder_init(&builder, HF_METRICS, 1 << 20);
        struct docker_writer writer = {.wanted = &all, .builder = &builder, .now_ns = 2};
        const struct hf_json *json = read_text(&arena, texts[i]);
        docker_container_write(&writer, json, json);
        docker_states_write(&writer);
        assert_int_equal(hf_build_finish(&builder), HF_OK);
        struct hf_batch *batch = hf_build_take(&builder);
        assert_int_equal(batch != NULL ? batch->items : 0, writer.points);
        if (batch != NULL) {
            hf_ref_drop(&batch->ref);
        }
        hf_builder_release(&builder);
        hf_arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_of_cpus_is_found),
        cmocka_unit_test(nonsense_is_no_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
