/*
 * A queue of each format that was ever released, committed beside this file as format-N, is read as
 * it was written. `format_test DIRECTORY` writes such a queue: for a new format, before its first
 * release. The files of a released one are never touched again.
 */
#include "queue.h"

#include <errno.h>

static const size_t sizes[] = {0, 1, 100, 1999, 2000, 2001, 4096, 30000, 700, 701, 702, 703};
#define RECORDS (sizeof(sizes) / sizeof(sizes[0]))

/* ---- writing ---- */

static void append_with_checkpoint(struct queue *queue, uint64_t number, size_t size)
{
    const struct wal_checkpoint checkpoint = {.name = hf_slice_text("input"),
                                              .value = hf_slice_text("offset 4711")};
    struct waiting waiting;

    waiting_init(&waiting, queue, number, size);
    waiting.append.checkpoints = &checkpoint;
    waiting.append.checkpoint_count = 1;
    assert_int_equal(wal_admit(queue->wal, &waiting.append), WAL_OK);
    wal_append(queue->wal, &waiting.append);
    assert_int_equal(waiting_wait(&waiting), WAL_OK);
    waiting_release(&waiting);
}

/* Of twelve: 0 and 2 delivered (2 with a rejected item), 4 a dead letter, 5 given up. */
static void acknowledge_some(struct wal_consumer *consumer)
{
    struct wal_record records[RECORDS];
    size_t count = 0;

    assert_int_equal(wal_consumer_read(consumer, RECORDS, MIB, records, &count), WAL_OK);
    assert_int_equal(count, RECORDS);
    for (size_t i = 0; i < count; i++) {
        struct wal_ack ack = ack_of(&records[i]);
        ack.rejected_items = i == 2 ? 1 : 0;
        ack.outcome = i == 4 ? WAL_DEAD_LETTERED : i == 5 ? WAL_DROPPED : WAL_DELIVERED;
        ack.drop = WAL_DROP_GAVE_UP;
        if (i == 0 || i == 2 || i == 4 || i == 5) {
            wal_consumer_ack(consumer, &ack, 1);
        }
        hf_ref_drop(records[i].owner);
    }
}

static void write_queue(const char *directory)
{
    struct queue *queue = queue_new();

    queue->options.directory = directory;
    queue_open(queue);
    struct wal_consumer *some = queue_consumer(queue, "some"),
                        *none = queue_consumer(queue, "none");
    for (size_t i = 0; i < RECORDS; i++) {
        append_with_checkpoint(queue, i + 1, sizes[i]);
    }
    acknowledge_some(some);
    wal_consumer_close(some);
    wal_consumer_close(none);
    queue_free(queue);
}

/* ---- reading ---- */

static void copy_file(const char *from, const char *to)
{
    char block[65536];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");

    assert_non_null(in);
    assert_non_null(out);
    for (size_t got = fread(block, 1, sizeof(block), in); got > 0;
         got = fread(block, 1, sizeof(block), in)) {
        assert_int_equal(fwrite(block, 1, got, out), got);
    }
    (void)fclose(in);
    assert_int_equal(fclose(out), 0);
}

/* False when there is no such format. */
static bool copy_format(const struct queue *queue, int format)
{
    char folder[400], from[700], to[400];

    (void)snprintf(folder, sizeof(folder), "%.*s/format-%d",
                   (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__, format);
    DIR *directory = opendir(folder);
    if (directory == NULL) {
        assert_int_equal(errno, ENOENT);
        return false;
    }
    for (struct dirent *e = readdir(directory); e != NULL; e = readdir(directory)) {
        if (e->d_name[0] != '.') {
            (void)snprintf(from, sizeof(from), "%s/%s", folder, e->d_name);
            (void)snprintf(to, sizeof(to), "%s/%s", queue->directory, e->d_name);
            copy_file(from, to);
        }
    }
    (void)closedir(directory);
    return true;
}

static bool check_record(void *user, const struct wal_record *record, bool damaged)
{
    size_t *count = user;

    assert_false(damaged);
    assert_true(*count < RECORDS);
    uint64_t number = *count + 1;
    assert_int_equal(record->sequence, *count);
    assert_int_equal(record->kind, number);
    assert_int_equal(record->coding, 3);
    assert_int_equal(record->flags, 0x1234);
    assert_int_equal(record->items, number % 7);
    assert_int_equal(record->time_ns, number * 1000 + 1);
    assert_int_equal(record->body.size, sizes[*count]);
    assert_true(is_body(record->body, number));
    assert_true(hf_slice_is(record->meta, "meta"));
    ++*count;
    return true;
}

static void check_queue(struct queue *queue)
{
    uint8_t value[1024];
    size_t count = 0, size = 0;

    assert_int_equal(wal_scan(queue->wal, 0, check_record, &count), WAL_OK);
    assert_int_equal(count, RECORDS);
    assert_int_equal(wal_checkpoint_get(queue->wal, hf_slice_text("input"), value, &size), WAL_OK);
    assert_true(hf_slice_is(hf_slice_of(value, size), "offset 4711"));
    struct wal_accounting some = queue_accounting(queue, "some").accounting;
    assert_int_equal(some.accepted.records, RECORDS);
    assert_int_equal(some.delivered.records, 2);
    assert_int_equal(some.dropped[WAL_DROP_REJECTED].items, 1);
    assert_int_equal(some.dead_lettered.records, 1);
    assert_int_equal(some.dropped[WAL_DROP_GAVE_UP].records, 1);
    assert_int_equal(some.queued.records, RECORDS - 4);
    assert_int_equal(queue_accounting(queue, "none").accounting.queued.records, RECORDS);
}

static void is_read_as_it_was_written(void **state)
{
    (void)state;
    /* This format, and the one before: "readable one version back". */
    int oldest = WAL_FORMAT_VERSION > 1 ? WAL_FORMAT_VERSION - 1 : WAL_FORMAT_VERSION;

    for (int format = oldest; format <= WAL_FORMAT_VERSION; format++) {
        struct queue *queue = queue_new();
        assert_true(copy_format(queue, format));
        queue_open(queue);
        check_queue(queue);
        struct wal_consumer *some = queue_consumer(queue, "some");
        struct wal_consumer *none = queue_consumer(queue, "none");
        assert_int_equal(queue_append(queue, RECORDS + 1, 5000), WAL_OK); /* it goes on */
        assert_int_equal(queue_drain(some, true), RECORDS - 4 + 1);
        assert_int_equal(queue_drain(none, true), RECORDS + 1);
        wal_consumer_close(some);
        wal_consumer_close(none);
        assert_int_equal(queue->events[WAL_EVENT_DAMAGE], 0);
        assert_int_equal(queue->events[WAL_EVENT_CURSORS_LOST], 0);
        queue_free(queue);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2) {
        write_queue(argv[1]);
        return 0;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_read_as_it_was_written)};
    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
