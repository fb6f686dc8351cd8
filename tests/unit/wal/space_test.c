/* What happens when there is no room: refusal, pushing on, and giving back. */
#include <time.h>

#include "queue.h"

static void wait_until(struct queue *queue, bool (*is_so)(const struct wal_stat *stat))
{
    struct wal_stat stat;

    for (int i = 0; i < 2000; i++) {
        wal_stat(queue->wal, &stat);
        if (is_so(&stat)) {
            return;
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    fail_msg("never so: disk %" PRIu64 ", segments %" PRIu64 ", spares %" PRIu64, stat.disk_bytes,
             stat.segments, stat.spare_segments);
}

static uint64_t directory_bytes(const struct queue *queue)
{
    char path[400];
    uint64_t sum = 0;
    DIR *directory = opendir(queue->directory);

    assert_non_null(directory);
    for (struct dirent *e = readdir(directory); e != NULL; e = readdir(directory)) {
        struct stat info;
        (void)snprintf(path, sizeof(path), "%s/%s", queue->directory, e->d_name);
        if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
            sum += (uint64_t)info.st_blocks * 512;
        }
    }
    (void)closedir(directory);
    return sum;
}

/* Files are removed behind the back of who acknowledges: the janitor may be late, not for ever. */
static void assert_shrinks_to(const struct queue *queue, uint64_t most)
{
    for (int i = 0; i < 2000 && directory_bytes(queue) > most; i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    assert_in_range(directory_bytes(queue), 0, most);
}

/* Appends until refused; returns how many went in. */
static size_t fill(struct queue *queue, uint64_t first, size_t most, size_t size)
{
    size_t count = 0;

    while (count < most && queue_append(queue, first + count, size) == WAL_OK) {
        count++;
    }
    return count;
}

static bool is_disposed_of(const struct wal_stat *stat)
{
    return stat->disk_bytes < 8 * MIB;
}

static void rotates_and_recycles(void **state)
{
    struct queue *queue = *state;
    struct wal_stat stat;
    bool was_recycled = false;

    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    for (uint64_t i = 0; i < 40; i++) {
        queue_append_many(queue, 1 + i * 50, 50, 20000);
        assert_int_equal(queue_drain(consumer, true), 50);
        wal_stat(queue->wal, &stat);
        was_recycled |= stat.spare_segments > 0;
    }
    assert_true(was_recycled);
    assert_true(stat.segments <= 4);
    wait_until(queue, is_disposed_of); /* the janitor may be behind */
    assert_int_equal(queue_accounting(queue, "a").accounting.delivered.records, 2000);
    wal_consumer_close(consumer);
    queue_reopen(queue);
    consumer = queue_consumer(queue, "a");
    assert_int_equal(queue_drain(consumer, true), 0);
    wal_consumer_close(consumer);
}

static bool is_small(const struct wal_stat *stat)
{
    return stat->disk_bytes <= MIB && stat->segments == 1 && stat->spare_segments == 0;
}

static void gives_the_disk_back_when_drained(void **state)
{
    struct queue *queue = *state;

    queue->options.segment_bytes = 4 * MIB;
    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    queue_append_many(queue, 1, 500, 40000);
    assert_true(directory_bytes(queue) > 19 * MIB);
    assert_int_equal(queue_drain(consumer, true), 500);
    wait_until(queue, is_small);
    assert_shrinks_to(queue, MIB);
    queue_append_many(queue, 501, 10, 4000);
    wal_consumer_close(consumer);
    queue_reopen(queue);
    consumer = queue_consumer(queue, "a");
    assert_int_equal(queue_drain(consumer, true), 10);
    assert_int_equal(queue_accounting(queue, "a").accounting.accepted.records, 510);
    wal_consumer_close(consumer);
}

static void refuses_when_full_until_room_is_made(void **state)
{
    struct queue *queue = *state;
    struct wal_stat stat;

    queue->options.max_bytes = 4 * MIB;
    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    size_t first = fill(queue, 1, 1000, 50000);
    assert_in_range(first, 60, 84);
    assert_int_equal(queue_append(queue, 1, 50000), WAL_FULL);
    wal_stat(queue->wal, &stat);
    assert_true(stat.refused_full >= 2);
    assert_false(stat.healthy);
    assert_shrinks_to(queue, 5 * MIB);
    assert_int_equal(queue_append(queue, 1, 4 * MIB), WAL_TOO_LARGE);
    assert_int_equal(queue_drain(consumer, true), first);
    size_t second = fill(queue, first + 1, 1000, 50000);
    assert_true(second >= 40);
    assert_int_equal(queue_accounting(queue, "a").accounting.queued.records, second);
    wal_consumer_close(consumer);
}

static bool is_admitting(const struct wal_stat *stat)
{
    return stat->healthy;
}

static void makes_room_in_a_queue_of_one_segment(void **state)
{
    struct queue *queue = *state;

    queue->options.max_bytes = MIB; /* of the least segment's size */
    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    for (uint64_t round = 0; round < 5; round++) {
        size_t count = fill(queue, 1, 1000, 30000);
        assert_true(count >= 20);
        assert_int_equal(queue_drain(consumer, true), count);
        wait_until(queue, is_admitting);
    }
    wal_consumer_close(consumer);
}

static void skips_the_oldest_when_told_so(void **state)
{
    struct queue *queue = *state;

    queue->options.max_bytes = 4 * MIB;
    queue->options.drop_oldest = true;
    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    assert_int_equal(fill(queue, 1, 400, 50000), 400);
    assert_shrinks_to(queue, 7 * MIB);
    struct wal_consumer_stat stat = queue_accounting(queue, "a");
    assert_int_equal(stat.accounting.accepted.records, 400);
    uint64_t dropped = stat.accounting.dropped[WAL_DROP_OVERFLOW].records;
    assert_in_range(dropped, 300, 370);
    assert_int_equal(queue->dropped_records, dropped);
    assert_int_equal(queue_drain(consumer, true), 400 - dropped);
    wal_consumer_close(consumer);
    queue_reopen(queue);
    assert_int_equal(queue_accounting(queue, "a").accounting.dropped[WAL_DROP_OVERFLOW].records,
                     dropped);
}

static void limit(struct queue *queue, uint64_t max_bytes, bool drop_oldest)
{
    wal_set_limits(queue->wal, &(struct wal_limits){max_bytes, drop_oldest});
}

static void takes_a_larger_limit_while_it_runs(void **state)
{
    struct queue *queue = *state;
    struct wal_stat stat;

    queue->options.max_bytes = 2 * MIB;
    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    size_t first = fill(queue, 1, 1000, 50000);
    assert_int_equal(queue_append(queue, 1, 3 * MIB), WAL_TOO_LARGE);
    limit(queue, 6 * MIB, false);
    wal_stat(queue->wal, &stat);
    assert_int_equal(stat.disk_bytes_max, 6 * MIB);
    assert_true(stat.healthy);
    size_t second = fill(queue, first + 1, 1000, 50000);
    assert_in_range(first + second, 100, 126);
    assert_int_equal(queue_append(queue, 1, 50000), WAL_FULL);
    assert_int_equal(queue_drain(consumer, true), first + second);
    assert_int_equal(queue_append(queue, 1000, 3 * MIB), WAL_OK);
    limit(queue, 0, false);
    assert_int_equal(fill(queue, 1001, 300, 50000), 300);
    wal_consumer_close(consumer);
}

static void takes_a_smaller_limit_and_deletes_nothing(void **state)
{
    struct queue *queue = *state;

    queue->options.segment_bytes = 4 * MIB; /* under the smaller limit: 1 MiB */
    queue->options.max_bytes = 32 * MIB;
    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    queue_append_many(queue, 1, 200, 50000);
    limit(queue, 4 * MIB, false);
    assert_int_equal(queue_append(queue, 1, 50000), WAL_FULL);
    struct wal_accounting accounting = queue_accounting(queue, "a").accounting;
    assert_int_equal(accounting.queued.records, 200);
    assert_int_equal(queue_drain(consumer, true), 200);
    wait_until(queue, is_admitting);
    assert_in_range(fill(queue, 201, 1000, 50000), 60, 84);
    assert_shrinks_to(queue, 5 * MIB);
    accounting = queue_accounting(queue, "a").accounting;
    assert_int_equal(accounting.delivered.records, 200);
    wal_consumer_close(consumer);
}

static void learns_to_skip_the_oldest_while_it_runs_and_forgets_it(void **state)
{
    struct queue *queue = *state;

    queue->options.max_bytes = 4 * MIB;
    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    size_t first = fill(queue, 1, 1000, 50000);
    limit(queue, 4 * MIB, true);
    assert_int_equal(fill(queue, first + 1, 100, 50000), 100);
    uint64_t dropped = queue_accounting(queue, "a").accounting.dropped[WAL_DROP_OVERFLOW].records;
    assert_true(dropped > 0);
    limit(queue, 4 * MIB, false);
    size_t last = fill(queue, first + 101, 1000, 50000);
    assert_in_range(last, 0, 25);
    assert_int_equal(queue_append(queue, 1, 50000), WAL_FULL);
    assert_int_equal(queue_accounting(queue, "a").accounting.dropped[WAL_DROP_OVERFLOW].records,
                     dropped);
    assert_int_equal(queue_drain(consumer, true), first + 100 + last - dropped);
    wal_consumer_close(consumer);
}

static void pushes_orphans_before_it_refuses(void **state)
{
    struct queue *queue = *state;

    queue->options.max_bytes = 4 * MIB;
    queue_open(queue);
    wal_consumer_close(queue_consumer(queue, "gone"));
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    for (uint64_t i = 0; i < 400; i++) {
        assert_int_equal(queue_append(queue, i + 1, 50000), WAL_OK);
        assert_int_equal(queue_drain(consumer, true), 1);
    }
    struct wal_consumer_stat stat = queue_accounting(queue, "gone");
    assert_false(stat.open);
    assert_in_range(stat.accounting.dropped[WAL_DROP_ORPHANED].records, 300, 380);
    assert_true(stat.accounting.queued.records > 0);
    stat = queue_accounting(queue, "a");
    assert_int_equal(stat.accounting.delivered.records, 400);
    wal_consumer_close(consumer);
}

static void holds_a_consumer_to_its_limits(void **state)
{
    static const struct {
        struct wal_consumer_options options;
        size_t fits; /* records of 1000 bytes, with 0 to 6 items each */
    } cases[] = {
        {{.name = "r", .limit_records = 5}, 5},
        {{.name = "i", .limit_items = 10}, 4}, /* 1 + 2 + 3 + 4 */
        {{.name = "b", .limit_bytes = 3500}, 3},
        {{.name = "one", .limit_bytes = 10}, 1}, /* one record always fits */
    };
    struct queue *queue = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        queue_open(queue);
        struct wal_consumer *consumer = queue_consumer_with(queue, cases[i].options);
        assert_int_equal(fill(queue, 1, 100, 1000), cases[i].fits);
        assert_int_equal(queue_append(queue, 6, 1000), WAL_FULL);
        assert_int_equal(queue_drain(consumer, true), cases[i].fits);
        assert_int_equal(fill(queue, 1, 100, 1000), cases[i].fits);
        wal_consumer_close(consumer);
        assert_int_equal(wal_consumer_remove(queue->wal, cases[i].options.name), WAL_OK);
        queue_close(queue);
    }
}

static void skips_over_a_limit_when_told_so(void **state)
{
    struct queue *queue = *state;

    queue->options.drop_oldest = true;
    queue_open(queue);
    struct wal_consumer *consumer =
        queue_consumer_with(queue, (struct wal_consumer_options){.name = "a", .limit_records = 50});
    assert_int_equal(fill(queue, 1, 300, 5000), 300);
    struct wal_consumer_stat stat = queue_accounting(queue, "a");
    assert_in_range(stat.accounting.queued.records, 45, 51);
    assert_int_equal(stat.accounting.dropped[WAL_DROP_OVERFLOW].records,
                     300 - stat.accounting.queued.records);
    assert_int_equal(queue_drain(consumer, true), stat.accounting.queued.records);
    wal_consumer_close(consumer);
}

static void refuses_below_the_floor_of_free_space(void **state)
{
    struct queue *queue = *state;
    struct wal_stat stat;

    queue->options.free_floor_bytes = UINT64_MAX / 4;
    queue_open(queue);
    assert_int_equal(queue_append(queue, 1, 10), WAL_NO_SPACE);
    wal_stat(queue->wal, &stat);
    assert_false(stat.healthy);
    assert_int_equal(stat.refused_space, 1);
}

static void takes_back_what_was_admitted(void **state)
{
    struct queue *queue = *state;
    struct waiting waiting;

    queue->options.max_bytes = 2 * MIB;
    queue_open(queue);
    waiting_init(&waiting, queue, 1, 900000);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(wal_admit(queue->wal, &waiting.append), WAL_OK);
        assert_int_equal(wal_admit(queue->wal, &waiting.append), WAL_OK);
        assert_int_equal(wal_admit(queue->wal, &waiting.append), WAL_FULL);
        wal_admit_cancel(queue->wal, &waiting.append);
        wal_admit_cancel(queue->wal, &waiting.append);
    }
    waiting_release(&waiting);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rotates_and_recycles),
        TEST(gives_the_disk_back_when_drained),
        TEST(refuses_when_full_until_room_is_made),
        TEST(makes_room_in_a_queue_of_one_segment),
        TEST(skips_the_oldest_when_told_so),
        TEST(takes_a_larger_limit_while_it_runs),
        TEST(takes_a_smaller_limit_and_deletes_nothing),
        TEST(learns_to_skip_the_oldest_while_it_runs_and_forgets_it),
        TEST(pushes_orphans_before_it_refuses),
        TEST(holds_a_consumer_to_its_limits),
        TEST(skips_over_a_limit_when_told_so),
        TEST(refuses_below_the_floor_of_free_space),
        TEST(takes_back_what_was_admitted),
    };
    return cmocka_run_group_tests_name("space", tests, NULL, NULL);
}
