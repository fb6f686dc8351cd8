/* `holdfast diff`: what counts as a difference, by the type of the key. */
#include "support.h"

#include "made_up.h"

#define HEAD                                                                                       \
    "receivers: {nop: }\nprocessors: {batch: {%s}}\nexporters: {nop: , otlp: {endpoint: x%s}}\n"
#define SERVICE                                                                                    \
    "service: {pipelines: {traces: {receivers: [nop], processors: [batch], exporters: [nop, "      \
    "otlp]}}}\n"

static const struct hf_component *const parts[] = {
    &made_nop_receiver, &made_nop_exporter, &made_otlp_exporter, &made_batch_processor, NULL};

/* The configuration with these keys for batch and for the exporter otlp. */
static struct loaded load_keys(const char *batch, const char *otlp)
{
    char text[1024];
    snprintf(text, sizeof(text), HEAD SERVICE, batch, otlp);
    struct loaded loaded = load_text(parts, text);
    assert_non_null(loaded.config);
    return loaded;
}

/* The first line; "" when there is no difference. */
static void assert_difference(struct loaded before, struct loaded after, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    bool differs = false;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    assert_true(hf_config_diff(before.config, after.config, out, &differs));
    fclose(out);
    assert_int_equal(differs, expected[0] != '\0');
    text[strcspn(text, "\n")] = '\0';
    assert_string_equal(text, expected);
    free(text);
    loaded_free(&before);
    loaded_free(&after);
}

static void compares_by_meaning(void **state)
{
    static const struct {
        const char *batch[2], *otlp[2], *expected;
    } cases[] = {
        {{"timeout: 60s", "timeout: 1m"}, {"", ""}, ""},
        {{"timeout: 200ms", ""}, {"", ""}, ""},
        {{"timeout: 1000", "timeout: 1us"}, {"", ""}, ""},
        {{"timeout: 1s", ""}, {"", ""}, "~ processors::batch: timeout"},
        {{"send_batch_size: 0x10", "send_batch_size: 16"}, {"", ""}, ""},
        {{"send_batch_max_size: 0", "send_batch_max_size: "}, {"", ""}, ""},
        {{"send_batch_size: 1, timeout: 1s", "send_batch_size: 2, timeout: 2s"},
         {"", ""},
         "~ processors::batch: timeout, send_batch_size"},
        {{"", ""}, {", compression: GZIP", ""}, ""},
        {{"", ""}, {", compression: zstd", ""}, "~ exporters::otlp: compression"},
        {{"", ""}, {", tls: {insecure: false}", ""}, ""},
        {{"", ""}, {", tls: {insecure: true}", ""}, "~ exporters::otlp: tls::insecure"},
        {{"", ""}, {", tls: {ca_file: a}", ""}, "~ exporters::otlp: tls::ca_file"},
        {{"", ""}, {", headers: {a: 1, b: 2}", ", headers: {b: 2, a: 1}"}, ""},
        {{"", ""}, {", headers: {a: 1}", ", headers: {a: 2}"}, "~ exporters::otlp: headers"},
        {{"", ""}, {", headers: {a: 1}", ""}, "~ exporters::otlp: headers"},
        {{"", ""}, {", password: a", ", password: b"}, "~ exporters::otlp: password"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (size_t k = 0; k < 2; k++) { /* and the other way round */
            assert_difference(load_keys(cases[i].batch[k], cases[i].otlp[k]),
                              load_keys(cases[i].batch[1 - k], cases[i].otlp[1 - k]),
                              cases[i].expected);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_by_meaning),
    };
    return cmocka_run_group_tests_name("difference", tests, NULL, NULL);
}
