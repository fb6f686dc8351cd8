/* The examples keep the rules of their kinds, and the framework's keys come by themselves. */
#include "../../support/component_rules.h"

#include "config/config.h"

extern const struct hf_component hf_receiver_beat, hf_processor_drop_spans, hf_exporter_count,
    hf_connector_tally;

static const struct hf_component *const registry[] = {
    &hf_receiver_beat, &hf_processor_drop_spans, &hf_exporter_count, &hf_connector_tally, NULL,
};

static void every_example_keeps_the_rules_of_its_kind(void **state)
{
    (void)state;
    check_registry(registry);
}

/* The findings of a configuration of the examples, each a line. */
static void assert_findings(const char *text, const char *expected)
{
    const struct hf_config_source source = {.uri = "", .text = text, .name = "f"};
    const struct hf_config_options options = {
        .sources = &source, .source_count = 1, .components = registry};
    struct hf_finding *findings = NULL;
    size_t count = 0;
    struct hf_config *config = hf_config_load(&options, &findings, &count);
    char all[2048] = "";
    for (size_t i = 0; i < count; i++) {
        strncat(all, findings[i].text, sizeof(all) - strlen(all) - 1);
        strncat(all, "\n", sizeof(all) - strlen(all) - 1);
    }
    assert_string_equal(all, expected);
    assert_int_equal(config != NULL, expected[0] == '\0');
    hf_findings_free(findings, count);
    hf_config_free(config);
}

static void checks_the_delivery_keys_of_an_exporter_that_knows_none(void **state)
{
    (void)state;
    assert_findings("receivers: {beat: }\n"
                    "exporters:\n"
                    "  count:\n"
                    "    say: false\n"
                    "    timeout: 7s\n"
                    "    sending_queue: {batch: {min_size: 100, max_size: 10}}\n"
                    "service: {pipelines: {logs: {receivers: [beat], exporters: [count]}}}\n",
                    "f:6:44: exporters::count: sending_queue::batch::max_size must be greater than "
                    "or equal to min_size\n");
    assert_findings("receivers: {beat: }\n"
                    "exporters: {count: {sending_queue: {num_consumer: 1}}}\n"
                    "service: {pipelines: {logs: {receivers: [beat], exporters: [count]}}}\n",
                    "f:2:37: exporters::count: sending_queue::num_consumer: unknown key; did you "
                    "mean \"num_consumers\"? ('sending_queue' has invalid keys: num_consumer)\n");
}

/* A pipeline of `from` into the connector, and one of `to` out of it. */
static void assert_joins(const char *from, const char *to, const char *expected)
{
    char text[512];
    snprintf(text, sizeof(text),
             "receivers: {beat: }\nexporters: {count: }\nconnectors: {tally: }\n"
             "service:\n  pipelines:\n"
             "    logs: {receivers: [beat], exporters: [count]}\n"
             "    %s/from: {receivers: [%s], exporters: [tally]}\n"
             "    %s/to: {receivers: [tally], exporters: [count]}\n",
             from, "beat", to);
    assert_findings(text, expected);
}

static void joins_pipelines_of_the_signals_that_a_connector_declares(void **state)
{
    (void)state;
    assert_joins("logs", "metrics", "");
    assert_joins(
        "logs", "logs",
        "f:3:14: connectors::tally: connector \"tally\" used as exporter in [logs] pipeline "
        "but not used in any supported receiver pipeline; it makes metrics of that: put it among "
        "the receivers of such a pipeline\n"
        "f:3:14: connectors::tally: connector \"tally\" used as receiver in [logs] pipeline "
        "but not used in any supported exporter pipeline; it makes only metrics\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_keeps_the_rules_of_its_kind),
        cmocka_unit_test(checks_the_delivery_keys_of_an_exporter_that_knows_none),
        cmocka_unit_test(joins_pipelines_of_the_signals_that_a_connector_declares),
    };
    return cmocka_run_group_tests_name("examples", tests, NULL, NULL);
}
