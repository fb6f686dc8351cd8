/* Traces wait, are decided by a clock that the test sets, and are done with when they are durable.
 */
#include "components/processors/tail_sampling/tail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* needs the three before it */

#include "components/processors/tail_sampling/trace_table.h"
#include "pdata/document.h"
#include "pdata/walk.h"
#include "tests/support/node_stub.c"
#include "util/time/clock.h"

#define S HF_NS_PER_S
#define INPUTS_MAX 2048

/* An input as the graph has it: its bytes stay there. */
struct waiting {
    struct hf_input input;
    struct hf_batch *batch;
    uint32_t open, dropped;
    bool is_lost;
};

struct bench {
    struct hf_node node;
    struct hf_sampling_tail_policy_config policies[2];
    struct hf_sampling_tail_config config;
    struct hf_tail *tail;
    struct waiting inputs[INPUTS_MAX];
    size_t count;
    struct hf_slice meta;                  /* of the inputs */
    struct hf_output *outputs[INPUTS_MAX]; /* not answered */
    size_t output_count;
    char emitted[4 * INPUTS_MAX]; /* the first byte of the id of each span, in order */
};

static struct bench *bench;

void hf_input_done_items(struct hf_input *input, uint32_t items, uint32_t dropped_items)
{
    struct waiting *waiting = HF_CONTAINER(input, struct waiting, input);
    assert_true(items <= waiting->open);
    waiting->open -= items;
    waiting->dropped += dropped_items;
}

enum hf_status hf_input_load(const struct hf_input *input, struct hf_batch **ret_batch)
{
    const struct waiting *waiting = HF_CONTAINER(input, struct waiting, input);
    assert_int_not_equal(waiting->open, 0);
    if (waiting->is_lost) {
        return HF_NOT_FOUND;
    }
    hf_ref_take(&waiting->batch->ref);
    *ret_batch = waiting->batch;
    return HF_OK;
}

void hf_emit(struct hf_node *node, struct hf_batch *batch, struct hf_output *output)
{
    struct hf_document *document = hf_document_borrow(HF_TRACES, batch->raw);
    struct hf_place place = {.document = document};
    (void)node;
    while (hf_place_next_item(&place)) {
        bench->emitted[strlen(bench->emitted)] = (char)hf_message_bytes(place.item, 1).data[0];
    }
    hf_document_return(document);
    bench->outputs[bench->output_count++] = output;
}

/* Answers what was emitted. */
static void answer(enum hf_status status)
{
    while (bench->output_count > 0) {
        struct hf_output *output = bench->outputs[--bench->output_count];
        output->done(output, status);
    }
}

/* Takes a request, whose bytes it releases. */
static enum hf_status take_raw(struct hf_bytes *raw, uint32_t items, uint64_t received_ns)
{
    struct waiting *waiting = &bench->inputs[bench->count++];
    waiting->batch = hf_batch_new(HF_TRACES, raw->size, bench->meta);
    memcpy(hf_batch_room(waiting->batch), raw->data, raw->size);
    hf_batch_seal(waiting->batch, raw->size, items);
    hf_bytes_release(raw);
    waiting->batch->received_ns = received_ns;
    waiting->open = items;
    waiting->input.batch = waiting->batch;
    return hf_sampling_tail_take(bench->tail, &waiting->input);
}

/* Each letter of `spans` is a span of the trace of that letter; a capital one has an error. */
static enum hf_status take(const char *spans, uint64_t received_ns)
{
    struct hf_document *document = hf_document_borrow(HF_TRACES, HF_EMPTY_SLICE);
    struct hf_message *group = hf_message_append(hf_document_root(document), 1);
    struct hf_message *scope = hf_message_append(group, 2);
    for (size_t i = 0; spans[i] != '\0'; i++) {
        struct hf_message *span = hf_message_append(scope, 2);
        uint8_t id[16] = {(uint8_t)(spans[i] | 0x20)};
        hf_message_set_bytes(span, 1, hf_slice_of(id, sizeof(id)));
        if ((spans[i] & 0x20) == 0) {
            hf_message_set_i64(hf_message_need(span, 15), 3, 2);
        }
    }
    struct hf_bytes bytes = {0};
    assert_int_equal(hf_document_write(document, &bytes), HF_OK);
    hf_document_return(document);
    return take_raw(&bytes, (uint32_t)strlen(spans), received_ns);
}

