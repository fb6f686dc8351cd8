#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/component.h>

#include "util/tls/tls.h"
#include "util/tls/tls_names.h"

#define LIST(...)                                                                                  \
    (struct hf_string_list)                                                                        \
    {                                                                                              \
        (const char *const[]){__VA_ARGS__},                                                        \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)                            \
    }
#define NONE ((struct hf_string_list){NULL, 0})

static void every_name_is_one_that_openssl_knows(void **state)
{
    (void)state;
    for (const char *const *name = hf_tls_suite_names; *name != NULL; name++) {
        char error[HF_ERROR_MAX] = "";
        struct hf_tls *tls;
        const struct hf_tls_config config = {.ca_pem = NULL, .cipher_suites = {name, 1}};
        if (hf_tls_new_client(&config, "h2", &tls, error) != HF_OK) {
            fail_msg("%s: %s", *name, error);
        }
        hf_tls_free(tls);
    }
    for (const char *const *name = hf_tls_curve_names; *name != NULL; name++) {
        char error[HF_ERROR_MAX] = "";
        struct hf_tls *tls = NULL;
        const struct hf_tls_config config = {.ca_pem = NULL, .curve_preferences = {name, 1}};
        bool there = hf_tls_curve(*name)->openssl != NULL;
        assert_int_equal(hf_tls_new_client(&config, "h2", &tls, error) == HF_OK, there);
        hf_tls_free(tls);
    }
}

static void sorts_suites_by_version_and_says_each_once(void **state)
{
    (void)state;
    struct hf_tls_lists lists;
    char error[HF_ERROR_MAX] = "";
    assert_int_equal(hf_tls_lists(LIST("TLS_RSA_WITH_AES_128_CBC_SHA256", "TLS_AES_256_GCM_SHA384",
                                       "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
                                       "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
                                       "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_AES_128_GCM_SHA256"),
                                  LIST("P521", "X25519MLKEM768", "CurveP521", "X25519"), &lists,
                                  error),
                     HF_OK);
    assert_string_equal(lists.old, "AES128-SHA256:ECDHE-RSA-CHACHA20-POLY1305:AES128-SHA");
    assert_string_equal(lists.tls13, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256");
    assert_string_equal(lists.curves, "P-521:X25519");
    assert_int_equal(hf_tls_lists(NONE, NONE, &lists, error), HF_OK);
    assert_string_equal(lists.old, "");
    assert_string_equal(lists.curves, "");
}

static void has_room_for_all_of_them(void **state)
{
    (void)state;
    struct hf_tls_lists lists;
    char error[HF_ERROR_MAX] = "";
    size_t suites = 0, curves = 0;
    while (hf_tls_suite_names[suites] != NULL) {
        suites++;
    }
    while (hf_tls_curve_names[curves] != NULL) {
        curves++;
    }
    assert_int_equal(hf_tls_lists((struct hf_string_list){hf_tls_suite_names, suites},
                                  (struct hf_string_list){hf_tls_curve_names, curves}, &lists,
                                  error),
                     HF_OK);
    assert_true(strlen(lists.old) + 1 < sizeof(lists.old));
    assert_true(strlen(lists.tls13) + 1 < sizeof(lists.tls13));
    assert_true(strlen(lists.curves) + 1 < sizeof(lists.curves));
}

static void refuses_what_it_does_not_know(void **state)
{
    (void)state;
    struct hf_tls_lists lists;
    char error[HF_ERROR_MAX] = "";
    assert_int_equal(hf_tls_lists(LIST("TLS_NULL"), NONE, &lists, error), HF_INVALID);
    assert_non_null(strstr(error, "TLS_NULL"));
    assert_int_equal(hf_tls_lists(NONE, LIST("P255"), &lists, error), HF_INVALID);
    assert_non_null(strstr(error, "P255"));
    assert_int_equal(hf_tls_lists(NONE, LIST("X25519MLKEM768"), &lists, error), HF_INVALID);
    assert_non_null(strstr(error, "none of them is available"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_one_that_openssl_knows),
        cmocka_unit_test(sorts_suites_by_version_and_says_each_once),
        cmocka_unit_test(has_room_for_all_of_them),
        cmocka_unit_test(refuses_what_it_does_not_know),
    };
    return cmocka_run_group_tests_name("tls_names", tests, NULL, NULL);
}
