/* nop: it starts and stops, and has no keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

extern const struct hf_component hf_receiver_nop;

static void receives_nothing(void **state)
{
    char error[HF_ERROR_MAX] = "";
    (void)state;
    assert_null(hf_receiver_nop.fields);
    assert_int_equal(hf_receiver_nop.signals, HF_ALL_SIGNALS_AND_PROFILES);
    assert_int_equal(hf_receiver_nop.start(NULL, error), HF_OK);
    hf_receiver_nop.stop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(receives_nothing),
    };
    return cmocka_run_group_tests_name("nop", tests, NULL, NULL);
}
