/* Any JSON becomes a value, and what is none is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include <string.h>

#include "pdata/json_any.h"

static void reads_any_json(void **state)
{
    static const char text[] = "{\"a\":{\"b\":\"x\",\"n\":-12,\"d\":1.5,\"t\":true,\"z\":null},"
                               "\"l\":[1,[\"y\"]],\"e\":\"\"}";
    static const char *const cases[][2] = {
        {"a.b", "x"}, {"a.n", "-12"}, {"a.d", "1.5"}, {"a.t", "true"}, {"a.z", ""},
        {"a", ""},    {"l", ""},      {"e", ""},      {"none.x", ""},  {"a.b.c", ""},
    };
    struct hf_arena arena = {.limit = 1 << 20};
    struct hf_any_maker maker = {.arena = &arena};
    struct hf_slice value;
    (void)state;
    assert_int_equal(hf_json_any(&maker, hf_slice_text(text), &value), HF_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(hf_slice_is(hf_json_any_text(&maker, value, cases[i][0]), cases[i][1]));
    }
    hf_arena_release(&arena);
}

static void refuses_what_is_none(void **state)
{
    static const char *const wrong[] = {"", "{", "[1,]", "{\"a\":1} x", "nul"};
    struct hf_arena arena = {.limit = 1 << 20};
    struct hf_any_maker maker = {.arena = &arena};
    struct hf_slice value;
    char deep[2 * (HF_JSON_ANY_DEPTH_MAX + 1)];
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(hf_json_any(&maker, hf_slice_text(wrong[i]), &value), HF_INVALID);
    }
    memset(deep, '[', sizeof(deep) / 2);
    memset(deep + sizeof(deep) / 2, ']', sizeof(deep) / 2);
    assert_int_equal(hf_json_any(&maker, hf_slice_of(deep, sizeof(deep)), &value), HF_INVALID);
    assert_int_equal(hf_json_any(&maker, hf_slice_of(deep + 1, sizeof(deep) - 2), &value), HF_OK);
    hf_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_any_json),
        cmocka_unit_test(refuses_what_is_none),
    };
    return cmocka_run_group_tests_name("json_any", tests, NULL, NULL);
}
