/* What counts as full, who goes first, and which addresses are one peer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <util/intake.h>

#define MIB (UINT64_C(1) << 20)
#define S UINT64_C(1000000000)

static void takes_an_eighth_of_the_memory_within_bounds(void **state)
{
    static const struct {
        uint64_t memory, total;
    } rows[] = {{0, 256 * MIB},        {32 * MIB, 8 * MIB},     {64 * MIB, 8 * MIB},
                {512 * MIB, 64 * MIB}, {2048 * MIB, 256 * MIB}, {65536 * MIB, 256 * MIB}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(hf_intake_total(rows[i].memory), rows[i].total);
    }
}

static void keeps_room_for_small_messages_and_a_share_for_others(void **state)
{
    static const struct {
        size_t held, peer_held, size;
        enum hf_intake_verdict verdict;
    } rows[] = {
        {499, 499, 700, HF_INTAKE_FREE},    {500, 500, 700, HF_INTAKE_PRESSED},
        {875, 251, 700, HF_INTAKE_PRESSED}, {876, 251, 700, HF_INTAKE_FULL},
        {876, 250, 700, HF_INTAKE_PRESSED}, {1001, 0, 700, HF_INTAKE_FULL},
        {1000, 999, 31, HF_INTAKE_PRESSED}, {1001, 0, 31, HF_INTAKE_FULL},
        {876, 251, 32, HF_INTAKE_FULL},
    };
    struct hf_intake_limits limits = hf_intake_limits_of(1000);
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(hf_intake_judge(&limits, rows[i].held, rows[i].peer_held, rows[i].size),
                         rows[i].verdict);
    }
}

static void measures_the_pace_of_late(void **state)
{
    struct hf_intake_pace pace;
    (void)state;
    hf_intake_pace_begin(&pace, 10 * S);
    assert_int_equal(hf_intake_pace_rate(&pace, 12 * S, 2000), 1000);
    hf_intake_pace_mark(&pace, 12 * S, 2000);
    hf_intake_pace_mark(&pace, 13 * S, 2000);
    /* What came at once long ago counts no more. */
    assert_int_equal(hf_intake_pace_rate(&pace, 14 * S, 2000), 0);
    assert_int_equal(hf_intake_pace_rate(&pace, 14 * S, 2500), 250);
}

static void is_late_by_rate_after_a_grace_or_by_time(void **state)
{
    static const struct {
        uint64_t age_s;
        size_t bytes;
        bool late;
    } rows[] = {{0, 0, false},     {30, 0, false},        {32, 2047, true},
                {32, 2048, false}, {600, 1 << 30, false}, {601, 1 << 30, true}};
    struct hf_intake_pace pace;
    (void)state;
    hf_intake_pace_begin(&pace, 5 * S);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(
            hf_intake_pace_is_late(&pace, (5 + rows[i].age_s) * S, rows[i].bytes, 600 * S, 1024),
            rows[i].late);
    }
}

static void names_the_slowest_first_and_peers_above_their_share_before(void **state)
{
    struct hf_intake_limits limits = hf_intake_limits_of(1000);
    struct hf_intake_victims victims = {.count = 0};
    char messages[2 * HF_INTAKE_VICTIMS];
    (void)state;
    for (size_t i = 0; i < sizeof(messages); i++) {
        size_t rate = (i * 37) % sizeof(messages);
        hf_intake_victims_add(&victims, hf_intake_key(&limits, 0, rate), &messages[rate]);
    }
    assert_int_equal(victims.count, HF_INTAKE_VICTIMS);
    for (size_t i = 0; i < victims.count; i++) {
        assert_ptr_equal(victims.items[i].message, &messages[i]);
    }
    hf_intake_victims_add(&victims, hf_intake_key(&limits, 501, 1 << 20), messages + 40);
    assert_ptr_equal(victims.items[0].message, messages + 40);
    assert_ptr_equal(victims.items[1].message, messages);
}

static struct hf_intake_peer *peer_of(struct hf_intake_peers *peers, const char *text)
{
    struct hf_peer who = hf_peer_of_text(text);
    return hf_intake_peer_get(peers, &who);
}

static void knows_a_peer_by_its_address_or_network(void **state)
{
    static const struct {
        const char *one, *other;
        bool same;
    } rows[] = {
        {"10.0.0.1:1", "10.0.0.1:1", true},
        {"10.0.0.1:1", "10.0.0.2:1", false},
        {"10.0.0.1:1", "[::ffff:10.0.0.1]:1", true},
        {"[2001:db8::1]:1", "[2001:db8::2:3]:1", true},
        {"[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false},
        {"unix", "unix", true},
        {"unix", "[::1]:1", false},
    };
    struct hf_intake_peers peers;
    (void)state;
    hf_intake_peers_init(&peers);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_intake_peer *one = peer_of(&peers, rows[i].one);
        struct hf_intake_peer *other = peer_of(&peers, rows[i].other);
        assert_non_null(one);
        assert_non_null(other);
        assert_int_equal(one == other, rows[i].same);
        hf_intake_peer_put(&peers, one);
        hf_intake_peer_put(&peers, other);
    }
    hf_intake_peers_release(&peers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_an_eighth_of_the_memory_within_bounds),
        cmocka_unit_test(keeps_room_for_small_messages_and_a_share_for_others),
        cmocka_unit_test(measures_the_pace_of_late),
        cmocka_unit_test(is_late_by_rate_after_a_grace_or_by_time),
        cmocka_unit_test(names_the_slowest_first_and_peers_above_their_share_before),
        cmocka_unit_test(knows_a_peer_by_its_address_or_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
