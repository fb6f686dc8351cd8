/* Attributes move to resources; what is the same is joined, and nothing is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

#include "tests/support/node_stub.c"
#include "tests/support/process_json.c"

extern const struct hf_component hf_processor_groupbyattrs;

/* As the component's configuration. */
struct config {
    struct hf_string_list keys;
};

static char *grouped(const struct config *config, enum hf_signal signal, const char *request)
{
    struct hf_node node = {.id = "groupbyattrs", .signals = HF_SIGNAL_BIT(signal)};
    assert_int_equal(hf_metrics_new(&node.metrics), HF_OK);
    char *json = process_json(&hf_processor_groupbyattrs, &node, config, signal, request);
    hf_metrics_free(node.metrics);
    return json;
}

#define ATTRIBUTE(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define LOG(name, attributes)                                                                      \
    "{\"resource\":{\"attributes\":[" attributes "]},\"scopeLogs\":[{\"scope\":{\"name\":\"s\"},"  \
    "\"logRecords\":[{\"eventName\":\"" name "\",\"attributes\":[" ATTRIBUTE("host", "h") "]}]}]}"

static void joins_equal_resources_whatever_the_order_of_attributes(void **state)
{
    static const char request[] =
        "{\"resourceLogs\":[" LOG("a", ATTRIBUTE("x", "1") "," ATTRIBUTE("y", "2")) "," LOG(
            "b", ATTRIBUTE("y", "2") "," ATTRIBUTE("x", "1")) "]}";
    char *json = grouped(&(struct config){{NULL, 0}}, HF_LOGS, request);
    const char *second = strstr(json, "\"resource\"");
    (void)state;
    assert_non_null(second);
    assert_null(strstr(second + 1, "\"resource\""));
    assert_null(strstr(strstr(json, "\"scope\"") + 1, "\"scope\""));
    assert_non_null(strstr(json, "\"eventName\":\"a\""));
    assert_non_null(strstr(json, "\"eventName\":\"b\""));
    free(json);
}

static void moves_attributes_to_the_resource(void **state)
{
    static const char *const keys[] = {"host"};
    static const char *const wanted[] = {
        "\"resource\":{\"attributes\":[" ATTRIBUTE("x", "1") "," ATTRIBUTE("host", "h") "]}",
        "{\"eventName\":\"a\"}", NULL};
    static const char request[] = "{\"resourceLogs\":[" LOG("a", ATTRIBUTE("x", "1")) "]}";
    char *json = grouped(&(struct config){{keys, 1}}, HF_LOGS, request);
    (void)state;
    assert_has(json, wanted);
    free(json);
}

static void keeps_metrics_apart_that_differ_in_kind(void **state)
{
    static const char request[] = "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":["
                                  "{\"name\":\"m\",\"sum\":{\"aggregationTemporality\":1,"
                                  "\"dataPoints\":[{\"asInt\":\"1\"}]}},"
                                  "{\"name\":\"m\",\"sum\":{\"aggregationTemporality\":2,"
                                  "\"dataPoints\":[{\"asInt\":\"2\"}]}},"
                                  "{\"name\":\"m\",\"gauge\":{\"dataPoints\":[{\"asInt\":\"3\"}]}},"
                                  "{\"name\":\"m\",\"gauge\":{\"dataPoints\":[{\"asInt\":\"4\"}]}},"
                                  "{\"name\":\"odd\"}]}]}]}";
    static const char *const wanted[] = {
        "\"dataPoints\":[{\"asInt\":\"1\"}]", "\"dataPoints\":[{\"asInt\":\"2\"}]",
        "\"dataPoints\":[{\"asInt\":\"3\"},{\"asInt\":\"4\"}]", NULL};
    char *json = grouped(&(struct config){{NULL, 0}}, HF_METRICS, request);
    (void)state;
    assert_has(json, wanted);
    free(json);
}

static void refuses_an_empty_key(void **state)
{
    static const char *const keys[] = {""};
    (void)state;
    assert_non_null(hf_processor_groupbyattrs.check(&(struct config){{keys, 1}}));
    assert_null(hf_processor_groupbyattrs.check(&(struct config){{NULL, 0}}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_equal_resources_whatever_the_order_of_attributes),
        cmocka_unit_test(moves_attributes_to_the_resource),
        cmocka_unit_test(keeps_metrics_apart_that_differ_in_kind),
        cmocka_unit_test(refuses_an_empty_key),
    };
    return cmocka_run_group_tests_name("groupbyattrs", tests, NULL, NULL);
}
