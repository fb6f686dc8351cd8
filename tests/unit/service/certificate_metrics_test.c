/* The gauge of certificates: which one counts, what cannot be read, and what a reload leaves. */
#include "service/certificate_metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

#include "tests/support/certificates.h"
#include "util/time/clock.h"

#define DAY_S INT64_C(86400)

struct made_config {
    const char *cert_file, *ca_file;
};

static const struct hf_field fields[] = {
    {.key = "cert_file",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct made_config, cert_file)},
    {.key = "ca_file", .type = HF_FIELD_STRING, .offset = offsetof(struct made_config, ca_file)},
    HF_FIELDS_END};

static void send_nowhere(void *self, struct hf_export *export)
{
    (void)self, (void)export;
}

#define ALL (HF_SIGNAL_BIT(HF_TRACES) | HF_SIGNAL_BIT(HF_METRICS) | HF_SIGNAL_BIT(HF_LOGS))
static const struct hf_component source = {.type = "source",
                                           .kind = HF_RECEIVER,
                                           .signals = ALL,
                                           .config_size = sizeof(struct made_config),
                                           .fields = fields};
static const struct hf_component sink = {.type = "sink",
                                         .kind = HF_EXPORTER,
                                         .signals = ALL,
                                         .config_size = sizeof(struct made_config),
                                         .fields = fields,
                                         .exporter =
                                             &(const struct hf_exporter_ops){.send = send_nowhere}};
static const struct hf_component *const registry[] = {&source, &sink, NULL};

struct world {
    struct hf_metrics *metrics;
    struct hf_certificate_metrics *shown;
};

static struct hf_config *load(const char *receiver, const char *exporter)
{
    char yaml[1024];
    struct hf_finding *findings = NULL;
    size_t count = 0;
    snprintf(yaml, sizeof(yaml),
             "{receivers: {source: {%s}}, exporters: {sink: {%s}}, "
             "service: {pipelines: {traces: {receivers: [source], exporters: [sink]}}}}",
             receiver, exporter);
    const struct hf_config_source text = {.uri = "", .text = yaml, .name = "test"};
    const struct hf_config_options options = {
        .sources = &text, .source_count = 1, .components = registry};
    struct hf_config *config = hf_config_load(&options, &findings, &count);
    for (size_t i = 0; config == NULL && i < count; i++) {
        fprintf(stderr, "%s\n", findings[i].text);
    }
    assert_non_null(config);
    hf_findings_free(findings, count);
    return config;
}

static void begin(struct world *world)
{
    assert_int_equal(hf_metrics_new(&world->metrics), HF_OK);
    assert_int_equal(hf_certificate_metrics_new(world->metrics, &world->shown), HF_OK);
}

static void end(struct world *world)
{
    hf_certificate_metrics_free(world->shown);
    hf_metrics_free(world->metrics);
}

/* INT64_MIN: no such series. */
static int64_t value_of(struct world *world, const char *labels)
{
    const struct hf_metrics_style style = {.type_suffix = false};
    char wanted[256];
    char *text = NULL;
    size_t size = 0;
    long long value = INT64_MIN;
    snprintf(wanted, sizeof(wanted), "holdfast_certificate_seconds_until_expiry{%s} ", labels);
    assert_int_equal(hf_metrics_print(world->metrics, &style, &text, &size), HF_OK);
    const char *found = strstr(text, wanted);
    if (found != NULL) {
        sscanf(found + strlen(wanted), "%lld", &value);
    }
    free(text);
    return value;
}

#define RECEIVER "kind=\"receiver\",component=\"source\",key=\"cert_file\""
#define EXPORTER "kind=\"exporter\",component=\"sink\",key=\"ca_file\""

static void tells_how_long_each_is_valid(void **state)
{
    struct certificates made;
    struct world world;
    char receiver[256], exporter[256];
    (void)state;
    certificates_new(&made);
    uint64_t now_s = hf_clock_unix_ns() / HF_NS_PER_S;
    begin(&world);
    snprintf(receiver, sizeof(receiver), "cert_file: '%s'", made.cert_file);
    snprintf(exporter, sizeof(exporter), "ca_file: '%s'", made.ca_file);
    struct hf_config *config = load(receiver, exporter);
    hf_certificate_metrics_show(world.shown, config, now_s, 1);
    assert_in_range(value_of(&world, RECEIVER), DAY_S - 60, DAY_S);
    assert_in_range(value_of(&world, EXPORTER), DAY_S - 60, DAY_S);
    /* Time goes on although the files are not read again. */
    unlink(made.cert_file);
    hf_certificate_metrics_show(world.shown, config, now_s + 2 * (uint64_t)DAY_S, 2);
    int64_t left_s = value_of(&world, RECEIVER);
    assert_true(left_s <= -DAY_S && left_s > -DAY_S - 60);
    /* A minute later they are, and one is gone. */
    hf_certificate_metrics_show(world.shown, config, now_s, 61 * HF_NS_PER_S);
    assert_int_equal(value_of(&world, RECEIVER), 0);
    assert_in_range(value_of(&world, EXPORTER), DAY_S - 60, DAY_S);
    hf_config_free(config);
    end(&world);
    certificates_remove(&made);
}

static void what_a_reload_takes_away_does_not_expire(void **state)
{
    struct certificates made;
    struct world world;
    char receiver[256];
    (void)state;
    certificates_new(&made);
    uint64_t now_s = hf_clock_unix_ns() / HF_NS_PER_S;
    begin(&world);
    snprintf(receiver, sizeof(receiver), "cert_file: '%s'", made.cert_file);
    struct hf_config *first = load(receiver, "");
    struct hf_config *second = load("", "");
    hf_certificate_metrics_show(world.shown, first, now_s, 1);
    assert_in_range(value_of(&world, RECEIVER), DAY_S - 60, DAY_S);
    assert_int_equal(value_of(&world, EXPORTER), INT64_MIN);
    hf_certificate_metrics_forget(world.shown);
    hf_certificate_metrics_show(world.shown, second, now_s, 2);
    assert_int_equal(value_of(&world, RECEIVER), HF_CERTIFICATE_NONE_S);
    hf_config_free(first);
    hf_config_free(second);
    end(&world);
    certificates_remove(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_how_long_each_is_valid),
        cmocka_unit_test(what_a_reload_takes_away_does_not_expire),
    };
    return cmocka_run_group_tests_name("certificate_metrics", tests, NULL, NULL);
}
