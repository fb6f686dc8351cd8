/* Where configuration text comes from, and in which order it is merged. */
#include "support.h"

#include <unistd.h>

#include "made_up.h"

static void check(const struct hf_config_options *options, const char *expected)
{
    struct step step;

    step_begin(&step);
    step.options = *options;
    step.options.getenv = test_getenv;
    struct hf_yaml *root = hf_sources_read(&step.load);
    step_end(&step, root, expected);
}

static void check_uri(const char *uri, const char *expected)
{
    struct hf_config_source source = {.uri = uri};

    check(&(struct hf_config_options){.sources = &source, .source_count = 1}, expected);
}

static void reads_every_kind_of_source(void **state)
{
    char path[] = "/tmp/holdfast-sources-XXXXXX", uri[64];
    int fd = mkstemp(path);
    (void)state;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a: 1\n", 5), 5);
    close(fd);
    check_uri(path, "{a: i:1}\n");
    snprintf(uri, sizeof(uri), "file:%s", path);
    check_uri(uri, "{a: i:1}\n");
    unlink(path);
    check_uri("env:WHOLE", "{receivers: {nop: ~}}\n");
    check_uri("yaml:a::b: 1", "{a: {b: i:1}}\n");
    check_uri("YAML:a: 1", "{a: i:1}\n");
}

static void says_plainly_what_cannot_be_read(void **state)
{
    (void)state;

    check(&(struct hf_config_options){0}, "E at least one config flag must be provided\n");
    check_uri("/nowhere/config.yaml",
              "E cannot read the configuration file /nowhere/config.yaml: No such file or "
              "directory\n");
    check_uri("/", "E cannot read the configuration file /: it is a directory; name a file in "
                   "it\n");
    check_uri("/dev/zero", "E cannot read the configuration file /dev/zero: larger than 4 MiB\n");
    check_uri("env:NONE", "E env:NONE: the environment variable NONE, which should hold the "
                          "configuration, is not set\n");
    check_uri("s3://x/y", "E scheme \"s3\" is not supported for uri \"s3://x/y\"; expected a path, "
                          "file:, env:, yaml:, http: or https:\n");
    check_uri("https://x/y", "E cannot fetch the configuration https://x/y: not where this "
                             "configuration is read\n");
    check_uri("yaml:[1]", "E yaml::1:1: a configuration is a map with keys such as receivers and "
                          "service, got a list\n");
    check_uri("c:x", "E cannot read the configuration file c:x: No such file or directory\n");
}

static char *fetch(const char *url, char *reterr)
{
    if (strcmp(url, "https://user:secret@host/x?token=t") == 0) {
        return strdup("a: {b: 1}");
    }
    snprintf(reterr, HF_ERROR_MAX, "answered with the code %d", 404);
    return NULL;
}

static void fetches_urls_and_shows_none_of_their_secrets(void **state)
{
    struct hf_config_source source = {.uri = "https://user:secret@host/x?token=t"};
    const struct hf_config_options options = {
        .sources = &source, .source_count = 1, .fetch = fetch};
    (void)state;

    check(&options, "{a: {b: i:1}}\n");
    source.uri = "HTTPS://user:secret@host/y?token=t";
    check(&options, "E cannot fetch the configuration HTTPS://[REDACTED]@host/y?token=[REDACTED]: "
                    "answered with the code 404\n");
}

static void lets_later_sources_and_sets_win(void **state)
{
    static const struct hf_config_source sources[] = {
        {.uri = "yaml:{a: {b: 1, c: [1, 2]}, d: 4}"},
        {.uri = "", .text = "a: {c: [3]}\nd:\n", .name = "second"},
    };
    static const char *const sets[] = {"a.b=2", " a.e.f = {x: [y]} ", "g=", "h=a=b"};
    (void)state;

    check(&(struct hf_config_options){.sources = sources, .source_count = COUNT(sources)},
          "{a: {b: i:1, c: [i:3]}, d: ~}\n");
    check(&(struct hf_config_options){.sources = sources,
                                      .source_count = COUNT(sources),
                                      .sets = sets,
                                      .set_count = COUNT(sets)},
          "{a: {b: i:2, c: [i:3], e: {f: {x: [\"y\"]}}}, d: ~, g: ~, h: \"a=b\"}\n");
    check(&(struct hf_config_options){.sets = sets, .set_count = 1}, "{a: {b: i:2}}\n");
}

static void names_the_set_that_is_wrong(void **state)
{
    static const char *const sets[] = {"a.b", "=1", "a.b=[1"};
    (void)state;

    check(&(struct hf_config_options){.sets = sets, .set_count = COUNT(sets)},
          "E --set \"a.b\": missing equal sign; expected key=value\n"
          "E --set : missing key; expected key=value\n"
          "E --set a.b:2:1: not valid YAML: did not find expected ',' or ']' while parsing a flow "
          "sequence (line 1)\n");
}

static void reads_on_after_a_source_that_failed(void **state)
{
    static const struct hf_config_source sources[] = {
        {.uri = "/nowhere"}, {.uri = "yaml:a: [", .name = NULL}, {.uri = "env:NONE"}};
    (void)state;

    check(&(struct hf_config_options){.sources = sources, .source_count = COUNT(sources)},
          "E cannot read the configuration file /nowhere: No such file or directory\n"
          "E env:NONE: the environment variable NONE, which should hold the configuration, is not "
          "set\n"
          "E yaml::2:1: not valid YAML: did not find expected node content while parsing a flow "
          "node (line 2)\n");
}

static void names_the_source_of_each_key_after_merging(void **state)
{
    static const struct hf_config_source sources[] = {
        {.uri = "", .name = "one", .text = NOP_RECEIVER "exporters: {otlp: {endpoint: x}}\n"},
        {.uri = "",
         .name = "two",
         .text = "service: {pipelines: {traces: {receivers: [nop], exporters: [otlp]}}}\n"},
    };
    static const char *const sets[] = {"exporters.otlp.compresion=gzip"};
    (void)state;

    struct loaded loaded = load_with(&(struct hf_config_options){.sources = sources,
                                                                 .source_count = COUNT(sources),
                                                                 .sets = sets,
                                                                 .set_count = 1,
                                                                 .components = made_up});
    assert_null(loaded.config);
    assert_findings(&loaded, "E --set exporters.otlp.compresion:1:1: exporters::otlp: compresion: "
                             "unknown key; did you mean \"compression\"? ('' has invalid keys: "
                             "compresion)\n");
    loaded_free(&loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind_of_source),
        cmocka_unit_test(says_plainly_what_cannot_be_read),
        cmocka_unit_test(fetches_urls_and_shows_none_of_their_secrets),
        cmocka_unit_test(lets_later_sources_and_sets_win),
        cmocka_unit_test(names_the_set_that_is_wrong),
        cmocka_unit_test(reads_on_after_a_source_that_failed),
        cmocka_unit_test(names_the_source_of_each_key_after_merging),
    };
    return cmocka_run_group_tests_name("sources", tests, NULL, NULL);
}
