#include "components/receivers/redis/redis_info.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "pdata/scan.h"
#include "tests/support/wanted_all.h"

static uint32_t read_text(const char *text, struct redis_facts *facts)
{
    static struct hf_metric_choice all[REDIS_METRIC_COUNT];
    const struct hf_metric_set metrics = {redis_rows, all, REDIS_METRIC_COUNT, 0};
    struct hf_points points;
    struct hf_builder builder;
    struct hf_scan scan;
    bool failed;
    WANT_METRICS(all);
    assert_int_equal(hf_points_init(&points, &metrics), HF_OK);
    redis_info_read(hf_slice_text(text), facts, &points);
    hf_builder_init(&builder, HF_METRICS, 1 << 20);
    hf_build_resource(&builder, HF_EMPTY_SLICE);
    hf_build_scope(&builder, hf_slice_text("scope"), HF_EMPTY_SLICE);
    uint32_t written = hf_points_write(&points, &builder, 1, 2, &failed);
    assert_false(failed);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    assert_int_equal(batch != NULL ? batch->items : 0, written);
    if (batch != NULL) {
        assert_int_equal(hf_scan(HF_METRICS, batch->raw, &scan), HF_OK);
        hf_ref_drop(&batch->ref);
    }
    hf_builder_release(&builder);
    hf_points_release(&points);
    return written;
}

static void lines_become_points(void **state)
{
    static const struct {
        const char *text;
        uint32_t points, wrong;
        const char *first_wrong;
    } cases[] = {
        {"", 0, 0, ""},
        {"# Server\r\nredis_git_sha1:00000000\r\n", 0, 0, ""},
        {"used_memory:5\r\n", 1, 0, ""},
        {"used_memory:5\n", 1, 0, ""},
        {"used_memory:5", 1, 0, ""},
        {"used_memory:5\r\nused_memory:6\r\n", 1, 0, ""},
        {"used_memory:x\r\nmaxmemory:\r\n", 0, 2, "maxmemory"},
        {"used_memory:1:2\r\nused_memory\r\n:\r\n", 0, 0, ""},
        {"mem_fragmentation_ratio:1.5\r\nused_cpu_sys:0.1\r\nused_cpu_user:x\r\n", 2, 1,
         "used_cpu_user"},
        {"db0:keys=1,expires=2,avg_ttl=3,subexpiry=0\r\ndb15:keys=1\r\n", 6, 0, ""},
        {"db16:keys=1,expires=2,avg_ttl=3\r\ndb-1:keys=1\r\ndb:keys=1\r\n", 0, 0, ""},
        {"db0:keys\r\ndb1:keys=x\r\ndb2:\r\n", 0, 3, "db0"},
        {"cmdstat_get:calls=1,usec=2,usec_per_call=2.00\r\n", 2, 0, ""},
        {"cmdstat_client|list:calls=1,usec=x,a,=,\r\n", 1, 0, ""},
        {"latency_percentiles_usec_get:p50=1.003,p99=2.0,p99.9=x,p10=1\r\n", 2, 0, ""},
        {"role:master\r\nredis_mode:standalone\r\ncluster_state:ok\r\n", 3, 0, ""},
        {"role:slave\r\nredis_mode:other\r\ncluster_state:fail\r\n", 2, 0, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct redis_facts facts;
        assert_int_equal(read_text(cases[i].text, &facts), cases[i].points);
        assert_int_equal(facts.wrong, cases[i].wrong);
        assert_string_equal(facts.first_wrong, cases[i].first_wrong);
    }
}

static void facts_are_told(void **state)
{
    struct redis_facts facts;
    (void)state;
    assert_int_equal(
        read_text(
            "redis_version:7.0.15\r\nrun_id:a1\r\nuptime_in_seconds:12\r\ncluster_enabled:1\r\n",
            &facts),
        2);
    assert_true(facts.is_info && facts.is_cluster);
    assert_int_equal(facts.uptime_s, 12);
    assert_true(hf_slice_is(facts.version, "7.0.15") && hf_slice_is(facts.run_id, "a1"));
    (void)read_text("uptime_in_seconds:x\r\ncluster_enabled:0\r\n", &facts);
    assert_false(facts.is_info || facts.is_cluster);
    assert_int_equal(facts.version.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_become_points),
        cmocka_unit_test(facts_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
