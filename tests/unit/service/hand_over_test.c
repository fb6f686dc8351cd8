/* Where the backlog shall go: endpoints, and what those who ask again are told. */
#include "service/hand_over.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

/* SIGHUP is blocked in all threads; was it sent? */
static bool take_signal(void)
{
    static const struct timespec now = {0, 0};
    sigset_t hangup;
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    return sigtimedwait(&hangup, NULL, &now) == SIGHUP;
}

static void takes_endpoints_with_a_scheme(void **state)
{
    static const struct {
        const char *endpoint;
        bool good;
    } rows[] = {
        {"http://peer:4317", true},
        {"https://holdfast-0.holdfast.observability.svc:4317", true},
        {"http://[fd00::1]:4317", true},
        {"http://10.0.0.7:4317", true},
        {"peer:4317", false},
        {"http://", false},
        {"http://:4317", false},
        {"http://peer:4317/v1", false},
        {"http://peer:4317 ", false},
        {"http://${env:HOME}", false},
        {"http://a\nb", false},
        {"unix:///peer", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(hf_hand_over_check(rows[i].endpoint) == NULL, rows[i].good);
    }
}

static void a_change_causes_one_reload(void **state)
{
    struct hf_hand_over *hand_over = NULL;
    char error[HF_ERROR_MAX] = "";
    (void)state;
    assert_int_equal(hf_hand_over_new(&hand_over), HF_OK);
    assert_true(hf_hand_over_ask(hand_over, NULL, error));
    assert_false(take_signal());
    assert_int_equal(hf_hand_over_apply(hand_over, NULL, NULL, error), HF_OK);
    assert_true(hf_hand_over_ask(hand_over, "http://a:1", error));
    assert_true(take_signal());
    assert_true(hf_hand_over_ask(hand_over, "http://a:1", error));
    assert_false(take_signal());
    assert_true(hf_hand_over_ask(hand_over, "http://b:1", error));
    assert_true(take_signal());
    assert_true(hf_hand_over_ask(hand_over, NULL, error));
    assert_true(take_signal());
    hf_hand_over_free(hand_over);
    hf_hand_over_free(NULL);
}

static void a_failure_is_told_once_and_tried_again(void **state)
{
    struct hf_hand_over *hand_over = NULL;
    char error[HF_ERROR_MAX] = "";
    (void)state;
    assert_int_equal(hf_hand_over_new(&hand_over), HF_OK);
    hf_hand_over_fail(hand_over, "of a reload that was another's");
    assert_true(hf_hand_over_ask(hand_over, NULL, error));
    assert_true(hf_hand_over_ask(hand_over, "http://a:1", error));
    assert_true(take_signal());
    hf_hand_over_fail(hand_over, "it does not start");
    assert_false(hf_hand_over_ask(hand_over, "http://a:1", error));
    assert_string_equal(error, "it does not start");
    assert_true(hf_hand_over_ask(hand_over, "http://a:1", error));
    assert_true(take_signal());
    hf_hand_over_free(hand_over);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_endpoints_with_a_scheme),
        cmocka_unit_test(a_change_causes_one_reload),
        cmocka_unit_test(a_failure_is_told_once_and_tried_again),
    };
    sigset_t hangup;
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    sigprocmask(SIG_BLOCK, &hangup, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
