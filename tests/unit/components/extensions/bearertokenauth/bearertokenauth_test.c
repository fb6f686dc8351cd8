#include "tests/unit/components/extensions/support.h"

#include <unistd.h>

extern const struct hf_component hf_extension_bearertokenauth;

void hf_node_log(const struct hf_node *node, enum hf_log_level level, const char *format, ...)
{
    (void)node;
    (void)level;
    (void)format;
}

#define OPEN(extension, ...)                                                                       \
    open_extension((extension), &hf_extension_bearertokenauth,                                     \
                   (const char *const[][2]){__VA_ARGS__, {NULL, NULL}})

static void asks_for_the_token(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum hf_status status;
    } rows[] = {
        {"authorization: Bearer secret", HF_OK},
        {"authorization: bearer secret", HF_OK},
        {"authorization: Bearer other-one", HF_OK},
        {"authorization: Bearer secre", HF_UNAUTHENTICATED},
        {"authorization: Bearer secrets", HF_UNAUTHENTICATED},
        {"authorization: Bearer Secret", HF_UNAUTHENTICATED},
        {"authorization: Bearer ", HF_UNAUTHENTICATED},
        {"authorization: Bearer", HF_UNAUTHENTICATED},
        {"authorization: Basic secret", HF_UNAUTHENTICATED},
        {"authorization: secret", HF_UNAUTHENTICATED},
        {"x-other: Bearer secret", HF_UNAUTHENTICATED},
        {"", HF_UNAUTHENTICATED},
    };
    struct extension extension;
    OPEN(&extension, {"token", "secret"}, {"tokens", "other-one"});
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(check_line(&extension, rows[i].line), rows[i].status);
    }
    close_extension(&extension);
}

static void sends_the_token(void **state)
{
    (void)state;
    struct extension extension;
    OPEN(&extension, {"token", "secret"});
    assert_adds(&extension, HF_EMPTY_SLICE, "authorization=Bearer secret;");
    close_extension(&extension);
    OPEN(&extension, {"token", "k"}, {"scheme", ""}, {"header", "X-Api-Key"});
    assert_adds(&extension, HF_EMPTY_SLICE, "x-api-key=k;");
    assert_int_equal(check_line(&extension, "x-api-key: k"), HF_OK);
    close_extension(&extension);
}

static void reads_the_file_again_when_it_changes(void **state)
{
    (void)state;
    char directory[] = "/tmp/hf-bearer-XXXXXX";
    char path[64], other[64];
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/token", directory);
    snprintf(other, sizeof(other), "%s/other", directory);
    write_file(path, "\n  first \nsecond\n");
    struct extension extension;
    OPEN(&extension, {"filename", path}, {"token", "unused"});
    assert_adds(&extension, HF_EMPTY_SLICE, "authorization=Bearer first;");
    assert_int_equal(check_line(&extension, "authorization: Bearer second"), HF_OK);
    assert_int_equal(check_line(&extension, "authorization: Bearer unused"), HF_UNAUTHENTICATED);
    write_file(other, "third");
    assert_int_equal(rename(other, path), 0);
    /* It is looked at once a second; until then the old one is right. */
    for (int i = 0; i < 300 && check_line(&extension, "authorization: Bearer third") != HF_OK;
         i++) {
        assert_int_equal(usleep(10000), 0);
    }
    assert_adds(&extension, HF_EMPTY_SLICE, "authorization=Bearer third;");
    assert_int_equal(check_line(&extension, "authorization: Bearer first"), HF_UNAUTHENTICATED);
    assert_int_equal(unlink(path), 0);
    assert_adds(&extension, HF_EMPTY_SLICE, "authorization=Bearer third;");
    close_extension(&extension);
    rmdir(directory);
}

static void waits_for_a_file_that_is_not_there_yet(void **state)
{
    (void)state;
    char directory[] = "/tmp/hf-bearer-XXXXXX";
    char path[64];
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/token", directory);
    struct extension extension;
    OPEN(&extension, {"filename", path}, {"retry_on_failure.enabled", "true"},
         {"wait_for_token_file", "true"});
    assert_int_equal(check_line(&extension, "authorization: Bearer first"), HF_UNAUTHENTICATED);
    write_file(path, "first");
    for (int i = 0; i < 300 && check_line(&extension, "authorization: Bearer first") != HF_OK;
         i++) {
        assert_int_equal(usleep(10000), 0);
    }
    assert_adds(&extension, HF_EMPTY_SLICE, "authorization=Bearer first;");
    close_extension(&extension);
    assert_int_equal(unlink(path), 0);
    rmdir(directory);
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    const struct hf_component *component = &hf_extension_bearertokenauth;
    assert_check_says(component, (const char *const[][2]){{NULL, NULL}}, "no bearer token");
    assert_check_says(component,
                      (const char *const[][2]){{"token", "x"}, {"header", ""}, {NULL, NULL}},
                      "header:");
    assert_check_says(component,
                      (const char *const[][2]){
                          {"token", "x"}, {"retry_on_failure.enabled", "true"}, {NULL, NULL}},
                      "need filename");
    assert_check_says(
        component,
        (const char *const[][2]){{"filename", "/x"}, {"wait_for_token_file", "true"}, {NULL, NULL}},
        "retry_on_failure");
    struct made_config made;
    char error[HF_ERROR_MAX];
    void *self;
    made_config(&made, component,
                (const char *const[][2]){{"filename", "/nonexistent/token"}, {NULL, NULL}});
    assert_int_equal(component->open(NULL, made.config, &self, error), HF_IO);
    assert_non_null(strstr(error, "/nonexistent/token"));
    made_config_release(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_the_token),
        cmocka_unit_test(sends_the_token),
        cmocka_unit_test(reads_the_file_again_when_it_changes),
        cmocka_unit_test(waits_for_a_file_that_is_not_there_yet),
        cmocka_unit_test(says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
