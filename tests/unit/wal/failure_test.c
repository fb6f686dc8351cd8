/* Writes that fail: the group is refused, nothing of it counts, and service comes back by itself.
 */
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "queue.h"

/* No file of this process may grow beyond `bytes`: to a writer that is a full disk (EFBIG). */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static enum wal_status append_until(struct queue *queue, uint64_t number, enum wal_status wanted)
{
    enum wal_status status = WAL_CLOSED;

    for (int i = 0; i < 1000; i++) {
        status = queue_append(queue, number, 3000);
        if (status == wanted) {
            break;
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return status;
}

static void wait_until_healthy(struct queue *queue)
{
    struct wal_stat stat;

    for (int i = 0; i < 1200; i++) {
        wal_stat(queue->wal, &stat);
        if (stat.healthy) {
            return;
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    fail_msg("never healthy again");
}

static void refuses_on_a_full_disk_and_comes_back(void **state)
{
    struct queue *queue = *state;
    struct wal_stat stat;
    uint64_t number = 1;

    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    for (; number <= 50; number++) {
        assert_int_equal(queue_append(queue, number, 3000), WAL_OK);
    }
    for (int round = 0; round < 3; round++) {
        limit_files(4096);
        assert_int_equal(append_until(queue, number, WAL_NO_SPACE), WAL_NO_SPACE);
        wal_stat(queue->wal, &stat);
        assert_false(stat.healthy);
        assert_int_not_equal(stat.last_error, 0);
        assert_int_equal(stat.next_sequence, number - 1);
        assert_int_equal(queue->events[WAL_EVENT_WRITE_FAILED], round + 1);
        limit_files(RLIM_INFINITY);
        wait_until_healthy(queue); /* without anybody sending */
        assert_int_equal(queue->events[WAL_EVENT_WRITE_BACK], round + 1);
        assert_int_equal(append_until(queue, number, WAL_OK), WAL_OK);
        number++;
    }
    assert_int_equal(queue_drain(consumer, false), number - 1);
    wal_consumer_close(consumer);
    queue_reopen(queue);
    consumer = queue_consumer(queue, "a");
    assert_int_equal(queue_drain(consumer, true), number - 1);
    assert_int_equal(queue_accounting(queue, "a").accounting.accepted.records, number - 1);
    wal_consumer_close(consumer);
}

static void drains_on_a_full_disk(void **state)
{
    struct queue *queue = *state;
    struct wal_stat stat;

    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    queue_append_many(queue, 1, 200, 30000);
    limit_files(4096);
    assert_int_equal(append_until(queue, 1000, WAL_NO_SPACE), WAL_NO_SPACE);
    assert_int_equal(queue_drain(consumer, true), 200);
    for (int i = 0; i < 1000; i++) {
        wal_stat(queue->wal, &stat);
        if (stat.segments == 1) {
            break;
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    assert_int_equal(stat.segments, 1);
    assert_int_equal(queue_accounting(queue, "a").accounting.queued.records, 0);
    limit_files(RLIM_INFINITY);
    assert_int_equal(append_until(queue, 1000, WAL_OK), WAL_OK);
    assert_int_equal(queue_drain(consumer, true), 1);
    wal_consumer_close(consumer);
}

static void opens_on_a_full_disk_what_holds_something(void **state)
{
    struct queue *queue = *state;

    queue_open(queue);
    wal_consumer_close(queue_consumer(queue, "a"));
    queue_append_many(queue, 1, 20, 3000);
    queue_close(queue);
    limit_files(4096);
    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    assert_int_equal(queue_append(queue, 100, 3000), WAL_NO_SPACE);
    assert_int_equal(queue_drain(consumer, true), 20);
    wal_consumer_close(consumer);
    queue_close(queue);
    limit_files(RLIM_INFINITY);
    queue_open(queue);
    /* Its acknowledgements could not be written: repeats, no loss. */
    consumer = queue_consumer(queue, "a");
    assert_int_equal(queue_drain(consumer, true), 20);
    wal_consumer_close(consumer);
}

static void refuses_to_make_a_queue_on_a_full_disk(void **state)
{
    struct queue *queue = *state;
    struct wal *wal = NULL;

    limit_files(4096);
    enum wal_status status = wal_open(&queue->options, &wal);
    limit_files(RLIM_INFINITY);
    assert_int_equal(status, WAL_NO_SPACE);
}

static void admits_nothing_before_a_new_consumer_is_stored(void **state)
{
    struct queue *queue = *state;

    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    wal_consumer_close(consumer);
    queue_close(queue);
    limit_files(4096);
    queue_open(queue);
    /* Were it admitted now and the process killed, `b` would begin behind it. */
    consumer = queue_consumer(queue, "b");
    assert_int_equal(queue_append(queue, 1, 10), WAL_NO_SPACE);
    limit_files(RLIM_INFINITY);
    assert_int_equal(append_until(queue, 1, WAL_OK), WAL_OK);
    assert_int_equal(queue_drain(consumer, true), 1);
    wal_consumer_close(consumer);
}

static void says_why_a_directory_cannot_be_used(void **state)
{
    struct queue *queue = *state;
    struct wal *wal = NULL;
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/none/none", queue->directory);
    queue->options.directory = path;
    assert_int_equal(wal_open(&queue->options, &wal), WAL_MISSING);
    queue->options.directory = "/proc/self";
    enum wal_status status = wal_open(&queue->options, &wal);
    assert_true(status == WAL_NO_RIGHT || status == WAL_MISSING || status == WAL_IO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refuses_on_a_full_disk_and_comes_back),
        TEST(drains_on_a_full_disk),
        TEST(opens_on_a_full_disk_what_holds_something),
        TEST(refuses_to_make_a_queue_on_a_full_disk),
        TEST(admits_nothing_before_a_new_consumer_is_stored),
        TEST(says_why_a_directory_cannot_be_used),
    };

    (void)signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests_name("failure", tests, NULL, NULL);
}
