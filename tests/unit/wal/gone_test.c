/* Files and directories removed under an open queue. */
#include "queue.h"

static void remove_segments(const struct queue *queue)
{
    char path[400];
    DIR *directory = opendir(queue->directory);

    assert_non_null(directory);
    for (struct dirent *e = readdir(directory); e != NULL; e = readdir(directory)) {
        if (strstr(e->d_name, ".seg") != NULL) {
            (void)snprintf(path, sizeof(path), "%s/%s", queue->directory, e->d_name);
            assert_int_equal(unlink(path), 0);
        }
    }
    (void)closedir(directory);
}

static void acknowledges_nothing_into_a_file_without_a_name(void **state)
{
    struct queue *queue = *state;

    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    assert_int_equal(queue_append(queue, 1, 3000), WAL_OK);
    remove_segments(queue);
    assert_int_equal(queue_append(queue, 2, 3000), WAL_IO);
    enum wal_status status = WAL_IO;
    for (int i = 0; i < 1000 && status != WAL_OK; i++) {
        status = queue_append(queue, 3, 3000);
        (void)usleep(5000);
    }
    assert_int_equal(status, WAL_OK); /* in a new file */
    wal_consumer_close(consumer);
    queue_reopen(queue);
    consumer = queue_consumer(queue, "a");
    assert_int_equal(queue_drain(consumer, true), 1);
    wal_consumer_close(consumer);
}

static void refuses_when_its_directory_is_gone(void **state)
{
    struct queue *queue = *state;
    struct wal_stat stat;

    queue_open(queue);
    assert_int_equal(queue_append(queue, 1, 3000), WAL_OK);
    queue_remove(queue->directory);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(queue_append(queue, 2, 3000), WAL_IO);
    }
    wal_stat(queue->wal, &stat);
    assert_false(stat.healthy);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(acknowledges_nothing_into_a_file_without_a_name),
        TEST(refuses_when_its_directory_is_gone),
    };
    return cmocka_run_group_tests_name("gone", tests, NULL, NULL);
}
