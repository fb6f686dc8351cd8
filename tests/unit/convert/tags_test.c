/* Tags with wildcards, and the keys of records as OTTL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* needs those before it */

#include "convert/plugins.h"

static void tags_meet_when_a_text_fits_both(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *tag;
        bool meets;
    } rows[] = {
        {"*", "", true},
        {"*", "a.b", true},
        {"a.b", "a.b", true},
        {"a.*", "a.b.c", true},
        {"a.*", "b.c", false},
        {"*.c", "a.b.c", true},
        {"*.c", "a.b.d", false},
        {"a*c", "abc", true},
        {"a*c", "ab", false},
        {"kube.*", "kube.*", true},
        {"kube.app*", "kube.*", true},
        {"web.*", "kube.*", false},
        {"*.x", "a.*", true},
        {"a.*x", "*y", false},
        {"", "", true},
        {"", "a", false},
        {"**", "a", true},
        {"a", "*", true},
        {"", "*", true},
        {"a*", "*b", true},
        {"ab", "a*c", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (convert_tags_meet(rows[i].pattern, rows[i].tag) != rows[i].meets ||
            convert_tags_meet(rows[i].tag, rows[i].pattern) != rows[i].meets) {
            fail_msg("%s and %s", rows[i].pattern, rows[i].tag);
        }
    }
}

static void keys_are_paths(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"log", "log.body"},
        {"MESSAGE", "log.body"},
        {"$log", "log.body"},
        {"a.b", "log.attributes[\"a.b\"]"},
        {"a\"b\\", "log.attributes[\"a\\\"b\\\\\"]"},
        {"$a['b']['c.d']", "log.attributes[\"a\"][\"b\"][\"c.d\"]"},
        {"$a.b", "log.attributes[\"a\"][\"b\"]"},
        {"$kubernetes['namespace_name']", "resource.attributes[\"k8s.namespace.name\"]"},
        {"$kubernetes['labels']['app']", "resource.attributes[\"k8s.pod.label.app\"]"},
        {"$kubernetes['other']", "log.attributes[\"kubernetes\"][\"other\"]"},
        {"$", "log.attributes[\"$\"]"},
        {"$a[b][c][d][e][f][g][h][i]", "log.attributes[\"$a[b][c][d][e][f][g][h][i]\"]"},
    };
    struct fb_config config;
    fb_init(&config);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(ottl_key(&config, rows[i][0]), rows[i][1]);
    }
    fb_release(&config);
}

static void patterns_lose_their_frame_and_name_groups(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"^(?<a>x)(?<b>y)$", "^(?P<a>x)(?P<b>y)$"}, {"/^a/", "^a"}, {"\\(?<a>", "\\(?<a>"},
        {"(?<=a)(?<!b)(?:c)", "(?<=a)(?<!b)(?:c)"}, {"/", "/"},     {"", ""},
    };
    struct fb_config config;
    fb_init(&config);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(convert_pattern(&config, rows[i][0]), rows[i][1]);
    }
    fb_release(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_meet_when_a_text_fits_both),
        cmocka_unit_test(keys_are_paths),
        cmocka_unit_test(patterns_lose_their_frame_and_name_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
