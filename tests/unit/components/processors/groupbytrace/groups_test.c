/* Traces wait, are passed on whole, and are done with when they are durable. */
#include "components/processors/groupbytrace/groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/any_make.h"
#include "pdata/document.h"
#include "pdata/message.h"
#include "pdata/scan.h"
#include "pdata/walk.h"
#include "tests/support/node_stub.c"
#include "util/time/clock.h"

#define S HF_NS_PER_S
#define INPUTS_MAX 64

/* An input as the graph has it: its bytes stay there. */
struct waiting {
    struct hf_input input;
    struct hf_batch *batch;
    uint32_t open, dropped;
    enum hf_status load_says;
};

struct bench {
    struct hf_node node;
    struct groups *groups;
    struct waiting inputs[INPUTS_MAX];
    size_t count;
    struct hf_output *outputs[INPUTS_MAX]; /* not answered */
    size_t output_count;
    char emitted[1024]; /* the spans' letters, a blank behind each request */
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
    if (waiting->load_says != HF_OK) {
        return waiting->load_says;
    }
    hf_ref_take(&waiting->batch->ref);
    *ret_batch = waiting->batch;
    return HF_OK;
}

void hf_emit(struct hf_node *node, struct hf_batch *batch, struct hf_output *output)
{
    struct hf_document *document = hf_document_borrow(HF_TRACES, batch->raw);
    struct hf_place place = {.document = document};
    struct hf_scan scan;
    (void)node;
    assert_int_equal(hf_scan(HF_TRACES, batch->raw, &scan), HF_OK);
    assert_int_equal(scan.items, batch->items);
    while (hf_place_next_item(&place)) {
        struct hf_slice service;
        bench->emitted[strlen(bench->emitted)] = (char)hf_message_bytes(place.item, 5).data[0];
        assert_true(hf_attribute_of(hf_message_content(hf_place_resource(&place)), 1,
                                    hf_slice_text("service.name"), &service));
        assert_true(hf_slice_is(hf_message_bytes(place.scope_group, 3), "schema"));
    }
    hf_document_return(document);
    bench->emitted[strlen(bench->emitted)] = ' ';
    bench->outputs[bench->output_count++] = output;
}

/* Answers what was emitted, the first one first. */
static void answer(enum hf_status status)
{
    size_t count = bench->output_count;
    bench->output_count = 0;
    for (size_t i = 0; i < count; i++) {
        bench->outputs[i]->done(bench->outputs[i], status);
    }
}

/* Each letter is a span of the trace of that letter, in any case. A blank begins a scope. */
static enum hf_status take(const char *spans, uint64_t received_ns)
{
    struct hf_document *document = hf_document_borrow(HF_TRACES, HF_EMPTY_SLICE);
    struct hf_any_maker maker = {.arena = hf_document_arena(document)};
    struct hf_message *group = hf_message_append(hf_document_root(document), 1);
    struct hf_message *scope = NULL;
    uint32_t count = 0;
    hf_attributes_set(hf_message_attributes(hf_message_need(group, 1), 1),
                      hf_slice_text("service.name"),
                      hf_any_make_string(&maker, hf_slice_text("s")));
    for (size_t i = 0; spans[i] != '\0'; i++) {
        if (scope == NULL || spans[i] == ' ') {
            scope = hf_message_append(group, 2);
            hf_message_set_bytes(scope, 3, hf_slice_text("schema"));
        }
        if (spans[i] != ' ') {
            struct hf_message *span = hf_message_append(scope, 2);
            uint8_t id[16] = {(uint8_t)(spans[i] | 0x20)};
            hf_message_set_bytes(span, 1, hf_slice_of(id, sizeof(id)));
            hf_message_set_bytes(span, 5, hf_slice_of(&spans[i], 1));
            count++;
        }
    }
    struct hf_bytes bytes = {0};
    assert_int_equal(hf_document_write(document, &bytes), HF_OK);
    hf_document_return(document);
    struct waiting *waiting = &bench->inputs[bench->count++];
    waiting->batch = hf_batch_new(HF_TRACES, bytes.size, HF_EMPTY_SLICE);
    memcpy(hf_batch_room(waiting->batch), bytes.data, bytes.size);
    hf_batch_seal(waiting->batch, bytes.size, count);
    hf_bytes_release(&bytes);
    waiting->batch->received_ns = received_ns;
    waiting->open = count;
    waiting->input.batch = waiting->batch;
    return groups_take(bench->groups, &waiting->input);
}

static void begin(size_t num_traces)
{
    const struct groups_options options = {.wait_ns = 10 * S, .num_traces = num_traces};
    assert_int_equal(groups_new(&bench->node, &options, &bench->groups), HF_OK);
}

static void assert_state(size_t input, uint32_t open, uint32_t dropped)
{
    assert_int_equal(bench->inputs[input].open, open);
    assert_int_equal(bench->inputs[input].dropped, dropped);
}

static int set_up(void **state)
{
    bench = calloc(1, sizeof(*bench));
    *state = bench;
    bench->node.id = "groupbytrace";
    node_stub_init(&bench->node);
    return hf_metrics_new(&bench->node.metrics) == HF_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    answer(HF_CLOSED);
    groups_free(bench->groups);
    for (size_t i = 0; i < bench->count; i++) {
        hf_ref_drop(&bench->inputs[i].batch->ref);
    }
    hf_metrics_free(bench->node.metrics);
    free(bench);
    return 0;
}

