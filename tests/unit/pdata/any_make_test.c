/* Values are made, looked up and changed without changing what they were made of. */
#include "pdata/any_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

#include "pdata/wire.h"

static struct hf_arena arena = {.limit = 1 << 20};

static struct hf_slice text(const char *literal)
{
    return hf_slice_text(literal);
}

static void assert_text(struct hf_slice value, const char *expected)
{
    struct hf_bytes out = {0};
    assert_int_equal(hf_any_text(value, &out), HF_OK);
    assert_int_equal(out.size, strlen(expected));
    if (out.size > 0) {
        assert_memory_equal(out.data, expected, out.size);
    }
    hf_bytes_release(&out);
}

/* {"a": "x", "b": [1, 2.5], "c": {}} */
static struct hf_slice sample(struct hf_any_maker *maker)
{
    struct hf_slice list[] = {hf_any_make_int(maker, 1), hf_any_make_double(maker, 2.5)};
    struct hf_any_pair pairs[] = {{text("a"), hf_any_make_string(maker, text("x"))},
                                  {text("b"), hf_any_make_list(maker, list, 2)},
                                  {text("c"), hf_any_make_map(maker, NULL, 0)}};
    return hf_any_make_map(maker, pairs, 3);
}

static void makes_every_type(void **state)
{
    struct hf_any_maker maker = {.arena = &arena};
    (void)state;
    assert_text(hf_any_make_string(&maker, text("caf\xc3\xa9")), "caf\xc3\xa9");
    assert_text(hf_any_make_bool(&maker, true), "true");
    assert_text(hf_any_make_int(&maker, INT64_MIN), "-9223372036854775808");
    assert_text(hf_any_make_double(&maker, 0.1), "0.1");
    assert_text(hf_any_make_bytes(&maker, hf_slice_of("\xff\x00", 2)), "/wA=");
    assert_text(sample(&maker), "{\"a\":\"x\",\"b\":[1,2.5],\"c\":{}}");
    assert_text(hf_any_make_list(&maker, NULL, 0), "[]");
    assert_text(HF_EMPTY_SLICE, "");
    assert_false(maker.failed);
    hf_arena_reset(&arena);
}

static void what_was_read_is_made_again(void **state)
{
    struct hf_any_maker maker = {.arena = &arena};
    struct hf_slice values[] = {sample(&maker), hf_any_make_int(&maker, 7),
                                hf_any_make_bool(&maker, false), HF_EMPTY_SLICE,
                                hf_any_make_bytes(&maker, text("b"))};
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct hf_any any = hf_any_read(values[i]);
        assert_true(hf_slice_equal(hf_any_make(&maker, &any), values[i]));
    }
    hf_arena_reset(&arena);
}

static void maps_and_lists_are_changed_in_a_copy(void **state)
{
    struct hf_any_maker maker = {.arena = &arena};
    struct hf_slice value = sample(&maker);
    struct hf_any map = hf_any_read(value);
    struct hf_slice one = hf_any_make_int(&maker, 1);
    struct hf_slice found;
    (void)state;
    assert_text(hf_any_with(&maker, &map, text("b"), one), "{\"a\":\"x\",\"b\":1,\"c\":{}}");
    assert_text(hf_any_with(&maker, &map, text("d"), one),
                "{\"a\":\"x\",\"b\":[1,2.5],\"c\":{},\"d\":1}");
    assert_text(hf_any_without(&maker, &map, text("b")), "{\"a\":\"x\",\"c\":{}}");
    assert_text(hf_any_without(&maker, &map, text("none")), "{\"a\":\"x\",\"b\":[1,2.5],\"c\":{}}");
    assert_true(hf_any_look_up(&map, text("b"), &found));
    assert_false(hf_any_look_up(&map, text("d"), &found));
    struct hf_any list = hf_any_read(found);
    assert_text(hf_any_append(&maker, &list, one), "[1,2.5,1]");
    assert_text(hf_any_with_at(&maker, &list, 0, one), "[1,2.5]");
    assert_text(hf_any_with_at(&maker, &list, 4, one), "[1,2.5,null,null,1]");
    assert_int_equal(hf_any_count(&list), 2);
    assert_int_equal(hf_any_count(&map), 3);
    assert_true(hf_any_at(&list, 1, &found));
    assert_text(found, "2.5");
    assert_false(hf_any_at(&list, 2, &found));
    assert_text(value, "{\"a\":\"x\",\"b\":[1,2.5],\"c\":{}}");
    hf_arena_reset(&arena);
}

#define KEY(literal)                                                                               \
    {                                                                                              \
        .text = {(const uint8_t *)(literal), sizeof(literal) - 1 }                                 \
    }
#define AT(number)                                                                                 \
    {                                                                                              \
        .is_index = true, .index = (number)                                                        \
    }

