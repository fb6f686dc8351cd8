/* How fast the delivery sends, and what it sends first: the window, the rate, the share of what
 * comes in, and the age. */
#include "delivery_world.h"

/* The delivery's thread. */
static void answer_held(struct hf_task *task)
{
    struct backend *backend = HF_CONTAINER(task, struct backend, release);
    struct hf_export *inflight[SCRIPT_MAX];
    pthread_mutex_lock(&backend->lock);
    size_t count = backend->held_count;
    memcpy(inflight, backend->inflight, sizeof(inflight));
    backend->held_count = 0;
    pthread_mutex_unlock(&backend->lock);
    for (size_t i = 0; i < count; i++) {
        hf_export_done(inflight[i], &backend->released_with);
    }
    sem_post(&backend->released);
}

static void put_with(struct world *world, uint32_t items, uint64_t raw_bytes, uint64_t age_ns)
{
    const struct put put = {HF_TRACES, items, raw_bytes, age_ns};
    put_as(world->pipeline.wal, &put);
}

static void put_aged(struct world *world, uint32_t items, uint64_t age_ns)
{
    put_with(world, items, 0, age_ns);
}

/* Until the backend has so many requests in its hands. */
static void wait_until_held(struct world *world, size_t count)
{
    const struct timespec pause = {0, 1000000};
    for (int i = 0; i < PATIENCE_S * 1000; i++) {
        pthread_mutex_lock(&world->backend.lock);
        size_t inflight = world->backend.held_count;
        pthread_mutex_unlock(&world->backend.lock);
        assert_true(inflight <= count);
        if (inflight == count) {
            return;
        }
        nanosleep(&pause, NULL);
    }
    fail_msg("the backend was not asked so many times");
}

static void answer_all(struct world *world, enum hf_status status, uint64_t retry_after_ns)
{
    struct backend *backend = &world->backend;
    backend->released_with = (struct hf_outcome){
        .status = status, .retry_after_ns = retry_after_ns, .message = "as told"};
    backend->release.run = answer_held;
    hf_loop_post(hf_delivery_loop(world->node.delivery), &backend->release);
    sem_wait(&backend->released);
}

static void answer_to_the_end(struct world *world)
{
    pthread_mutex_lock(&world->backend.lock);
    world->backend.holds_back = false;
    pthread_mutex_unlock(&world->backend.lock);
    answer_all(world, HF_OK, 0);
}

/* Requests of one record, so that each takes a place of the window. */
static void one_record_a_request(struct world *world)
{
    world->batching = (struct hf_batching){.send_batch_max_size = 1};
    world->pipeline.batching_id = "batch";
    world->pipeline.batching = &world->batching;
    world->backend.holds_back = true;
}

static void sends_half_as_many_at_once_when_told_to_slow_down_and_grows_back(void **state)
{
    static const struct {
        enum hf_status status;
        uint64_t retry_after_ns;
        size_t next;
    } steps[] = {
        {HF_BUSY, 0, 1},  /* 4 in flight; 2 may be, but one probes at first */
        {HF_AGAIN, 1, 1}, /* RetryInfo: 1 */
        {HF_AGAIN, 0, 1}, /* a plain fault says nothing of the pace */
        {HF_OK, 0, 2},    /* a windowful of 1: 2 */
        {HF_OK, 0, 3},    {HF_OK, 0, 4}, {HF_OK, 0, 4},
    };
    struct world *world = make_world();
    (void)state;
    one_record_a_request(world);
    open_delivery(world);
    for (int i = 0; i < 24; i++) {
        put(world, 1);
    }
    start(world);
    wait_until_held(world, 4);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        answer_all(world, steps[i].status, steps[i].retry_after_ns);
        wait_until_held(world, steps[i].next);
    }
    answer_to_the_end(world);
    assert_int_equal(wait_until_empty(world).delivered.items, 24);
    end_world(world);
}

