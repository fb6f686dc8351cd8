/* The choice of a level: a story of states and times. */
#include "components/connectors/failover/levels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#define NONE 9

/* '.': works; 'F': fails and has a backlog; 'f': fails and has none. */
static size_t choose(struct levels *levels, const char *states, uint64_t now_ns)
{
    struct level_state known[4] = {{.is_failing = false}};
    for (size_t i = 0; states[i] != '\0'; i++) {
        known[i] =
            (struct level_state){.is_failing = states[i] != '.', .has_backlog = states[i] == 'F'};
    }
    size_t chosen = levels_choose(levels, known, now_ns);
    return chosen == LEVELS_NONE ? NONE : chosen;
}

static void takes_the_first_level_that_works(void **state)
{
    const struct {
        uint64_t now_ns;
        const char *states;
        size_t chosen;
    } steps[] = {
        {0, "...", 0},
        {10, "F..", 1},
        {20, "F..", 1},
        /* It works again, but is not tried before the interval has passed. */
        {30, "...", 1},
        {109, "...", 1},
        {110, "...", 0},
        {120, "FF.", 2},
        {130, "F..", 2},
        /* Not the first, which still fails. */
        {220, "F..", 1},
        {320, "F..", 1},
        /* It has nothing to try with: this request is the try. */
        {420, "f..", 0},
        {421, "F..", 1},
        /* All fail: the first that works, at once. */
        {430, "FFF", NONE},
        {431, "FFF", NONE},
        {432, "FF.", 2},
        {433, "FFF", NONE},
        {434, "F.F", 1},
        {435, "FFF", NONE},
        {436, ".FF", 0},
        /* Nothing would show that it works again. */
        {437, "FfF", 1},
        {438, "FFF", NONE},
    };
    struct levels levels = {.count = 3, .retry_interval_ns = 100};
    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        size_t chosen = choose(&levels, steps[i].states, steps[i].now_ns);
        if (chosen != steps[i].chosen) {
            fail_msg("step %zu: level %zu", i, chosen);
        }
    }
}

static void has_no_choice_with_one_level(void **state)
{
    struct levels levels = {.count = 1, .retry_interval_ns = 100};
    (void)state;
    assert_int_equal(choose(&levels, ".", 0), 0);
    assert_int_equal(choose(&levels, "F", 1), NONE);
    assert_int_equal(choose(&levels, "F", 1000), NONE);
    assert_int_equal(choose(&levels, ".", 1001), 0);
    assert_int_equal(choose(&levels, "f", 1002), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_first_level_that_works),
        cmocka_unit_test(has_no_choice_with_one_level),
    };
    return cmocka_run_group_tests_name("levels", tests, NULL, NULL);
}
