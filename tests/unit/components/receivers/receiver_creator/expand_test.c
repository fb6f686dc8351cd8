#include "components/receivers/receiver_creator/expand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/discovery/endpoints.h"

#include "tests/support/node_stub.c"

static struct hf_endpoint *port(const char *target)
{
    struct hf_endpoint_draft draft;
    hf_draft_begin(&draft, "port", 3);
    draft.id = "observer/uid/p(80)";
    draft.target = target;
    hf_draft_text(&draft, &draft.variables, "name", hf_slice_text("web"));
    struct hf_value *pod = hf_draft_map(&draft, &draft.variables, "pod", 2);
    hf_draft_text(&draft, pod, "name", hf_slice_text("app-1"));
    struct hf_value *labels = hf_draft_map(&draft, pod, "labels", 2);
    hf_draft_text(&draft, labels, "b", hf_slice_text("2"));
    hf_draft_text(&draft, labels, "a", hf_slice_text("1"));
    hf_draft_flag(&draft, &draft.variables, "is_ipv6", true);
    return hf_draft_end(&draft);
}

static enum hf_status expand(const char *target, const char *text, struct hf_value *ret_value,
                             struct hf_arena *arena, char *why)
{
    struct hf_endpoint *endpoint = port(target);
    struct creator_variables variables;
    const struct hf_value value = {.type = HF_VALUE_STRING, .string = text};
    assert_non_null(endpoint);
    assert_int_equal(creator_variables_of(endpoint, arena, &variables), HF_OK);
    enum hf_status status = creator_expand(&variables, &value, ret_value, why);
    hf_ref_drop(&endpoint->ref);
    return status;
}

static void texts_are_expanded(void **state)
{
    static const struct {
        const char *text, *expected;
        enum hf_value_type type;
    } rows[] = {
        {"plain", "plain", HF_VALUE_STRING},
        {"`endpoint`", "10.0.0.1:80", HF_VALUE_STRING},
        {"http://`host`:`port`/x", "http://10.0.0.1:80/x", HF_VALUE_STRING},
        {"`int(port) + 1`", "81", HF_VALUE_INT},
        {" `int(port) + 1`", " 81", HF_VALUE_STRING},
        {"`is_ipv6`", "true", HF_VALUE_BOOL},
        {"`pod.labels[\"a\"]``pod.labels[\"b\"]`", "12", HF_VALUE_STRING},
        {"`pod.labels[\"none\"]`", "", HF_VALUE_STRING}, /* a map of texts, as in Go */
        {"`\"none\" in pod.labels`", "false", HF_VALUE_BOOL},
        {"`name == \"web\" ? 1.5 : 2`", "1.5", HF_VALUE_DOUBLE},
        {"`unknown`", "<nil>", HF_VALUE_NONE},
        {"x`unknown`", "x<nil>", HF_VALUE_STRING},
        {"a \\`b\\` \\d", "a `b` \\d", HF_VALUE_STRING},
        {"is `pod.labels`", "is map[a:1 b:2]", HF_VALUE_STRING},
        {"is `[1, \"x\", true]`", "is [1 x true]", HF_VALUE_STRING},
        {"`joinHostPort(host, port)`", "10.0.0.1:80", HF_VALUE_STRING},
        {"`joinHostPort(\"fe80::1\", 80)`", "[fe80::1]:80", HF_VALUE_STRING},
        {"`typeOf(type)`", "string", HF_VALUE_STRING},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_arena arena = {.limit = 1 << 20};
        struct hf_value value;
        char why[CREATOR_ERROR_MAX] = "";
        enum hf_status status = expand("10.0.0.1:80", rows[i].text, &value, &arena, why);
        if (status != HF_OK || strcmp(value.string, rows[i].expected) != 0) {
            print_error("%s: %s\n", rows[i].text, status == HF_OK ? value.string : why);
        }
        assert_int_equal(status, HF_OK);
        assert_int_equal(value.type, rows[i].type);
        assert_string_equal(value.string, rows[i].expected);
        hf_arena_release(&arena);
    }
}

