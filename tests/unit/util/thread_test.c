#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/thread.h"

static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGALRM, SIGCHLD, SIGUSR1};

static size_t count_blocked(void)
{
    sigset_t mask;
    size_t blocked = 0;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        blocked += sigismember(&mask, numbers[i]) == 1;
    }
    return blocked;
}

static void *look(void *of)
{
    size_t *blocked = of;
    *blocked = count_blocked();
    return NULL;
}

static void test_a_thread_leaves_all_signals_to_others(void **state)
{
    (void)state;
    size_t before = count_blocked(), blocked = 0;
    pthread_t thread;
    assert_int_equal(hf_thread_start(&thread, NULL, look, &blocked), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(blocked, sizeof(numbers) / sizeof(numbers[0]));
    assert_int_equal(count_blocked(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_thread_leaves_all_signals_to_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
