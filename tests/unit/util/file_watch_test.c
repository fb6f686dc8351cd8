#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/file_watch.h"

static void write_file(const char *path, const char *text, size_t repeats)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    for (size_t i = 0; i < repeats; i++) {
        assert_true(fputs(text, file) >= 0);
    }
    assert_int_equal(fclose(file), 0);
}

static void sees_changes_and_nothing_else(void **state)
{
    (void)state;
    char directory[] = "/tmp/hf-watched-XXXXXX";
    char path[64], other[64];
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/a", directory);
    snprintf(other, sizeof(other), "%s/b", directory);
    struct hf_file_watch watched = {.path = path};
    assert_false(hf_file_watch_changed(&watched, 100, 0)); /* not there */
    write_file(path, "x", 1);
    assert_true(hf_file_watch_changed(&watched, 100, 0));
    assert_false(hf_file_watch_changed(&watched, 100, 0));
    write_file(path, "xx", 1);
    assert_true(hf_file_watch_changed(&watched, 100, 10));
    write_file(other, "yy", 1);
    assert_int_equal(rename(other, path), 0);
    assert_false(hf_file_watch_changed(&watched, 109, 10)); /* too soon to look */
    assert_true(hf_file_watch_changed(&watched, 110, 10));
    assert_int_equal(unlink(path), 0);
    assert_false(hf_file_watch_changed(&watched, 200, 10));
    rmdir(directory);
}

static void reads_whole_files_within_the_limit(void **state)
{
    (void)state;
    char path[] = "/tmp/hf-watched-XXXXXX";
    char error[512] = "";
    char *text;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(hf_file_watch_read(path, &text, error), HF_OK);
    assert_string_equal(text, "");
    free(text);
    write_file(path, "four", HF_WATCHED_BYTES_MAX / 4);
    assert_int_equal(hf_file_watch_read(path, &text, error), HF_OK);
    assert_int_equal(strlen(text), HF_WATCHED_BYTES_MAX);
    free(text);
    write_file(path, "four", HF_WATCHED_BYTES_MAX / 4 + 1);
    assert_int_equal(hf_file_watch_read(path, &text, error), HF_TOO_LARGE);
    assert_non_null(strstr(error, path));
    unlink(path);
    assert_int_equal(hf_file_watch_read(path, &text, error), HF_IO);
    assert_int_equal(hf_file_watch_read("/tmp", &text, error), HF_IO);
}

static void reads_a_secret_without_what_ends_its_line(void **state)
{
    (void)state;
    char path[] = "/tmp/hf-secret-XXXXXX";
    char error[512], *text = NULL;
    assert_true(close(mkstemp(path)) == 0);
    write_file(path, " a b \t\r\n\n", 1);
    assert_int_equal(hf_file_watch_read_secret(path, &text, error), HF_OK);
    assert_string_equal(text, " a b");
    free(text);
    write_file(path, " \n", 1);
    assert_int_equal(hf_file_watch_read_secret(path, &text, error), HF_OK);
    assert_string_equal(text, "");
    free(text);
    unlink(path);
    assert_int_equal(hf_file_watch_read_secret(path, &text, error), HF_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sees_changes_and_nothing_else),
        cmocka_unit_test(reads_whole_files_within_the_limit),
        cmocka_unit_test(reads_a_secret_without_what_ends_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
