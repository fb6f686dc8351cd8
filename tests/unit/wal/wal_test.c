/* The queue from outside: appending, reading, acknowledging, and coming back to it. */
#include "queue.h"

#include "util/time/clock.h"

static void gives_back_what_was_appended(void **state)
{
    static const size_t sizes[] = {0, 1, 100, 1999, 2000, 2001, 4096, 40000, 400000, 3000000};
    struct queue *queue = *state;

    for (int pass = 0; pass < 2; pass++) { /* from memory, then from disk */
        queue_open(queue);
        struct wal_consumer *consumer = queue_consumer(queue, "a");
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && pass == 0; i++) {
            assert_int_equal(queue_append(queue, i + 1, sizes[i]), WAL_OK);
        }
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            struct wal_record r;
            size_t count = 0;
            assert_int_equal(wal_consumer_read(consumer, 1, 1, &r, &count), WAL_OK);
            assert_int_equal(count, 1);
            assert_int_equal(r.sequence, i);
            assert_int_equal(r.kind, i + 1);
            assert_int_equal(r.coding, 3);
            assert_int_equal(r.flags, 0x1234);
            assert_int_equal(r.items, (i + 1) % 7);
            assert_int_equal(r.raw_bytes, sizes[i]);
            assert_int_equal(r.time_ns, (i + 1) * 1000 + 1);
            assert_int_equal(r.body.size, sizes[i]);
            assert_true(is_body(r.body, i + 1));
            assert_true(hf_slice_is(r.meta, "meta"));
            hf_ref_drop(r.owner);
        }
        wal_consumer_close(consumer);
        queue_close(queue);
    }
}

static void serves_each_consumer_at_its_own_pace(void **state)
{
    struct queue *queue = *state;

    queue_open(queue);
    struct wal_consumer *fast = queue_consumer(queue, "fast");
    struct wal_consumer *slow = queue_consumer(queue, "slow");
    queue_append_many(queue, 1, 500, 3000);
    assert_int_equal(queue_drain(fast, true), 500);
    assert_int_equal(queue_accounting(queue, "fast").accounting.queued.records, 0);
    assert_int_equal(queue_accounting(queue, "slow").accounting.queued.records, 500);
    struct wal_consumer *late = queue_consumer(queue, "late");
    queue_append_many(queue, 501, 500, 3000);
    assert_int_equal(queue_drain(late, true), 500);
    assert_int_equal(queue_drain(fast, true), 500);
    assert_int_equal(queue_drain(slow, true), 1000);
    wal_consumer_close(fast);
    wal_consumer_close(slow);
    wal_consumer_close(late);
}

static void reads_again_only_what_was_not_acknowledged(void **state)
{
    struct queue *queue = *state;
    struct wal_record records[32];
    size_t count = 0, total = 0;

    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    queue_append_many(queue, 1, 100, 500);
    while (total < 100) {
        assert_int_equal(wal_consumer_read(consumer, 32, 1 << 20, records, &count), WAL_OK);
        for (size_t i = count; i > 0; i--) { /* backwards, every third not at all */
            if (records[i - 1].sequence % 3 != 0) {
                struct wal_ack ack = ack_of(&records[i - 1]);
                wal_consumer_ack(consumer, &ack, 1);
                wal_consumer_ack(consumer, &ack, 1); /* twice counts once */
            }
            hf_ref_drop(records[i - 1].owner);
        }
        total += count;
    }
    assert_int_equal(queue_accounting(queue, "a").accounting.delivered.records, 66);
    for (int pass = 0; pass < 2; pass++) { /* after a rewind, and after a restart */
        wal_consumer_rewind(consumer);
        assert_int_equal(queue_drain(consumer, false), 34);
        wal_consumer_close(consumer);
        queue_reopen(queue);
        consumer = queue_consumer(queue, "a");
    }
    assert_int_equal(queue_accounting(queue, "a").accounting.queued.records, 34);
    assert_int_equal(queue_drain(consumer, true), 34);
    assert_int_equal(queue_accounting(queue, "a").accounting.queued.records, 0);
    assert_int_equal(queue_accounting(queue, "a").accounting.accepted.records, 100);
    wal_consumer_close(consumer);
}

static void goes_on_counting_after_a_restart(void **state)
{
    struct queue *queue = *state;
    struct wal_stat stat;

    for (uint64_t round = 0; round < 5; round++) {
        queue_open(queue);
        wal_stat(queue->wal, &stat);
        assert_int_equal(stat.next_sequence, round * 10);
        assert_int_equal(stat.appended.records, round * 10);
        struct wal_consumer *consumer = queue_consumer(queue, "a");
        queue_append_many(queue, 1 + round * 10, 10, 700);
        /* Odd rounds acknowledge, so even ones read theirs and nothing else. */
        assert_int_equal(queue_drain(consumer, round % 2 == 1), round % 2 == 1 ? 20 : 10);
        wal_consumer_close(consumer);
        queue_close(queue);
    }
}

/* Else a full disk is said to be an hour away while it is a minute. */
static void reckons_the_rate_of_a_young_queue_over_its_life(void **state)
{
    struct queue *queue = *state;
    struct wal_stat stat;
    uint64_t began_ns = hf_clock_coarse_ns();

    queue_open(queue);
    wal_stat(queue->wal, &stat);
    assert_true(stat.append_bytes_per_s <= 0);
    queue_append_many(queue, 1, 50, 40000);
    wal_stat(queue->wal, &stat);
    double seconds = (double)(hf_clock_coarse_ns() - began_ns) / 1e9;
    if (seconds < 50) { /* a machine that slow shows nothing */
        assert_true(stat.append_bytes_per_s >= 50 * 40000 / (seconds + 2));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_back_what_was_appended, queue_setup, queue_teardown),
        cmocka_unit_test_setup_teardown(serves_each_consumer_at_its_own_pace, queue_setup,
                                        queue_teardown),
        cmocka_unit_test_setup_teardown(reads_again_only_what_was_not_acknowledged, queue_setup,
                                        queue_teardown),
        cmocka_unit_test_setup_teardown(goes_on_counting_after_a_restart, queue_setup,
                                        queue_teardown),
        cmocka_unit_test_setup_teardown(reckons_the_rate_of_a_young_queue_over_its_life,
                                        queue_setup, queue_teardown),
    };
    return cmocka_run_group_tests_name("wal", tests, NULL, NULL);
}
