/* Whom a token is asked of, and for what; what goes with requests then. */
#include "tests/unit/components/extensions/token_server.h"

#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

extern const struct hf_component hf_extension_googleclientauth;

#define METADATA "http://metadata.test/computeMetadata/v1/"
#define ACCOUNT METADATA "instance/service-accounts/default/"
#define TOKEN_URI "https://tokens.test/t"
#define GRANT "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="
#define PERSON                                                                                     \
    "{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"s\","                   \
    "\"refresh_token\":\"r/1\",\"quota_project_id\":\"pays\",\"token_uri\":\"" TOKEN_URI "\"}"

#define OPEN(extension, ...)                                                                       \
    open_extension((extension), &hf_extension_googleclientauth,                                    \
                   (const char *const[][2]){__VA_ARGS__, {NULL, NULL}})

static const struct answer of_the_machine[] = {
    {"project/project-id", 200, "project-m\n"},
    {"/identity?", 200, "id%d\n"},
    {NULL, 200, "{\"access_token\":\"t%d\",\"expires_in\":3599,\"token_type\":\"Bearer\"}"},
};

static char folder[] = "/tmp/holdfast-google-XXXXXX", credentials_path[64];

/* A machine without credentials of its own. */
static int set_up(void **state)
{
    return reset_server(state) == 0 && setenv("GCE_METADATA_HOST", "metadata.test", 1) == 0 &&
                   setenv("CLOUDSDK_CONFIG", "/nonexistent", 1) == 0 &&
                   unsetenv("GOOGLE_APPLICATION_CREDENTIALS") == 0 &&
                   unsetenv("GOOGLE_CLOUD_PROJECT") == 0
               ? 0
               : -1;
}

static void use_credentials(const char *text)
{
    write_file(credentials_path, text);
    assert_int_equal(setenv("GOOGLE_APPLICATION_CREDENTIALS", credentials_path, 1), 0);
}

static void a_machine_is_asked_for_its_token_and_project(void **state)
{
    struct extension extension;
    struct sink sink;
    (void)state;
    serve(of_the_machine);
    OPEN(&extension, {"quota_project", "q"});
    for (int i = 0; i < 2; i++) {
        assert_string_equal(added(&extension, &sink),
                            "authorization=Bearer t1;x-goog-user-project=q;"
                            "x-goog-project-id=project-m;");
    }
    close_extension(&extension);
    assert_int_equal(asked_count(), 2);
    struct asked token = asked_of(0), project = asked_of(1);
    assert_string_equal(token.method, "GET");
    assert_string_equal(token.url,
                        ACCOUNT "token?scopes="
                                "https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform%2C"
                                "https%3A%2F%2Fwww.googleapis.com%2Fauth%2Flogging.write%2C"
                                "https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fmonitoring.write%2C"
                                "https%3A%2F%2Fwww.googleapis.com%2Fauth%2Ftrace.append");
    assert_string_equal(token.headers, "metadata-flavor=Google;");
    assert_string_equal(project.url, METADATA "project/project-id");
    assert_string_equal(project.headers, "metadata-flavor=Google;");
}

static void an_id_token_of_the_machine_is_for_the_audience(void **state)
{
    struct extension extension;
    struct sink sink;
    (void)state;
    serve(of_the_machine);
    OPEN(&extension, {"token_type", "id_token"}, {"audience", "https://a.test/?b&c"},
         {"token_header", "proxy-authorization"}, {"project", "p"});
    assert_string_equal(added(&extension, &sink),
                        "proxy-authorization=Bearer id1;x-goog-project-id=p;");
    close_extension(&extension);
    assert_int_equal(asked_count(), 1); /* the project is known */
    assert_string_equal(asked_of(0).url, ACCOUNT "identity?format=full&audience="
                                                 "https%3A%2F%2Fa.test%2F%3Fb%26c");
}

static void a_person_gives_a_refresh_token(void **state)
{
    struct extension extension;
    struct sink sink;
    (void)state;
    serve(of_the_machine);
    use_credentials(PERSON);
    OPEN(&extension, {"token_type", "access_token"});
    assert_string_equal(added(&extension, &sink),
                        "authorization=Bearer t1;x-goog-user-project=pays;");
    close_extension(&extension);
    assert_int_equal(asked_count(), 1); /* no machine is asked */
    struct asked asked = asked_of(0);
    assert_string_equal(asked.method, "POST");
    assert_string_equal(asked.url, TOKEN_URI);
    assert_string_equal(asked.content_type, "application/x-www-form-urlencoded");
    assert_string_equal(asked.body, "grant_type=refresh_token&client_id=i&client_secret=s&"
                                    "refresh_token=r%2F1");
}

