/* The origin of records: with the sequence a name that is never given twice. */
#include "queue.h"

#define RECORDS 60 /* more than one segment */

/* The same record without the index of its segment. */
static void expect_alone_too(struct queue *queue, const struct wal_record *record)
{
    struct wal_record alone;

    assert_int_equal(wal_get_alone(queue->wal, record->sequence, &alone), WAL_OK);
    assert_int_equal(alone.sequence, record->sequence);
    assert_int_equal(alone.body.size, record->body.size);
    assert_memory_equal(alone.body.data, record->body.data, record->body.size);
    hf_ref_drop(alone.owner);
    assert_int_equal(wal_get_alone(queue->wal, UINT64_MAX / 2, &alone), WAL_MISSING);
}

/* The origin of each record that is stored, by its sequence. */
static size_t read_origins(struct queue *queue, uint8_t (*origins)[WAL_ORIGIN_BYTES])
{
    struct wal_record record;
    size_t count = 0;

    while (wal_get(queue->wal, count, &record) == WAL_OK) {
        assert_true(count < 4 * RECORDS);
        memcpy(origins[count++], record.origin, WAL_ORIGIN_BYTES);
        expect_alone_too(queue, &record);
        hf_ref_drop(record.owner);
    }
    return count;
}

static bool is_same(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, WAL_ORIGIN_BYTES) == 0;
}

static void is_that_of_the_opening_for_ever(void **state)
{
    struct queue *queue = *state;
    static const uint8_t zero[WAL_ORIGIN_BYTES];
    uint8_t origins[4 * RECORDS][WAL_ORIGIN_BYTES], again[4 * RECORDS][WAL_ORIGIN_BYTES];

    for (size_t opening = 0; opening < 3; opening++) {
        queue_open(queue);
        queue_append_many(queue, opening * RECORDS + 1, RECORDS, 30000);
        size_t count = read_origins(queue, again);
        assert_int_equal(count, (opening + 1) * RECORDS);
        assert_memory_equal(origins, again, opening * RECORDS * WAL_ORIGIN_BYTES);
        memcpy(origins, again, count * WAL_ORIGIN_BYTES);
        queue_close(queue);
    }
    for (size_t i = 0; i < 3 * RECORDS; i++) {
        assert_false(is_same(origins[i], zero));
        assert_int_equal(is_same(origins[i], origins[0]), i < RECORDS);
        assert_int_equal(is_same(origins[i], origins[2 * RECORDS]), i >= 2 * RECORDS);
    }
}

static void is_the_same_from_memory_and_from_the_file(void **state)
{
    struct queue *queue = *state;
    struct wal_record from_memory, from_file;
    size_t count = 0;

    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    assert_int_equal(queue_append(queue, 1, 100), WAL_OK);
    assert_int_equal(wal_consumer_read(consumer, 1, 1 << 20, &from_memory, &count), WAL_OK);
    assert_int_equal(count, 1);
    assert_int_equal(wal_get(queue->wal, from_memory.sequence, &from_file), WAL_OK);
    assert_true(is_same(from_memory.origin, from_file.origin));
    hf_ref_drop(from_memory.owner);
    hf_ref_drop(from_file.owner);
    wal_consumer_close(consumer);
}

/* A copy of the directory, as a backup is: what it had keeps its names, what it gets has others
 * than what the first queue gets under the same numbers. */
static void differs_after_a_copy_goes_on(void **state)
{
    struct queue *queue = *state;
    char command[256];
    struct queue copy = *queue;
    struct wal_record one, other;

    queue_open(queue);
    assert_int_equal(queue_append(queue, 1, 100), WAL_OK);
    (void)snprintf(copy.directory, sizeof(copy.directory), "%.40s-copy", queue->directory);
    (void)snprintf(command, sizeof(command), "cp -r %s %s", queue->directory, copy.directory);
    assert_int_equal(system(command), 0);
    copy.options.directory = copy.directory;
    copy.options.user = queue;
    assert_int_equal(queue_append(queue, 2, 100), WAL_OK);
    assert_int_equal(wal_open(&copy.options, &copy.wal), WAL_OK);
    struct waiting waiting;
    waiting_init(&waiting, queue, 3, 100);
    assert_int_equal(wal_admit(copy.wal, &waiting.append), WAL_OK);
    wal_append(copy.wal, &waiting.append);
    assert_int_equal(waiting_wait(&waiting), WAL_OK);
    waiting_release(&waiting);
    for (uint64_t sequence = 0; sequence < 2; sequence++) {
        assert_int_equal(wal_get(queue->wal, sequence, &one), WAL_OK);
        assert_int_equal(wal_get(copy.wal, sequence, &other), WAL_OK);
        assert_int_equal(is_same(one.origin, other.origin), sequence == 0);
        hf_ref_drop(one.owner);
        hf_ref_drop(other.owner);
    }
    wal_close(copy.wal);
    queue_remove(copy.directory);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(is_that_of_the_opening_for_ever),
        TEST(is_the_same_from_memory_and_from_the_file),
        TEST(differs_after_a_copy_goes_on),
    };
    return cmocka_run_group_tests_name("origin", tests, NULL, NULL);
}
