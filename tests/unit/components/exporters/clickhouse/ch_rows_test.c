/* Log records and points as rows, and which tables a request has rows for. */
#include "components/exporters/clickhouse/ch_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/build.h"
#include "tests/support/node_stub.c"

static struct hf_batch *a_record(const char *body, uint64_t time_ns)
{
    struct hf_builder builder;
    const struct hf_build_log_record record = {
        .time_ns = time_ns, .observed_ns = 1, .severity_number = 9};
    hf_builder_init(&builder, HF_LOGS, SIZE_MAX);
    hf_build_resource(&builder, HF_EMPTY_SLICE);
    hf_build_attribute_string(&builder, hf_slice_text("service.name"), hf_slice_text("shop"));
    hf_build_scope(&builder, hf_slice_text("sc"), HF_EMPTY_SLICE);
    hf_build_log_record(&builder, &record);
    hf_build_body_string(&builder, hf_slice_text(body));
    hf_build_attribute_string(&builder, hf_slice_text("k"), hf_slice_text("a\"b"));
    hf_build_end(&builder);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    hf_builder_release(&builder);
    return batch;
}

static void expect(struct hf_batch *batch, const struct ch_rows_options *options, const char *text)
{
    struct hf_bytes out = {0};
    assert_int_equal(ch_rows_write(CH_LOGS, batch->raw, options, &out), HF_OK);
    assert_int_equal(hf_bytes_append(&out, hf_slice_of("", 1)), HF_OK);
    assert_string_equal((const char *)out.data, text);
    hf_bytes_release(&out);
    hf_ref_drop(&batch->ref);
}

#define BEFORE                                                                                     \
    ",\"TraceId\":\"\",\"SpanId\":\"\",\"TraceFlags\":0,\"SeverityText\":\"\","                    \
    "\"SeverityNumber\":9,\"ServiceName\":\"shop\",\"Body\":\"a\\nb\",\"ResourceSchemaUrl\":"      \
    "\"\",\"ResourceAttributes\":{\"service.name\":\"shop\"},\"ScopeSchemaUrl\":\"\","             \
    "\"ScopeName\":\"sc\",\"ScopeVersion\":\"\",\"ScopeAttributes\":{},\"LogAttributes\":{"        \
    "\"k\":\"a\\\"b\"}"

static void a_record_is_a_line(void **state)
{
    const struct ch_rows_options options = {.has_optional = true}, older = {.has_optional = false};
    const struct ch_rows_options json = {.has_optional = true, .as_json = true};
    (void)state;
    expect(a_record("a\nb", UINT64_C(1700000000123456789)), &options,
           "{\"Timestamp\":\"2023-11-14T22:13:20.123456789Z\"" BEFORE ",\"EventName\":\"\"}\n");
    expect(a_record("a\nb", 0), &older,
           "{\"Timestamp\":\"1970-01-01T00:00:00.000000001Z\"" BEFORE "}\n");
    expect(a_record("a\nb", UINT64_MAX), &json,
           "{\"Timestamp\":\"2554-07-21T23:34:33.709551615Z\"" BEFORE
           ",\"EventName\":\"\",\"ResourceAttributesKeys\":[\"service.name\"],"
           "\"ScopeAttributesKeys\":[],\"LogAttributesKeys\":[\"k\"]}\n");
}

static void logs_and_traces_have_one_table(void **state)
{
    struct hf_batch *batch = a_record("x", 1);
    unsigned tables = 0;
    (void)state;
    assert_int_equal(ch_rows_tables(HF_LOGS, batch->raw, &tables), HF_OK);
    assert_int_equal(tables, 1u << CH_LOGS);
    assert_int_equal(ch_rows_tables(HF_TRACES, HF_EMPTY_SLICE, &tables), HF_OK);
    assert_int_equal(tables, 1u << CH_TRACES);
    assert_int_equal(ch_rows_tables(HF_METRICS, HF_EMPTY_SLICE, &tables), HF_OK);
    assert_int_equal(tables, 0);
    hf_ref_drop(&batch->ref);
}

/* ResourceMetrics of ScopeMetrics of metrics: a sum and a histogram, each of one empty point. */
static void points_go_to_the_table_of_their_kind(void **state)
{
    static const uint8_t sound[] = {0x0a, 0x0e, 0x12, 0x0c, 0x12, 0x04, 0x3a, 0x02,
                                    0x0a, 0x00, 0x12, 0x04, 0x4a, 0x02, 0x0a, 0x00};
    const struct ch_rows_options options = {.has_optional = true};
    unsigned tables = 0;
    struct hf_bytes out = {0};
    (void)state;
    assert_int_equal(ch_rows_tables(HF_METRICS, hf_slice_of(sound, sizeof(sound)), &tables), HF_OK);
    assert_int_equal(tables, 1u << (CH_METRICS + CH_SUM) | 1u << (CH_METRICS + CH_HISTOGRAM));
    assert_int_equal(ch_rows_write((enum ch_rows)(CH_METRICS + CH_GAUGE),
                                   hf_slice_of(sound, sizeof(sound)), &options, &out),
                     HF_OK);
    assert_int_equal(out.size, 0);
    assert_int_equal(ch_rows_write((enum ch_rows)(CH_METRICS + CH_SUM),
                                   hf_slice_of(sound, sizeof(sound)), &options, &out),
                     HF_OK);
    assert_int_equal(hf_bytes_append(&out, hf_slice_of("", 1)), HF_OK);
    assert_non_null(strstr((const char *)out.data, "\"Value\":0.0,\"AggregationTemporality\":0,"
                                                   "\"IsMonotonic\":false,"));
    assert_non_null(strstr((const char *)out.data, "\"Exemplars.TraceId\":[]}\n"));
    hf_bytes_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_a_line),
        cmocka_unit_test(logs_and_traces_have_one_table),
        cmocka_unit_test(points_go_to_the_table_of_their_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
