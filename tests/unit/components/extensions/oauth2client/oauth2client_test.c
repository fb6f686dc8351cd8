/* What is asked of the token endpoint, and what goes with requests then. */
#include "tests/unit/components/extensions/token_server.h"

#include <unistd.h>

#include "support/tokens/oauth2_request.h"

extern const struct hf_component hf_extension_oauth2client;

#define URL "https://login.test/oauth2/token"
#define FORM "grant_type=client_credentials"
#define BASIC "authorization=Basic bWU6cyUzQWVjcmV0;" /* me:s%3Aecret */

#define OPEN(extension, ...)                                                                       \
    open_extension((extension), &hf_extension_oauth2client,                                        \
                   (const char *const[][2]){{"client_id", "me"},                                   \
                                            {"client_secret", "s:ecret"},                          \
                                            {"token_url", URL},                                    \
                                            __VA_ARGS__,                                           \
                                            {NULL, NULL}})

static const struct answer numbered[] = {
    {NULL, 200, "{\"access_token\":\"t%d\",\"token_type\":\"bearer\",\"expires_in\":3600}"}};

static void refuse(const struct extension *extension)
{
    extension->component->extension->auth->refused(extension->self);
}

static void the_token_is_fetched_once_and_goes_with_each_request(void **state)
{
    struct extension extension;
    struct sink sink;
    (void)state;
    serve(numbered);
    OPEN(&extension, {"timeout", "7s"});
    for (int i = 0; i < 3; i++) {
        assert_string_equal(added(&extension, &sink), "authorization=Bearer t1;");
    }
    close_extension(&extension);
    assert_int_equal(asked_count(), 1);
    struct asked asked = asked_of(0);
    assert_string_equal(asked.method, "POST");
    assert_string_equal(asked.url, URL);
    assert_string_equal(asked.content_type, "application/x-www-form-urlencoded");
    assert_string_equal(asked.headers, "accept=application/json;" BASIC);
    assert_string_equal(asked.body, FORM);
    assert_int_equal(asked.timeout_ns, UINT64_C(7000000000));
}

static void without_a_timeout_a_request_may_take_half_a_minute(void **state)
{
    struct extension extension;
    (void)state;
    serve(numbered);
    OPEN(&extension, {"scopes", "a"}, {"scopes", "b c"});
    close_extension(&extension);
    assert_int_equal(asked_of(0).timeout_ns, UINT64_C(30000000000));
    assert_string_equal(asked_of(0).body, FORM "&scope=a+b+c");
}

static void parameters_are_texts_and_lists_of_texts(void **state)
{
    static const struct hf_value many[] = {{.type = HF_VALUE_STRING, .string = "1"},
                                           {.type = HF_VALUE_INT, .string = "2", .integer = 2}};
    static const struct hf_value values[] = {
        {.type = HF_VALUE_STRING, .string = "x&y"},
        {.type = HF_VALUE_LIST, .items = many, .count = 2},
        {.type = HF_VALUE_NONE},
    };
    static const char *const keys[] = {"audience", "many", "empty"};
    struct extension extension = {.component = &hf_extension_oauth2client};
    char error[HF_ERROR_MAX];
    (void)state;
    serve(numbered);
    made_config(
        &extension.made, extension.component,
        (const char *const[][2]){
            {"client_id", "me"}, {"client_secret", "s:ecret"}, {"token_url", URL}, {NULL, NULL}});
    struct hf_oauth2_config *config = extension.made.config;
    config->endpoint_params = (struct hf_value){
        .type = HF_VALUE_MAP, .items = values, .keys = keys, .count = sizeof(keys) / sizeof(*keys)};
    assert_null(extension.component->check(config));
    assert_int_equal(extension.component->open(NULL, config, &extension.self, error), HF_OK);
    assert_int_equal(extension.component->start(extension.self, error), HF_OK);
    close_extension(&extension);
    assert_string_equal(asked_of(0).body, FORM "&audience=x%26y&many=1&many=2&empty=");
}

