/* Connectors that answer at once: what they make of a batch is stored with all that the pipelines
 * keep of it, or none of it is. The component is made up; the queues are real. */
#include "pipeline/ingest.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h> /* needs the three before it */

#include "pipeline/graph_internal.h"
#include "pipeline/shards.h"
#include "storage/arrivals.h"
#include "storage/storage.h"
#include "tests/unit/made_host.h"
#include "util/log/log.h"
#include "util/metrics/metrics.h"

#define LEAVES 2

struct world {
    char directory[64];
    struct hf_host host;
    struct hf_graph graph;
    struct hf_node receiver, connector;
    struct hf_pipeline front, leaves[LEAVES];
    struct hf_pipeline *front_routes[1], *leaf_routes[LEAVES];
    struct hf_node *behind[1];
    /* What the connector does. */
    unsigned times[LEAVES]; /* that it passes the batch on to each */
    enum hf_status says;
};

static enum hf_status connect(void *self, struct hf_batch *batch, struct hf_onward *onward)
{
    struct world *world = self;
    for (size_t i = 0; i < LEAVES; i++) {
        for (unsigned k = 0; k < world->times[i]; k++) {
            assert_int_equal(hf_pass_on(onward, batch, &world->leaf_routes[i], 1), HF_OK);
        }
    }
    return world->says;
}

static const struct hf_connector_ops connector_ops = {.makes = {[HF_LOGS] = HF_SIGNAL_BIT(HF_LOGS)},
                                                      .connect = connect};
static const struct hf_component connector = {
    .type = "made_up", .kind = HF_CONNECTOR, .connector = &connector_ops};
static const struct hf_component receiver = {.type = "source", .kind = HF_RECEIVER};

static void open_queue(struct world *world, const char *id, struct hf_pipeline *pipeline)
{
    char error[512] = "";
    const struct hf_queue_options options = {0};
    *pipeline = (struct hf_pipeline){.id = id, .signal = HF_LOGS};
    assert_int_equal(hf_storage_queue(world->host.store, id, &options, &pipeline->wal, error),
                     HF_OK);
}

static void join(struct world *world)
{
    open_queue(world, "logs", &world->front);
    open_queue(world, "logs/0", &world->leaves[0]);
    open_queue(world, "logs/1", &world->leaves[1]);
    for (size_t i = 0; i < LEAVES; i++) {
        world->leaf_routes[i] = &world->leaves[i];
    }
    world->front_routes[0] = &world->front;
    world->behind[0] = &world->connector;
    world->front.behind = world->behind;
    world->front.behind_count = 1;
    world->front.skips_queue = true;
    world->receiver = (struct hf_node){.id = "source",
                                       .component = &receiver,
                                       .graph = &world->graph,
                                       .host = &world->host,
                                       .routes = {[HF_LOGS] = world->front_routes},
                                       .route_count = {[HF_LOGS] = 1}};
    world->connector = (struct hf_node){.id = "made_up",
                                        .component = &connector,
                                        .self = world,
                                        .graph = &world->graph,
                                        .host = &world->host,
                                        .routes = {[HF_LOGS] = world->leaf_routes},
                                        .route_count = {[HF_LOGS] = LEAVES}};
}

static struct world *make_world(void)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    make_host(world->directory, &world->host);
    world->graph.host = &world->host;
    join(world);
    return world;
}

static void end_world(struct world *world)
{
    free_host(world->directory, &world->host);
    free(world);
}

struct waiting {
    struct hf_reply reply;
    sem_t done;
    enum hf_status status;
};

static void answered(struct hf_reply *reply, enum hf_status status)
{
    struct waiting *waiting = HF_CONTAINER(reply, struct waiting, reply);
    waiting->status = status;
    sem_post(&waiting->done);
}

