/* A disk that is really full: a small file system in this test's own mount namespace. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <time.h>

#include "queue.h"

/* Skips the test where mounting is not allowed. */
static void mount_small(struct queue *queue)
{
    bool is_own =
        geteuid() == 0 ? unshare(CLONE_NEWNS) == 0 : unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
    if (!is_own || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", queue->directory, "tmpfs", 0, "size=16m,mode=0700") != 0) {
        print_message("no file system can be mounted here: %s\n", strerror(errno));
        skip();
    }
}

static void unmount_small(struct queue *queue)
{
    wal_close(queue->wal);
    queue->wal = NULL;
    (void)umount2(queue->directory, MNT_DETACH);
}

static uint64_t free_bytes(const struct queue *queue)
{
    struct statvfs info;

    assert_int_equal(statvfs(queue->directory, &info), 0);
    return (uint64_t)info.f_bavail * info.f_frsize;
}

/* Takes all the space that is left. */
static void inflate(const struct queue *queue, const char *name)
{
    static const char block[4096];
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", queue->directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    while (write(fd, block, sizeof(block)) == (ssize_t)sizeof(block)) {
    }
    (void)close(fd);
}

static void deflate(const struct queue *queue, const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", queue->directory, name);
    assert_int_equal(unlink(path), 0);
}

static void outlives_a_disk_without_a_free_block(void **state)
{
    struct queue *queue = *state;
    uint64_t next = 1;

    mount_small(queue);
    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    for (; next <= 20; next++) {
        assert_int_equal(queue_append(queue, next, 20000), WAL_OK);
    }
    inflate(queue, "balloon");
    /* The first failure closes the tail; every try after it makes a new file, lock file and all. */
    unsigned failures = 0;
    for (int i = 0; i < 2000 && failures < 4; i++) {
        struct wal_stat stat;
        assert_int_not_equal(queue_append(queue, next, 20000), WAL_OK);
        wal_stat(queue->wal, &stat);
        failures = stat.last_error != 0 ? failures + 1 : 0;
        inflate(queue, "balloon"); /* what the closed tail gave back */
        (void)nanosleep(&(struct timespec){.tv_nsec = 110000000}, NULL);
    }
    assert_int_equal(queue_drain(consumer, true), 20);
    deflate(queue, "balloon");
    enum wal_status status = WAL_NO_SPACE;
    for (int i = 0; i < 400 && status != WAL_OK; i++) {
        status = queue_append(queue, next, 20000);
        (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    assert_int_equal(status, WAL_OK);
    assert_int_equal(queue_drain(consumer, true), 1);
    wal_consumer_close(consumer);
    unmount_small(queue);
}

static void stops_at_the_floor_however_fast_it_fills(void **state)
{
    struct queue *queue = *state;
    uint64_t next = 1;

    mount_small(queue);
    queue->options.free_floor_bytes = 2 * MIB;
    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    while (queue_append(queue, next, 60000) == WAL_OK) {
        next++;
    }
    assert_in_range(free_bytes(queue), 2 * MIB - 200000, 4 * MIB);
    assert_int_equal(queue_drain(consumer, true), next - 1);
    wal_consumer_close(consumer);
    unmount_small(queue);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(outlives_a_disk_without_a_free_block),
        TEST(stops_at_the_floor_however_fast_it_fills),
    };
    return cmocka_run_group_tests_name("full_disk", tests, NULL, NULL);
}
