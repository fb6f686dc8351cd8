/* Texts that a server could not listen on and headers that HTTP does not allow. */
#include "util/validators.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h> /* needs the four before it */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void takes_every_place_to_listen(void **state)
{
    static const char *const good[] = {
        "localhost:4317",       ":4317",       "0.0.0.0:0", "[::]:65535",     "[::1]:1",
        "a-b.example.com:http", "unix:///a/b", "unix:/a/b", "/run/otel.sock", "10.0.0.1:4317"};
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_null(hf_expect_listen("endpoint", good[i]));
    }
}

static void refuses_what_cannot_be_listened_on(void **state)
{
    static const char *const wrong[] = {"",        "localhost",        "localhost:",
                                        "a:65536", "a:99999999999999", "http://localhost:4317",
                                        "::4317",  "localhost:4317 ",  "local host:4317",
                                        "unix:",   "a:43 17",          "a:-1"};
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_string_equal(hf_expect_listen("endpoint", wrong[i]), "host:port or unix:///path");
    }
}

static void takes_paths_and_nothing_else(void **state)
{
    static const char *const good[] = {"/v1/traces", "v1/traces", "/", "/a%20b/~c;x=1,2", "x"};
    static const char *const wrong[] = {"",     "http://h/v1", "//h/v1",    "/a?b",  "/a#b",
                                        "/a b", " /a",         "/a\nb",     "/{a}",  "/a\\b",
                                        "/\"",  "/\x7f",       "/\xc3\xa9", "a://b", "\t"};
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_null(hf_expect_path("traces_url_path", good[i]));
    }
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_non_null(hf_expect_path("traces_url_path", wrong[i]));
    }
}

static void takes_headers_that_http_allows(void **state)
{
    static const char *const good[][2] = {
        {"authorization", "Bearer x.y=="}, {"X-Scope-OrgID", ""}, {"x_1", "a\tb, \"c\" \xc3\xa9"}};
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_null(hf_expect_header(good[i][0], good[i][1]));
    }
}

static void refuses_headers_that_http_does_not_allow(void **state)
{
    static const char *const wrong[][3] = {
        {"", "x", "name"},
        {"bad name", "x", "name"},
        {"a:b", "x", "name"},
        {":path", "x", "name"},
        {"caf\xc3\xa9", "x", "name"},
        {"a", "token\n", "value"},
        {"a", "b\r\nevil: c", "value"},
        {"a", "\x01", "value"},
        {"a", "\x7f", "value"},
        {"Connection", "close", "of your own"},
        {"transfer-encoding", "chunked", "of your own"},
        {"Content-Length", "1", "of your own"},
        {"TE", "trailers", "of your own"},
        {"Upgrade", "h2c", "of your own"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        const char *expected = hf_expect_header(wrong[i][0], wrong[i][1]);
        assert_non_null(expected);
        assert_non_null(strstr(expected, wrong[i][2]));
    }
}

static void refuses_what_grpc_sets_itself(void **state)
{
    static const char *const wrong[] = {"content-type",  "te",         "grpc-timeout",
                                        "grpc-encoding", ":authority", "Connection",
                                        "Content-Length"};
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        const char *expected = hf_expect_grpc_header(wrong[i], "x");
        assert_non_null(expected);
        assert_non_null(strstr(expected, "of your own"));
    }
    assert_null(hf_expect_grpc_header("user-agent", "mine/1"));
    assert_null(hf_expect_grpc_header("x-id-bin", "\x01\n"));
    assert_non_null(hf_expect_grpc_header("x-id", "\x01\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_every_place_to_listen),
        cmocka_unit_test(refuses_what_cannot_be_listened_on),
        cmocka_unit_test(takes_paths_and_nothing_else),
        cmocka_unit_test(takes_headers_that_http_allows),
        cmocka_unit_test(refuses_headers_that_http_does_not_allow),
        cmocka_unit_test(refuses_what_grpc_sets_itself),
    };
    return cmocka_run_group_tests_name("formats", tests, NULL, NULL);
}
