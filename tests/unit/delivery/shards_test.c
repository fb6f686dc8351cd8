/* Queues that a pipeline shares its limits among, and one that it has no more: its reader lets go
 * of it once all is delivered. */
#include "delivery_world.h"

#define MIB (UINT64_C(1) << 20)

static void lets_go_of_a_queue_when_all_is_delivered(void **state)
{
    const struct timespec pause = {0, 1000000};
    struct world *world = make_world();
    bool is_gone = false;
    (void)state;
    open_delivery(world);
    put(world, 3);
    start(world);
    assert_int_equal(wait_until_empty(world).delivered.items, 3);
    assert_false(hf_storage_remove_drained(world->host.store, "traces")); /* it is read */
    for (int i = 0; i < 10000 && !is_gone; i++) {
        hf_delivery_let_go(world->node.delivery, &world->pipeline);
        is_gone = hf_storage_remove_drained(world->host.store, "traces");
        nanosleep(&pause, NULL);
    }
    assert_true(is_gone);
    assert_false(hf_storage_has_queue(world->host.store, "traces"));
    hf_delivery_refresh(world->node.delivery);
    hf_delivery_let_go(world->node.delivery, &world->pipeline);
    end_world(world);
}

static void keeps_a_queue_that_has_something(void **state)
{
    static const enum hf_status again[] = {HF_AGAIN};
    const struct timespec pause = {0, 1000000};
    struct world *world = make_world();
    (void)state;
    world->config.retry.initial_interval_ns = UINT64_C(3600000000000);
    world->config.retry.max_interval_ns = UINT64_C(3600000000000);
    script(world, again, 1);
    open_delivery(world);
    put(world, 3);
    start(world);
    wait_for_count(world, &world->backend.calls, 1);
    for (int i = 0; i < 20; i++) {
        hf_delivery_let_go(world->node.delivery, &world->pipeline);
        assert_false(hf_storage_remove_drained(world->host.store, "traces"));
        nanosleep(&pause, NULL);
    }
    assert_int_equal(accounting_of(world).queued.items, 3);
    end_world(world);
}

static void divides_the_limits_among_the_queues(void **state)
{
    char error[512] = "";
    struct world *world = make_world();
    struct wal *wal = NULL;
    struct wal_stat stat;
    struct wal_append append = {.items = 1, .raw_bytes = 1, .body = hf_slice_text("x")};
    const struct hf_queue_options options = {.max_bytes = 48 * MIB, .parts = 3};
    (void)state;
    assert_int_equal(hf_storage_queue(world->host.store, "traces~1", &options, &wal, error), HF_OK);
    wal_stat(wal, &stat);
    assert_int_equal(stat.disk_bytes_max, 16 * MIB);
    world->config.queue.queue_size = 5;
    world->config.queue.queue_size_written = true;
    world->config.queue.sizer = HF_SIZER_REQUESTS;
    world->pipeline.queue_count = 3;
    open_delivery(world);
    put(world, 1);
    put(world, 1);
    assert_int_equal(wal_admit(world->pipeline.wal, &append), WAL_FULL);
    end_world(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_go_of_a_queue_when_all_is_delivered),
        cmocka_unit_test(keeps_a_queue_that_has_something),
        cmocka_unit_test(divides_the_limits_among_the_queues),
    };
    return cmocka_run_group_tests_name("delivery_shards", tests, NULL, NULL);
}
