/* One holder a directory; the next takes over as soon as it is gone, however it went. */
#include <signal.h>
#include <sys/wait.h>

#include "queue.h"
#include "wal/lock.h"

static void holds_off_a_second_one(void **state)
{
    struct queue *queue = *state;
    struct wal_lock *first = NULL, *second = NULL;
    pid_t holder = 0;

    assert_int_equal(wal_lock_open(queue->directory, &first), WAL_OK);
    assert_int_equal(wal_lock_open(queue->directory, &second), WAL_OK);
    assert_int_equal(wal_lock_try(first, &holder), WAL_OK);
    assert_int_equal(wal_lock_try(second, &holder), WAL_CLOSED);
    assert_int_equal(holder, getpid());
    wal_lock_free(first);
    assert_int_equal(wal_lock_try(second, &holder), WAL_OK);
    wal_lock_free(second);
}

static void takes_over_from_one_that_was_killed(void **state)
{
    struct queue *queue = *state;
    struct wal_lock *lock = NULL;
    pid_t holder = 0;
    int ends[2], status = 0;
    char byte = 0;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (wal_lock_open(queue->directory, &lock) != WAL_OK || wal_lock_wait(lock) != WAL_OK ||
            write(ends[1], "x", 1) != 1) {
            _exit(1);
        }
        for (;;) {
            (void)pause();
        }
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(wal_lock_open(queue->directory, &lock), WAL_OK);
    assert_int_equal(wal_lock_try(lock, &holder), WAL_CLOSED);
    assert_int_equal(holder, child);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(wal_lock_wait(lock), WAL_OK);
    assert_int_equal(waitpid(child, &status, 0), child);
    wal_lock_free(lock);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void makes_the_directory(void **state)
{
    struct queue *queue = *state;
    struct wal_lock *lock = NULL;
    struct stat info;
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/new", queue->directory);
    assert_int_equal(wal_lock_open(path, &lock), WAL_OK);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    wal_lock_free(lock);
    wal_lock_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(holds_off_a_second_one),
        TEST(takes_over_from_one_that_was_killed),
        TEST(makes_the_directory),
    };
    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