static enum hf_status submit_with(struct world *world, const struct hf_submit_options *options)
{
    static const uint8_t body[] = {0x0a, 6, 0x12, 4, 0x12, 0, 0x12, 0};
    struct hf_batch *batch = hf_batch_new(HF_LOGS, sizeof(body), HF_EMPTY_SLICE);
    memcpy(hf_batch_room(batch), body, sizeof(body));
    hf_batch_seal(batch, sizeof(body), 2);
    struct waiting waiting = {.reply.done = answered};
    sem_init(&waiting.done, 0, 0);
    hf_submit_with(&world->receiver, batch, options, &waiting.reply);
    sem_wait(&waiting.done);
    sem_destroy(&waiting.done);
    hf_ref_drop(&batch->ref);
    return waiting.status;
}

/* A request of two empty log records, with a checkpoint if `place` is not NULL. */
static enum hf_status submit(struct world *world, const char *place)
{
    const struct hf_checkpoint checkpoint = {.name = hf_slice_text("place"),
                                             .value = hf_slice_text(place != NULL ? place : "")};
    return submit_with(world, &(const struct hf_submit_options){.checkpoints = &checkpoint,
                                                                .checkpoint_count = place != NULL});
}

#define ORIGIN "00112233445566778899aabbccddeeff"

/* The same two, which are called so. */
static enum hf_status submit_named(struct world *world, const char *names)
{
    return submit_with(world,
                       &(const struct hf_submit_options){.record_names = hf_slice_text(names)});
}

static struct wal_amount appended(const struct hf_pipeline *pipeline)
{
    struct wal_stat stat;
    wal_stat(pipeline->wal, &stat);
    return stat.appended;
}

static void stores_what_connectors_pass_on(void **state)
{
    const struct {
        unsigned times[LEAVES];
        bool keeps; /* the front pipeline has a queue too */
    } cases[] = {{{1, 1}, false}, {{0, 1}, false}, {{1, 0}, true}, {{0, 0}, false}, {{9, 4}, true}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world *world = make_world();
        memcpy(world->times, cases[i].times, sizeof(world->times));
        world->front.skips_queue = !cases[i].keeps;
        assert_int_equal(submit(world, NULL), HF_OK);
        assert_int_equal(appended(&world->front).items, cases[i].keeps ? 2 : 0);
        assert_int_equal(appended(&world->leaves[0]).items, 2 * cases[i].times[0]);
        assert_int_equal(appended(&world->leaves[1]).items, 2 * cases[i].times[1]);
        end_world(world);
    }
}

static void keeps_nothing_of_what_a_connector_refuses(void **state)
{
    struct world *world = make_world();
    (void)state;
    world->times[0] = 6;
    world->front.skips_queue = false;
    world->says = HF_INVALID;
    assert_int_equal(submit(world, "a"), HF_INVALID);
    assert_int_equal(appended(&world->front).records, 0);
    assert_int_equal(appended(&world->leaves[0]).records, 0);
    end_world(world);
}

static void see(void *user, struct hf_slice value)
{
    char *seen = user;
    strncat(seen, value.size != 0 ? (const char *)value.data : "-",
            value.size != 0 ? value.size : 1);
}

static void keeps_checkpoints_in_every_queue_behind_connectors(void **state)
{
    struct world *world = make_world();
    char seen[8] = "";
    (void)state;
    world->times[0] = 2;
    assert_int_equal(submit(world, "a"), HF_OK);
    assert_int_equal(hf_node_checkpoint_each(&world->receiver, hf_slice_text("place"), see, seen),
                     HF_OK);
    assert_string_equal(seen, "aa");
    assert_int_equal(appended(&world->leaves[0]).records, 2);
    assert_int_equal(appended(&world->leaves[1]).records, 1); /* of no items */
    assert_int_equal(appended(&world->leaves[1]).items, 0);
    assert_int_equal(appended(&world->front).records, 0);
    end_world(world);
}

