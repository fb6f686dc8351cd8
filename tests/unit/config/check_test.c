/* Sections, ids, component types and their own checks. */
#include "support.h"

#include "made_up.h"

static void check(const char *text, const char *findings)
{
    struct loaded loaded = load_text(made_up, text);

    assert_findings(&loaded, findings);
    assert_int_equal(loaded.config == NULL, strncmp(findings, "E ", 2) == 0);
    loaded_free(&loaded);
}

static void loads_components_in_the_order_written(void **state)
{
    static const struct {
        enum hf_kind kind;
        const char *id;
    } expected[] = {{HF_EXPORTER, "otlp/gateway"},
                    {HF_EXPORTER, "logging"},
                    {HF_RECEIVER, "otlp"},
                    {HF_EXTENSION, "file_storage"}};
    struct loaded loaded = load_text(
        made_up, "exporters:\n"
                 "  ' otlp / gateway ': {endpoint: 'x:1', sending_queue: {storage: file_storage}}\n"
                 "  logging:\n"
                 "receivers:\n"
                 "  otlp: {protocols: {grpc: }}\n"
                 "extensions:\n"
                 "  file_storage:\n"
                 "service:\n"
                 "  extensions: [file_storage]\n"
                 "  pipelines:\n"
                 "    traces/2: {receivers: [otlp], exporters: [otlp/gateway, logging]}\n");
    size_t count = 0;
    (void)state;

    assert_findings(&loaded, "");
    assert_non_null(loaded.config);
    const struct hf_config_component *components = hf_config_components(loaded.config, &count);
    assert_int_equal(count, COUNT(expected));
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(components[i].kind, expected[i].kind);
        assert_string_equal(components[i].id, expected[i].id);
        assert_non_null(components[i].config);
    }
    assert_ptr_equal(components[1].component, &made_debug_exporter);
    const struct made_exporter *exporter = components[0].config;
    assert_string_equal(exporter->queue.storage, "file_storage");
    assert_int_equal(exporter->queue.num_consumers, 10);
    const struct hf_config_pipeline *pipelines = hf_config_pipelines(loaded.config, &count);
    assert_int_equal(count, 1);
    assert_string_equal(pipelines[0].id, "traces/2");
    assert_int_equal(pipelines[0].signal, HF_TRACES);
    assert_int_equal(pipelines[0].receiver_count, 1);
    assert_int_equal(pipelines[0].processor_count, 0);
    assert_int_equal(pipelines[0].exporter_count, 2);
    assert_ptr_equal(pipelines[0].exporters[1], &components[1]);
    const struct hf_config_component *const *extensions =
        hf_config_extensions(loaded.config, &count);
    assert_int_equal(count, 1);
    assert_ptr_equal(extensions[0], &components[3]);
    loaded_free(&loaded);
}

static void requires_receivers_exporters_and_pipelines(void **state)
{
    (void)state;

    check("", "E f: no receiver configuration specified in config\n"
              "E f: no exporter configuration specified in config\n"
              "E f: service::pipelines: service must have at least one pipeline\n");
    check("receivers:\nexporters: {}\nservice:\n",
          "E f:1:1: no receiver configuration specified in config\n"
          "E f:2:1: no exporter configuration specified in config\n"
          "E f:3:1: service::pipelines: service must have at least one pipeline\n");
}

static void refuses_sections_and_keys_it_does_not_know(void **state)
{
    (void)state;

    check("recievers: {nop: }\n" NOP_RECEIVER NOP_EXPORTER NOP_SERVICE,
          "E f:1:1: recievers: unknown key; did you mean \"receivers\"?; expected receivers, "
          "processors, exporters, connectors, extensions or service ('' has invalid keys: "
          "recievers)\n");
    check(NOP_RECEIVER NOP_EXPORTER "processors: [a]\n" NOP_SERVICE,
          "E f:3:13: processors: expected a map, got a list\n");
    check(NOP_RECEIVER NOP_EXPORTER
          "service: {pipeline: , pipelines: {traces: {receivers: [nop], exporters: [nop]}}}\n",
          "E f:3:11: service: pipeline: unknown key; did you mean \"pipelines\"?; expected "
          "extensions, pipelines or telemetry ('service' has invalid keys: pipeline)\n");
    check(NOP_RECEIVER NOP_EXPORTER "service: 5\n",
          "E f:3:1: service::pipelines: service must have at least one pipeline\n"
          "E f:3:10: service: expected a map, got \"5\"\n");
    check("- a\n", "E f:1:1: a configuration is a map with keys such as receivers and service, got "
                   "a list\n");
}

