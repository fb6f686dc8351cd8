#include "tests/unit/components/extensions/support.h"

#include <stdatomic.h>
#include <unistd.h>

extern const struct hf_component hf_extension_basicauth;

static char logged[256]; /* the last line */

void hf_node_log(const struct hf_node *node, enum hf_log_level level, const char *format, ...)
{
    (void)node;
    (void)level;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(logged, sizeof(logged), format, arguments);
    va_end(arguments);
}

static atomic_int holds;

void hf_node_hold(struct hf_node *node)
{
    (void)node;
    holds++;
}

void hf_node_release(struct hf_node *node)
{
    (void)node;
    holds--;
}

#define OPEN(extension, ...)                                                                       \
    open_extension((extension), &hf_extension_basicauth,                                           \
                   (const char *const[][2]){__VA_ARGS__, {NULL, NULL}})

#define JOE_SECRET "authorization: Basic am9lOnNlY3JldA=="
#define JOE_WRONG "authorization: Basic am9lOndyb25n"
#define ANN_SECRET "authorization: Basic YW5uOnNlY3JldA=="
#define EVE_COLON "authorization: Basic ZXZlOnBhc3M6d29yZA=="

static void knows_every_kind_of_hash(void **state)
{
    (void)state;
    static const char *const hashes[] = {
        "secret",
        "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
        "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
        "{SSHA}UgCJjM+VJJYduihDuk0aPpDtY9RzYWx0eQ==",
        "$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0",
        "$1$saltsalt$9xy1btjgzLYfb7hivXtC//",
        "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA",
        "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq."
        "H91p5hVO1",
        "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
        "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
        "$5$rounds=1000$saltsalt$eKLZU9t9OoPWrqOQsoTIKG0aYkZ5rGOoOQhiIvoSWX2",
    };
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        char content[200];
        snprintf(content, sizeof(content), "# who may\r\n\njoe:%s\r\n", hashes[i]);
        struct extension extension;
        OPEN(&extension, {"htpasswd.inline", content});
        /* Before and after the password is remembered. */
        for (int round = 0; round < 2; round++) {
            assert_int_equal(check_line(&extension, JOE_WRONG), HF_UNAUTHENTICATED);
            assert_int_equal(check_line(&extension, ANN_SECRET), HF_UNAUTHENTICATED);
            assert_int_equal(check_line(&extension, JOE_SECRET), HF_OK);
        }
        close_extension(&extension);
    }
}

static void takes_a_dollar_in_a_plain_password_for_one(void **state)
{
    (void)state;
    struct extension extension;
    OPEN(&extension, {"htpasswd.inline", "joe:$ecret\nann:$argon2id$v=19$x"});
    assert_int_equal(check_line(&extension, "authorization: Basic am9lOiRlY3JldA=="), HF_OK);
    /* A hash of a kind that is unknown is not its own password. */
    assert_int_equal(check_line(&extension, "authorization: Basic YW5uOiRhcmdvbjJpZCR2PTE5JHg="),
                     HF_UNAUTHENTICATED);
    assert_string_equal(logged, "htpasswd: the password of ann never matches: its kind of hash is "
                                "unknown");
    close_extension(&extension);
}

static void takes_the_last_entry_of_a_name(void **state)
{
    (void)state;
    struct extension extension;
    OPEN(&extension, {"htpasswd.inline", "joe:wrong\njoe:secret"});
    assert_int_equal(check_line(&extension, JOE_SECRET), HF_OK);
    assert_int_equal(check_line(&extension, JOE_WRONG), HF_UNAUTHENTICATED);
    close_extension(&extension);
}

static void refuses_what_is_no_credential(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "authorization: ",
        "authorization: Basic",
        "authorization: Basic ",
        "authorization: Basic am9l",             /* joe */
        "authorization: Basic am9lOg==",         /* joe: */
        "authorization: Basic am9l*nNlY3JldA==", /* no base64 */
        "authorization: Bearer am9lOnNlY3JldA==",
        "authorization: Basic am9lOnNlY3JldAA=", /* joe:secret and a NUL */
    };
    struct extension extension;
    OPEN(&extension, {"htpasswd.inline", "joe:secret"});
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(check_line(&extension, lines[i]), HF_UNAUTHENTICATED);
    }
    char longest[1000] = "authorization: Basic ";
    for (size_t i = strlen(longest); i < 900; i++) {
        longest[i] = 'Q';
    }
    assert_int_equal(check_line(&extension, longest), HF_UNAUTHENTICATED);
    assert_int_equal(check_line(&extension, "authorization: basic am9lOnNlY3JldA"), HF_OK);
    close_extension(&extension);
}

