/* exceptions: what is counted and written of requests, between two made-up queues. */
#include "../passing.h"

#include <stdio.h>
#include <stdlib.h>

#include "pdata/any.h"
#include "pdata/document.h"
#include "pdata/walk.h"
#include "tests/support/node_stub.c"
#include "tests/unit/made_config.h"

extern const struct hf_component hf_connector_exceptions;

#define TEXT(key, text) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" text "\"}}"
#define EXCEPTION(type)                                                                            \
    "{\"name\":\"exception\",\"timeUnixNano\":\"7\",\"attributes\":[" TEXT(                        \
        "exception.type", type) "," TEXT("exception.stacktrace", "at x") "]}"
#define IDS "\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"0102030405060708\","

/* A service with two spans and three exceptions, and another resource that is no service. */
#define SERVICE                                                                                    \
    "\"resource\":{\"attributes\":[" TEXT("service.name", "s") "," TEXT("zone", "z") "]}"
#define LOG_EVENT "{\"name\":\"log\"}"
#define SPAN(name, more, events) "{\"name\":\"" name "\"," more "\"events\":[" events "]}"
#define SERVER                                                                                     \
    IDS "\"kind\":2,\"status\":{\"code\":2},\"attributes\":[" TEXT("span.name", "hidden") "],"
#define SPAN_A SPAN("a", SERVER, EXCEPTION("E") "," LOG_EVENT "," EXCEPTION("F"))
#define SPAN_B SPAN("b", "", EXCEPTION("E"))
#define SPAN_C SPAN("c", "", EXCEPTION("E"))

static const char request[] = "{\"resourceSpans\":["
                              "{" SERVICE ",\"scopeSpans\":[{\"spans\":[" SPAN_A "," SPAN_B "]}]},"
                              "{\"scopeSpans\":[{\"spans\":[" SPAN_C "]}]}"
                              "]}";

/* ---- the queues ---- */

static struct hf_output *pending[PASSED_MAX];
static struct hf_batch *emitted[PASSED_MAX];
static size_t emitted_count;
static size_t inputs_done;
static uint32_t dropped_last;

void hf_emit(struct hf_node *node, struct hf_batch *batch, struct hf_output *output)
{
    (void)node;
    assert_true(emitted_count < PASSED_MAX);
    hf_ref_take(&batch->ref);
    emitted[emitted_count] = batch;
    pending[emitted_count++] = output;
}

void hf_input_done(struct hf_input *input, uint32_t dropped_items)
{
    (void)input;
    dropped_last = dropped_items;
    inputs_done++;
}

/* Answers all that was emitted, and forgets it. */
static void answer(enum hf_status status)
{
    for (size_t i = 0; i < emitted_count; i++) {
        pending[i]->done(pending[i], status);
        hf_ref_drop(&emitted[i]->ref);
    }
    emitted_count = 0;
}

/* ---- what came out ---- */

static void write_attributes(const struct hf_attributes *attributes, char *out, size_t size)
{
    struct hf_bytes text = {0};
    for (size_t i = 0; i < attributes->count; i++) {
        size_t at = strlen(out);
        text.size = 0;
        assert_int_equal(hf_any_text(attributes->items[i].value, &text), HF_OK);
        snprintf(out + at, size - at, "%.*s=%.*s,", (int)attributes->items[i].key.size,
                 attributes->items[i].key.data, (int)text.size, text.data);
    }
    hf_bytes_release(&text);
}

/* "attributes number;" of points, "attributes;" of records. */
static void write_items(struct hf_batch *batch, char *out, size_t size)
{
    enum { AS_INT = 6, POINT_ATTRIBUTES = 7, LOG_ATTRIBUTES = 6 };
    struct hf_document *document = hf_document_borrow(batch->signal, batch->raw);
    struct hf_place place = {.document = document};
    bool are_points = batch->signal == HF_METRICS;
    out[0] = '\0';
    while (hf_place_next_item(&place)) {
        write_attributes(
            hf_message_attributes(place.item, are_points ? POINT_ATTRIBUTES : LOG_ATTRIBUTES), out,
            size);
        size_t at = strlen(out);
        if (are_points) {
            snprintf(out + at, size - at, " %d;", (int)hf_message_i64(place.item, AS_INT));
        } else {
            snprintf(out + at, size - at, ";");
        }
    }
    hf_document_return(document);
}

struct running {
    struct hf_node node;
    struct made_config made;
    void *self;
    struct hf_input input;
};

static void start_exceptions(struct running *running, const char *const pairs[][2], int signal)
{
    char error[HF_ERROR_MAX] = "";
    *running = (struct running){.node = {.id = "exceptions"}};
    output_signal = signal;
    node_stub_init(&running->node);
    made_config(&running->made, &hf_connector_exceptions, pairs);
    assert_null(hf_connector_exceptions.check(running->made.config));
    assert_int_equal(
        hf_connector_exceptions.open(&running->node, running->made.config, &running->self, error),
        HF_OK);
    inputs_done = 0;
}

static void stop_exceptions(struct running *running)
{
    hf_connector_exceptions.close(running->self);
    made_config_release(&running->made);
}

static void give(struct running *running)
{
    struct hf_batch *batch = batch_of(HF_TRACES, request, 3, HF_EMPTY_SLICE);
    running->input = (struct hf_input){.batch = batch};
    assert_int_equal(hf_connector_exceptions.queued->process_queued(running->self, &running->input),
                     HF_OK);
    hf_ref_drop(&batch->ref);
}

