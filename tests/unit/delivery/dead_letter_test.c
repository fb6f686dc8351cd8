/* Dead letters that a pipeline takes: what it is given, and what becomes of its answers. */
#include "delivery_world.h"

#include "pdata/attributes.h"
#include "pdata/scan.h"
#include "pdata/wire_find.h"

#define SEEN_MAX 16

/* Stands for hf_submit_to(): answers from a script, past its end with OK. */
static struct {
    struct hf_pipeline pipeline;
    enum hf_status script[SEEN_MAX];
    size_t script_size;
    size_t calls;
    struct hf_batch *batches[SEEN_MAX];
} taker;

static void submit(struct hf_node *node, struct hf_pipeline *const *pipelines, size_t count,
                   struct hf_batch *batch, struct hf_reply *reply)
{
    size_t call = taker.calls++;
    (void)node;
    assert_int_equal(count, 1);
    assert_ptr_equal(pipelines[0], &taker.pipeline);
    assert_in_range(call, 0, SEEN_MAX - 1);
    hf_ref_take(&batch->ref);
    taker.batches[call] = batch;
    reply->done(reply, call < taker.script_size ? taker.script[call] : HF_OK);
}

static struct world *make_piped(enum hf_signal signal)
{
    static const enum hf_status refused[] = {HF_INVALID};
    struct world *world = make_world();
    memset(&taker, 0, sizeof(taker));
    taker.pipeline = (struct hf_pipeline){.id = "dead", .signal = signal};
    script(world, refused, 1);
    open_delivery(world);
    hf_delivery_lead_dead_letters(world->node.delivery, &taker.pipeline, submit);
    return world;
}

static uint64_t on_disk(struct world *world)
{
    struct wal_stat stat;
    const struct wal_limits limits = {16 << 20, false};
    wal_stat(hf_storage_dead_letters(world->host.store, "made_up", &limits), &stat);
    return stat.appended.items;
}

static void end_piped(struct world *world)
{
    end_world(world);
    for (size_t i = 0; i < taker.calls; i++) {
        hf_ref_drop(&taker.batches[i]->ref);
    }
}

/* The attributes of the first resource. */
static struct hf_slice resource_of(const struct hf_batch *batch)
{
    return hf_wire_find_bytes(hf_wire_find_bytes(batch->raw, 1), 1);
}

static bool has_text(struct hf_slice resource, const char *key, const char *text)
{
    struct hf_slice value = HF_EMPTY_SLICE;
    size_t size = strlen(text);
    return hf_attribute_of(resource, 1, hf_slice_text(key), &value) && value.size == size + 2 &&
           memcmp(value.data + 2, text, size) == 0;
}

static void gives_the_same_signal_as_it_was_with_the_reason_in_its_resources(void **state)
{
    struct world *world = make_piped(HF_TRACES);
    struct hf_scan scan = {0};
    (void)state;
    put(world, 3);
    start(world);
    struct wal_accounting accounting = wait_until_empty(world);
    assert_int_equal(accounting.dead_lettered.items, 3);
    assert_int_equal(taker.calls, 1);
    const struct hf_batch *batch = taker.batches[0];
    assert_int_equal(batch->signal, HF_TRACES);
    assert_int_equal(batch->items, 3);
    assert_int_equal(hf_scan(HF_TRACES, batch->raw, &scan), HF_OK);
    assert_int_equal(scan.items, 3);
    assert_true(has_text(resource_of(batch), "holdfast.dead_letter.reason", "as scripted"));
    assert_true(has_text(resource_of(batch), "holdfast.dead_letter.exporter", "made_up"));
    assert_true(has_text(resource_of(batch), "holdfast.dead_letter.pipeline", "traces"));
    assert_int_equal(on_disk(world), 0);
    end_piped(world);
}

static void makes_a_log_record_of_another_signal(void **state)
{
    struct world *world = make_piped(HF_LOGS);
    struct hf_scan scan = {0};
    (void)state;
    put(world, 3);
    start(world);
    assert_int_equal(wait_until_empty(world).dead_lettered.items, 3);
    assert_int_equal(taker.calls, 1);
    const struct hf_batch *batch = taker.batches[0];
    assert_int_equal(batch->signal, HF_LOGS);
    assert_int_equal(batch->items, 1);
    assert_int_equal(hf_scan(HF_LOGS, batch->raw, &scan), HF_OK);
    assert_int_equal(scan.items, 1);
    assert_true(has_text(resource_of(batch), "holdfast.dead_letter.signal", "traces"));
    assert_non_null(memmem(batch->raw.data, batch->raw.size, "{\"resourceSpans\":[", 18));
    end_piped(world);
}

static void waits_while_the_pipeline_takes_nothing(void **state)
{
    struct world *world = make_piped(HF_TRACES);
    (void)state;
    for (int i = 0; i < 3; i++) {
        world->backend.script[i] = HF_INVALID; /* it is offered to the backend again each time */
        taker.script[i] = HF_FULL;
    }
    world->backend.script[3] = HF_INVALID;
    world->backend.script_size = 4;
    taker.script_size = 3;
    put(world, 3);
    start(world);
    assert_int_equal(wait_until_empty(world).dead_lettered.items, 3);
    assert_int_equal(taker.calls, 4);
    assert_int_equal(on_disk(world), 0);
    assert_false(hf_delivery_is_unhealthy(world->node.delivery));
    end_piped(world);
}

static void keeps_on_disk_what_the_pipeline_never_takes(void **state)
{
    struct world *world = make_piped(HF_TRACES);
    (void)state;
    taker.script[0] = HF_TOO_LARGE;
    taker.script_size = 1;
    put(world, 3);
    start(world);
    assert_int_equal(wait_until_empty(world).dead_lettered.items, 3);
    assert_int_equal(taker.calls, 1);
    assert_int_equal(on_disk(world), 3);
    end_piped(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_same_signal_as_it_was_with_the_reason_in_its_resources),
        cmocka_unit_test(makes_a_log_record_of_another_signal),
        cmocka_unit_test(waits_while_the_pipeline_takes_nothing),
        cmocka_unit_test(keeps_on_disk_what_the_pipeline_never_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
