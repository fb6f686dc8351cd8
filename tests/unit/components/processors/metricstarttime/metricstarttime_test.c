/* Generated requests go through: what passes on can be stored, and the books balance. What becomes
 * of single points is compared with the Go collector in tests/differential. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "tests/support/bodies.c"
#include "tests/support/node_stub.c"
#include "tests/unit/queued_stub.h"

#include "tests/unit/generated_inputs.h"

extern const struct hf_component hf_processor_metricstarttime;

static void passes_on_what_can_be_stored(void **state)
{
    static const char *const strategies[] = {"true_reset_point", "subtract_initial_point",
                                             "start_time_metric"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const char *const pairs[][2] = {{"strategy", strategies[i]}, {NULL, NULL}};
        generated_run(&hf_processor_metricstarttime, HF_METRICS, pairs, false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_on_what_can_be_stored),
    };
    return cmocka_run_group_tests_name("metricstarttime", tests, NULL, NULL);
}
