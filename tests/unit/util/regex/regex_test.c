/* Patterns written for RE2 match what RE2 would match; one that runs away matches nothing. */
#include "util/regex/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

static struct hf_regex *compiled(const char *pattern)
{
    char error[HF_REGEX_ERROR_MAX] = "";
    struct hf_regex *regex = NULL;
    if (hf_regex_new(pattern, &regex, error) != HF_OK) {
        fail_msg("%s: %s", pattern, error);
    }
    return regex;
}

static void matches_as_re2(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool expected;
    } cases[] = {
        {"", "", true},
        {"", "anything", true},
        {"b", "abc", true}, /* not anchored */
        {"^b", "abc", false},
        {"c$", "abc", true},
        {"c$", "abc\n", false}, /* the very end */
        {"(?m)c$", "abc\n", true},
        {"a.c", "a\nc", false},
        {"a.c", "a\rc", true}, /* only \n ends a line */
        {"(?s)a.c", "a\nc", true},
        {"(?i)ABC", "abc", true},
        {"^caf.$", "caf\xc3\xa9", true}, /* a character, not a byte */
        {"\\p{Greek}", "\xce\xb1", true},
        {"^db\\..*password$", "db.user.password", true},
        {"a\\z", "a", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_regex *regex = compiled(cases[i].pattern);
        if (hf_regex_matches(regex, hf_slice_text(cases[i].text)) != cases[i].expected) {
            fail_msg("%s", cases[i].pattern);
        }
        hf_regex_free(regex);
    }
}

static void finds_named_groups(void **state)
{
    struct hf_regex *regex = compiled("^/api/(?P<version>v[0-9]+)(?:/(?P<rest>.*))?(x)?$");
    struct hf_slice groups[3];
    (void)state;
    assert_int_equal(hf_regex_group_count(regex), 3);
    assert_string_equal(hf_regex_group_name(regex, 1), "version");
    assert_string_equal(hf_regex_group_name(regex, 2), "rest");
    assert_null(hf_regex_group_name(regex, 3));
    assert_true(hf_regex_find(regex, hf_slice_text("/api/v2/users/7"), groups));
    assert_true(hf_slice_is(groups[0], "v2"));
    assert_true(hf_slice_is(groups[1], "users/7"));
    assert_true(hf_slice_is(groups[2], ""));
    assert_true(hf_regex_find(regex, hf_slice_text("/api/v3"), groups));
    assert_true(hf_slice_is(groups[0], "v3"));
    assert_true(hf_slice_is(groups[1], "")); /* nothing of the match before */
    assert_false(hf_regex_find(regex, hf_slice_text("/web"), groups));
    assert_false(hf_regex_find(regex, HF_EMPTY_SLICE, groups));
    hf_regex_free(regex);
}

static void says_what_is_wrong_with_a_pattern(void **state)
{
    static const char *const patterns[] = {"(", "[a", "a{2,1}", "(?P<a>x)(?P<a>y)", "\\C", "*"};
    (void)state;
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        char error[HF_REGEX_ERROR_MAX] = "";
        struct hf_regex *regex = NULL;
        assert_int_equal(hf_regex_new(patterns[i], &regex, error), HF_INVALID);
        assert_null(regex);
        assert_true(strlen(error) > 10);
    }
}

static void takes_no_offence_at_bytes_that_are_no_text(void **state)
{
    struct hf_regex *regex = compiled("b.d");
    (void)state;
    assert_true(hf_regex_matches(regex, hf_slice_text("\xff\xc2 bcd \x80")));
    assert_false(hf_regex_matches(regex, hf_slice_text("b\xff"
                                                       "d")));
    hf_regex_free(regex);
}

static void ends_a_match_that_runs_away(void **state)
{
    struct hf_regex *regex = compiled("^(a+)+$");
    struct hf_regex *nested = compiled("^(a|b|ab)*c");
    size_t size = 100000;
    char *text = malloc(size);
    (void)state;
    assert_non_null(text);
    memset(text, 'a', size);
    assert_false(
        hf_regex_matches(regex, hf_slice_text("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")));
    assert_false(hf_regex_matches(nested, hf_slice_of(text, size)));
    assert_true(hf_regex_matches(nested, hf_slice_text("abac")));
    free(text);
    hf_regex_free(regex);
    hf_regex_free(nested);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_as_re2),
        cmocka_unit_test(finds_named_groups),
        cmocka_unit_test(says_what_is_wrong_with_a_pattern),
        cmocka_unit_test(takes_no_offence_at_bytes_that_are_no_text),
        cmocka_unit_test(ends_a_match_that_runs_away),
    };
    return cmocka_run_group_tests_name("regex", tests, NULL, NULL);
}
