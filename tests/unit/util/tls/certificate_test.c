#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/certificates.h"
#include "util/tls/certificate.h"

static void reads_a_file(void **state)
{
    struct certificates made;
    struct hf_certificate_look look;
    (void)state;
    certificates_new(&made);
    assert_int_equal(hf_certificate_read_file(made.cert_file, &look), HF_OK);
    assert_true(look.until_s > look.from_s && look.from_s != 0);
    assert_int_equal(look.last_until_s, look.until_s);
    assert_non_null(strstr(look.subject, "CN="));
    assert_int_equal(hf_certificate_read_file(made.key_file, &look), HF_INVALID);
    certificates_remove(&made);
    assert_int_equal(hf_certificate_read_file(made.cert_file, &look), HF_IO);
}

static void a_text_without_a_certificate_is_invalid(void **state)
{
    static const char *const texts[] = {
        "", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"};
    struct hf_certificate_look look = {.until_s = 7};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(hf_certificate_read(hf_slice_text(texts[i]), &look), HF_INVALID);
        assert_int_equal(look.until_s, 7);
    }
}

static void what_has_no_end_is_too_large(void **state)
{
    struct hf_certificate_look look;
    (void)state;
    assert_int_equal(hf_certificate_read_file("/dev/zero", &look), HF_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_file),
        cmocka_unit_test(a_text_without_a_certificate_is_invalid),
        cmocka_unit_test(what_has_no_end_is_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
