/* The processor of docs/examples, on requests of two spans: {1 {2 {2 {5 name}, 2 {5 name}}}}. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

extern const struct hf_component hf_processor_drop_spans;

static const char *const name = "x"; /* the whole of the configuration */

static struct hf_batch *request(char first, char second)
{
    const uint8_t body[] = {0x0a, 12, 0x12, 10, 0x12,           3, 0x2a, 1, (uint8_t)first,
                            0x12, 3,  0x2a, 1,  (uint8_t)second};
    struct hf_batch *batch = hf_batch_new(HF_TRACES, sizeof(body), HF_EMPTY_SLICE);
    assert_non_null(batch);
    memcpy(hf_batch_room(batch), body, sizeof(body));
    hf_batch_seal(batch, sizeof(body), 2);
    return batch;
}

/* What is left of a request; the reference is the caller's. */
static struct hf_batch *process(struct hf_batch *batch)
{
    char error[HF_ERROR_MAX] = "";
    void *self = NULL;
    struct hf_batch *left = NULL;
    assert_int_equal(hf_processor_drop_spans.open(NULL, &name, &self, error), HF_OK);
    assert_int_equal(hf_processor_drop_spans.processor->process(self, batch, &left), HF_OK);
    return left;
}

static void removes_spans_of_that_name(void **state)
{
    static const uint8_t expected[] = {0x0a, 7, 0x12, 5, 0x12, 3, 0x2a, 1, 'a'};
    struct hf_batch *batch = request('a', 'x');
    (void)state;
    struct hf_batch *left = process(batch);
    assert_int_equal(left->items, 1);
    assert_int_equal(left->raw.size, sizeof(expected));
    assert_memory_equal(left->raw.data, expected, sizeof(expected));
    hf_ref_drop(&left->ref);
    hf_ref_drop(&batch->ref);
}

static void passes_a_request_without_them_as_it_is(void **state)
{
    struct hf_batch *batch = request('a', 'b');
    (void)state;
    struct hf_batch *left = process(batch);
    assert_ptr_equal(left, batch);
    hf_ref_drop(&left->ref);
    hf_ref_drop(&batch->ref);
}

static void leaves_nothing_of_a_request_of_only_them(void **state)
{
    struct hf_batch *batch = request('x', 'x');
    (void)state;
    assert_null(process(batch));
    hf_ref_drop(&batch->ref);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(removes_spans_of_that_name),
        cmocka_unit_test(passes_a_request_without_them_as_it_is),
        cmocka_unit_test(leaves_nothing_of_a_request_of_only_them),
    };
    return cmocka_run_group_tests_name("drop_spans", tests, NULL, NULL);
}
