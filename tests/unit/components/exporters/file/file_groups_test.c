/* Which file a value may name. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

#include "components/exporters/file/file_groups.h"

static void never_leaves_the_directory_of_the_star(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *value, *path; /* NULL: none */
    } cases[] = {
        {"/data/*.json", "a", "/data/a.json"},
        {"/data/*.json", "a/b", "/data/a/b.json"},
        {"/data/*.json", "/etc/passwd", "/data/etc/passwd.json"},
        {"/data/*.json", "../x", "/data/x.json"},
        {"/data/*.json", "../../../../x", "/data/x.json"},
        {"/data/*.json", "a/../../x", "/data/x.json"},
        {"/data/*.json", "a/../b", "/data/b.json"},
        {"/data/*.json", "./a//b/./c/", "/data/a/b/c.json"},
        {"/data/*.json", "", "/data/.json"},
        {"/data/*", "", NULL},
        {"/data/*", "..", NULL},
        {"/data/*", "a/..", NULL},
        {"/data/.*", ".", NULL},
        {"/data/*./x", "", NULL},
        {"/data/.*/x", "..", NULL},
        {"/data/a*b/x.json", "../..", "/data/ab/x.json"},
        {"/data/a*b/x.json", "c/d", "/data/ac/db/x.json"},
        {"../data/*.json", "../x", "../data/x.json"},
        {"/data/*.json", "a\nb\x7f", "/data/a_b_.json"},
        {"/data/*.json", "...", "/data/....json"},
    };
    char room[PATH_MAX];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool can =
            hf_file_group_path(cases[i].pattern, hf_slice_text(cases[i].value), room, sizeof(room));
        if (can != (cases[i].path != NULL) || (can && strcmp(room, cases[i].path) != 0)) {
            fail_msg("%s with %s: %s", cases[i].pattern, cases[i].value, can ? room : "none");
        }
    }
    static const uint8_t zero[] = {'a', 0, 'b'};
    assert_true(hf_file_group_path("/d/*", hf_slice_of(zero, 3), room, sizeof(room)));
    assert_string_equal(room, "/d/a_b");
    char longer[NAME_MAX + 2];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[NAME_MAX + 1] = 0;
    assert_false(hf_file_group_path("/d/*", hf_slice_text(longer), room, sizeof(room)));
    assert_true(hf_file_group_path("/d/*", hf_slice_text(longer + 1), room, sizeof(room)));
    assert_false(hf_file_group_path("/d/*", hf_slice_text(longer + 1), room, 20));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_leaves_the_directory_of_the_star),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
