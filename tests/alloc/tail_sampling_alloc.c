/* tail_sampling when memory runs out: what was taken is decided and passed on in the end, each span
 * once, and what was not taken can be offered again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h> /* needs the three before it */

#include "components/processors/tail_sampling/tail.h"
#include "pdata/wire.h"
#include "pdata/wire_find.h"
#include "tests/support/node_stub.c"
#include "util/time/clock.h"

#include "failing.h"

#define S HF_NS_PER_S
#define INPUTS 3u
#define SPANS 40u /* of an input, each of another trace; a trace has one in each input */

struct waiting {
    struct hf_input input;
    struct hf_batch *batch;
    uint32_t open;
};

static struct waiting inputs[INPUTS];
static struct hf_output *outputs[64]; /* not answered */
static size_t output_count;
static uint32_t emitted[SPANS]; /* spans of each trace */

void hf_input_done_items(struct hf_input *input, uint32_t items, uint32_t dropped_items)
{
    struct waiting *waiting = HF_CONTAINER(input, struct waiting, input);
    (void)dropped_items;
    assert_true(items <= waiting->open);
    waiting->open -= items;
}

enum hf_status hf_input_load(const struct hf_input *input, struct hf_batch **ret_batch)
{
    struct waiting *waiting = HF_CONTAINER(input, struct waiting, input);
    hf_ref_take(&waiting->batch->ref);
    *ret_batch = waiting->batch;
    return HF_OK;
}

static void count_spans(struct hf_slice group)
{
    struct hf_wire scopes = hf_wire_of(group);
    struct hf_slice scope, span;
    while (hf_wire_each(&scopes, 2, &scope)) {
        struct hf_wire spans = hf_wire_of(scope);
        while (hf_wire_each(&spans, 2, &span)) {
            emitted[hf_wire_find_bytes(span, 1).data[0]]++;
        }
    }
}

void hf_emit(struct hf_node *node, struct hf_batch *batch, struct hf_output *output)
{
    struct hf_wire wire = hf_wire_of(batch->raw);
    struct hf_slice group;
    (void)node;
    while (hf_wire_each(&wire, 1, &group)) {
        count_spans(group);
    }
    outputs[output_count++] = output;
}

static void answer(void)
{
    while (output_count > 0) {
        struct hf_output *output = outputs[--output_count];
        output->done(output, HF_OK);
    }
}

/* Every fourth trace has an error. */
static struct hf_batch *make_request(void)
{
    struct hf_bytes bytes = {0};
    struct hf_wire_writer writer = {.out = &bytes};
    struct hf_wire_message group = hf_wire_open(&writer, 1, 4000);
    struct hf_wire_message scope = hf_wire_open(&writer, 2, 4000);
    for (uint8_t i = 0; i < SPANS; i++) {
        const uint8_t id[16] = {i, 1};
        struct hf_wire_message span = hf_wire_open(&writer, 2, 40);
        hf_wire_put_bytes(&writer, 1, hf_slice_of(id, sizeof(id)));
        struct hf_wire_message status = hf_wire_open(&writer, 15, 2);
        hf_wire_put_varint(&writer, 3, i % 4 == 0 ? 2 : 1);
        hf_wire_close(&writer, status);
        hf_wire_close(&writer, span);
    }
    hf_wire_close(&writer, scope);
    hf_wire_close(&writer, group);
    assert_int_equal(hf_wire_status(&writer), HF_OK);
    struct hf_batch *batch = hf_batch_new(HF_TRACES, bytes.size, HF_EMPTY_SLICE);
    memcpy(hf_batch_room(batch), bytes.data, bytes.size);
    hf_batch_seal(batch, bytes.size, SPANS);
    hf_bytes_release(&bytes);
    return batch;
}

static struct hf_tail *begin(struct hf_node *node, struct hf_sampling_tail_config *config)
{
    struct hf_tail *tail = NULL;
    output_count = 0;
    memset(emitted, 0, sizeof(emitted));
    for (size_t i = 0; i < INPUTS; i++) {
        struct hf_batch *batch = make_request();
        batch->received_ns = (100 + 10 * i) * S;
        inputs[i] = (struct waiting){.input = {.batch = batch}, .batch = batch, .open = SPANS};
    }
    assert_int_equal(hf_sampling_tail_new(node, config, &tail), HF_OK);
    return tail;
}

/* Takes what was not taken, and decides all. */
static void go_on(struct hf_tail *tail, size_t count, bool *is_taken)
{
    for (size_t i = 0; i < count; i++) {
        is_taken[i] = is_taken[i] || hf_sampling_tail_take(tail, &inputs[i].input) == HF_OK;
    }
    /* Without memory it waits for the next tick, and does not spin. */
    assert_int_equal(hf_sampling_tail_tick(tail, (100 + 10 * count) * S), HF_TAIL_TICK_NS);
    assert_int_equal(hf_sampling_tail_tick(tail, (100 + 10 * count) * S), HF_TAIL_TICK_NS);
    answer();
}

static void remove_directory(const char *directory)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/tail_sampling.decisions", directory);
    unlink(path);
    rmdir(directory);
}

/* The last input comes when its traces are decided already. */
static bool sampled(void)
{
    static const char *const error[] = {"ERROR"};
    static const struct hf_sampling_tail_policy_config policy = {
        .name = "errors", .type = HF_TAIL_STATUS_CODE, .status_codes = {error, 1}};
    struct hf_sampling_tail_config config = {
        .decision_wait_ns = 5 * S, .num_traces = 1000, .policies = {&policy, 1}};
    char directory[] = "/tmp/holdfast_tail_XXXXXX"; /* its verdicts are on disk */
    struct hf_node node = {.id = "tail_sampling"};
    bool is_taken[INPUTS] = {false};
    node_stub_init(&node);
    assert_non_null(mkdtemp(directory));
    node.directory = directory;
    assert_int_equal(hf_metrics_new(&node.metrics), HF_OK);
    struct hf_tail *tail = begin(&node, &config);
    alloc_begin();
    go_on(tail, INPUTS - 1, is_taken);
    go_on(tail, INPUTS, is_taken);
    alloc_end();
    go_on(tail, INPUTS, is_taken);
    go_on(tail, INPUTS, is_taken);
    for (size_t i = 0; i < INPUTS; i++) {
        assert_int_equal(inputs[i].open, 0);
        hf_ref_drop(&inputs[i].batch->ref);
    }
    for (size_t i = 0; i < SPANS; i++) {
        assert_int_equal(emitted[i], i % 4 == 0 ? INPUTS : 0);
    }
    hf_sampling_tail_free(tail);
    hf_metrics_free(node.metrics);
    remove_directory(directory);
    return true;
}

int main(int argc, char **argv)
{
    static const struct alloc_scenario scenarios[] = {{.name = "sampled", .run = sampled}, {0}};
    return alloc_main(argc, argv, scenarios);
}
