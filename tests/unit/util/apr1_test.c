#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/apr1.h"

/* As `openssl passwd -apr1` writes them. */
static void hashes_as_published(void **state)
{
    (void)state;
    static const struct {
        const char *password, *hash;
    } rows[] = {
        {"", "$apr1$x$tMwYqBfQwi3FYAr0aJc8M/"},
        {"", "$apr1$saltsalt$a8ml/vK5HEjiZ5oypDWA7/"},
        {"a", "$apr1$abc./XYZ$M87p3WyotsTt3t6ykovU9."},
        {"secret", "$apr1$x$12YdXEY0/hH4rDNkmZupO0"},
        {"secret", "$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0"},
        {"a password that is longer than sixteen bytes", "$apr1$saltsalt$BkBJlUqsWJCbYBr8uCpeT."},
        {"p\xc3\xa4ssword", "$apr1$abc./XYZ$Mztgl/rxHyBlQ7E/WQxgu/"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char hash[HF_APR1_SIZE] = "";
        assert_int_equal(hf_apr1(rows[i].password, rows[i].hash, hash), HF_OK);
        assert_string_equal(hash, rows[i].hash);
        assert_int_equal(hf_apr1("other", rows[i].hash, hash), HF_OK);
        assert_string_not_equal(hash, rows[i].hash);
    }
}

static void takes_no_more_salt_than_there_may_be(void **state)
{
    (void)state;
    char hash[HF_APR1_SIZE] = "";
    assert_int_equal(hf_apr1("secret", "$apr1$saltsaltandmore$", hash), HF_OK);
    assert_string_equal(hash, "$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0");
    assert_int_equal(hf_apr1("secret", "$apr1$", hash), HF_OK);
    assert_int_equal(strncmp(hash, "$apr1$$", 7), 0);
}

static void refuses_other_hashes(void **state)
{
    (void)state;
    char hash[HF_APR1_SIZE] = "";
    assert_int_equal(hf_apr1("secret", "$1$saltsalt$", hash), HF_INVALID);
    assert_int_equal(hf_apr1("secret", "", hash), HF_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_as_published),
        cmocka_unit_test(takes_no_more_salt_than_there_may_be),
        cmocka_unit_test(refuses_other_hashes),
    };
    return cmocka_run_group_tests_name("apr1", tests, NULL, NULL);
}
