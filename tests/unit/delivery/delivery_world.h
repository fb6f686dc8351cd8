/*
 * delivery_world: a delivery with a made-up exporter that answers from a script, on a real queue of
 * one pipeline in a directory of its own; and what it did, in the accounting.
 */
#pragma once

#include "delivery/delivery.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h> /* needs the three before it */

#include "util/delivery_config.h"
#include <holdfast/batching.h>

#include "pipeline/graph_internal.h"
#include "storage/storage.h"
#include "tests/unit/made_host.h"
#include "util/log/log.h"
#include "util/loop.h"
#include "util/metrics/metrics.h"

#define SCRIPT_MAX 64
#define PATIENCE_S 20

/* An exporter that answers from a script, and past its end one thing. Guarded by its lock: the test
 * looks on. */
struct backend {
    pthread_mutex_t lock;
    enum hf_status script[SCRIPT_MAX];
    enum hf_status otherwise; /* past the end: OK unless said */
    uint32_t poison;          /* requests of so many items and more always fail; 0: none */
    size_t poisoned;          /* how often */
    uint64_t rejected[SCRIPT_MAX];
    size_t script_size;
    size_t calls;
    uint32_t items[SCRIPT_MAX];
    size_t bodies[SCRIPT_MAX];
    enum hf_signal signals[SCRIPT_MAX];
    /* Answers that are not given at once, but when the test says so. */
    bool holds_back;
    struct hf_export *inflight[SCRIPT_MAX];
    size_t held_count;
    struct hf_task release;
    sem_t released;
    struct hf_outcome released_with;
};

struct world {
    char directory[64];
    struct hf_host host;
    struct hf_graph graph;
    struct hf_node node;
    struct hf_delivery_config config;
    struct hf_batching batching;
    struct hf_pipeline pipeline;
    struct backend backend;
};

static inline void backend_send(void *self, struct hf_export *export)
{
    struct backend *backend = self;
    pthread_mutex_lock(&backend->lock);
    struct hf_outcome outcome = {.status = backend->otherwise};
    size_t i = backend->calls++;
    if (i < SCRIPT_MAX) {
        backend->items[i] = export->items;
        backend->bodies[i] = export->body_count;
        backend->signals[i] = export->signal;
    }
    if (i < backend->script_size) {
        outcome.status = backend->script[i];
        outcome.rejected_items = backend->rejected[i];
    }
    outcome.message = outcome.status == HF_OK ? "" : "as scripted";
    if (backend->poison != 0 && export->items >= backend->poison) {
        outcome = (struct hf_outcome){.status = HF_AGAIN, .is_suspect = true, .message = "poison"};
        backend->poisoned++;
    }
    bool holds_back = backend->holds_back;
    if (holds_back) {
        backend->inflight[backend->held_count++] = export;
    }
    pthread_mutex_unlock(&backend->lock);
    if (!holds_back) {
        hf_export_done(export, &outcome);
    }
}

static const struct hf_component component = {
    .type = "made_up",
    .kind = HF_EXPORTER,
    .exporter = &(const struct hf_exporter_ops){.send = backend_send}};

static inline struct world *make_world(void)
{
    char error[512] = "";
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    make_host(world->directory, &world->host);
    world->graph.host = &world->host;
    world->config = (struct hf_delivery_config){
        .queue = {.num_consumers = 4, .dead_letter = {.enabled = true, .max_bytes = 16 << 20}},
        .retry = {.enabled = true,
                  .initial_interval_ns = 1000000,
                  .max_interval_ns = 2000000,
                  .multiplier = 1.5},
    };
    pthread_mutex_init(&world->backend.lock, NULL);
    sem_init(&world->backend.released, 0, 0);
    world->node = (struct hf_node){.id = "made_up",
                                   .component = &component,
                                   .delivery_config = &world->config,
                                   .self = &world->backend,
                                   .graph = &world->graph,
                                   .host = &world->host};
    const struct hf_queue_options queue = {0};
    world->pipeline = (struct hf_pipeline){.id = "traces", .signal = HF_TRACES};
    assert_int_equal(
        hf_storage_queue(world->host.store, "traces", &queue, &world->pipeline.wal, error), HF_OK);
    return world;
}

static inline void open_delivery(struct world *world)
{
    char error[512] = "";
    assert_int_equal(hf_delivery_new(&world->node, &world->node.delivery), HF_OK);
    assert_int_equal(hf_delivery_add(world->node.delivery, &world->pipeline), HF_OK);
    assert_int_equal(hf_delivery_open_consumers(world->node.delivery, false, error), HF_OK);
}

static inline void end_world(struct world *world)
{
    if (world->node.delivery != NULL) {
        hf_delivery_stop(world->node.delivery, 1000000000);
    }
    hf_delivery_free(world->node.delivery);
    free_host(world->directory, &world->host);
    pthread_mutex_destroy(&world->backend.lock);
    sem_destroy(&world->backend.released);
    free(world);
}

struct waited {
    struct wal_append append;
    sem_t done;
    enum wal_status status;
};

static inline void on_done(struct wal_append *append, enum wal_status status)
{
    struct waited *waited = HF_CONTAINER(append, struct waited, append);
    waited->status = status;
    sem_post(&waited->done);
}

/* One request of `items` spans, each of a name only: {1 {2 {2 {5 "x"}}}}. */
struct put {
    enum hf_signal signal;
    uint32_t items;
    uint64_t raw_bytes; /* 0: its size */
    uint64_t age_ns;
};

