/* A document says what protobuf-c says, before and after changes; untouched bytes are those that
 * came. */
#include "src/otlp/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "src/otlp/scan.h"
#include "tests/support/bodies.c"

static void oracle_fail(int line, const char *condition)
{
    fail_msg("oracle.c:%d: %s", line, condition);
}

#include "tests/support/oracle.c"

static struct hf_slice slice_of(const struct hf_bytes *bytes)
{
    return hf_slice_of(bytes->data, bytes->size);
}

static void agrees_with_objects(void **state)
{
    (void)state;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        for (uint64_t seed = 1; seed < 300; seed++) {
            struct hf_bytes raw = {0};
            bodies_make(signal, seed, seed % 9, &raw);
            oracle_run(signal, slice_of(&raw), seed, (unsigned)(seed % 40));
            hf_bytes_release(&raw);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
