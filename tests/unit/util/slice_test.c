/* Slices compare by bytes, and the shorter of two that begin alike is first. */
#include <holdfast/slice.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h> /* needs those before it */

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static void compares_by_bytes(void **state)
{
    static const struct {
        const char *a, *b;
        int order;
    } cases[] = {
        {"", "", 0},    {"", "a", -1},     {"a", "a", 0},      {"a", "b", -1},
        {"b", "a", 1},  {"ab", "abc", -1}, {"Z", "a", -1},     {"\xff", "a", 1},
        {"b", "ab", 1}, {"a\x01", "a", 1}, {"abc", "abd", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_slice a = hf_slice_text(cases[i].a), b = hf_slice_text(cases[i].b);
        assert_int_equal(sign(hf_slice_compare(a, b)), cases[i].order);
        assert_int_equal(sign(hf_slice_compare(b, a)), -cases[i].order);
    }
    assert_int_equal(hf_slice_compare(HF_EMPTY_SLICE, hf_slice_text("")), 0);
}

static void orders_what_begins_with_one(void **state)
{
    struct pair {
        struct hf_slice key;
        int value;
    } pairs[] = {{hf_slice_text("b"), 2}, {hf_slice_text("a"), 1}, {HF_EMPTY_SLICE, 0}};
    (void)state;
    qsort(pairs, 3, sizeof(pairs[0]), hf_slice_order);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pairs[i].value, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_by_bytes),
        cmocka_unit_test(orders_what_begins_with_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
