/* A search by time passes over the segments that have nothing for it, and over no other. */
#include "queue.h"

#include <fcntl.h>

#define SECOND UINT64_C(1000000000)
#define COUNT 40u /* 100 kB each: nine or ten a segment */

static void append_at(struct queue *queue, uint64_t number, uint64_t time_ns)
{
    struct waiting waiting;
    waiting_init(&waiting, queue, number, 100000);
    waiting.append.time_ns = time_ns;
    assert_int_equal(wal_admit(queue->wal, &waiting.append), WAL_OK);
    wal_append(queue->wal, &waiting.append);
    assert_int_equal(waiting_wait(&waiting), WAL_OK);
    waiting_release(&waiting);
}

/* One record a second, from second 100 on. */
static void fill(struct queue *queue)
{
    for (uint64_t i = 0; i < COUNT; i++) {
        append_at(queue, i, (100 + i) * SECOND);
    }
}

struct seen {
    struct wal_period period;
    size_t shown, matching, damaged;
    uint64_t last_matching;
};

static bool see(void *user, const struct wal_record *record, bool damaged)
{
    struct seen *seen = user;
    seen->shown++;
    seen->damaged += damaged;
    if (!damaged && record->time_ns >= seen->period.since_ns &&
        record->time_ns < seen->period.until_ns) {
        seen->matching++;
        seen->last_matching = record->sequence;
    }
    return true;
}

static struct seen scan(struct queue *queue, uint64_t since_s, uint64_t until_s)
{
    struct seen seen = {.period = {since_s * SECOND, until_s * SECOND}};
    assert_int_equal(wal_scan_period(queue->wal, 0, &seen.period, see, &seen), WAL_OK);
    return seen;
}

static void shows_only_segments_of_the_period(void **state)
{
    struct queue *queue = *state;

    queue_open(queue);
    fill(queue);
    struct seen seen = scan(queue, 115, 117);
    assert_int_equal(seen.matching, 2);
    assert_in_range(seen.shown, 2, 20); /* one segment, or two */
    seen = scan(queue, 138, 1000);
    assert_int_equal(seen.matching, 2);
    assert_in_range(seen.shown, 2, 10);
    assert_int_equal(scan(queue, 0, 1000).matching, COUNT);
    assert_int_equal(scan(queue, 0, 100).shown, 0);
    assert_int_equal(scan(queue, 140, 1000).shown, 0);
}

static void knows_it_after_a_new_start(void **state)
{
    struct queue *queue = *state;

    queue_open(queue);
    fill(queue);
    queue_reopen(queue);
    append_at(queue, COUNT, (100 + COUNT) * SECOND);
    struct seen seen = scan(queue, 105, 106);
    assert_int_equal(seen.matching, 1);
    assert_in_range(seen.shown, 1, 20); /* its segment, and the last one of the earlier start */
    assert_int_equal(scan(queue, 0, 1000).matching, COUNT + 1);
    seen = scan(queue, 100 + COUNT, 1000);
    assert_int_equal(seen.matching, 1);
    assert_in_range(seen.shown, 1, 11);
}

static void knows_it_when_only_looked_at(void **state)
{
    struct queue *queue = *state;

    queue_open(queue);
    fill(queue);
    queue_close(queue);
    queue->options.read_only = true;
    queue_open(queue);
    struct seen seen = scan(queue, 101, 102);
    assert_int_equal(seen.matching, 1);
    assert_in_range(seen.shown, 1, 20);
}

/* The clock was set back: a late record has an early time. */
static void finds_a_time_out_of_order(void **state)
{
    struct queue *queue = *state;

    queue_open(queue);
    fill(queue);
    append_at(queue, COUNT, 101 * SECOND);
    for (uint64_t i = 0; i < 10; i++) {
        append_at(queue, COUNT + 1 + i, (1000 + i) * SECOND);
    }
    struct seen seen = scan(queue, 101, 102);
    assert_int_equal(seen.matching, 2);
    assert_int_equal(seen.last_matching, COUNT);
    queue_reopen(queue);
    seen = scan(queue, 101, 102);
    assert_int_equal(seen.matching, 2);
    assert_int_equal(seen.last_matching, COUNT);
}

