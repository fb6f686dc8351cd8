/* Requests that are signed: with which credentials, for which region and service. */
#include "tests/unit/components/extensions/support.h"

#include <unistd.h>

extern const struct hf_component hf_extension_sigv4auth;

static char logged[512];

void hf_node_log(const struct hf_node *node, enum hf_log_level level, const char *format, ...)
{
    va_list arguments;
    (void)node;
    (void)level;
    va_start(arguments, format);
    vsnprintf(logged, sizeof(logged), format, arguments);
    va_end(arguments);
}

/* The chain's first place, so that no other is asked. */
static int set_keys(void **state)
{
    (void)state;
    return setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1) == 0 &&
                   setenv("AWS_SECRET_ACCESS_KEY", "secret", 1) == 0 &&
                   setenv("AWS_EC2_METADATA_DISABLED", "true", 1) == 0
               ? 0
               : -1;
}

#define OPEN(extension, ...)                                                                       \
    open_extension((extension), &hf_extension_sigv4auth,                                           \
                   (const char *const[][2]){__VA_ARGS__, {NULL, NULL}})

static enum hf_status sign(const struct extension *extension, const char *url, const char *body,
                           struct sink *sink)
{
    const struct hf_slice piece = hf_slice_text(body);
    const struct hf_auth_outgoing request = {
        .method = "POST", .url = url, .body = &piece, .body_count = 1};
    *sink = (struct sink){.sink = {keep}};
    return hf_extension_sigv4auth.extension->auth->sign(extension->self, &request, &sink->sink);
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("no \"%s\" in \"%s\"", part, text);
    }
}

static void the_scope_is_that_of_the_keys_or_of_the_host(void **state)
{
    static const struct {
        const char *region, *service, *url, *scope;
    } cases[] = {
        {"eu-west-1", "aps", "https://any.test/x", "/eu-west-1/aps/aws4_request,"},
        {"", "", "https://aps-workspaces.us-west-2.amazonaws.com/ws",
         "/us-west-2/aps/aws4_request,"},
        {"", "", "https://logs.eu-north-1.amazonaws.com/", "/eu-north-1/logs/aws4_request,"},
        {"us-gov-1", "", "https://xray.us-west-2.amazonaws.com/", "/us-gov-1/xray/aws4_request,"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct extension extension;
        struct sink sink;
        OPEN(&extension, {"region", cases[i].region}, {"service", cases[i].service});
        assert_int_equal(sign(&extension, cases[i].url, "body", &sink), HF_OK);
        assert_has(sink.text, "authorization=AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/");
        assert_has(sink.text, cases[i].scope);
        assert_has(sink.text, "SignedHeaders=host;x-amz-date,");
        assert_has(sink.text, ";x-amz-date=");
        assert_null(strstr(sink.text, "x-amz-security-token"));
        close_extension(&extension);
    }
}

static void the_body_is_part_of_the_signature(void **state)
{
    struct extension extension;
    struct sink one, other;
    (void)state;
    OPEN(&extension, {"region", "r"}, {"service", "s"});
    do { /* within one second */
        assert_int_equal(sign(&extension, "https://a.test/", "body", &one), HF_OK);
        assert_int_equal(sign(&extension, "https://a.test/", "body!", &other), HF_OK);
    } while (strcmp(strstr(one.text, "x-amz-date="), strstr(other.text, "x-amz-date=")) != 0);
    assert_string_not_equal(one.text, other.text);
    close_extension(&extension);
}

static void a_session_token_goes_with_it(void **state)
{
    struct extension extension;
    struct sink sink;
    (void)state;
    assert_int_equal(setenv("AWS_SESSION_TOKEN", "temporary", 1), 0);
    OPEN(&extension, {"region", "r"}, {"service", "s"});
    assert_int_equal(sign(&extension, "https://a.test/", "", &sink), HF_OK);
    assert_has(sink.text, "x-amz-security-token=temporary;");
    close_extension(&extension);
    assert_int_equal(unsetenv("AWS_SESSION_TOKEN"), 0);
}

static void a_host_that_says_nothing_costs_no_data(void **state)
{
    struct extension extension;
    struct sink sink;
    (void)state;
    OPEN(&extension, {"region", "r"});
    assert_int_equal(sign(&extension, "https://proxy.test/", "", &sink), HF_UNAUTHENTICATED);
    assert_string_equal(sink.text, "");
    assert_has(logged, "set region and service");
    close_extension(&extension);
}

static void nothing_is_added_without_the_whole_request(void **state)
{
    struct extension extension;
    (void)state;
    OPEN(&extension, {"region", "r"}, {"service", "s"});
    assert_adds(&extension, HF_EMPTY_SLICE, "");
    close_extension(&extension);
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    assert_check_says(
        &hf_extension_sigv4auth,
        (const char *const[][2]){{"assume_role.web_identity_token_file", "/t"}, {NULL, NULL}},
        "needs assume_role::arn");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_scope_is_that_of_the_keys_or_of_the_host),
        cmocka_unit_test(the_body_is_part_of_the_signature),
        cmocka_unit_test(a_session_token_goes_with_it),
        cmocka_unit_test(a_host_that_says_nothing_costs_no_data),
        cmocka_unit_test(nothing_is_added_without_the_whole_request),
        cmocka_unit_test(says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, set_keys, NULL);
}
