/* Consumers that come, go, are taken over, removed and woken. */
#include "queue.h"

static void begins_at_the_present_or_the_oldest(void **state)
{
    struct queue *queue = *state;

    queue_open(queue);
    struct wal_consumer *first = queue_consumer(queue, "first");
    queue_append_many(queue, 1, 20, 100);
    struct wal_consumer *present = queue_consumer(queue, "present");
    struct wal_consumer *oldest = queue_consumer_with(
        queue, (struct wal_consumer_options){.name = "oldest", .from_oldest = true});
    assert_int_equal(queue_drain(present, true), 0);
    assert_int_equal(queue_accounting(queue, "present").accounting.accepted.records, 0);
    assert_int_equal(queue_accounting(queue, "oldest").accounting.accepted.records, 20);
    assert_int_equal(queue_drain(oldest, true), 20);
    wal_consumer_close(first);
    wal_consumer_close(present);
    wal_consumer_close(oldest);
    /* A name that is known goes on where it was, whatever it asks for. */
    queue_reopen(queue);
    oldest = queue_consumer_with(
        queue, (struct wal_consumer_options){.name = "oldest", .from_oldest = true});
    assert_int_equal(queue_drain(oldest, true), 0);
    wal_consumer_close(oldest);
}

static void keeps_the_backlog_of_one_that_is_not_open(void **state)
{
    struct queue *queue = *state;

    queue_open(queue);
    wal_consumer_close(queue_consumer(queue, "later"));
    queue_append_many(queue, 1, 30, 100);
    queue_reopen(queue);
    struct wal_consumer_stat stat = queue_accounting(queue, "later");
    assert_false(stat.open);
    assert_int_equal(stat.accounting.queued.records, 30);
    assert_int_equal(stat.oldest_time_ns, 1001);
    struct wal_consumer *consumer = queue_consumer(queue, "later");
    assert_int_equal(queue_drain(consumer, true), 30);
    assert_int_equal(queue_accounting(queue, "later").oldest_time_ns, 0);
    wal_consumer_close(consumer);
}

static void is_open_once_at_a_time(void **state)
{
    struct queue *queue = *state;
    const struct wal_consumer_options again = {.name = "a"};
    const struct wal_consumer_options adopting = {.name = "a", .adopt = "old"};
    struct wal_consumer *none = NULL;

    queue_open(queue);
    wal_consumer_close(queue_consumer(queue, "old"));
    queue_append_many(queue, 1, 3, 100);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    queue_append_many(queue, 4, 2, 100);
    assert_int_equal(wal_consumer_open(queue->wal, &again, &none), WAL_CLOSED);
    assert_int_equal(wal_consumer_open(queue->wal, &adopting, &none), WAL_CLOSED);
    assert_int_equal(queue_accounting(queue, "old").accounting.queued.records, 5);
    assert_int_equal(queue_drain(consumer, true), 2);
    wal_consumer_close(consumer);
    wal_consumer_close(queue_consumer(queue, "a"));
}

static void takes_over_the_cursor_of_another(void **state)
{
    struct queue *queue = *state;
    struct wal_consumer_stat stat;
    struct wal_consumer *none = NULL;

    queue_open(queue);
    struct wal_consumer *old = queue_consumer(queue, "old");
    queue_append_many(queue, 1, 30, 100);
    wal_consumer_close(old);
    const struct wal_consumer_options adopting = {.name = "new", .adopt = "old"};
    struct wal_consumer *consumer = queue_consumer_with(queue, adopting);
    assert_int_equal(queue_drain(consumer, true), 30);
    assert_int_equal(queue_accounting(queue, "new").accounting.delivered.records, 30);
    assert_false(queue_find(queue, "old", &stat));
    wal_consumer_close(consumer);
    assert_int_equal(wal_consumer_open(queue->wal, &adopting, &none), WAL_MISSING);
    queue_reopen(queue);
    assert_false(queue_find(queue, "old", &stat));
    assert_int_equal(queue_accounting(queue, "new").accounting.delivered.records, 30);
}

