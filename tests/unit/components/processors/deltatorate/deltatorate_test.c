/* Delta sums that are named become gauges of their value per second; all else passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

#include "tests/support/node_stub.c"
#include "tests/support/process_json.c"
#include "tests/unit/made_config.h"

extern const struct hf_component hf_processor_deltatorate;

/* A request of one resource, with these metrics in the scope. */
#define METRICS(metrics) "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[" metrics "]}]}]}"

static char *processed(const char *const pairs[][2], const char *request)
{
    struct hf_node node = {.id = "deltatorate", .signals = HF_SIGNAL_BIT(HF_METRICS)};
    struct made_config made = {0};
    node_stub_init(&node);
    made_config(&made, &hf_processor_deltatorate, pairs);
    assert_null(hf_processor_deltatorate.check(made.config));
    char *json = process_json(&hf_processor_deltatorate, &node, made.config, HF_METRICS, request);
    made_config_release(&made);
    return json;
}

static void check_rows(const char *const pairs[][2], const char *const rows[][2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *json = processed(pairs, rows[i][0]);
        if (strstr(json, rows[i][1]) == NULL) {
            fail_msg("%s\nbecomes %s\nwithout %s", rows[i][0], json, rows[i][1]);
        }
        free(json);
    }
}

#define SUM(name, temporality, value)                                                              \
    "{\"name\":\"" name "\",\"unit\":\"By\",\"sum\":{\"aggregationTemporality\":" temporality      \
    ",\"dataPoints\":[{\"startTimeUnixNano\":\"1000000000\",\"timeUnixNano\":"                     \
    "\"3000000000\"," value "}]}}"

static void makes_rates(void **state)
{
    static const char *const pairs[][2] = {{"metrics.0", "a"}, {NULL, NULL}};
    static const char *const rows[][2] = {
        {METRICS(SUM("a", "1", "\"asInt\":\"10\"")), "\"gauge\":{\"dataPoints\":"},
        {METRICS(SUM("a", "1", "\"asInt\":\"10\"")), "\"asDouble\":5"},
        {METRICS(SUM("a", "1", "\"asInt\":\"10\"")), "\"unit\":\"By/s\""},
        {METRICS(SUM("a", "1", "\"asDouble\":1")), "\"asDouble\":0.5"},
        {METRICS(SUM("a", "1", "\"flags\":1")), "\"flags\":1}"},
        {METRICS(SUM("a", "2", "\"asInt\":\"10\"")), "\"asInt\":\"10\""},
        {METRICS(SUM("b", "1", "\"asInt\":\"10\"")), "\"asInt\":\"10\""},
        {METRICS("{\"name\":\"a\",\"gauge\":{\"dataPoints\":[{\"asInt\":\"7\"}]}}"),
         "\"asInt\":\"7\""},
        {METRICS("{\"name\":\"a\"}"), "\"name\":\"a\""},
    };
    (void)state;
    check_rows(pairs, rows, sizeof(rows) / sizeof(rows[0]));
}

static void is_zero_without_time(void **state)
{
    static const char *const pairs[][2] = {{"metrics.0", "a"}, {NULL, NULL}};
    static const char *const rows[][2] = {
        {METRICS("{\"name\":\"a\",\"sum\":{\"aggregationTemporality\":1,\"dataPoints\":["
                 "{\"startTimeUnixNano\":\"5\",\"timeUnixNano\":\"5\",\"asInt\":\"9\"}]}}"),
         "\"asDouble\":0"},
        {METRICS("{\"name\":\"a\",\"sum\":{\"aggregationTemporality\":1,\"dataPoints\":["
                 "{\"startTimeUnixNano\":\"9\",\"timeUnixNano\":\"5\",\"asInt\":\"9\"}]}}"),
         "\"asDouble\":0"},
    };
    (void)state;
    check_rows(pairs, rows, sizeof(rows) / sizeof(rows[0]));
}

static void needs_names(void **state)
{
    static const char *const pairs[][2] = {{NULL, NULL}};
    struct made_config made = {0};
    (void)state;
    made_config(&made, &hf_processor_deltatorate, pairs);
    assert_string_equal(hf_processor_deltatorate.check(made.config), "metrics must be given");
    made_config_release(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_rates),
        cmocka_unit_test(is_zero_without_time),
        cmocka_unit_test(needs_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
