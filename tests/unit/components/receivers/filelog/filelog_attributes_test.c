/* What entries tell of their file, when it is new, moved, or has a header. */
#include "components/receivers/filelog/filelog_attributes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SEEN_MAX 512

static void describe(const struct filelog_file *file, char *seen)
{
    seen[0] = '\0';
    for (size_t i = 0; i < file->attributes->count; i++) {
        const struct hf_expr_pair *pair = &file->attributes->pairs[i];
        snprintf(seen + strlen(seen), SEEN_MAX - strlen(seen), "%.*s=%.*s;", (int)pair->key.size,
                 (const char *)pair->key.data, (int)pair->value.text.size,
                 (const char *)pair->value.text.data);
    }
}

static void the_keys_say_what_is_told(void **state)
{
    static const struct {
        struct filelog_config config;
        const char *seen;
    } cases[] = {
        {{.include_name = true}, "log.file.name=b.log;"},
        {{.include_path = true}, "log.file.path=/nonexistent/b.log;"},
        {{.include_name = true, .include_path = true},
         "log.file.name=b.log;log.file.path=/nonexistent/b.log;"},
        {{.include_owner = true}, ""}, /* it is not there any more */
        {{.include_name = false}, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct hf_tail_file seen_file = {.path = "/nonexistent/b.log", .id = 7};
        struct filelog_file *file = filelog_file_new(&seen_file);
        char seen[SEEN_MAX];
        assert_non_null(file);
        assert_int_equal(filelog_file_name(file, &cases[i].config, seen_file.path), HF_OK);
        describe(file, seen);
        assert_string_equal(seen, cases[i].seen);
        filelog_file_free(file);
    }
}

static void a_moved_file_has_its_new_name_and_keeps_its_header(void **state)
{
    const struct hf_tail_file seen_file = {.path = "/nonexistent/a.log", .id = 7};
    const struct filelog_config config = {.include_name = true};
    struct filelog_file *file = filelog_file_new(&seen_file);
    struct hf_arena arena = {.limit = 1 << 16};
    struct hf_expr_map *header = hf_expr_map_new(&arena, 1);
    char seen[SEEN_MAX];
    (void)state;
    assert_non_null(file);
    assert_int_equal(hf_expr_map_set(&arena, header, hf_slice_text("version"), hf_expr_text("3")),
                     HF_OK);
    assert_int_equal(filelog_file_name(file, &config, "/nonexistent/a.log"), HF_OK);
    assert_int_equal(filelog_file_add(file, header), HF_OK);
    hf_arena_release(&arena); /* the file has copies */
    file->is_renamed = true;
    assert_int_equal(filelog_file_name(file, &config, "/nonexistent/a.log.1"), HF_OK);
    assert_false(file->is_renamed);
    describe(file, seen);
    assert_string_equal(seen, "log.file.name=a.log.1;version=3;");
    filelog_file_free(file);
    filelog_file_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_keys_say_what_is_told),
        cmocka_unit_test(a_moved_file_has_its_new_name_and_keeps_its_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
