/* What a queue says of its files. */
#include "queue.h"

struct seen {
    size_t count, tails;
    uint64_t next; /* where the next one should begin */
    bool has_gap;
};

static void see(void *user, const struct wal_segment_stat *stat)
{
    struct seen *seen = user;
    seen->has_gap = seen->has_gap || (seen->count != 0 && stat->first != seen->next);
    seen->next = stat->end;
    seen->count++;
    seen->tails += stat->is_tail ? 1 : 0;
    assert_true(stat->end >= stat->first && !stat->is_broken);
}

static void segments_follow_each_other_to_the_end(void **state)
{
    struct queue *queue = *state;
    struct seen seen = {.count = 0};
    struct wal_stat stat;
    queue->options.segment_bytes = MIB;
    queue_reopen(queue);
    struct wal_consumer *consumer =
        queue_consumer_with(queue, (struct wal_consumer_options){.name = "keeps them"});
    queue_append_many(queue, 0, 60, 64 << 10);
    wal_stat(queue->wal, &stat);
    assert_int_equal(wal_segment_each(queue->wal, see, &seen), WAL_OK);
    assert_true(seen.count > 1);
    assert_int_equal(seen.count, stat.segments);
    assert_int_equal(seen.tails, 1);
    assert_false(seen.has_gap);
    assert_int_equal(seen.next, 60);
    wal_consumer_close(consumer);
}

static void a_queue_without_records_ends_where_it_begins(void **state)
{
    struct queue *queue = *state;
    struct seen seen = {.count = 0};
    queue_open(queue);
    assert_int_equal(wal_segment_each(queue->wal, see, &seen), WAL_OK);
    assert_true(seen.count <= 1);
    assert_int_equal(seen.next, 0);
}

static void tells_what_is_acknowledged(void **state)
{
    struct queue *queue = *state;
    struct wal_record records[3];
    size_t count = 0;
    queue_open(queue);
    struct wal_consumer *consumer =
        queue_consumer_with(queue, (struct wal_consumer_options){.name = "reader"});
    queue_append_many(queue, 0, 3, 10);
    assert_int_equal(wal_consumer_read(consumer, 3, MIB, records, &count), WAL_OK);
    assert_int_equal(count, 3);
    const struct wal_ack ack = {.sequence = 1,
                                .items = records[1].items,
                                .raw_bytes = records[1].raw_bytes,
                                .outcome = WAL_DELIVERED};
    wal_consumer_ack(consumer, &ack, 1);
    for (uint64_t sequence = 0; sequence < 3; sequence++) {
        assert_int_equal(wal_is_acknowledged(queue->wal, "reader", sequence), sequence == 1);
        assert_false(wal_is_acknowledged(queue->wal, "no one", sequence));
        hf_ref_drop(records[sequence].owner);
    }
    wal_consumer_close(consumer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(segments_follow_each_other_to_the_end),
        TEST(tells_what_is_acknowledged),
        TEST(a_queue_without_records_ends_where_it_begins),
    };
    return cmocka_run_group_tests_name("stat", tests, NULL, NULL);
}