static void looks_at_the_longest_queue_behind(void **state)
{
    struct world *world = make_world();
    struct hf_pipeline_state found;
    struct wal_consumer *consumer = NULL;
    const struct wal_consumer_options options = {.name = "reader"};
    (void)state;
    world->times[1] = 3;
    assert_int_equal(wal_consumer_open(world->leaves[1].wal, &options, &consumer), WAL_OK);
    hf_pipeline_look(&world->front, &found);
    assert_int_equal(found.queued_bytes, 0);
    assert_int_equal(submit(world, NULL), HF_OK);
    hf_pipeline_look(&world->front, &found);
    assert_int_equal(found.queued_bytes, 24);
    assert_false(found.is_failing);
    wal_consumer_close(consumer);
    hf_pipeline_look(&world->front, &found);
    assert_int_equal(found.queued_bytes, 0); /* of one that no one reads for */
    end_world(world);
}

static struct world *make_plain_world(void)
{
    struct world *world = make_world();
    world->front.skips_queue = false;
    world->front.behind_count = 0;
    return world;
}

static void stores_records_with_names_once(void **state)
{
    const struct {
        const char *names;
        uint64_t items; /* in the queue, after it */
    } steps[] = {
        {"1;" ORIGIN ";5:2", 2},
        {"1;" ORIGIN ";5:2", 2},
        {"1;" ORIGIN ";5+1:1/2;6:1", 3},
        {"1;" ORIGIN ";4:2", 5},
        {"1;" ORIGIN ";7+0:2/9", 7},
        {"1;" ORIGIN ";7+1:2/9", 8},
        {"1;" ORIGIN ";7+0:1/9;7+2:1/9", 8},
        {"1;" ORIGIN ";5:3", 10}, /* not of this batch */
    };
    struct world *world = make_plain_world();
    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        assert_int_equal(submit_named(world, steps[i].names), HF_OK);
        assert_int_equal(appended(&world->front).items, steps[i].items);
    }
    end_world(world);
}

/* As after a kill between the commits of two queues. */
static void stores_what_one_of_two_queues_has_in_the_other(void **state)
{
    struct world *world = make_plain_world();
    struct hf_pipeline *both[] = {&world->front, &world->leaves[0]};
    (void)state;
    assert_int_equal(submit_named(world, "1;" ORIGIN ";5:2"), HF_OK);
    world->receiver.routes[HF_LOGS] = both;
    world->receiver.route_count[HF_LOGS] = 2;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(submit_named(world, "1;" ORIGIN ";5:2"), HF_OK);
        assert_int_equal(appended(&world->front).items, 2);
        assert_int_equal(appended(&world->leaves[0]).items, 2);
    }
    end_world(world);
}

/* Behind connectors that answer at once the queues are of one pipeline: all have it, or it is
 * stored in all. The window is in the last record of each. */
static void keeps_windows_behind_connectors(void **state)
{
    struct world *world = make_world();
    (void)state;
    world->times[0] = 2;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(submit_named(world, "1;" ORIGIN ";5:2"), HF_OK);
        assert_int_equal(appended(&world->leaves[0]).records, 2);
        assert_int_equal(appended(&world->leaves[1]).records, 1); /* of no items */
    }
    end_world(world);
}

static void tells_a_second_request_to_come_again_while_the_first_is_on_its_way(void **state)
{
    struct world *world = make_plain_world();
    struct hf_arrivals *arrivals = hf_storage_arrivals(world->host.store);
    const struct hf_record_range range = {{5, 1}, {6, 0}};
    struct hf_arrival first = {.ranges = &range, .count = 1};
    (void)state;
    for (uint8_t i = 0; i < HF_ORIGIN_BYTES; i++) {
        first.origin[i] = (uint8_t)(0x11 * i);
    }
    assert_true(hf_arrivals_begin(arrivals, &first));
    assert_int_equal(submit_named(world, "1;" ORIGIN ";5:2"), HF_AGAIN);
    assert_int_equal(submit_named(world, "1;" ORIGIN ";6:2"), HF_OK);
    hf_arrivals_end(arrivals, &first);
    assert_int_equal(submit_named(world, "1;" ORIGIN ";5:2"), HF_OK);
    assert_int_equal(appended(&world->front).items, 4);
    end_world(world);
}

