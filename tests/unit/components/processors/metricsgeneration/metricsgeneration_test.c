/* New metrics are made of one and a number, or of two of a resource; nothing is divided by 0. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

#include "tests/support/node_stub.c"
#include "tests/support/process_json.c"
#include "tests/unit/made_config.h"

extern const struct hf_component hf_processor_metricsgeneration;

/* A request of one resource, with these metrics in the scope. */
#define METRICS(metrics) "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[" metrics "]}]}]}"

static char *processed(const char *const pairs[][2], const char *request)
{
    struct hf_node node = {.id = "metricsgeneration", .signals = HF_SIGNAL_BIT(HF_METRICS)};
    struct made_config made = {0};
    node_stub_init(&node);
    made_config(&made, &hf_processor_metricsgeneration, pairs);
    assert_null(hf_processor_metricsgeneration.check(made.config));
    char *json =
        process_json(&hf_processor_metricsgeneration, &node, made.config, HF_METRICS, request);
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

#define GAUGE(name, points) "{\"name\":\"" name "\",\"gauge\":{\"dataPoints\":[" points "]}}"
#define POINT(value, key)                                                                          \
    "{\"attributes\":[{\"key\":\"k\",\"value\":{\"stringValue\":\"" key "\"}}],\"asInt\":\"" value \
    "\"}"
#define TWO METRICS(GAUGE("a", POINT("6", "x")) "," GAUGE("b", POINT("3", "y")))

static void calculates(void **state)
{
    static const char *const operations[][2] = {{"add", "\"asDouble\":9"},
                                                {"subtract", "\"asDouble\":3"},
                                                {"multiply", "\"asDouble\":18"},
                                                {"divide", "\"asDouble\":2"},
                                                {"percent", "\"asDouble\":200"}};
    (void)state;
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        const char *const pairs[][2] = {{"rules.0.name", "n"},
                                        {"rules.0.unit", "u"},
                                        {"rules.0.type", "calculate"},
                                        {"rules.0.metric1", "a"},
                                        {"rules.0.metric2", "b"},
                                        {"rules.0.operation", operations[i][0]},
                                        {NULL, NULL}};
        const char *const rows[][2] = {{TWO, operations[i][1]},
                                       {TWO, "\"name\":\"n\",\"unit\":\"u\",\"gauge\""}};
        check_rows(pairs, rows, 2);
    }
}

static void makes_nothing_of_what_is_not_there(void **state)
{
    static const char *const pairs[][2] = {
        {"rules.0.name", "n"},    {"rules.0.type", "calculate"},   {"rules.0.metric1", "a"},
        {"rules.0.metric2", "b"}, {"rules.0.operation", "divide"}, {NULL, NULL}};
    static const char *const requests[] = {
        METRICS(GAUGE("a", POINT("6", "x"))),
        METRICS(GAUGE("b", POINT("6", "x"))),
        METRICS(GAUGE("a", POINT("6", "x")) "," GAUGE("b", POINT("0", "y"))),
        METRICS("{\"name\":\"a\",\"histogram\":{\"dataPoints\":[{\"count\":\"1\"}]}}," GAUGE(
            "b", POINT("3", "y"))),
        METRICS("{\"name\":\"a\"}," GAUGE("b", "")),
    };
    (void)state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        char *json = processed(pairs, requests[i]);
        assert_null(strstr(json, "\"name\":\"n\""));
        free(json);
    }
}

static void scales(void **state)
{
    static const char *const pairs[][2] = {
        {"rules.0.name", "n"},       {"rules.0.type", "scale"},         {"rules.0.metric1", "a"},
        {"rules.0.scale_by", "0.5"}, {"rules.0.operation", "multiply"}, {NULL, NULL}};
    static const char *const rows[][2] = {
        {TWO, "\"asDouble\":3"},
        {METRICS("{\"name\":\"a\",\"sum\":{\"aggregationTemporality\":1,\"dataPoints\":[{"
                 "\"asDouble\":8}]}}"),
         "\"asDouble\":4"}};
    (void)state;
    check_rows(pairs, rows, sizeof(rows) / sizeof(rows[0]));
}

static void pairs_points_by_their_attributes(void **state)
{
    static const char *const pairs[][2] = {{"rules.0.name", "n"},
                                           {"rules.0.type", "calculate"},
                                           {"rules.0.metric1", "a"},
                                           {"rules.0.metric2", "b"},
                                           {"rules.0.operation", "add"},
                                           {"match_attributes", "true"},
                                           {NULL, NULL}};
    static const char *const rows[][2] = {
        {METRICS(GAUGE("a", POINT("1", "x") "," POINT("2", "y")) "," GAUGE(
             "b", POINT("10", "y") "," POINT("20", "x"))),
         "\"asDouble\":21"},
        {METRICS(GAUGE("a", POINT("1", "x") "," POINT("2", "y")) "," GAUGE(
             "b", POINT("10", "y") "," POINT("20", "x"))),
         "\"asDouble\":12"}};
    (void)state;
    check_rows(pairs, rows, sizeof(rows) / sizeof(rows[0]));
    char *json = processed(pairs, TWO);
    assert_null(strstr(json, "\"name\":\"n\""));
    free(json);
}

static void refuses_what_cannot_be(void **state)
{
    static const struct {
        const char *const pairs[6][2];
        const char *says;
    } rows[] = {
        {{{"rules.0.type", "scale"}}, "name and metric1 must be given"},
        {{{"rules.0.type", "calculate"}, {"rules.0.name", "n"}, {"rules.0.metric1", "a"}},
         "metric2 must be given"},
        {{{"rules.0.type", "scale"}, {"rules.0.name", "n"}, {"rules.0.metric1", "a"}},
         "scale_by must be greater than 0"},
        {{{"rules.0.type", "scale"},
          {"rules.0.name", "a"},
          {"rules.0.metric1", "a"},
          {"rules.0.scale_by", "2"}},
         "must differ"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct made_config made = {0};
        made_config(&made, &hf_processor_metricsgeneration, rows[i].pairs);
        const char *says = hf_processor_metricsgeneration.check(made.config);
        assert_non_null(says);
        assert_non_null(strstr(says, rows[i].says));
        made_config_release(&made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calculates),
        cmocka_unit_test(makes_nothing_of_what_is_not_there),
        cmocka_unit_test(scales),
        cmocka_unit_test(pairs_points_by_their_attributes),
        cmocka_unit_test(refuses_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
