/* What a queued_processor does between two queues, seen in the accounts of both. The component and
 * the processor behind it are made up; the queues are real. */
#include "pipeline/queued_processor.h"

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

#include "pipeline/graph_internal.h"
#include "storage/storage.h"
#include "tests/unit/made_host.h"
#include "util/compress/compress.h"
#include "util/log/log.h"
#include "util/metrics/metrics.h"

#define INPUTS_MAX 64
#define PATIENCE_S 20

/* What the component was given. The queued_processor's thread, and the test's while that one does
 * not run. */
struct made {
    struct hf_node *node;
    unsigned refusals; /* takes that say HF_BUSY first */
    bool holds;
    struct hf_pipeline *const *to; /* NULL: all that follow */
    size_t to_count;
    struct passing {
        struct hf_output output;
        struct made *made;
        struct hf_input *input;
        struct hf_batch *batch;
    } passing[INPUTS_MAX];
    size_t count;
    size_t sizes[INPUTS_MAX]; /* of the decoded requests */
    enum hf_status last;      /* of an output */
    sem_t seen;               /* an input taken, an output answered */
};

struct world {
    char directory[64];
    struct hf_host host;
    struct hf_graph graph;
    struct hf_pipeline front, back;
    struct hf_pipeline *routes[1];
    struct hf_node node, gate;
    struct hf_node *processors[1];
    struct made made;
    enum hf_status gate_says[4]; /* what the processor behind answers, one by one; then OK */
    size_t gate_calls;
};

static void answered(struct hf_output *output, enum hf_status status)
{
    struct passing *passing = HF_CONTAINER(output, struct passing, output);
    struct made *made = passing->made;
    if (status != HF_CLOSED) {
        hf_input_done(passing->input, status == HF_OK ? 0 : passing->batch->items);
    }
    hf_ref_drop(&passing->batch->ref);
    passing->batch = NULL;
    made->last = status;
    sem_post(&made->seen);
}

static enum hf_status take(void *self, struct hf_input *input)
{
    struct made *made = self;
    if (made->refusals > 0) {
        made->refusals--;
        return HF_BUSY;
    }
    assert_true(made->count < INPUTS_MAX);
    struct passing *passing = &made->passing[made->count];
    *passing = (struct passing){
        .output = {.done = answered}, .made = made, .input = input, .batch = input->batch};
    made->sizes[made->count++] = input->batch->raw.size;
    hf_ref_take(&input->batch->ref);
    if (made->holds) {
        sem_post(&made->seen);
    } else if (made->to != NULL) {
        hf_emit_to(made->node, made->to, made->to_count, input->batch, &passing->output);
    } else {
        hf_emit(made->node, input->batch, &passing->output);
    }
    return HF_OK;
}

static const struct hf_component component = {
    .type = "made_up",
    .kind = HF_PROCESSOR,
    .queued = &(const struct hf_queued_ops){.process_queued = take}};

static enum hf_status pass_gate(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    struct world *world = self;
    size_t call = world->gate_calls++;
    enum hf_status status = call < 4 ? world->gate_says[call] : HF_OK;
    if (status == HF_OK) {
        hf_ref_take(&batch->ref);
        *ret_batch = batch;
    }
    return status;
}

static const struct hf_component gate = {
    .type = "gate",
    .kind = HF_PROCESSOR,
    .processor = &(const struct hf_processor_ops){.process = pass_gate}};

static void open_queue(struct world *world, const char *id, struct hf_pipeline *pipeline)
{
    char error[512] = "";
    const struct hf_queue_options options = {0};
    *pipeline = (struct hf_pipeline){.id = id, .signal = HF_LOGS};
    assert_int_equal(hf_storage_queue(world->host.store, id, &options, &pipeline->wal, error),
                     HF_OK);
}