static void misses_nothing_when_both_names_have_a_cursor(void **state)
{
    struct queue *queue = *state;

    for (int lower = 0; lower < 2; lower++) { /* whose cursor stands lower */
        queue_open(queue);
        struct wal_consumer *both[2] = {queue_consumer(queue, "mine"),
                                        queue_consumer(queue, "theirs")};
        queue_append_many(queue, 1, 10, 100);
        assert_int_equal(queue_drain(both[1 - lower], true), 10);
        wal_consumer_close(both[0]);
        wal_consumer_close(both[1]);
        struct wal_consumer *consumer = queue_consumer_with(
            queue, (struct wal_consumer_options){.name = "mine", .adopt = "theirs"});
        assert_int_equal(queue_drain(consumer, true), 10);
        queue_accounting(queue, "mine");
        wal_consumer_close(consumer);
        queue_close(queue);
    }
}

static void removes_a_stored_consumer(void **state)
{
    struct queue *queue = *state;
    struct wal_consumer_stat stat;
    struct wal_stat before, after;

    queue_open(queue);
    wal_consumer_close(queue_consumer(queue, "gone"));
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    queue_append_many(queue, 1, 200, 30000);
    assert_int_equal(queue_drain(consumer, true), 200);
    wal_stat(queue->wal, &before);
    assert_int_equal(before.first_sequence, 0);
    assert_int_equal(wal_consumer_remove(queue->wal, "a"), WAL_MISSING); /* it is open */
    assert_int_equal(wal_consumer_remove(queue->wal, "gone"), WAL_OK);
    assert_int_equal(wal_consumer_remove(queue->wal, "gone"), WAL_MISSING);
    wal_stat(queue->wal, &after);
    /* All but the tail: at most a full segment (34 records) and the group of 64 that ended it. */
    assert_true(after.first_sequence > 100);
    wal_consumer_close(consumer);
    queue_reopen(queue);
    assert_false(queue_find(queue, "gone", &stat));
    assert_true(queue_find(queue, "a", &stat));
}

static unsigned wakes_of(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    unsigned wakes = queue->wakes;
    pthread_mutex_unlock(&queue->lock);
    return wakes;
}

static void wakes_once_for_each_time_nothing_was_found(void **state)
{
    struct queue *queue = *state;
    struct wal_record record;
    size_t count = 9;

    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    assert_int_equal(queue_append(queue, 1, 10), WAL_OK);
    assert_int_equal(queue_append(queue, 2, 10), WAL_OK);
    assert_int_equal(wakes_of(queue), 0); /* it has not looked yet */
    assert_int_equal(queue_drain(consumer, true), 2);
    assert_int_equal(queue_append(queue, 3, 10), WAL_OK);
    pthread_mutex_lock(&queue->lock);
    while (queue->wakes == 0) {
        pthread_cond_wait(&queue->changed, &queue->lock);
    }
    pthread_mutex_unlock(&queue->lock);
    assert_int_equal(queue_append(queue, 4, 10), WAL_OK);
    assert_int_equal(wal_consumer_read(consumer, 1, 1, &record, &count), WAL_OK);
    assert_int_equal(count, 1);
    hf_ref_drop(record.owner);
    assert_int_equal(queue_append(queue, 5, 10), WAL_OK);
    assert_int_equal(wakes_of(queue), 1);
    wal_consumer_close(consumer);
}

static uint64_t bytes_in_memory(struct queue *queue)
{
    struct wal_stat stat;

    wal_stat(queue->wal, &stat);
    return stat.tail_bytes;
}

static void keeps_in_memory_only_what_a_follower_may_read(void **state)
{
    struct queue *queue = *state;

    queue->options.tail_bytes = 20000;
    queue_open(queue);
    struct wal_consumer *dead = queue_consumer(queue, "dead");
    queue_append_many(queue, 1, 10, 1000);
    assert_true(bytes_in_memory(queue) >= 10000);
    queue_append_many(queue, 11, 40, 1000); /* now it is too far behind to find them here */
    assert_int_equal(bytes_in_memory(queue), 0);
    struct wal_consumer *follower = queue_consumer(queue, "follower");
    queue_append_many(queue, 51, 5, 1000);
    assert_true(bytes_in_memory(queue) >= 5000);
    assert_int_equal(queue_drain(follower, true), 5);
    assert_int_equal(bytes_in_memory(queue), 0);
    assert_int_equal(queue_drain(dead, true), 55);
    queue_append_many(queue, 56, 5, 1000);
    assert_true(bytes_in_memory(queue) >= 5000); /* it follows again */
    wal_consumer_close(dead);
    wal_consumer_close(follower);
}

