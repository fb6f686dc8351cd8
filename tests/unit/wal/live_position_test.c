/*
 * Reading past a long backlog: what comes in now is given first, nothing twice, nothing is missed,
 * and the cursor's ranges stay few.
 */
#include <fcntl.h>

#include "queue.h"
#include "wal/internal.h"

#define BODY 100u
#define NUMBERS 16384u
#define FAR 20u /* more records than that behind is far */

static void open_small(struct queue *queue)
{
    queue->options.tail_bytes = (size_t)FAR * BODY;
    queue_open(queue);
}

/* How often each number was given, and which are in the reader's hands. */
struct log {
    unsigned given[NUMBERS];
    uint64_t last;
};

static size_t read_some(struct wal_consumer *consumer, bool is_live, size_t most, struct log *log,
                        struct wal_ack *acks)
{
    struct wal_record records[64];
    size_t count = 0;
    enum wal_status status = is_live
                                 ? wal_consumer_read_live(consumer, most, 1 << 20, records, &count)
                                 : wal_consumer_read(consumer, most, 1 << 20, records, &count);

    assert_int_equal(status, WAL_OK);
    for (size_t i = 0; i < count; i++) {
        uint64_t number = (records[i].time_ns - 1) / 1000;
        assert_true(is_body(records[i].body, number));
        assert_true(number < NUMBERS);
        log->given[number]++;
        log->last = number;
        acks[i] = ack_of(&records[i]);
        hf_ref_drop(records[i].owner);
    }
    return count;
}

/* Reads and acknowledges until there is nothing; the numbers must be first to last, in order. */
static void expect_run(struct wal_consumer *consumer, bool is_live, uint64_t first, uint64_t last)
{
    struct log *log = calloc(1, sizeof(*log));
    struct wal_ack acks[8];
    uint64_t next = first;
    size_t count = 0;

    assert_non_null(log);
    do {
        count = read_some(consumer, is_live, last + 1 - next < 7 ? last + 1 - next : 7, log, acks);
        if (count > 0) {
            assert_int_equal(log->last, next + count - 1);
            next += count;
            wal_consumer_ack(consumer, acks, count);
        }
    } while (count > 0 && next <= last);
    assert_int_equal(next, last + 1);
    free(log);
}

static void expect_nothing(struct wal_consumer *consumer, bool is_live)
{
    struct wal_record record;
    size_t count = 1;
    enum wal_status status = is_live ? wal_consumer_read_live(consumer, 1, 1, &record, &count)
                                     : wal_consumer_read(consumer, 1, 1, &record, &count);

    assert_int_equal(status, WAL_OK);
    assert_int_equal(count, 0);
}

static void assert_all_delivered(struct queue *queue, uint64_t count)
{
    struct wal_consumer_stat stat = queue_accounting(queue, "a");

    assert_int_equal(stat.accounting.delivered.records, count);
    assert_int_equal(stat.accounting.queued.records, 0);
}

