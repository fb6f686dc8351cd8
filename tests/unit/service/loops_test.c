/* How many loops there are: as many as cores, unless a chart says otherwise. */
#include "service/loops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

static void gomaxprocs_counts_when_it_is_a_number(void **state)
{
    static const struct {
        const char *gomaxprocs;
        unsigned cores;
        size_t wanted;
    } rows[] = {
        {NULL, 2, 2},
        {NULL, 64, 4},
        {"1", 64, 1},
        {"3", 1, 3},
        {"16", 2, 4},
        {"0", 2, 2},
        {"-1", 2, 2},
        {"", 2, 2},
        {"2x", 3, 3},
        {" 1", 2, 2},
        {"99999999999999999999", 2, 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(hf_loops_wanted(rows[i].gomaxprocs, rows[i].cores), rows[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gomaxprocs_counts_when_it_is_a_number),
    };
    return cmocka_run_group_tests_name("loops", tests, NULL, NULL);
}