static void counts_records_by_outcome(void **state)
{
    struct queue *queue = *state;
    struct wal_record records[6];
    size_t count = 0;

    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    queue_append_many(queue, 1, 6, 100); /* 1 to 6 items */
    assert_int_equal(wal_consumer_read(consumer, 6, 1 << 20, records, &count), WAL_OK);
    assert_int_equal(count, 6);
    struct wal_ack acks[6];
    for (size_t i = 0; i < 6; i++) {
        acks[i] = ack_of(&records[i]);
        hf_ref_drop(records[i].owner);
    }
    acks[1].rejected_items = 2;
    acks[2].rejected_items = 1;
    acks[3].outcome = WAL_DEAD_LETTERED;
    acks[4].outcome = WAL_DROPPED;
    acks[4].drop = WAL_DROP_GAVE_UP;
    wal_consumer_ack(consumer, acks, 5);
    for (int pass = 0; pass < 2; pass++) {
        struct wal_accounting accounting = queue_accounting(queue, "a").accounting;
        assert_int_equal(accounting.accepted.items, 21);
        assert_int_equal(accounting.delivered.items, 1 + 0 + 2);
        assert_int_equal(accounting.dropped[WAL_DROP_REJECTED].items, 3);
        assert_int_equal(accounting.dead_lettered.items, 4);
        assert_int_equal(accounting.dropped[WAL_DROP_GAVE_UP].items, 5);
        assert_int_equal(accounting.queued.items, 6);
        assert_int_equal(accounting.delivered.bytes, 300);
        if (pass == 0) {
            wal_consumer_close(consumer);
            queue_reopen(queue);
        }
    }
}

static bool has_number(void *user, const struct wal_record *record, bool damaged)
{
    uint64_t *count = user;

    assert_false(damaged);
    assert_true(is_body(record->body, (record->time_ns - 1) / 1000));
    (*count)++;
    return *count < 25;
}

static void shows_records_without_a_consumer(void **state)
{
    struct queue *queue = *state;
    uint64_t count = 0;

    queue_open(queue);
    queue_append_many(queue, 1, 60, 30000);
    assert_int_equal(wal_scan(queue->wal, 0, has_number, &count), WAL_OK);
    assert_int_equal(count, 25); /* until the visitor says so */
    queue_close(queue);
    queue->options.read_only = true;
    queue_open(queue);
    count = 0;
    assert_int_equal(wal_scan(queue->wal, 50, has_number, &count), WAL_OK);
    assert_int_equal(count, 10);
    assert_int_equal(queue_append(queue, 1, 1), WAL_CLOSED);
}

static void refuses_a_name_that_is_too_long(void **state)
{
    struct queue *queue = *state;
    char name[WAL_NAME_BYTES_MAX + 2];
    struct wal_consumer *consumer = NULL;

    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    queue_open(queue);
    const struct wal_consumer_options options = {.name = name};
    assert_int_equal(wal_consumer_open(queue->wal, &options, &consumer), WAL_TOO_LARGE);
    name[WAL_NAME_BYTES_MAX] = '\0';
    wal_consumer_close(queue_consumer(queue, name));
    queue_reopen(queue);
    queue_accounting(queue, name);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(begins_at_the_present_or_the_oldest),
        TEST(keeps_the_backlog_of_one_that_is_not_open),
        TEST(is_open_once_at_a_time),
        TEST(takes_over_the_cursor_of_another),
        TEST(misses_nothing_when_both_names_have_a_cursor),
        TEST(removes_a_stored_consumer),
        TEST(wakes_once_for_each_time_nothing_was_found),
        TEST(keeps_in_memory_only_what_a_follower_may_read),
        TEST(counts_records_by_outcome),
        TEST(shows_records_without_a_consumer),
        TEST(refuses_a_name_that_is_too_long),
    };
    return cmocka_run_group_tests_name("consumer", tests, NULL, NULL);
}
