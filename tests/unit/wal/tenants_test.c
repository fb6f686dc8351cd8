/* Shares of a queue: a tenant that has its part of the disk is refused while others are not, and
 * what it has is known again after a new start. */
#include "queue.h"

#define SHARE 250u /* a quarter */

static enum wal_status append_of(struct queue *queue, uint64_t tenant, size_t size)
{
    struct waiting waiting;
    waiting_init(&waiting, queue, 1, size);
    waiting.append.tenant = tenant;
    waiting.append.tenant_share = SHARE;
    enum wal_status status = wal_admit(queue->wal, &waiting.append);
    if (status == WAL_OK) {
        wal_append(queue->wal, &waiting.append);
        status = waiting_wait(&waiting);
    }
    waiting_release(&waiting);
    return status;
}

/* What is counted for it. */
static uint64_t bytes_of(struct queue *queue, uint64_t tenant)
{
    pthread_mutex_lock(&queue->wal->lock);
    uint64_t bytes = wal_tenants_bytes(&queue->wal->tenants, tenant);
    pthread_mutex_unlock(&queue->wal->lock);
    return bytes;
}

/* Waits until the tables of all segments were read. */
static void wait_until_read(struct queue *queue)
{
    for (bool is_unread = true; is_unread;) {
        is_unread = false;
        pthread_mutex_lock(&queue->wal->lock);
        for (size_t i = 0; i < queue->wal->segment_count; i++) {
            is_unread = is_unread || queue->wal->segments[i]->is_tenants_unread;
        }
        pthread_mutex_unlock(&queue->wal->lock);
        (void)usleep(1000);
    }
}

static size_t fill(struct queue *queue, uint64_t tenant)
{
    size_t count = 0;
    enum wal_status status = WAL_OK;
    while (status == WAL_OK && count < 1000) {
        status = append_of(queue, tenant, 100000);
        count += status == WAL_OK;
    }
    assert_int_equal(status, WAL_SHARE);
    return count;
}

static void refuses_one_while_others_pass(void **state)
{
    struct queue *queue = *state;

    queue->options.max_bytes = 16 * MIB;
    queue_open(queue);
    size_t count = fill(queue, 7);
    assert_true(count >= 35 && count <= 42); /* 4 MiB */
    assert_true(bytes_of(queue, 7) <= 4 * MIB);
    assert_int_equal(append_of(queue, 8, 100000), WAL_OK);
    assert_int_equal(append_of(queue, 0, 100000), WAL_OK);
    assert_int_equal(append_of(queue, 7, 100000), WAL_SHARE);
    struct wal_stat stat;
    wal_stat(queue->wal, &stat);
    assert_int_equal(stat.refused_share, 2);
    assert_int_equal(stat.refused_full, 0);
    assert_true(stat.healthy);
}

static void knows_it_again_after_a_new_start(void **state)
{
    struct queue *queue = *state;

    queue->options.max_bytes = 16 * MIB;
    queue_open(queue);
    size_t count = fill(queue, 7);
    assert_int_equal(append_of(queue, 8, 500000), WAL_OK);
    uint64_t seven = bytes_of(queue, 7), eight = bytes_of(queue, 8);
    for (int pass = 0; pass < 2; pass++) {
        queue_reopen(queue);
        wait_until_read(queue);
        assert_int_equal(bytes_of(queue, 7), seven);
        assert_int_equal(bytes_of(queue, 8), eight);
        assert_int_equal(append_of(queue, 7, 100000), WAL_SHARE);
    }
    struct wal_consumer *consumer =
        queue_consumer_with(queue, (struct wal_consumer_options){.name = "a", .from_oldest = true});
    assert_int_equal(append_of(queue, 9, 10), WAL_OK);
    struct wal_record records[32];
    size_t read = 0, total = 0;
    do {
        assert_int_equal(wal_consumer_read(consumer, 32, 1 << 20, records, &read), WAL_OK);
        for (size_t i = 0; i < read; i++) {
            struct wal_ack ack = ack_of(&records[i]);
            wal_consumer_ack(consumer, &ack, 1);
            hf_ref_drop(records[i].owner);
        }
        total += read;
    } while (read != 0);
    assert_int_equal(total, count + 2);
    assert_int_equal(append_of(queue, 7, 100000), WAL_OK); /* the disk is back */
    wal_consumer_close(consumer);
}

static void counts_nothing_that_was_not_committed(void **state)
{
    struct queue *queue = *state;
    struct waiting waiting;

    queue->options.max_bytes = 16 * MIB;
    queue_open(queue);
    waiting_init(&waiting, queue, 1, 100000);
    waiting.append.tenant = 7;
    waiting.append.tenant_share = SHARE;
    assert_int_equal(wal_admit(queue->wal, &waiting.append), WAL_OK);
    assert_true(bytes_of(queue, 7) >= 100000);
    wal_admit_cancel(queue->wal, &waiting.append);
    assert_int_equal(bytes_of(queue, 7), 0);
    waiting_release(&waiting);
}

/* A segment names so many; what the others have in it counts together, so no one goes uncounted. */
static void counts_the_rest_of_many_tenants_together(void **state)
{
    struct queue *queue = *state;

    queue->options.max_bytes = 512 * MIB;
    queue->options.segment_bytes = 64 * MIB;
    queue_open(queue);
    for (uint64_t tenant = 1; tenant <= 2 * WAL_TENANTS_MAX; tenant++) {
        assert_int_equal(append_of(queue, tenant, 1000), WAL_OK);
    }
    assert_true(bytes_of(queue, 1) >= 1000);
    assert_true(bytes_of(queue, WAL_TENANTS_MAX) >= 1000);
    assert_int_equal(bytes_of(queue, WAL_TENANTS_MAX + 1), 0);
    assert_true(bytes_of(queue, WAL_TENANT_REST) >= 1000 * WAL_TENANTS_MAX);
    uint64_t rest = bytes_of(queue, WAL_TENANT_REST);
    queue_reopen(queue);
    wait_until_read(queue);
    assert_int_equal(bytes_of(queue, WAL_TENANT_REST), rest);
}

static void refuses_rows_that_are_damaged(void **state)
{
    struct wal_tenant_table table = {.count = 0}, again;
    uint8_t row[WAL_TENANT_ROW_MAX];
    (void)state;
    for (uint64_t i = 1; i < 300; i++) {
        wal_tenant_table_add(&table, i, i);
    }
    assert_int_equal(table.count, WAL_TENANTS_MAX + 1);
    size_t size = wal_tenant_row_write(&table, row);
    assert_true(size <= 2000); /* within a leaf page */
    assert_true(wal_tenant_row_read(hf_slice_of(row, size), &again));
    assert_memory_equal(&table, &again, sizeof(table));
    for (size_t i = 0; i < size; i += 7) {
        row[i] ^= 1;
        assert_false(wal_tenant_row_read(hf_slice_of(row, size), &again));
        row[i] ^= 1;
        assert_false(wal_tenant_row_read(hf_slice_of(row, i), &again));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refuses_one_while_others_pass),
        TEST(knows_it_again_after_a_new_start),
        TEST(counts_nothing_that_was_not_committed),
        TEST(counts_the_rest_of_many_tenants_together),
        cmocka_unit_test(refuses_rows_that_are_damaged),
    };
    return cmocka_run_group_tests_name("tenants", tests, NULL, NULL);
}
