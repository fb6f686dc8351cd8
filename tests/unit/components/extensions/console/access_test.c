/* Who may use the console from where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "components/extensions/console/access.h"

static void knows_loopback_endpoints(void **state)
{
    static const struct {
        const char *endpoint;
        bool is_loopback;
    } rows[] = {{"localhost:13144", true},
                {"LOCALHOST:1", true},
                {"127.0.0.1:13144", true},
                {"127.9.9.9:1", true},
                {"[::1]:13144", true},
                {"unix:///run/x", true},
                {"0.0.0.0:13144", false},
                {":13144", false},
                {"[::]:13144", false},
                {"10.0.0.1:13144", false},
                {"localhost.x:1", false},
                {"127.0.0.1.x:1", false},
                {"[::2]:1", false},
                {"", false},
                {"[::1", false}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (hf_console_is_loopback(rows[i].endpoint) != rows[i].is_loopback) {
            fail_msg("%s", rows[i].endpoint);
        }
    }
}

static void knows_its_own_names(void **state)
{
    static const struct {
        const char *host;
        bool is_known;
    } rows[] = {{"localhost", true},
                {"localhost:8080", true},
                {"LocalHost:13144", true},
                {"127.0.0.1:13144", true},
                {"10.1.2.3", true},
                {"[::1]:13144", true},
                {"[fe80::1]", true},
                {"console.lan:13144", true},
                {"ops.example", true},
                {"evil.example", false},
                {"localhost.evil.example", false},
                {"127.0.0.1.evil.example", false},
                {"", false},
                {":13144", false},
                {"[::1]x", false},
                {"[::1", false},
                {"[]", false}};
    static const char *const more[] = {"ops.example"};
    const struct hf_string_list hosts = {more, 1};
    struct hf_console_access access;
    (void)state;
    assert_int_equal(hf_console_access_init(&access, "console.lan:13144", &hosts), HF_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (hf_console_knows_host(&access, hf_slice_text(rows[i].host)) != rows[i].is_known) {
            fail_msg("%s", rows[i].host);
        }
    }
    assert_false(hf_console_knows_host(&access, hf_slice_of("localhost\0x", 11)));
}

static void knows_its_own_pages(void **state)
{
    static const struct {
        const char *origin, *site, *host;
        bool is_own;
    } rows[] = {{"", "", "localhost:1", true},
                {"http://localhost:1", "", "localhost:1", true},
                {"https://localhost:1", "same-origin", "localhost:1", true},
                {"", "none", "localhost:1", true},
                {"null", "", "localhost:1", false},
                {"http://localhost:2", "", "localhost:1", false},
                {"http://localhost", "", "localhost:1", false},
                {"http://evil.example", "", "localhost:1", false},
                {"ftp://localhost:1", "", "localhost:1", false},
                {"http://localhost:1", "cross-site", "localhost:1", false},
                {"http://localhost:1", "same-site", "localhost:1", false},
                {"http://", "", "", false}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool own =
            hf_console_is_own_origin(hf_slice_text(rows[i].origin), hf_slice_text(rows[i].site),
                                     hf_slice_text(rows[i].host));
        if (own != rows[i].is_own) {
            fail_msg("row %zu", i);
        }
    }
}

#define SOUND "0123456789abcdef0123456789abcdef"

static void finds_its_cookie_among_others(void **state)
{
    static const struct {
        const char *cookies;
        bool is_there;
    } rows[] = {{HF_CONSOLE_COOKIE "=" SOUND, true},
                {"a=b; " HF_CONSOLE_COOKIE "=" SOUND "; c=d", true},
                {"a=b;" HF_CONSOLE_COOKIE "=" SOUND, true},
                {HF_CONSOLE_COOKIE "=x; " HF_CONSOLE_COOKIE "=" SOUND, true},
                {"", false},
                {"a=b", false},
                {HF_CONSOLE_COOKIE, false},
                {HF_CONSOLE_COOKIE "=", false},
                {HF_CONSOLE_COOKIE "=" SOUND "0", false},
                {"x" HF_CONSOLE_COOKIE "=" SOUND, false},
                {HF_CONSOLE_COOKIE "=0123456789ABCDEF0123456789abcdef", false},
                {";;;", false}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char value[HF_CONSOLE_COOKIE_SIZE + 1] = "";
        if (hf_console_find_cookie(hf_slice_text(rows[i].cookies), value) != rows[i].is_there) {
            fail_msg("%s", rows[i].cookies);
        }
        assert_string_equal(value, rows[i].is_there ? SOUND : "");
    }
}

static void makes_tokens_that_fit_one_cookie_of_one_process(void **state)
{
    struct hf_console_access one, other;
    char cookie[HF_CONSOLE_COOKIE_SIZE + 1], stranger[HF_CONSOLE_COOKIE_SIZE + 1];
    char token[HF_CONSOLE_TOKEN_SIZE + 1];
    (void)state;
    assert_int_equal(hf_console_access_init(&one, "localhost:1", NULL), HF_OK);
    assert_int_equal(hf_console_access_init(&other, "localhost:1", NULL), HF_OK);
    assert_true(hf_console_new_cookie(cookie));
    assert_true(hf_console_new_cookie(stranger));
    assert_string_not_equal(cookie, stranger);
    assert_true(hf_console_token(&one, cookie, token));
    assert_true(hf_console_token_fits(&one, cookie, token));
    assert_false(hf_console_token_fits(&one, stranger, token));
    assert_false(hf_console_token_fits(&other, cookie, token));
    assert_false(hf_console_token_fits(&one, cookie, NULL));
    assert_false(hf_console_token_fits(&one, cookie, ""));
    token[HF_CONSOLE_TOKEN_SIZE - 1] = token[HF_CONSOLE_TOKEN_SIZE - 1] == '0' ? '1' : '0';
    assert_false(hf_console_token_fits(&one, cookie, token));
    token[HF_CONSOLE_TOKEN_SIZE - 1] = '\0';
    assert_false(hf_console_token_fits(&one, cookie, token));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_loopback_endpoints),
        cmocka_unit_test(knows_its_own_names),
        cmocka_unit_test(knows_its_own_pages),
        cmocka_unit_test(finds_its_cookie_among_others),
        cmocka_unit_test(makes_tokens_that_fit_one_cookie_of_one_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
