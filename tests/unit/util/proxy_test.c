#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "util/proxy.h"

static void knows_the_exceptions(void **state)
{
    (void)state;
    static const struct {
        const char *list, *host;
        bool expected;
    } rows[] = {
        {NULL, "tempo", false},
        {"", "tempo", false},
        {"*", "tempo", true},
        {"a, * ,b", "tempo", true},
        {"tempo", "tempo", true},
        {"TEMPO", "tempo", true},
        {"svc", "tempo.obs.svc", true},
        {".svc", "tempo.obs.svc", true},
        {"*.svc", "tempo.obs.svc", true},
        {".svc", "svc", false},
        {"*.svc", "svc", false},
        {"svc", "tempo-svc", false},
        {".", "tempo", false},
        {"a, b ,tempo", "tempo", true},
        {"tempo.obs", "tempo", false},
        {"tempo:4317", "tempo", true},
        {"tempo:4318", "tempo", false},
        {".svc:4317", "tempo.svc", true},
        {".svc:80", "tempo.svc", false},
        {"10.0.0.7", "10.0.0.7", true},
        {"10.0.0.7:4317", "10.0.0.7", true},
        {"10.0.0.7:80", "10.0.0.7", false},
        {"10.0.0.7", "110.0.0.7", false},
        {"::1:2", "0:0::1:2", true},
        {"[fd00::1]:4317", "fd00::1", true},
        {"[fd00::1]:80", "fd00::1", false},
        {"[fd00::1]", "fd00::1", true},
        {"10.0.0.0/8", "10.255.0.7", true},
        {"10.0.0.0/8", "11.0.0.7", false},
        {"10.0.0.128/25", "10.0.0.127", false},
        {"10.0.0.128/25", "10.0.0.128", true},
        {"10.0.0.7/32", "10.0.0.7", true},
        {"10.0.0.7/32", "10.0.0.6", false},
        {"0.0.0.0/0", "10.0.0.7", true},
        {"0.0.0.0/0", "fd00::1", false},
        {"::/0", "fd00::1", true},
        {"::/0", "10.0.0.7", false},
        {"fd00::/8", "fd12:3::4", true},
        {"fd00::/8", "fe80::1", false},
        {"10.0.0.0/33", "10.0.0.7", false},
        {"10.0.0.0/", "10.0.0.7", false},
        {"10.0.0.0/8x", "10.0.0.7", false},
        {"10.0.0.0/-1", "10.0.0.7", false},
        {"svc/8", "svc", false},
        {"10.0.0.0/8", "tempo", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (hf_proxy_is_excepted(rows[i].list, rows[i].host, "4317") != rows[i].expected) {
            fail_msg("%s %s", rows[i].list, rows[i].host);
        }
    }
}

/* Each test begins with none of them set. */
static int clear_environment(void **state)
{
    static const char *const names[] = {"HTTP_PROXY",  "http_proxy", "HTTPS_PROXY",
                                        "https_proxy", "NO_PROXY",   "no_proxy"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        unsetenv(names[i]);
    }
    return 0;
}

static void reads_the_environment_as_go_does(void **state)
{
    (void)state;
    assert_null(hf_proxy_of_environment(true, "tempo", "4317"));
    setenv("https_proxy", "http://small:1", 1);
    setenv("HTTP_PROXY", "http://clear:1", 1);
    setenv("no_proxy", "near", 1);
    assert_string_equal(hf_proxy_of_environment(true, "tempo", "4317"), "http://small:1");
    assert_string_equal(hf_proxy_of_environment(false, "tempo", "80"), "http://clear:1");
    assert_null(hf_proxy_of_environment(true, "near", "4317"));
    setenv("HTTPS_PROXY", "http://large:1", 1);
    setenv("NO_PROXY", "far", 1);
    assert_string_equal(hf_proxy_of_environment(true, "near", "4317"), "http://large:1");
    setenv("HTTPS_PROXY", "", 1);
    assert_string_equal(hf_proxy_of_environment(true, "near", "4317"), "http://small:1");
}

static void never_proxies_this_machine(void **state)
{
    (void)state;
    static const char *const own[] = {"localhost", "LOCALHOST", "127.0.0.1", "127.3.2.1", "::1"};
    static const char *const others[] = {"localhost.example", "128.0.0.1", "::2", "127.example"};
    setenv("HTTPS_PROXY", "http://proxy:1", 1);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        assert_null(hf_proxy_of_environment(true, own[i], "4317"));
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_non_null(hf_proxy_of_environment(true, others[i], "4317"));
    }
}

static void knows_the_schemes_of_proxies(void **state)
{
    (void)state;
    static const char *const good[] = {
        "http://a:1", "HTTPS://a", "socks5://a:1", "socks5h://a", "a:1", "", NULL};
    static const char *const bad[] = {"http://", "ftp://a:1", "socks4://a:1"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_null(hf_proxy_check(good[i]));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_non_null(hf_proxy_check(bad[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_exceptions),
        cmocka_unit_test(knows_the_schemes_of_proxies),
        cmocka_unit_test_setup(reads_the_environment_as_go_does, clear_environment),
        cmocka_unit_test_setup(never_proxies_this_machine, clear_environment),
    };
    return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