/* The name of the segment with that number. */
static const char *name_of(struct queue *queue, size_t number)
{
    return queue->wal->segments[number]->name;
}

/* Makes each byte of a row's magic another one. */
static void spoil_times(struct queue *queue, const char *name)
{
    static uint8_t bytes[2 * MIB];
    char path[PATH_MAX];
    size_t found = 0;

    (void)snprintf(path, sizeof(path), "%s/%s", queue->directory, name);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    ssize_t size = pread(fd, bytes, sizeof(bytes), 0);
    for (ssize_t i = 0; i + 4 <= size; i += 2) {
        if (memcmp(bytes + i, "TMS1", 4) == 0) {
            assert_int_equal(pwrite(fd, "XXXX", 4, i), 4);
            found++;
        }
    }
    (void)close(fd);
    assert_true(found != 0);
}

static void reads_what_is_not_known(void **state)
{
    struct queue *queue = *state;
    char second[WAL_FILE_NAME_BYTES];

    queue_open(queue);
    fill(queue);
    memcpy(second, name_of(queue, 1), sizeof(second));
    uint64_t first_count = queue->wal->segments[1]->first;
    queue_close(queue);
    spoil_times(queue, second);
    queue_open(queue);
    struct seen seen = scan(queue, 125, 126);
    assert_int_equal(seen.matching, 1);
    assert_true(seen.shown >= first_count + 1);
    assert_int_equal(seen.damaged, 0);
}

/* Records of the chosen segment are damaged: they are still shown as such. */
static void shows_damage_beside_what_is_passed_over(void **state)
{
    struct queue *queue = *state;
    char path[PATH_MAX];

    queue_open(queue);
    fill(queue);
    uint64_t last = queue->wal->segments[2]->first - 1;
    uint64_t last_time_s = 100 + last;
    (void)snprintf(path, sizeof(path), "%s/%s", queue->directory, name_of(queue, 1));
    queue_close(queue);
    static uint8_t bytes[2 * MIB];
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    ssize_t size = pread(fd, bytes, sizeof(bytes), 0);
    uint8_t body[64];
    fill_body(body, sizeof(body), last);
    uint8_t *at = memmem(bytes, (size_t)size, body, sizeof(body));
    assert_non_null(at);
    assert_int_equal(pwrite(fd, "spoiled", 7, at - bytes), 7);
    (void)close(fd);
    queue_open(queue);
    struct seen seen = scan(queue, last_time_s - 1, last_time_s + 1);
    assert_int_equal(seen.matching, 1);
    assert_int_equal(seen.damaged, 1);
}

static void stored_is_what_the_accounting_has(void **state)
{
    struct queue *queue = *state;
    struct wal_amount stored;

    queue_open(queue);
    assert_int_equal(wal_stored(queue->wal, &stored), WAL_OK);
    assert_int_equal(stored.records, 0);
    fill(queue);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(wal_stored(queue->wal, &stored), WAL_OK);
        assert_int_equal(stored.records, COUNT);
        assert_int_equal(stored.bytes, COUNT * 100000u);
        uint64_t items = 0;
        for (uint64_t number = 0; number < COUNT; number++) {
            items += number % 7;
        }
        assert_int_equal(stored.items, items);
        queue_reopen(queue);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(shows_only_segments_of_the_period), TEST(knows_it_after_a_new_start),
        TEST(knows_it_when_only_looked_at),      TEST(finds_a_time_out_of_order),
        TEST(reads_what_is_not_known),           TEST(shows_damage_beside_what_is_passed_over),
        TEST(stored_is_what_the_accounting_has),
    };
    return cmocka_run_group_tests_name("times", tests, NULL, NULL);
}
