/* `holdfast graph`: what is drawn, in both languages. */
#include "support.h"

#include "made_up.h"

static enum hf_status connect_at_once(void *self, struct hf_batch *batch, struct hf_onward *onward)
{
    (void)self;
    (void)batch;
    (void)onward;
    return HF_OK;
}

static const struct hf_connector_ops forward_ops = {
    .makes = {HF_ALL_SIGNALS, HF_ALL_SIGNALS, HF_ALL_SIGNALS}, .connect = connect_at_once};
static const struct hf_component forward = {
    .type = "forward", .kind = HF_CONNECTOR, .signals = HF_ALL_SIGNALS, .connector = &forward_ops};
static const struct hf_queued_ops waiter_ops = {0};
static const struct hf_component waiter = {
    .type = "waiter", .kind = HF_PROCESSOR, .signals = HF_ALL_SIGNALS, .queued = &waiter_ops};
static const struct hf_component *const parts[] = {
    &made_nop_receiver, &made_nop_exporter, &made_batch_processor, &waiter, &forward, NULL};

static void assert_drawn(const char *config, enum hf_config_drawing kind, const char *expected)
{
    struct loaded loaded = load_text(parts, config);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    assert_non_null(loaded.config);
    hf_config_draw(loaded.config, kind, out);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
    loaded_free(&loaded);
}

#define PARTS "receivers: {nop: }\nexporters: {nop: , nop/unused: }\n"
#define WAITS                                                                                      \
    PARTS                                                                                          \
    "processors: {batch: , waiter: , waiter/2: }\nservice: {pipelines: {traces: {receivers: "      \
    "[nop], processors: [waiter, batch, waiter/2], exporters: [nop]}}}\n"

static void draws_a_queue_in_front_of_each_that_waits(void **state)
{
    (void)state;
    assert_drawn(WAITS, HF_DRAWING_MERMAID,
                 "flowchart LR\n"
                 "  receiver_0([\"nop\"])\n"
                 "  exporter_1[/\"nop\"/]\n"
                 "  subgraph pipeline_0[\"traces\"]\n"
                 "    pipeline_0_0[(\"queue traces\")]\n"
                 "    pipeline_0_1[\"waiter\"]\n"
                 "    pipeline_0_0 --> pipeline_0_1\n"
                 "    pipeline_0_2[\"batch\"]\n"
                 "    pipeline_0_1 --> pipeline_0_2\n"
                 "    pipeline_0_3[(\"queue traces#62;waiter\")]\n"
                 "    pipeline_0_2 --> pipeline_0_3\n"
                 "    pipeline_0_4[\"waiter/2\"]\n"
                 "    pipeline_0_3 --> pipeline_0_4\n"
                 "    pipeline_0_5[(\"queue traces#62;waiter/2\")]\n"
                 "    pipeline_0_4 --> pipeline_0_5\n"
                 "  end\n"
                 "  receiver_0 --> pipeline_0_0\n"
                 "  pipeline_0_5 --> exporter_1\n");
}

#define JOINS                                                                                      \
    PARTS "connectors: {forward: }\nservice: {pipelines: {logs/in: {receivers: [nop], exporters: " \
          "[forward]}, logs/out: {receivers: [forward], exporters: [nop]}}}\n"

static void draws_no_queue_in_front_of_what_answers_at_once(void **state)
{
    (void)state;
    assert_drawn(JOINS, HF_DRAWING_DOT,
                 "digraph holdfast {\n"
                 "  rankdir=LR;\n"
                 "  receiver_0 [label=\"nop\", shape=cds];\n"
                 "  exporter_1 [label=\"nop\", shape=rarrow];\n"
                 "  connector_3 [label=\"forward\", shape=hexagon];\n"
                 "  receiver_0 -> connector_3;\n"
                 "  subgraph cluster_1 {\n"
                 "    label=\"logs/out\";\n"
                 "    pipeline_1_0 [label=\"queue logs/out\", shape=cylinder];\n"
                 "  }\n"
                 "  connector_3 -> pipeline_1_0;\n"
                 "  pipeline_1_0 -> exporter_1;\n"
                 "}\n");
}

#define QUOTED                                                                                     \
    "receivers: {'nop/a\"b\\c': }\nexporters: {nop: }\nservice: {pipelines: {logs: {receivers: "   \
    "['nop/a\"b\\c'], exporters: [nop]}}}\n"

static void quotes_names(void **state)
{
    (void)state;
    assert_drawn(QUOTED, HF_DRAWING_DOT,
                 "digraph holdfast {\n"
                 "  rankdir=LR;\n"
                 "  receiver_0 [label=\"nop/a\\\"b\\\\c\", shape=cds];\n"
                 "  exporter_1 [label=\"nop\", shape=rarrow];\n"
                 "  subgraph cluster_0 {\n"
                 "    label=\"logs\";\n"
                 "    pipeline_0_0 [label=\"queue logs\", shape=cylinder];\n"
                 "  }\n"
                 "  receiver_0 -> pipeline_0_0;\n"
                 "  pipeline_0_0 -> exporter_1;\n"
                 "}\n");
    assert_drawn(QUOTED, HF_DRAWING_MERMAID,
                 "flowchart LR\n"
                 "  receiver_0([\"nop/a#34;b#92;c\"])\n"
                 "  exporter_1[/\"nop\"/]\n"
                 "  subgraph pipeline_0[\"logs\"]\n"
                 "    pipeline_0_0[(\"queue logs\")]\n"
                 "  end\n"
                 "  receiver_0 --> pipeline_0_0\n"
                 "  pipeline_0_0 --> exporter_1\n");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_a_queue_in_front_of_each_that_waits),
        cmocka_unit_test(draws_no_queue_in_front_of_what_answers_at_once),
        cmocka_unit_test(quotes_names),
    };
    return cmocka_run_group_tests_name("draw", tests, NULL, NULL);
}
