/* Linked into every unit test: HF_TEST in the environment names the tests to run, with * and ?. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h> /* needs those before it */

__attribute__((constructor)) static void choose(void)
{
    const char *pattern = getenv("HF_TEST");
    if (pattern != NULL && pattern[0] != '\0') {
        cmocka_set_test_filter(pattern);
    }
}
