#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "expr/expr.h"

static const char *const names[] = {"body", "attributes", "$", HF_EXPR_LABELS, NULL};

/* What an expression is for body "hello world" and attributes {"n": 5, "list": ["a", "b"]}. The
 * value may be part of `ret_expr`, which the caller frees. */
static enum hf_status eval(const char *text, struct hf_arena *arena, struct hf_expr **ret_expr,
                           struct hf_expr_value *ret, char *why)
{
    struct hf_expr_map *map = hf_expr_map_new(arena, 4);
    struct hf_expr_list *list = hf_expr_list_new(arena, 2);
    list->items[list->count++] = hf_expr_text("a");
    list->items[list->count++] = hf_expr_text("b");
    struct hf_expr_value listed = {.type = HF_EXPR_LIST, .list = list};
    assert_int_equal(hf_expr_map_add(arena, map, hf_slice_text("n"), hf_expr_integer(5)), HF_OK);
    assert_int_equal(hf_expr_map_add(arena, map, hf_slice_text("list"), listed), HF_OK);
    struct hf_expr_map *labels = hf_expr_map_new(arena, 2);
    assert_int_equal(hf_expr_map_add(arena, labels, hf_slice_text("a"), hf_expr_text("x")), HF_OK);
    assert_int_equal(hf_expr_map_add(arena, labels, hf_slice_text("n"), hf_expr_integer(1)), HF_OK);
    struct hf_expr_value values[4] = {hf_expr_text("hello world"),
                                      {.type = HF_EXPR_MAP, .map = map}};
    values[2] = values[0];
    values[3] = (struct hf_expr_value){.type = HF_EXPR_MAP, .map = labels};
    *ret_expr = NULL;
    enum hf_status status = hf_expr_new(text, names, ret_expr, why);
    return status == HF_OK ? hf_expr_eval(*ret_expr, values, arena, ret, why) : status;
}

static const struct {
    const char *text, *equals; /* the latter is an expression too */
} valued[] = {
    {"1 + 2 * 3", "7"},
    {"2 ** 3 ** 2", "512.0"},
    {"-2 + 5 % 3", "0"},
    {"7 / 2", "3.5"},
    {"'a' + \"b\\n\"", "\"ab\\n\""},
    {"body matches '^hello'", "true"},
    {"body matches 'x$'", "false"},
    {"not (body contains 'wor')", "false"},
    {"body startsWith 'he' and body endsWith 'ld'", "true"},
    {"$ == body", "true"},
    {"attributes.n > 4 && attributes['n'] <= 5", "true"},
    {"attributes.missing == nil", "true"},
    {"attributes.missing?.deeper ?? 'none'", "'none'"},
    {"'a' in attributes.list", "true"},
    {"'c' not in attributes.list", "true"},
    {"'n' in attributes", "true"},
    {"attributes.list[-1]", "'b'"},
    {"attributes.list[0:1] == ['a']", "true"},
    {"len(body)", "11"},
    {"len(attributes.list) == 2 ? 'two' : 'other'", "'two'"},
    {"all(attributes.list, {# != 'x'})", "true"},
    {"any(attributes.list, # == 'b')", "true"},
    {"none(1..3, # > 3)", "true"},
    {"map(1..3, # * 2) == [2, 4, 6]", "true"},
    {"filter(1..5, {# % 2 == 0}) == [2, 4]", "true"},
    {"count([true, false], #)", "1"},
    {"{a: 1, 'b': 2}.b", "2"},
    {"upper(trim('  x '))", "'X'"},
    {"upper('äß') + lower('ÄX')", "'Äßäx'"},
    {"join(split('a,b', ','), '-')", "'a-b'"},
    {"int('12') + 1", "13"},
    {"string(1.5) + string(true)", "'1.5true'"},
    {"unknown == nil", "true"},
    {"HasLabel('a') && HasLabel('n') && !HasLabel('b')", "true"},
    {"Label('a') + Label('n') + Label('b')", "'x'"},
    {"let x = 5; let y = x + 1; x * y", "30"},
    {"map([1, 2], {let twice = # * 2; twice + 1}) == [3, 5]", "true"},
    {"if 1 > 2 {'a'} else if 1 > 1 {'b'} else {'c'}", "'c'"},
    {"body | split(' ') | map(upper(#)) | join('-')", "'HELLO-WORLD'"},
    {"'a,b' | split(',') | len() > 1", "true"},
    {"reduce(1..4, #acc + # * #index, 10)", "30"},
    {"0b101 + 0o17 + 1_000", "1020"},
    {"flatten([1, [2, [3]]]) == [1, 2, 3]", "true"},
    {"toJSON({b: [1, nil], a: '<'})",
     "\"{\\n  \\\"a\\\": \\\"\\\\u003c\\\",\\n  \\\"b\\\": [\\n    1,\\n    null\\n  ]\\n}\""},
    {"true || undefined.member", "true"},
    {"!true or !false", "true"},
    {"1 == 1.0", "true"},
    {"0x1f /* a comment */ == 31 // and another", "true"},
};

