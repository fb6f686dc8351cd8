/* Inputs are done with when the state is on disk, and none is folded twice over a restart. */
#include "support/state/aggregator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* needs the three before it */

#include "tests/support/node_stub.c"
#include "util/time/clock.h"

#define INPUTS 16

/* A component whose state is a sum of the items of its requests. */
struct adder {
    uint64_t sum, format; /* of the state; of the configuration */
    uint64_t state_format;
    uint64_t shown; /* the sum of the last flush */
    bool has_shown, is_full, resets;
    enum hf_status fold_says;
    size_t flushes, clears;
};

struct bench {
    struct hf_node node;
    char directory[64], path[128];
    struct adder adder;
    struct hf_aggregator *aggregator;
    struct hf_input inputs[INPUTS];
    struct hf_batch *batches[INPUTS];
    size_t done;
    size_t stop_at; /* the loop ends when so many inputs are done with, or so many flushes */
    size_t stop_at_flush;
    struct hf_output *output; /* not answered */
};

static struct bench *bench;

void hf_input_done(struct hf_input *input, uint32_t dropped_items)
{
    assert_int_equal(dropped_items, 0);
    assert_null(input->data); /* once */
    input->data = input;
    if (++bench->done == bench->stop_at) {
        hf_loop_stop(bench->node.loop);
    }
}

void hf_emit(struct hf_node *node, struct hf_batch *batch, struct hf_output *output)
{
    (void)node;
    (void)batch;
    bench->output = output;
    if (bench->adder.flushes == bench->stop_at_flush) {
        hf_loop_stop(bench->node.loop);
    }
}

static void answer(enum hf_status status)
{
    struct hf_output *output = bench->output;
    bench->output = NULL;
    assert_non_null(output);
    output->done(output, status);
}

static enum hf_status fold(void *self, const struct hf_batch *batch)
{
    struct adder *adder = self;
    if (adder->fold_says == HF_OK) {
        adder->sum += batch->items;
    }
    return adder->fold_says;
}

static void flush_begin(void *self, uint64_t unix_ns)
{
    struct adder *adder = self;
    (void)unix_ns;
    adder->flushes++;
    adder->has_shown = false;
}

static enum hf_status flush_next(void *self, struct hf_batch **ret_batch)
{
    struct adder *adder = self;
    if (!adder->has_shown) {
        *ret_batch = hf_batch_new(HF_METRICS, 0, HF_EMPTY_SLICE);
        adder->shown = adder->sum;
        adder->has_shown = true;
    }
    return HF_OK;
}

static void flush_end(void *self)
{
    struct adder *adder = self;
    if (adder->resets || adder->state_format != adder->format) {
        adder->sum = 0;
    }
    adder->state_format = adder->format;
}

static void save(void *self, struct hf_state_writer *writer)
{
    const struct adder *adder = self;
    hf_state_put_u64(writer, adder->state_format);
    hf_state_put_u64(writer, adder->sum);
}

static void load(void *self, struct hf_state_reader *reader, bool *ret_is_foreign)
{
    struct adder *adder = self;
    adder->state_format = hf_state_get_u64(reader);
    adder->sum = hf_state_get_u64(reader);
    *ret_is_foreign = adder->state_format != adder->format;
}

static void clear(void *self)
{
    struct adder *adder = self;
    adder->sum = 0;
    adder->state_format = adder->format;
    adder->clears++;
}

static const struct hf_aggregator_ops ops = {.fold = fold,
                                             .flush_begin = flush_begin,
                                             .flush_next = flush_next,
                                             .flush_end = flush_end,
                                             .save = save,
                                             .load = load,
                                             .clear = clear,
                                             .magic = "HFADDER1"};

/* A new one on the same directory, as after a kill: what was not saved is forgotten. */
static void start(uint64_t interval_ns, bool resets)
{
    hf_aggregator_free(bench->aggregator);
    if (bench->node.loop != NULL) {
        hf_loop_free(bench->node.loop);
    }
    assert_int_equal(hf_loop_new(&bench->node.loop), HF_OK);
    uint64_t format = bench->adder.format;
    bench->adder = (struct adder){.format = format, .state_format = format, .resets = resets};
    const struct hf_aggregator_options options = {.node = &bench->node,
                                                  .ops = &ops,
                                                  .self = &bench->adder,
                                                  .flush_interval_ns = interval_ns,
                                                  .takes_none_in_flush = resets};
    assert_int_equal(hf_aggregator_new(&options, &bench->aggregator), HF_OK);
    hf_aggregator_start(bench->aggregator);
    bench->output = NULL;
}

