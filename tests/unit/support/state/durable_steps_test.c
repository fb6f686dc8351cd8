/* An input is done with when the outputs of its group are durable; one that fails leaves no
 * change. */
#include "support/state/durable_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "tests/support/bodies.c"
#include "tests/support/node_stub.c"
#include "tests/unit/queued_stub.h"

#define ITEMS 5u

struct bench {
    struct hf_node node;
    struct hf_steps *steps;
    enum hf_status answer; /* of the next step */
    bool drops;
    uint64_t number;
};

/* Remembers its number, and passes the batch on as it is. */
static enum hf_status step(void *user, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    struct bench *bench = user;
    struct hf_hash key = {++bench->number, 0};
    assert_int_equal(hf_state_put(hf_steps_state(bench->steps), key, HF_EMPTY_SLICE, 1), HF_OK);
    if (bench->answer == HF_OK && !bench->drops) {
        hf_ref_take(&batch->ref);
        *ret_batch = batch;
    }
    return bench->answer;
}

static enum hf_status process_queued(void *self, struct hf_input *input)
{
    return hf_steps_take(((struct bench *)self)->steps, input);
}

static const struct hf_queued_ops queued = {.process_queued = process_queued};
static const struct hf_component component = {.type = "steps", .queued = &queued};

static void begin(struct bench *bench)
{
    *bench = (struct bench){.node = {.id = "steps"}};
    node_stub_init(&bench->node);
    assert_int_equal(hf_loop_new(&bench->node.loop), HF_OK);
    const struct hf_steps_options options = {.ops = {.step = step, .user = bench},
                                             .format = "test/1",
                                             .keys_max = 1000,
                                             .bytes_max = 1 << 20};
    assert_int_equal(hf_steps_new(&bench->node, &options, &bench->steps), HF_OK);
    hf_steps_start(bench->steps);
}

static void end(struct bench *bench)
{
    hf_steps_stop(bench->steps);
    hf_steps_free(bench->steps);
    hf_loop_free(bench->node.loop);
    stub_release();
}

static enum hf_status offer(struct bench *bench, struct stub_input **ret_input)
{
    struct hf_bytes body = {0};
    bodies_make(HF_METRICS, 3, ITEMS, &body);
    enum hf_status status = stub_offer(&component, bench, HF_METRICS,
                                       hf_slice_of(body.data, body.size), ITEMS, ret_input);
    hf_bytes_release(&body);
    return status;
}

static void inputs_are_done_when_all_outputs_are_durable(void **state)
{
    struct bench bench;
    struct stub_input *first, *second;
    (void)state;
    begin(&bench);
    assert_int_equal(offer(&bench, &first), HF_OK);
    assert_int_equal(offer(&bench, &second), HF_OK);
    struct hf_output *output = stub.outputs[--stub.output_count];
    output->done(output, HF_OK);
    assert_int_equal(first->open + second->open, 2 * ITEMS);
    stub_answer(HF_OK);
    assert_int_equal(first->open + second->open, 0);
    assert_int_equal(first->dropped + second->dropped, 0);
    assert_int_equal(hf_state_count(hf_steps_state(bench.steps)), 2);
    end(&bench);
}

static void what_can_never_be_stored_is_dropped(void **state)
{
    struct bench bench;
    struct stub_input *input;
    (void)state;
    begin(&bench);
    assert_int_equal(offer(&bench, &input), HF_OK);
    stub_answer(HF_TOO_LARGE);
    assert_int_equal(input->open, 0);
    assert_int_equal(input->dropped, ITEMS);
    end(&bench);
}

static void a_stop_leaves_the_inputs_in_the_queue(void **state)
{
    struct bench bench;
    struct stub_input *input, *next;
    (void)state;
    begin(&bench);
    assert_int_equal(offer(&bench, &input), HF_OK);
    stub_answer(HF_CLOSED);
    assert_int_equal(input->open, ITEMS);
    assert_int_equal(offer(&bench, &next), HF_BUSY);
    end(&bench);
}

static void a_step_that_fails_leaves_no_change(void **state)
{
    struct bench bench;
    struct stub_input *input;
    (void)state;
    begin(&bench);
    bench.answer = HF_NOMEM;
    assert_int_equal(offer(&bench, &input), HF_NOMEM);
    assert_int_equal(hf_state_count(hf_steps_state(bench.steps)), 0);
    assert_int_equal(input->open, ITEMS);
    end(&bench);
}

static void a_group_has_an_end(void **state)
{
    struct bench bench;
    struct stub_input *input;
    size_t taken = 0;
    (void)state;
    begin(&bench);
    while (taken < 200 && offer(&bench, &input) == HF_OK) {
        taken++;
    }
    assert_int_equal(taken, 64);
    stub_answer(HF_OK);
    assert_int_equal(offer(&bench, &input), HF_OK);
    stub_answer(HF_OK);
    end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_are_done_when_all_outputs_are_durable),
        cmocka_unit_test(what_can_never_be_stored_is_dropped),
        cmocka_unit_test(a_stop_leaves_the_inputs_in_the_queue),
        cmocka_unit_test(a_step_that_fails_leaves_no_change),
        cmocka_unit_test(a_group_has_an_end),
    };
    return cmocka_run_group_tests_name("durable_steps", tests, NULL, NULL);
}
