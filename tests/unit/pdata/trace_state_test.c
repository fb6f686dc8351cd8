/* Members of a trace state are found, and set in front. */
#include "pdata/trace_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

static const struct {
    const char *state, *found, *set; /* of "b"; set to "new". NULL: none, or refused */
} cases[] = {
    {"", NULL, "b=new"},
    {"a=1", NULL, "b=new,a=1"},
    {"a=1,b=2,c=3", "2", "b=new,a=1,c=3"},
    {"a=1 , b=2\t,c=3", "2", "b=new,a=1,c=3"},
    {"b=x=y", "x=y", "b=new"},
    {"a,b=2", NULL, NULL},
    {"a=1,=2", NULL, NULL},
    {"b=", NULL, NULL},
};

static void finds_and_puts_members(void **state)
{
    struct hf_arena arena = {.limit = 1 << 16};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_slice from = hf_slice_text(cases[i].state);
        struct hf_slice got = HF_EMPTY_SLICE;
        assert_int_equal(hf_trace_state_find(from, hf_slice_text("b"), &got),
                         cases[i].found != NULL);
        assert_true(cases[i].found == NULL || hf_slice_is(got, cases[i].found));
        assert_int_equal(
            hf_trace_state_put(&arena, from, hf_slice_text("b"), hf_slice_text("new"), &got),
            cases[i].set != NULL);
        assert_true(cases[i].set == NULL || hf_slice_is(got, cases[i].set));
    }
    hf_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_and_puts_members)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