/* The text of a service account with a new key; the caller frees. */
static char *service_account(void)
{
    EVP_PKEY *key = EVP_RSA_gen(1024); /* small, as it is made under valgrind too */
    BIO *memory = BIO_new(BIO_s_mem());
    char *pem, *text = calloc(1, 8192);
    assert_non_null(text);
    assert_int_equal(PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL), 1);
    long size = BIO_get_mem_data(memory, &pem);
    int used = snprintf(text, 8192,
                        "{\"type\":\"service_account\",\"client_email\":\"a@b\","
                        "\"private_key_id\":\"k1\",\"project_id\":\"of-the-key\","
                        "\"token_uri\":\"" TOKEN_URI "\",\"private_key\":\"");
    char *end = text + used;
    for (long i = 0; i < size; i++) {
        end += snprintf(end, 8192 - (size_t)(end - text), pem[i] == '\n' ? "\\n" : "%c", pem[i]);
    }
    snprintf(end, 8192 - (size_t)(end - text), "\"}");
    BIO_free(memory);
    EVP_PKEY_free(key);
    return text;
}

/* One part of a token, decoded. `from` is behind the dot before it. */
static void decode_part(const char *from, char room[1024])
{
    char padded[1024];
    size_t size = strcspn(from, "."), whole = (size + 3) / 4 * 4;
    assert_true(whole < sizeof(padded) - 1);
    memset(padded, '=', whole);
    memcpy(padded, from, size);
    for (size_t i = 0; i < size; i++) {
        padded[i] = padded[i] == '-' ? '+' : padded[i] == '_' ? '/' : padded[i];
    }
    int got = EVP_DecodeBlock((uint8_t *)room, (const uint8_t *)padded, (int)whole);
    assert_true(got > 0);
    room[(size_t)got - (whole - size)] = '\0';
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("no \"%s\" in \"%s\"", part, text);
    }
}

static void a_service_account_signs_what_it_asks_for(void **state)
{
    static const struct {
        const char *pairs[3][2];
        const char *claim, *other, *answer, *adds;
    } cases[] = {
        {{{NULL, NULL}},
         "\"scope\":\"https://www.googleapis.com/auth/cloud-platform ",
         "\"target_audience\"",
         "{\"access_token\":\"t\",\"id_token\":\"i\",\"expires_in\":3599}",
         "authorization=Bearer t;x-goog-project-id=of-the-key;"},
        {{{"token_type", "id_token"}, {"audience", "https://a.test"}},
         "\"target_audience\":\"https://a.test\"",
         "\"scope\"",
         "{\"id_token\":\"i\"}",
         "authorization=Bearer i;x-goog-project-id=of-the-key;"},
    };
    char *text = service_account();
    (void)state;
    use_credentials(text);
    free(text);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer answer = {NULL, 200, cases[i].answer};
        struct extension extension;
        struct sink sink;
        char header[1024], claims[1024];
        reset_server(NULL);
        serve(&answer);
        open_extension(&extension, &hf_extension_googleclientauth, cases[i].pairs);
        assert_string_equal(added(&extension, &sink), cases[i].adds);
        close_extension(&extension);
        assert_int_equal(asked_count(), 1);
        struct asked asked = asked_of(0);
        assert_string_equal(asked.url, TOKEN_URI);
        assert_int_equal(strncmp(asked.body, GRANT, strlen(GRANT)), 0);
        const char *assertion = asked.body + strlen(GRANT);
        decode_part(assertion, header);
        assert_string_equal(header, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}");
        decode_part(strchr(assertion, '.') + 1, claims);
        assert_has(claims, "\"iss\":\"a@b\"");
        assert_has(claims, "\"aud\":\"" TOKEN_URI "\"");
        assert_has(claims, cases[i].claim);
        assert_null(strstr(claims, cases[i].other));
    }
}