static void a_server_that_knows_no_header_gets_the_secret_in_the_body(void **state)
{
    static const struct answer answers[] = {
        {"client_secret=", 200, "{\"access_token\":\"t%d\"}"},
        {NULL, 401, "{\"error\":\"invalid_client\"}"},
    };
    struct extension extension;
    struct sink sink;
    (void)state;
    serve(answers);
    OPEN(&extension, {"scopes", "a"});
    assert_string_equal(added(&extension, &sink), "authorization=Bearer t2;");
    refuse(&extension);
    wait_until_added(&extension, "authorization=Bearer t3;");
    close_extension(&extension);
    assert_string_equal(asked_of(0).headers, "accept=application/json;" BASIC);
    assert_string_equal(asked_of(0).body, FORM "&scope=a");
    for (size_t i = 1; i < 3; i++) { /* it is remembered */
        assert_string_equal(asked_of(i).headers, "accept=application/json;");
        assert_string_equal(asked_of(i).body, FORM "&scope=a&client_id=me&client_secret=s%3Aecret");
    }
}

static void files_win_and_are_read_for_each_token(void **state)
{
    char folder[] = "/tmp/holdfast-oauth2-XXXXXX", id[64], secret[64];
    struct extension extension;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(id, sizeof(id), "%s/id", folder);
    snprintf(secret, sizeof(secret), "%s/secret", folder);
    write_file(id, "you\n");
    write_file(secret, "one \r\n");
    serve(numbered);
    OPEN(&extension, {"client_id_file", id}, {"client_secret_file", secret});
    write_file(secret, "two");
    refuse(&extension);
    wait_until_added(&extension, "authorization=Bearer t2;");
    close_extension(&extension);
    assert_string_equal(asked_of(0).headers,
                        "accept=application/json;authorization=Basic eW91Om9uZQ==;"); /* you:one */
    assert_string_equal(asked_of(1).headers,
                        "accept=application/json;authorization=Basic eW91OnR3bw==;"); /* you:two */
    unlink(id);
    unlink(secret);
    rmdir(folder);
}

static void a_file_that_is_not_there_costs_no_start(void **state)
{
    struct extension extension;
    struct sink sink;
    (void)state;
    serve(numbered);
    OPEN(&extension, {"client_secret_file", "/nonexistent/secret"});
    assert_string_equal(added(&extension, &sink), "");
    close_extension(&extension);
    assert_int_equal(asked_count(), 0);
    assert_logged("/nonexistent/secret");
}

static void a_refused_token_is_renewed_once(void **state)
{
    struct extension extension;
    struct sink sink;
    (void)state;
    serve(numbered);
    OPEN(&extension, {"expiry_buffer", "0s"});
    for (int i = 0; i < 5; i++) {
        refuse(&extension);
    }
    wait_until_added(&extension, "authorization=Bearer t2;");
    for (int i = 0; i < 5; i++) {
        refuse(&extension);
    }
    assert_string_equal(added(&extension, &sink), "authorization=Bearer t2;");
    close_extension(&extension);
    assert_int_equal(asked_count(), 2);
}

static void records_wait_without_a_token_and_the_cause_is_logged(void **state)
{
    static const struct {
        struct answer answer;
        const char *says;
    } cases[] = {
        {{NULL, 0, ""}, "connection refused"},
        {{NULL, 500, "no JSON"}, "no token: the token endpoint " URL " answered 500"},
        {{NULL, 401, "{\"error\":\"invalid_client\",\"error_description\":\"who\"}"},
         "answered 401: invalid_client: who"},
        {{NULL, 200, "<html>"}, "access_token"},
        {{NULL, 200, "{\"access_token\":\"a\\nb\"}"}, "has no access_token"},
        {{NULL, 200, "{\"access_token\":\"\"}"}, "has no access_token"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct extension extension;
        struct sink sink;
        reset_server(NULL);
        serve(&cases[i].answer);
        OPEN(&extension, {"scopes", "a"});
        assert_string_equal(added(&extension, &sink), "");
        close_extension(&extension);
        assert_logged(cases[i].says);
        assert_logged("no token: ");
        assert_null(strstr(server.logged, "ecret"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_token_is_fetched_once_and_goes_with_each_request, reset_server),
        cmocka_unit_test_setup(without_a_timeout_a_request_may_take_half_a_minute, reset_server),
        cmocka_unit_test_setup(parameters_are_texts_and_lists_of_texts, reset_server),
        cmocka_unit_test_setup(a_server_that_knows_no_header_gets_the_secret_in_the_body,
                               reset_server),
        cmocka_unit_test_setup(files_win_and_are_read_for_each_token, reset_server),
        cmocka_unit_test_setup(a_file_that_is_not_there_costs_no_start, reset_server),
        cmocka_unit_test_setup(a_refused_token_is_renewed_once, reset_server),
        cmocka_unit_test_setup(records_wait_without_a_token_and_the_cause_is_logged, reset_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
