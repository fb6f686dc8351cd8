/* Known hashes come out. */
#include "src/util/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

static void hashes_as_the_standard_says(void **state)
{
    static const struct {
        const char *text, *sha1;
    } cases[] = {
        {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char hex[HF_SHA1_HEX_SIZE];
        assert_int_equal(hf_digest_sha1(hf_slice_text(cases[i].text), hex), HF_OK);
        assert_memory_equal(hex, cases[i].sha1, sizeof(hex));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_as_the_standard_says),
    };
    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
