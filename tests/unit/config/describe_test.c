/* `holdfast components`, with and without --docs. */
#include "support.h"

#include "made_up.h"

static char *describe(const struct hf_component *const *components, bool docs)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    hf_config_describe(components, docs, out);
    fclose(out);
    return text;
}

static void lists_components_by_kind_and_signal(void **state)
{
    static const struct hf_component *const some[] = {
        &made_token_extension, &made_sampler_processor, &made_otlp_receiver, NULL};
    (void)state;

    char *text = describe(some, false);
    assert_string_equal(text, "buildinfo:\n"
                              "  command: holdfast\n"
                              "  description: Store-and-forward telemetry collector\n"
                              "  version: " HF_VERSION "\n"
                              "receivers:\n"
                              "  - name: otlp\n"
                              "    stability:\n"
                              "      traces: Beta\n"
                              "      metrics: Beta\n"
                              "      logs: Beta\n"
                              "processors:\n"
                              "  - name: sampler\n"
                              "    stability:\n"
                              "      traces: Beta\n"
                              "exporters: []\n"
                              "connectors: []\n"
                              "extensions:\n"
                              "  - name: bearertokenauth\n"
                              "    stability:\n"
                              "      extension: Beta\n");
    free(text);
}

static void documents_every_key(void **state)
{
    static const struct hf_component *const some[] = {&made_otlp_receiver, &made_resource_processor,
                                                      &made_otlp_exporter, &made_nop_exporter,
                                                      NULL};
    static const char *const lines[] = {
        "# Components and their keys\n",
        "\n## receivers\n\n### otlp\n\nTakes OTLP. Signals: traces metrics logs.\n\n"
        "| key | type | default | meaning |\n| --- | --- | --- | --- |\n"
        "| `protocols` | section |  |  |\n"
        "| `protocols::grpc` | optional section |  |  |\n"
        "| `protocols::grpc::endpoint` | text | `0.0.0.0:4317` | Where to listen. |\n"
        "| `protocols::grpc::max_recv_msg_size_mib` | int, 0 to 1024 | `4` |  |\n"
        "| `protocols::http` | optional section |  |  |\n",
        "| `attributes[]::action` | one of `insert`, `update`, `upsert`, `delete` | required |  "
        "|\n",
        "| `endpoint` | text |  | The backend's host:port \\| URL. |\n",
        "| `sending_queue::storage` | extension |  |  |\n",
        "\n### otlp\n\nSends OTLP. Signals: traces metrics logs. Also written `otlp_grpc`.\n",
        "\n### nop\n\nSignals: traces metrics logs.\n\nIt has no keys.\n",
    };
    (void)state;

    char *text = describe(some, true);
    for (size_t i = 0; i < COUNT(lines); i++) {
        assert_non_null(strstr(text, lines[i]));
    }
    assert_null(strstr(text, "## extensions"));
    free(text);
}

static void writes_a_table_within_itself_once(void **state)
{
    static const char *const old[] = {"space", NULL};
    static const struct hf_field fields[] = {
        {.key = "name", .type = HF_FIELD_STRING},
        {.key = "wait", .type = HF_FIELD_DURATION, .min = 1e9, .max = 60e9},
        {.key = "room", .type = HF_FIELD_BYTES, .min = 0, .max = 1048576, .old_keys = old},
        {.key = "and", .type = HF_FIELD_STRUCT_LIST, .inner = fields},
        {.key = "by", .type = HF_FIELD_STRUCT_MAP, .inner = fields},
        HF_FIELDS_END,
    };
    static const struct hf_component component = {
        .type = "x", .kind = HF_PROCESSOR, .signals = 7, .fields = fields};
    static const struct hf_field outer_fields[] = {
        {.key = "by", .type = HF_FIELD_STRUCT_MAP, .inner = fields}, HF_FIELDS_END};
    static const struct hf_component outer = {
        .type = "y", .kind = HF_PROCESSOR, .signals = 7, .fields = outer_fields};
    static const struct hf_component *const some[] = {&component, &outer, NULL};
    (void)state;

    char *text = describe(some, true);
    assert_non_null(strstr(text, "| `and` | list of sections |  |  |\n"
                                 "| `by` | map of sections |  |  |\n\n### y"));
    assert_non_null(strstr(text, "| `wait` | duration, 1s to 1m |  |  |\n"
                                 "| `room` | size, 0 to 1MiB |  |  Old spelling: `space`. |\n"));
    assert_non_null(strstr(text, "| `by::<name>::name` | text |  |  |\n"));
    assert_non_null(strstr(text, "| `by::<name>::by` | map of sections |  |  |\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_components_by_kind_and_signal),
        cmocka_unit_test(documents_every_key),
        cmocka_unit_test(writes_a_table_within_itself_once),
    };
    return cmocka_run_group_tests_name("describe", tests, NULL, NULL);
}
