/* Statements that create tables, and beginnings of inserts. */
#include "components/exporters/clickhouse/ch_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

static struct ch_config config = {
    .database = "default",
    .logs_table = "otel_logs",
    .traces_table = "otel_traces",
    .metrics_table = "otel_metrics",
};
static struct ch_target target = {.database = "default"};
static const struct ch_schema schema = {.config = &config, .target = &target};

static void set_database(const char *name)
{
    memcpy(target.database, name, strlen(name) + 1);
}

static const char *text_of(struct hf_bytes *out)
{
    assert_int_equal(hf_bytes_append(out, hf_slice_of("", 1)), HF_OK);
    out->size = 0;
    return (const char *)out->data;
}

static const char *statement(struct hf_bytes *out, enum hf_signal signal, unsigned index)
{
    assert_int_equal(ch_schema_create(&schema, signal, index, out), HF_OK);
    return text_of(out);
}

static void each_signal_has_its_statements(void **state)
{
    static const struct {
        enum hf_signal signal;
        unsigned count;
    } cases[] = {{HF_LOGS, 1}, {HF_TRACES, 3}, {HF_METRICS, 5}};
    struct hf_bytes out = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (unsigned at = 0; at < cases[i].count; at++) {
            assert_non_null(
                strstr(statement(&out, cases[i].signal, at), " IF NOT EXISTS `default`"));
        }
        assert_int_equal(ch_schema_create(&schema, cases[i].signal, cases[i].count, &out),
                         HF_NOT_FOUND);
    }
    set_database("otel");
    assert_string_equal(statement(&out, HF_LOGS, 0), "CREATE DATABASE IF NOT EXISTS `otel`");
    set_database("default");
    hf_bytes_release(&out);
}

static void the_whole_of_a_table(void **state)
{
    struct hf_bytes out = {0};
    (void)state;
    assert_int_equal(ch_schema_create(&schema, HF_METRICS, CH_SUMMARY, &out), HF_OK);
    assert_string_equal(
        text_of(&out),
        "CREATE TABLE IF NOT EXISTS `default`.`otel_metrics_summary` (\n"
        "    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(3)),\n"
        "    ResourceSchemaUrl String CODEC(ZSTD(3)),\n"
        "    ScopeName String CODEC(ZSTD(3)),\n"
        "    ScopeVersion String CODEC(ZSTD(3)),\n"
        "    ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(3)),\n"
        "    ScopeDroppedAttrCount UInt32 CODEC(ZSTD(3)),\n"
        "    ScopeSchemaUrl String CODEC(ZSTD(3)),\n"
        "    ServiceName LowCardinality(String) CODEC(ZSTD(3)),\n"
        "    MetricName LowCardinality(String) CODEC(ZSTD(3)),\n"
        "    MetricDescription String CODEC(ZSTD(3)),\n"
        "    MetricUnit String CODEC(ZSTD(3)),\n"
        "    Attributes Map(LowCardinality(String), String) CODEC(ZSTD(3)),\n"
        "    StartTimeUnix DateTime CODEC(Delta, ZSTD(3)),\n"
        "    TimeUnix DateTime CODEC(Delta, ZSTD(3)),\n"
        "    Flags UInt32 CODEC(ZSTD(3)),\n"
        "    Count UInt64 CODEC(Delta, ZSTD(3)),\n"
        "    Sum Float64 CODEC(ZSTD(3)),\n"
        "    ValueAtQuantiles Nested (Quantile Float64, Value Float64) CODEC(ZSTD(3)),\n"
        "    INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) "
        "GRANULARITY 1,\n"
        "    INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) "
        "GRANULARITY 1,\n"
        "    INDEX idx_scope_attr_key mapKeys(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY "
        "1,\n"
        "    INDEX idx_scope_attr_value mapValues(ScopeAttributes) TYPE bloom_filter(0.01) "
        "GRANULARITY 1,\n"
        "    INDEX idx_attr_key mapKeys(Attributes) TYPE bloom_filter(0.01) GRANULARITY 1,\n"
        "    INDEX idx_attr_value mapValues(Attributes) TYPE bloom_filter(0.01) GRANULARITY 1,\n"
        "    INDEX idx_time_minmax TimeUnix TYPE minmax GRANULARITY 1\n"
        ") ENGINE = MergeTree()\n"
        "PARTITION BY toDate(TimeUnix)\n"
        "ORDER BY (ServiceName, MetricName, toStartOfHour(TimeUnix), cityHash64(Attributes), "
        "TimeUnix)\n"
        "SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, "
        "non_replicated_deduplication_window = 1000");
    hf_bytes_release(&out);
}