static void mistakes_are_told(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"`name", "backtick"},
        {"``", "empty"},
        {"` `", "empty"},
        {"`name +`", ""},
        {"`env(\"HOME\")`", "not known"}, /* a pod may have written it */
        {"`name.x.y`", "members"},
        {"`joinHostPort(\"a b\", 80)`", "joinHostPort"},
        {"`joinHostPort(host, 65536)`", "joinHostPort"},
        {"`joinHostPort(host, \"8x\")`", "joinHostPort"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_arena arena = {.limit = 1 << 20};
        struct hf_value value;
        char why[CREATOR_ERROR_MAX] = "";
        assert_int_equal(expand("10.0.0.1:80", rows[i].text, &value, &arena, why), HF_INVALID);
        if (strstr(why, rows[i].why) == NULL) {
            print_error("%s: %s\n", rows[i].text, why);
        }
        assert_non_null(strstr(why, rows[i].why));
        hf_arena_release(&arena);
    }
    assert_non_null(creator_text_check("`a"));
    assert_null(creator_text_check("a `b` \\`"));
}

static void a_target_has_a_host_and_perhaps_a_port(void **state)
{
    static const struct {
        const char *target, *host, *port;
    } rows[] = {
        {"10.0.0.1:80", "10.0.0.1", "80"},
        {"10.0.0.1", "10.0.0.1", "<nil>"},
        {"[::1]:80", "::1", "80"},
        {"fe80::1", "fe80::1", "<nil>"},
        {"https://a.example.org/b", "https://a.example.org/b", "<nil>"},
        {"", "", "<nil>"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_arena arena = {.limit = 1 << 20};
        struct hf_value value;
        char why[CREATOR_ERROR_MAX], expected[100];
        assert_int_equal(expand(rows[i].target, "`host` `port`", &value, &arena, why), HF_OK);
        snprintf(expected, sizeof(expected), "%s %s", rows[i].host, rows[i].port);
        assert_string_equal(value.string, expected);
        hf_arena_release(&arena);
    }
}

static void maps_and_lists_are_expanded_throughout(void **state)
{
    static const struct hf_value in_list[] = {{.type = HF_VALUE_STRING, .string = "`name`"},
                                              {.type = HF_VALUE_INT, .integer = 5, .string = "5"}};
    static const struct hf_value items[] = {{.type = HF_VALUE_LIST, .items = in_list, .count = 2},
                                            {.type = HF_VALUE_STRING, .string = "`pod.labels`"}};
    static const char *const keys[] = {"list", "labels"};
    const struct hf_value map = {.type = HF_VALUE_MAP, .items = items, .keys = keys, .count = 2};
    struct hf_arena arena = {.limit = 1 << 20};
    struct hf_endpoint *endpoint = port("x");
    struct creator_variables variables;
    struct hf_value value;
    char why[CREATOR_ERROR_MAX];
    (void)state;
    assert_int_equal(creator_variables_of(endpoint, &arena, &variables), HF_OK);
    assert_int_equal(creator_expand(&variables, &map, &value, why), HF_OK);
    assert_int_equal(value.count, 2);
    assert_string_equal(value.keys[0], "list");
    assert_string_equal(value.items[0].items[0].string, "web");
    assert_int_equal(value.items[0].items[1].integer, 5);
    assert_int_equal(value.items[1].type, HF_VALUE_MAP);
    assert_int_equal(value.items[1].count, 2);
    assert_string_equal(value.items[1].keys[0], "b");
    assert_string_equal(value.items[1].items[0].string, "2");
    hf_ref_drop(&endpoint->ref);
    hf_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_expanded),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(a_target_has_a_host_and_perhaps_a_port),
        cmocka_unit_test(maps_and_lists_are_expanded_throughout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