/* What comes of getting by keys from the sample, and of setting 7 there. */
static const struct {
    struct hf_any_key keys[3];
    size_t count;
    const char *got, *set; /* NULL: refused */
} by_keys[] = {
    {{KEY("a")}, 1, "x", "{\"a\":7,\"b\":[1,2.5],\"c\":{}}"},
    {{KEY("b"), AT(1)}, 2, "2.5", "{\"a\":\"x\",\"b\":[1,7],\"c\":{}}"},
    {{KEY("b"), AT(2)}, 2, NULL, NULL},
    {{KEY("b"), AT(-1)}, 2, NULL, NULL},
    {{KEY("b"), KEY("k")}, 2, NULL, NULL},
    {{KEY("a"), KEY("k")}, 2, NULL, NULL},
    {{AT(0)}, 1, NULL, NULL},
    {{KEY("c"), KEY("k")}, 2, "", "{\"a\":\"x\",\"b\":[1,2.5],\"c\":{\"k\":7}}"},
    {{KEY("d"), KEY("k"), KEY("l")},
     3,
     "",
     "{\"a\":\"x\",\"b\":[1,2.5],\"c\":{},\"d\":{\"k\":{\"l\":7}}}"},
    {{KEY("d"), AT(1)}, 2, "", "{\"a\":\"x\",\"b\":[1,2.5],\"c\":{},\"d\":[null,7]}"},
    {{KEY("d"), AT(99999)}, 2, "", NULL},
};

static void keys_lead_into_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(by_keys) / sizeof(by_keys[0]); i++) {
        struct hf_any_maker maker = {.arena = &arena};
        char error[HF_ERROR_MAX] = "";
        struct hf_slice value = sample(&maker);
        struct hf_slice found;
        enum hf_status status = hf_any_get(value, by_keys[i].keys, by_keys[i].count, &found, error);
        assert_int_equal(status, by_keys[i].got != NULL ? HF_OK : HF_INVALID);
        if (status == HF_OK) {
            assert_text(found, by_keys[i].got);
        } else {
            assert_string_not_equal(error, "");
        }
        status = hf_any_put(&maker, value, by_keys[i].keys, by_keys[i].count,
                            hf_any_make_int(&maker, 7), &found, error);
        assert_int_equal(status, by_keys[i].set != NULL ? HF_OK : HF_INVALID);
        if (status == HF_OK) {
            assert_text(found, by_keys[i].set);
        }
        hf_arena_reset(&arena);
    }
}

static void what_is_nested_too_deeply_is_refused(void **state)
{
    struct hf_any_maker maker = {.arena = &arena};
    struct hf_any_key key = KEY("k");
    char error[HF_ERROR_MAX] = "";
    struct hf_slice value = hf_any_make_int(&maker, 1);
    unsigned depth = 0;
    (void)state;
    while (hf_any_put(&maker, HF_EMPTY_SLICE, &key, 1, value, &value, error) == HF_OK) {
        depth++;
        assert_int_equal(hf_any_depth(value), 3 * depth + 1);
        assert_true(depth < HF_ANY_DEPTH_MAX);
    }
    assert_true(hf_any_depth(value) <= HF_ANY_DEPTH_MAX);
    assert_true(hf_any_depth(value) + 3 > HF_ANY_DEPTH_MAX);
    hf_arena_reset(&arena);
}

static void several_fields_become_one(void **state)
{
    static const struct {
        const char *value;
        size_t size;
        const char *expected;
    } cases[] = {
        {"\x0a\x01x\x10\x01", 5, "true"},
        {"\x10\x01\x0a\x01x", 5, "x"},
        {"\x2a\x04\x0a\x02\x18\x01\x2a\x04\x0a\x02\x18\x02", 12, "[1,2]"},
        {"\x2a\x04\x0a\x02\x18\x01\x10\x01\x2a\x04\x0a\x02\x18\x02", 14, "[2]"},
        {"\x10\x01\xa0\x06\x01", 5, "true"}, /* an unknown field */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_any_maker maker = {.arena = &arena};
        struct hf_slice value = hf_slice_of(cases[i].value, cases[i].size);
        assert_text(hf_any_settle(&maker, value), cases[i].expected);
        assert_false(maker.failed);
    }
    hf_arena_reset(&arena);
}

static void notes_when_it_has_no_room(void **state)
{
    struct hf_arena small = {.limit = 4096};
    struct hf_any_maker maker = {.arena = &small};
    static const char long_text[5000];
    (void)state;
    struct hf_slice value = hf_any_make_string(&maker, hf_slice_of(long_text, sizeof(long_text)));
    assert_int_equal(value.size, 0);
    assert_true(maker.failed);
    assert_int_equal(hf_any_make_int(&maker, 1).size, 0);
    hf_arena_release(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_every_type),
        cmocka_unit_test(what_was_read_is_made_again),
        cmocka_unit_test(maps_and_lists_are_changed_in_a_copy),
        cmocka_unit_test(keys_lead_into_values),
        cmocka_unit_test(what_is_nested_too_deeply_is_refused),
        cmocka_unit_test(several_fields_become_one),
        cmocka_unit_test(notes_when_it_has_no_room),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    hf_arena_release(&arena);
    return failed;
}
