/*
 * passing: stands in for the pipelines behind a connector that answers at once: what is passed on
 * and to which of them.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

#include "pdata/json.h"

#define PASSED_MAX 16

/* Pipelines are told apart by their addresses alone. */
static char pipelines[4];
static struct hf_pipeline *outputs[4] = {
    (struct hf_pipeline *)&pipelines[0], (struct hf_pipeline *)&pipelines[1],
    (struct hf_pipeline *)&pipelines[2], (struct hf_pipeline *)&pipelines[3]};
static size_t output_count = 3;
static int output_signal = -1; /* of them; -1: of all signals */

static struct passed {
    struct hf_batch *batch; /* a reference is held */
    size_t to;              /* index of the pipeline */
} passed[PASSED_MAX];
static size_t passed_count;
static enum hf_status passing_says;

struct hf_pipeline *const *hf_node_outputs(const struct hf_node *node, enum hf_signal signal,
                                           size_t *ret_count)
{
    (void)node;
    *ret_count = output_signal < 0 || output_signal == (int)signal ? output_count : 0;
    return outputs;
}

/* "0", "1", ... */
const char *hf_pipeline_id(const struct hf_pipeline *pipeline)
{
    static const char *const ids[] = {"0", "1", "2", "3"};
    return ids[(const char *)pipeline - pipelines];
}

enum hf_status hf_pass_on(struct hf_onward *onward, struct hf_batch *batch,
                          struct hf_pipeline *const *to, size_t count)
{
    (void)onward;
    for (size_t i = 0; i < count && passing_says == HF_OK; i++) {
        assert_true(passed_count < PASSED_MAX);
        hf_ref_take(&batch->ref);
        passed[passed_count++] =
            (struct passed){.batch = batch, .to = (size_t)((char *)to[i] - pipelines)};
    }
    return passing_says;
}

static inline void forget_passed(void)
{
    for (size_t i = 0; i < passed_count; i++) {
        hf_ref_drop(&passed[i].batch->ref);
    }
    passed_count = 0;
}

/* A request made from JSON. */
static inline struct hf_batch *batch_of(enum hf_signal signal, const char *json, uint32_t items,
                                        struct hf_slice meta)
{
    char error[HF_JSON_ERROR_MAX] = "";
    struct hf_bytes bytes = {0};
    if (hf_json_to_proto(signal, hf_slice_text(json), 1 << 20, &bytes, error) != HF_OK) {
        fail_msg("%s", error);
    }
    struct hf_batch *batch = hf_batch_new(signal, bytes.size, meta);
    assert_non_null(batch);
    memcpy(hf_batch_room(batch), bytes.data, bytes.size);
    hf_batch_seal(batch, bytes.size, items);
    hf_bytes_release(&bytes);
    return batch;
}

/* An empty batch that says it has items. */
static inline struct hf_batch *some_batch(enum hf_signal signal, uint32_t items)
{
    struct hf_batch *batch = hf_batch_new(signal, 0, HF_EMPTY_SLICE);
    assert_non_null(batch);
    hf_batch_seal(batch, 0, items);
    return batch;
}
