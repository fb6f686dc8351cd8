/* Pipelines, and what stands in them. */
#include "support.h"

#include "made_up.h"

/* One receiver, two processors, one exporter, and the service as given. Its text is line 5. */
static void check(const char *pipelines, const char *findings)
{
    char text[1024];

    snprintf(text, sizeof(text),
             "receivers: {nop: , nop/2: }\nprocessors: {batch: , batch/2: }\nexporters: {nop: }\n"
             "service: {pipelines:\n%s\n}\n",
             pipelines);
    struct loaded loaded = load_text(made_up, text);
    /* What is not used by the case at hand is not its subject. */
    size_t kept = 0;
    for (size_t i = 0; i < loaded.count; i++) {
        if (strstr(loaded.findings[i].text, "is defined but used") == NULL) {
            loaded.findings[kept++] = loaded.findings[i];
        }
    }
    loaded.count = kept;
    assert_findings(&loaded, findings);
    assert_int_equal(loaded.config == NULL, strncmp(findings, "E ", 2) == 0);
    loaded_free(&loaded);
}

static void refuses_pipelines_that_cannot_run(void **state)
{
    const struct {
        const char *pipelines, *findings;
    } cases[] = {
        {"{traces: {receivers: [nop], processors: [batch, batch/2], exporters: [nop]}}", ""},
        {"{traces: {receivers: nop, exporters: 'nop'}}", ""},
        {"", "E f:6:1: service::pipelines: service must have at least one pipeline\n"},
        {"{}", "E f:5:1: service::pipelines: service must have at least one pipeline\n"},
        {"[traces]", "E f:5:1: service::pipelines: expected a map, got a list\n"},
        {"{traces: 5}", "E f:5:10: service::pipelines::traces: expected a map, got \"5\"\n"},
        {"{traces: {receivers: [nop]}}",
         "E f:5:2: service::pipelines::traces: must have at least one exporter\n"},
        {"{traces: {exporters: [nop]}}",
         "E f:5:2: service::pipelines::traces: must have at least one receiver\n"},
        {"{traces: {receivers: [], exporters: [nop]}}",
         "E f:5:2: service::pipelines::traces: must have at least one receiver\n"},
        {"{spans: {receivers: [nop], exporters: [nop]}}",
         "E f:5:2: service::pipelines::spans: pipeline \"spans\": unknown datatype \"spans\"; "
         "expected traces, metrics, logs or profiles (unknown pipeline signal)\n"},
        {"{metric/x: }",
         "E f:5:2: service::pipelines::metric/x: pipeline \"metric/x\": unknown datatype "
         "\"metric\"; expected traces, metrics, logs or profiles; did you mean \"metrics\"? "
         "(unknown "
         "pipeline signal)\n"},
        {"{traces/: {receivers: [nop], exporters: [nop]}}",
         "E f:5:2: service::pipelines: in \"traces/\" id: the part after / should not be empty\n"},
        {"{traces: {receivers: [nop], exporters: [nop]}, 'traces ': {receivers: [nop], "
         "exporters: [nop]}}",
         "E f:5:48: service::pipelines::traces: duplicate id once blanks are trimmed\n"},
        {"{traces: {receivers: [nop/3], exporters: [nop]}}",
         "E f:5:23: service::pipelines::traces: references receiver \"nop/3\" which is not "
         "configured; did you mean \"nop/2\"?\n"},
        {"{traces: {receivers: [nop], processors: [fliter], exporters: [nop]}}",
         "E f:5:42: service::pipelines::traces: references processor \"fliter\" which is not "
         "configured\n"},
        {"{traces: {receivers: [nop], exporters: [loki]}}",
         "E f:5:41: service::pipelines::traces: references exporter \"loki\" which is not "
         "configured\n"},
        {"{traces: {receivers: [nop], processors: [batch, batch/2, ' batch'], exporters: [nop]}}",
         "E f:5:58: service::pipelines::traces: references processor \"batch\" multiple times\n"},
        {"{traces: {receivers: [nop, nop], exporters: [nop, nop]}}",
         "W f:5:28: service::pipelines::traces: references receiver \"nop\" more than once; once "
         "is enough\n"
         "W f:5:51: service::pipelines::traces: references exporter \"nop\" more than once; once "
         "is enough\n"},
        {"{traces: {receivers: [nop, /x], exporters: [nop]}}",
         "E f:5:28: service::pipelines::traces: receivers: in \"/x\" id: the part before / should "
         "not be empty\n"},
        {"{traces: {receivers: {nop: }, exporters: [nop]}}",
         "E f:5:2: service::pipelines::traces: must have at least one receiver\n"
         "E f:5:22: service::pipelines::traces: receivers: expected a list, got a map\n"},
        {"{traces: {reciever: [nop], receivers: [nop], exporters: [nop]}}",
         "E f:5:11: service::pipelines::traces: reciever: unknown key; did you mean "
         "\"receivers\"?; expected receivers, processors, exporters or shards ('' has invalid "
         "keys: reciever)\n"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        check(cases[i].pipelines, cases[i].findings);
    }
}

static void names_what_a_reference_probably_meant(void **state)
{
    const struct {
        const char *pipelines, *findings;
    } cases[] = {
        {"{traces: {receivers: [nop], processors: [batch/other], exporters: [nop/elsewhere]}}",
         "E f:5:42: service::pipelines::traces: references processor \"batch/other\" which is not "
         "configured; did you mean \"batch\"?\n"
         "E f:5:68: service::pipelines::traces: references exporter \"nop/elsewhere\" which is not "
         "configured; did you mean \"nop\"?\n"},
        {"{traces: {receivers: [batch/2], processors: [nop], exporters: [nop]}}",
         "E f:5:23: service::pipelines::traces: references receiver \"batch/2\" which is not "
         "configured; did you mean the processor of that id, which is named under processors?\n"
         "E f:5:46: service::pipelines::traces: references processor \"nop\" which is not "
         "configured; did you mean the receiver of that id, which is named under receivers?\n"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        check(cases[i].pipelines, cases[i].findings);
    }
}

static void refuses_components_in_pipelines_of_other_signals(void **state)
{
    struct loaded loaded = load_text(
        made_up, NOP_RECEIVER NOP_EXPORTER
        "processors: {sampler: }\n"
        "service: {pipelines: {traces: {receivers: [nop], processors: [sampler], exporters: "
        "[nop]},\n"
        "  logs: {receivers: [nop], processors: [sampler], exporters: [nop]}}}\n");
    (void)state;

    assert_null(loaded.config);
    assert_findings(&loaded, "E f:5:41: service::pipelines::logs: processor \"sampler\" does not "
                             "support logs (telemetry type is not supported)\n");
    loaded_free(&loaded);
}

static void checks_connectors_on_both_sides(void **state)
{
    const struct {
        const char *text, *findings;
    } cases[] = {
        {NOP_RECEIVER NOP_EXPORTER
         "connectors: {link: }\n"
         "service: {pipelines: {traces: {receivers: [nop], exporters: [link]}, metrics: "
         "{receivers: [link], exporters: [nop]}}}\n",
         ""},
        {NOP_RECEIVER NOP_EXPORTER
         "connectors: {link: }\n"
         "service: {pipelines: {traces: {receivers: [nop], exporters: [nop, link]}}}\n",
         "E f:3:14: connectors::link: connector \"link\" used as exporter in [traces] pipeline but "
         "not used in any supported receiver pipeline\n"},
        {NOP_RECEIVER NOP_EXPORTER
         "connectors: {link: }\n"
         "service: {pipelines: {traces: {receivers: [nop, link], exporters: [nop]}, logs: "
         "{receivers: [link], exporters: [nop]}}}\n",
         "E f:3:14: connectors::link: connector \"link\" used as receiver in [traces logs] "
         "pipeline but not used in any supported exporter pipeline\n"},
        {NOP_RECEIVER NOP_EXPORTER "connectors: {nop: }\n" NOP_SERVICE,
         "E f:3:14: connectors: unknown type: \"nop\" for id: \"nop\" (valid values: [link])\n"
         "E f:3:14: connectors::nop: ambiguous ID: Found both \"nop\" receiver and \"nop\" "
         "connector. Give one of them another name, such as \"nop/connector\"\n"
         "E f:3:14: connectors::nop: ambiguous ID: Found both \"nop\" exporter and \"nop\" "
         "connector. Give one of them another name, such as \"nop/connector\"\n"
         "W f:3:14: connectors::nop: is defined but used in no pipeline\n"},
        {NOP_RECEIVER NOP_EXPORTER
         "connectors: {link: }\n"
         "service: {pipelines: {traces: {receivers: [nop, link], exporters: [link]}}}\n",
         "E f: service::pipelines: cycle detected: pipeline \"traces\" -> connector \"link\" -> "
         "pipeline \"traces\"\n"
         "W f:2:13: exporters::nop: is defined but used in no pipeline\n"},
        {NOP_RECEIVER NOP_EXPORTER
         "connectors: {link: , link/b: }\n"
         "service: {pipelines: {logs: {receivers: [nop], exporters: [link]}, traces: {receivers: "
         "[link, link/b], exporters: [link/b, nop]}, metrics: {receivers: [link], exporters: "
         "[link/b]}}}\n",
         "E f: service::pipelines: cycle detected: pipeline \"traces\" -> connector \"link/b\" -> "
         "pipeline \"traces\"\n"},
        {NOP_RECEIVER NOP_EXPORTER
         "connectors: {link: , link/b: }\n"
         "service: {pipelines: {logs: {receivers: [nop], exporters: [link]}, traces: {receivers: "
         "[link, link/b], exporters: [nop]}, metrics: {receivers: [link], exporters: "
         "[link/b]}}}\n",
         ""},
        {NOP_RECEIVER NOP_EXPORTER
         "connectors: {link: , link/b: }\n"
         "service: {pipelines: {logs: {receivers: [nop, link/b], exporters: [link]}, traces: "
         "{receivers: [link], exporters: [nop, link/b]}}}\n",
         "E f: service::pipelines: cycle detected: pipeline \"logs\" -> connector \"link\" -> "
         "pipeline \"traces\" -> connector \"link/b\" -> pipeline \"logs\"\n"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct loaded loaded = load_text(made_up, cases[i].text);
        assert_findings(&loaded, cases[i].findings);
        loaded_free(&loaded);
    }
}

static void checks_references_to_extensions(void **state)
{
    const struct {
        const char *exporter, *service, *findings;
    } cases[] = {
        {"auth: {authenticator: bearertokenauth}", "[bearertokenauth, file_storage]", ""},
        {"sending_queue: {storage: file_storage}", "[bearertokenauth, file_storage]", ""},
        {"sending_queue: {storage: bearertokenauth}", "[bearertokenauth, file_storage]",
         "E f:2:58: exporters::otlp: sending_queue::storage: extension \"bearertokenauth\" is not "
         "a "
         "storage\n"},
        {"sending_queue: {storage: ''}", "[bearertokenauth, file_storage]", ""},
        {"sending_queue: {storage: 'file_storage/x'}", "[bearertokenauth, file_storage]",
         "E f:2:58: exporters::otlp: sending_queue::storage: references extension "
         "\"file_storage/x\" which is not configured; did you mean \"file_storage\"?\n"},
        {"auth: {authenticator: file_storage}", "[bearertokenauth, file_storage]",
         "E f:2:55: exporters::otlp: auth::authenticator: extension \"file_storage\" is not an "
         "authenticator\n"},
        {"auth: {authenticator: bearertokenauth}", "[file_storage]",
         "E f:2:55: exporters::otlp: auth::authenticator: extension \"bearertokenauth\" is "
         "configured but not in service::extensions; add it there\n"
         "W f:3:14: extensions::bearertokenauth: is defined but not in service::extensions\n"},
        {"", "[bearertokenauth, file_storage, healthcheck]",
         "E f:4:55: service::extensions: references extension \"healthcheck\" which is not "
         "configured\n"},
        {"", "[bearertokenauth, file_storage, file_storage]",
         "W f:4:55: service::extensions: extension \"file_storage\" is listed twice\n"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[1024];
        snprintf(text, sizeof(text),
                 NOP_RECEIVER "exporters: {otlp: {endpoint: x, %s}}\n"
                              "extensions: {bearertokenauth: , file_storage: }\n"
                              "service: {extensions: %s,\n"
                              "  pipelines: {traces: {receivers: [nop], exporters: [otlp]}}}\n",
                 cases[i].exporter, cases[i].service);
        struct loaded loaded = load_text(made_up, text);
        assert_findings(&loaded, cases[i].findings);
        loaded_free(&loaded);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_pipelines_that_cannot_run),
        cmocka_unit_test(names_what_a_reference_probably_meant),
        cmocka_unit_test(refuses_components_in_pipelines_of_other_signals),
        cmocka_unit_test(checks_connectors_on_both_sides),
        cmocka_unit_test(checks_references_to_extensions),
    };
    return cmocka_run_group_tests_name("pipelines", tests, NULL, NULL);
}
