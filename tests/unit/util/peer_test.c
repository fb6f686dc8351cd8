#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "util/peer.h"

static void knows_hosts_by_address_and_networks_by_their_half(void **state)
{
    (void)state;
    static const struct {
        const char *one, *other;
        bool same;
    } rows[] = {
        {"10.0.0.7:1", "10.0.0.7:2", true},
        {"10.0.0.7:1", "10.0.0.8:1", false},
        {"[::ffff:10.0.0.7]:1", "10.0.0.7:1", true},
        {"[2001:db8::1]:1", "[2001:db8::2]:9", true},
        {"[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1", false},
        {"[::1]:1", "[::2]:1", false},
        {"unix", "unix", true},
        {"unix", "127.0.0.1:1", false},
        {"unix", "no address at all, and longer than any of them is: 12", true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_peer one = hf_peer_of_text(rows[i].one), other = hf_peer_of_text(rows[i].other);
        assert_int_equal(hf_peer_equal(&one, &other), rows[i].same);
        if (rows[i].same) {
            assert_int_equal(hf_peer_hash(&one, 7), hf_peer_hash(&other, 7));
        }
    }
}

static void reads_addresses_as_their_text(void **state)
{
    (void)state;
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(9)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr local = {.sa_family = AF_UNIX};
    assert_int_equal(inet_pton(AF_INET, "10.0.0.7", &v4.sin_addr), 1);
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &v6.sin6_addr), 1);
    const struct {
        const void *address;
        const char *text;
    } rows[] = {{&v4, "10.0.0.7:1"}, {&v6, "[2001:db8::7]:1"}, {&local, "unix"}, {NULL, "unix"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_peer read = hf_peer_of_address(rows[i].address);
        struct hf_peer written = hf_peer_of_text(rows[i].text);
        assert_true(hf_peer_equal(&read, &written));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_hosts_by_address_and_networks_by_their_half),
        cmocka_unit_test(reads_addresses_as_their_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
