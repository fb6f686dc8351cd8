/*
 * The queue for want of memory: it says so, loses nothing that it acknowledged, and goes on as soon
 * as there is memory again.
 */
#include <fcntl.h>
#include <sched.h>

#include "tests/unit/wal/queue.h"
#include "wal/lock.h"

#include "failing.h"

#define RECORDS 40u

/* What was promised, outside of the queue. */
struct truth {
    bool is_appended[RECORDS + 1]; /* the queue said so */
    bool is_acked[RECORDS + 1];    /* by the consumer */
    unsigned count, seen;
};

static size_t size_of(uint64_t number)
{
    return number % 3 == 0 ? 60000 : 40 + number * 10;
}

static uint64_t number_of(const struct wal_record *record)
{
    return (record->time_ns - 1) / 1000;
}

static bool is_want(enum wal_status status)
{
    return status == WAL_NOMEM || status == WAL_IO || status == WAL_NO_SPACE;
}

static bool append(struct queue *queue, struct truth *truth, uint64_t first, uint64_t last)
{
    bool is_whole = true;
    for (uint64_t number = first; number <= last; number++) {
        enum wal_status status = queue_append(queue, number, size_of(number));
        assert_true(status == WAL_OK || is_want(status));
        truth->is_appended[number] = status == WAL_OK;
        is_whole = is_whole && status == WAL_OK;
    }
    return is_whole;
}

static struct wal_consumer *consumer_of(struct queue *queue)
{
    const struct wal_consumer_options options = {
        .name = "a", .from_oldest = true, .wake = queue_wake, .user = queue};
    struct wal_consumer *consumer = NULL;
    enum wal_status status = wal_consumer_open(queue->wal, &options, &consumer);
    assert_true(status == WAL_OK ? consumer != NULL : is_want(status));
    return consumer;
}

/* Reads what it can; acknowledges every other one when told to. */
static bool read_all(struct wal_consumer *consumer, struct truth *truth, bool acknowledges)
{
    struct wal_record records[8];
    size_t count = 0;
    do {
        enum wal_status status = wal_consumer_read(consumer, 8, 1 << 20, records, &count);
        if (status != WAL_OK) {
            assert_true(is_want(status));
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            uint64_t number = number_of(&records[i]);
            assert_true(number <= RECORDS && is_body(records[i].body, number));
            truth->seen++;
            if (acknowledges && number % 2 == 0) {
                struct wal_ack ack = ack_of(&records[i]);
                wal_consumer_ack(consumer, &ack, 1);
                truth->is_acked[number] = true;
            }
            hf_ref_drop(records[i].owner);
        }
    } while (count > 0);
    return true;
}

struct found {
    bool is_there[RECORDS + 2];
    unsigned count;
};

/* What a consumer finds who comes when there is memory. */
static void find(struct queue *queue, struct found *found)
{
    struct wal_consumer *consumer = consumer_of(queue);
    struct wal_record records[8];
    size_t count = 0;
    *found = (struct found){0};
    assert_non_null(consumer);
    do {
        assert_int_equal(wal_consumer_read(consumer, 8, 1 << 20, records, &count), WAL_OK);
        for (size_t i = 0; i < count; i++) {
            uint64_t number = number_of(&records[i]);
            assert_true(number <= RECORDS + 1 && is_body(records[i].body, number));
            found->count += !found->is_there[number];
            found->is_there[number] = true;
            hf_ref_drop(records[i].owner);
        }
    } while (count > 0);
    wal_consumer_close(consumer);
}

/* Everything that was promised is there after a new start, and the accounts balance. */
static void check(struct queue *queue, const struct truth *truth)
{
    struct found found;
    queue_reopen(queue);
    find(queue, &found);
    for (unsigned i = 1; i <= RECORDS; i++) {
        assert_true(found.is_there[i] || truth->is_acked[i] || !truth->is_appended[i]);
    }
    (void)queue_accounting(queue, "a");
}

/* With memory, the queue takes records again: at once, or when the janitor has tried again. */
static void check_service(struct queue *queue)
{
    while (queue_append(queue, RECORDS + 1, 100) != WAL_OK) {
        sched_yield();
    }
}

/* From nothing: opened, written, read, acknowledged, closed. */
static bool life(void)
{
    struct queue *queue = queue_new();
    struct truth truth = {0};
    bool is_whole = false;
    queue->options.damaged_directory = "/tmp/holdfast-alloc-never-made";
    alloc_begin();
    enum wal_status status = wal_open(&queue->options, &queue->wal);
    struct wal_consumer *consumer = status == WAL_OK ? consumer_of(queue) : NULL;
    if (consumer != NULL) {
        is_whole = append(queue, &truth, 1, 10);
        is_whole = read_all(consumer, &truth, true) && is_whole;
        is_whole = append(queue, &truth, 11, 20) && is_whole;
        is_whole = read_all(consumer, &truth, true) && is_whole;
        wal_consumer_close(consumer);
    }
    alloc_end();
    assert_true(status == WAL_OK || is_want(status));
    if (status == WAL_OK) {
        check_service(queue);
        if (consumer != NULL) {
            check(queue, &truth);
        }
    }
    queue_free(queue);
    return is_whole;
}

/* A queue with a history: two segments, half of it acknowledged. */
static struct queue *history(struct truth *truth)
{
    struct queue *queue = queue_new();
    *truth = (struct truth){0};
    queue_open(queue);
    struct wal_consumer *consumer = consumer_of(queue);
    assert_true(append(queue, truth, 1, RECORDS / 2));
    assert_true(read_all(consumer, truth, true));
    assert_true(append(queue, truth, RECORDS / 2 + 1, RECORDS));
    wal_consumer_close(consumer);
    queue_close(queue);
    return queue;
}

