/* Traces and verdicts are found by their ids, whatever came and went before. */
#include "components/processors/tail_sampling/trace_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "util/time/clock.h"

#define IDS 4000u
#define STEPS 200000u

enum state { ABSENT = 0, TRACE, VERDICT, TRACE_OF_VERDICT };

static struct hf_trace_table table;

static void id_of(uint32_t number, uint8_t *ret_id)
{
    memset(ret_id, 0, HF_TRACE_ID_SIZE);
    memcpy(ret_id + 4, &number, sizeof(number));
}

static struct hf_trace_found find(uint32_t number)
{
    uint8_t id[HF_TRACE_ID_SIZE];
    id_of(number, id);
    return hf_trace_find(&table, id, hf_trace_hash(id));
}

static struct hf_trace *add(uint32_t number)
{
    uint8_t id[HF_TRACE_ID_SIZE];
    id_of(number, id);
    struct hf_trace *trace = hf_trace_add(&table, id, hf_trace_hash(id));
    assert_non_null(trace);
    assert_memory_equal(trace->id, id, HF_TRACE_ID_SIZE);
    trace->received_ns = number;
    return trace;
}

static int set_up(void **state)
{
    (void)state;
    hf_trace_seed();
    table = (struct hf_trace_table){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hf_trace_table_release(&table);
    return 0;
}

/* The model: what is known of each number, and the verdicts in their order. */
struct model {
    enum state states[IDS];
    uint32_t verdicts[IDS];
    size_t first, count, known;
};

static void assert_as_model(const struct model *model, uint32_t number)
{
    struct hf_trace_found found = find(number);
    enum state state = model->states[number];
    assert_int_equal(found.trace != NULL, state == TRACE || state == TRACE_OF_VERDICT);
    assert_int_equal(found.verdict != NULL, state == VERDICT);
    if (found.trace != NULL && state == TRACE) {
        assert_int_equal(found.trace->received_ns, number);
    }
    if (found.verdict != NULL) {
        assert_int_equal(found.verdict->received_ns, number);
        assert_int_equal(found.verdict->is_sampled, number % 2);
    }
}

static void step_to_trace(struct model *model, uint32_t number)
{
    bool was_verdict = model->states[number] == VERDICT;
    add(number);
    model->states[number] = was_verdict ? TRACE_OF_VERDICT : TRACE;
    model->known += !was_verdict;
}

static void step_from_trace(struct model *model, uint32_t number, bool remembers)
{
    struct hf_trace *trace = find(number).trace;
    bool is_of_verdict = model->states[number] == TRACE_OF_VERDICT;
    if (remembers) {
        hf_trace_remember(&table, trace, number % 2 == 1, number);
    } else {
        hf_trace_remove(&table, trace);
    }
    if (remembers && !is_of_verdict) {
        model->verdicts[(model->first + model->count++) % IDS] = number;
    }
    model->states[number] = is_of_verdict || remembers ? VERDICT : ABSENT;
    model->known -= model->states[number] == ABSENT;
}

static void step_forget(struct model *model)
{
    uint32_t number = model->verdicts[model->first];
    struct hf_trace_verdict verdict = hf_trace_forget(&table);
    assert_int_equal(verdict.received_ns, number);
    bool is_out = model->states[number] == TRACE_OF_VERDICT;
    assert_int_equal(verdict.is_out, is_out);
    model->states[number] = is_out ? TRACE : ABSENT;
    model->known -= !is_out;
    model->first = (model->first + 1) % IDS;
    model->count--;
}

static void all_is_found_after_any_order_of_steps(void **state)
{
    struct model *model = calloc(1, sizeof(*model));
    uint64_t random = 42;
    (void)state;
    for (uint32_t step = 0; step < STEPS; step++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        uint32_t number = (uint32_t)(random >> 33) % IDS, choice = (uint32_t)(random >> 20) % 8;
        assert_as_model(model, number);
        if (model->states[number] == TRACE || model->states[number] == TRACE_OF_VERDICT) {
            step_from_trace(model, number, choice < 5);
        } else if (choice != 0 || model->count == 0) {
            step_to_trace(model, number);
        } else {
            step_forget(model);
        }
        assert_as_model(model, number);
        assert_int_equal(table.count, model->known);
        assert_int_equal(hf_trace_verdicts(&table), model->count);
    }
    for (uint32_t number = 0; number < IDS; number++) {
        assert_as_model(model, number);
    }
    free(model);
}

static void a_verdict_says_when_it_was_and_what(void **state)
{
    (void)state;
    struct hf_trace *trace = add(7);
    trace->received_ns = 5 * HF_NS_PER_S;
    hf_trace_remember(&table, trace, true, 5 * HF_NS_PER_S + 1500 * HF_NS_PER_MS);
    const struct hf_trace_verdict *verdict = find(7).verdict;
    assert_non_null(verdict);
    assert_true(verdict->is_sampled);
    assert_int_equal(verdict->received_ns, 5 * HF_NS_PER_S);
    assert_int_equal(verdict->wait_ms, 1500);
}

static size_t shown;

static void count(struct hf_trace *trace)
{
    assert_ptr_equal(find((uint32_t)trace->received_ns).trace, trace);
    shown++;
}

static void traces_are_shown_and_verdicts_are_not(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 5000; i++) {
        struct hf_trace *trace = add(i);
        if (i % 3 == 0) {
            hf_trace_remember(&table, trace, false, i);
        }
    }
    shown = 0;
    hf_trace_each(&table, count);
    assert_int_equal(shown, 5000 - 1667);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(all_is_found_after_any_order_of_steps),
        TEST(a_verdict_says_when_it_was_and_what),
        TEST(traces_are_shown_and_verdicts_are_not),
    };
    return cmocka_run_group_tests_name("trace_table", tests, NULL, NULL);
}
