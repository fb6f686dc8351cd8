/*
 * queued_stub: what the graph does for a queued processor, for tests of one: its loop, inputs, and
 * outputs that wait for the test's answer. Include it after node_stub.c, in one file.
 */
#pragma once

#include <holdfast/component.h>

#include "pdata/scan.h"
#include "util/loop.h"

#define STUB_MAX 256

/* An input as the graph has it. */
struct stub_input {
    struct hf_input input;
    uint32_t open, dropped;
};

static struct {
    struct stub_input *inputs[STUB_MAX];
    size_t input_count;
    struct hf_output *outputs[STUB_MAX]; /* not answered */
    size_t output_count;
    uint64_t emitted_items;
    bool are_sound; /* every output passes the scan and says its items */
} stub = {.are_sound = true};

void hf_input_done_items(struct hf_input *input, uint32_t items, uint32_t dropped_items)
{
    struct stub_input *own = HF_CONTAINER(input, struct stub_input, input);
    assert_true(items <= own->open && dropped_items <= items);
    own->open -= items;
    own->dropped += dropped_items;
}

void hf_input_done(struct hf_input *input, uint32_t dropped_items)
{
    struct stub_input *own = HF_CONTAINER(input, struct stub_input, input);
    hf_input_done_items(input, own->open, dropped_items < own->open ? dropped_items : own->open);
}

void hf_emit(struct hf_node *node, struct hf_batch *batch, struct hf_output *output)
{
    struct hf_scan scan;
    (void)node;
    assert_true(stub.output_count < STUB_MAX);
    stub.are_sound &= hf_scan(batch->signal, batch->raw, &scan) == HF_OK &&
                      scan.items == batch->items && batch->items > 0;
    stub.emitted_items += batch->items;
    stub.outputs[stub.output_count++] = output;
}

struct hf_pipeline *const *hf_node_outputs(const struct hf_node *node, enum hf_signal signal,
                                           size_t *ret_count)
{
    (void)node;
    (void)signal;
    *ret_count = 0;
    return NULL;
}

const char *hf_pipeline_id(const struct hf_pipeline *pipeline)
{
    (void)pipeline;
    return "metrics>stub";
}

/* Answers all outputs that wait. */
static inline void stub_answer(enum hf_status status)
{
    while (stub.output_count > 0) {
        struct hf_output *output = stub.outputs[--stub.output_count];
        output->done(output, status);
    }
}

/* Offers a body as an input. */
static inline enum hf_status stub_offer(const struct hf_component *component, void *self,
                                        enum hf_signal signal, struct hf_slice body, uint32_t items,
                                        struct stub_input **ret_input)
{
    struct stub_input *made = calloc(1, sizeof(*made));
    assert_non_null(made);
    assert_true(stub.input_count < STUB_MAX);
    struct hf_batch *batch = hf_batch_new(signal, body.size, HF_EMPTY_SLICE);
    memcpy(hf_batch_room(batch), body.data, body.size);
    hf_batch_seal(batch, body.size, items);
    batch->received_ns = 1700000000000000000;
    *made = (struct stub_input){.input.batch = batch, .open = items};
    stub.inputs[stub.input_count++] = made;
    enum hf_status status = component->queued->process_queued(self, &made->input);
    hf_ref_drop(&batch->ref);
    made->input.batch = NULL;
    *ret_input = made;
    return status;
}

static inline void stub_release(void)
{
    while (stub.input_count > 0) {
        free(stub.inputs[--stub.input_count]);
    }
    stub.output_count = 0;
    stub.emitted_items = 0;
}