static void sends_one_and_waits_when_the_rate_is_used_up(void **state)
{
    struct world *world = make_world();
    (void)state;
    one_record_a_request(world);
    world->config.queue.rate_limit = 1;
    open_delivery(world);
    for (int i = 0; i < 4; i++) {
        put(world, 1);
    }
    start(world);
    wait_until_held(world, 1);
    answer_all(world, HF_OK, 0);
    /* Nine bytes: the next may go after nine seconds, not when the delivery comes by here again. */
    answer_all(world, HF_OK, 0);
    wait_until_held(world, 0);
    hf_delivery_stop(world->node.delivery, 1000000000);
    assert_int_equal(world->backend.calls, 1);
    hf_delivery_close_consumers(world->node.delivery);
    assert_int_equal(accounting_of(world).queued.items, 3);
    end_world(world);
}

static void drains_at_the_rate_to_the_end(void **state)
{
    struct world *world = make_world();
    (void)state;
    world->batching = (struct hf_batching){.send_batch_max_size = 1};
    world->pipeline.batching_id = "batch";
    world->pipeline.batching = &world->batching;
    world->config.queue.rate_limit = 9000; /* a millisecond a request */
    open_delivery(world);
    for (int i = 0; i < 20; i++) {
        put(world, 1);
    }
    start(world);
    assert_int_equal(wait_until_empty(world).delivered.items, 20);
    assert_int_equal(world->backend.calls, 20);
    end_world(world);
}

/* More than the delivery reads at once, and a long backlog still: what counts is the size before
 * compression, which is the appender's word. One of them fills a request. */
#define BACKLOG 70
#define FILLS_A_REQUEST (UINT64_C(4) << 20)

static void put_backlog(struct world *world)
{
    for (int i = 0; i < BACKLOG; i++) {
        put_with(world, 1, FILLS_A_REQUEST, 0);
    }
}

static void gives_its_share_to_what_comes_in_and_the_rest_to_the_backlog(void **state)
{
    /* The second turn finds the backlog long; what comes after that is fresh. */
    static const uint32_t expected[] = {1, 1, 7, 1, 7, 1, 1, 1, 1, 1};
    const size_t count = sizeof(expected) / sizeof(expected[0]);
    struct world *world = make_world();
    (void)state;
    world->backend.holds_back = true;
    world->config.queue.num_consumers = 1;
    world->config.queue.fresh_share = 50;
    open_delivery(world);
    put_backlog(world);
    start(world);
    wait_until_held(world, 1);
    answer_all(world, HF_OK, 0);
    wait_until_held(world, 1);
    for (int i = 0; i < 2; i++) {
        put_with(world, 7, FILLS_A_REQUEST, 0);
    }
    for (size_t i = 2; i < count; i++) {
        answer_all(world, HF_OK, 0);
        wait_until_held(world, 1);
    }
    answer_to_the_end(world);
    assert_int_equal(wait_until_empty(world).delivered.items, BACKLOG + 14);
    assert_int_equal(world->backend.calls, BACKLOG + 2);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(world->backend.items[i], expected[i]);
    }
    end_world(world);
}

static void a_fault_holds_the_backlog_and_what_comes_in_back_alike(void **state)
{
    struct world *world = make_world();
    (void)state;
    world->backend.holds_back = true;
    world->config.queue.num_consumers = 2;
    world->config.queue.fresh_share = 50;
    open_delivery(world);
    put_backlog(world);
    start(world);
    wait_until_held(world, 2);
    put_with(world, 7, FILLS_A_REQUEST, 0);
    answer_all(world, HF_OK, 0);
    wait_until_held(world, 2); /* one of each */
    answer_all(world, HF_AGAIN, 0);
    wait_until_held(world, 1); /* one probe for both */
    answer_all(world, HF_OK, 0);
    wait_until_held(world, 2);
    answer_to_the_end(world);
    assert_int_equal(wait_until_empty(world).delivered.items, BACKLOG + 7);
    assert_int_equal(world->backend.calls, BACKLOG + 1 + 2);
    assert_int_equal(world->backend.items[2] + world->backend.items[3], 8);
    end_world(world);
}

