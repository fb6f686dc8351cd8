/* Endpoints of services, and what the names of errors say. */
#include "aws/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

#include "aws/logs.h"

static void endpoints_become_urls(void **state)
{
    static const struct {
        const char *region, *endpoint, *url;
    } rows[] = {
        {"eu-west-1", NULL, "https://logs.eu-west-1.amazonaws.com"},
        {"cn-north-1", "", "https://logs.cn-north-1.amazonaws.com.cn"},
        {"r", "logs-fips.us-east-1.amazonaws.com", "https://logs-fips.us-east-1.amazonaws.com"},
        {"r", "http://127.0.0.1:80/", "http://127.0.0.1:80"},
        {"r", "https://proxy/logs//", "https://proxy/logs"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char url[HF_AWS_URL_MAX];
        assert_true(hf_aws_service_url("logs", rows[i].region, rows[i].endpoint, url));
        assert_string_equal(url, rows[i].url);
    }
    char long_text[HF_AWS_URL_MAX + 1], url[HF_AWS_URL_MAX];
    memset(long_text, 'a', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    assert_false(hf_aws_service_url("logs", "r", long_text, url));
}

static void names_of_errors_say_what_to_do(void **state)
{
    (void)state;
    assert_int_equal(hf_aws_error_status("ThrottlingException"), HF_BUSY);
    assert_int_equal(hf_aws_error_status("ExpiredTokenException"), HF_UNAUTHENTICATED);
    assert_int_equal(hf_aws_error_status("ResourceNotFoundException"), HF_NOT_FOUND);
    assert_int_equal(hf_aws_error_status("InvalidParameterException"), HF_INVALID);
    assert_int_equal(hf_aws_error_status("DataAlreadyAcceptedException"), HF_EXISTS);
    assert_int_equal(hf_aws_error_status("Other"), HF_OK);
}

static void a_group_keeps_its_events_for_certain_numbers_of_days(void **state)
{
    (void)state;
    assert_true(hf_aws_logs_is_retention(0));
    assert_true(hf_aws_logs_is_retention(3653));
    assert_false(hf_aws_logs_is_retention(2));
    assert_false(hf_aws_logs_is_retention(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints_become_urls),
        cmocka_unit_test(names_of_errors_say_what_to_do),
        cmocka_unit_test(a_group_keeps_its_events_for_certain_numbers_of_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