static const char *const nothing[][2] = {{NULL, NULL}};

static void counts_what_services_tell_of(void **state)
{
    struct running running;
    char found[800];
    (void)state;
    start_exceptions(&running, nothing, HF_METRICS);
    for (int round = 1; round <= 2; round++) {
        char expected[800];
        give(&running);
        assert_int_equal(emitted_count, 1);
        assert_int_equal(inputs_done, round - 1); /* not before it is durable */
        write_items(emitted[0], found, sizeof(found));
        snprintf(expected, sizeof(expected),
                 "service.name=s,span.name=b,span.kind=SPAN_KIND_UNSPECIFIED,status.code=STATUS_"
                 "CODE_UNSET,exception.type=E, %d;"
                 "service.name=s,span.name=a,span.kind=SPAN_KIND_SERVER,status.code=STATUS_CODE_"
                 "ERROR,exception.type=F, %d;"
                 "service.name=s,span.name=a,span.kind=SPAN_KIND_SERVER,status.code=STATUS_CODE_"
                 "ERROR,exception.type=E, %d;",
                 round, round, round);
        assert_string_equal(found, expected);
        answer(HF_OK);
        assert_int_equal(inputs_done, round);
        assert_int_equal(dropped_last, 0);
    }
    stop_exceptions(&running);
}

static void counts_the_rest_together_beyond_the_limit(void **state)
{
    static const char *const pairs[][2] = {{"aggregation_cardinality_limit", "1"},
                                           {"dimensions.0.name", "zone"},
                                           {"dimensions.1.name", "none"},
                                           {NULL, NULL}};
    struct running running;
    char found[800];
    (void)state;
    start_exceptions(&running, pairs, HF_METRICS);
    give(&running);
    write_items(emitted[0], found, sizeof(found));
    assert_string_equal(found, "otel.metric.overflow=true, 1;"
                               "service.name=s,span.name=a,span.kind=SPAN_KIND_SERVER,status.code="
                               "STATUS_CODE_ERROR,zone=z, 2;");
    assert_non_null(strstr(running.node.log, "aggregation_cardinality_limit"));
    answer(HF_OK);
    stop_exceptions(&running);
}

static void writes_a_record_of_each(void **state)
{
    static const char *const pairs[][2] = {
        {"dimensions.0.name", "exception.type"}, {"dimensions.1.name", "zone"}, {NULL, NULL}};
    struct running running;
    char found[2000];
    (void)state;
    start_exceptions(&running, pairs, HF_LOGS);
    give(&running);
    assert_int_equal(emitted_count, 1);
    assert_int_equal(emitted[0]->items, 3);
    write_items(emitted[0], found, sizeof(found));
    /* What the span has of the same name is replaced. */
    assert_string_equal(
        found,
        "span.name=a,span.kind=SPAN_KIND_SERVER,status.code=STATUS_CODE_ERROR,service.name=s,"
        "exception.type=E,zone=z,exception.stacktrace=at x,;"
        "span.name=a,span.kind=SPAN_KIND_SERVER,status.code=STATUS_CODE_ERROR,service.name=s,"
        "exception.type=F,zone=z,exception.stacktrace=at x,;"
        "span.name=b,span.kind=SPAN_KIND_UNSPECIFIED,status.code=STATUS_CODE_UNSET,service.name=s,"
        "exception.type=E,zone=z,exception.stacktrace=at x,;");
    answer(HF_OK);
    stop_exceptions(&running);
}

static void is_done_when_both_signals_are(void **state)
{
    struct running running;
    (void)state;
    start_exceptions(&running, nothing, -1);
    give(&running);
    assert_int_equal(emitted_count, 2);
    pending[1]->done(pending[1], HF_OK);
    assert_int_equal(inputs_done, 0);
    pending[0]->done(pending[0], HF_OK);
    assert_int_equal(inputs_done, 1);
    hf_ref_drop(&emitted[0]->ref);
    hf_ref_drop(&emitted[1]->ref);
    emitted_count = 0;
    stop_exceptions(&running);
}

static void leaves_a_request_in_the_queue_when_it_stops(void **state)
{
    struct running running;
    (void)state;
    start_exceptions(&running, nothing, -1);
    give(&running);
    answer(HF_CLOSED);
    assert_int_equal(inputs_done, 0);
    give(&running);
    answer(HF_INVALID); /* it never will be durable */
    assert_int_equal(inputs_done, 1);
    assert_true(dropped_last > 0);
    stop_exceptions(&running);
}

static void refuses_dimensions_that_are_there_already(void **state)
{
    static const char *const cases[][3][2] = {
        {{"dimensions.0.name", "span.kind"}, {NULL, NULL}},
        {{"dimensions.0.name", "a"}, {"dimensions.1.name", "a"}, {NULL, NULL}},
        {{"dimensions.0.name", ""}, {NULL, NULL}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct made_config made;
        made_config(&made, &hf_connector_exceptions, cases[i]);
        assert_non_null(hf_connector_exceptions.check(made.config));
        made_config_release(&made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_services_tell_of),
        cmocka_unit_test(counts_the_rest_together_beyond_the_limit),
        cmocka_unit_test(writes_a_record_of_each),
        cmocka_unit_test(is_done_when_both_signals_are),
        cmocka_unit_test(leaves_a_request_in_the_queue_when_it_stops),
        cmocka_unit_test(refuses_dimensions_that_are_there_already),
    };
    return cmocka_run_group_tests_name("exceptions", tests, NULL, NULL);
}
