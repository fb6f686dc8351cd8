/* The places of subreceivers in a real queue: they are listed, and forgotten one by one. */
#include <holdfast/subreceiver.h>

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
#include "util/log/log.h"
#include "util/metrics/metrics.h"

struct world {
    char directory[64];
    struct hf_host host;
    struct hf_graph graph;
    struct hf_node parent;
    struct hf_pipeline pipeline;
    struct hf_pipeline *routes[1];
};

static const struct hf_component component = {.type = "creator", .kind = HF_RECEIVER};

static struct world *make_world(void)
{
    char error[512] = "";
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    make_host(world->directory, &world->host);
    world->graph.host = &world->host;
    world->pipeline = (struct hf_pipeline){.id = "logs", .signal = HF_LOGS};
    const struct hf_queue_options options = {0};
    assert_int_equal(
        hf_storage_queue(world->host.store, "logs", &options, &world->pipeline.wal, error), HF_OK);
    world->routes[0] = &world->pipeline;
    world->parent = (struct hf_node){.id = "creator",
                                     .component = &component,
                                     .graph = &world->graph,
                                     .host = &world->host,
                                     .routes = {[HF_LOGS] = world->routes},
                                     .route_count = {[HF_LOGS] = 1}};
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
};

static void answered(struct hf_reply *reply, enum hf_status status)
{
    assert_int_equal(status, HF_OK);
    sem_post(&HF_CONTAINER(reply, struct waiting, reply)->done);
}

/* Keeps two names under a place. */
static void keep(struct world *world, const char *place)
{
    struct hf_node node = world->parent;
    struct waiting waiting = {.reply.done = answered};
    const struct hf_checkpoint checkpoints[] = {
        {.name = hf_slice_text("one"), .value = hf_slice_text("1")},
        {.name = hf_slice_text("two"), .value = hf_slice_text("2")}};
    struct hf_batch *batch = hf_batch_new(HF_LOGS, 0, HF_EMPTY_SLICE);
    assert_non_null(batch);
    hf_batch_seal(batch, 0, 0);
    node.place_id = place;
    sem_init(&waiting.done, 0, 0);
    hf_submit_with(&node, batch,
                   &(struct hf_submit_options){.checkpoints = checkpoints, .checkpoint_count = 2},
                   &waiting.reply);
    hf_ref_drop(&batch->ref);
    assert_int_equal(sem_wait(&waiting.done), 0);
    sem_destroy(&waiting.done);
}

static void list(void *user, const char *place)
{
    char *text = user;
    snprintf(text + strlen(text), 200 - strlen(text), "%s ", place);
}

static void assert_places(struct world *world, const char *prefix, const char *expected)
{
    char text[200] = "";
    hf_subreceiver_each_place(&world->parent, prefix, list, text);
    assert_string_equal(text, expected);
}

static void places_are_listed_and_forgotten(void **state)
{
    struct world *world = make_world();
    (void)state;
    keep(world, "creator@a");
    keep(world, "creator@ab");
    keep(world, "other@a");
    assert_places(world, "creator@", "creator@a creator@a creator@ab creator@ab ");
    hf_subreceiver_forget(&world->parent, "creator@a");
    for (int i = 0; i < 5000 && hf_graph_is_held(&world->graph); i++) {
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    assert_false(hf_graph_is_held(&world->graph));
    assert_places(world, "creator@", "creator@ab creator@ab ");
    assert_places(world, "other@", "other@a other@a ");
    hf_subreceiver_forget(&world->parent, "creator@none");
    assert_false(hf_graph_is_held(&world->graph));
    end_world(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(places_are_listed_and_forgotten)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