static void begin(int64_t num_traces, int64_t cache)
{
    static const char *const error[] = {"ERROR"};
    bench->policies[0] = (struct hf_sampling_tail_policy_config){
        .name = "errors", .type = HF_TAIL_STATUS_CODE, .status_codes = {error, 1}};
    bench->config = (struct hf_sampling_tail_config){
        .decision_wait_ns = 10 * S, .num_traces = num_traces, .policies = {bench->policies, 1}};
    bench->config.decision_cache.sampled_cache_size = cache;
    bench->config.decision_cache.non_sampled_cache_size = cache;
    assert_null(hf_sampling_tail_check(&bench->config));
    assert_int_equal(hf_sampling_tail_new(&bench->node, &bench->config, &bench->tail), HF_OK);
}

static void assert_state(size_t input, uint32_t open, uint32_t dropped)
{
    assert_int_equal(bench->inputs[input].open, open);
    assert_int_equal(bench->inputs[input].dropped, dropped);
}

static int64_t counted(const char *name)
{
    char *text = NULL;
    size_t size;
    char full[128];
    const struct hf_metrics_style style = {0};
    snprintf(full, sizeof(full), "\notelcol_processor_tail_sampling_%s", name);
    assert_int_equal(hf_metrics_print(bench->node.metrics, &style, &text, &size), HF_OK);
    const char *at = strstr(text, full);
    assert_non_null(at);
    int64_t value = strtoll(strchr(at, '}') + 1, NULL, 10);
    free(text);
    return value;
}

static int set_up(void **state)
{
    bench = calloc(1, sizeof(*bench));
    *state = bench;
    bench->node.id = "tail_sampling";
    node_stub_init(&bench->node);
    return hf_metrics_new(&bench->node.metrics) == HF_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    answer(HF_CLOSED);
    hf_sampling_tail_free(bench->tail);
    for (size_t i = 0; i < bench->count; i++) {
        hf_ref_drop(&bench->inputs[i].batch->ref);
    }
    hf_metrics_free(bench->node.metrics);
    free(bench);
    return 0;
}

static void a_trace_is_decided_when_its_wait_is_over(void **state)
{
    (void)state;
    begin(100, 0);
    assert_int_equal(take("ab", 100 * S), HF_OK);
    assert_int_equal(take("Bc", 105 * S), HF_OK);
    hf_sampling_tail_tick(bench->tail, 105 * S);
    hf_sampling_tail_tick(bench->tail, 109 * S);
    assert_state(0, 2, 0);
    hf_sampling_tail_tick(bench->tail, 110 * S);
    assert_string_equal(bench->emitted, "bb");
    assert_state(0, 1, 1);
    assert_state(1, 2, 0);
    answer(HF_OK);
    assert_state(0, 0, 1);
    assert_state(1, 1, 0);
    hf_sampling_tail_tick(bench->tail, 115 * S);
    assert_state(1, 0, 1);
    assert_string_equal(bench->emitted, "bb");
}

static void a_trace_is_done_with_when_all_of_it_is_durable(void **state)
{
    (void)state;
    begin(100, 0);
    bench->meta = hf_slice_text("one tenant");
    assert_int_equal(take("A", 100 * S), HF_OK);
    bench->meta = hf_slice_text("another");
    assert_int_equal(take("a", 101 * S), HF_OK);
    hf_sampling_tail_tick(bench->tail, 101 * S);
    hf_sampling_tail_tick(bench->tail, 111 * S);
    assert_int_equal(bench->output_count, 2);
    struct hf_output *second = bench->outputs[--bench->output_count];
    second->done(second, HF_OK);
    assert_state(0, 1, 0);
    assert_state(1, 1, 0);
    answer(HF_OK);
    assert_state(0, 0, 0);
    assert_state(1, 0, 0);
}

