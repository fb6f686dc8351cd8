/* From YAML to a checked configuration: the same one as ever, with the same findings, or none and a
 * word about memory. */
#include "tests/unit/config/support.h"

#include "tests/unit/config/made_up.h"

#include "failing.h"

static const char good[] = "receivers:\n"
                           "  otlp:\n"
                           "    protocols:\n"
                           "      grpc: {endpoint: '${env:HOST}:4317'}\n"
                           "      http:\n"
                           "processors:\n"
                           "  batch: {timeout: 1s, send_batch_size: 100}\n"
                           "  resource:\n"
                           "    attributes:\n"
                           "      - {key: k8s.pod.name, value: 'x${env:PORT}', action: insert}\n"
                           "exporters:\n"
                           "  otlp/up:\n"
                           "    endpoint: gateway:4317\n"
                           "    tls: {insecure: true}\n"
                           "service:\n"
                           "  pipelines:\n"
                           "    traces:\n"
                           "      receivers: [otlp]\n"
                           "      processors: [batch, resource]\n"
                           "      exporters: [otlp/up]\n"
                           "  telemetry:\n"
                           "    logs: {level: info, initial_fields: {a: b}}\n"
                           "    resource: {service.name: x}\n";

static const char bad[] = "receivers:\n"
                          "  otlp: {protocols: {grpcs: }}\n"
                          "  otlp/2: {protocols: {grpc: {endpoint: [1, 2]}}}\n"
                          "exporters: {otlp/up: {endpoint: 7, retry: 5 parsecs}, unknown: }\n"
                          "service:\n"
                          "  pipelines:\n"
                          "    traces: {receivers: [otlp, oltp], exporters: [otlp/down]}\n";

/* All that came of a load, as one text; NULL: no memory for it, and it says so. */
static char *load(const char *text)
{
    struct hf_config_source sources[] = {
        {.uri = "", .text = text, .name = "f"},
        {.uri = "yaml:processors::batch::timeout: 2s"},
    };
    const char *const sets[] = {"service.telemetry.metrics.address=0.0.0.0:1"};
    const struct hf_config_options options = {.sources = sources,
                                              .source_count = 2,
                                              .sets = sets,
                                              .set_count = 1,
                                              .components = made_up,
                                              .getenv = test_getenv};
    struct loaded loaded = {0};
    char *printed = NULL, *result = NULL;
    size_t size = 0;

    alloc_begin();
    loaded.config = hf_config_load(&options, &loaded.findings, &loaded.count);
    if (loaded.config != NULL) {
        printed = hf_config_print(loaded.config, true, false);
    }
    alloc_end();
    bool is_short = loaded.config != NULL ? printed == NULL : loaded.count == 0;
    for (size_t i = 0; i < loaded.count; i++) {
        is_short = is_short || strstr(loaded.findings[i].text, "needs more memory") != NULL;
    }
    if (!is_short) {
        FILE *out = open_memstream(&result, &size);
        assert_non_null(out);
        fputs(printed != NULL ? printed : "", out);
        dump_findings(loaded.findings, loaded.count, out);
        fclose(out);
    }
    free(printed);
    loaded_free(&loaded);
    return result;
}

/* `expected` keeps what the first run, in which nothing fails, came to. */
static bool load_as_ever(const char *text, char **expected)
{
    char *result = load(text);
    bool is_whole = result != NULL;

    if (is_whole && *expected != NULL) {
        assert_string_equal(result, *expected);
    }
    if (*expected == NULL) {
        *expected = result;
    } else {
        free(result);
    }
    return is_whole;
}

static bool good_one(void)
{
    static char *expected;
    bool is_whole = load_as_ever(good, &expected);

    assert_non_null(strstr(expected, "send_batch_size: 100"));
    return is_whole;
}

static bool bad_one(void)
{
    static char *expected;
    bool is_whole = load_as_ever(bad, &expected);

    assert_non_null(strstr(expected, "references receiver \"oltp\" which is not configured"));
    return is_whole;
}

int main(int argc, char **argv)
{
    static const struct alloc_scenario scenarios[] = {
        {"good_one", good_one, false},
        {"bad_one", bad_one, false},
        {0},
    };
    return alloc_main(argc, argv, scenarios);
}
