/* Values as JSON. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h> /* needs those before it */

#include "components/exporters/loki/loki_text.h"

#define MANY 100u

static void assert_json(struct hf_arena *arena, struct hf_slice value, const char *wanted)
{
    struct hf_bytes out = {0};
    struct hf_json_writer writer = {.out = &out, .html = true};
    loki_put_value(&writer, arena, value);
    assert_int_equal(hf_json_write_status(&writer), HF_OK);
    if (!hf_slice_is(hf_slice_of(out.data, out.size), wanted)) {
        fail_msg("got %.*s, wanted %s", (int)out.size, out.data, wanted);
    }
    hf_bytes_release(&out);
}

static void numbers_that_json_does_not_have_are_texts(void **state)
{
    (void)state;
    struct hf_arena arena = {.limit = 1 << 16};
    struct hf_any_maker maker = {.arena = &arena};
    const struct hf_slice values[] = {
        hf_any_make_double(&maker, NAN), hf_any_make_double(&maker, INFINITY),
        hf_any_make_double(&maker, -INFINITY), hf_any_make_double(&maker, 2)};
    assert_json(&arena, values[0], "\"NaN\"");
    assert_json(&arena, hf_any_make_list(&maker, values, 4), "[\"NaN\",\"+Inf\",\"-Inf\",2]");
    hf_arena_release(&arena);
}

static void keys_are_sorted_and_the_last_of_one_counts(void **state)
{
    (void)state;
    struct hf_arena arena = {.limit = 1 << 16};
    struct hf_any_maker maker = {.arena = &arena};
    const struct hf_any_pair pairs[] = {
        {hf_slice_text("b"), hf_any_make_int(&maker, 1)},
        {hf_slice_text("a<"), HF_EMPTY_SLICE},
        {hf_slice_text("b"), hf_any_make_int(&maker, 2)},
        {hf_slice_text("a"), hf_any_make_bytes(&maker, hf_slice_text("abc"))},
        {hf_slice_text(""), hf_any_make_bool(&maker, true)},
    };
    assert_json(&arena, hf_any_make_map(&maker, pairs, 5),
                "{\"\":true,\"a\":\"YWJj\",\"a\\u003c\":null,\"b\":2}");
    hf_arena_release(&arena);
}

static void many_keys_are_sorted_as_few_are(void **state)
{
    (void)state;
    struct hf_arena arena = {.limit = 1 << 20};
    struct hf_any_maker maker = {.arena = &arena};
    struct hf_any_pair pairs[MANY];
    uint8_t keys[MANY];
    char wanted[MANY * 8];
    size_t size = 0;
    for (size_t i = 0; i < MANY; i++) { /* 50 letters downwards, each twice */
        keys[i] = (uint8_t)('r' - (i % 50));
        pairs[i] =
            (struct hf_any_pair){hf_slice_of(&keys[i], 1), hf_any_make_int(&maker, i < 50 ? 1 : 2)};
    }
    wanted[size++] = '{';
    for (int key = 'r' - 49; key <= 'r'; key++) {
        const char one[] = {'\\', (char)key, '\0'};
        const char *text = key == '\\' ? one : one + 1;
        size += (size_t)snprintf(wanted + size, sizeof(wanted) - size, "%s\"%s\":2",
                                 size > 1 ? "," : "", text);
    }
    snprintf(wanted + size, sizeof(wanted) - size, "}");
    assert_json(&arena, hf_any_make_map(&maker, pairs, MANY), wanted);
    hf_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_that_json_does_not_have_are_texts),
        cmocka_unit_test(keys_are_sorted_and_the_last_of_one_counts),
        cmocka_unit_test(many_keys_are_sorted_as_few_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