static void while_inputs_come_the_time_of_receipt_counts(void **state)
{
    (void)state;
    begin(100, 0);
    assert_int_equal(take("a", 100 * S), HF_OK);
    hf_sampling_tail_tick(bench->tail, 500 * S); /* a backlog is read after a start */
    assert_int_equal(take("A", 105 * S), HF_OK);
    hf_sampling_tail_tick(bench->tail, 500 * S);
    assert_string_equal(bench->emitted, "");
    hf_sampling_tail_tick(bench->tail, 500 * S);
    assert_string_equal(bench->emitted, "aa");
}

static void late_spans_follow_the_verdict(void **state)
{
    (void)state;
    begin(100, 0);
    assert_int_equal(take("aB", 100 * S), HF_OK);
    hf_sampling_tail_tick(bench->tail, 100 * S);
    hf_sampling_tail_tick(bench->tail, 110 * S);
    assert_int_equal(take("Ab", 111 * S), HF_OK);
    assert_string_equal(bench->emitted, "bb");
    assert_state(1, 1, 1);
    answer(HF_OK);
    assert_state(0, 0, 1);
    assert_state(1, 0, 1);
}

static void the_oldest_is_decided_early_when_there_are_too_many(void **state)
{
    (void)state;
    begin(2, 4);
    assert_int_equal(take("A", 100 * S), HF_OK);
    assert_int_equal(take("b", 100 * S), HF_OK);
    assert_int_equal(take("c", 101 * S), HF_OK);
    assert_string_equal(bench->emitted, "a");
    answer(HF_OK);
    assert_state(0, 0, 0);
    assert_int_equal(take("d", 101 * S), HF_OK);
    assert_state(1, 0, 1);
    assert_int_equal(counted("sampling_trace_dropped_too_early"), 2);
    assert_int_equal(counted("sampling_traces_on_memory"), 2);
    /* The verdicts are remembered, though the traces are not. */
    assert_int_equal(take("aB", 102 * S), HF_OK);
    assert_string_equal(bench->emitted, "aa");
    assert_state(4, 1, 1);
}

static void what_cannot_be_read_again_is_counted_as_dropped(void **state)
{
    (void)state;
    begin(100, 0);
    assert_int_equal(take("A", 100 * S), HF_OK);
    assert_int_equal(take("Aa", 100 * S), HF_OK);
    bench->inputs[0].is_lost = true;
    hf_sampling_tail_tick(bench->tail, 100 * S);
    hf_sampling_tail_tick(bench->tail, 110 * S);
    answer(HF_OK);
    assert_state(0, 0, 1);
    assert_state(1, 0, 0);
}

static void what_was_not_durable_at_the_end_stays_in_the_queue(void **state)
{
    (void)state;
    begin(100, 0);
    assert_int_equal(take("A", 100 * S), HF_OK);
    hf_sampling_tail_tick(bench->tail, 100 * S);
    hf_sampling_tail_tick(bench->tail, 110 * S);
    answer(HF_CLOSED);
    assert_state(0, 1, 0);
}

static void a_waiting_trace_takes_little_memory(void **state)
{
    (void)state;
    size_t trace = sizeof(struct hf_trace) + 22; /* of the table */
    assert_true(trace + 4 * sizeof(struct hf_sampling_tail_place) <= 250);
    assert_true(1700000 * (trace + sizeof(struct hf_sampling_tail_place)) <= (size_t)300 << 20);
    begin(1, 0);
}

/* ---- what is emitted ---- */

static void several_inputs_go_on_as_one_request(void **state)
{
    (void)state;
    begin(100, 0);
    assert_int_equal(take("Ax", 100 * S), HF_OK);
    assert_int_equal(take("aB", 100 * S), HF_OK);
    assert_int_equal(take("yz", 100 * S), HF_OK);
    assert_int_equal(take("zC", 100 * S), HF_OK);
    hf_sampling_tail_tick(bench->tail, 100 * S);
    hf_sampling_tail_tick(bench->tail, 110 * S);
    assert_int_equal(bench->output_count, 1);
    assert_string_equal(bench->emitted, "abac");
    answer(HF_OK);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(bench->inputs[i].open, 0);
    }
}

