#include "delivery/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

static void keeps_the_first_time_and_the_last_words(void **state)
{
    struct hf_fault fault;
    struct hf_state_look look = {.state = HF_STATE_OK};
    (void)state;
    hf_fault_init(&fault);
    assert_false(hf_fault_look(&fault, &look));
    assert_int_equal(look.state, HF_STATE_OK);
    hf_fault_note(&fault, false, "first");
    assert_true(hf_fault_look(&fault, &look));
    uint64_t since_ns = look.since_unix_ns;
    assert_int_equal(look.state, HF_STATE_RECOVERABLE_ERROR);
    hf_fault_note(&fault, true, "second");
    assert_true(hf_fault_look(&fault, &look));
    assert_int_equal(look.state, HF_STATE_PERMANENT_ERROR);
    assert_string_equal(look.error, "second");
    assert_int_equal(look.since_unix_ns, since_ns);
    hf_fault_release(&fault);
}

static void begins_again_after_a_success(void **state)
{
    struct hf_fault fault;
    struct hf_state_look look = {0};
    (void)state;
    hf_fault_init(&fault);
    hf_fault_note(&fault, false, "one");
    assert_true(hf_fault_look(&fault, &look));
    uint64_t since_ns = look.since_unix_ns;
    hf_fault_clear(&fault);
    assert_false(hf_fault_look(&fault, &look));
    hf_fault_note(&fault, false, "two");
    assert_true(hf_fault_look(&fault, &look));
    assert_true(look.since_unix_ns > since_ns);
    hf_fault_release(&fault);
}

static void cuts_long_words(void **state)
{
    struct hf_fault fault;
    struct hf_state_look look = {0};
    char words[2 * HF_STATE_ERROR_MAX];
    (void)state;
    memset(words, 'x', sizeof(words));
    words[sizeof(words) - 1] = '\0';
    hf_fault_init(&fault);
    hf_fault_note(&fault, false, words);
    assert_true(hf_fault_look(&fault, &look));
    assert_int_equal(strlen(look.error), HF_STATE_ERROR_MAX - 1);
    hf_fault_release(&fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_first_time_and_the_last_words),
        cmocka_unit_test(begins_again_after_a_success),
        cmocka_unit_test(cuts_long_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
