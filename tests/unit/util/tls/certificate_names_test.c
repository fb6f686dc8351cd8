/* Whom a certificate is for, read from certificates that are made here. */
#include "util/tls/certificate_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "util/tls/certificate_make.h"

static void tells_names_issuer_and_end(void **state)
{
    static const char *const names[] = {"a.example", "b.example"};
    struct hf_certificate authority = {0}, server = {0};
    struct hf_certificate_names seen;
    (void)state;
    assert_int_equal(hf_certificate_make_authority("an authority", 1000, &authority), HF_OK);
    assert_int_equal(hf_certificate_issue(&authority, names, 2, 100, &server), HF_OK);
    assert_int_equal(hf_certificate_names_read(hf_slice_text(server.certificate), &seen), HF_OK);
    assert_string_equal(seen.issuer, "CN=an authority");
    assert_string_equal(seen.common_name, "a.example");
    assert_int_equal(seen.name_count, 2);
    assert_string_equal(seen.names[0], "a.example");
    assert_string_equal(seen.names[1], "b.example");
    assert_true(seen.until_s > time(NULL) && seen.until_s <= time(NULL) + 100);
    hf_certificate_names_release(&seen);
    hf_certificate_release(&authority);
    hf_certificate_release(&server);
}

static void a_text_without_certificate_is_refused(void **state)
{
    struct hf_certificate_names seen;
    (void)state;
    assert_int_equal(hf_certificate_names_read(hf_slice_text("none"), &seen), HF_INVALID);
    assert_int_equal(hf_certificate_names_read(HF_EMPTY_SLICE, &seen), HF_INVALID);
    hf_certificate_names_release(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_names_issuer_and_end),
        cmocka_unit_test(a_text_without_certificate_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
