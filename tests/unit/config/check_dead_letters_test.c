/* The pipelines that exporters name for their dead letters. */
#include "support.h"

static void send_nothing(void *self, struct hf_export *export)
{
    (void)self;
    (void)export;
}

static const struct hf_exporter_ops exporter_ops = {.send = send_nothing};
static const struct hf_field no_fields[] = {HF_FIELDS_END};

static const struct hf_component receiver = {
    .type = "nop", .kind = HF_RECEIVER, .signals = HF_ALL_SIGNALS, .fields = no_fields};
static const struct hf_component exporter = {.type = "out",
                                             .kind = HF_EXPORTER,
                                             .signals = HF_ALL_SIGNALS,
                                             .fields = no_fields,
                                             .exporter = &exporter_ops};
static const struct hf_component *const components[] = {&receiver, &exporter, NULL};

/* One exporter with dead letters as given, and the pipelines: line 5. */
static void check(const char *dead_letter, const char *pipelines, const char *findings)
{
    char text[1024];
    snprintf(text, sizeof(text),
             "receivers: {nop: }\n"
             "exporters: {out: {sending_queue: {dead_letter: {%s}}}, out/2: }\n"
             "service: {pipelines:\n%s\n}\n",
             dead_letter, pipelines);
    struct loaded loaded = load_text(components, text);
    assert_findings(&loaded, findings);
    loaded_free(&loaded);
}

static void names_must_be_of_pipelines_that_carry_the_signal(void **state)
{
    const struct {
        const char *dead_letter, *pipelines, *findings;
    } cases[] = {
        {"pipeline: logs/dead",
         "{traces: {receivers: [nop], exporters: [out]}, logs/dead: {exporters: [out/2]}}", ""},
        {"pipeline: traces/dead",
         "{traces: {receivers: [nop], exporters: [out]}, traces/dead: {exporters: [out/2]}}", ""},
        {"pipeline: logs/dad",
         "{traces: {receivers: [nop], exporters: [out]}, logs/dead: {receivers: [nop], exporters: "
         "[out/2]}}",
         "E f:2:13: exporters::out::sending_queue::dead_letter::pipeline: names the pipeline "
         "\"logs/dad\", which is not in service::pipelines; did you mean \"logs/dead\"?\n"},
        {"pipeline: traces/dead",
         "{logs: {receivers: [nop], exporters: [out]}, traces/dead: {exporters: [out/2]}}",
         "E f:2:13: exporters::out::sending_queue::dead_letter::pipeline: the exporter carries "
         "logs, which the pipeline \"traces/dead\" does not; name a pipeline of logs, which takes "
         "all signals\n"},
        {"pipeline: logs",
         "{logs: {receivers: [nop], exporters: [out]}, traces: {receivers: [nop], exporters: "
         "[out/2]}}",
         "E f: service::pipelines: cycle detected: pipeline \"logs\" -> exporter \"out\" -> "
         "pipeline \"logs\"\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        check(cases[i].dead_letter, cases[i].pipelines, cases[i].findings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_must_be_of_pipelines_that_carry_the_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
