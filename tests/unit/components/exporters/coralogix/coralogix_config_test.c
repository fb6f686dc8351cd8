/* Where signals go, by the keys. */
#include "components/exporters/coralogix/coralogix_config.h"

#include "tests/unit/made_config.h"

#include "tests/support/node_stub.c"

/* As much of the component as its configuration needs. */
static const struct hf_component component = {.config_size = sizeof(struct coralogix_config),
                                              .fields = coralogix_fields};

#define BASICS                                                                                     \
    {"private_key", "k"},                                                                          \
    {                                                                                              \
        "application_name", "a"                                                                    \
    }
#define PAIRS(...) ((const char *const[][2]){BASICS, __VA_ARGS__, {NULL, NULL}})

static void expect_endpoint(const char *const pairs[][2], enum hf_signal signal,
                            const char *endpoint)
{
    struct made_config made;
    struct coralogix_target target;
    made_config(&made, &component, pairs);
    assert_null(coralogix_check(made.config));
    bool found = coralogix_target_of(made.config, signal, &target);
    assert_int_equal(found, endpoint != NULL);
    if (found) {
        assert_string_equal(target.endpoint, endpoint);
        assert_string_equal(target.client.endpoint, endpoint);
        assert_string_equal(target.client.compression, "gzip");
    }
    made_config_release(&made);
}

static void a_domain_serves_every_signal(void **state)
{
    (void)state;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        expect_endpoint(PAIRS({"domain", "eu2.coralogix.com"}), (enum hf_signal)signal,
                        "ingress.eu2.coralogix.com:443");
    }
}

static void private_link_has_a_host_of_its_own(void **state)
{
    (void)state;
    expect_endpoint(PAIRS({"domain", "eu2.coralogix.com"}, {"private_link", "true"}), HF_LOGS,
                    "ingress.private.eu2.coralogix.com:443");
    expect_endpoint(PAIRS({"domain", "private.coralogix.com"}, {"private_link", "true"}), HF_LOGS,
                    "ingress.private.coralogix.com:443");
}

static void a_signal_may_have_its_own_endpoint(void **state)
{
    (void)state;
    expect_endpoint(PAIRS({"logs.endpoint", "a:1"}), HF_LOGS, "a:1");
    expect_endpoint(PAIRS({"logs.endpoint", "a:1"}), HF_TRACES, NULL);
    expect_endpoint(PAIRS({"logs.endpoint", "https://"}, {"domain", "d"}), HF_LOGS,
                    "ingress.d:443");
}

static void http_needs_urls_and_has_no_profiles(void **state)
{
    (void)state;
    expect_endpoint(PAIRS({"protocol", "http"}, {"domain", "d"}), HF_LOGS, "https://ingress.d:443");
    expect_endpoint(PAIRS({"protocol", "http"}, {"logs.endpoint", "a:1"}), HF_LOGS, "https://a:1");
    expect_endpoint(PAIRS({"protocol", "http"}, {"logs.endpoint", "http://a:1"}), HF_LOGS,
                    "http://a:1");
    expect_endpoint(PAIRS({"protocol", "http"}, {"domain", "d"}), HF_PROFILES, NULL);
}

static void what_a_signal_does_not_say_is_that_of_the_domain(void **state)
{
    struct made_config made;
    struct coralogix_target target;
    (void)state;
    made_config(&made, &component,
                PAIRS({"domain", "d"}, {"domain_settings.compression", "zstd"},
                      {"domain_settings.headers.X-A", "1"}, {"logs.headers.X-B", "2"}));
    assert_true(coralogix_target_of(made.config, HF_TRACES, &target));
    assert_true(target.is_of_domain);
    assert_string_equal(target.client.compression, "zstd");
    assert_int_equal(target.domain_headers.count, 1);
    assert_int_equal(target.client.headers.count, 0);
    assert_true(coralogix_target_of(made.config, HF_LOGS, &target));
    assert_false(target.is_of_domain);
    assert_string_equal(target.client.compression, "zstd");
    assert_int_equal(target.domain_headers.count, 1);
    assert_string_equal(target.client.headers.items[0].key, "X-B");
    made_config_release(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_domain_serves_every_signal),
        cmocka_unit_test(private_link_has_a_host_of_its_own),
        cmocka_unit_test(a_signal_may_have_its_own_endpoint),
        cmocka_unit_test(http_needs_urls_and_has_no_profiles),
        cmocka_unit_test(what_a_signal_does_not_say_is_that_of_the_domain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