static int setup(void **state)
{
    (void)state;
    bench = calloc(1, sizeof(*bench));
    node_stub_init(&bench->node);
    bench->node.id = "adder";
    snprintf(bench->directory, sizeof(bench->directory), "/tmp/holdfast_adder_XXXXXX");
    assert_non_null(mkdtemp(bench->directory));
    bench->node.directory = bench->directory;
    snprintf(bench->path, sizeof(bench->path), "%s/adder.state", bench->directory);
    for (size_t i = 0; i < INPUTS; i++) {
        bench->batches[i] = hf_batch_new(HF_TRACES, 0, HF_EMPTY_SLICE);
        bench->batches[i]->items = (uint32_t)(1u << i);
        bench->batches[i]->received_ns = 1000 + i;
        bench->inputs[i].queue = i % 2 == 0 ? "even" : "odd";
        bench->inputs[i].sequence = i;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hf_aggregator_free(bench->aggregator);
    hf_loop_free(bench->node.loop);
    for (size_t i = 0; i < INPUTS; i++) {
        hf_ref_drop(&bench->batches[i]->ref);
    }
    unlink(bench->path);
    rmdir(bench->directory);
    free(bench);
    return 0;
}

static enum hf_status take(size_t number)
{
    bench->inputs[number].batch = bench->batches[number];
    bench->inputs[number].data = NULL;
    return hf_aggregator_take(bench->aggregator, &bench->inputs[number]);
}

static void run_until_done(size_t count)
{
    bench->stop_at = count;
    if (bench->done < count) {
        hf_loop_run(bench->node.loop);
    }
    assert_int_equal(bench->done, count);
}

static void is_done_when_the_state_is_on_disk(void **state)
{
    (void)state;
    start(3600 * HF_NS_PER_S, false);
    assert_int_equal(take(0), HF_OK);
    assert_int_equal(take(1), HF_OK);
    assert_int_equal(bench->done, 0);
    run_until_done(2);
    assert_int_equal(access(bench->path, F_OK), 0);
    start(3600 * HF_NS_PER_S, false);
    assert_int_equal(take(2), HF_OK);
    assert_int_equal(bench->adder.sum, 1 + 2 + 4);
}

static void folds_nothing_twice(void **state)
{
    (void)state;
    start(3600 * HF_NS_PER_S, false);
    assert_int_equal(take(0), HF_OK);
    assert_int_equal(take(1), HF_OK);
    run_until_done(2);
    assert_int_equal(take(2), HF_OK); /* killed before the next snapshot */
    start(3600 * HF_NS_PER_S, false);
    bench->done = 0;
    assert_int_equal(take(0), HF_OK);
    assert_int_equal(take(1), HF_OK);
    assert_int_equal(bench->done, 2); /* at once: they are in the snapshot */
    assert_int_equal(take(2), HF_OK);
    assert_int_equal(bench->done, 2);
    assert_int_equal(bench->adder.sum, 1 + 2 + 4);
}

/* An operator removed the files of the queue: its numbers begin again. */
static void folds_what_has_an_old_number_and_is_new(void **state)
{
    (void)state;
    start(3600 * HF_NS_PER_S, false);
    assert_int_equal(take(4), HF_OK);
    run_until_done(1);
    start(3600 * HF_NS_PER_S, false);
    bench->batches[0]->received_ns = 5000;
    assert_int_equal(take(0), HF_OK);
    assert_int_equal(bench->adder.sum, 16 + 1);
}

static void saves_what_was_folded_when_it_stops(void **state)
{
    (void)state;
    start(3600 * HF_NS_PER_S, false);
    assert_int_equal(take(0), HF_OK);
    hf_aggregator_stop(bench->aggregator);
    assert_int_equal(bench->done, 1);
    start(3600 * HF_NS_PER_S, false);
    assert_int_equal(take(0), HF_OK);
    assert_int_equal(bench->adder.sum, 1);
}

static void keeps_inputs_while_it_cannot_save(void **state)
{
    char blocked[160];
    (void)state;
    snprintf(blocked, sizeof(blocked), "%s.new", bench->path);
    assert_int_equal(mkdir(blocked, 0700), 0);
    start(3600 * HF_NS_PER_S, false);
    assert_int_equal(take(0), HF_OK);
    hf_aggregator_stop(bench->aggregator);
    assert_int_equal(bench->done, 0);
    assert_true(node_stub_wait_log(&bench->node, "cannot write"));
    rmdir(blocked);
}

static void passes_on_at_intervals(void **state)
{
    (void)state;
    start(HF_NS_PER_MS, false);
    assert_int_equal(take(0), HF_OK);
    bench->stop_at_flush = 1;
    hf_loop_run(bench->node.loop);
    assert_int_equal(bench->adder.shown, 1);
    assert_int_equal(take(1), HF_OK); /* cumulative sums take more meanwhile */
    answer(HF_OK);
    bench->stop_at_flush = 2;
    hf_loop_run(bench->node.loop);
    assert_int_equal(bench->adder.shown, 3);
}

static void takes_nothing_while_deltas_are_on_their_way(void **state)
{
    (void)state;
    start(HF_NS_PER_MS, true);
    assert_int_equal(take(0), HF_OK);
    bench->stop_at_flush = 1;
    hf_loop_run(bench->node.loop);
    assert_int_equal(take(1), HF_BUSY);
    answer(HF_OK);
    assert_int_equal(bench->done, 1); /* the state without what was passed on is on disk */
    assert_int_equal(take(1), HF_OK);
    assert_int_equal(bench->adder.sum, 2);
}

static void repeats_a_flush_that_was_not_durable(void **state)
{
    (void)state;
    start(3600 * HF_NS_PER_S, true);
    assert_int_equal(take(0), HF_OK);
    run_until_done(1);
    start(HF_NS_PER_MS, true);
    bench->stop_at_flush = 1;
    hf_loop_run(bench->node.loop);
    assert_int_equal(bench->adder.shown, 1);
    answer(HF_CLOSED);
    start(HF_NS_PER_MS, true);
    hf_loop_run(bench->node.loop);
    assert_int_equal(bench->adder.shown, 1);
}

static void passes_on_after_each_request_without_an_interval(void **state)
{
    (void)state;
    start(0, false);
    assert_int_equal(take(0), HF_OK);
    assert_int_equal(bench->adder.shown, 1);
    answer(HF_OK);
    assert_int_equal(take(1), HF_OK);
    assert_int_equal(bench->adder.shown, 3);
}

static void passes_on_a_state_of_another_configuration_first(void **state)
{
    (void)state;
    start(3600 * HF_NS_PER_S, false);
    assert_int_equal(take(0), HF_OK);
    run_until_done(1);
    bench->adder.format = 2;
    start(3600 * HF_NS_PER_S, false);
    assert_int_equal(take(1), HF_BUSY);
    assert_int_equal(bench->adder.shown, 1);
    answer(HF_OK);
    assert_int_equal(take(1), HF_OK);
    assert_int_equal(bench->adder.sum, 2);
}

static void flushes_when_there_is_no_room(void **state)
{
    (void)state;
    start(3600 * HF_NS_PER_S, false);
    bench->adder.fold_says = HF_FULL;
    assert_int_equal(take(0), HF_FULL);
    assert_int_equal(bench->adder.flushes, 1);
    bench->adder.fold_says = HF_NOMEM;
    assert_int_equal(take(0), HF_NOMEM);
    bench->adder.fold_says = HF_OK;
    assert_int_equal(take(0), HF_OK);
    assert_int_equal(bench->adder.sum, 1);
}

static void begins_again_when_the_state_is_damaged(void **state)
{
    (void)state;
    FILE *file = fopen(bench->path, "wb");
    fputs("HFADDER1 and not the rest", file);
    fclose(file);
    start(3600 * HF_NS_PER_S, false);
    assert_int_equal(take(0), HF_OK);
    assert_int_equal(bench->adder.clears, 1);
    assert_int_equal(bench->adder.sum, 1);
    assert_true(node_stub_wait_log(&bench->node, "is damaged"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(is_done_when_the_state_is_on_disk),
        TEST(folds_nothing_twice),
        TEST(folds_what_has_an_old_number_and_is_new),
        TEST(saves_what_was_folded_when_it_stops),
        TEST(keeps_inputs_while_it_cannot_save),
        TEST(passes_on_at_intervals),
        TEST(takes_nothing_while_deltas_are_on_their_way),
        TEST(repeats_a_flush_that_was_not_durable),
        TEST(passes_on_after_each_request_without_an_interval),
        TEST(passes_on_a_state_of_another_configuration_first),
        TEST(flushes_when_there_is_no_room),
        TEST(begins_again_when_the_state_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
