/* What each code of a backend means for the data. */
#include "support/sending/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs the four before it */

static void never_takes_a_state_of_the_server_for_a_fault_of_the_data(void **state)
{
    (void)state;
    for (int code = 500; code < 1000; code++) {
        assert_int_not_equal(hf_verdict_of_http(code, "").status, HF_INVALID);
        assert_int_equal(hf_verdict_of_http(code, "").is_suspect, code == 500);
    }
    for (int code = 100; code < 400; code++) {
        enum hf_status wanted = code >= 200 && code < 300 ? HF_OK : HF_AGAIN;
        assert_int_equal(hf_verdict_of_http(code, "").status, wanted);
    }
}

static void holds_what_is_about_the_endpoint(void **state)
{
    static const int http[] = {401, 402, 403, 404, 405, 407, 410, 421, 426, 501, 505, 511};
    static const int grpc[] = {7, 12, 16};
    (void)state;
    for (size_t i = 0; i < sizeof(http) / sizeof(http[0]); i++) {
        enum hf_status status = hf_verdict_of_http(http[i], "").status;
        assert_true(status == HF_UNAUTHENTICATED || status == HF_FORBIDDEN ||
                    status == HF_NOT_FOUND || status == HF_UNSUPPORTED);
    }
    for (size_t i = 0; i < sizeof(grpc) / sizeof(grpc[0]); i++) {
        enum hf_status status = hf_verdict_of_grpc(grpc[i], "").status;
        assert_true(status == HF_UNAUTHENTICATED || status == HF_FORBIDDEN ||
                    status == HF_UNSUPPORTED);
    }
}

static void retries_what_passes(void **state)
{
    static const int http[] = {408, 425, 499, 500, 502, 503, 504, 520, 524, 529, 530};
    static const int grpc[] = {1, 2, 10, 11, 13, 14, 15, 17, 99, -3};
    (void)state;
    for (size_t i = 0; i < sizeof(http) / sizeof(http[0]); i++) {
        assert_int_equal(hf_verdict_of_http(http[i], "").status, HF_AGAIN);
    }
    for (size_t i = 0; i < sizeof(grpc) / sizeof(grpc[0]); i++) {
        assert_int_equal(hf_verdict_of_grpc(grpc[i], "").status, HF_AGAIN);
    }
    assert_int_equal(hf_verdict_of_http(429, "").status, HF_BUSY);
    assert_int_equal(hf_verdict_of_grpc(8, "").status, HF_BUSY);
    assert_int_equal(hf_verdict_of_grpc(4, "").status, HF_DEADLINE);
}

static void halves_what_is_too_large(void **state)
{
    (void)state;
    assert_int_equal(hf_verdict_of_http(413, "").status, HF_TOO_LARGE);
    assert_int_equal(hf_verdict_of_http(400, "http: request body too large").status, HF_TOO_LARGE);
    assert_int_equal(hf_verdict_of_grpc(8, "received message larger than max (9 vs. 4)").status,
                     HF_TOO_LARGE);
}

static void gives_up_what_is_about_the_data(void **state)
{
    static const int http[] = {400, 409, 411, 412, 414, 415, 422, 431};
    static const int grpc[] = {3, 5, 6, 9};
    (void)state;
    for (size_t i = 0; i < sizeof(http) / sizeof(http[0]); i++) {
        assert_int_equal(hf_verdict_of_http(http[i], "").status, HF_INVALID);
    }
    for (size_t i = 0; i < sizeof(grpc) / sizeof(grpc[0]); i++) {
        assert_int_equal(hf_verdict_of_grpc(grpc[i], "").status, HF_INVALID);
    }
}

static void suspects_the_request_of_a_server_error_alone(void **state)
{
    (void)state;
    for (int code = 0; code <= 16; code++) {
        assert_int_equal(hf_verdict_of_grpc(code, "").is_suspect, code == 2 || code == 13);
    }
    for (int code = 300; code < 500; code++) {
        assert_false(hf_verdict_of_http(code, "").is_suspect);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_takes_a_state_of_the_server_for_a_fault_of_the_data),
        cmocka_unit_test(holds_what_is_about_the_endpoint),
        cmocka_unit_test(retries_what_passes),
        cmocka_unit_test(halves_what_is_too_large),
        cmocka_unit_test(gives_up_what_is_about_the_data),
        cmocka_unit_test(suspects_the_request_of_a_server_error_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
