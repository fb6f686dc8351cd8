/* What the sender does with each answer of a backend, seen in the books of the queue. The exporter
 * is made up; the queue is real. */
#include "service/sender.h"

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

#include <holdfast/sending.h>
#include <holdfast/shape.h>

#include "service/graph_internal.h"
#include "service/store.h"
#include "util/log.h"
#include "util/loop.h"
#include "util/metrics.h"

#define SCRIPT_MAX 64
#define PATIENCE_S 20

/* An exporter that answers from a script; past its end, OK. Guarded by its lock: the test looks on.
 */
struct backend {
    pthread_mutex_t lock;
    enum hf_status script[SCRIPT_MAX];
    uint64_t rejected[SCRIPT_MAX];
    size_t script_size;
    size_t calls;
    uint32_t items[SCRIPT_MAX];
    size_t pieces[SCRIPT_MAX];
};

struct world {
    char directory[64];
    struct hf_log *log;
    struct hf_metrics *metrics;
    struct hf_store *store;
    struct hf_host host;
    struct hf_graph graph;
    struct hf_node node;
    struct hf_sending_config config;
    struct hf_shape shape;
    struct hf_pipeline pipeline;
    struct backend backend;
};

static void backend_send(void *self, struct hf_export *export)
{
    struct backend *backend = self;
    struct hf_outcome outcome = {.status = HF_OK, .message = ""};
    pthread_mutex_lock(&backend->lock);
    size_t i = backend->calls++;
    if (i < SCRIPT_MAX) {
        backend->items[i] = export->items;
        backend->pieces[i] = export->piece_count;
    }
    if (i < backend->script_size) {
        outcome.status = backend->script[i];
        outcome.rejected_items = backend->rejected[i];
        outcome.message = outcome.status == HF_OK ? "" : "as scripted";
    }
    pthread_mutex_unlock(&backend->lock);
    hf_export_done(export, &outcome);
}

static const struct hf_component component = {
    .type = "made_up", .kind = HF_EXPORTER, .has_sending = true, .send = backend_send};