static void takes_colons_in_passwords_and_names_the_user(void **state)
{
    (void)state;
    struct extension extension;
    OPEN(&extension, {"htpasswd.inline", "eve:pass:word"});
    struct hf_meta_writer meta;
    const char *line = EVE_COLON;
    struct hf_slice user;
    assert_int_equal(check_client(&extension, line, &meta, NULL), HF_OK);
    assert_true(hf_meta_find(hf_slice_of(meta.bytes, meta.size), HF_META_AUTH, "username", &user));
    assert_true(hf_slice_is(user, "eve"));
    assert_true(hf_meta_find(hf_slice_of(meta.bytes, meta.size), HF_META_AUTH, "raw", &user));
    assert_true(hf_slice_is(user, "ZXZlOnBhc3M6d29yZA=="));
    close_extension(&extension);
}

#define SLOW "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

static bool is_at_once(const struct extension *extension, const char *line)
{
    struct hf_meta_writer meta;
    bool at_once;
    (void)check_client(extension, line, &meta, &at_once);
    return at_once;
}

static void looks_at_a_slow_hash_on_another_thread_and_once(void **state)
{
    (void)state;
    struct extension extension;
    struct hf_meta_writer meta;
    struct hf_slice user, raw;
    bool at_once;
    OPEN(&extension, {"htpasswd.inline", "joe:" SLOW});
    assert_int_equal(holds, 1);
    assert_int_equal(check_client(&extension, JOE_SECRET, &meta, &at_once), HF_OK);
    assert_false(at_once);
    for (int round = 0; round < 2; round++) {
        /* The same is known of the client, whoever has looked. */
        struct hf_slice all = hf_slice_of(meta.bytes, meta.size);
        assert_true(hf_meta_find(all, HF_META_AUTH, "username", &user));
        assert_true(hf_slice_is(user, "joe"));
        assert_true(hf_meta_find(all, HF_META_AUTH, "raw", &raw));
        assert_true(hf_slice_is(raw, "am9lOnNlY3JldA=="));
        assert_int_equal(check_client(&extension, JOE_SECRET, &meta, &at_once), HF_OK);
        assert_true(at_once);
    }
    close_extension(&extension);
    assert_int_equal(holds, 0);
}

static void takes_the_same_way_for_unknown_names_and_wrong_passwords(void **state)
{
    (void)state;
    struct extension slow, fast;
    OPEN(&slow, {"htpasswd.inline", "joe:" SLOW});
    assert_false(is_at_once(&slow, JOE_WRONG));
    assert_false(is_at_once(&slow, ANN_SECRET));
    assert_int_equal(check_line(&slow, ANN_SECRET), HF_UNAUTHENTICATED);
    close_extension(&slow);
    OPEN(&fast, {"htpasswd.inline", "joe:secret"});
    assert_true(is_at_once(&fast, JOE_WRONG));
    assert_true(is_at_once(&fast, ANN_SECRET));
    /* The other's password does not open the door of an unknown name. */
    assert_int_equal(check_line(&fast, ANN_SECRET), HF_UNAUTHENTICATED);
    close_extension(&fast);
}

static void serves_who_is_known_while_many_fail(void **state)
{
    (void)state;
    struct extension extension;
    OPEN(&extension, {"htpasswd.inline", "joe:" SLOW "\nann:" SLOW});
    assert_int_equal(check_line(&extension, JOE_SECRET), HF_OK);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(check_line(&extension, JOE_WRONG), HF_UNAUTHENTICATED);
    }
    assert_true(is_at_once(&extension, JOE_SECRET));
    assert_int_equal(check_line(&extension, JOE_SECRET), HF_OK);
    close_extension(&extension);
}

static void answers_closed_after_its_stop(void **state)
{
    (void)state;
    struct extension extension;
    OPEN(&extension, {"htpasswd.inline", "joe:" SLOW});
    extension.component->stop(extension.self);
    assert_int_equal(check_line(&extension, JOE_SECRET), HF_CLOSED);
    close_extension(&extension);
}