static void expressions_have_their_values(void **state)
{
    char why[HF_EXPR_ERROR_MAX] = "";
    (void)state;
    for (size_t i = 0; i < sizeof(valued) / sizeof(valued[0]); i++) {
        struct hf_arena arena = {.limit = 1 << 20};
        struct hf_expr_value value, wanted;
        struct hf_expr *expr = NULL, *equals = NULL;
        if (eval(valued[i].text, &arena, &expr, &value, why) != HF_OK ||
            eval(valued[i].equals, &arena, &equals, &wanted, why) != HF_OK ||
            !hf_expr_value_equal(&value, &wanted)) {
            fail_msg("%s is not %s: %s", valued[i].text, valued[i].equals, why);
        }
        hf_expr_free(expr);
        hf_expr_free(equals);
        hf_arena_release(&arena);
    }
}

static const char *const refused[] = {
    "1 +",
    "(1",
    "'open",
    "1 2",
    "a b",
    "nil.member",
    "1 + 'a'",
    "1 < 'a'",
    "len(5)",
    "len()",
    "unknown(1)",
    "Label(1)",
    "Label()",
    "not 1",
    "1 % 0",
    "[1][5]",
    "body matches '('",
    "'a' ? 1 : 2",
    "all([1], 1)",
    "\"\\q\"",
    "9223372036854775807 + 1",
    "@",
    "{a 1}",
    "let = 1; 2",
    "let x 5; x",
    "let x = 5",
    "let x = nil; x.a",
    "if true {1}",
    "if true 1 else {2}",
    "1 | 2",
    "1 | len",
    "'a' | unknown()",
    "repeat('a', 2000000)",
    "repeat('a', -1)",
    "replace('a', '', 'b')",
    "split('a')",
    "let r = 1..1000; all(r, all(r, all(r, # > 0)))",
    "let r = 1..5000; count(r, # in r) > 0",
    "sort([1, 'a'])",
    "sort([1], 'up')",
    "sortBy([{a: 1}, {a: 'x'}], .a)",
    "reduce([], #acc)",
    "groupBy([1], #)",
    "sum(['a'])",
    "max('a')",
    "mean([true])",
    "take([1], -1)",
    "bitshl(1, -1)",
    "bitand(1, 1.5)",
    "fromPairs([1])",
    "fromJSON('{')",
    "fromBase64('*')",
    "keys([1])",
    "first(1)",
    "toJSON()",
    "0x",
    "flatten(1)",
    "concat([1], 2)",
    "ceil('a')",
    "1..9999999",
    "",
};

static void what_has_no_value_is_an_error(void **state)
{
    char why[HF_EXPR_ERROR_MAX] = "";
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct hf_arena arena = {.limit = 1 << 20};
        struct hf_expr_value value;
        struct hf_expr *expr = NULL;
        if (eval(refused[i], &arena, &expr, &value, why) != HF_INVALID) {
            fail_msg("%s has a value", refused[i]);
        }
        hf_expr_free(expr);
        hf_arena_release(&arena);
    }
}

static void deep_nesting_is_refused(void **state)
{
    char text[2048], why[HF_EXPR_ERROR_MAX] = "";
    struct hf_expr *expr = NULL;
    (void)state;
    memset(text, '(', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(hf_expr_new(text, names, &expr, why), HF_INVALID);
    memset(text, '!', sizeof(text) - 1);
    assert_int_equal(hf_expr_new(text, names, &expr, why), HF_INVALID);
    memset(text, '[', sizeof(text) - 1);
    assert_int_equal(hf_expr_new(text, names, &expr, why), HF_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_have_their_values),
        cmocka_unit_test(what_has_no_value_is_an_error),
        cmocka_unit_test(deep_nesting_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
