/* Whole configurations: a sidecar, a node agent, a gateway; several files; limits on memory. */
#include "support.h"

#include "made_up.h"

static const char sidecar[] = "receivers:\n"
                              "  otlp:\n"
                              "    protocols:\n"
                              "      grpc:\n"
                              "        endpoint: unix:///run/telemetry/in.sock\n"
                              "processors:\n"
                              "  # small and quick\n"
                              "  batch:\n"
                              "    timeout: 1s\n"
                              "    send_batch_size: 100\n"
                              "  memory_limiter:\n"
                              "    check_interval: 1s\n"
                              "    limit_mib: 100 # of 128\n"
                              "    spike_limit_mib: 20\n"
                              "  resource:\n"
                              "    attributes:\n"
                              "      - key: k8s.pod.name\n"
                              "        value: ${env:HOST}\n"
                              "        action: insert\n"
                              "exporters:\n"
                              "  otlp/up:\n"
                              "    endpoint: gateway:4317\n"
                              "    compression: gzip\n"
                              "    tls:\n"
                              "      insecure: false\n"
                              "      ca_file: /etc/ssl/ca.crt\n"
                              "    sending_queue:\n"
                              "      queue_size: 500\n"
                              "    retry_on_failure:\n"
                              "      enabled: true\n"
                              "      initial_interval: 5s\n"
                              "      max_interval: 30s\n"
                              "      max_elapsed_time: 300s\n"
                              "  logging:\n"
                              "    loglevel: info\n"
                              "service:\n"
                              "  pipelines:\n"
                              "    traces:\n"
                              "      receivers: [otlp]\n"
                              "      processors: [memory_limiter, batch, resource]\n"
                              "      exporters: [otlp/up, logging]\n"
                              "    metrics:\n"
                              "      receivers: [otlp]\n"
                              "      processors: [memory_limiter, batch, resource]\n"
                              "      exporters: [otlp/up]\n"
                              "  telemetry:\n"
                              "    logs:\n"
                              "      level: info\n"
                              "    metrics:\n"
                              "      level: detailed\n"
                              "      address: 0.0.0.0:8888\n";

static const char node_agent[] = "receivers:\n"
                                 "  otlp:\n"
                                 "    protocols:\n"
                                 "      grpc:\n"
                                 "        endpoint: ${env:HOST}:4317\n"
                                 "      http:\n"
                                 "        endpoint: ${env:HOST}:4318\n"
                                 "  hostmetrics:\n"
                                 "    collection_interval: 30s\n"
                                 "    scrapers:\n"
                                 "      cpu:\n"
                                 "      memory:\n"
                                 "  filelog:\n"
                                 "    include:\n"
                                 "      - /var/log/pods/*/*/*.log\n"
                                 "    operators:\n"
                                 "      - type: json_parser\n"
                                 "        timestamp:\n"
                                 "          layout: '%Y-%m-%dT%H:%M:%S.%LZ'\n"
                                 "processors:\n"
                                 "  batch:\n"
                                 "  k8sattributes:\n"
                                 "    extract:\n"
                                 "      labels:\n"
                                 "        - {tag_name: app, key: app, from: pod}\n"
                                 "exporters:\n"
                                 "  otlp/up: {endpoint: 'gateway:4317'}\n"
                                 "  prometheus:\n"
                                 "    endpoint: \"0.0.0.0:8889\"\n"
                                 "    const_labels: {node: '${env:NONE}'}\n"
                                 "service:\n"
                                 "  pipelines:\n"
                                 "    metrics:\n"
                                 "      receivers: [otlp, hostmetrics]\n"
                                 "      processors: [k8sattributes, batch]\n"
                                 "      exporters: [otlp/up, prometheus]\n"
                                 "    logs:\n"
                                 "      receivers: [otlp, filelog]\n"
                                 "      processors: [k8sattributes, batch]\n"
                                 "      exporters: [otlp/up]\n";

