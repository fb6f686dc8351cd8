/* What is said of connectors that stand where they cannot, or name pipelines that they do not feed.
 */
#include "support.h"

#include "made_up.h"

struct narrow_config {
    struct hf_string_list pipelines;
};

static const char *pipeline_named(const void *config, size_t index)
{
    const struct narrow_config *narrow = config;
    return index < narrow->pipelines.count ? narrow->pipelines.items[index] : NULL;
}

static const struct hf_field narrow_fields[] = {
    {.key = "pipelines",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct narrow_config, pipelines),
     .help = "Some of those behind it."},
    HF_FIELDS_END,
};

/* Makes metrics of traces, and logs of metrics. */
static const struct hf_component narrow = {
    .type = "narrow",
    .kind = HF_CONNECTOR,
    .signals = HF_SIGNAL_BIT(HF_TRACES) | HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct narrow_config),
    .fields = narrow_fields,
    .connector =
        &(const struct hf_connector_ops){
            .makes =
                {[HF_TRACES] = HF_SIGNAL_BIT(HF_METRICS), [HF_METRICS] = HF_SIGNAL_BIT(HF_LOGS)},
            .pipeline_named = pipeline_named},
};

static const struct hf_component *const components[] = {&made_nop_receiver, &made_nop_exporter,
                                                        &narrow, NULL};

#define HEAD NOP_RECEIVER NOP_EXPORTER "connectors: {narrow: {pipelines: [metrics]}}\n"
#define PLAIN NOP_RECEIVER NOP_EXPORTER "connectors: {narrow: }\n"
#define AT "E f:3:14: connectors::narrow: "

static void says_what_is_wrong_with_a_connector(void **state)
{
    const struct {
        const char *text, *findings;
    } cases[] = {
        {HEAD "service: {pipelines: {traces: {receivers: [nop], exporters: [narrow]}, metrics: "
              "{receivers: [narrow], exporters: [nop]}}}\n",
         ""},
        {PLAIN "service: {pipelines: {traces: {receivers: [nop], exporters: [nop, narrow]}}}\n",
         AT "connector \"narrow\" used as exporter in [traces] pipeline but not used in any "
            "supported receiver pipeline; it makes metrics of that: put it among the receivers of "
            "such a pipeline\n"},
        {PLAIN "service: {pipelines: {logs: {receivers: [nop], exporters: [nop, narrow]}, metrics: "
               "{receivers: [narrow], exporters: [nop]}}}\n",
         AT "connector \"narrow\" used as exporter in [logs] pipeline but not used in any "
            "supported receiver pipeline; it reads only traces metrics\n" AT
            "connector \"narrow\" used as receiver in [metrics] pipeline but not used in any "
            "supported exporter pipeline; it makes that of traces: put it among the exporters of "
            "such a pipeline\n"},
        {PLAIN "service: {pipelines: {traces: {receivers: [narrow], exporters: [nop]}, metrics: "
               "{receivers: [nop], exporters: [narrow]}}}\n",
         AT "connector \"narrow\" used as exporter in [metrics] pipeline but not used in any "
            "supported receiver pipeline; it makes logs of that: put it among the receivers of "
            "such a pipeline\n" AT
            "connector \"narrow\" used as receiver in [traces] pipeline but not used in any "
            "supported exporter pipeline; it makes only metrics logs\n"},
        {HEAD "service: {pipelines: {traces: {receivers: [nop], exporters: [narrow]}, metrics/a: "
              "{receivers: [narrow], exporters: [nop]}}}\n",
         AT "names the pipeline \"metrics\", which is not in service::pipelines; did you mean "
            "\"metrics/a\"? (pipeline not found)\n"},
        {HEAD "service: {pipelines: {traces: {receivers: [nop], exporters: [narrow]}, metrics: "
              "{receivers: [nop], exporters: [nop]}, metrics/a: {receivers: [narrow], exporters: "
              "[nop]}}}\n",
         AT "names the pipeline \"metrics\", which does not have \"narrow\" among its receivers; "
            "add it there (pipeline not found)\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct loaded loaded = load_text(components, cases[i].text);
        assert_findings(&loaded, cases[i].findings);
        loaded_free(&loaded);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_is_wrong_with_a_connector),
    };
    return cmocka_run_group_tests_name("check_connectors", tests, NULL, NULL);
}
