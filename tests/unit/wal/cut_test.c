/* A segment cut short: what is left of it is delivered, wherever LMDB had put it. */
#include "queue.h"

#define COUNT 3000u
#define SIZE 100u

/* How many of the numbers have their body in the bytes. */
static size_t count_bodies(const uint8_t *bytes, size_t size)
{
    uint8_t body[SIZE];
    size_t found = 0;

    for (uint64_t number = 1; number <= COUNT; number++) {
        fill_body(body, sizeof(body), number);
        found += memmem(bytes, size, body, sizeof(body)) != NULL;
    }
    return found;
}

static void delivers_old_copies_of_the_last_records(void **state)
{
    struct queue *queue = *state;
    static uint8_t bytes[MIB];
    char path[128];

    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    for (uint64_t number = 1; number <= COUNT; number++) {
        assert_int_equal(queue_append(queue, number, SIZE), WAL_OK);
    }
    wal_consumer_close(consumer);
    queue_close(queue);
    (void)snprintf(path, sizeof(path), "%s/00000000000000000000.seg", queue->directory);
    assert_int_equal(truncate(path, 28 * 4096), 0);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    queue_open(queue);
    consumer = queue_consumer(queue, "a");
    size_t drained = queue_drain(consumer, false);
    wal_consumer_close(consumer);
    /* Of a few stale copies the head is overwritten and the body still there. */
    size_t left = count_bodies(bytes, size);
    assert_in_range(drained, left - 4, left);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(delivers_old_copies_of_the_last_records),
    };
    return cmocka_run_group_tests_name("cut", tests, NULL, NULL);
}
