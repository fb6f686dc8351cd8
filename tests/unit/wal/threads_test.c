/* Many threads at once: all is appended, each consumer sees everything once and in order, and
 * nobody misses a wake. */
#include <stdatomic.h>

#include "queue.h"

#define PRODUCERS 3u
#define RECORDS 700u /* of each */

struct stage {
    struct queue *queue;
    atomic_bool is_over;
};

struct producer {
    struct stage *stage;
    uint64_t first;
    pthread_t thread;
};

static void *produce(void *user)
{
    struct producer *producer = user;
    uint64_t number = producer->first;

    while (number < producer->first + RECORDS) {
        size_t count = 1 + number % 13;
        if (count > producer->first + RECORDS - number) {
            count = producer->first + RECORDS - number;
        }
        queue_append_many(producer->stage->queue, number, count, number % 9 == 0 ? 30000 : 900);
        number += count;
    }
    return NULL;
}

struct follower {
    struct stage *stage;
    const char *name;
    size_t most;
    struct wal_consumer *consumer;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_woken;
    size_t count;
    bool is_right;
};

static void wake(void *user)
{
    struct follower *follower = user;

    pthread_mutex_lock(&follower->lock);
    follower->is_woken = true;
    pthread_cond_signal(&follower->changed);
    pthread_mutex_unlock(&follower->lock);
}

static void take(struct follower *follower, struct wal_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct wal_ack ack = ack_of(&records[i]);
        follower->is_right &= records[i].sequence == follower->count &&
                              is_body(records[i].body, (records[i].time_ns - 1) / 1000);
        follower->count++;
        hf_ref_drop(records[i].owner);
        wal_consumer_ack(follower->consumer, &ack, 1);
    }
}

static void *follow(void *user)
{
    struct follower *follower = user;
    struct wal_record records[40];

    follower->is_right = true;
    while (follower->count < PRODUCERS * RECORDS && follower->is_right) {
        size_t count = 0;
        follower->is_right &=
            wal_consumer_read(follower->consumer, follower->most, 50000, records, &count) == WAL_OK;
        take(follower, records, count);
        pthread_mutex_lock(&follower->lock);
        while (count == 0 && !follower->is_woken) {
            pthread_cond_wait(&follower->changed, &follower->lock);
        }
        if (count == 0) {
            follower->is_woken = false;
        }
        pthread_mutex_unlock(&follower->lock);
    }
    return NULL;
}

static bool is_whole(void *user, const struct wal_record *record, bool damaged)
{
    bool *is_right = user;

    *is_right &= !damaged && is_body(record->body, (record->time_ns - 1) / 1000);
    return true;
}

/* An operator who looks all the time, and changes limits that nobody reaches. */
static void *watch(void *user)
{
    struct stage *stage = user;
    bool is_right = true;

    while (!atomic_load(&stage->is_over) && is_right) {
        struct wal_stat stat;
        struct wal_consumer_stat ignored;
        wal_stat(stage->queue->wal, &stat);
        (void)queue_find(stage->queue, "quick", &ignored);
        wal_set_limits(stage->queue->wal,
                       &(struct wal_limits){stat.commits % 2 << 40, stat.commits % 3 == 0});
        is_right &= wal_scan(stage->queue->wal, stat.next_sequence - stat.next_sequence / 8,
                             is_whole, &is_right) == WAL_OK;
    }
    return is_right ? NULL : stage;
}

static void open_follower(struct follower *follower)
{
    const struct wal_consumer_options options = {
        .name = follower->name, .wake = wake, .user = follower};

    pthread_mutex_init(&follower->lock, NULL);
    pthread_cond_init(&follower->changed, NULL);
    assert_int_equal(wal_consumer_open(follower->stage->queue->wal, &options, &follower->consumer),
                     WAL_OK);
    assert_int_equal(pthread_create(&follower->thread, NULL, follow, follower), 0);
}

static void close_follower(struct follower *follower)
{
    pthread_join(follower->thread, NULL);
    wal_consumer_close(follower->consumer);
    pthread_mutex_destroy(&follower->lock);
    pthread_cond_destroy(&follower->changed);
}

static void run_all(struct queue *queue)
{
    struct stage stage = {.queue = queue};
    struct producer producers[PRODUCERS] = {0};
    struct follower followers[2] = {{.stage = &stage, .name = "quick", .most = 40},
                                    {.stage = &stage, .name = "slow", .most = 1}};
    pthread_t watcher;
    void *complaint = NULL;

    queue_open(queue);
    for (size_t i = 0; i < 2; i++) {
        open_follower(&followers[i]);
    }
    assert_int_equal(pthread_create(&watcher, NULL, watch, &stage), 0);
    for (size_t i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){.stage = &stage, .first = 1 + i * 10000};
        assert_int_equal(pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
    }
    for (size_t i = 0; i < PRODUCERS; i++) {
        pthread_join(producers[i].thread, NULL);
    }
    for (size_t i = 0; i < 2; i++) {
        close_follower(&followers[i]);
        assert_true(followers[i].is_right);
        struct wal_accounting accounting = queue_accounting(queue, followers[i].name).accounting;
        assert_int_equal(accounting.delivered.records, PRODUCERS * RECORDS);
    }
    atomic_store(&stage.is_over, true);
    pthread_join(watcher, &complaint);
    assert_null(complaint);
}

static void agree_when_all_is_served_from_memory(void **state)
{
    run_all(*state);
}

static void agree_when_little_is_kept_in_memory(void **state)
{
    struct queue *queue = *state;

    queue->options.tail_bytes =
        20000; /* reading goes between the ring, the tail's file and closed ones */
    run_all(queue);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(agree_when_all_is_served_from_memory),
        TEST(agree_when_little_is_kept_in_memory),
    };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