static void open_queued_processor(struct world *world)
{
    char error[512] = "";
    assert_int_equal(hf_queued_processor_new(&world->node, &world->node.queued_processor), HF_OK);
    assert_int_equal(hf_queued_processor_add(world->node.queued_processor, &world->front, NULL),
                     HF_OK);
    assert_int_equal(hf_queued_processor_open_consumers(world->node.queued_processor, false, error),
                     HF_OK);
}

static struct world *make_world(void)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    make_host(world->directory, &world->host);
    world->graph.host = &world->host;
    open_queue(world, "logs", &world->front);
    open_queue(world, "logs>made_up", &world->back);
    world->gate = (struct hf_node){.id = "gate", .component = &gate, .self = world};
    world->processors[0] = &world->gate;
    world->back.processors = world->processors;
    world->back.processor_count = 1;
    world->routes[0] = &world->back;
    world->node = (struct hf_node){.id = "made_up",
                                   .component = &component,
                                   .self = &world->made,
                                   .host = &world->host,
                                   .graph = &world->graph,
                                   .routes = {[HF_LOGS] = world->routes},
                                   .route_count = {[HF_LOGS] = 1}};
    world->made.node = &world->node;
    sem_init(&world->made.seen, 0, 0);
    open_queued_processor(world);
    return world;
}

/* The graph's order: the thread ends, the component lets go, the places are left. */
static void end_queued_processor(struct world *world)
{
    hf_queued_processor_stop(world->node.queued_processor);
    for (size_t i = 0; i < world->made.count; i++) {
        if (world->made.passing[i].batch != NULL) {
            hf_ref_drop(&world->made.passing[i].batch->ref);
        }
    }
    world->made.count = 0;
    hf_queued_processor_free(world->node.queued_processor);
    world->node.queued_processor = NULL;
}

static void end_world(struct world *world)
{
    end_queued_processor(world);
    free_host(world->directory, &world->host);
    sem_destroy(&world->made.seen);
    free(world);
}

static void wait_seen(struct world *world, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += PATIENCE_S;
        assert_int_equal(sem_timedwait(&world->made.seen, &until), 0);
    }
}

struct waited {
    struct wal_append append;
    sem_t done;
};

static void on_done(struct wal_append *append, enum wal_status status)
{
    assert_int_equal(status, WAL_OK);
    sem_post(&HF_CONTAINER(append, struct waited, append)->done);
}

/* A request of `items` empty log records: {1 {2 {2 "" ...}}}. */
static void put(struct world *world, uint32_t items, enum hf_coding coding)
{
    uint8_t body[128] = {0x0a, (uint8_t)(2 * items + 2), 0x12, (uint8_t)(2 * items)};
    struct hf_bytes coded = {0};
    for (uint32_t i = 0; i < items; i++) {
        body[4 + 2 * i] = 0x12;
    }
    struct hf_slice raw = hf_slice_of(body, 4 + 2 * (size_t)items);
    assert_true(raw.size <= sizeof(body));
    if (coding != HF_IDENTITY) {
        assert_int_equal(hf_encode(coding, 0, &raw, 1, &coded), HF_OK);
    }
    struct hf_slice wire = coding == HF_IDENTITY ? raw : hf_slice_of(coded.data, coded.size);
    struct hf_batch *batch = hf_batch_new(HF_LOGS, wire.size, HF_EMPTY_SLICE);
    memcpy(hf_batch_room(batch), wire.data, wire.size);
    hf_batch_seal(batch, wire.size, items);
    struct waited waited = {.append = {.items = items,
                                       .coding = (uint8_t)coding,
                                       .raw_bytes = raw.size,
                                       .time_ns = batch->received_ns,
                                       .body = batch->wire,
                                       .owner = &batch->ref,
                                       .done = on_done}};
    sem_init(&waited.done, 0, 0);
    assert_int_equal(wal_admit(world->front.wal, &waited.append), WAL_OK);
    wal_append(world->front.wal, &waited.append);
    sem_wait(&waited.done);
    sem_destroy(&waited.done);
    hf_ref_drop(&batch->ref);
    hf_bytes_release(&coded);
}

