#include "components/receivers/rabbitmq/management.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "pdata/scan.h"
#include "tests/support/wanted_all.h"

/* Points that are written of one queue or node. */
static uint32_t write_text(const char *text, bool is_node)
{
    static struct rabbitmq_wanted all;
    struct hf_arena arena = {.limit = 1 << 20};
    struct hf_builder builder;
    struct hf_points points;
    struct hf_scan scan;
    const struct hf_json *json;
    char error[HF_JSON_ERROR_MAX];
    const struct hf_metric_set metrics = {rabbitmq_rows, all.metrics, RABBITMQ_METRIC_COUNT, 0};
    WANT_METRICS(all.metrics);
    WANT_RESOURCES(all.resources);
    assert_int_equal(hf_json_read(hf_slice_text(text), &arena, &json, error), HF_OK);
    assert_int_equal(hf_points_init(&points, &metrics), HF_OK);
    hf_builder_init(&builder, HF_METRICS, 1 << 20);
    struct rabbitmq_writer writer = {
        .wanted = &all, .builder = &builder, .points = &points, .begun_ns = 1, .now_ns = 2};
    if (is_node) {
        rabbitmq_node_write(&writer, json);
    } else {
        rabbitmq_queue_write(&writer, json);
    }
    assert_false(writer.failed);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    assert_int_equal(batch != NULL ? batch->items : 0, writer.written);
    if (batch != NULL) {
        assert_int_equal(hf_scan(HF_METRICS, batch->raw, &scan), HF_OK);
        hf_ref_drop(&batch->ref);
    }
    hf_builder_release(&builder);
    hf_points_release(&points);
    hf_arena_release(&arena);
    return writer.written;
}

static void what_is_there_becomes_a_point(void **state)
{
    static const struct {
        const char *text;
        bool is_node;
        uint32_t points;
    } cases[] = {
        {"{}", false, 0},
        {"{}", true, 0},
        {"null", true, 0},
        {"[1]", false, 0},
        {"{\"consumers\":1,\"messages_ready\":2,\"messages_unacknowledged\":3}", false, 3},
        {"{\"message_stats\":{\"ack\":1,\"publish\":2,\"deliver\":3.0,\"drop_unroutable\":4,"
         "\"get\":5}}",
         false, 4},
        {"{\"message_stats\":{\"ack\":\"1\",\"publish\":null,\"deliver\":[],\"drop_unroutable\":"
         "1e30"
         "}}",
         false, 0},
        {"{\"message_stats\":[]}", false, 0},
        {"{\"disk_free\":1,\"disk_free_details\":{\"rate\":0.5},\"disk_free_alarm\":false}", true,
         3},
        {"{\"io_read_avg_time\":0.25,\"io_read_avg_time_details\":{\"rate\":0}}", true, 2},
        {"{\"disk_free_details\":{},\"mem_alarm\":\"x\",\"uptime\":\"1\",\"fd_used\":{}}", true, 0},
        {"{\"mem_used_details.rate\":1}", true, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(write_text(cases[i].text, cases[i].is_node), cases[i].points);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_becomes_a_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
