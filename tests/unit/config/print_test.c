/* print-config: what was loaded, without the secrets, and readable again. */
#include "support.h"

#include "made_up.h"

static const char text[] =
    "receivers:\n"
    "  nop:\n"
    "exporters:\n"
    "  otlp:\n"
    "    endpoint: ${env:HOST}:${env:PORT}\n"
    "    password: ${env:PASSWORD}\n"
    "    headers: {authorization: Bearer x, x-tenant: '12'}\n"
    "    tls: {insecure: true, ca_file: '${env:OCTAL}'}\n"
    "    sending_queue: {queue_size: 0x10, num_consumers: '5'}\n"
    "extensions:\n"
    "  bearertokenauth: {token: hush}\n"
    "processors:\n"
    "  resource:\n"
    "    attributes:\n"
    "      - {key: a, value: 1.5, action: insert}\n"
    "      - {key: $$b, value: 'true', action: insert}\n"
    "service:\n"
    "  extensions: [bearertokenauth]\n"
    "  telemetry: {resource: {x.token: y}}\n"
    "  pipelines: {traces: {receivers: [nop], processors: [resource], exporters: [otlp]}}\n";

static void check(const char *yaml, bool unredacted, bool json, const char *expected)
{
    struct loaded loaded = load_text(made_up, yaml);

    assert_non_null(loaded.config);
    char *printed = hf_config_print(loaded.config, unredacted, json);
    assert_string_equal(printed, expected);
    free(printed);
    loaded_free(&loaded);
}

static void prints_yaml_with_secrets_redacted(void **state)
{
    (void)state;

    check(text, false, false,
          "receivers:\n"
          "  nop: null\n"
          "exporters:\n"
          "  otlp:\n"
          "    endpoint: db.local:4317\n"
          "    password: '[REDACTED]'\n"
          "    headers:\n"
          "      authorization: '[REDACTED]'\n"
          "      x-tenant: '[REDACTED]'\n"
          "    tls:\n"
          "      insecure: true\n"
          "      ca_file: \"0123\"\n"
          "    sending_queue:\n"
          "      queue_size: 0x10\n"
          "      num_consumers: \"5\"\n"
          "extensions:\n"
          "  bearertokenauth:\n"
          "    token: '[REDACTED]'\n"
          "processors:\n"
          "  resource:\n"
          "    attributes:\n"
          "    - key: a\n"
          "      value: 1.5\n"
          "      action: insert\n"
          "    - key: $$b\n"
          "      value: \"true\"\n"
          "      action: insert\n"
          "service:\n"
          "  extensions:\n"
          "  - bearertokenauth\n"
          "  telemetry:\n"
          "    resource:\n"
          "      x.token: '[REDACTED]'\n"
          "  pipelines:\n"
          "    traces:\n"
          "      receivers:\n"
          "      - nop\n"
          "      processors:\n"
          "      - resource\n"
          "      exporters:\n"
          "      - otlp\n");
}

static void prints_json(void **state)
{
    (void)state;

    check(NOP_RECEIVER
          "exporters: {otlp: {endpoint: \"a\\tb\\\"c\", tls: {}, compression: none, headers: "
          "[{name: k, value: v}], sending_queue: {queue_size: 0x10, enabled: True}}}\n"
          "service: {pipelines: {traces: {receivers: [nop], processors: [], exporters: [otlp]}}}\n",
          false, true,
          "{\n"
          "  \"receivers\": {\n"
          "    \"nop\": null\n"
          "  },\n"
          "  \"exporters\": {\n"
          "    \"otlp\": {\n"
          "      \"endpoint\": \"a\\tb\\\"c\",\n"
          "      \"tls\": {},\n"
          "      \"compression\": \"none\",\n"
          "      \"headers\": [\n"
          "        {\n"
          "          \"name\": \"k\",\n"
          "          \"value\": \"[REDACTED]\"\n"
          "        }\n"
          "      ],\n"
          "      \"sending_queue\": {\n"
          "        \"queue_size\": 16,\n"
          "        \"enabled\": true\n"
          "      }\n"
          "    }\n"
          "  },\n"
          "  \"service\": {\n"
          "    \"pipelines\": {\n"
          "      \"traces\": {\n"
          "        \"receivers\": [\n"
          "          \"nop\"\n"
          "        ],\n"
          "        \"processors\": [],\n"
          "        \"exporters\": [\n"
          "          \"otlp\"\n"
          "        ]\n"
          "      }\n"
          "    }\n"
          "  }\n"
          "}\n");
}

/* What is printed unredacted loads to the same again, as YAML and as JSON. */
static void prints_what_loads_to_the_same(void **state)
{
    (void)state;

    for (int json = 0; json <= 1; json++) {
        struct loaded first = load_text(made_up, text);
        char *once = hf_config_print(first.config, true, json == 1);
        struct loaded second = load_text(made_up, once);
        assert_findings(&second, "");
        char *twice = hf_config_print(second.config, true, json == 1);
        assert_string_equal(once, twice);
        size_t count = 0;
        const struct made_exporter *exporter =
            hf_config_components(second.config, &count)[1].config;
        assert_string_equal(exporter->password, "pa$word");
        assert_string_equal(exporter->tls.ca_file, "0123");
        free(once);
        free(twice);
        loaded_free(&first);
        loaded_free(&second);
    }
}

static void hides_what_looks_secret_where_no_table_tells(void **state)
{
    struct hf_config_source source = {
        .uri = "",
        .name = "f",
        .text = "receivers: {nop: }\n"
                "exporters:\n"
                "  kafka:\n"
                "    auth: {password: a, sasl: {client_secret: b, user: u}}\n"
                "    api_key: c\n"
                "    headers: {name: d}\n"
                "    brokers: [http://u:pw@h:1/p, h:2]\n"
                "    empty_token:\n"
                "service: {pipelines: {traces: {receivers: [nop], exporters: [kafka]}}}\n"};
    struct loaded loaded = load_with(&(struct hf_config_options){
        .sources = &source, .source_count = 1, .components = made_up, .partial = true});
    (void)state;

    char *printed = hf_config_print(loaded.config, false, false);
    assert_non_null(strstr(printed, "  kafka:\n"
                                    "    auth:\n"
                                    "      password: '[REDACTED]'\n"
                                    "      sasl:\n"
                                    "        client_secret: '[REDACTED]'\n"
                                    "        user: u\n"
                                    "    api_key: '[REDACTED]'\n"
                                    "    headers:\n"
                                    "      name: '[REDACTED]'\n"
                                    "    brokers:\n"
                                    "    - http://[REDACTED]@h:1/p\n"
                                    "    - h:2\n"
                                    "    empty_token: null\n"));
    free(printed);
    loaded_free(&loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_yaml_with_secrets_redacted),
        cmocka_unit_test(prints_json),
        cmocka_unit_test(prints_what_loads_to_the_same),
        cmocka_unit_test(hides_what_looks_secret_where_no_table_tells),
    };
    return cmocka_run_group_tests_name("print", tests, NULL, NULL);
}
