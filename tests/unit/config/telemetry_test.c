/* service.telemetry: logs, metrics, their defaults and the keys without effect. */
#include "support.h"

#include "made_up.h"

static struct loaded load_telemetry(const char *telemetry)
{
    char text[1024];

    snprintf(text, sizeof(text),
             NOP_RECEIVER NOP_EXPORTER
             "service:\n"
             "  pipelines: {traces: {receivers: [nop], exporters: [nop]}}\n"
             "  telemetry: %s\n",
             telemetry);
    return load_text(made_up, text);
}

static void has_the_defaults_of_the_go_collector(void **state)
{
    static const char *const bodies[] = {"", "{}", "{logs: , metrics: , resource: }",
                                         "{metrics: {address: }}"};
    (void)state;

    for (size_t i = 0; i < COUNT(bodies); i++) {
        struct loaded loaded = load_telemetry(bodies[i]);
        assert_findings(&loaded, "");
        const struct hf_telemetry_config *telemetry = hf_config_telemetry(loaded.config);
        assert_int_equal(telemetry->log_level, HF_TELEMETRY_INFO);
        assert_null(telemetry->log_encoding);
        assert_int_equal(telemetry->log_output_paths.count, 1);
        assert_string_equal(telemetry->log_output_paths.items[0], "stderr");
        assert_string_equal(telemetry->metrics_level, "normal");
        assert_string_equal(telemetry->metrics_address, "0.0.0.0:8888");
        assert_false(telemetry->type_suffix);
        assert_false(telemetry->unit_suffix);
        assert_true(telemetry->constant_labels);
        assert_int_equal(telemetry->resource.count, 0);
        loaded_free(&loaded);
    }
}

static void takes_the_keys_of_logs_and_resource(void **state)
{
    struct loaded loaded =
        load_telemetry("{logs: {level: WARN, encoding: json, output_paths: [stdout, /tmp/x], "
                       "initial_fields: {a: 1}}, resource: {service.name: me, "
                       "service.instance.id: }}");
    (void)state;

    assert_findings(&loaded, "");
    const struct hf_telemetry_config *telemetry = hf_config_telemetry(loaded.config);
    assert_int_equal(telemetry->log_level, HF_TELEMETRY_WARN);
    assert_string_equal(telemetry->log_encoding, "json");
    assert_int_equal(telemetry->log_output_paths.count, 2);
    assert_string_equal(telemetry->initial_fields.items[0].value, "1");
    assert_int_equal(telemetry->resource.count, 2);
    assert_string_equal(telemetry->resource.items[0].value, "me");
    assert_string_equal(telemetry->resource.items[1].key, "service.instance.id");
    assert_null(telemetry->resource.items[1].value);
    loaded_free(&loaded);
}

static void takes_every_spelling_of_the_resource(void **state)
{
    static const char *const bodies[] = {
        "{service.name: me, a: , b: '1'}",
        "[{name: service.name, value: me}, {name: a}, {name: b, value: 1}]",
        "{attributes: [{name: service.name, value: me}, {name: a, value: }, {name: b, value: 1}]}",
        "{service.name: other, attributes: [{name: service.name, value: me, type: string}, {name: "
        "a, value: null}, {name: b, value: 1, type: int}]}",
        "{attributes: , service.name: me, a: ~, b: 1}",
    };
    (void)state;

    for (size_t i = 0; i < COUNT(bodies); i++) {
        char body[512];
        snprintf(body, sizeof(body), "{resource: %s}", bodies[i]);
        struct loaded loaded = load_telemetry(body);
        assert_findings(&loaded, "");
        struct hf_string_map resource = hf_config_telemetry(loaded.config)->resource;
        assert_int_equal(resource.count, 3);
        assert_string_equal(resource.items[0].key, "service.name");
        assert_string_equal(resource.items[0].value, "me");
        assert_string_equal(resource.items[1].key, "a");
        assert_null(resource.items[1].value);
        assert_string_equal(resource.items[2].value, "1");
        loaded_free(&loaded);
    }
    struct loaded loaded =
        load_telemetry("{resource: {schema_url: 'https://x/1', attributes: []}}");
    assert_findings(&loaded,
                    "W f:5:26: service::telemetry: resource::schema_url: has no effect: own "
                    "metrics carry the attributes alone\n");
    loaded_free(&loaded);
    loaded = load_telemetry("{resource: {attributes: [{value: x}, 5], a: [b]}}");
    assert_findings(&loaded,
                    "E f:5:39: service::telemetry: resource::attributes[0]: expected a map with "
                    "the keys name and value\n"
                    "E f:5:51: service::telemetry: resource::attributes[1]: expected a map with "
                    "the keys name and value\n"
                    "E f:5:58: service::telemetry: resource::a: expected text, got a list\n");
    loaded_free(&loaded);
}

