/* A sender whose pod is not known waits once, and all together not for long. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "components/processors/k8sattributes/patience.h"

#define SECOND_NS UINT64_C(1000000000)

static struct k8s_patience *open_patience(void)
{
    struct k8s_patience *patience = NULL;
    assert_int_equal(k8s_patience_new(&patience), HF_OK);
    return patience;
}

static void lets_a_sender_wait_once_in_ten_seconds(void **state)
{
    struct k8s_patience *patience = open_patience();
    (void)state;
    assert_true(k8s_patience_grant(patience, 7, SECOND_NS));
    assert_false(k8s_patience_grant(patience, 7, 2 * SECOND_NS));
    assert_true(k8s_patience_grant(patience, 8, 2 * SECOND_NS));
    assert_false(k8s_patience_grant(patience, 7, 11 * SECOND_NS - 1));
    assert_true(k8s_patience_grant(patience, 7, 11 * SECOND_NS));
    k8s_patience_free(patience);
}

static void spends_a_fifth_of_the_time_at_most(void **state)
{
    struct k8s_patience *patience = open_patience();
    uint64_t sender = 1, granted = 0;
    (void)state;
    for (uint64_t now_ns = SECOND_NS; now_ns < 11 * SECOND_NS; now_ns += SECOND_NS / 100) {
        granted += k8s_patience_grant(patience, sender++, now_ns);
    }
    uint64_t most = (10 * K8S_PATIENCE_PER_SECOND_NS + K8S_PATIENCE_SAVED_NS) / K8S_PATIENCE_NS;
    assert_in_range(granted, most - 1, most);
    k8s_patience_free(patience);
}

static void remembers_as_many_as_it_has_room_for(void **state)
{
    struct k8s_patience *patience = open_patience();
    uint64_t now_ns = SECOND_NS;
    (void)state;
    for (uint64_t sender = 0; sender < 100000; sender++) {
        now_ns += SECOND_NS;
        assert_true(k8s_patience_grant(patience, sender + 1, now_ns));
    }
    k8s_patience_free(patience);
}

struct asking {
    struct k8s_patience *patience;
    unsigned asked, there_at;
};

static bool is_there(void *user)
{
    struct asking *asking = user;
    asking->asked++;
    if (asking->asked < asking->there_at) {
        k8s_patience_wake(asking->patience); /* a change that is of no use yet */
    }
    return asking->asked == asking->there_at;
}

static void looks_again_after_every_change(void **state)
{
    struct asking asking = {.patience = open_patience(), .there_at = 3};
    (void)state;
    assert_true(k8s_patience_wait(asking.patience, is_there, &asking));
    assert_int_equal(asking.asked, 3);
    k8s_patience_free(asking.patience);
}

static bool is_never_there(void *user)
{
    ++*(unsigned *)user;
    return false;
}

static void goes_on_without_in_the_end(void **state)
{
    struct k8s_patience *patience = open_patience();
    unsigned asked = 0;
    (void)state;
    assert_false(k8s_patience_wait(patience, is_never_there, &asked));
    assert_int_equal(asked, 2);
    k8s_patience_free(patience);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_a_sender_wait_once_in_ten_seconds),
        cmocka_unit_test(spends_a_fifth_of_the_time_at_most),
        cmocka_unit_test(remembers_as_many_as_it_has_room_for),
        cmocka_unit_test(looks_again_after_every_change),
        cmocka_unit_test(goes_on_without_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
