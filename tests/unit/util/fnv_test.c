/* FNV-1a as published: other programs compute the same. */
#include "util/fnv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the four before it */

/* The values of the draft draft-eastlake-fnv, appendix C. */
static void computes_the_published_values(void **state)
{
    static const struct {
        const char *text;
        uint64_t hash;
    } cases[] = {
        {"", UINT64_C(0xcbf29ce484222325)},
        {"a", UINT64_C(0xaf63dc4c8601ec8c)},
        {"foobar", UINT64_C(0x85944171f73967e8)},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(hf_fnv(hf_slice_text(cases[i].text)) == cases[i].hash);
    }
}

static void goes_on_with_what_was_hashed_before(void **state)
{
    (void)state;
    uint64_t first = hf_fnv(hf_slice_text("foo"));
    assert_true(hf_fnv_add(first, hf_slice_text("bar")) == hf_fnv(hf_slice_text("foobar")));
    uint64_t hash = hf_fnv(hf_slice_text("foobar"));
    assert_true(hf_fnv_folded(hf_slice_text("foobar")) == (hash ^ hash >> 32));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(computes_the_published_values),
        cmocka_unit_test(goes_on_with_what_was_hashed_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