static void copy_accounting(void *user, const struct wal_consumer_stat *stat)
{
    *(struct wal_accounting *)user = stat->accounting;
}

/* Of the queued_processor, in the queue in front; they always balance. */
static struct wal_accounting accounting_of(struct world *world)
{
    struct wal_accounting accounting = {0};
    assert_int_equal(wal_consumer_each(world->front.wal, copy_accounting, &accounting), WAL_OK);
    uint64_t items = accounting.delivered.items + accounting.queued.items;
    uint64_t bytes = accounting.delivered.bytes + accounting.queued.bytes;
    for (int i = 0; i < WAL_DROP_COUNT; i++) {
        items += accounting.dropped[i].items;
        bytes += accounting.dropped[i].bytes;
    }
    assert_int_equal(accounting.accepted.items, items);
    assert_int_equal(accounting.accepted.bytes, bytes);
    return accounting;
}

static uint64_t items_behind(struct world *world)
{
    struct wal_stat stat;
    wal_stat(world->back.wal, &stat);
    return stat.appended.items;
}

static void passes_on_and_is_done_when_that_is_durable(void **state)
{
    struct world *world = make_world();
    (void)state;
    put(world, 3, HF_IDENTITY);
    assert_int_equal(hf_queued_processor_start(world->node.queued_processor), HF_OK);
    put(world, 2, HF_IDENTITY);
    wait_seen(world, 2);
    hf_queued_processor_stop(world->node.queued_processor);
    assert_int_equal(items_behind(world), 5);
    assert_int_equal(accounting_of(world).delivered.items, 5);
    assert_int_equal(accounting_of(world).queued.records, 0);
    end_world(world);
}

static void gives_the_component_plain_bytes(void **state)
{
    struct world *world = make_world();
    (void)state;
    put(world, 4, HF_ZSTD);
    put(world, 4, HF_GZIP);
    assert_int_equal(hf_queued_processor_start(world->node.queued_processor), HF_OK);
    wait_seen(world, 2);
    hf_queued_processor_stop(world->node.queued_processor);
    assert_int_equal(world->made.sizes[0], 12);
    assert_int_equal(world->made.sizes[1], 12);
    assert_int_equal(items_behind(world), 8);
    end_world(world);
}

static void offers_again_what_was_not_taken(void **state)
{
    struct world *world = make_world();
    (void)state;
    world->made.refusals = 3;
    put(world, 1, HF_IDENTITY);
    put(world, 2, HF_IDENTITY);
    assert_int_equal(hf_queued_processor_start(world->node.queued_processor), HF_OK);
    wait_seen(world, 2);
    hf_queued_processor_stop(world->node.queued_processor);
    assert_int_equal(world->made.refusals, 0);
    assert_int_equal(world->made.sizes[0], 6); /* in order */
    assert_int_equal(items_behind(world), 3);
    end_world(world);
}

static void tries_again_what_is_refused_for_now(void **state)
{
    struct world *world = make_world();
    (void)state;
    world->gate_says[0] = HF_BUSY;
    world->gate_says[1] = HF_FULL;
    put(world, 1, HF_IDENTITY);
    assert_int_equal(hf_queued_processor_start(world->node.queued_processor), HF_OK);
    wait_seen(world, 1);
    hf_queued_processor_stop(world->node.queued_processor);
    assert_int_equal(world->gate_calls, 3);
    assert_int_equal(world->made.last, HF_OK);
    assert_int_equal(items_behind(world), 1);
    end_world(world);
}

static void counts_what_never_will_be_durable(void **state)
{
    struct world *world = make_world();
    (void)state;
    world->gate_says[0] = HF_INVALID;
    put(world, 5, HF_IDENTITY);
    put(world, 2, HF_IDENTITY);
    assert_int_equal(hf_queued_processor_start(world->node.queued_processor), HF_OK);
    wait_seen(world, 2);
    hf_queued_processor_stop(world->node.queued_processor);
    assert_int_equal(items_behind(world), 2);
    assert_int_equal(accounting_of(world).dropped[WAL_DROP_PROCESSOR].items, 5);
    assert_int_equal(accounting_of(world).delivered.items, 2);
    end_world(world);
}