static void inputs_with_other_metadata_go_on_alone(void **state)
{
    static const char *const metas[] = {"one", "one", "two", "two", "one"};
    (void)state;
    begin(100, 0);
    for (size_t i = 0; i < 5; i++) {
        bench->meta = hf_slice_text(metas[i]);
        assert_int_equal(take((const char *[]){"A", "B", "C", "D", "E"}[i], 100 * S), HF_OK);
    }
    hf_sampling_tail_tick(bench->tail, 100 * S);
    hf_sampling_tail_tick(bench->tail, 110 * S);
    assert_int_equal(bench->output_count, 3);
    assert_string_equal(bench->emitted, "abcde");
}

/* No one knows which of its inputs a request was refused for. */
static void a_request_that_is_refused_is_tried_input_by_input(void **state)
{
    (void)state;
    begin(100, 0);
    assert_int_equal(take("A", 100 * S), HF_OK);
    assert_int_equal(take("B", 100 * S), HF_OK);
    hf_sampling_tail_tick(bench->tail, 100 * S);
    hf_sampling_tail_tick(bench->tail, 110 * S);
    assert_int_equal(bench->output_count, 1);
    struct hf_output *first = bench->outputs[--bench->output_count];
    first->done(first, HF_INVALID);
    assert_int_equal(bench->output_count, 2);
    assert_string_equal(bench->emitted, "abab");
    struct hf_output *second = bench->outputs[--bench->output_count];
    second->done(second, HF_INVALID);
    answer(HF_OK);
    assert_state(0, 0, 0);
    assert_state(1, 0, 1);
}

/* What more is wanted of it goes on together once that is known. */
static void an_input_is_emitted_from_once_at_a_time(void **state)
{
    (void)state;
    begin(100, 0);
    assert_int_equal(take("C", 90 * S), HF_OK);
    assert_int_equal(take("BC", 95 * S), HF_OK);
    assert_int_equal(take("DBe", 98 * S), HF_OK);
    hf_sampling_tail_tick(bench->tail, 98 * S);
    hf_sampling_tail_tick(bench->tail, 100 * S);
    assert_string_equal(bench->emitted, "cc");
    hf_sampling_tail_tick(bench->tail, 108 * S);
    assert_string_equal(bench->emitted, "ccdb"); /* not what the second input has of B */
    struct hf_output *first = bench->outputs[0];
    bench->outputs[0] = bench->outputs[--bench->output_count];
    first->done(first, HF_OK);
    assert_string_equal(bench->emitted, "ccdbb");
    assert_state(0, 0, 0);
    assert_state(1, 1, 0);
    assert_state(2, 2, 1);
    answer(HF_OK);
    assert_state(1, 0, 0);
    assert_state(2, 0, 1);
}

static void what_is_wanted_meanwhile_of_a_refused_request_is_kept(void **state)
{
    (void)state;
    begin(100, 0);
    assert_int_equal(take("C", 90 * S), HF_OK);
    assert_int_equal(take("BC", 95 * S), HF_OK);
    hf_sampling_tail_tick(bench->tail, 98 * S);
    hf_sampling_tail_tick(bench->tail, 100 * S);
    hf_sampling_tail_tick(bench->tail, 106 * S);
    assert_string_equal(bench->emitted, "cc");
    struct hf_output *first = bench->outputs[--bench->output_count];
    first->done(first, HF_INVALID);
    assert_string_equal(bench->emitted, "ccbcc");
    answer(HF_OK);
    assert_state(0, 0, 0);
    assert_state(1, 0, 0);
}

/* ---- many at once ---- */

/* One input with as many traces of one span. */
static enum hf_status take_many(uint32_t traces, uint64_t received_ns)
{
    struct hf_bytes raw = {0};
    struct hf_wire_writer writer = {.out = &raw};
    struct hf_wire_message group = hf_wire_open(&writer, 1, 1000000);
    struct hf_wire_message scope = hf_wire_open(&writer, 2, 1000000);
    for (uint32_t i = 0; i < traces; i++) {
        uint32_t id[4] = {0, i, 0, 1};
        struct hf_wire_message span = hf_wire_open(&writer, 2, 18);
        hf_wire_put_bytes(&writer, 1, hf_slice_of(id, sizeof(id)));
        hf_wire_close(&writer, span);
    }
    hf_wire_close(&writer, scope);
    hf_wire_close(&writer, group);
    return take_raw(&raw, traces, received_ns);
}

