/* References to groups become what they matched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

#include "util/regex/regex_expand.h"

static void references_become_what_their_groups_matched(void **state)
{
    static const struct {
        const char *text, *expanded;
    } rows[] = {
        {"plain", "plain"},      {"$1", "ab"},           {"${1}x", "abx"},     {"$1x", ""},
        {"$name-$$", "cd-$"},    {"${name}", "cd"},      {"$0", "ab.cd"},      {"$3", ""},
        {"$99999999999999", ""}, {"cost: $", "cost: $"}, {"${open", "${open"},
    };
    struct hf_regex *regex;
    char error[HF_REGEX_ERROR_MAX];
    struct hf_slice groups[4];
    bool found;
    (void)state;
    assert_int_equal(hf_regex_new("([a-z]+)\\.(?P<name>[a-z]+)(x)?", &regex, error), HF_OK);
    assert_int_equal(hf_regex_search(regex, hf_slice_text("ab.cd"), 0, groups, &found), HF_OK);
    assert_true(found);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_bytes out = {0};
        assert_int_equal(hf_regex_expand(regex, hf_slice_text(rows[i].text), groups, &out), HF_OK);
        assert_true(hf_slice_is(hf_slice_of(out.data, out.size), rows[i].expanded));
        hf_bytes_release(&out);
    }
    hf_regex_free(regex);
}

/* What Go's ReplaceAllString makes of the same. */
static void all_matches_are_replaced(void **state)
{
    static const struct {
        const char *pattern, *text, *replacement, *expected;
    } rows[] = {
        {"a", "banana", "o", "bonono"},
        {"x*", "abc", "-", "-a-b-c-"},
        {"a*", "baac", "x", "xbxcx"},
        {"(\\w)=(\\w)", "a=b c=d", "$2=${1}", "b=a d=c"},
        {"z", "abc", "-", "abc"},
        {"", "", "x", "x"},
        {"", "\xc3\xa4", ".", ".\xc3\xa4."},
        {"c$", "abc", "", "ab"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_regex *regex;
        char error[HF_REGEX_ERROR_MAX];
        struct hf_bytes out = {0};
        assert_int_equal(hf_regex_new(rows[i].pattern, &regex, error), HF_OK);
        assert_int_equal(hf_regex_replace_all(regex, hf_slice_text(rows[i].text),
                                              hf_slice_text(rows[i].replacement), &out),
                         HF_OK);
        if (!hf_slice_is(hf_slice_of(out.data, out.size), rows[i].expected)) {
            fail_msg("row %zu: %.*s", i, (int)out.size, (const char *)out.data);
        }
        hf_bytes_release(&out);
        hf_regex_free(regex);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_become_what_their_groups_matched),
        cmocka_unit_test(all_matches_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
