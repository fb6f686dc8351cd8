/* Known hashes come out. */
#include "util/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

static void hashes_as_the_standard_says(void **state)
{
    static const struct {
        const char *text, *sha1, *sha256;
    } cases[] = {
        {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d",
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char hex[HF_SHA1_HEX_SIZE];
        assert_int_equal(hf_digest_sha1(hf_slice_text(cases[i].text), hex), HF_OK);
        assert_memory_equal(hex, cases[i].sha1, sizeof(hex));
        char longer[HF_SHA256_HEX_SIZE];
        assert_int_equal(hf_digest_sha256(hf_slice_text(cases[i].text), longer), HF_OK);
        assert_memory_equal(longer, cases[i].sha256, sizeof(longer));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_as_the_standard_says),
    };
    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