static void refuses_ids_that_are_none(void **state)
{
    const struct {
        const char *key, *finding;
    } cases[] = {
        {"''", "id must not be empty"},
        {"'  '", "id must not be empty"},
        {"nop/", "in \"nop/\" id: the part after / should not be empty"},
        {"'nop/ '", "in \"nop/ \" id: the part after / should not be empty"},
        {"/x", "in \"/x\" id: the part before / should not be empty"},
        {"no-p", "in \"no-p\" id: invalid character(s) in the part before /, or too many"},
        {"1nop", "in \"1nop\" id: invalid character(s) in the part before /, or too many"},
        {"nop/a b", "in \"nop/a b\" id: invalid character(s) in the part after /, or too many"},
        {"' nop'", "duplicate id \"nop\" once blanks are trimmed"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[512], findings[512];
        snprintf(text, sizeof(text), "receivers:\n  nop:\n  %s:\n" NOP_EXPORTER NOP_SERVICE,
                 cases[i].key);
        snprintf(findings, sizeof(findings), "E f:3:3: receivers: %s\n", cases[i].finding);
        check(text, findings);
    }
}

static void names_the_valid_types_of_an_unknown_one(void **state)
{
    (void)state;

    check("receivers: {nop: }\nexporters:\n  nop:\n  oltp/a: {any: key}\n" NOP_SERVICE,
          "E f:4:3: exporters: unknown type: \"oltp\" for id: \"oltp/a\"; did you mean \"otlp\"? "
          "(valid values: [debug nop otlp])\n"
          "W f:4:3: exporters::oltp/a: is defined but used in no pipeline\n");
    check(NOP_RECEIVER NOP_EXPORTER "extensions: {zpages: }\n" NOP_SERVICE,
          "E f:3:14: extensions: unknown type: \"zpages\" for id: \"zpages\" (valid values: "
          "[bearertokenauth file_storage])\n"
          "W f:3:14: extensions::zpages: is defined but not in service::extensions\n");
    check("receivers: {nop: }\nexporters:\n  nop:\n  jaeger_thrift:\n" NOP_SERVICE,
          "E f:4:3: exporters: unknown type: \"jaeger_thrift\" for id: \"jaeger_thrift\"; Jaeger "
          "takes OTLP: use the exporter otlphttp, and port 4318 of the same host instead of 14268\n"
          "W f:4:3: exporters::jaeger_thrift: is defined but used in no pipeline\n");
}

static void lists_what_is_not_built_in_when_that_may_be(void **state)
{
    struct hf_config_source source = {
        .uri = "",
        .name = "f",
        .text = "receivers: {nop: , hostmetrics: {any: [thing]}, hostmetrics/2: }\n"
                "processors: {tail_sampling: }\n" NOP_EXPORTER
                "service: {pipelines: {traces: {receivers: [nop, hostmetrics, hostmetrics/2], "
                "processors: [tail_sampling], exporters: [nop]}}}\n"};
    struct loaded loaded = load_with(&(struct hf_config_options){
        .sources = &source, .source_count = 1, .components = made_up, .partial = true});
    size_t count = 0;
    (void)state;

    assert_findings(&loaded, "M f:1:20: receiver hostmetrics\n"
                             "M f:1:49: receiver hostmetrics/2\n"
                             "M f:2:14: processor tail_sampling\n");
    const struct hf_config_component *components = hf_config_components(loaded.config, &count);
    assert_int_equal(count, 5);
    assert_null(components[1].component);
    assert_null(components[1].config);
    loaded_free(&loaded);
}

static void runs_the_check_of_a_component_at_the_key_it_names(void **state)
{
    (void)state;

    check("receivers: {otlp: }\n" NOP_EXPORTER
          "service: {pipelines: {traces: {receivers: [otlp], exporters: [nop]}}}\n",
          "E f:1:13: receivers::otlp: must specify at least one protocol when using the OTLP "
          "receiver\n");
    check(NOP_RECEIVER NOP_EXPORTER "processors:\n  batch:\n    timeout: 1s\n"
                                    "    send_batch_max_size: 10\n"
                                    "service: {pipelines: {traces: {receivers: [nop], processors: "
                                    "[batch], exporters: [nop]}}}\n",
          "E f:6:5: processors::batch: send_batch_max_size must be greater than or equal to "
          "send_batch_size\n");
    check(NOP_RECEIVER "exporters:\n"
                       "  otlp: {endpoint: 'a:1', sending_queue: {num_consumers: 1000, "
                       "queue_size: 1}}\n"
                       "service: {pipelines: {traces: {receivers: [nop], exporters: [otlp]}}}\n",
          "E f:3:64: exporters::otlp: more consumers than queue_size allows\n");
}

static void runs_the_check_beside_keys_it_does_not_know(void **state)
{
    (void)state;

    check(NOP_RECEIVER NOP_EXPORTER "processors:\n  batch:\n    tmeout: 1s\n"
                                    "    send_batch_max_size: 10\n"
                                    "service: {pipelines: {traces: {receivers: [nop], processors: "
                                    "[batch], exporters: [nop]}}}\n",
          "E f:5:5: processors::batch: tmeout: unknown key; did you mean \"timeout\"? ('' has "
          "invalid keys: tmeout)\n"
          "E f:6:5: processors::batch: send_batch_max_size must be greater than or equal to "
          "send_batch_size\n");
}

static void checks_unused_components_too_and_warns_of_them(void **state)
{
    (void)state;

    check("receivers: {nop: , otlp/2: {protocols: {grpc: }}}\n" NOP_EXPORTER
          "extensions: {file_storage: }\n" NOP_SERVICE,
          "W f:1:20: receivers::otlp/2: is defined but used in no pipeline\n"
          "W f:3:14: extensions::file_storage: is defined but not in service::extensions\n");
    check("receivers: {nop: , otlp/2: }\n" NOP_EXPORTER NOP_SERVICE,
          "E f:1:20: receivers::otlp/2: must specify at least one protocol when using the OTLP "
          "receiver\n"
          "W f:1:20: receivers::otlp/2: is defined but used in no pipeline\n");
}

static void reports_the_mistakes_of_all_components_at_once(void **state)
{
    (void)state;

    check("receivers:\n"
          "  otlp:\n"
          "    protocols:\n"
          "      grpc:\n"
          "        max_recv_msg_size_mib: many\n"
          "        endpont: x\n"
          "exporters:\n"
          "  otlp/gateway:\n"
          "    tls:\n"
          "      insecur: true\n"
          "    sending_queue:\n"
          "      storage: nowhere\n"
          "  otlp/b:\n"
          "    endpoint: ''\n"
          "service:\n"
          "  pipelines:\n"
          "    traces:\n"
          "      receivers: [otlp, jaeger]\n"
          "      exporters: [otlp/gateway, otlp/b]\n"
          "    metrics:\n",
          "E f:5:32: receivers::otlp: protocols::grpc::max_recv_msg_size_mib: expected a whole "
          "number, got \"many\"\n"
          "E f:6:9: receivers::otlp: protocols::grpc::endpont: unknown key; did you mean "
          "\"endpoint\"? ('protocols::grpc' has invalid keys: endpont)\n"
          "E f:8:3: exporters::otlp/gateway: requires a non-empty \"endpoint\"\n"
          "E f:10:7: exporters::otlp/gateway: tls::insecur: unknown key; did you mean "
          "\"insecure\"? ('tls' has invalid keys: insecur)\n"
          "E f:12:16: exporters::otlp/gateway: sending_queue::storage: references extension "
          "\"nowhere\" which is not configured\n"
          "E f:14:5: exporters::otlp/b: requires a non-empty \"endpoint\"\n"
          "E f:18:25: service::pipelines::traces: references receiver \"jaeger\" which is not "
          "configured\n"
          "E f:20:5: service::pipelines::metrics: must have at least one receiver\n"
          "E f:20:5: service::pipelines::metrics: must have at least one exporter\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_components_in_the_order_written),
        cmocka_unit_test(requires_receivers_exporters_and_pipelines),
        cmocka_unit_test(refuses_sections_and_keys_it_does_not_know),
        cmocka_unit_test(refuses_ids_that_are_none),
        cmocka_unit_test(names_the_valid_types_of_an_unknown_one),
        cmocka_unit_test(lists_what_is_not_built_in_when_that_may_be),
        cmocka_unit_test(runs_the_check_of_a_component_at_the_key_it_names),
        cmocka_unit_test(runs_the_check_beside_keys_it_does_not_know),
        cmocka_unit_test(checks_unused_components_too_and_warns_of_them),
        cmocka_unit_test(reports_the_mistakes_of_all_components_at_once),
    };
    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
