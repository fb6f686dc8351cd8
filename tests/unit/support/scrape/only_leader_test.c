#include "support/scrape/only_leader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/component.h>

/* An elector that has one member. */
static struct hf_leader_listener *member;
static bool leads;
static int elector;

static void join(void *self, struct hf_leader_listener *listener)
{
    assert_ptr_equal(self, &elector);
    member = listener;
    if (leads) {
        listener->changed(listener, true, 77);
    }
}

static void leave(void *self, struct hf_leader_listener *listener)
{
    assert_ptr_equal(self, &elector);
    assert_ptr_equal(member, listener);
    member = NULL;
}

enum hf_status hf_node_leader(const struct hf_node *node, const char *id,
                              const struct hf_leader **ret_leader, void **ret_self)
{
    static const struct hf_leader ops = {.join = join, .leave = leave};
    (void)node;
    if (strcmp(id, "elector") != 0) {
        return HF_NOT_FOUND;
    }
    *ret_leader = &ops;
    *ret_self = &elector;
    return HF_OK;
}

static unsigned calls;
static bool is_leader_now;
static uint64_t since_ns_now;

static void on_changed(struct hf_leader_listener *listener, bool is_leader, uint64_t since_ns)
{
    (void)listener;
    calls++;
    is_leader_now = is_leader;
    since_ns_now = since_ns;
}

static void without_an_elector_it_begins_at_once(void **state)
{
    struct hf_only_leader only;
    char error[HF_ERROR_MAX];
    (void)state;
    calls = 0;
    assert_int_equal(hf_only_leader_start(&only, NULL, NULL, on_changed, error), HF_OK);
    assert_int_equal(calls, 1);
    assert_true(is_leader_now && since_ns_now == 0);
    hf_only_leader_stop(&only);
    assert_int_equal(calls, 1);
}

static void with_one_it_waits_for_the_election(void **state)
{
    struct hf_only_leader only;
    char error[HF_ERROR_MAX];
    (void)state;
    calls = 0;
    leads = false;
    assert_int_equal(hf_only_leader_start(&only, NULL, "elector", on_changed, error), HF_OK);
    assert_int_equal(calls, 0);
    member->changed(member, true, 5);
    assert_true(is_leader_now && since_ns_now == 5);
    hf_only_leader_stop(&only);
    assert_null(member);
    hf_only_leader_stop(&only); /* nothing more happens */
    leads = true;
    assert_int_equal(hf_only_leader_start(&only, NULL, "elector", on_changed, error), HF_OK);
    assert_true(calls == 2 && since_ns_now == 77);
    hf_only_leader_stop(&only);
}

static void what_elects_no_leader_is_named(void **state)
{
    struct hf_only_leader only;
    char error[HF_ERROR_MAX];
    (void)state;
    assert_int_equal(hf_only_leader_start(&only, NULL, "health", on_changed, error), HF_INVALID);
    assert_non_null(strstr(error, "the extension health elects no leader"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_an_elector_it_begins_at_once),
        cmocka_unit_test(with_one_it_waits_for_the_election),
        cmocka_unit_test(what_elects_no_leader_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