static void times_to_live_are_in_the_largest_unit(void **state)
{
    static const struct {
        uint64_t ttl_ns;
        int64_t days;
        const char *text;
    } cases[] = {
        {0, 3, "TTL toDateTime(Timestamp) + toIntervalDay(3)"},
        {UINT64_C(172800000000000), 0, "TTL toDateTime(Timestamp) + toIntervalDay(2)"},
        {UINT64_C(5400000000000), 0, "TTL toDateTime(Timestamp) + toIntervalMinute(90)"},
        {UINT64_C(3600000000000), 0, "TTL toDateTime(Timestamp) + toIntervalHour(1)"},
        {UINT64_C(61000000000), 0, "TTL toDateTime(Timestamp) + toIntervalSecond(61)"},
    };
    struct hf_bytes out = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        config.ttl_ns = cases[i].ttl_ns;
        config.ttl_days = cases[i].days;
        assert_non_null(strstr(statement(&out, HF_LOGS, 0), cases[i].text));
    }
    config.ttl_ns = 0;
    config.ttl_days = 0;
    assert_null(strstr(statement(&out, HF_LOGS, 0), "TTL"));
    hf_bytes_release(&out);
}

static void a_replicated_database_replicates_its_tables(void **state)
{
    struct hf_bytes out = {0};
    (void)state;
    config.cluster_name = "c";
    config.database_engine = (struct ch_engine){"Replicated", "'/x'"};
    assert_non_null(strstr(statement(&out, HF_LOGS, 0), "ON CLUSTER `c`"));
    set_database("otel");
    assert_string_equal(statement(&out, HF_LOGS, 0),
                        "CREATE DATABASE IF NOT EXISTS `otel` ON CLUSTER `c` ENGINE = "
                        "Replicated('/x')");
    assert_null(strstr(statement(&out, HF_LOGS, 1), "ON CLUSTER"));
    config.cluster_name = NULL;
    config.database_engine = (struct ch_engine){NULL, NULL};
    set_database("default");
    hf_bytes_release(&out);
}

static void json_columns_are_for_logs_and_spans(void **state)
{
    struct hf_bytes out = {0};
    (void)state;
    config.json = true;
    assert_non_null(strstr(statement(&out, HF_LOGS, 0), "LogAttributes JSON CODEC"));
    assert_non_null(
        strstr(statement(&out, HF_TRACES, 0), "Name LowCardinality(String), Attributes JSON)"));
    assert_null(strstr(statement(&out, HF_LOGS, 0), "mapKeys"));
    assert_null(strstr(statement(&out, HF_METRICS, 0), "JSON"));
    config.json = false;
    assert_null(strstr(statement(&out, HF_LOGS, 0), "AttributesKeys"));
    hf_bytes_release(&out);
}

static void an_insert_names_its_columns(void **state)
{
    struct hf_bytes out = {0};
    (void)state;
    config.logs_table = "l`o\\gs";
    assert_int_equal(ch_schema_insert(&schema, CH_LOGS, true, &out), HF_OK);
    const char *text = text_of(&out);
    assert_non_null(strstr(text, "INSERT INTO `default`.`l\\`o\\\\gs` (Timestamp, "));
    assert_non_null(strstr(text, ", LogAttributes, EventName) FORMAT JSONEachRow\n"));
    assert_int_equal(ch_schema_insert(&schema, CH_LOGS, false, &out), HF_OK);
    assert_non_null(strstr(text_of(&out), ", LogAttributes) FORMAT JSONEachRow\n"));
    config.logs_table = "otel_logs";
    hf_bytes_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_signal_has_its_statements),
        cmocka_unit_test(the_whole_of_a_table),
        cmocka_unit_test(times_to_live_are_in_the_largest_unit),
        cmocka_unit_test(a_replicated_database_replicates_its_tables),
        cmocka_unit_test(json_columns_are_for_logs_and_spans),
        cmocka_unit_test(an_insert_names_its_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
