/* The options of an HTTP client, by its configuration. */
#include "support/settings/confighttp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

static void the_section_keepalive_counts_instead_of_the_flat_keys(void **state)
{
    static const struct hf_http_keepalive_config keepalive = {
        .enabled = true, .max_idle_conns = 5, .idle_conn_timeout_ns = 7};
    struct hf_http_client_config config = {.endpoint = "http://localhost",
                                           .max_idle_conns = 2,
                                           .idle_conn_timeout_ns = 3,
                                           .disable_keep_alives = true};
    (void)state;
    struct hf_http_client_options options = hf_http_client_options(&config);
    assert_true(options.disable_keep_alives);
    assert_int_equal(options.max_idle_conns, 2);
    assert_int_equal(options.idle_timeout_ns, 3);
    config.keepalive = &keepalive;
    options = hf_http_client_options(&config);
    assert_false(options.disable_keep_alives);
    assert_int_equal(options.max_idle_conns, 5);
    assert_int_equal(options.idle_timeout_ns, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_section_keepalive_counts_instead_of_the_flat_keys),
    };
    return cmocka_run_group_tests_name("confighttp", tests, NULL, NULL);
}