static void loads_a_sidecar(void **state)
{
    struct loaded loaded = load_text(made_up, sidecar);
    size_t count = 0;
    (void)state;

    assert_findings(&loaded, "W f:35:15: exporters::logging: loglevel: Accepted without effect.\n");
    assert_non_null(loaded.config);
    const struct hf_config_component *components = hf_config_components(loaded.config, &count);
    assert_int_equal(count, 6);
    const struct made_receiver *receiver = components[0].config;
    assert_string_equal(receiver->protocols.grpc->endpoint, "unix:///run/telemetry/in.sock");
    assert_null(receiver->protocols.http);
    const struct made_resource *resource = components[3].config;
    const struct made_action *actions = resource->attributes.items;
    assert_string_equal(actions[0].value.string, "db.local");
    const struct made_exporter *exporter = components[4].config;
    assert_int_equal(exporter->queue.queue_size, 500);
    assert_int_equal(exporter->retry.elapsed_ns, UINT64_C(300000000000));
    assert_string_equal(hf_config_telemetry(loaded.config)->metrics_level, "detailed");
    loaded_free(&loaded);
}

static void loads_a_node_agent_but_for_what_is_not_built_in(void **state)
{
    struct hf_config_source source = {.uri = "", .text = node_agent, .name = "f"};
    struct loaded loaded = load_with(&(struct hf_config_options){
        .sources = &source, .source_count = 1, .components = made_up, .partial = true});
    (void)state;

    assert_findings(&loaded,
                    "M f:8:3: receiver hostmetrics\n"
                    "M f:13:3: receiver filelog\n"
                    "M f:22:3: processor k8sattributes\n"
                    "M f:28:3: exporter prometheus\n"
                    "W f:30:26: the environment variable NONE is not set; it is read as empty\n");
    assert_non_null(loaded.config);
    loaded_free(&loaded);
}

static void wipes_what_a_later_source_sets_to_null(void **state)
{
    static const struct hf_config_source sources[] = {
        {.uri = "", .text = sidecar, .name = "one"},
        {.uri = "",
         .name = "two",
         .text = "processors:\nservice::pipelines::traces::processors:\n"
                 "service::pipelines::metrics:\n  processors: []\n"},
    };
    struct loaded loaded = load_with(&(struct hf_config_options){
        .sources = sources, .source_count = COUNT(sources), .components = made_up});
    size_t count = 0;
    (void)state;

    assert_findings(&loaded,
                    "W one:35:15: exporters::logging: loglevel: Accepted without effect.\n");
    hf_config_components(loaded.config, &count);
    assert_int_equal(count, 3);
    assert_int_equal(hf_config_pipelines(loaded.config, &count)[0].processor_count, 0);
    loaded_free(&loaded);
}

/* The pipelines are looked at last, and a component may stand in the second file. */
static void lists_findings_by_file_and_line(void **state)
{
    static const struct hf_config_source sources[] = {
        {.uri = "",
         .name = "one",
         .text = "service:\n  pipelines:\n    traces:\n      receivers: [nop]\n"
                 "      exporters: [none]\n      z: 1\n"},
        {.uri = "",
         .name = "two",
         .text = "exporters:\n  nop: {b: 1}\nreceivers:\n  nop: {c: 1, a: 1}\n"},
    };
    struct loaded loaded = load_with(&(struct hf_config_options){
        .sources = sources, .source_count = COUNT(sources), .components = made_up});
    (void)state;

    assert_findings(
        &loaded,
        "W two:2:3: exporters::nop: is defined but used in no pipeline\n"
        "E two:2:9: exporters::nop: b: unknown key ('' has invalid keys: b)\n"
        "E two:4:9: receivers::nop: c: unknown key ('' has invalid keys: c)\n"
        "E two:4:15: receivers::nop: a: unknown key ('' has invalid keys: a)\n"
        "E one:5:19: service::pipelines::traces: references exporter \"none\" which is not "
        "configured\n"
        "E one:6:7: service::pipelines::traces: z: unknown key; expected receivers, processors, "
        "exporters or shards ('' has invalid keys: z)\n");
    loaded_free(&loaded);
}