static void what_is_due_is_decided_in_parts(void **state)
{
    (void)state;
    begin(100000, 0);
    assert_int_equal(take_many(20000, 100 * S), HF_OK);
    hf_sampling_tail_tick(bench->tail, 100 * S);
    uint64_t wait_ns = hf_sampling_tail_tick(bench->tail, 110 * S);
    assert_int_equal(wait_ns, 0);
    assert_int_not_equal(bench->inputs[0].open, 20000);
    assert_int_not_equal(bench->inputs[0].open, 0);
    unsigned parts = 1;
    for (; wait_ns == 0; parts++) {
        wait_ns = hf_sampling_tail_go_on(bench->tail, 110 * S);
    }
    assert_int_equal(wait_ns, HF_TAIL_TICK_NS);
    assert_in_range(parts, 2, 10);
    assert_state(0, 0, 20000);
}

/* In between inputs come: what was due at the tick alone is decided. */
static void going_on_decides_what_was_due_at_the_tick(void **state)
{
    (void)state;
    begin(100000, 0);
    assert_int_equal(take("a", 100 * S), HF_OK);
    assert_int_equal(take("b", 105 * S), HF_OK);
    hf_sampling_tail_tick(bench->tail, 200 * S); /* inputs come: 105 s counts */
    assert_int_equal(hf_sampling_tail_go_on(bench->tail, 200 * S), HF_TAIL_TICK_NS);
    assert_state(0, 1, 0);
    hf_sampling_tail_tick(bench->tail, 200 * S);
    assert_state(0, 0, 1);
}

/* An input that is not taken stands in the queue, and its spans belong to their trace. */
static void inputs_that_have_to_wait_count_too(void **state)
{
    (void)state;
    begin(100, 0);
    for (size_t i = 0; i < 1600; i++) {
        assert_int_equal(take("A", 100 * S), HF_OK);
    }
    assert_int_equal(take("b", 105 * S), HF_OK);
    hf_sampling_tail_tick(bench->tail, 105 * S);
    hf_sampling_tail_tick(bench->tail, 110 * S); /* more inputs to emit from than may wait */
    assert_int_equal(take("B", 106 * S), HF_BUSY);
    bench->count--;
    hf_ref_drop(&bench->inputs[bench->count].batch->ref);
    for (size_t i = 0; i < 8; i++) {
        struct hf_output *output = bench->outputs[--bench->output_count];
        output->done(output, HF_OK);
    }
    hf_sampling_tail_tick(bench->tail, 200 * S);
    assert_state(1600, 1, 0);
    assert_int_equal(take("B", 106 * S), HF_OK);
    hf_sampling_tail_tick(bench->tail, 200 * S);
    hf_sampling_tail_tick(bench->tail, 200 * S);
    answer(HF_OK);
    assert_state(1600, 0, 0);
    assert_state(1601, 0, 0);
}

/* ---- odd requests ---- */

static void put_key_value(struct hf_wire_writer *writer, const char *key, const char *value)
{
    struct hf_wire_message resource = hf_wire_open(writer, 1, 20);
    struct hf_wire_message pair = hf_wire_open(writer, 1, 10);
    hf_wire_put_bytes(writer, 1, hf_slice_text(key));
    struct hf_wire_message any = hf_wire_open(writer, 2, 5);
    hf_wire_put_bytes(writer, 1, hf_slice_text(value));
    hf_wire_close(writer, any);
    hf_wire_close(writer, pair);
    hf_wire_close(writer, resource);
}