static void passes_each_trace_on_as_one_request(void **state)
{
    (void)state;
    begin(100);
    assert_int_equal(take("aBA b", 100 * S), HF_OK);
    assert_int_equal(take("bc", 105 * S), HF_OK);
    groups_tick(bench->groups, 105 * S);
    groups_tick(bench->groups, 109 * S);
    assert_string_equal(bench->emitted, "");
    groups_tick(bench->groups, 110 * S);
    assert_string_equal(bench->emitted, "aA Bbb ");
    assert_state(0, 4, 0);
    answer(HF_OK);
    assert_state(0, 0, 0);
    assert_state(1, 1, 0);
    groups_tick(bench->groups, 115 * S);
    answer(HF_OK);
    assert_string_equal(bench->emitted, "aA Bbb c ");
    assert_state(1, 0, 0);
}

static void is_done_with_a_trace_when_it_is_durable(void **state)
{
    (void)state;
    begin(100);
    assert_int_equal(take("ab", 100 * S), HF_OK);
    groups_tick(bench->groups, 100 * S);
    groups_tick(bench->groups, 110 * S);
    assert_int_equal(bench->output_count, 2);
    struct hf_output *second = bench->outputs[--bench->output_count];
    second->done(second, HF_OK);
    assert_state(0, 1, 0);
    answer(HF_CLOSED);
    assert_state(0, 1, 0); /* it stays in the queue in front */
}

static void spans_that_come_on_the_way_are_a_trace_of_their_own(void **state)
{
    (void)state;
    begin(100);
    assert_int_equal(take("a", 100 * S), HF_OK);
    groups_tick(bench->groups, 100 * S);
    groups_tick(bench->groups, 110 * S);
    assert_int_equal(take("AA", 110 * S), HF_OK);
    answer(HF_OK);
    assert_state(0, 0, 0);
    groups_tick(bench->groups, 110 * S);
    groups_tick(bench->groups, 120 * S);
    answer(HF_OK);
    assert_string_equal(bench->emitted, "a AA ");
    assert_state(1, 0, 0);
}

static void passes_the_oldest_on_early_when_there_are_too_many(void **state)
{
    (void)state;
    begin(2);
    assert_int_equal(take("a", 100 * S), HF_OK);
    assert_int_equal(take("bc", 101 * S), HF_OK);
    assert_string_equal(bench->emitted, "a ");
    assert_int_equal(take("de", 101 * S), HF_OK); /* one is on its way: four wait */
    assert_int_equal(take("f", 101 * S), HF_BUSY);
    bench->count--;
    hf_ref_drop(&bench->inputs[bench->count].batch->ref);
    answer(HF_OK);
    assert_string_equal(bench->emitted, "a b c ");
    answer(HF_OK);
    assert_int_equal(take("a", 101 * S), HF_OK);
}

static void while_inputs_come_the_time_of_receipt_counts(void **state)
{
    (void)state;
    begin(100);
    assert_int_equal(take("a", 100 * S), HF_OK);
    groups_tick(bench->groups, 500 * S); /* a backlog is read after a start */
    assert_int_equal(take("A", 105 * S), HF_OK);
    groups_tick(bench->groups, 500 * S);
    assert_string_equal(bench->emitted, "");
    groups_tick(bench->groups, 500 * S);
    assert_string_equal(bench->emitted, "aA ");
}

static void tries_again_what_cannot_be_read_now(void **state)
{
    (void)state;
    begin(100);
    assert_int_equal(take("a", 100 * S), HF_OK);
    assert_int_equal(take("Ab", 100 * S), HF_OK);
    bench->inputs[1].load_says = HF_IO;
    groups_tick(bench->groups, 100 * S);
    groups_tick(bench->groups, 110 * S);
    assert_string_equal(bench->emitted, "");
    bench->inputs[1].load_says = HF_OK;
    groups_tick(bench->groups, 110 * S);
    assert_int_equal(bench->output_count, 2);
    answer(HF_OK);
    assert_state(0, 0, 0);
    assert_state(1, 0, 0);
}

static void what_is_lost_is_counted_as_dropped(void **state)
{
    (void)state;
    begin(100);
    assert_int_equal(take("a", 100 * S), HF_OK);
    assert_int_equal(take("Ab", 100 * S), HF_OK);
    bench->inputs[1].load_says = HF_NOT_FOUND;
    groups_tick(bench->groups, 100 * S);
    groups_tick(bench->groups, 110 * S);
    answer(HF_OK);
    assert_string_equal(bench->emitted, "a ");
    assert_state(0, 0, 0);
    assert_state(1, 0, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(passes_each_trace_on_as_one_request),
        TEST(is_done_with_a_trace_when_it_is_durable),
        TEST(spans_that_come_on_the_way_are_a_trace_of_their_own),
        TEST(passes_the_oldest_on_early_when_there_are_too_many),
        TEST(while_inputs_come_the_time_of_receipt_counts),
        TEST(tries_again_what_cannot_be_read_now),
        TEST(what_is_lost_is_counted_as_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
