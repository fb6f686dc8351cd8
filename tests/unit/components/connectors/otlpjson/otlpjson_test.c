/* otlpjson: bodies that are requests, bodies that are none, and what the pipelines refuse. */
#include "../passing.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/node_stub.c"

extern const struct hf_component hf_connector_otlpjson;

#define RECORD(body) "{\"body\":{\"stringValue\":\"" body "\"}}"
#define REQUEST(records) "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[" records "]}]}]}"
#define SPANS                                                                                      \
    "{ \\\"resourceSpans\\\" : [{\\\"scopeSpans\\\":[{\\\"spans\\\":[{\\\"name\\\":\\\"a\\\"},"    \
    "{\\\"name\\\":\\\"b\\\"}]}]}]}"
#define SPAN                                                                                       \
    "{\\\"resourceSpans\\\":[{\\\"scopeSpans\\\":[{\\\"spans\\\":[{\\\"name\\\":\\\"c\\\"}]}]}]}"
#define LOG                                                                                        \
    "{\\\"resourceLogs\\\":[{\\\"scopeLogs\\\":[{\\\"logRecords\\\":[{\\\"body\\\":{"              \
    "\\\"stringValue\\\":\\\"x\\\"}}]}]}]}"

struct running {
    struct hf_node node;
    void *self;
};

static void start(struct running *running)
{
    char error[HF_ERROR_MAX] = "";
    *running = (struct running){.node = {.id = "otlpjson"}};
    node_stub_init(&running->node);
    assert_int_equal(hf_metrics_new(&running->node.metrics), HF_OK);
    assert_int_equal(hf_connector_otlpjson.open(&running->node, NULL, &running->self, error),
                     HF_OK);
}

static void stop(struct running *running)
{
    forget_passed();
    hf_connector_otlpjson.close(running->self);
    hf_metrics_free(running->node.metrics);
}

static enum hf_status give(struct running *running, const char *json)
{
    struct hf_batch *batch = batch_of(HF_LOGS, json, 1, HF_EMPTY_SLICE);
    batch->received_ns = 77;
    enum hf_status status = hf_connector_otlpjson.connector->connect(running->self, batch, NULL);
    hf_ref_drop(&batch->ref);
    return status;
}

static long dropped(struct running *running, const char *reason)
{
    const struct hf_metrics_style style = {0};
    char wanted[160], *text = NULL;
    size_t size = 0;
    snprintf(wanted, sizeof(wanted),
             "holdfast_connector_otlpjson_dropped{connector=\"otlpjson\",reason=\"%s\"} ", reason);
    assert_int_equal(hf_metrics_print(running->node.metrics, &style, &text, &size), HF_OK);
    const char *at = strstr(text, wanted);
    assert_non_null(at);
    long value = strtol(at + strlen(wanted), NULL, 10);
    free(text);
    return value;
}

static void assert_passed(size_t index, enum hf_signal signal, uint32_t items, const char *json)
{
    struct hf_bytes text = {0};
    struct hf_batch *batch = passed[index].batch;
    assert_int_equal(batch->signal, signal);
    assert_int_equal(batch->items, items);
    assert_int_equal(batch->received_ns, 77);
    assert_int_equal(hf_json_from_proto(signal, batch->raw, &text), HF_OK);
    if (!hf_slice_is(hf_slice_of(text.data, text.size), json)) {
        fail_msg("%.*s", (int)text.size, (const char *)text.data);
    }
    hf_bytes_release(&text);
}

static void requests_go_to_the_pipelines_of_their_signal(void **state)
{
    struct running running;
    (void)state;
    start(&running);
    output_count = 1;
    assert_int_equal(give(&running, REQUEST(RECORD(SPANS) "," RECORD(LOG) "," RECORD(SPAN))),
                     HF_OK);
    assert_int_equal(passed_count, 2);
    assert_passed(0, HF_TRACES, 3,
                  "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"a\"},{\"name\":"
                  "\"b\"}]}]},{\"scopeSpans\":[{\"spans\":[{\"name\":\"c\"}]}]}]}");
    assert_passed(1, HF_LOGS, 1,
                  "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{"
                  "\"stringValue\":\"x\"}}]}]}]}");
    assert_int_equal(dropped(&running, "invalid"), 0);
    stop(&running);
}

static void what_is_no_request_is_dropped_and_counted(void **state)
{
    struct running running;
    (void)state;
    start(&running);
    output_count = 1;
    assert_int_equal(
        give(&running, REQUEST(RECORD("plain") "," RECORD("{\\\"resourceSpans\\\":1}") "," RECORD(
                           "{\\\"resourceSpans\\\":[{]") "," RECORD("{\\\"resourceSpans\\\":[]"
                                                                    "}") ",{}," RECORD(LOG))),
        HF_OK);
    assert_int_equal(passed_count, 1);
    assert_int_equal(passed[0].batch->signal, HF_LOGS);
    assert_int_equal(dropped(&running, "invalid"), 4);
    stop(&running);
}

static void signals_without_a_pipeline_are_counted(void **state)
{
    struct running running;
    (void)state;
    start(&running);
    output_count = 1;
    output_signal = HF_TRACES;
    assert_int_equal(give(&running, REQUEST(RECORD(LOG) "," RECORD(SPAN))), HF_OK);
    assert_int_equal(passed_count, 1);
    assert_int_equal(passed[0].batch->signal, HF_TRACES);
    assert_int_equal(dropped(&running, "no_pipeline"), 1);
    assert_int_equal(dropped(&running, "invalid"), 0);
    output_signal = -1;
    stop(&running);
}

static void a_refusal_behind_is_the_answer(void **state)
{
    struct running running;
    (void)state;
    start(&running);
    passing_says = HF_BUSY;
    assert_int_equal(give(&running, REQUEST(RECORD(LOG))), HF_BUSY);
    passing_says = HF_OK;
    stop(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_go_to_the_pipelines_of_their_signal),
        cmocka_unit_test(what_is_no_request_is_dropped_and_counted),
        cmocka_unit_test(signals_without_a_pipeline_are_counted),
        cmocka_unit_test(a_refusal_behind_is_the_answer),
    };
    return cmocka_run_group_tests_name("otlpjson", tests, NULL, NULL);
}
