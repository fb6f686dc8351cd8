/* Dead letters that an operator requeues, and the delivery that alone sends them again. */
#include "tests/unit/delivery/delivery_world.h"

#include <holdfast/meta.h>

#include "delivery/dead_letter_meta.h"
#include "service/queue/dead_letters.h"

static const enum hf_status refusals[] = {HF_INVALID, HF_INVALID, HF_INVALID, HF_INVALID};

/* A world whose delivery runs and has dead_letter_written records of 1, 2, 3 items. */
static struct world *make_letters(void)
{
    struct world *world = make_world();
    world->config.queue.num_consumers = 1;
    script(world, refusals, 3);
    open_delivery(world);
    start(world);
    for (uint32_t items = 1; items <= 3; items++) {
        put(world, items);
        assert_int_equal(wait_until_empty(world).dead_lettered.records, items);
    }
    return world;
}

static void stop_delivery(struct world *world)
{
    hf_delivery_stop(world->node.delivery, UINT64_C(1000000000));
    hf_delivery_free(world->node.delivery);
    world->node.delivery = NULL;
}

static void start_delivery(struct world *world)
{
    open_delivery(world);
    start(world);
}

/* Runs the operator's command; what it says is checked and its code returned. */
static enum hf_exit requeue(struct world *world, const char *says)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    enum hf_exit code = hf_dead_letters_requeue(world->host.store, "made_up", NULL, out);
    fclose(out);
    assert_non_null(strstr(text, says));
    free(text);
    return code;
}

static struct wal *requeued(struct world *world)
{
    char error[512] = "";
    struct wal *wal = NULL;
    assert_int_equal(hf_storage_requeue(world->host.store, "made_up", &wal, error), HF_OK);
    return wal;
}

static struct wal *letters(struct world *world)
{
    return hf_storage_dead_letters(world->host.store, "made_up",
                                   &(const struct wal_limits){16 << 20, false});
}

static void are_sent_while_the_sender_runs(void **state)
{
    struct world *world = make_letters();
    (void)state;
    assert_int_equal(requeue(world, "requeued 3 dead letters of made_up, 6 items\n"), HF_EXIT_OK);
    struct wal_accounting accounting = wait_until_drained(requeued(world));
    assert_int_equal(accounting.accepted.items, 6);
    assert_int_equal(accounting.delivered.items, 6);
    assert_int_equal(accounting_in(letters(world)).delivered.items, 6);
    assert_int_equal(accounting_of(world).dead_lettered.items, 6);
    assert_int_equal(accounting_of(world).accepted.items, 6);
    end_world(world);
}

static void wait_for_a_sender_that_does_not_run(void **state)
{
    struct world *world = make_letters();
    (void)state;
    stop_delivery(world);
    assert_int_equal(requeue(world, "they wait in requeue:made_up"), HF_EXIT_OK);
    assert_int_equal(accounting_in(requeued(world)).queued.items, 6);
    start_delivery(world);
    assert_int_equal(wait_until_drained(requeued(world)).delivered.items, 6);
    end_world(world);
}

static bool check_meta(void *user, const struct wal_record *record, bool damaged)
{
    size_t *seen = user;
    size_t cursor = 0;
    struct hf_meta_entry entry;
    assert_false(damaged);
    for (seen[0] = 0; hf_meta_next(record->meta, &cursor, &entry); seen[0]++) {
        if ((int)entry.kind == HF_DEAD_LETTER_PIPELINE) {
            assert_true(hf_slice_equal(entry.value, hf_slice_text("traces")));
            seen[1]++;
        }
    }
    assert_int_equal(seen[0], 3); /* reason, code, pipeline: those of the last refusal alone */
    return true;
}

static void are_dead_letters_again_when_refused_again(void **state)
{
    struct world *world = make_world();
    size_t seen[2] = {0};
    (void)state;
    script(world, refusals, 4);
    start_delivery(world);
    put(world, 2);
    wait_until_empty(world);
    for (uint64_t times = 1; times <= 3; times++) {
        assert_int_equal(requeue(world, "requeued 1 dead letters of made_up, 2 items\n"),
                         HF_EXIT_OK);
        struct wal_accounting accounting = wait_until_drained(requeued(world));
        assert_int_equal(accounting.dead_lettered.items, 2 * times);
        accounting = accounting_in(letters(world));
        assert_int_equal(accounting.queued.items, 2);
        assert_int_equal(accounting.delivered.items, 2 * times);
    }
    assert_int_equal(wal_scan(letters(world), 0, check_meta, seen), WAL_OK);
    assert_int_equal(seen[1], 4);
    end_world(world);
}