static void a_resource_in_pieces_is_all_of_them(void **state)
{
    static const char *const wanted[] = {"yes"};
    struct hf_bytes raw = {0};
    struct hf_wire_writer writer = {.out = &raw};
    const uint8_t id[HF_TRACE_ID_SIZE] = {'a'};
    (void)state;
    begin(100, 0);
    hf_sampling_tail_free(bench->tail);
    bench->policies[0] = (struct hf_sampling_tail_policy_config){
        .name = "text", .type = HF_TAIL_STRING, .string = {.key = "k", .values = {wanted, 1}}};
    assert_int_equal(hf_sampling_tail_new(&bench->node, &bench->config, &bench->tail), HF_OK);
    struct hf_wire_message group = hf_wire_open(&writer, 1, 100);
    put_key_value(&writer, "k", "yes");
    put_key_value(&writer, "other", "no");
    struct hf_wire_message scope = hf_wire_open(&writer, 2, 50);
    struct hf_wire_message span = hf_wire_open(&writer, 2, 18);
    hf_wire_put_bytes(&writer, 1, hf_slice_of(id, sizeof(id)));
    hf_wire_close(&writer, span);
    hf_wire_close(&writer, scope);
    hf_wire_close(&writer, group);
    assert_int_equal(take_raw(&raw, 1, 100 * S), HF_OK);
    hf_sampling_tail_tick(bench->tail, 100 * S);
    hf_sampling_tail_tick(bench->tail, 110 * S);
    assert_string_equal(bench->emitted, "a");
}

/* ---- the other keys ---- */

static void begin_with(struct hf_sampling_tail_config config)
{
    static const char *const error[] = {"ERROR"};
    bench->policies[0] = (struct hf_sampling_tail_policy_config){
        .name = "errors", .type = HF_TAIL_STATUS_CODE, .status_codes = {error, 1}};
    bench->config = config;
    bench->config.decision_wait_ns = 10 * S;
    bench->config.policies = (struct hf_struct_list){bench->policies, 1};
    assert_null(hf_sampling_tail_check(&bench->config));
    assert_int_equal(hf_sampling_tail_new(&bench->node, &bench->config, &bench->tail), HF_OK);
}

/* The spans that take() makes have no parent. */
static void a_root_hurries_its_trace(void **state)
{
    (void)state;
    begin_with(
        (struct hf_sampling_tail_config){.num_traces = 100, .decision_wait_after_root_ns = 2 * S});
    assert_int_equal(take("A", 100 * S), HF_OK);
    assert_int_equal(take("a", 101 * S), HF_OK); /* another root changes nothing */
    hf_sampling_tail_tick(bench->tail, 101 * S);
    hf_sampling_tail_tick(bench->tail, 101 * S + S / 2);
    assert_string_equal(bench->emitted, "");
    hf_sampling_tail_tick(bench->tail, 102 * S);
    assert_string_equal(bench->emitted, "aa");
}

static void a_trace_that_is_too_large_is_dropped_at_once(void **state)
{
    (void)state;
    begin_with((struct hf_sampling_tail_config){.num_traces = 100, .maximum_trace_size_bytes = 60});
    assert_int_equal(take("Ab", 100 * S), HF_OK);
    assert_state(0, 2, 0);
    assert_int_equal(take("AAA", 100 * S), HF_OK);
    assert_int_equal(counted("traces_dropped_too_large"), 1);
    assert_state(0, 1, 1);
    assert_state(1, 0, 3);
    assert_int_equal(take("A", 101 * S), HF_OK); /* and what comes of it later */
    assert_state(2, 0, 1);
}

static void traces_wait_in_front_when_there_are_too_many(void **state)
{
    (void)state;
    begin_with((struct hf_sampling_tail_config){.num_traces = 2, .block_on_overflow = true});
    assert_int_equal(take("A", 100 * S), HF_OK);
    assert_int_equal(take("b", 100 * S), HF_OK);
    hf_sampling_tail_tick(bench->tail, 100 * S);
    assert_int_equal(take("c", 101 * S), HF_BUSY);
    bench->count--;
    hf_ref_drop(&bench->inputs[bench->count].batch->ref);
    hf_sampling_tail_tick(bench->tail, 110 * S);
    assert_string_equal(bench->emitted, "a");
    assert_int_equal(take("c", 110 * S), HF_OK);
    assert_int_equal(counted("sampling_trace_dropped_too_early"), 0);
}

