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
    const struct wal_checkpoint checkpoint = {.name = hf_slice_text(name),
                                              .value = hf_slice_text(value)};

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
        {.name = hf_slice_of(bytes, 256), .value = hf_slice_text("v")},
        {.name = hf_slice_text("n"), .value = hf_slice_of(bytes, 1025)},
    };

    queue_open(queue);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(append_with(queue, 1, 10, &cases[i], 1), WAL_TOO_LARGE);
    }
    const struct wal_checkpoint largest = {.name = hf_slice_of(bytes, 255),
                                           .value = hf_slice_of(bytes, 1024)};
    assert_int_equal(append_with(queue, 1, 10, &largest, 1), WAL_OK);
}

/* Adds a letter to what is there. */
static size_t add_letter(void *user, struct hf_slice value, uint8_t *ret_value)
{
    if (value.size != 0) {
        memcpy(ret_value, value.data, value.size);
    }
    ret_value[value.size] = *(const uint8_t *)user;
    return value.size + 1;
}

static void makes_a_value_of_the_one_before(void **state)
{
    struct queue *queue = *state;
    static char letters[] = "abcdefgh";
    struct waiting waiting[8];
    struct wal_checkpoint checkpoints[8];

    queue_open(queue);
    /* Many at once, so that groups have several of them. */
    for (size_t i = 0; i < 8; i++) {
        checkpoints[i] = (struct wal_checkpoint){
            .name = hf_slice_text("word"), .update = add_letter, .user = &letters[i]};
        waiting_init(&waiting[i], queue, i, 100);
        waiting[i].append.checkpoints = &checkpoints[i];
        waiting[i].append.checkpoint_count = 1;
        assert_int_equal(wal_admit(queue->wal, &waiting[i].append), WAL_OK);
    }
    for (size_t i = 0; i < 8; i++) {
        wal_append(queue->wal, &waiting[i].append);
    }
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(waiting_wait(&waiting[i]), WAL_OK);
        waiting_release(&waiting[i]);
    }
    assert_value(queue, "word", "abcdefgh");
    queue_reopen(queue);
    assert_value(queue, "word", "abcdefgh");
}

struct visited {
    size_t count, size;
};

static void visit(void *user, struct hf_slice name, struct hf_slice value)
{
    struct visited *visited = user;
    visited->count++;
    visited->size += name.size + value.size;
}

static void visits_those_of_a_prefix(void **state)
{
    struct queue *queue = *state;
    struct visited visited = {0};

    queue_open(queue);
    put(queue, "x/one", "1");
    put(queue, "x/two", "22");
    put(queue, "y/two", "4444");
    put(queue, "x", "7");
    put(queue, "x/one", "");
    wal_checkpoint_each(queue->wal, hf_slice_text("x/"), visit, &visited);
    assert_int_equal(visited.count, 1);
    assert_int_equal(visited.size, 7);
}

static void takes_several_of_one_append_in_order(void **state)
{
    struct queue *queue = *state;
    const struct wal_checkpoint checkpoints[] = {
        {.name = hf_slice_text("a"), .value = hf_slice_text("1")},
        {.name = hf_slice_text("b"), .value = hf_slice_text("2")},
        {.name = hf_slice_text("a"), .value = hf_slice_text("3")},
        {.name = hf_slice_text("c"), .value = HF_EMPTY_SLICE}, /* never was there */
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
        TEST(keeps_the_latest_value_of_each_name), TEST(outlive_the_segments_they_came_in),
        TEST(refuses_what_is_too_large),           TEST(takes_several_of_one_append_in_order),
        TEST(makes_a_value_of_the_one_before),     TEST(visits_those_of_a_prefix),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, NULL, NULL);
}
