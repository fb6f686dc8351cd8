/* What an extension sees of its graph: a whole graph of made-up components, on a real store. */
#include <holdfast/overview.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h> /* needs the three before it */

#include "pipeline/graph.h"
#include "storage/storage.h"
#include "util/log/log.h"
#include "util/metrics/metrics.h"

static struct hf_node *eye_node; /* of the extension that looks */
static struct hf_node *source_node;
static int refuses; /* the exporter's backend */

static enum hf_status open_eye(struct hf_node *node, const void *config, void **ret_self,
                               char *reterr)
{
    (void)config, (void)ret_self, (void)reterr;
    eye_node = node;
    return HF_OK;
}

static enum hf_status open_source(struct hf_node *node, const void *config, void **ret_self,
                                  char *reterr)
{
    (void)config, (void)ret_self, (void)reterr;
    source_node = node;
    return hf_node_add_transport(node, "made");
}

static void send_nowhere(void *self, struct hf_export *export)
{
    const struct hf_outcome outcome = {
        .status = __atomic_load_n(&refuses, __ATOMIC_SEQ_CST) ? HF_UNAUTHENTICATED : HF_OK,
        .message = "no such key"};
    (void)self;
    hf_export_done(export, &outcome);
}

static enum hf_status pass(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    (void)self;
    hf_ref_take(&batch->ref);
    *ret_batch = batch;
    return HF_OK;
}

#define ALL (HF_SIGNAL_BIT(HF_TRACES) | HF_SIGNAL_BIT(HF_METRICS) | HF_SIGNAL_BIT(HF_LOGS))

static const struct hf_field none[] = {HF_FIELDS_END};
static const struct hf_component eye = {
    .type = "eye", .kind = HF_EXTENSION, .fields = none, .open = open_eye};
static const struct hf_component source = {
    .type = "source", .kind = HF_RECEIVER, .signals = ALL, .fields = none, .open = open_source};
static const struct hf_component filter = {.type = "pass",
                                           .kind = HF_PROCESSOR,
                                           .signals = ALL,
                                           .fields = none,
                                           .processor =
                                               &(const struct hf_processor_ops){.process = pass}};
static const struct hf_component sink = {.type = "sink",
                                         .kind = HF_EXPORTER,
                                         .signals = ALL,
                                         .fields = none,
                                         .exporter =
                                             &(const struct hf_exporter_ops){.send = send_nowhere}};
static const struct hf_component *const registry[] = {&eye, &source, &filter, &sink, NULL};

struct world {
    char directory[64];
    struct hf_config *config;
    struct hf_host host;
    struct hf_graph *graph;
};

static const char yaml[] = "extensions: {eye: }\n"
                           "receivers: {source: }\n"
                           "processors: {pass: , pass/2: }\n"
                           "exporters: {sink: , sink/2: {retry_on_failure: {initial_interval: "
                           "1ms, max_interval: 1ms}}}\n"
                           "service:\n"
                           "  extensions: [eye]\n"
                           "  pipelines:\n"
                           "    traces: {receivers: [source], processors: [pass, pass/2], "
                           "exporters: [sink]}\n"
                           "    logs/a: {receivers: [source], processors: [pass], exporters: "
                           "[sink, sink/2]}\n";

