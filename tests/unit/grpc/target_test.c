/* Targets, proxies and their exceptions, taken apart. */
#include <grpc/target.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

static void takes_targets_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *port; /* host NULL: invalid; port NULL: a path */
    } rows[] = {
        {"tempo:4317", "tempo", "4317"},
        {"10.0.0.7:1", "10.0.0.7", "1"},
        {"[::1]:4317", "::1", "4317"},
        {"dns:///tempo.obs.svc:4317", "tempo.obs.svc", "4317"},
        {"dns://8.8.8.8/tempo:4317", "tempo", "4317"},
        {"dns:tempo:4317", "tempo", "4317"},
        {"passthrough:///tempo:4317", "tempo", "4317"},
        {"unix:///run/a.sock", "/run/a.sock", NULL},
        {"unix:/run/a.sock", "/run/a.sock", NULL},
        {"unix:a.sock", "a.sock", NULL},
        {"", NULL, NULL},
        {"tempo", NULL, NULL},
        {"tempo:", NULL, NULL},
        {"tempo:0", NULL, NULL},
        {"tempo:65536", NULL, NULL},
        {"tempo:http", NULL, NULL},
        {":4317", NULL, NULL},
        {"::1:4317", NULL, NULL},
        {"[::1", NULL, NULL},
        {"[::1]", NULL, NULL},
        {"[::1]x:1", NULL, NULL},
        {"dns://tempo:4317", NULL, NULL},
        {"unix://run/a.sock", NULL, NULL},
        {"unix:", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_grpc_target target;
        enum hf_status status = hf_grpc_target_parse(rows[i].text, &target);
        assert_int_equal(status, rows[i].host != NULL ? HF_OK : HF_INVALID);
        if (status == HF_OK) {
            assert_string_equal(target.host, rows[i].host);
            assert_string_equal(target.port, rows[i].port != NULL ? rows[i].port : "");
            assert_int_equal(target.is_unix, rows[i].port == NULL);
        }
    }
}

static void refuses_names_and_paths_that_are_too_long(void **state)
{
    (void)state;
    char text[400];
    struct hf_grpc_target target;
    memset(text, 'a', sizeof(text));
    memcpy(text + 255, ":1", 3);
    assert_int_equal(hf_grpc_target_parse(text, &target), HF_OK);
    memcpy(text + 255, "a:1", 4);
    assert_int_equal(hf_grpc_target_parse(text, &target), HF_INVALID);
    memcpy(text, "unix:", 5);
    text[5 + 107] = '\0';
    assert_int_equal(hf_grpc_target_parse(text, &target), HF_OK);
    text[5 + 107] = 'a';
    text[5 + 108] = '\0';
    assert_int_equal(hf_grpc_target_parse(text, &target), HF_INVALID);
}

static void takes_proxies_apart(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host, *port, *authorization;
    } rows[] = {
        {"http://proxy:3128", "proxy", "3128", ""},
        {"proxy:3128/", "proxy", "3128", ""},
        {"http://proxy", "proxy", "80", ""},
        {"http://[::1]:3128", "::1", "3128", ""},
        {"http://me:s%40crt@proxy:1", "proxy", "1", "Basic bWU6c0BjcnQ="},
        {"http://", NULL, NULL, NULL},
        {"http://proxy:x", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_grpc_proxy proxy;
        enum hf_status status = hf_grpc_proxy_parse(rows[i].url, &proxy);
        assert_int_equal(status, rows[i].host != NULL ? HF_OK : HF_INVALID);
        if (status == HF_OK) {
            assert_string_equal(proxy.target.host, rows[i].host);
            assert_string_equal(proxy.target.port, rows[i].port);
            assert_string_equal(proxy.authorization, rows[i].authorization);
        }
    }
    struct hf_grpc_proxy proxy;
    assert_int_equal(hf_grpc_proxy_parse("https://proxy:3128", &proxy), HF_UNSUPPORTED);
    assert_int_equal(hf_grpc_proxy_parse("socks5://proxy:1", &proxy), HF_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_targets_apart),
        cmocka_unit_test(refuses_names_and_paths_that_are_too_long),
        cmocka_unit_test(takes_proxies_apart),
    };
    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