static void reads_the_file_again_when_it_changes(void **state)
{
    (void)state;
    char directory[] = "/tmp/hf-basic-XXXXXX";
    char path[64];
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/htpasswd", directory);
    write_file(path, "joe:secret\n");
    struct extension extension;
    OPEN(&extension, {"htpasswd.file", path}, {"htpasswd.inline", "eve:pass:word"});
    assert_int_equal(check_line(&extension, JOE_SECRET), HF_OK);
    assert_int_equal(check_line(&extension, EVE_COLON), HF_OK);
    assert_int_equal(check_line(&extension, ANN_SECRET), HF_UNAUTHENTICATED);
    write_file(path, "ann:secret\n");
    for (int i = 0; i < 300 && check_line(&extension, ANN_SECRET) != HF_OK; i++) {
        assert_int_equal(usleep(10000), 0);
    }
    assert_int_equal(check_line(&extension, ANN_SECRET), HF_OK);
    assert_int_equal(check_line(&extension, EVE_COLON), HF_OK);
    assert_int_equal(check_line(&extension, JOE_SECRET), HF_UNAUTHENTICATED);
    close_extension(&extension);
    unlink(path);
    rmdir(directory);
}

static void sends_name_and_password(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"secret", "am9lOnNlY3JldA=="},
                                          {"secrets", "am9lOnNlY3JldHM="},
                                          {"secret12", "am9lOnNlY3JldDEy"}};
    for (size_t i = 0; i < 3; i++) {
        char expected[100];
        struct extension extension;
        OPEN(&extension, {"client_auth.username", "joe"}, {"client_auth.password", rows[i][0]});
        snprintf(expected, sizeof(expected), "authorization=Basic %s;", rows[i][1]);
        assert_adds(&extension, HF_EMPTY_SLICE, expected);
        assert_int_equal(check_line(&extension, JOE_SECRET), HF_UNAUTHENTICATED);
        close_extension(&extension);
    }
}

#define JOE_SENT "authorization=Basic am9lOnNlY3JldA==;"
#define JOE_CHANGED "authorization=Basic am9lOnNlY3JldHM=;"

static bool adds(struct extension *extension, const char *expected)
{
    struct sink sink = {.sink = {keep}};
    const struct hf_auth *auth = extension->component->extension->auth;
    return auth->headers(extension->self, HF_EMPTY_SLICE, &sink.sink) == HF_OK &&
           strcmp(sink.text, expected) == 0;
}

static void sends_what_stands_in_files(void **state)
{
    (void)state;
    char directory[] = "/tmp/hf-basic-XXXXXX";
    char user[64], password[64];
    assert_non_null(mkdtemp(directory));
    snprintf(user, sizeof(user), "%s/user", directory);
    snprintf(password, sizeof(password), "%s/password", directory);
    write_file(user, "joe\n");
    write_file(password, "secret\n");
    struct extension extension;
    OPEN(&extension, {"client_auth.username_file", user}, {"client_auth.username", "unused"},
         {"client_auth.password_file", password});
    assert_adds(&extension, HF_EMPTY_SLICE, JOE_SENT);
    write_file(password, "secrets\n");
    for (int i = 0; i < 300 && !adds(&extension, JOE_CHANGED); i++) {
        assert_int_equal(usleep(10000), 0);
    }
    assert_adds(&extension, HF_EMPTY_SLICE, JOE_CHANGED);
    close_extension(&extension);
    assert_int_equal(unlink(user), 0);
    assert_int_equal(unlink(password), 0);
    rmdir(directory);
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    const struct hf_component *component = &hf_extension_basicauth;
    assert_check_says(component, (const char *const[][2]){{NULL, NULL}}, "no credentials");
    assert_check_says(component,
                      (const char *const[][2]){
                          {"htpasswd.inline", "a:b"}, {"client_auth.username", "a"}, {NULL, NULL}},
                      "exclude each other");
    assert_check_says(component,
                      (const char *const[][2]){{"client_auth.username", "a:b"}, {NULL, NULL}},
                      "username");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_every_kind_of_hash),
        cmocka_unit_test(takes_a_dollar_in_a_plain_password_for_one),
        cmocka_unit_test(takes_the_last_entry_of_a_name),
        cmocka_unit_test(refuses_what_is_no_credential),
        cmocka_unit_test(takes_colons_in_passwords_and_names_the_user),
        cmocka_unit_test(looks_at_a_slow_hash_on_another_thread_and_once),
        cmocka_unit_test(takes_the_same_way_for_unknown_names_and_wrong_passwords),
        cmocka_unit_test(serves_who_is_known_while_many_fail),
        cmocka_unit_test(answers_closed_after_its_stop),
        cmocka_unit_test(reads_the_file_again_when_it_changes),
        cmocka_unit_test(sends_name_and_password),
        cmocka_unit_test(sends_what_stands_in_files),
        cmocka_unit_test(says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
