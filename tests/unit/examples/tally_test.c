/* The connector of docs/examples, between two made-up queues. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

#include "pdata/document.h"
#include "pdata/message.h"

extern const struct hf_component hf_connector_tally;

static struct hf_output *pending;
static struct hf_batch *emitted;
static size_t inputs_done;

void hf_emit(struct hf_node *node, struct hf_batch *batch, struct hf_output *output)
{
    (void)node;
    hf_ref_take(&batch->ref);
    emitted = batch;
    pending = output;
}

void hf_input_done(struct hf_input *input, uint32_t dropped_items)
{
    (void)input;
    assert_int_equal(dropped_items, 0);
    inputs_done++;
}

/* Gives it a request of five items, whose metric is then answered. */
static void count_five(enum hf_status answer)
{
    char error[HF_ERROR_MAX] = "";
    void *self = NULL;
    struct hf_batch *batch = hf_batch_new(HF_TRACES, 0, HF_EMPTY_SLICE);
    assert_non_null(batch);
    hf_batch_seal(batch, 0, 5);
    struct hf_input input = {.batch = batch};
    inputs_done = 0;
    assert_int_equal(hf_connector_tally.open(NULL, NULL, &self, error), HF_OK);
    assert_int_equal(hf_connector_tally.queued->process_queued(self, &input), HF_OK);
    hf_ref_drop(&batch->ref);
    assert_int_equal(inputs_done, 0); /* its metric is not durable yet */
    pending->done(pending, answer);
    hf_connector_tally.close(self);
}

static void makes_a_metric_of_a_request(void **state)
{
    (void)state;
    count_five(HF_OK);
    assert_int_equal(inputs_done, 1);
    assert_int_equal(emitted->signal, HF_METRICS);
    assert_int_equal(emitted->items, 1);
    struct hf_document *document = hf_document_borrow(HF_METRICS, emitted->raw);
    struct hf_message *metric =
        hf_message_first(hf_message_first(hf_message_first(hf_document_root(document), 1), 2), 2);
    assert_true(hf_slice_equal(hf_message_bytes(metric, 1), hf_slice_text("tally.items")));
    struct hf_message *point = hf_message_first(hf_message_one(metric, 7), 1);
    assert_int_equal(hf_message_i64(point, 6), 5);
    hf_document_return(document);
    hf_ref_drop(&emitted->ref);
}

static void leaves_a_request_in_the_queue_when_it_stops(void **state)
{
    (void)state;
    count_five(HF_CLOSED);
    assert_int_equal(inputs_done, 0);
    hf_ref_drop(&emitted->ref);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_a_metric_of_a_request),
        cmocka_unit_test(leaves_a_request_in_the_queue_when_it_stops),
    };
    return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