static void takes_components_without_a_table(void **state)
{
    struct loaded loaded = load_text(made_up, NOP_RECEIVER NOP_EXPORTER NOP_SERVICE);
    size_t count = 0;
    (void)state;

    assert_findings(&loaded, "");
    assert_non_null(hf_config_components(loaded.config, &count)[0].config);
    loaded_free(&loaded);

    loaded = load_text(made_up, "receivers: {nop: {a: 1}}\n" NOP_EXPORTER NOP_SERVICE);
    assert_findings(&loaded, "E f:1:19: receivers::nop: a: unknown key ('' has invalid keys: a)\n");
    loaded_free(&loaded);
}

/* Every limit from none to enough: an error and no crash, until it fits. */
static void fails_cleanly_at_every_limit_on_memory(void **state)
{
    struct hf_config_source source = {.uri = "", .text = sidecar, .name = "f"};
    struct hf_config_options options = {
        .sources = &source, .source_count = 1, .components = made_up, .getenv = test_getenv};
    struct hf_config *config = NULL;
    size_t limit = 0;
    (void)state;

    for (; config == NULL && limit < 1u << 20; limit += 48) {
        struct hf_finding *findings = NULL;
        size_t count = 0;
        config = hf_config_load_within(&options, limit, &findings, &count);
        assert_true(count > 0);
        if (config == NULL) {
            assert_int_equal(findings[count - 1].kind, HF_FINDING_ERROR);
            assert_non_null(strstr(findings[count - 1].text, "memory"));
        }
        hf_findings_free(findings, count);
    }
    assert_non_null(config);
    assert_true(limit > 48);
    hf_config_free(config);
}

static void stops_listing_after_very_many_mistakes(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    (void)state;

    fprintf(out, NOP_RECEIVER NOP_SERVICE "exporters:\n  nop:\n  otlp:\n    endpoint: x\n");
    for (int i = 0; i < 1000; i++) {
        fprintf(out, "    k%d: 1\n", i);
    }
    fclose(out);
    struct loaded loaded = load_text(made_up, text);
    assert_null(loaded.config);
    assert_int_equal(loaded.count, HF_CONFIG_FINDINGS + 2); /* and that otlp is not used */
    assert_string_equal(loaded.findings[HF_CONFIG_FINDINGS + 1].text,
                        "there are more than 200 errors; the rest is left out");
    loaded_free(&loaded);
    free(text);
}

static void shows_an_error_behind_very_many_warnings(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    (void)state;

    fprintf(out, "exporters:\n");
    for (int i = 0; i < 1000; i++) {
        fprintf(out, "  nop/%d:\n", i);
    }
    fprintf(out, "  nop:\n" NOP_RECEIVER NOP_SERVICE "more:\n");
    fclose(out);
    struct loaded loaded = load_text(made_up, text);
    assert_null(loaded.config);
    assert_int_equal(loaded.count, HF_CONFIG_FINDINGS + 1);
    assert_int_equal(loaded.findings[HF_CONFIG_FINDINGS - 1].kind, HF_FINDING_WARNING);
    assert_int_equal(loaded.findings[HF_CONFIG_FINDINGS].kind, HF_FINDING_ERROR);
    loaded_free(&loaded);
    free(text);
}

static void frees_nothing_gladly(void **state)
{
    (void)state;

    hf_config_free(NULL);
    hf_findings_free(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_a_sidecar),
        cmocka_unit_test(loads_a_node_agent_but_for_what_is_not_built_in),
        cmocka_unit_test(wipes_what_a_later_source_sets_to_null),
        cmocka_unit_test(lists_findings_by_file_and_line),
        cmocka_unit_test(takes_components_without_a_table),
        cmocka_unit_test(fails_cleanly_at_every_limit_on_memory),
        cmocka_unit_test(stops_listing_after_very_many_mistakes),
        cmocka_unit_test(shows_an_error_behind_very_many_warnings),
        cmocka_unit_test(frees_nothing_gladly),
    };
    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
