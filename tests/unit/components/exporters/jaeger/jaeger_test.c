/* The old exporter's endpoint: where OTLP goes instead, and that it is said. */
#include "tests/unit/made_config.h"

#include "tests/support/node_stub.c"

extern const struct hf_component hf_exporter_jaeger;

void hf_export_done(struct hf_export *export, const struct hf_outcome *outcome)
{
    (void)export;
    (void)outcome;
}

static void the_old_port_becomes_that_of_otlp(void **state)
{
    static const char *const cases[][2] = {
        {"jaeger:14250", "sends OTLP to jaeger:4317,"},
        {"[::1]:14250", "sends OTLP to [::1]:4317,"},
        {"dns:///jaeger.tracing:14250", "sends OTLP to dns:///jaeger.tracing:4317,"},
        {"jaeger:4317", "sends OTLP to jaeger:4317,"},
        {"jaeger:14251", "sends OTLP to jaeger:14251,"},
        {"14250.test:443", "sends OTLP to 14250.test:443,"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_node node = {.id = "jaeger"};
        struct made_config made;
        char error[HF_ERROR_MAX] = "";
        void *self = NULL;
        node_stub_init(&node);
        assert_int_equal(hf_loop_new(&node.loop), HF_OK);
        made_config(&made, &hf_exporter_jaeger,
                    (const char *const[][2]){
                        {"endpoint", cases[i][0]}, {"tls.insecure", "true"}, {NULL, NULL}});
        assert_null(hf_exporter_jaeger.check(made.config));
        if (hf_exporter_jaeger.open(&node, made.config, &self, error) != HF_OK) {
            fail_msg("%s: %s", cases[i][0], error);
        }
        if (strstr(node.log, cases[i][1]) == NULL) {
            fail_msg("no \"%s\" in \"%s\"", cases[i][1], node.log);
        }
        hf_exporter_jaeger.close(self);
        hf_loop_free(node.loop);
        made_config_release(&made);
    }
}

static void it_is_for_traces_alone(void **state)
{
    (void)state;
    assert_int_equal(hf_exporter_jaeger.signals, HF_SIGNAL_BIT(HF_TRACES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_old_port_becomes_that_of_otlp),
        cmocka_unit_test(it_is_for_traces_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