static void the_key_wins_over_the_environment_and_that_over_the_file(void **state)
{
    struct extension extension;
    struct sink sink;
    char *text = service_account();
    (void)state;
    serve(of_the_machine);
    use_credentials(text);
    free(text);
    assert_int_equal(setenv("GOOGLE_CLOUD_PROJECT", "of-the-environment", 1), 0);
    OPEN(&extension, {"quota_project", ""});
    assert_string_equal(added(&extension, &sink),
                        "authorization=Bearer t1;x-goog-project-id=of-the-environment;");
    close_extension(&extension);
    reset_server(NULL);
    serve(of_the_machine);
    OPEN(&extension, {"project", "of-the-key"});
    assert_string_equal(added(&extension, &sink),
                        "authorization=Bearer t1;x-goog-project-id=of-the-key;");
    close_extension(&extension);
}

static void credentials_are_read_for_each_token(void **state)
{
    struct extension extension;
    (void)state;
    serve(of_the_machine);
    OPEN(&extension, {"project", "p"});
    wait_until_added(&extension, "authorization=Bearer t1;x-goog-project-id=p;");
    use_credentials(PERSON);
    extension.component->extension->auth->refused(extension.self);
    wait_until_added(&extension, "authorization=Bearer t2;x-goog-user-project=pays;"
                                 "x-goog-project-id=p;");
    close_extension(&extension);
    assert_string_equal(asked_of(1).url, TOKEN_URI);
}

static void records_wait_without_a_token_and_the_cause_is_logged(void **state)
{
    static const struct {
        const char *credentials; /* NULL: the machine's */
        struct answer answer;
        const char *says;
    } cases[] = {
        {NULL, {NULL, 0, ""}, ACCOUNT},
        {NULL, {NULL, 404, "no account"}, "answered 404"},
        {NULL, {NULL, 200, "<html>"}, "has no access_token"},
        {PERSON,
         {NULL, 400, "{\"error\":\"invalid_grant\",\"error_description\":\"expired\"}"},
         "answered 400: invalid_grant: expired"},
        {"{\"type\":\"external_account\"}", {NULL, 200, "{}"}, "are not built in"},
        {"{\"type\":\"service_account\",\"client_email\":\"a@b\",\"private_key\":\"none\"}",
         {NULL, 200, "{}"},
         "is no RSA key in PEM"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct extension extension;
        struct sink sink;
        set_up(NULL);
        serve(&cases[i].answer);
        if (cases[i].credentials != NULL) {
            use_credentials(cases[i].credentials);
        }
        OPEN(&extension, {"project", "p"});
        assert_string_equal(added(&extension, &sink), "");
        close_extension(&extension);
        assert_logged("no token of Google Cloud: ");
        assert_logged(cases[i].says);
    }
}

static void an_id_token_of_the_machine_is_one_line(void **state)
{
    static const char *const bodies[] = {"", "\n", "a\nb"};
    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        const struct answer answer = {NULL, 200, bodies[i]};
        struct extension extension;
        struct sink sink;
        set_up(NULL);
        serve(&answer);
        OPEN(&extension, {"token_type", "id_token"}, {"audience", "a"}, {"project", "p"});
        assert_string_equal(added(&extension, &sink), "");
        close_extension(&extension);
        assert_logged("answered with no ID token");
    }
}

static int make_folder(void **state)
{
    (void)state;
    bool is_made = mkdtemp(folder) != NULL;
    snprintf(credentials_path, sizeof(credentials_path), "%s/credentials.json", folder);
    return is_made ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(credentials_path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_machine_is_asked_for_its_token_and_project, set_up),
        cmocka_unit_test_setup(an_id_token_of_the_machine_is_for_the_audience, set_up),
        cmocka_unit_test_setup(a_person_gives_a_refresh_token, set_up),
        cmocka_unit_test_setup(a_service_account_signs_what_it_asks_for, set_up),
        cmocka_unit_test_setup(the_key_wins_over_the_environment_and_that_over_the_file, set_up),
        cmocka_unit_test_setup(credentials_are_read_for_each_token, set_up),
        cmocka_unit_test_setup(records_wait_without_a_token_and_the_cause_is_logged, set_up),
        cmocka_unit_test_setup(an_id_token_of_the_machine_is_one_line, set_up),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