static void leaves_in_the_queue_what_it_is_not_done_with(void **state)
{
    struct world *world = make_world();
    (void)state;
    world->made.holds = true;
    put(world, 1, HF_IDENTITY);
    put(world, 2, HF_IDENTITY);
    put(world, 3, HF_IDENTITY);
    assert_int_equal(hf_queued_processor_start(world->node.queued_processor), HF_OK);
    wait_seen(world, 3);
    hf_queued_processor_stop(world->node.queued_processor);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(world->made.passing[i].input->sequence, i);
        assert_string_equal(world->made.passing[i].input->queue, world->front.id);
    }
    hf_input_done(world->made.passing[1].input, 1); /* out of order, one of two dropped */
    assert_int_equal(accounting_of(world).queued.items, 4);
    end_queued_processor(world);
    world->made.holds = false;
    open_queued_processor(world);
    assert_int_equal(hf_queued_processor_start(world->node.queued_processor), HF_OK);
    wait_seen(world, 2);
    hf_queued_processor_stop(world->node.queued_processor);
    assert_int_equal(items_behind(world), 4);
    assert_int_equal(accounting_of(world).delivered.items, 5);
    assert_int_equal(accounting_of(world).dropped[WAL_DROP_PROCESSOR].items, 1);
    assert_int_equal(accounting_of(world).queued.records, 0);
    end_world(world);
}

static void closes_what_is_still_refused_when_it_stops(void **state)
{
    struct world *world = make_world();
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        world->gate_says[i] = HF_FULL;
    }
    put(world, 2, HF_IDENTITY);
    assert_int_equal(hf_queued_processor_start(world->node.queued_processor), HF_OK);
    hf_queued_processor_stop(
        world->node.queued_processor); /* before it was taken, or while it is refused */
    assert_int_equal(items_behind(world), 0);
    assert_int_equal(accounting_of(world).queued.items, 2);
    end_world(world);
}

static void is_done_with_an_input_when_its_last_items_are_done(void **state)
{
    struct world *world = make_world();
    (void)state;
    world->made.holds = true;
    put(world, 5, HF_IDENTITY);
    put(world, 2, HF_IDENTITY);
    assert_int_equal(hf_queued_processor_start(world->node.queued_processor), HF_OK);
    wait_seen(world, 2);
    hf_queued_processor_stop(world->node.queued_processor);
    hf_input_done_items(world->made.passing[0].input, 2, 1);
    hf_input_done_items(world->made.passing[0].input, 2, 0);
    hf_input_done_items(world->made.passing[1].input, 1, 1);
    assert_int_equal(accounting_of(world).queued.items, 7); /* records are done as a whole */
    hf_input_done_items(world->made.passing[0].input, 1, 1);
    hf_input_done(world->made.passing[1].input, 1); /* the rest of it */
    assert_int_equal(accounting_of(world).queued.records, 0);
    assert_int_equal(accounting_of(world).delivered.items, 3);
    assert_int_equal(accounting_of(world).dropped[WAL_DROP_PROCESSOR].items, 4);
    end_world(world);
}

static void gives_an_input_again_that_is_done_in_part(void **state)
{
    struct world *world = make_world();
    (void)state;
    world->made.holds = true;
    put(world, 5, HF_IDENTITY);
    assert_int_equal(hf_queued_processor_start(world->node.queued_processor), HF_OK);
    wait_seen(world, 1);
    hf_queued_processor_stop(world->node.queued_processor);
    hf_input_done_items(world->made.passing[0].input, 4, 2);
    end_queued_processor(world);
    world->made.holds = false;
    open_queued_processor(world);
    assert_int_equal(hf_queued_processor_start(world->node.queued_processor), HF_OK);
    wait_seen(world, 1);
    hf_queued_processor_stop(world->node.queued_processor);
    assert_int_equal(items_behind(world), 5);
    assert_int_equal(accounting_of(world).delivered.items, 5);
    end_world(world);
}

