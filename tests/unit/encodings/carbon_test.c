/* Lines of Graphite's plaintext protocol, and what is wrong with those that are refused. */
#include "encodings/carbon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SEEN_MAX 256

static void lines_have_a_path_a_value_and_a_time(void **state)
{
    static const struct {
        const char *text, *seen;
    } cases[] = {
        {"a.b 1 2", "a.b 1 at 2000000000"},
        {"a.b -1 2", "a.b -1 at 2000000000"},
        {"a.b 1.5 2.25", "a.b 1.5 at 2250000000"},
        {"a.b 1e3 2", "a.b 1000 at 2000000000"},
        {"a.b 99999999999999999999 2", "a.b 1e+20 at 2000000000"},
        {"a;t=v 1 2", "a;t=v 1 at 2000000000"},
        {"", "not three parts with one space between"},
        {"a", "not three parts with one space between"},
        {"a 1", "not three parts with one space between"},
        {"a 1 ", "not three parts with one space between"},
        {"a  1 2", "not three parts with one space between"},
        {"a 1 2 3", "not three parts with one space between"},
        {"a x 2", "a value that is no number"},
        {"a 1x 2", "a value that is no number"},
        {"a 1e999 2", "a value that is no number"},
        {"a 1 x", "a time that is no number of seconds"},
        {"a 1 -1", "a 1 at 0 of arrival"},
        {"a 1 -2", "a time that is no number of seconds"},
        {"a 1 99999999999999", "a time that is no number of seconds"},
        {"a 1 nan", "a time that is no number of seconds"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_carbon_line line;
        char seen[SEEN_MAX];
        const char *wrong = hf_carbon_read(hf_slice_text(cases[i].text), &line);
        if (wrong != NULL) {
            snprintf(seen, sizeof(seen), "%s", wrong);
        } else if (line.is_integer) {
            snprintf(seen, sizeof(seen), "%.*s %" PRId64 " at %" PRIu64, (int)line.path.size,
                     (const char *)line.path.data, line.integer, line.time_ns);
        } else {
            snprintf(seen, sizeof(seen), "%.*s %g at %" PRIu64, (int)line.path.size,
                     (const char *)line.path.data, line.number, line.time_ns);
        }
        if (wrong == NULL && !line.has_time) {
            strncat(seen, " of arrival", sizeof(seen) - strlen(seen) - 1);
        }
        assert_string_equal(seen, cases[i].seen);
    }
}

static void paths_have_tags(void **state)
{
    static const struct {
        const char *path, *seen;
    } cases[] = {
        {"a.b", "a.b"},
        {"a;", "a"},
        {"a;k=v;l=", "a k=v l="},
        {"a;k=1;k=2", "a k=2"},
        {"a;k=v=w", "a k=v=w"},
        {";k=v", "a path without a name"},
        {"a;k", "a tag without key or ="},
        {"a;=v", "a tag without key or ="},
        {"a;k=v;;l=w", "a tag without key or ="},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_carbon_path path;
        char seen[SEEN_MAX];
        const char *wrong = hf_carbon_split(hf_slice_text(cases[i].path), &path);
        snprintf(seen, sizeof(seen), "%.*s",
                 wrong != NULL ? (int)strlen(wrong) : (int)path.name.size,
                 wrong != NULL ? wrong : (const char *)path.name.data);
        for (size_t k = 0; wrong == NULL && k < path.tag_count; k++) {
            snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), " %.*s=%.*s",
                     (int)path.tags[k].key.size, (const char *)path.tags[k].key.data,
                     (int)path.tags[k].value.size, (const char *)path.tags[k].value.data);
        }
        assert_string_equal(seen, cases[i].seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_have_a_path_a_value_and_a_time),
        cmocka_unit_test(paths_have_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
