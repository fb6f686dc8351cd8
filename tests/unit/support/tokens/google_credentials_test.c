/* Files of application default credentials. */
#include "support/tokens/google_credentials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

static void a_service_account_is_read(void **state)
{
    struct hf_google_credentials got;
    char error[HF_ERROR_MAX];
    (void)state;
    assert_int_equal(hf_google_credentials_read(
                         "{\"type\":\"service_account\",\"client_email\":\"a@b\","
                         "\"private_key\":\"k\\n\",\"private_key_id\":\"1\",\"project_id\":\"p\"}",
                         "f", &got, error),
                     HF_OK);
    assert_int_equal(got.kind, HF_GOOGLE_SERVICE_ACCOUNT);
    assert_true(hf_slice_is(got.client_email, "a@b"));
    assert_true(hf_slice_is(got.private_key, "k\n"));
    assert_true(hf_slice_is(got.private_key_id, "1"));
    assert_true(hf_slice_is(got.project_id, "p"));
    assert_true(hf_slice_is(got.token_uri, "https://oauth2.googleapis.com/token"));
    assert_int_equal(got.quota_project_id.size, 0);
    hf_google_credentials_release(&got);
}

static void a_person_is_read(void **state)
{
    struct hf_google_credentials got;
    char error[HF_ERROR_MAX];
    (void)state;
    assert_int_equal(
        hf_google_credentials_read(
            "{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"s\","
            "\"refresh_token\":\"r\",\"quota_project_id\":\"q\","
            "\"token_uri\":\"http://localhost:1/t\"}",
            "f", &got, error),
        HF_OK);
    assert_int_equal(got.kind, HF_GOOGLE_USER);
    assert_true(hf_slice_is(got.refresh_token, "r"));
    assert_true(hf_slice_is(got.quota_project_id, "q"));
    assert_true(hf_slice_is(got.token_uri, "http://localhost:1/t"));
    hf_google_credentials_release(&got);
}

static void what_cannot_be_used_is_refused(void **state)
{
    static const char *const cases[][2] = {
        {"", "cannot be used"},
        {"[]", "the type has to be"},
        {"{\"type\":\"external_account\"}", "external_account"},
        {"{\"type\":\"service_account\",\"private_key\":\"k\"}", "client_email"},
        {"{\"type\":\"service_account\",\"client_email\":7,\"private_key\":\"k\"}", "client_email"},
        {"{\"type\":\"authorized_user\",\"client_id\":\"i\"}", "refresh_token"},
        {"{\"type\":\"service_account\",\"client_email\":\"a\",\"private_key\":\"k\","
         "\"token_uri\":\"ftp://x\"}",
         "token_uri is no URL"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_google_credentials got;
        char error[HF_ERROR_MAX] = "";
        assert_int_equal(hf_google_credentials_read(cases[i][0], "/etc/f.json", &got, error),
                         HF_INVALID);
        assert_non_null(strstr(error, cases[i][1]));
        assert_non_null(strstr(error, "/etc/f.json"));
        hf_google_credentials_release(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_account_is_read),
        cmocka_unit_test(a_person_is_read),
        cmocka_unit_test(what_cannot_be_used_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