static void reads_an_input_again_from_the_queue(void **state)
{
    static const enum hf_coding codings[] = {HF_IDENTITY, HF_ZSTD};
    struct world *world = make_world();
    (void)state;
    world->made.holds = true;
    for (uint32_t i = 0; i < 20; i++) {
        put(world, 1 + i, codings[i % 2]);
    }
    assert_int_equal(hf_queued_processor_start(world->node.queued_processor), HF_OK);
    wait_seen(world, 20);
    hf_queued_processor_stop(world->node.queued_processor);
    for (uint32_t i = 0; i < 20; i++) {
        struct passing *passing = &world->made.passing[19 - i];
        struct hf_batch *batch = NULL;
        assert_int_equal(hf_input_load(passing->input, &batch), HF_OK);
        assert_int_equal(batch->items, 20 - i);
        assert_int_equal(batch->coding, HF_IDENTITY);
        assert_true(hf_slice_equal(batch->raw, passing->batch->raw));
        hf_ref_drop(&batch->ref);
    }
    hf_input_done(world->made.passing[3].input, 0);
    end_world(world);
}

static void emits_to_the_pipelines_that_the_component_names(void **state)
{
    struct world *world = make_world();
    struct hf_pipeline other;
    struct hf_pipeline *both[] = {&world->back, &other};
    (void)state;
    open_queue(world, "logs/other", &other);
    world->node.routes[HF_LOGS] = both;
    world->node.route_count[HF_LOGS] = 2;
    size_t count = 0;
    assert_ptr_equal(hf_node_outputs(&world->node, HF_LOGS, &count), both);
    assert_int_equal(count, 2);
    assert_string_equal(hf_pipeline_id(both[1]), "logs/other");
    hf_node_outputs(&world->node, HF_TRACES, &count);
    assert_int_equal(count, 0);

    world->made.to = &both[1];
    world->made.to_count = 1;
    world->gate_says[0] = HF_BUSY; /* asked in the second round alone */
    put(world, 3, HF_IDENTITY);
    assert_int_equal(hf_queued_processor_start(world->node.queued_processor), HF_OK);
    wait_seen(world, 1);
    hf_queued_processor_stop(world->node.queued_processor);
    assert_int_equal(items_behind(world), 0);
    assert_int_equal(world->gate_calls, 0);
    end_queued_processor(world);

    world->made.to = both;
    world->made.to_count = 2;
    open_queued_processor(world);
    put(world, 2, HF_IDENTITY);
    assert_int_equal(hf_queued_processor_start(world->node.queued_processor), HF_OK);
    wait_seen(world, 1); /* refused at first, and by both of them */
    hf_queued_processor_stop(world->node.queued_processor);
    struct wal_stat stat;
    wal_stat(other.wal, &stat);
    assert_int_equal(stat.appended.items, 5);
    assert_int_equal(items_behind(world), 2);
    end_world(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_on_and_is_done_when_that_is_durable),
        cmocka_unit_test(gives_the_component_plain_bytes),
        cmocka_unit_test(offers_again_what_was_not_taken),
        cmocka_unit_test(tries_again_what_is_refused_for_now),
        cmocka_unit_test(counts_what_never_will_be_durable),
        cmocka_unit_test(leaves_in_the_queue_what_it_is_not_done_with),
        cmocka_unit_test(closes_what_is_still_refused_when_it_stops),
        cmocka_unit_test(is_done_with_an_input_when_its_last_items_are_done),
        cmocka_unit_test(gives_an_input_again_that_is_done_in_part),
        cmocka_unit_test(reads_an_input_again_from_the_queue),
        cmocka_unit_test(emits_to_the_pipelines_that_the_component_names),
    };
    return cmocka_run_group_tests_name("queued_processor", tests, NULL, NULL);
}
