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

extern const struct hf_component hf_processor_logdedup;

static void passes_on_what_can_be_stored(void **state)
{
    static const char *const none[][2] = {{NULL, NULL}};
    static const char *const some[][2] = {{"conditions", "severity_number > 9"},
                                          {"include_fields", "attributes.http\\\\.method"},
                                          {"exclude_fields", "body.user"},
                                          {NULL, NULL}};
    (void)state;
    generated_run(&hf_processor_logdedup, HF_LOGS, none, true);
    generated_run(&hf_processor_logdedup, HF_LOGS, some, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_on_what_can_be_stored),
    };
    return cmocka_run_group_tests_name("logdedup", tests, NULL, NULL);
}
