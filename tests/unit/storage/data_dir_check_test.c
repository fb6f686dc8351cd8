/* What the start asks of the data directory, and what it says when that is refused. */
#include "storage/data_dir_check.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* needs the three before it */

static void make_directory(char *path, size_t room)
{
    snprintf(path, room, "/tmp/hf-probe-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static void leaves_nothing_in_a_directory_that_takes_it(void **state)
{
    char path[64];
    (void)state;
    make_directory(path, sizeof(path));
    assert_int_equal(hf_data_dir_check(path, false), 0);
    assert_int_equal(hf_data_dir_check(path, true), 0);
    assert_int_equal(rmdir(path), 0);
}

static void tells_what_refused_it(void **state)
{
    char path[64];
    char inside[80];
    (void)state;
    make_directory(path, sizeof(path));
    snprintf(inside, sizeof(inside), "%s/probe", path);
    assert_int_equal(mkdir(inside, 0700), 0);
    assert_int_equal(hf_data_dir_check(path, false), EISDIR);
    assert_int_equal(rmdir(inside), 0);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(hf_data_dir_check(path, false), ENOENT);
}

static void tells_that_no_byte_is_taken_and_removes_the_file(void **state)
{
    char path[64];
    struct rlimit before;
    (void)state;
    make_directory(path, sizeof(path));
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit none = {0, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    int error = hf_data_dir_check(path, false);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(error, EFBIG);
    assert_int_equal(rmdir(path), 0);
}

static void describes_the_directory_or_the_nearest_above_it(void **state)
{
    char path[64];
    char inside[80];
    char says[256];
    char expected[128];
    (void)state;
    make_directory(path, sizeof(path));
    assert_int_equal(chmod(path, 0710), 0);
    hf_data_dir_describe(path, says, sizeof(says));
    snprintf(expected, sizeof(expected), "%s has mode 0710, owner %u:%u, file system ", path,
             (unsigned)geteuid(), (unsigned)getegid());
    assert_memory_equal(says, expected, strlen(expected));
    assert_non_null(strstr(says, " bytes free"));
    snprintf(inside, sizeof(inside), "%s/not/there", path);
    hf_data_dir_describe(inside, says, sizeof(says));
    snprintf(expected, sizeof(expected), "%s has mode 0710, owner ", path);
    assert_memory_equal(says, expected, strlen(expected));
    hf_data_dir_describe("/proc/no/such", says, sizeof(says));
    assert_memory_equal(says, "/proc has mode ", 15);
    assert_non_null(strstr(says, "file system proc"));
    assert_int_equal(rmdir(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_nothing_in_a_directory_that_takes_it),
        cmocka_unit_test(tells_what_refused_it),
        cmocka_unit_test(tells_that_no_byte_is_taken_and_removes_the_file),
        cmocka_unit_test(describes_the_directory_or_the_nearest_above_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
