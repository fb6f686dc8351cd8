/* Credentials in the forms that their sources have: profiles, JSON, XML. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h> /* needs those before it */

#include "aws/profile.h"
#include "aws/texts.h"

static void profiles_are_found(void **state)
{
    (void)state;
    static const char text[] = "aws_access_key_id = outside\n"
                               "[a]\n# comment\n; comment\naws_access_key_id=A\n"
                               "aws_secret_access_key =  s=1 \r\nother = x\nno pair\n"
                               "[ b ]\naws_access_key_id = B\n"
                               "[c]\naws_access_key_id = C\naws_secret_access_key = s\n"
                               "aws_session_token = t";
    static const struct {
        const char *profile;
        enum hf_status status;
        const char *access, *secret, *token;
    } rows[] = {
        {"a", HF_OK, "A", "s=1", ""},
        {"b", HF_INVALID, "", "", ""},
        {"c", HF_OK, "C", "s", "t"},
        {"d", HF_NOT_FOUND, "", "", ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_aws_credentials found;
        assert_int_equal(aws_profile_find(text, rows[i].profile, &found), rows[i].status);
        if (rows[i].status == HF_OK) {
            assert_string_equal(found.access_key, rows[i].access);
            assert_string_equal(found.secret_key, rows[i].secret);
            assert_string_equal(found.session_token, rows[i].token);
        }
    }
}

static void answers_are_read(void **state)
{
    (void)state;
    struct hf_aws_credentials found;
    assert_int_equal(
        aws_credentials_of_json(
            hf_slice_text("{\"Code\":\"Success\",\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\","
                          "\"Token\":\"t\",\"Expiration\":\"2026-01-01T00:00:00Z\"}"),
            &found),
        HF_OK);
    assert_string_equal(found.session_token, "t");
    assert_int_equal(found.expires_s, 1767225600);
    assert_int_equal(
        aws_credentials_of_xml(
            hf_slice_text("<a><AccessKeyId>A</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                          "<SessionToken>x</SessionToken><Expiration>no time</Expiration></a>"),
            &found),
        HF_OK);
    assert_string_equal(found.session_token, "x");
    assert_int_equal(found.expires_s, 0);
}

static void other_answers_are_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "{\"AccessKeyId\":\"A\"}",
        "{\"AccessKeyId\":\"A\\n\",\"SecretAccessKey\":\"s\"}",
        "<AccessKeyId>A</AccessKeyId>",
        "<AccessKeyId>A<SecretAccessKey>s</SecretAccessKey>",
    };
    struct hf_aws_credentials found;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(aws_credentials_of_json(hf_slice_text(texts[i]), &found), HF_INVALID);
        assert_int_equal(aws_credentials_of_xml(hf_slice_text(texts[i]), &found), HF_INVALID);
    }
}

static void texts_have_limits(void **state)
{
    (void)state;
    char room[4];
    assert_true(aws_put_text(NULL, room, sizeof(room)));
    assert_string_equal(room, "");
    assert_true(aws_put_text("abc", room, sizeof(room)));
    assert_false(aws_put_text("abcd", room, sizeof(room)));
    assert_false(aws_put_text("a\r", room, sizeof(room)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles_are_found),
        cmocka_unit_test(answers_are_read),
        cmocka_unit_test(other_answers_are_none),
        cmocka_unit_test(texts_have_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