static void does_not_know_what_was_refused(void **state)
{
    struct world *world = make_plain_world();
    (void)state;
    wal_set_limits(world->front.wal, &(struct wal_limits){.max_bytes = 1});
    assert_int_not_equal(submit_named(world, "1;" ORIGIN ";5:2"), HF_OK);
    wal_set_limits(world->front.wal, &(struct wal_limits){.max_bytes = 0});
    assert_int_equal(submit_named(world, "1;" ORIGIN ";5:2"), HF_OK);
    assert_int_equal(appended(&world->front).items, 2);
    end_world(world);
}

/* The first queue and two more. */
static struct world *make_sharded_world(void)
{
    struct world *world = make_plain_world();
    world->front.shards = hf_shards_new(&world->front, HF_SHARD_ROUND_ROBIN);
    assert_non_null(world->front.shards);
    for (size_t i = 0; i < LEAVES; i++) {
        world->leaves[i].lead = &world->front;
        world->front.shards->queues[world->front.shards->count++] = &world->leaves[i];
    }
    return world;
}

static void fills_the_queues_of_a_pipeline_in_turn(void **state)
{
    struct world *world = make_sharded_world();
    struct hf_pipeline_state found;
    struct wal_consumer *consumers[2] = {NULL, NULL};
    const struct wal_consumer_options options = {.name = "reader"};
    (void)state;
    assert_int_equal(wal_consumer_open(world->front.wal, &options, &consumers[0]), WAL_OK);
    assert_int_equal(wal_consumer_open(world->leaves[1].wal, &options, &consumers[1]), WAL_OK);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(submit(world, NULL), HF_OK);
    }
    assert_int_equal(appended(&world->front).records, 2);
    assert_int_equal(appended(&world->leaves[0]).records, 1);
    assert_int_equal(appended(&world->leaves[1]).records, 1);
    hf_pipeline_look(&world->front, &found);
    assert_int_equal(found.queued_bytes, 24); /* of the two that have a reader */
    wal_consumer_close(consumers[0]);
    wal_consumer_close(consumers[1]);
    free(world->front.shards);
    end_world(world);
}

/* Whatever the number of queues is later, places are found there. */
static void puts_what_has_a_place_into_the_first_queue(void **state)
{
    struct world *world = make_sharded_world();
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(submit(world, "a"), HF_OK);
        assert_int_equal(submit_named(world, "1;" ORIGIN ";5:2"), HF_OK); /* once */
    }
    assert_int_equal(appended(&world->front).items, 6);
    assert_int_equal(appended(&world->leaves[0]).records, 0);
    assert_int_equal(appended(&world->leaves[1]).records, 0);
    free(world->front.shards);
    end_world(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_the_queues_of_a_pipeline_in_turn),
        cmocka_unit_test(puts_what_has_a_place_into_the_first_queue),
        cmocka_unit_test(stores_what_connectors_pass_on),
        cmocka_unit_test(keeps_nothing_of_what_a_connector_refuses),
        cmocka_unit_test(keeps_checkpoints_in_every_queue_behind_connectors),
        cmocka_unit_test(looks_at_the_longest_queue_behind),
        cmocka_unit_test(stores_records_with_names_once),
        cmocka_unit_test(stores_what_one_of_two_queues_has_in_the_other),
        cmocka_unit_test(keeps_windows_behind_connectors),
        cmocka_unit_test(tells_a_second_request_to_come_again_while_the_first_is_on_its_way),
        cmocka_unit_test(does_not_know_what_was_refused),
    };
    return cmocka_run_group_tests_name("ingest", tests, NULL, NULL);
}