static void a_request_decides_when_it_can(void **state)
{
    (void)state;
    begin_with(
        (struct hf_sampling_tail_config){.num_traces = 100, .strategy = HF_TAIL_SPAN_INGEST});
    assert_int_equal(take("ab", 100 * S), HF_OK);
    assert_int_equal(take("A", 101 * S), HF_OK);
    assert_string_equal(bench->emitted, "aa");
    answer(HF_OK);
    assert_state(0, 1, 0);
    hf_sampling_tail_tick(bench->tail, 101 * S);
    hf_sampling_tail_tick(bench->tail, 110 * S);
    assert_state(0, 0, 1); /* no request of `b` did */
}

/* ---- over a restart ---- */

static void open_directory(char *directory)
{
    assert_non_null(mkdtemp(directory));
    bench->node.directory = directory;
}

static void remove_directory(const char *directory)
{
    char path[128];
    static const char *const names[] = {"tail_sampling.decisions", "tail_sampling.decisions.old"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        unlink(path);
    }
    rmdir(directory);
}

/* A kill: what the queue has is given again, and what was decided is decided the same. */
static void a_verdict_holds_after_a_kill(void **state)
{
    char directory[] = "/tmp/holdfast_tail_XXXXXX";
    (void)state;
    open_directory(directory);
    begin(100, 0);
    assert_int_equal(take("Ab", 100 * S), HF_OK);
    hf_sampling_tail_tick(bench->tail, 100 * S);
    hf_sampling_tail_tick(bench->tail, 110 * S);
    assert_string_equal(bench->emitted, "a");
    answer(HF_CLOSED);
    hf_sampling_tail_free(bench->tail);
    memset(bench->emitted, 0, sizeof(bench->emitted));
    begin(100, 0);
    /* Now `a` has no error any more and `b` has one. */
    assert_int_equal(take("aB", 120 * S), HF_OK);
    assert_string_equal(bench->emitted, "a");
    assert_state(1, 1, 1);
    remove_directory(directory);
}

static void a_verdict_has_no_effect_before_it_is_on_disk(void **state)
{
    char directory[] = "/tmp/holdfast_tail_XXXXXX", path[128];
    (void)state;
    open_directory(directory);
    begin(100, 0);
    snprintf(path, sizeof(path), "%s/tail_sampling.decisions", directory);
    assert_int_equal(mkdir(path, 0700), 0); /* no file can stand there */
    assert_int_equal(take("Ab", 100 * S), HF_BUSY);
    bench->count--;
    hf_ref_drop(&bench->inputs[bench->count].batch->ref);
    rmdir(path);
    assert_int_equal(take("Ab", 100 * S), HF_OK);
    hf_sampling_tail_tick(bench->tail, 100 * S);
    hf_sampling_tail_tick(bench->tail, 110 * S);
    assert_string_equal(bench->emitted, "a");
    remove_directory(directory);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_trace_is_decided_when_its_wait_is_over),
        TEST(a_trace_is_done_with_when_all_of_it_is_durable),
        TEST(while_inputs_come_the_time_of_receipt_counts),
        TEST(late_spans_follow_the_verdict),
        TEST(the_oldest_is_decided_early_when_there_are_too_many),
        TEST(what_cannot_be_read_again_is_counted_as_dropped),
        TEST(what_was_not_durable_at_the_end_stays_in_the_queue),
        TEST(a_waiting_trace_takes_little_memory),
        TEST(several_inputs_go_on_as_one_request),
        TEST(inputs_with_other_metadata_go_on_alone),
        TEST(a_request_that_is_refused_is_tried_input_by_input),
        TEST(an_input_is_emitted_from_once_at_a_time),
        TEST(what_is_wanted_meanwhile_of_a_refused_request_is_kept),
        TEST(what_is_due_is_decided_in_parts),
        TEST(going_on_decides_what_was_due_at_the_tick),
        TEST(inputs_that_have_to_wait_count_too),
        TEST(a_resource_in_pieces_is_all_of_them),
        TEST(a_root_hurries_its_trace),
        TEST(a_trace_that_is_too_large_is_dropped_at_once),
        TEST(traces_wait_in_front_when_there_are_too_many),
        TEST(a_request_decides_when_it_can),
        TEST(a_verdict_holds_after_a_kill),
        TEST(a_verdict_has_no_effect_before_it_is_on_disk),
    };
    return cmocka_run_group_tests_name("tail", tests, NULL, NULL);
}