static inline void put_as(struct wal *wal, const struct put *put)
{
    enum hf_signal signal = put->signal;
    uint32_t items = put->items;
    uint8_t body[4096];
    size_t inner = (size_t)items * 5;
    size_t size = 0;
    assert_true(inner + 3 < 128 || items == 1);
    body[size++] = 0x0a;
    body[size++] = (uint8_t)(inner + 2);
    body[size++] = 0x12;
    body[size++] = (uint8_t)inner;
    for (uint32_t i = 0; i < items; i++) {
        const uint8_t span[] = {0x12, 3, 0x2a, 1, (uint8_t)('a' + i % 26)};
        memcpy(body + size, span, sizeof(span));
        size += sizeof(span);
    }
    struct hf_batch *batch = hf_batch_new(signal, size, HF_EMPTY_SLICE);
    memcpy(hf_batch_room(batch), body, size);
    hf_batch_seal(batch, size, items);
    struct waited waited = {.append = {.kind = (uint8_t)signal,
                                       .items = items,
                                       .raw_bytes = put->raw_bytes != 0 ? put->raw_bytes : size,
                                       .time_ns = batch->received_ns - put->age_ns,
                                       .body = batch->wire,
                                       .owner = &batch->ref,
                                       .done = on_done}};
    sem_init(&waited.done, 0, 0);
    assert_int_equal(wal_admit(wal, &waited.append), WAL_OK);
    wal_append(wal, &waited.append);
    sem_wait(&waited.done);
    assert_int_equal(waited.status, WAL_OK);
    sem_destroy(&waited.done);
    hf_ref_drop(&batch->ref);
}

static inline void put_into(struct wal *wal, enum hf_signal signal, uint32_t items)
{
    const struct put put = {.signal = signal, .items = items};
    put_as(wal, &put);
}

static inline void put(struct world *world, uint32_t items)
{
    put_into(world->pipeline.wal, HF_TRACES, items);
}

static inline void copy_accounting(void *user, const struct wal_consumer_stat *stat)
{
    *(struct wal_accounting *)user = stat->accounting;
}

/* Of the only consumer of a queue. */
static inline struct wal_accounting accounting_in(struct wal *wal)
{
    struct wal_accounting accounting = {0};
    assert_int_equal(wal_consumer_each(wal, copy_accounting, &accounting), WAL_OK);
    uint64_t sum =
        accounting.delivered.items + accounting.queued.items + accounting.dead_lettered.items;
    for (int i = 0; i < WAL_DROP_COUNT; i++) {
        sum += accounting.dropped[i].items;
    }
    assert_int_equal(accounting.accepted.items, sum);
    return accounting;
}

static inline struct wal_accounting accounting_of(struct world *world)
{
    return accounting_in(world->pipeline.wal);
}

static inline void wait_for_delivered(struct world *world, uint64_t items)
{
    const struct timespec pause = {0, 1000000};
    for (unsigned turn = 0; accounting_of(world).delivered.items < items; turn++) {
        assert_true(turn < PATIENCE_S * 1000);
        nanosleep(&pause, NULL);
    }
}

/* What it answers past the end of the script from now on. */
static inline void answer(struct world *world, enum hf_status otherwise)
{
    pthread_mutex_lock(&world->backend.lock);
    world->backend.otherwise = otherwise;
    pthread_mutex_unlock(&world->backend.lock);
}

/* Until a counter of the backend has come so far. */
static inline void wait_for_count(struct world *world, const size_t *counter, size_t count)
{
    const struct timespec pause = {0, 1000000};
    size_t seen = 0;
    for (unsigned turn = 0; seen < count; turn++) {
        assert_true(turn < PATIENCE_S * 1000);
        nanosleep(&pause, NULL);
        pthread_mutex_lock(&world->backend.lock);
        seen = *counter;
        pthread_mutex_unlock(&world->backend.lock);
    }
}

/* Polls a condition: the delivery has a thread of its own. */
static inline struct wal_accounting wait_until_drained(struct wal *wal)
{
    const struct timespec pause = {0, 1000000};
    for (int i = 0; i < PATIENCE_S * 1000; i++) {
        struct wal_accounting accounting = accounting_in(wal);
        if (accounting.queued.items == 0) {
            return accounting;
        }
        nanosleep(&pause, NULL);
    }
    fail_msg("the queue did not drain");
    return (struct wal_accounting){0};
}

static inline struct wal_accounting wait_until_empty(struct world *world)
{
    return wait_until_drained(world->pipeline.wal);
}

static inline void script(struct world *world, const enum hf_status *statuses, size_t count)
{
    memcpy(world->backend.script, statuses, count * sizeof(*statuses));
    world->backend.script_size = count;
}

static inline void start(struct world *world)
{
    assert_int_equal(hf_delivery_start(world->node.delivery), HF_OK);
}

/* The names of the items of a request, which stand behind {5 1 byte}: 0x2a 0x01. */
static inline size_t read_names(const struct hf_export *export, char *names)
{
    size_t count = 0;
    for (size_t b = 0; b < export->body_count; b++) {
        struct hf_slice wire = export->bodies[b].wire;
        for (size_t i = 0; i + 2 < wire.size; i++) {
            if (wire.data[i] == 0x2a && wire.data[i + 1] == 1) {
                names[count++] = (char)wire.data[i + 2];
            }
        }
    }
    assert_int_equal(count, export->items);
    return count;
}