static bool open_and_read(struct queue *queue, struct truth *truth)
{
    bool is_whole = false;
    alloc_begin();
    enum wal_status status = wal_open(&queue->options, &queue->wal);
    struct wal_consumer *consumer = status == WAL_OK ? consumer_of(queue) : NULL;
    if (consumer != NULL) {
        is_whole = read_all(consumer, truth, false);
        wal_consumer_close(consumer);
    }
    wal_close(queue->wal);
    alloc_end();
    queue->wal = NULL;
    assert_true(status == WAL_OK || is_want(status));
    return is_whole;
}

static bool restart(void)
{
    struct truth truth;
    struct queue *queue = history(&truth);
    bool is_whole = open_and_read(queue, &truth);
    check(queue, &truth);
    check_service(queue);
    queue_free(queue);
    return is_whole;
}

/* Overwrites two pages of a file. */
static void spoil(const struct queue *queue, const char *name, off_t at)
{
    char path[128];
    uint8_t noise[8192];
    memset(noise, 0x5a, sizeof(noise));
    snprintf(path, sizeof(path), "%s/%s", queue->directory, name);
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, noise, sizeof(noise), at), sizeof(noise));
    close(fd);
}

/* What a damaged queue gives back is not less because memory was short while it was looked at. */
static bool damage(const char *name, off_t at, unsigned *best)
{
    struct truth truth;
    struct found found;
    struct queue *queue = history(&truth);
    spoil(queue, name, at);
    bool is_whole = open_and_read(queue, &truth);
    queue_open(queue);
    find(queue, &found);
    *best = *best == 0 ? found.count : *best; /* the first run, in which nothing fails */
    assert_true(found.count >= *best);
    (void)queue_accounting(queue, "a");
    queue_free(queue);
    return is_whole;
}

static bool damaged_segment(void)
{
    static unsigned best;
    return damage("00000000000000000000.seg", 100 * 4096, &best);
}

static bool damaged_head(void)
{
    static unsigned best;
    return damage("00000000000000000000.seg", 0, &best);
}

static bool damaged_cursors(void)
{
    static unsigned best;
    return damage("cursors.lmdb", 0, &best);
}

/* ---- looking at it ---- */

static bool visit_record(void *user, const struct wal_record *record, bool is_damaged)
{
    unsigned *seen = user;
    (void)record;
    assert_false(is_damaged);
    ++*seen;
    return true;
}

static void visit_consumer(void *user, const struct wal_consumer_stat *stat)
{
    unsigned *seen = user;
    (void)stat;
    ++*seen;
}

static bool looked_at(void)
{
    struct truth truth;
    struct queue *queue = history(&truth);
    unsigned records = 0, consumers = 0;
    queue->options.read_only = true;
    alloc_begin();
    enum wal_status opened = wal_open(&queue->options, &queue->wal), scanned = WAL_NOMEM,
                    listed = WAL_NOMEM;
    if (opened == WAL_OK) {
        scanned = wal_scan(queue->wal, 0, visit_record, &records);
        listed = wal_consumer_each(queue->wal, visit_consumer, &consumers);
    }
    alloc_end();
    assert_true(scanned == WAL_OK ? records == RECORDS : is_want(scanned));
    assert_true(listed == WAL_OK ? consumers == 1 : is_want(listed));
    queue_free(queue);
    return scanned == WAL_OK && listed == WAL_OK;
}

static bool names_and_notes(void)
{
    struct truth truth;
    struct queue *queue = history(&truth);
    uint8_t value[1024];
    size_t size = 0;
    const struct wal_checkpoint note = {.name = hf_slice_text("file"),
                                        .value = hf_slice_text("17")};
    struct waiting waiting;
    queue_open(queue);
    waiting_init(&waiting, queue, 1, 50);
    waiting.append.checkpoints = &note;
    waiting.append.checkpoint_count = 1;
    alloc_begin();
    enum wal_status status = wal_admit(queue->wal, &waiting.append);
    if (status == WAL_OK) {
        wal_append(queue->wal, &waiting.append);
        status = waiting_wait(&waiting);
    }
    enum wal_status got = wal_checkpoint_get(queue->wal, hf_slice_text("file"), value, &size);
    enum wal_status removed = wal_consumer_remove(queue->wal, "a");
    alloc_end();
    waiting_release(&waiting);
    assert_true(status == WAL_OK ? got == WAL_OK || is_want(got) : is_want(status));
    assert_true(removed == WAL_OK || is_want(removed));
    queue_reopen(queue);
    got = wal_checkpoint_get(queue->wal, hf_slice_text("file"), value, &size);
    assert_int_equal(got, status == WAL_OK ? WAL_OK : WAL_MISSING);
    queue_free(queue);
    return status == WAL_OK && got == WAL_OK && removed == WAL_OK;
}

static bool locks(void)
{
    struct queue *queue = queue_new();
    struct wal_lock *lock = NULL;
    pid_t holder;
    alloc_begin();
    enum wal_status status = wal_lock_open(queue->directory, &lock);
    alloc_end();
    assert_true(status == WAL_OK ? wal_lock_try(lock, &holder) == WAL_OK : is_want(status));
    wal_lock_free(lock);
    queue_free(queue);
    return status == WAL_OK;
}

int main(int argc, char **argv)
{
    static const struct alloc_scenario scenarios[] = {
        {"life", life, false},
        {"restart", restart, false},
        {"damaged_segment", damaged_segment, false},
        {"damaged_head", damaged_head, false},
        {"damaged_cursors", damaged_cursors, false},
        {"looked_at", looked_at, false},
        {"names_and_notes", names_and_notes, false},
        {"locks", locks, false},
        {0},
    };
    return alloc_main(argc, argv, scenarios);
}
