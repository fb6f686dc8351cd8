/* Texts without the credentials that URLs carry. */
#include "config/redact.h"

#include "support.h"

static void hides_user_information_and_queries(void **state)
{
    static const char *const cases[][2] = {
        {"http://u:p@h:1/a", "http://[REDACTED]@h:1/a"},
        {"http://token@h", "http://[REDACTED]@h"},
        {"http://u:p@q@h/a", "http://[REDACTED]@h/a"},
        {"http://u:@h", "http://[REDACTED]@h"},
        {"http://@h", "http://[REDACTED]@h"},
        {"u:p@h:3128", "[REDACTED]@h:3128"},
        {"http://a:b@h1,http://c:d@h2", "http://[REDACTED]@h1,http://[REDACTED]@h2"},
        {"see http://a:b@h and <https://c:d@i>",
         "see http://[REDACTED]@h and <https://[REDACTED]@i>"},
        {"https://h/a?token=x&b=&c=y;d=z#f",
         "https://h/a?token=[REDACTED]&b=&c=[REDACTED];d=[REDACTED]"},
        {"https://h?x", "https://h?[REDACTED]"},
        {"https://u:p@h/a?next=http://v:w@i?k=l", "https://[REDACTED]@h/a?next=[REDACTED]"},
        {"/v1/traces?key=x", "/v1/traces?key=[REDACTED]"},
        {"h:4318/v1?key=x", "h:4318/v1?key=[REDACTED]"},
        {"wss://h/?a=b?c=d", "wss://h/?a=[REDACTED]"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *shown = hf_redact_urls(cases[i][0]);
        assert_string_equal(shown, cases[i][1]);
        free(shown);
    }
}

static void leaves_everything_else_alone(void **state)
{
    static const char *const texts[] = {
        "",
        "localhost:4317",
        "https://h:1/a/b#c",
        "someone@example.com",
        "^/a(b|c)?=d$",
        "what? a=b",
        "a ?b=c",
        " http://h \n",
        "unix:///run/a@b",
        "[::1]:4317",
        "://",
        "http://",
        "a:b",
        "/path/@scope:x",
    };
    (void)state;

    for (size_t i = 0; i < COUNT(texts); i++) {
        char *shown = hf_redact_urls(texts[i]);
        assert_string_equal(shown, texts[i]);
        free(shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hides_user_information_and_queries),
        cmocka_unit_test(leaves_everything_else_alone),
    };
    return cmocka_run_group_tests_name("redact", tests, NULL, NULL);
}
