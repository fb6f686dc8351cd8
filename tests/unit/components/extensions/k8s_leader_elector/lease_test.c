#include "components/extensions/k8s_leader_elector/lease.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "util/time/clock.h"

#define S HF_NS_PER_S

static const struct lease_config config = {.name = "the-lease",
                                           .space = "default",
                                           .identity = "me",
                                           .duration_ns = 15 * S,
                                           .renew_deadline_ns = 10 * S};

static struct lease_record record_of(const char *holder, const char *version)
{
    struct lease_record record = {.duration_ns = 15 * S};
    snprintf(record.holder, sizeof(record.holder), "%s", holder);
    snprintf(record.version, sizeof(record.version), "%s", version);
    return record;
}

static bool read_text(const char *text, struct lease_record *ret_record)
{
    struct hf_arena arena = {.limit = 1 << 20};
    const struct hf_json *object;
    char error[HF_JSON_ERROR_MAX];
    assert_int_equal(hf_json_read(hf_slice_text(text), &arena, &object, error), HF_OK);
    bool is_read = lease_read(object, ret_record);
    hf_arena_release(&arena);
    return is_read;
}

static void takes_a_lease_that_did_not_change_for_its_duration(void **state)
{
    static const struct {
        uint64_t at_ns;
        const char *holder, *version;
        enum lease_step step;
    } looks[] = {
        {100 * S, "other", "1", LEASE_WAIT}, /* how old it is, is not known */
        {114 * S, "other", "1", LEASE_WAIT}, {114 * S, "other", "2", LEASE_WAIT}, /* renewed */
        {128 * S, "other", "2", LEASE_WAIT}, {129 * S, "other", "2", LEASE_TAKE},
        {130 * S, "me", "3", LEASE_RENEW},   {131 * S, "other", "4", LEASE_WAIT},
        {132 * S, "", "5", LEASE_TAKE},      /* given up */
        {133 * S, NULL, NULL, LEASE_CREATE}, /* deleted */
        {134 * S, "other", "5", LEASE_WAIT}, /* seen with another version */
    };
    struct lease lease = {.config = &config};
    (void)state;
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
        struct lease_record record = {0};
        if (looks[i].holder != NULL) {
            record = record_of(looks[i].holder, looks[i].version);
        }
        assert_int_equal(
            lease_decide(&lease, looks[i].holder != NULL ? &record : NULL, looks[i].at_ns),
            looks[i].step);
    }
}

static void a_leader_that_cannot_renew_is_none_any_more(void **state)
{
    struct lease lease = {.config = &config};
    (void)state;
    assert_false(lease_is_overdue(&lease, 1000 * S));
    lease_won(&lease, 100 * S);
    assert_true(lease.is_leader);
    assert_false(lease_is_overdue(&lease, 110 * S - 1));
    assert_true(lease_is_overdue(&lease, 110 * S));
    lease_won(&lease, 108 * S);
    assert_false(lease_is_overdue(&lease, 110 * S));
}

/* Writes and reads back. */
static struct lease_record written(enum lease_step step, const struct lease_record *record)
{
    struct lease lease = {.config = &config};
    struct lease_record back;
    char text[2048];
    assert_int_equal(
        lease_write(&lease, step, record, UINT64_C(1714979289123456789), text, sizeof(text)),
        HF_OK);
    if (record == NULL) {
        assert_null(strstr(text, "resourceVersion"));
        assert_non_null(strstr(text, "\"renewTime\":\"2024-05-06T07:08:09.123456Z\""));
        return (struct lease_record){0};
    }
    assert_true(read_text(text, &back));
    assert_string_equal(back.version, record->version);
    return back;
}

static void writes_what_each_step_means(void **state)
{
    struct lease_record old = record_of("other", "7");
    (void)state;
    old.transitions = 4;
    snprintf(old.acquired, sizeof(old.acquired), "2020-01-01T00:00:00.000000Z");
    struct lease_record taken = written(LEASE_TAKE, &old);
    assert_string_equal(taken.holder, "me");
    assert_int_equal(taken.transitions, 5);
    assert_int_equal(taken.duration_ns, 15 * S);
    assert_int_equal(taken.renewed_ns, UINT64_C(1714979289123456000));
    assert_string_equal(taken.acquired, "2024-05-06T07:08:09.123456Z");
    struct lease_record renewed = written(LEASE_RENEW, &old);
    assert_int_equal(renewed.transitions, 4);
    assert_string_equal(renewed.acquired, old.acquired);
    struct lease_record given_up = written(LEASE_WAIT, &old);
    assert_string_equal(given_up.holder, "");
    assert_int_equal(given_up.duration_ns, S);
    written(LEASE_CREATE, NULL);
}

static void no_room_is_told(void **state)
{
    struct lease lease = {.config = &config};
    char text[64];
    (void)state;
    assert_int_equal(lease_write(&lease, LEASE_CREATE, NULL, 0, text, sizeof(text)), HF_TOO_LARGE);
}

static void refuses_what_is_no_lease(void **state)
{
    struct lease_record record;
    char text[1024], name[300];
    (void)state;
    assert_false(read_text("{}", &record));
    assert_false(read_text("[]", &record));
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    snprintf(text, sizeof(text),
             "{\"metadata\":{\"resourceVersion\":\"1\"},\"spec\":{\"holderIdentity\":\"%s\"}}",
             name);
    assert_false(read_text(text, &record));
    assert_true(read_text("{\"metadata\":{\"resourceVersion\":\"1\"},\"spec\":{"
                          "\"renewTime\":\"yesterday\",\"leaseDurationSeconds\":-1}}",
                          &record));
    assert_int_equal(record.renewed_ns, 0);
    assert_int_equal(record.duration_ns, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_lease_that_did_not_change_for_its_duration),
        cmocka_unit_test(a_leader_that_cannot_renew_is_none_any_more),
        cmocka_unit_test(writes_what_each_step_means),
        cmocka_unit_test(no_room_is_told),
        cmocka_unit_test(refuses_what_is_no_lease),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
