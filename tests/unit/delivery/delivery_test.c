/* What the delivery does with each answer of a backend, seen in the accounts of the queue. The
 * exporter is made up; the queue is real. */
#include "delivery_world.h"

static void delivers_what_waits_and_what_comes(void **state)
{
    struct world *world = make_world();
    (void)state;
    open_delivery(world);
    put(world, 3);
    start(world);
    put(world, 4);
    struct wal_accounting accounting = wait_until_empty(world);
    assert_int_equal(accounting.accepted.items, 7);
    assert_int_equal(accounting.delivered.items, 7);
    end_world(world);
}

static void repeats_passing_faults_until_they_pass(void **state)
{
    static const enum hf_status faults[] = {
        HF_AGAIN, HF_DEADLINE,        HF_IO,        HF_FULL,      HF_BUSY,       HF_NOMEM,
        HF_AGAIN, HF_UNAUTHENTICATED, HF_FORBIDDEN, HF_NOT_FOUND, HF_UNSUPPORTED};
    struct world *world = make_world();
    (void)state;
    script(world, faults, sizeof(faults) / sizeof(faults[0]));
    open_delivery(world);
    put(world, 5);
    start(world);
    struct wal_accounting accounting = wait_until_empty(world);
    assert_int_equal(accounting.delivered.items, 5);
    assert_int_equal(world->backend.calls, sizeof(faults) / sizeof(faults[0]) + 1);
    assert_false(hf_delivery_is_unhealthy(world->node.delivery));
    end_world(world);
}

/* For those who choose among pipelines: hf_pipeline_look(). */
static void says_while_it_fails_that_it_does(void **state)
{
    static const struct hf_pipeline other = {.id = "other"};
    struct world *world = make_world();
    (void)state;
    answer(world, HF_AGAIN);
    open_delivery(world);
    assert_false(hf_delivery_is_failing(world->node.delivery, &world->pipeline));
    put(world, 5);
    start(world);
    wait_for_count(world, &world->backend.calls, 2); /* the first answer was seen by then */
    assert_true(hf_delivery_is_failing(world->node.delivery, &world->pipeline));
    assert_false(hf_delivery_is_failing(world->node.delivery, &other));
    answer(world, HF_OK);
    wait_until_empty(world);
    assert_false(hf_delivery_is_failing(world->node.delivery, &world->pipeline));
    end_world(world);
}

static void keeps_the_data_when_the_time_for_retries_is_over(void **state)
{
    static const enum hf_status faults[] = {HF_AGAIN, HF_AGAIN, HF_AGAIN, HF_AGAIN, HF_AGAIN};
    struct world *world = make_world();
    (void)state;
    world->config.retry.max_elapsed_time_ns = 1;
    script(world, faults, 5);
    open_delivery(world);
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
    open_delivery(world);
    put(world, 5);
    start(world);
    struct wal_accounting accounting = wait_until_empty(world);
    assert_int_equal(accounting.delivered.items, 0);
    assert_int_equal(accounting.dropped[WAL_DROP_GAVE_UP].items, 5);
    end_world(world);
}

static void counts_a_partial_success_as_delivered_less_the_rejected(void **state)
{
    static const enum hf_status answers[] = {HF_OK};
    struct world *world = make_world();
    (void)state;
    script(world, answers, 1);
    world->backend.rejected[0] = 4;
    open_delivery(world);
    put(world, 3);
    put(world, 3);
    start(world);
    struct wal_accounting accounting = wait_until_empty(world);
    assert_int_equal(accounting.delivered.items, 2);
    assert_int_equal(accounting.dropped[WAL_DROP_REJECTED].items, 4);
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
    open_delivery(world);
    put(world, 2);
    put(world, 2);
    start(world);
    struct wal_accounting accounting = wait_until_empty(world);
    assert_int_equal(accounting.delivered.items, 4);
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
    open_delivery(world);
    put(world, 1);
    put(world, 2);
    put(world, 3);
    start(world);
    struct wal_accounting accounting = wait_until_empty(world);
    assert_int_equal(accounting.delivered.items, 3);
    assert_int_equal(accounting.dead_lettered.items, 3);
    struct wal_stat stat;
    wal_stat(hf_storage_dead_letters(world->host.store, "made_up",
                                     &(const struct wal_limits){16 << 20, false}),
             &stat);
    assert_int_equal(stat.appended.items, 3);
    end_world(world);
}

/* The backend fails at requests of 7 items and more. */
static void poison(struct world *world)
{
    world->backend.poison = 7;
    world->config.queue.num_consumers = 1;
    world->config.retry.max_elapsed_time_ns = UINT64_C(50000000);
}

static void lets_others_overtake_what_the_backend_fails_at(void **state)
{
    struct world *world = make_world();
    (void)state;
    poison(world);
    world->config.retry.max_elapsed_time_ns = 0;
    open_delivery(world);
    put(world, 7);
    start(world);
    wait_for_count(world, &world->backend.poisoned, 2);
    put(world, 5);
    wait_for_delivered(world, 5);
    put(world, 6);
    wait_for_delivered(world, 11);
    struct wal_accounting accounting = accounting_of(world);
    assert_int_equal(accounting.queued.items, 7);
    assert_int_equal(accounting.dead_lettered.items, 0);
    end_world(world);
}

static void buries_what_fails_for_long_while_others_pass(void **state)
{
    struct world *world = make_world();
    struct wal_accounting accounting;
    (void)state;
    poison(world);
    open_delivery(world);
    put(world, 7);
    start(world);
    uint64_t delivered = 0;
    do {
        put(world, 1);
        wait_for_delivered(world, ++delivered);
        accounting = accounting_of(world);
    } while (accounting.dead_lettered.items == 0);
    assert_int_equal(accounting.dead_lettered.items, 7);
    assert_int_equal(accounting.queued.items, 0);
    assert_int_equal(accounting.accepted.items, 7 + delivered);
    end_world(world);
}

