/*
 * queue: what the tests of the queue share: a directory of their own, appends that wait for their
 * completion, reads that wait for a wake, and the accounting' equation.
 */
#pragma once

#include <assert.h>
#include <dirent.h>
#include <ftw.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* needs those before it */

#include "wal/internal.h"

#define MIB (UINT64_C(1) << 20)

struct queue {
    char directory[64];
    struct wal_options options;
    struct wal *wal;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned wakes;
    unsigned events[8];
    uint64_t damaged_records, dropped_records;
};

static inline void queue_event(void *user, const struct wal_event *event)
{
    struct queue *queue = user;

    pthread_mutex_lock(&queue->lock);
    queue->events[event->kind]++;
    if (event->kind == WAL_EVENT_DAMAGE) {
        queue->damaged_records += event->records;
    }
    if (event->kind == WAL_EVENT_DROPPED) {
        queue->dropped_records += event->records;
    }
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

static inline int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static inline void queue_remove(const char *path)
{
    (void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void queue_open(struct queue *queue)
{
    assert_int_equal(wal_open(&queue->options, &queue->wal), WAL_OK);
}

static inline void queue_close(struct queue *queue)
{
    wal_close(queue->wal);
    queue->wal = NULL;
}

static inline void queue_reopen(struct queue *queue)
{
    queue_close(queue);
    queue_open(queue);
}

/* A queue of small segments, no sync (what is tested is not the disk), in a new directory; not
 * opened yet. */
static inline struct queue *queue_new(void)
{
    struct queue *queue = calloc(1, sizeof(*queue));

    assert_non_null(queue);
    (void)snprintf(queue->directory, sizeof(queue->directory), "/tmp/wal-test-XXXXXX");
    assert_non_null(mkdtemp(queue->directory));
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->changed, NULL);
    queue->options = (struct wal_options){.directory = queue->directory,
                                          .segment_bytes = MIB,
                                          .free_floor_bytes = 1,
                                          .no_fsync = true,
                                          .event = queue_event,
                                          .user = queue};
    return queue;
}

static inline void queue_free(struct queue *queue)
{
    wal_close(queue->wal);
    queue_remove(queue->directory);
    pthread_mutex_destroy(&queue->lock);
    pthread_cond_destroy(&queue->changed);
    free(queue);
}

/* ---- appending ---- */

/* Bytes that belong to the queue as long as it refers to them. */
struct bytes {
    struct hf_ref ref;
    uint8_t data[];
};

static inline void bytes_free(struct hf_ref *ref)
{
    free(HF_CONTAINER(ref, struct bytes, ref));
}

/* What stands in a body: made from the number, so that it can be checked without being kept. */
static inline void fill_body(uint8_t *data, size_t size, uint64_t number)
{
    uint64_t x = number * UINT64_C(0x9e3779b97f4a7c15) + 1;

    for (size_t i = 0; i < size; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        data[i] = (uint8_t)x;
    }
}

static inline bool is_body(struct hf_slice body, uint64_t number)
{
    uint8_t *expected = malloc(body.size + 1);
    assert_non_null(expected);
    fill_body(expected, body.size, number);
    bool same = body.size == 0 || memcmp(expected, body.data, body.size) == 0;
    free(expected);
    return same;
}

struct waiting {
    struct wal_append append;
    struct queue *queue;
    struct bytes *bytes;
    bool is_done;
    enum wal_status status;
};

static inline void waiting_done(struct wal_append *append, enum wal_status status)
{
    struct waiting *waiting = HF_CONTAINER(append, struct waiting, append);

    pthread_mutex_lock(&waiting->queue->lock);
    waiting->is_done = true;
    waiting->status = status;
    pthread_cond_broadcast(&waiting->queue->changed);
    pthread_mutex_unlock(&waiting->queue->lock);
}

/* The items of a record are its number modulo 7, its raw bytes the size of its body. */
static inline void waiting_init(struct waiting *waiting, struct queue *queue, uint64_t number,
                                size_t size)
{
    *waiting = (struct waiting){.queue = queue};
    waiting->bytes = malloc(sizeof(struct bytes) + size);
    assert_non_null(waiting->bytes);
    hf_ref_init(&waiting->bytes->ref, bytes_free);
    fill_body(waiting->bytes->data, size, number);
    waiting->append = (struct wal_append){
        .kind = (uint8_t)number,
        .coding = 3,
        .flags = 0x1234,
        .items = (uint32_t)(number % 7),
        .raw_bytes = size,
        .time_ns = number * 1000 + 1,
        .meta = hf_slice_text("meta"),
        .body = hf_slice_of(waiting->bytes->data, size),
        .owner = &waiting->bytes->ref,
        .done = waiting_done,
    };
}

static inline void waiting_release(struct waiting *waiting)
{
    hf_ref_drop(&waiting->bytes->ref);
}

static inline enum wal_status waiting_wait(struct waiting *waiting)
{
    pthread_mutex_lock(&waiting->queue->lock);
    while (!waiting->is_done) {
        pthread_cond_wait(&waiting->queue->changed, &waiting->queue->lock);
    }
    pthread_mutex_unlock(&waiting->queue->lock);
    return waiting->status;
}

/* Appends one and waits until it is durable. */
static inline enum wal_status queue_append(struct queue *queue, uint64_t number, size_t size)
{
    struct waiting waiting;

    waiting_init(&waiting, queue, number, size);
    enum wal_status status = wal_admit(queue->wal, &waiting.append);
    if (status == WAL_OK) {
        wal_append(queue->wal, &waiting.append);
        status = waiting_wait(&waiting);
    }
    waiting_release(&waiting);
    return status;
}

/* Appends numbers first to first + count - 1, all under way at once. */
static inline void queue_append_many(struct queue *queue, uint64_t first, size_t count, size_t size)
{
    struct waiting *waiting = calloc(count, sizeof(*waiting));

    assert_non_null(waiting);
    for (size_t i = 0; i < count; i++) {
        waiting_init(&waiting[i], queue, first + i, size);
        assert_int_equal(wal_admit(queue->wal, &waiting[i].append), WAL_OK);
        wal_append(queue->wal, &waiting[i].append);
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(waiting_wait(&waiting[i]), WAL_OK);
        waiting_release(&waiting[i]);
    }
    free(waiting);
}

/* ---- consuming ---- */

static inline void queue_wake(void *user)
{
    struct queue *queue = user;

    pthread_mutex_lock(&queue->lock);
    queue->wakes++;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

static inline struct wal_consumer *queue_consumer_with(struct queue *queue,
                                                       struct wal_consumer_options options)
{
    struct wal_consumer *consumer = NULL;

    options.wake = queue_wake;
    options.user = queue;
    assert_int_equal(wal_consumer_open(queue->wal, &options, &consumer), WAL_OK);
    return consumer;
}

static inline struct wal_consumer *queue_consumer(struct queue *queue, const char *name)
{
    return queue_consumer_with(queue, (struct wal_consumer_options){.name = name});
}

static inline struct wal_ack ack_of(const struct wal_record *record)
{
    return (struct wal_ack){.sequence = record->sequence,
                            .items = record->items,
                            .raw_bytes = record->raw_bytes,
                            .outcome = WAL_DELIVERED};
}

/* Reads all there is, checks that the numbers (kept in time_ns) ascend, acknowledges when told;
 * returns the count. */
static inline size_t queue_drain(struct wal_consumer *consumer, bool acknowledge)
{
    struct wal_record records[32];
    size_t total = 0, count = 0;
    uint64_t last_time = 0;

    do {
        assert_int_equal(wal_consumer_read(consumer, 32, 1 << 20, records, &count), WAL_OK);
        for (size_t i = 0; i < count; i++) {
            assert_true(records[i].time_ns > last_time);
            last_time = records[i].time_ns;
            assert_true(is_body(records[i].body, (records[i].time_ns - 1) / 1000));
            if (acknowledge) {
                struct wal_ack ack = ack_of(&records[i]);
                wal_consumer_ack(consumer, &ack, 1);
            }
            hf_ref_drop(records[i].owner);
        }
        total += count;
    } while (count > 0);
    return total;
}

/* ---- the accounting ---- */

struct look {
    const char *name;
    struct wal_consumer_stat stat;
    bool is_found;
};

static inline void look_visit(void *user, const struct wal_consumer_stat *stat)
{
    struct look *look = user;

    if (strcmp(stat->name, look->name) == 0) {
        look->stat = *stat;
        look->is_found = true;
    }
}

static inline bool queue_find(struct queue *queue, const char *name,
                              struct wal_consumer_stat *ret_stat)
{
    struct look look = {.name = name};

    assert_int_equal(wal_consumer_each(queue->wal, look_visit, &look), WAL_OK);
    *ret_stat = look.stat;
    return look.is_found;
}

/* accepted = delivered + queued + dead_lettered + sum of dropped, in items and bytes. */
static inline void assert_balanced(const struct wal_accounting *accounting)
{
    uint64_t items =
        accounting->delivered.items + accounting->queued.items + accounting->dead_lettered.items;
    uint64_t bytes =
        accounting->delivered.bytes + accounting->queued.bytes + accounting->dead_lettered.bytes;

    for (unsigned i = 0; i < WAL_DROP_COUNT; i++) {
        items += accounting->dropped[i].items;
        bytes += accounting->dropped[i].bytes;
    }
    assert_int_equal(accounting->accepted.items, items);
    assert_int_equal(accounting->accepted.bytes, bytes);
}

static inline struct wal_consumer_stat queue_accounting(struct queue *queue, const char *name)
{
    struct wal_consumer_stat stat;

    assert_true(queue_find(queue, name, &stat));
    assert_balanced(&stat.accounting);
    return stat;
}

static inline int queue_setup(void **state)
{
    *state = queue_new();
    return 0;
}

/* A test that failed leaves its consumers open; what it has to say must not be lost in an assertion
 * about that. */
static inline int queue_teardown(void **state)
{
    struct queue *queue = *state;
    struct wal_consumer *next = queue->wal != NULL ? queue->wal->consumers : NULL;

    while (next != NULL) {
        struct wal_consumer *consumer = next;
        next = consumer->next;
        if (consumer->is_open) {
            wal_consumer_close(consumer);
        }
    }
    queue_free(queue);
    return 0;
}
