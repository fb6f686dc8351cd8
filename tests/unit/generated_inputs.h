/*
 * generated_inputs: a queued processor over generated requests: what it passes on can be stored,
 * and its books balance. Include it after queued_stub.h and bodies.c.
 */
#pragma once

#include "tests/unit/made_config.h"

/* Inputs are answered at once. `items_wait`: what it keeps waits for a timer that never fires. */
static inline void generated_run(const struct hf_component *component, enum hf_signal signal,
                                 const char *const pairs[][2], bool items_wait)
{
    struct hf_node node = {.id = component->type, .signals = HF_SIGNAL_BIT(signal)};
    struct made_config made = {0};
    char error[HF_ERROR_MAX] = "";
    void *self = NULL;
    node_stub_init(&node);
    assert_int_equal(hf_loop_new(&node.loop), HF_OK);
    made_config(&made, component, pairs);
    assert_true(component->check == NULL || component->check(made.config) == NULL);
    assert_int_equal(component->open(&node, made.config, &self, error), HF_OK);
    assert_int_equal(component->start(self, error), HF_OK);
    uint64_t offered = 0, dropped = 0, open = 0;
    for (uint64_t seed = 1; seed < 100; seed++) {
        struct hf_bytes body = {0};
        struct stub_input *input;
        bodies_make(signal, seed, 20, &body);
        assert_int_equal(
            stub_offer(component, self, signal, hf_slice_of(body.data, body.size), 20, &input),
            HF_OK);
        offered += 20;
        stub_answer(HF_OK);
        hf_bytes_release(&body);
    }
    for (size_t i = 0; i < stub.input_count; i++) {
        dropped += stub.inputs[i]->dropped;
        open += stub.inputs[i]->open;
    }
    assert_true(stub.are_sound);
    assert_true(open == 0 || items_wait || stub.emitted_items + dropped <= offered);
    if (open == 0) {
        assert_int_equal(stub.emitted_items + dropped, offered);
    }
    component->stop(self);
    component->close(self);
    stub_release();
    hf_loop_free(node.loop);
    made_config_release(&made);
}