static void buries_nothing_while_nothing_passes(void **state)
{
    struct world *world = make_world();
    (void)state;
    poison(world);
    world->config.retry.max_elapsed_time_ns = 1;
    open_delivery(world);
    for (int i = 0; i < 3; i++) {
        put(world, 7);
    }
    start(world);
    wait_for_count(world, &world->backend.poisoned, 30);
    assert_int_equal(accounting_of(world).queued.items, 21);
    assert_true(hf_delivery_is_unhealthy(world->node.delivery));
    pthread_mutex_lock(&world->backend.lock);
    world->backend.poison = 0;
    pthread_mutex_unlock(&world->backend.lock);
    assert_int_equal(wait_until_empty(world).delivered.items, 21);
    assert_false(hf_delivery_is_unhealthy(world->node.delivery));
    end_world(world);
}

static void takes_a_failing_request_apart_until_the_culprit_is_alone(void **state)
{
    /* All four records are in one request: 10 items, then 8 and 2, then 7 and 1. */
    struct world *world = make_world();
    (void)state;
    poison(world);
    world->config.retry.max_elapsed_time_ns = 0;
    open_delivery(world);
    put(world, 7);
    put(world, 1);
    put(world, 1);
    put(world, 1);
    start(world);
    wait_for_delivered(world, 3);
    assert_int_equal(accounting_of(world).queued.items, 7);
    end_world(world);
}

static void holds_what_finds_the_dead_letters_full(void **state)
{
    struct world *world = make_world();
    (void)state;
    answer(world, HF_INVALID);
    world->config.queue.num_consumers = 1;
    world->config.queue.dead_letter.max_bytes = 1; /* room for nothing */
    open_delivery(world);
    put(world, 4);
    start(world);
    wait_for_count(world, &world->backend.calls, 3);
    assert_true(hf_delivery_is_unhealthy(world->node.delivery));
    assert_int_equal(accounting_of(world).queued.items, 4);
    answer(world, HF_OK);
    struct wal_accounting accounting = wait_until_empty(world);
    assert_int_equal(accounting.delivered.items, 4);
    assert_int_equal(accounting.dead_lettered.items, 0);
    assert_false(hf_delivery_is_unhealthy(world->node.delivery));
    end_world(world);
}

static void drops_what_is_refused_when_dead_letters_are_off(void **state)
{
    static const enum hf_status answers[] = {HF_INVALID};
    struct world *world = make_world();
    (void)state;
    world->config.queue.dead_letter.enabled = false;
    script(world, answers, 1);
    open_delivery(world);
    put(world, 2);
    start(world);
    assert_int_equal(wait_until_empty(world).dropped[WAL_DROP_PERMANENT].items, 2);
    end_world(world);
}

static void waits_for_the_batch_size_and_cuts_at_its_maximum(void **state)
{
    struct world *world = make_world();
    (void)state;
    world->batching = (struct hf_batching){
        .timeout_ns = UINT64_C(3600000000000), .send_batch_size = 6, .send_batch_max_size = 6};
    world->pipeline.batching = &world->batching;
    world->pipeline.batching_id = "batch";
    world->config.queue.num_consumers = 1;
    open_delivery(world);
    start(world);
    put(world, 4);
    assert_int_equal(accounting_of(world).queued.items, 4);
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
    world->batching = (struct hf_batching){.timeout_ns = 5000000, .send_batch_size = 1000};
    world->pipeline.batching = &world->batching;
    world->pipeline.batching_id = "batch";
    open_delivery(world);
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
    open_delivery(world);
    put(world, 5);
    start(world);
    hf_delivery_stop(world->node.delivery, UINT64_C(1000000000));
    hf_delivery_close_consumers(world->node.delivery);
    struct wal_accounting accounting = accounting_of(world);
    assert_int_equal(accounting.queued.items, 5);
    assert_int_equal(accounting.delivered.items, 0);
    end_world(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delivers_what_waits_and_what_comes),
        cmocka_unit_test(repeats_passing_faults_until_they_pass),
        cmocka_unit_test(says_while_it_fails_that_it_does),
        cmocka_unit_test(keeps_the_data_when_the_time_for_retries_is_over),
        cmocka_unit_test(drops_after_that_time_only_when_told_to),
        cmocka_unit_test(counts_a_partial_success_as_delivered_less_the_rejected),
        cmocka_unit_test(halves_what_is_too_large_down_to_single_items),
        cmocka_unit_test(buries_only_the_record_that_is_refused_for_good),
        cmocka_unit_test(lets_others_overtake_what_the_backend_fails_at),
        cmocka_unit_test(buries_what_fails_for_long_while_others_pass),
        cmocka_unit_test(buries_nothing_while_nothing_passes),
        cmocka_unit_test(takes_a_failing_request_apart_until_the_culprit_is_alone),
        cmocka_unit_test(holds_what_finds_the_dead_letters_full),
        cmocka_unit_test(drops_what_is_refused_when_dead_letters_are_off),
        cmocka_unit_test(waits_for_the_batch_size_and_cuts_at_its_maximum),
        cmocka_unit_test(sends_what_waits_when_the_batch_timeout_passes),
        cmocka_unit_test(leaves_the_rest_in_the_queue_when_it_stops),
    };
    return cmocka_run_group_tests_name("delivery", tests, NULL, NULL);
}