static void of_different_signals_go_in_different_requests(void **state)
{
    static const enum hf_signal signals[] = {HF_LOGS, HF_LOGS, HF_TRACES, HF_METRICS, HF_LOGS};
    static const enum hf_signal expected[] = {HF_LOGS, HF_TRACES, HF_METRICS, HF_LOGS};
    struct world *world = make_world();
    (void)state;
    world->config.queue.num_consumers = 1;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        put_into(requeued(world), signals[i], 1);
    }
    start_delivery(world);
    assert_int_equal(wait_until_drained(requeued(world)).delivered.items, 5);
    assert_int_equal(world->backend.calls, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(world->backend.signals[i], expected[i]);
    }
    end_world(world);
}

static void of_no_known_signal_are_counted_as_damaged(void **state)
{
    struct world *world = make_world();
    (void)state;
    put_into(requeued(world), HF_SIGNAL_COUNT, 3);
    start_delivery(world);
    assert_int_equal(wait_until_drained(requeued(world)).dropped[WAL_DROP_DAMAGED].items, 3);
    assert_int_equal(world->backend.calls, 0);
    end_world(world);
}

static void wait_while_somebody_else_has_them_open(void **state)
{
    struct world *world = make_world();
    struct wal_consumer *other = NULL;
    const struct wal_consumer_options options = {.name = "made_up"};
    (void)state;
    put_into(requeued(world), HF_TRACES, 1);
    assert_int_equal(wal_consumer_open(requeued(world), &options, &other), WAL_OK);
    start_delivery(world);
    put(world, 1);
    wait_until_empty(world);
    assert_int_equal(accounting_in(requeued(world)).queued.items, 1);
    wal_consumer_close(other);
    assert_int_equal(wait_until_drained(requeued(world)).delivered.items, 1);
    end_world(world);
}

static void are_dropped_only_when_nobody_sends_them(void **state)
{
    static const enum hf_status faults[] = {HF_AGAIN};
    struct world *world = make_world();
    FILE *out = fopen("/dev/null", "we");
    (void)state;
    world->config.retry.initial_interval_ns = UINT64_C(3600000000000);
    world->config.retry.max_interval_ns = UINT64_C(3600000000000);
    script(world, faults, 1);
    put_into(requeued(world), HF_TRACES, 1);
    put_into(requeued(world), HF_LOGS, 2);
    start_delivery(world);
    assert_int_equal(hf_dead_letters_drop_requeued(requeued(world), "made_up", out),
                     HF_EXIT_FAILED);
    assert_int_equal(accounting_in(requeued(world)).queued.items, 3);
    stop_delivery(world);
    assert_int_equal(hf_dead_letters_drop_requeued(requeued(world), "made_up", out), HF_EXIT_OK);
    struct wal_accounting accounting = accounting_in(requeued(world));
    assert_int_equal(accounting.queued.items, 0);
    assert_int_equal(accounting.dropped[WAL_DROP_OPERATOR].items, 3);
    fclose(out);
    start_delivery(world);
    end_world(world);
}

static void stay_when_there_is_no_room_for_them(void **state)
{
    struct world *world = make_letters();
    (void)state;
    stop_delivery(world);
    wal_set_limits(requeued(world), &(struct wal_limits){.max_bytes = 1});
    assert_int_equal(requeue(world, "the rest stays where it is"), HF_EXIT_FAILED);
    assert_int_equal(accounting_in(letters(world)).queued.items, 6);
    assert_int_equal(accounting_in(requeued(world)).accepted.items, 0);
    start_delivery(world);
    end_world(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(are_sent_while_the_sender_runs),
        cmocka_unit_test(wait_for_a_sender_that_does_not_run),
        cmocka_unit_test(are_dead_letters_again_when_refused_again),
        cmocka_unit_test(of_different_signals_go_in_different_requests),
        cmocka_unit_test(of_no_known_signal_are_counted_as_damaged),
        cmocka_unit_test(wait_while_somebody_else_has_them_open),
        cmocka_unit_test(are_dropped_only_when_nobody_sends_them),
        cmocka_unit_test(stay_when_there_is_no_room_for_them),
    };
    return cmocka_run_group_tests_name("requeued", tests, NULL, NULL);
}