static void finds_the_metrics_endpoint(void **state)
{
    const struct {
        const char *metrics, *address;
        bool type_suffix, unit_suffix, constant_labels;
    } cases[] = {
        {"{address: ':8889'}", "0.0.0.0:8889", false, false, true},
        {"{address: '127.0.0.1:0'}", "127.0.0.1:0", false, false, true},
        {"{address: '[::1]:8888', level: detailed}", "[::1]:8888", false, false, true},
        {"{level: none}", NULL, false, false, true},
        {"{level: None, address: ':1'}", NULL, false, false, true},
        {"{readers: []}", NULL, false, false, true},
        {"{readers: [{pull: {exporter: {prometheus: }}}]}", "localhost:8888", true, true, false},
        {"{readers: [{pull: {exporter: {prometheus: {host: 0.0.0.0, port: 9}}}}]}", "0.0.0.0:9",
         true, true, false},
        {"{readers: [{pull: {exporter: {prometheus: {host: '::1'}}}}]}", "[::1]:8888", true, true,
         false},
        {"{readers: [{pull: {exporter: {prometheus: {host: '', without_units: true, "
         "without_type_suffix: true, without_scope_info: true, with_resource_constant_labels: "
         "{included: [service.name]}}}}}]}",
         "0.0.0.0:8888", false, false, true},
        {"{address: ':1', readers: [{pull: {exporter: {prometheus: {port: 2}}}}]}", "localhost:2",
         true, true, false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[512];
        snprintf(text, sizeof(text), "{metrics: %s}", cases[i].metrics);
        struct loaded loaded = load_telemetry(text);
        assert_findings(&loaded, "");
        const struct hf_telemetry_config *telemetry = hf_config_telemetry(loaded.config);
        if (cases[i].address == NULL) {
            assert_null(telemetry->metrics_address);
        } else {
            assert_string_equal(telemetry->metrics_address, cases[i].address);
        }
        assert_int_equal(telemetry->type_suffix, cases[i].type_suffix);
        assert_int_equal(telemetry->unit_suffix, cases[i].unit_suffix);
        assert_int_equal(telemetry->constant_labels, cases[i].constant_labels);
        loaded_free(&loaded);
    }
}

/* What is pushed where, of one list, in a line each. */
static void describe_pushes(const struct hf_push_list *list, char *out, size_t room)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < list->count; i++) {
        const struct hf_push_config *push = list->items[i];
        used += (size_t)snprintf(out + used, room - used, "%s %s%s%s %llu %llu",
                                 push->is_http ? "http" : "grpc", push->endpoint,
                                 push->gzip ? " gzip" : "", push->tls.insecure ? " plain" : "",
                                 (unsigned long long)(push->timeout_ns / 1000000),
                                 (unsigned long long)(push->interval_ns / 1000000));
        for (size_t k = 0; k < push->headers.count; k++) {
            used += (size_t)snprintf(out + used, room - used, " %s=%s", push->headers.items[k].key,
                                     push->headers.items[k].value);
        }
        used += (size_t)snprintf(out + used, room - used, "\n");
    }
}