static void what_is_pending_of_both_stays_in_the_queue_at_a_stop(void **state)
{
    struct world *world = make_world();
    (void)state;
    world->backend.holds_back = true;
    world->config.queue.num_consumers = 2;
    world->config.queue.fresh_share = 50;
    open_delivery(world);
    put_backlog(world);
    start(world);
    wait_until_held(world, 2);
    put_with(world, 7, FILLS_A_REQUEST, 0);
    put_with(world, 7, FILLS_A_REQUEST, 0);
    answer_all(world, HF_OK, 0);
    wait_until_held(world, 2);
    hf_delivery_begin_stop(world->node.delivery);
    answer_all(world, HF_AGAIN, 0);
    hf_delivery_stop(world->node.delivery, 1000000000);
    hf_delivery_close_consumers(world->node.delivery);
    struct wal_accounting accounting = accounting_of(world);
    assert_int_equal(accounting.delivered.items, 2);
    assert_int_equal(accounting.queued.items, BACKLOG - 2 + 14);
    end_world(world);
}

#define HOUR_NS UINT64_C(3600000000000)

static void drops_what_is_older_than_the_user_wants_and_nothing_else(void **state)
{
    struct world *world = make_world();
    (void)state;
    world->config.queue.max_age_ns = HOUR_NS;
    open_delivery(world);
    for (int i = 0; i < 200; i++) {
        put_aged(world, 2, 2 * HOUR_NS);
    }
    put(world, 3);
    start(world);
    struct wal_accounting accounting = wait_until_empty(world);
    assert_int_equal(accounting.dropped[WAL_DROP_GAVE_UP].items, 400);
    assert_int_equal(accounting.delivered.items, 3);
    end_world(world);
}

static void without_a_limit_no_age_is_too_old(void **state)
{
    struct world *world = make_world();
    (void)state;
    open_delivery(world);
    put_aged(world, 2, 1000000 * HOUR_NS);
    start(world);
    assert_int_equal(wait_until_empty(world).delivered.items, 2);
    end_world(world);
}

static void drops_a_request_that_grew_too_old_while_it_was_repeated(void **state)
{
    enum hf_status never[SCRIPT_MAX];
    struct world *world = make_world();
    (void)state;
    for (size_t i = 0; i < SCRIPT_MAX; i++) {
        never[i] = HF_AGAIN;
    }
    script(world, never, SCRIPT_MAX);
    world->config.queue.max_age_ns = HOUR_NS;
    world->config.retry.initial_interval_ns = world->config.retry.max_interval_ns = 50000000;
    open_delivery(world);
    put_aged(world, 5, HOUR_NS - 1000000000);
    start(world);
    assert_int_equal(wait_until_empty(world).dropped[WAL_DROP_GAVE_UP].items, 5);
    assert_true(world->backend.calls >= 1);
    end_world(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_half_as_many_at_once_when_told_to_slow_down_and_grows_back),
        cmocka_unit_test(sends_one_and_waits_when_the_rate_is_used_up),
        cmocka_unit_test(drains_at_the_rate_to_the_end),
        cmocka_unit_test(gives_its_share_to_what_comes_in_and_the_rest_to_the_backlog),
        cmocka_unit_test(a_fault_holds_the_backlog_and_what_comes_in_back_alike),
        cmocka_unit_test(what_is_pending_of_both_stays_in_the_queue_at_a_stop),
        cmocka_unit_test(drops_what_is_older_than_the_user_wants_and_nothing_else),
        cmocka_unit_test(without_a_limit_no_age_is_too_old),
        cmocka_unit_test(drops_a_request_that_grew_too_old_while_it_was_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