static struct world *make_world(void)
{
    char error[512] = "";
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    snprintf(world->directory, sizeof(world->directory), "/tmp/hf-sender-XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    const struct hf_log_options log = {.level = HF_LOG_ERROR + 1};
    assert_int_equal(hf_log_new(&log, &world->log, error), HF_OK);
    assert_int_equal(hf_metrics_new(&world->metrics), HF_OK);
    const struct hf_store_options store = {.directory = world->directory, .log = world->log};
    assert_int_equal(hf_store_open(&store, &world->store, error), HF_OK);
    world->host =
        (struct hf_host){.log = world->log, .metrics = world->metrics, .store = world->store};
    world->graph.host = &world->host;
    world->config = (struct hf_sending_config){
        .queue = {.num_consumers = 4, .dead_letter = {true, 16 << 20}},
        .retry = {.enabled = true,
                  .initial_interval_ns = 1000000,
                  .max_interval_ns = 2000000,
                  .multiplier = 1.5},
    };
    pthread_mutex_init(&world->backend.lock, NULL);
    world->node = (struct hf_node){.id = "made_up",
                                   .component = &component,
                                   .config = &world->config,
                                   .self = &world->backend,
                                   .graph = &world->graph};
    const struct hf_queue_options queue = {0};
    world->pipeline = (struct hf_pipeline){.id = "traces", .signal = HF_TRACES};
    assert_int_equal(hf_store_queue(world->store, "traces", &queue, &world->pipeline.wal, error),
                     HF_OK);
    return world;
}

static void open_sender(struct world *world)
{
    char error[512] = "";
    assert_int_equal(hf_sender_new(&world->node, &world->node.sender), HF_OK);
    assert_int_equal(hf_sender_add(world->node.sender, &world->pipeline), HF_OK);
    assert_int_equal(hf_sender_open_consumers(world->node.sender, false, error), HF_OK);
}

static void end_world(struct world *world)
{
    char command[128];
    hf_sender_stop(world->node.sender, 1000000000);
    hf_sender_free(world->node.sender);
    hf_store_close(world->store);
    hf_metrics_free(world->metrics);
    hf_log_free(world->log);
    pthread_mutex_destroy(&world->backend.lock);
    snprintf(command, sizeof(command), "rm -rf %s", world->directory);
    assert_int_equal(system(command), 0);
    free(world);
}

struct waited {
    struct wal_append append;
    sem_t done;
    enum wal_status status;
};

static void on_done(struct wal_append *append, enum wal_status status)
{
    struct waited *waited = HF_CONTAINER(append, struct waited, append);
    waited->status = status;
    sem_post(&waited->done);
}

/* One request of `items` spans, each of a name only: {1 {2 {2 {5 "x"}}}}. */
static void put(struct world *world, uint32_t items)
{
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
    struct hf_batch *batch = hf_batch_new(HF_TRACES, size, HF_EMPTY_SLICE);
    memcpy(hf_batch_room(batch), body, size);
    hf_batch_seal(batch, size, items);
    struct waited waited = {.append = {.items = items,
                                       .raw_bytes = size,
                                       .time_ns = batch->received_ns,
                                       .body = batch->wire,
                                       .owner = &batch->ref,
                                       .done = on_done}};
    sem_init(&waited.done, 0, 0);
    assert_int_equal(wal_admit(world->pipeline.wal, &waited.append), WAL_OK);
    wal_append(world->pipeline.wal, &waited.append);
    sem_wait(&waited.done);
    assert_int_equal(waited.status, WAL_OK);
    sem_destroy(&waited.done);
    hf_ref_drop(&batch->ref);
}

static void copy_books(void *user, const struct wal_consumer_stat *stat)
{
    *(struct wal_books *)user = stat->books;
}

static struct wal_books books_of(struct world *world)
{
    struct wal_books books = {0};
    assert_int_equal(wal_consumer_each(world->pipeline.wal, copy_books, &books), WAL_OK);
    uint64_t sum = books.delivered.items + books.queued.items + books.dead_lettered.items;
    for (int i = 0; i < WAL_DROP_COUNT; i++) {
        sum += books.dropped[i].items;
    }
    assert_int_equal(books.accepted.items, sum);
    return books;
}

/* Polls a condition: the sender has a thread of its own. */
static struct wal_books wait_until_empty(struct world *world)
{
    const struct timespec pause = {0, 1000000};
    for (int i = 0; i < PATIENCE_S * 1000; i++) {
        struct wal_books books = books_of(world);
        if (books.queued.items == 0) {
            return books;
        }
        nanosleep(&pause, NULL);
    }
    fail_msg("the queue did not drain");
    return (struct wal_books){0};
}

static void script(struct world *world, const enum hf_status *statuses, size_t count)
{
    memcpy(world->backend.script, statuses, count * sizeof(*statuses));
    world->backend.script_size = count;
}

static void start(struct world *world)
{
    assert_int_equal(hf_sender_start(world->node.sender), HF_OK);
}

static void delivers_what_waits_and_what_comes(void **state)
{
    struct world *world = make_world();
    (void)state;
    open_sender(world);
    put(world, 3);
    start(world);
    put(world, 4);
    struct wal_books books = wait_until_empty(world);
    assert_int_equal(books.accepted.items, 7);
    assert_int_equal(books.delivered.items, 7);
    end_world(world);
}

static void repeats_passing_faults_until_they_pass(void **state)
{
    static const enum hf_status faults[] = {HF_AGAIN,    HF_DEADLINE, HF_IO,    HF_FULL,
                                            HF_BUSY,     HF_NOMEM,    HF_AGAIN, HF_UNAUTHENTICATED,
                                            HF_FORBIDDEN};
    struct world *world = make_world();
    (void)state;
    script(world, faults, sizeof(faults) / sizeof(faults[0]));
    open_sender(world);
    put(world, 5);
    start(world);
    struct wal_books books = wait_until_empty(world);
    assert_int_equal(books.delivered.items, 5);
    assert_int_equal(world->backend.calls, sizeof(faults) / sizeof(faults[0]) + 1);
    assert_false(hf_sender_is_unhealthy(world->node.sender));
    end_world(world);
}

static void keeps_the_data_when_the_time_for_retries_is_over(void **state)
{
    static const enum hf_status faults[] = {HF_AGAIN, HF_AGAIN, HF_AGAIN, HF_AGAIN, HF_AGAIN};
    struct world *world = make_world();
    (void)state;
    world->config.retry.max_elapsed_time_ns = 1;
    script(world, faults, 5);
    open_sender(world);
    put(world, 5);
    start(world);
    assert_int_equal(wait_until_empty(world).delivered.items, 5);
    end_world(world);
}

static void drops_after_that_time_only_when_told_to(void **state)
{
    static const enum hf_status faults[] = {HF_AGAIN, HF_AGAIN, HF_AGAIN, HF_AGAIN, HF_AGAIN};
    struct world *world = make_world();
    (void)state;
    world->config.retry.max_elapsed_time_ns = 1;
    world->config.retry.on_give_up = HF_GIVE_UP_DROP;
    script(world, faults, 5);
    open_sender(world);
    put(world, 5);
    start(world);
    struct wal_books books = wait_until_empty(world);
    assert_int_equal(books.delivered.items, 0);
    assert_int_equal(books.dropped[WAL_DROP_GAVE_UP].items, 5);
    end_world(world);
}

static void counts_a_partial_success_as_delivered_less_the_rejected(void **state)
{
    static const enum hf_status answers[] = {HF_OK};
    struct world *world = make_world();
    (void)state;
    script(world, answers, 1);
    world->backend.rejected[0] = 4;
    open_sender(world);
    put(world, 3);
    put(world, 3);
    start(world);
    struct wal_books books = wait_until_empty(world);
    assert_int_equal(books.delivered.items, 2);
    assert_int_equal(books.dropped[WAL_DROP_REJECTED].items, 4);
    assert_int_equal(world->backend.calls, 1);
    end_world(world);
}

static void halves_what_is_too_large_down_to_single_items(void **state)
{
    /* Two records of two: 4 - 2 - 1 1, then 2 fits. */
    static const enum hf_status answers[] = {HF_TOO_LARGE, HF_TOO_LARGE};
    struct world *world = make_world();
    (void)state;
    world->config.queue.num_consumers = 1;
    script(world, answers, 2);
    open_sender(world);
    put(world, 2);
    put(world, 2);
    start(world);
    struct wal_books books = wait_until_empty(world);
    assert_int_equal(books.delivered.items, 4);
    const uint32_t expected[] = {4, 2, 1, 1, 2};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(world->backend.items[i], expected[i]);
    }
    end_world(world);
}