static void takes_every_spelling_of_what_is_pushed(void **state)
{
    static const struct {
        const char *telemetry, *metrics, *logs, *traces;
    } cases[] = {
        {"{metrics: {readers: [{periodic: {interval: 5000, exporter: {otlp: {protocol: "
         "http/protobuf, endpoint: 'a:1', headers: {k: v}}}}}]}}",
         "http https://a:1 10000 5000 k=v\n", "", ""},
        {"{metrics: {readers: [{periodic: {exporter: {otlp: {protocol: grpc, endpoint: "
         "'http://a:1', headers: [{name: k, value: v}], insecure: true, timeout: 7}}}}]}}",
         "grpc http://a:1 plain 7 60000 k=v\n", "", ""},
        {"{traces: {processors: [{simple: {exporter: {otlp: {protocol: grpc/protobuf, endpoint: "
         "'https://c:3'}}}}]}}",
         "", "", "grpc https://c:3 10000 0\n"},
        {"{metrics: {level: none, readers: [{periodic: {exporter: {otlp_grpc: }}}]}}", "", "", ""},
        {"{logs: {processors: [{batch: {exporter: {otlp: {protocol: http/protobuf, endpoint: "
         "'a:1', insecure: true, compression: gzip, headers_list: 'a=b,c=d=e'}}}}, {simple: "
         "{exporter: {otlp_http: {endpoint: 'https://b:2', encoding: protobuf}}}}]}}",
         "", "http http://a:1 gzip plain 10000 1000 a=b c=d=e\nhttp https://b:2 10000 0\n", ""},
        {"{traces: {processors: [{batch: {schedule_delay: 20, exporter: {otlp_grpc: {tls: "
         "{insecure: true}}}}}]}}",
         "", "", "grpc http://localhost:4317 plain 10000 20\n"},
        {"{traces: {level: none, processors: [{batch: {exporter: {otlp_grpc: }}}]}}", "", "", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct loaded loaded = load_telemetry(cases[i].telemetry);
        const struct hf_telemetry_config *telemetry = hf_config_telemetry(loaded.config);
        char text[512];
        assert_findings(&loaded, "");
        describe_pushes(&telemetry->metrics_push, text, sizeof(text));
        assert_string_equal(text, cases[i].metrics);
        describe_pushes(&telemetry->logs_push, text, sizeof(text));
        assert_string_equal(text, cases[i].logs);
        describe_pushes(&telemetry->traces_push, text, sizeof(text));
        assert_string_equal(text, cases[i].traces);
        loaded_free(&loaded);
    }
}

static void says_what_is_wrong_or_has_no_effect(void **state)
{
    const struct {
        const char *telemetry, *findings;
    } cases[] = {
        {"5", "E f:5:14: service::telemetry: expected a map, got \"5\"\n"},
        {"{log: }",
         "E f:5:15: service::telemetry: log: unknown key; did you mean \"logs\"? ('' has "
         "invalid keys: log)\n"},
        {"{logs: {level: loud}}",
         "E f:5:29: service::telemetry: logs::level: expected debug, info, warn, error, dpanic, "
         "panic or fatal, got \"loud\"\n"},
        {"{metrics: {level: some}}", "E f:5:32: service::telemetry: metrics::level: expected none, "
                                     "basic, normal or detailed, got \"some\"\n"},
        {"{metrics: {address: localhost}}",
         "E f:5:34: service::telemetry: metrics::address: expected host:port, got \"localhost\"\n"},
        {"{metrics: {address: 'localhost:65536'}}",
         "E f:5:34: service::telemetry: metrics::address: expected host:port, got "
         "\"localhost:65536\"\n"},
        {"{logs: {sampling: {enabled: false}, development: true}}",
         "W f:5:32: service::telemetry: logs::sampling: has no effect: repeated lines are held "
         "back by a fixed rule\n"
         "W f:5:63: service::telemetry: logs::development: has no effect\n"},
        {"{traces: {processors: []}, metrics: {views: []}}",
         "W f:5:58: service::telemetry: metrics::views: has no effect\n"},
        {"{metrics: {readers: [{periodic: {interval: 5}}]}}",
         "W f:5:35: service::telemetry: metrics::readers[0]: has no effect: there is no otlp, "
         "otlp_grpc or otlp_http exporter in it\n"},
        {"{logs: {processors: [{simple: {exporter: {console: {}}}}]}}",
         "W f:5:35: service::telemetry: logs::processors[0]: has no effect: there is no otlp, "
         "otlp_grpc or otlp_http exporter in it\n"
         "W f:5:65: service::telemetry: logs::processors[0]::simple::exporter::console: has no "
         "effect: the log is written by itself, and metrics are scraped\n"},
        {"{traces: {processors: [{batch: {exporter: {otlp: {endpoint: x}}}}]}}",
         "E f:5:63: service::telemetry: traces::processors[0]::batch::exporter::otlp::protocol: "
         "required, but not given\n"},
        {"{metrics: {readers: [{pull: {exporter: {prometheus: }}}, {pull: {exporter: "
         "{prometheus: }}}]}}",
         "W f:5:71: service::telemetry: metrics::readers[1]: has no effect: the first Prometheus "
         "reader is served\n"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct loaded loaded = load_telemetry(cases[i].telemetry);
        assert_findings(&loaded, cases[i].findings);
        loaded_free(&loaded);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_defaults_of_the_go_collector),
        cmocka_unit_test(takes_the_keys_of_logs_and_resource),
        cmocka_unit_test(takes_every_spelling_of_the_resource),
        cmocka_unit_test(finds_the_metrics_endpoint),
        cmocka_unit_test(takes_every_spelling_of_what_is_pushed),
        cmocka_unit_test(says_what_is_wrong_or_has_no_effect),
    };
    return cmocka_run_group_tests_name("telemetry", tests, NULL, NULL);
}
