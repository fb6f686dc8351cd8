/* What is told of a file: only what is wanted. */
#include "support/tail/about.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* needs the three before it */

/* "key=text;" of each; of those that depend on who runs it only the key. */
static enum hf_status note(void *user, const char *key, const char *text)
{
    char *seen = user;
    size_t at = strlen(seen);
    bool is_known = strstr(key, "owner") == NULL;
    snprintf(seen + at, 1000 - at, "%s=%s;", key, is_known ? text : "");
    return HF_OK;
}

static enum hf_status refuse(void *user, const char *key, const char *text)
{
    (void)key;
    (void)text;
    ++*(int *)user;
    return HF_NOMEM;
}

static void tells_what_is_wanted(void **state)
{
    char folder[] = "/tmp/hf-about-XXXXXX", file[64], link[64], seen[1000], expected[400];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof(file), "%s/real.log", folder);
    snprintf(link, sizeof(link), "%s/link.log", folder);
    FILE *made = fopen(file, "w");
    assert_non_null(made);
    fclose(made);
    assert_int_equal(chmod(file, 0640), 0);
    assert_int_equal(symlink(file, link), 0);
    const struct {
        struct hf_tail_about wanted;
        const char *expected;
    } cases[] = {
        {{.name = false}, ""},
        {{.name = true}, "log.file.name=link.log;"},
        {{.path = true}, "log.file.path=LINK;"},
        {{.name_resolved = true}, "log.file.name_resolved=real.log;"},
        {{.path_resolved = true}, "log.file.path_resolved=FILE;"},
        {{.owner = true, .group = true}, "log.file.owner.name=;log.file.owner.group.name=;"},
        {{.permissions = true}, "log.file.permissions=640;"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *which = strstr(cases[i].expected, "LINK") != NULL   ? link
                            : strstr(cases[i].expected, "FILE") != NULL ? file
                                                                        : "";
        size_t head =
            which[0] != '\0' ? strcspn(cases[i].expected, "=") + 1 : strlen(cases[i].expected);
        snprintf(expected, sizeof(expected), "%.*s%s%s", (int)head, cases[i].expected, which,
                 which[0] != '\0' ? ";" : "");
        seen[0] = '\0';
        assert_int_equal(hf_tail_about_each(&cases[i].wanted, link, note, seen), HF_OK);
        assert_string_equal(seen, expected);
    }
    assert_int_equal(unlink(link), 0);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void ends_with_the_first_failure(void **state)
{
    const struct hf_tail_about all = {.name = true, .path = true, .permissions = true};
    int calls = 0;
    (void)state;
    assert_int_equal(hf_tail_about_each(&all, "/tmp", refuse, &calls), HF_NOMEM);
    assert_int_equal(calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_is_wanted),
        cmocka_unit_test(ends_with_the_first_failure),
    };
    return cmocka_run_group_tests_name("about", tests, NULL, NULL);
}
