/* Hashes are those of XXH3, differ where the things differ, and those of sets have no order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

#include "util/hash.h"

static void hashes_are_those_of_xxh3(void **state)
{
    /* The values of xxhsum -H2 and -H3 for nothing. */
    (void)state;
    struct hf_hash hash = hf_hash_of(HF_EMPTY_SLICE);
    assert_true(hash.high == UINT64_C(0x99aa06d3014798d8));
    assert_true(hash.low == UINT64_C(0x6001c324468d497f));
    assert_true(hf_hash_64(HF_EMPTY_SLICE) == UINT64_C(0x2d06800538d394c2));
}

static void pairs_that_are_cut_elsewhere_differ(void **state)
{
    struct hf_hash one = hf_hash_pair(hf_slice_text("ab"), hf_slice_text("c"));
    struct hf_hash other = hf_hash_pair(hf_slice_text("a"), hf_slice_text("bc"));
    (void)state;
    assert_false(hf_hash_equal(one, other));
    assert_true(hf_hash_equal(hf_hash_add(one, other), hf_hash_add(other, one)));
    assert_false(hf_hash_equal(hf_hash_mix(one, other), hf_hash_mix(other, one)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_xxh3),
        cmocka_unit_test(pairs_that_are_cut_elsewhere_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