static void make_world(struct world *world)
{
    char error[HF_ERROR_MAX] = "";
    struct hf_finding *findings = NULL;
    size_t count = 0;
    const struct hf_config_source text = {.uri = "", .text = yaml, .name = "test"};
    const struct hf_config_options options = {
        .sources = &text, .source_count = 1, .components = registry};
    memset(world, 0, sizeof(*world));
    world->config = hf_config_load(&options, &findings, &count);
    assert_non_null(world->config);
    hf_findings_free(findings, count);
    snprintf(world->directory, sizeof(world->directory), "/tmp/hf-overview-XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    const struct hf_log_options log = {.level = HF_LOG_ERROR + 1};
    assert_int_equal(hf_log_new(&log, &world->host.log, error), HF_OK);
    assert_int_equal(hf_metrics_new(&world->host.metrics), HF_OK);
    const struct hf_storage_options store = {.directory = world->directory, .log = world->host.log};
    assert_int_equal(hf_storage_open(&store, &world->host.store, error), HF_OK);
    assert_int_equal(hf_graph_open(world->config, &world->host, &world->graph, error), HF_OK);
}

static void end_world(struct world *world)
{
    char command[128];
    hf_graph_stop(world->graph);
    hf_graph_free(world->graph);
    hf_storage_close(world->host.store);
    hf_metrics_free(world->host.metrics);
    hf_log_free(world->host.log);
    hf_config_free(world->config);
    snprintf(command, sizeof(command), "rm -rf %s", world->directory);
    assert_int_equal(system(command), 0);
}

static void write_line(void *user, const struct hf_component_view *view)
{
    static const char *const places[HF_KIND_COUNT] = {"receiver", "processor", "exporter",
                                                      "extension", "connector"};
    char line[256];
    snprintf(line, sizeof(line), "%s %s %s %s\n",
             view->pipeline_id != NULL ? view->pipeline_id : "-", places[view->place], view->id,
             hf_state_name(view->look.state));
    strncat(user, line, 2047 - strlen(user));
}

static void shows_components_in_the_order_of_the_configuration(void **state)
{
    struct world world;
    char error[HF_ERROR_MAX] = "";
    char seen[2048] = "";
    (void)state;
    make_world(&world);
    hf_node_view_components(eye_node, write_line, seen);
    assert_non_null(strstr(seen, "- extension eye StatusNone\n"));
    assert_int_equal(hf_graph_start(world.graph, NULL, error), HF_OK);
    seen[0] = '\0';
    hf_node_view_components(eye_node, write_line, seen);
    assert_string_equal(seen, "- extension eye StatusOK\n"
                              "traces receiver source StatusOK\n"
                              "traces processor pass StatusOK\n"
                              "traces processor pass/2 StatusOK\n"
                              "traces exporter sink StatusOK\n"
                              "logs/a receiver source StatusOK\n"
                              "logs/a processor pass StatusOK\n"
                              "logs/a exporter sink StatusOK\n"
                              "logs/a exporter sink/2 StatusOK\n");
    hf_graph_stop(world.graph);
    seen[0] = '\0';
    hf_node_view_components(eye_node, write_line, seen);
    assert_non_null(strstr(seen, "traces exporter sink StatusStopped\n"));
    end_world(&world);
}

static void find_sink(void *user, const struct hf_component_view *view)
{
    if (strcmp(view->id, "sink/2") == 0) {
        *(struct hf_state_look *)user = view->look;
    }
}

static void answered(struct hf_reply *reply, enum hf_status status)
{
    (void)reply;
    assert_int_equal(status, HF_OK);
}

/* The state of sink/2, once it is that one. */
static struct hf_state_look wait_for(enum hf_state wanted)
{
    const struct timespec pause = {0, 1000000};
    struct hf_state_look look = {0};
    for (int i = 0; look.state != wanted; i++) {
        assert_true(i < 20000);
        hf_node_view_components(eye_node, find_sink, &look);
        nanosleep(&pause, NULL);
    }
    return look;
}

static void shows_why_an_exporter_does_not_deliver(void **state)
{
    static const uint8_t body[] = {0x0a, 5, 0x12, 3, 0x12, 1, 0};
    struct world world;
    char error[HF_ERROR_MAX] = "";
    struct hf_reply reply = {.done = answered};
    (void)state;
    make_world(&world);
    __atomic_store_n(&refuses, 1, __ATOMIC_SEQ_CST);
    assert_int_equal(hf_graph_start(world.graph, NULL, error), HF_OK);
    struct hf_batch *batch = hf_batch_new(HF_LOGS, sizeof(body), HF_EMPTY_SLICE);
    memcpy(hf_batch_room(batch), body, sizeof(body));
    hf_batch_seal(batch, sizeof(body), 1);
    hf_submit(source_node, batch, "made", &reply);
    hf_ref_drop(&batch->ref);
    struct hf_state_look look = wait_for(HF_STATE_PERMANENT_ERROR);
    assert_string_equal(look.error, "no such key");
    assert_true(look.since_unix_ns != 0);
    __atomic_store_n(&refuses, 0, __ATOMIC_SEQ_CST);
    assert_string_equal(wait_for(HF_STATE_OK).error, "");
    end_world(&world);
}

static void find_source(void *user, const struct hf_component_view *view)
{
    if (strcmp(view->id, "source") == 0) {
        *(struct hf_state_look *)user = view->look;
    }
}

static void shows_at_the_receivers_that_nothing_can_be_stored(void **state)
{
    struct world world;
    char error[HF_ERROR_MAX] = "";
    struct hf_state_look look = {0};
    (void)state;
    make_world(&world);
    assert_int_equal(hf_graph_start(world.graph, NULL, error), HF_OK);
    hf_storage_set_draining(world.host.store, true);
    hf_node_view_components(eye_node, find_source, &look);
    assert_int_equal(look.state, HF_STATE_RECOVERABLE_ERROR);
    assert_string_equal(look.error, "draining");
    uint64_t since_ns = look.since_unix_ns;
    hf_node_view_components(eye_node, find_source, &look);
    assert_int_equal(look.since_unix_ns, since_ns);
    hf_storage_set_draining(world.host.store, false);
    hf_node_view_components(eye_node, find_source, &look);
    assert_int_equal(look.state, HF_STATE_OK);
    end_world(&world);
}

static void prints_the_configuration(void **state)
{
    struct world world;
    (void)state;
    make_world(&world);
    char *text = hf_node_print_config(eye_node, true);
    assert_non_null(text);
    assert_non_null(strstr(text, "\"sink/2\""));
    free(text);
    end_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_components_in_the_order_of_the_configuration),
        cmocka_unit_test(shows_why_an_exporter_does_not_deliver),
        cmocka_unit_test(shows_at_the_receivers_that_nothing_can_be_stored),
        cmocka_unit_test(prints_the_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
