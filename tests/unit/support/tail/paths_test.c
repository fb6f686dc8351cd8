#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/tail/paths.h"

static void patterns_match_whole_paths(void **state)
{
    static const struct {
        const char *pattern, *path;
        bool matches;
    } rows[] = {
        {"/a/*.log", "/a/x.log", true},
        {"/a/*.log", "/a/b/x.log", false},
        {"/a/**/x.log", "/a/x.log", true},
        {"/a/**/x.log", "/a/b/c/x.log", true},
        {"/a/**", "/a/b/c", true},
        {"/a/*/*/*.log", "/a/b/c/d.log", true},
        {"/a/[bc]?", "/a/c1", true},
        {"/a/[!bc]?", "/a/c1", false},
        {"/a/[a-f]", "/a/e", true},
        {"/a/{x,y*}.log", "/a/yes.log", true},
        {"/a/{x,y*}.log", "/a/z.log", false},
        {"/a/\\*", "/a/*", true},
        {"/a/\\*", "/a/b", false},
        {"*.log", "a.log", true},
        {"/a/*x*", "/a/axb", true},
        {"", "", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (hf_paths_match(rows[i].pattern, rows[i].path) != rows[i].matches) {
            fail_msg("%s and %s", rows[i].pattern, rows[i].path);
        }
    }
}

static void patterns_without_partners_are_refused(void **state)
{
    static const char *const bad[] = {"", "/a/[b", "/a/{b", "/a/b}", "/a\\"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_non_null(hf_paths_check(bad[i]));
    }
    assert_null(hf_paths_check("/a/[]b]/{c,d}/**/*.log"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_whole_paths),
        cmocka_unit_test(patterns_without_partners_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