static void buries_only_the_record_that_is_refused_for_good(void **state)
{
    /* Three records in one request; the halves find the last one guilty. */
    static const enum hf_status answers[] = {HF_INVALID, HF_OK, HF_INVALID, HF_OK, HF_INVALID};
    struct world *world = make_world();
    (void)state;
    world->config.queue.num_consumers = 1;
    script(world, answers, 5);
    open_sender(world);
    put(world, 1);
    put(world, 2);
    put(world, 3);
    start(world);
    struct wal_books books = wait_until_empty(world);
    assert_int_equal(books.delivered.items, 3);
    assert_int_equal(books.dead_lettered.items, 3);
    struct wal_stat stat;
    wal_stat(hf_store_dead_letters(world->store, "made_up", 16 << 20), &stat);
    assert_int_equal(stat.appended.items, 3);
    end_world(world);
}

static void drops_what_is_refused_when_dead_letters_are_off(void **state)
{
    static const enum hf_status answers[] = {HF_INVALID};
    struct world *world = make_world();
    (void)state;
    world->config.queue.dead_letter.enabled = false;
    script(world, answers, 1);
    open_sender(world);
    put(world, 2);
    start(world);
    assert_int_equal(wait_until_empty(world).dropped[WAL_DROP_PERMANENT].items, 2);
    end_world(world);
}

static void waits_for_the_batch_size_and_cuts_at_its_maximum(void **state)
{
    struct world *world = make_world();
    (void)state;
    world->shape = (struct hf_shape){
        .timeout_ns = UINT64_C(3600000000000), .send_batch_size = 6, .send_batch_max_size = 6};
    world->pipeline.shape = &world->shape;
    world->pipeline.shape_id = "batch";
    world->config.queue.num_consumers = 1;
    open_sender(world);
    start(world);
    put(world, 4);
    assert_int_equal(books_of(world).queued.items, 4);
    put(world, 2);
    wait_until_empty(world);
    assert_int_equal(world->backend.calls, 1);
    assert_int_equal(world->backend.items[0], 6);
    put(world, 18);
    wait_until_empty(world);
    assert_int_equal(world->backend.calls, 4);
    for (size_t i = 1; i < 4; i++) {
        assert_int_equal(world->backend.items[i], 6);
    }
    end_world(world);
}

static void sends_what_waits_when_the_batch_timeout_passes(void **state)
{
    struct world *world = make_world();
    (void)state;
    world->shape = (struct hf_shape){.timeout_ns = 5000000, .send_batch_size = 1000};
    world->pipeline.shape = &world->shape;
    world->pipeline.shape_id = "batch";
    open_sender(world);
    start(world);
    put(world, 4);
    assert_int_equal(wait_until_empty(world).delivered.items, 4);
    end_world(world);
}

static void leaves_the_rest_in_the_queue_when_it_stops(void **state)
{
    enum hf_status never[SCRIPT_MAX];
    struct world *world = make_world();
    (void)state;
    for (size_t i = 0; i < SCRIPT_MAX; i++) {
        never[i] = HF_AGAIN;
    }
    world->config.retry.initial_interval_ns = UINT64_C(3600000000000);
    world->config.retry.max_interval_ns = UINT64_C(3600000000000);
    script(world, never, SCRIPT_MAX);
    open_sender(world);
    put(world, 5);
    start(world);
    hf_sender_stop(world->node.sender, UINT64_C(1000000000));
    hf_sender_close_consumers(world->node.sender);
    struct wal_books books = books_of(world);
    assert_int_equal(books.queued.items, 5);
    assert_int_equal(books.delivered.items, 0);
    end_world(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delivers_what_waits_and_what_comes),
        cmocka_unit_test(repeats_passing_faults_until_they_pass),
        cmocka_unit_test(keeps_the_data_when_the_time_for_retries_is_over),
        cmocka_unit_test(drops_after_that_time_only_when_told_to),
        cmocka_unit_test(counts_a_partial_success_as_delivered_less_the_rejected),
        cmocka_unit_test(halves_what_is_too_large_down_to_single_items),
        cmocka_unit_test(buries_only_the_record_that_is_refused_for_good),
        cmocka_unit_test(drops_what_is_refused_when_dead_letters_are_off),
        cmocka_unit_test(waits_for_the_batch_size_and_cuts_at_its_maximum),
        cmocka_unit_test(sends_what_waits_when_the_batch_timeout_passes),
        cmocka_unit_test(leaves_the_rest_in_the_queue_when_it_stops),
    };
    return cmocka_run_group_tests_name("sender", tests, NULL, NULL);
}