static void a_short_backlog_is_read_in_order_alone(void **state)
{
    struct queue *queue = *state;

    open_small(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    expect_nothing(consumer, true);
    queue_append_many(queue, 1, FAR, BODY);
    expect_nothing(consumer, true);
    queue_append_many(queue, FAR + 1, 0 + 1, 0);
    expect_nothing(consumer, true);
    expect_run(consumer, false, 1, FAR + 1);
    expect_nothing(consumer, false);
    assert_all_delivered(queue, FAR + 1);
    wal_consumer_close(consumer);
}

static void what_comes_in_goes_past_a_long_backlog(void **state)
{
    struct queue *queue = *state;

    open_small(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    queue_append_many(queue, 1, 100, BODY);
    expect_nothing(consumer, true); /* begins at the present */
    queue_append_many(queue, 101, 10, BODY);
    struct wal_stat stat;
    wal_stat(queue->wal, &stat);
    assert_true(stat.tail_bytes >= 10 * BODY); /* kept for the one that follows */
    expect_run(consumer, true, 101, 110);
    expect_nothing(consumer, true);
    expect_run(consumer, false, 1, 50);
    queue_append_many(queue, 111, 5, BODY);
    expect_run(consumer, true, 111, 115);
    assert_int_equal(consumer->cursor.range_count, 1);
    expect_run(consumer, false, 51, 100);
    assert_int_equal(consumer->cursor.range_count, 0);
    /* Caught up: one after the other again. */
    queue_append_many(queue, 116, 5, BODY);
    expect_nothing(consumer, true);
    expect_run(consumer, false, 116, 120);
    expect_nothing(consumer, false);
    assert_all_delivered(queue, 120);
    wal_consumer_close(consumer);
}

static void what_is_still_in_the_readers_hands_is_not_given_again(void **state)
{
    struct queue *queue = *state;
    struct log log = {{0}, 0};
    struct wal_ack live[8], old[64];

    open_small(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    queue_append_many(queue, 1, 60, BODY);
    expect_nothing(consumer, true);
    queue_append_many(queue, 61, 8, BODY);
    assert_int_equal(read_some(consumer, true, 8, &log, live), 8);
    size_t count = 0, all = 0;
    do {
        count = read_some(consumer, false, 64, &log, old + all);
        all += count;
    } while (count > 0);
    assert_int_equal(all, 60);
    for (uint64_t i = 1; i <= 68; i++) {
        assert_int_equal(log.given[i], 1);
    }
    wal_consumer_ack(consumer, live + 3, 5);
    wal_consumer_ack(consumer, old, 60);
    wal_consumer_ack(consumer, live, 3);
    assert_all_delivered(queue, 68);
    wal_consumer_close(consumer);
}

static void begins_at_the_present_again_when_it_has_fallen_behind(void **state)
{
    struct queue *queue = *state;

    open_small(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    queue_append_many(queue, 1, 50, BODY);
    expect_nothing(consumer, true);
    queue_append_many(queue, 51, 5, BODY);
    expect_run(consumer, true, 51, 55);
    queue_append_many(queue, 56, 50, BODY); /* one more outage */
    expect_nothing(consumer, true);
    queue_append_many(queue, 106, 5, BODY);
    expect_run(consumer, true, 106, 110);
    assert_int_equal(consumer->live_range_count, 1);
    expect_run(consumer, false, 1, 50);
    assert_int_equal(consumer->live_range_count, 0);
    expect_run(consumer, false, 56, 105);
    expect_nothing(consumer, false);
    assert_all_delivered(queue, 110);
    wal_consumer_close(consumer);
}

/* One record that is more than the live position may fall behind. */
static size_t too_much(const struct wal_consumer *consumer)
{
    return ((size_t)FAR * BODY << consumer->live_range_count / 8) + 4096;
}

/* Falls behind so many times; the number of the next record. */
static uint64_t fall_behind(struct queue *queue, struct wal_consumer *consumer, unsigned times)
{
    uint64_t next = FAR + 2;

    queue_append_many(queue, 1, FAR + 1, BODY);
    for (unsigned round = 0; round < times; round++, next += 2) {
        expect_nothing(consumer, true);
        queue_append_many(queue, next, 1, BODY);
        expect_run(consumer, true, next, next);
        assert_int_equal(queue_append(queue, next + 1, too_much(consumer)), WAL_OK);
    }
    return next;
}

static void the_more_often_it_fell_behind_the_more_it_may(void **state)
{
    struct queue *queue = *state;

    open_small(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    uint64_t next = fall_behind(queue, consumer, 9);
    assert_int_equal(consumer->live_range_count, 8);
    expect_nothing(consumer, true);
    assert_int_equal(consumer->live_range_count, 9);
    /* Twice as much by now: what was too much at first is read in order. */
    assert_int_equal(queue_append(queue, next, (size_t)FAR * BODY + 1000), WAL_OK);
    expect_run(consumer, true, next, next);
    wal_consumer_close(consumer);
}

static void goes_on_in_order_when_it_fell_behind_too_often(void **state)
{
    struct queue *queue = *state;
    struct log *log = calloc(1, sizeof(*log));
    struct wal_ack acks[64];
    size_t count = 0, total = 0;

    assert_non_null(log);
    open_small(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    uint64_t next = fall_behind(queue, consumer, WAL_LIVE_RANGES_MAX + 1);
    assert_int_equal(consumer->live_range_count, WAL_LIVE_RANGES_MAX);
    assert_int_equal(consumer->cursor.range_count, WAL_LIVE_RANGES_MAX + 1);
    expect_run(consumer, true, next - 1, next - 1);
    while ((count = read_some(consumer, false, 64, log, acks)) > 0) {
        wal_consumer_ack(consumer, acks, count);
        total += count;
    }
    free(log);
    assert_int_equal(total, FAR + 1 + WAL_LIVE_RANGES_MAX);
    assert_int_equal(consumer->cursor.range_count, 0);
    assert_all_delivered(queue, next - 1);
    wal_consumer_close(consumer);
}

/* Flips a byte in the body of that number. */
static void damage(struct queue *queue, uint64_t number)
{
    uint8_t body[BODY];
    DIR *directory = opendir(queue->directory);
    const struct dirent *entry;
    unsigned hits = 0;

    fill_body(body, BODY, number);
    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        char path[512];
        struct stat info;
        (void)snprintf(path, sizeof(path), "%s/%s", queue->directory, entry->d_name);
        int fd = strstr(entry->d_name, ".seg") != NULL ? open(path, O_RDWR) : -1;
        if (fd < 0) {
            continue;
        }
        assert_int_equal(fstat(fd, &info), 0);
        uint8_t *bytes = malloc((size_t)info.st_size);
        assert_non_null(bytes);
        assert_int_equal(pread(fd, bytes, (size_t)info.st_size, 0), info.st_size);
        /* Everywhere: pages that were left hold older copies. */
        const uint8_t *end = bytes + info.st_size;
        const uint8_t *at = bytes;
        while ((at = memmem(at, (size_t)(end - at), body, BODY)) != NULL) {
            const uint8_t flipped = body[50] ^ 1;
            assert_int_equal(pwrite(fd, &flipped, 1, at - bytes + 50), 1);
            hits++;
            at += BODY;
        }
        free(bytes);
        (void)close(fd);
    }
    (void)closedir(directory);
    assert_true(hits > 0);
}

static void a_start_reads_what_is_not_done_with_and_nothing_else(void **state)
{
    struct queue *queue = *state;

    open_small(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    queue_append_many(queue, 1, 60, BODY);
    expect_nothing(consumer, true);
    queue_append_many(queue, 61, 10, BODY);
    expect_run(consumer, true, 61, 70);
    expect_run(consumer, false, 1, 20);
    wal_consumer_close(consumer);
    queue_reopen(queue);
    consumer = queue_consumer(queue, "a");
    /* The range that was read ahead ends at the present: a live range may only begin where no other
     * does. */
    expect_nothing(consumer, true);
    queue_append_many(queue, 71, 1, BODY);
    expect_nothing(consumer, true);
    queue_append_many(queue, 72, 4, BODY);
    expect_run(consumer, true, 72, 75);
    damage(queue, 60);
    expect_run(consumer, false, 21, 59);
    expect_run(consumer, false, 71, 71);
    expect_nothing(consumer, false);
    assert_all_delivered(queue, 74);
    wal_consumer_close(consumer);
}

static void drop_oldest_may_push_past_what_was_read_ahead(void **state)
{
    struct queue *queue = *state;
    struct log *log = calloc(1, sizeof(*log));
    struct wal_ack acks[64];
    size_t count = 0;

    assert_non_null(log);
    queue->options.max_bytes = 4 * MIB;
    queue->options.drop_oldest = true;
    queue->options.tail_bytes = 60000; /* what comes in while it follows stays in memory */
    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    queue_append_many(queue, 1, 100, 10000);
    expect_nothing(consumer, true);
    queue_append_many(queue, 101, 5, 10000);
    count = read_some(consumer, true, 5, log, acks);
    assert_int_equal(count, 5);
    for (uint64_t i = 0; i < 20; i++) {
        queue_append_many(queue, 106 + i * 50, 50, 10000);
    }
    assert_true(queue_accounting(queue, "a").accounting.dropped[WAL_DROP_OVERFLOW].records > 105);
    wal_consumer_ack(consumer, acks, count);
    for (unsigned turn = 0; count > 0 || turn % 8 != 0; turn++) {
        count = read_some(consumer, turn % 2 == 0, 64, log, acks);
        wal_consumer_ack(consumer, acks, count);
    }
    for (uint64_t i = 1; i < 1106; i++) {
        assert_true(log->given[i] <= 1);
    }
    assert_int_equal(log->given[1105], 1);
    assert_int_equal(queue_accounting(queue, "a").accounting.queued.records, 0);
    free(log);
    wal_consumer_close(consumer);
}

static void damage_at_the_edges_costs_what_is_damaged_alone(void **state)
{
    struct queue *queue = *state;
    struct log *log = calloc(1, sizeof(*log));
    struct wal_ack held[8], acks[64];
    size_t count = 0;

    assert_non_null(log);
    open_small(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    queue_append_many(queue, 1, 60, BODY);
    expect_nothing(consumer, true);
    queue_append_many(queue, 61, 10, BODY);
    assert_int_equal(read_some(consumer, true, 3, log, held), 3);
    queue_append_many(queue, 71, 50, BODY);
    expect_nothing(consumer, true);
    /* Before a live range, in it (in flight), behind it, and before the range that grows.
     */
    const uint64_t hit[] = {60, 62, 64, 120};
    for (size_t i = 0; i < 4; i++) {
        damage(queue, hit[i]);
    }
    queue_append_many(queue, 121, 5, BODY);
    assert_int_equal(read_some(consumer, true, 5, log, held + 3), 5);
    while ((count = read_some(consumer, false, 16, log, acks)) > 0) {
        wal_consumer_ack(consumer, acks, count);
    }
    wal_consumer_ack(consumer, held, 8);
    for (uint64_t i = 1; i <= 125; i++) {
        assert_int_equal(log->given[i], i == 60 || i == 64 || i == 120 ? 0 : 1);
    }
    struct wal_accounting accounting = queue_accounting(queue, "a").accounting;
    assert_int_equal(accounting.dropped[WAL_DROP_DAMAGED].records, 3);
    assert_int_equal(accounting.delivered.records, 122);
    assert_int_equal(accounting.queued.records, 0);
    free(log);
    wal_consumer_close(consumer);
}

static void damage_of_what_comes_in_is_counted_where_it_is_read(void **state)
{
    struct queue *queue = *state;

    open_small(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    queue_append_many(queue, 1, 60, BODY);
    expect_nothing(consumer, true);
    queue_append_many(queue, 61, FAR, BODY); /* one more than memory holds, with its meta */
    damage(queue, 61);
    damage(queue, 70);
    damage(queue, 60 + FAR);
    struct log *log = calloc(1, sizeof(*log));
    struct wal_ack acks[64];
    size_t count = 0, total = 0;
    assert_non_null(log);
    while ((count = read_some(consumer, true, 64, log, acks)) > 0) {
        wal_consumer_ack(consumer, acks, count);
        total += count;
    }
    expect_run(consumer, false, 1, 60);
    expect_nothing(consumer, false);
    assert_true(total < FAR);
    struct wal_accounting accounting = queue_accounting(queue, "a").accounting;
    /* What is still in memory is good. */
    assert_int_equal(accounting.dropped[WAL_DROP_DAMAGED].records, FAR - total);
    assert_int_equal(accounting.delivered.records, 60 + total);
    assert_int_equal(accounting.queued.records, 0);
    free(log);
    wal_consumer_close(consumer);
}

/* ---- anything in any order ---- */

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

struct walk {
    struct queue *queue;
    struct wal_consumer *consumer;
    struct log *log; /* since the last start */
    bool is_done[NUMBERS];
    uint64_t next;
    struct wal_ack held[512];
    uint64_t held_numbers[512];
    size_t held_count, most_ranges;
    unsigned steps;
    size_t body_most;
    uint32_t seed;
};

static void walk_read(struct walk *walk, bool is_live)
{
    struct wal_record records[16];
    size_t count = 0;
    size_t most = 1 + next_random(&walk->seed) % 16;
    if (walk->held_count + most > 512) {
        return;
    }
    enum wal_status status =
        is_live ? wal_consumer_read_live(walk->consumer, most, 5000, records, &count)
                : wal_consumer_read(walk->consumer, most, 5000, records, &count);
    assert_int_equal(status, WAL_OK);
    for (size_t i = 0; i < count; i++) {
        uint64_t number = (records[i].time_ns - 1) / 1000;
        assert_true(is_body(records[i].body, number));
        assert_false(walk->is_done[number]);
        assert_int_equal(walk->log->given[number], 0);
        walk->log->given[number]++;
        walk->held_numbers[walk->held_count] = number;
        walk->held[walk->held_count++] = ack_of(&records[i]);
        hf_ref_drop(records[i].owner);
    }
}

static void walk_ack(struct walk *walk, size_t most)
{
    while (most-- > 0 && walk->held_count > 0) {
        size_t i = next_random(&walk->seed) % walk->held_count;
        wal_consumer_ack(walk->consumer, &walk->held[i], 1);
        walk->is_done[walk->held_numbers[i]] = true;
        walk->held[i] = walk->held[--walk->held_count];
        walk->held_numbers[i] = walk->held_numbers[walk->held_count];
    }
}

/* What is held is forgotten, and read again: after a start of the queue, or of the reading alone.
 */
static void walk_start_anew(struct walk *walk, bool reopen)
{
    if (reopen) {
        wal_consumer_close(walk->consumer);
        queue_reopen(walk->queue);
        walk->consumer = queue_consumer(walk->queue, "a");
    } else {
        wal_consumer_rewind(walk->consumer);
    }
    walk->held_count = 0;
    memset(walk->log, 0, sizeof(*walk->log));
}

static void walk_step(struct walk *walk)
{
    uint32_t draw = next_random(&walk->seed) % 1000;

    walk->steps++;
    if (draw < 250 && walk->next < NUMBERS - 200) {
        size_t count = 1 + next_random(&walk->seed) % (draw < 10 ? 100 : 8);
        queue_append_many(walk->queue, walk->next, count,
                          next_random(&walk->seed) % walk->body_most);
        walk->next += count;
    } else if (draw < 300) {
        walk_read(walk, false);
    } else if (draw < 500) {
        /* Outages: nothing is read for a while. */
        if (walk->steps % 150 > 50) {
            walk_read(walk, true);
        }
    } else if (draw < 995) {
        walk_ack(walk, 1 + next_random(&walk->seed) % 32);
    } else {
        walk_start_anew(walk, next_random(&walk->seed) % 4 == 0);
    }
    if (walk->consumer->live_range_count > walk->most_ranges) {
        walk->most_ranges = walk->consumer->live_range_count;
    }
}

/* Takes many steps, then reads and acknowledges all that is left. */
static struct walk *take_walk(struct queue *queue, uint32_t seed, size_t body_most)
{
    struct walk *walk = calloc(1, sizeof(*walk));

    assert_non_null(walk);
    walk->log = calloc(1, sizeof(*walk->log));
    assert_non_null(walk->log);
    walk->queue = queue;
    walk->seed = seed;
    walk->body_most = body_most;
    walk->next = 1;
    open_small(queue);
    walk->consumer = queue_consumer(queue, "a");
    for (unsigned i = 0; i < 4000; i++) {
        walk_step(walk);
        if (i % 64 == 0) {
            queue_accounting(queue, "a");
        }
    }
    size_t held = 0;
    do {
        walk_read(walk, true);
        walk_read(walk, false);
        held = walk->held_count;
        walk_ack(walk, 512);
    } while (held > 0);
    assert_int_equal(queue_accounting(queue, "a").accounting.queued.records, 0);
    assert_int_equal(walk->consumer->cursor.range_count, 0);
    return walk;
}

static void end_walk(struct walk *walk)
{
    wal_consumer_close(walk->consumer);
    free(walk->log);
    free(walk);
}

static void nothing_is_missed_or_given_twice_whatever_the_order(void **state)
{
    struct queue *queue = *state;
    struct walk *walk = take_walk(queue, 20260, 300);

    assert_true(walk->most_ranges > 1);
    for (uint64_t number = 1; number < walk->next; number++) {
        assert_true(walk->is_done[number]);
    }
    assert_all_delivered(queue, walk->next - 1);
    end_walk(walk);
}

static void neither_while_the_oldest_are_dropped(void **state)
{
    struct queue *queue = *state;

    queue->options.max_bytes = 4 * MIB;
    queue->options.drop_oldest = true;
    struct walk *walk = take_walk(queue, 7, 12000);
    struct wal_accounting accounting = queue_accounting(queue, "a").accounting;
    assert_true(accounting.dropped[WAL_DROP_OVERFLOW].records > 0);
    assert_int_equal(accounting.dropped[WAL_DROP_OVERFLOW].records + accounting.delivered.records,
                     walk->next - 1);
    end_walk(walk);
}

static void gaps_left_by_a_kill_never_block_the_reading(void **state)
{
    struct queue *queue = *state;
    struct wal_ack acks[64];
    struct log *log = calloc(1, sizeof(*log));
    size_t count = 0;

    assert_non_null(log);
    queue->options.tail_bytes = 100;
    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    for (unsigned i = 0; i < 8; i++) {
        queue_append_many(queue, 1 + i * 1000, 1000, 8);
    }
    queue_append_many(queue, 8001, 250, 8);
    /* Every second one is done with: as many ranges as there may be, and a few more. */
    while ((count = read_some(consumer, false, 64, log, acks)) > 0) {
        for (size_t i = 0; i < count; i++) {
            if (acks[i].sequence % 2 != 0) {
                wal_consumer_ack(consumer, &acks[i], 1);
            }
        }
    }
    assert_true(consumer->cursor.range_count >= WAL_RANGES_MAX);
    wal_consumer_close(consumer);
    queue_reopen(queue);
    consumer = queue_consumer(queue, "a");
    memset(log, 0, sizeof(*log));
    count = read_some(consumer, false, 64, log, acks);
    assert_int_equal(count, 1);      /* up to the next range */
    expect_nothing(consumer, false); /* not before those are done with: and then it is told */
    wal_consumer_ack(consumer, acks, count);
    pthread_mutex_lock(&queue->lock);
    while (queue->wakes == 0) {
        pthread_cond_wait(&queue->changed, &queue->lock);
    }
    pthread_mutex_unlock(&queue->lock);
    while ((count = read_some(consumer, false, 64, log, acks)) > 0) {
        wal_consumer_ack(consumer, acks, count);
    }
    assert_int_equal(queue_accounting(queue, "a").accounting.queued.records, 0);
    free(log);
    wal_consumer_close(consumer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_short_backlog_is_read_in_order_alone),
        TEST(what_comes_in_goes_past_a_long_backlog),
        TEST(what_is_still_in_the_readers_hands_is_not_given_again),
        TEST(begins_at_the_present_again_when_it_has_fallen_behind),
        TEST(the_more_often_it_fell_behind_the_more_it_may),
        TEST(goes_on_in_order_when_it_fell_behind_too_often),
        TEST(a_start_reads_what_is_not_done_with_and_nothing_else),
        TEST(drop_oldest_may_push_past_what_was_read_ahead),
        TEST(damage_at_the_edges_costs_what_is_damaged_alone),
        TEST(damage_of_what_comes_in_is_counted_where_it_is_read),
        TEST(nothing_is_missed_or_given_twice_whatever_the_order),
        TEST(neither_while_the_oldest_are_dropped),
        TEST(gaps_left_by_a_kill_never_block_the_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
