/* Input checkpoints: in the same commit as their record, and never lost with a segment. */
#include "queue.h"

static enum wal_status append_with(struct queue *queue, uint64_t number, size_t size,
                                   const struct wal_checkpoint *checkpoints, size_t count)
{
    struct waiting waiting;

    waiting_init(&waiting, queue, number, size);
    waiting.append.checkpoints = checkpoints;
    waiting.append.checkpoint_count = count;
    enum wal_status status = wal_admit(queue->wal, &waiting.append);
    if (status == WAL_OK) {
        wal_append(queue->wal, &waiting.append);
        status = waiting_wait(&waiting);
    }
    waiting_release(&waiting);
    return status;
}

static void put(struct queue *queue, const char *name, const char *value)
{
    const struct wal_checkpoint checkpoint = {hf_slice_text(name), hf_slice_text(value)};

    assert_int_equal(append_with(queue, 1, 30000, &checkpoint, 1), WAL_OK);
}

static void assert_value(struct queue *queue, const char *name, const char *expected)
{
    uint8_t value[1024];
    size_t size = 0;
    enum wal_status status = wal_checkpoint_get(queue->wal, hf_slice_text(name), value, &size);

    if (expected == NULL) {
        assert_int_equal(status, WAL_MISSING);
    } else {
        assert_int_equal(status, WAL_OK);
        assert_true(hf_slice_is(hf_slice_of(value, size), expected));
    }
}

static void keeps_the_latest_value_of_each_name(void **state)
{
    struct queue *queue = *state;

    queue_open(queue);
    put(queue, "file/a", "1");
    put(queue, "file/b", "20");
    put(queue, "file/a", "300");
    for (int pass = 0; pass < 2; pass++) {
        assert_value(queue, "file/a", "300");
        assert_value(queue, "file/b", "20");
        assert_value(queue, "file/c", NULL);
        queue_reopen(queue);
    }
    put(queue, "file/b", ""); /* forget */
    put(queue, "file/c", "4");
    for (int pass = 0; pass < 2; pass++) {
        assert_value(queue, "file/a", "300");
        assert_value(queue, "file/b", NULL);
        assert_value(queue, "file/c", "4");
        queue_reopen(queue);
    }
}

static void outlive_the_segments_they_came_in(void **state)
{
    struct queue *queue = *state;
    char name[32], value[32];

    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    for (int i = 0; i < 200; i++) {
        (void)snprintf(name, sizeof(name), "name-%d", i % 40);
        (void)snprintf(value, sizeof(value), "value-%d", i);
        put(queue, name, value);
        queue_drain(consumer, true);
    }
    wal_consumer_close(consumer);
    for (int pass = 0; pass < 3; pass++) {
        for (int i = 0; i < 40; i++) {
            (void)snprintf(name, sizeof(name), "name-%d", i);
            (void)snprintf(value, sizeof(value), "value-%d", 160 + i);
            assert_value(queue, name, value);
        }
        queue_reopen(queue);
        if (pass == 1) {
            put(queue, "other", "x"); /* a new segment with all of them */
        }
    }
}

static void refuses_what_is_too_large(void **state)
{
    struct queue *queue = *state;
    uint8_t bytes[1025] = {1};
    const struct wal_checkpoint cases[] = {
        {hf_slice_of(bytes, 256), hf_slice_text("v")},
        {hf_slice_text("n"), hf_slice_of(bytes, 1025)},
    };

    queue_open(queue);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(append_with(queue, 1, 10, &cases[i], 1), WAL_TOO_LARGE);
    }
    const struct wal_checkpoint largest = {hf_slice_of(bytes, 255), hf_slice_of(bytes, 1024)};
    assert_int_equal(append_with(queue, 1, 10, &largest, 1), WAL_OK);
}

static void takes_several_of_one_append_in_order(void **state)
{
    struct queue *queue = *state;
    const struct wal_checkpoint checkpoints[] = {
        {hf_slice_text("a"), hf_slice_text("1")},
        {hf_slice_text("b"), hf_slice_text("2")},
        {hf_slice_text("a"), hf_slice_text("3")},
        {hf_slice_text("c"), HF_EMPTY_SLICE}, /* never was there */
    };

    queue_open(queue);
    assert_int_equal(append_with(queue, 1, 10, checkpoints, 4), WAL_OK);
    for (int pass = 0; pass < 2; pass++) {
        assert_value(queue, "a", "3");
        assert_value(queue, "b", "2");
        assert_value(queue, "c", NULL);
        queue_reopen(queue);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keeps_the_latest_value_of_each_name),
        TEST(outlive_the_segments_they_came_in),
        TEST(refuses_what_is_too_large),
        TEST(takes_several_of_one_append_in_order),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, NULL, NULL);
}
