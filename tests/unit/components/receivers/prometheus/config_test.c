/* What times mean, and which settings a job has in the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "components/receivers/prometheus/config.h"
#include "components/receivers/prometheus/kube_access.h"
#include "util/time/clock.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define S HF_NS_PER_S

static void a_job_has_the_global_settings_that_it_does_not_have(void **state)
{
    (void)state;
    static const struct {
        const char *global_interval, *global_timeout, *interval, *timeout;
        uint64_t interval_ns, timeout_ns;
    } cases[] = {
        {NULL, NULL, NULL, NULL, 60 * S, 10 * S},  {"30s", NULL, NULL, NULL, 30 * S, 10 * S},
        {"5s", NULL, NULL, NULL, 5 * S, 5 * S},    {"30s", "20s", "10s", NULL, 10 * S, 10 * S},
        {"30s", "20s", NULL, "5s", 30 * S, 5 * S}, {"30s", "20s", "1m", NULL, 60 * S, 20 * S},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct prom_global global = {.interval = cases[i].global_interval,
                                           .timeout = cases[i].global_timeout};
        const struct prom_job job = {.interval = cases[i].interval, .timeout = cases[i].timeout};
        assert_int_equal(prom_job_interval_ns(&global, &job), cases[i].interval_ns);
        assert_int_equal(prom_job_timeout_ns(&global, &job), cases[i].timeout_ns);
    }
}

static void limits_are_the_jobs_or_the_global_ones(void **state)
{
    (void)state;
    const struct prom_global global = {.limits = {.samples = 10, .labels = 5}};
    const struct prom_job job = {.limits = {.samples = 20, .body_size = 1000}};
    struct prom_limits limits = prom_job_limits(&global, &job);
    assert_int_equal(limits.samples, 20);
    assert_int_equal(limits.labels, 5);
    assert_int_equal(limits.targets, 0);
    assert_int_equal(limits.body_size, 1000);
    limits = prom_job_limits(&global, &(struct prom_job){.job_name = "a"});
    assert_int_equal(limits.body_size, 256u << 20);
}

static void targets_are_asked_for_the_names_that_a_job_takes(void **state)
{
    (void)state;
    static const struct {
        struct prom_names global, job;
        const char *escaping;
        bool is_wrong;
    } cases[] = {
        {.escaping = "allow-utf-8"},
        {.global = {"legacy", NULL}, .escaping = "underscores"},
        {.global = {"legacy", "dots"}, .escaping = "dots"},
        {.global = {"legacy", "dots"}, .job = {"utf8", NULL}, .escaping = "allow-utf-8"},
        {.global = {NULL, "values"}, .job = {"legacy", NULL}, .escaping = "underscores"},
        {.job = {NULL, "values"}, .escaping = "values"},
        {.job = {"legacy", "allow-utf-8"}, .escaping = "allow-utf-8", .is_wrong = true},
        {.global = {"legacy", NULL},
         .job = {NULL, "allow-utf-8"},
         .escaping = "allow-utf-8",
         .is_wrong = true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct prom_global global = {.names = cases[i].global};
        const struct prom_job job = {.job_name = "a", .names = cases[i].job};
        assert_string_equal(prom_job_escaping(&global, &job), cases[i].escaping);
        const char *why = prom_check_job(&global, &job);
        assert_int_equal(why != NULL, cases[i].is_wrong);
    }
}

static void clusters_have_one_way_to_their_api(void **state)
{
    (void)state;
    static const struct prom_authorization bearer = {.type = "Bearer", .credentials_file = "f"};
    static const struct prom_authorization other = {.type = "Other", .credentials_file = "f"};
    static const struct prom_kube_selector selectors[] = {
        {.role = PROM_KUBE_POD}, {.role = PROM_KUBE_NODE}, {.role = PROM_KUBE_POD}};
    static const struct {
        struct prom_kube_sd config;
        const char *why; /* a part of it */
    } cases[] = {
        {{.kubeconfig_file = "f"}, NULL},
        {{.api_server = "https://a"}, NULL},
        {{.api_server = "https://a", .kubeconfig_file = "f"}, "remove one"},
        {{.http.authorization = &bearer}, "belong to api_server"},
        {{.http.tls.ca_file = "f"}, "belong to api_server"},
        {{.api_server = "https://a", .http.authorization = &bearer}, NULL},
        {{.api_server = "https://a", .http.authorization = &other}, "Bearer"},
        {{.role = PROM_KUBE_POD, .selectors = {.items = selectors, .count = 2}}, NULL},
        {{.role = PROM_KUBE_POD, .selectors = {.items = selectors, .count = 3}}, "two selectors"},
        {{.role = PROM_KUBE_NODE, .selectors = {.items = selectors, .count = 2}}, "no targets"},
        {{.role = PROM_KUBE_ENDPOINTS, .selectors = {.items = selectors, .count = 1}}, NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *why = prom_kube_check(&cases[i].config);
        assert_int_equal(why != NULL, cases[i].why != NULL);
        assert_true(why == NULL || strstr(why, cases[i].why) != NULL);
    }
}

static void two_jobs_of_one_name_are_refused(void **state)
{
    (void)state;
    struct prom_job jobs[2] = {{.job_name = "a"}, {.job_name = "a"}};
    struct prom_config config = {.prometheus = {.jobs = {.items = jobs, .count = 2}}};
    const char *why = prom_check(&config);
    assert_non_null(why);
    assert_non_null(strstr(why, "two jobs of that name"));
    jobs[1].job_name = "b";
    assert_null(prom_check(&config));
    config.prometheus.jobs.count = 0;
    assert_non_null(strstr(prom_check(&config), "scrape_configs has no job"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_has_the_global_settings_that_it_does_not_have),
        cmocka_unit_test(limits_are_the_jobs_or_the_global_ones),
        cmocka_unit_test(targets_are_asked_for_the_names_that_a_job_takes),
        cmocka_unit_test(clusters_have_one_way_to_their_api),
        cmocka_unit_test(two_jobs_of_one_name_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
