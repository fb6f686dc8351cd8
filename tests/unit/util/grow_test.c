/* An array keeps its items while it grows, by doubling. */
#include "util/grow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h> /* needs those before it */

static void items_stay_while_the_room_doubles(void **state)
{
    (void)state;
    uint64_t *items = NULL;
    size_t capacity = 0, steps = 0;
    for (size_t count = 0; count < 1000; count++) {
        size_t before = capacity;
        assert_true(hf_grow(&items, &capacity, count + 1, sizeof(*items)));
        assert_true(capacity > count);
        steps += capacity != before;
        items[count] = count;
    }
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(items[i], i);
    }
    assert_true(steps < 10);
    assert_true(hf_grow(&items, &capacity, 100000, sizeof(*items)));
    assert_int_equal(capacity, 100000);
    assert_int_equal(items[999], 999);
    free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_stay_while_the_room_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
