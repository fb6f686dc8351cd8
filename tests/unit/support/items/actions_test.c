/* Each action does to a list of attributes what the Go collector's does; what cannot work is said
 * before anything runs. */
#include "support/items/actions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>
#include <holdfast/meta.h>

#include "tests/support/attribute_text.c"

enum { INSERT, UPDATE, UPSERT, DELETE, HASH, EXTRACT, CONVERT };

#define TEXT(text)                                                                                 \
    {                                                                                              \
        .type = HF_VALUE_STRING, .string = (text)                                                  \
    }
#define INT(number_)                                                                               \
    {                                                                                              \
        .type = HF_VALUE_INT, .string = #number_, .integer = (number_)                             \
    }

#define LIST(...)                                                                                  \
    {                                                                                              \
        .type = HF_VALUE_LIST, .items = (const struct hf_value[]){__VA_ARGS__},                    \
        .count = sizeof((const struct hf_value[]){__VA_ARGS__}) / sizeof(struct hf_value)          \
    }
#define MAP(...)                                                                                   \
    {                                                                                              \
        .type = HF_VALUE_MAP, .items = (const struct hf_value[]){__VA_ARGS__},                     \
        .keys = (const char *const[]){"one", "two"}, .count = 2                                    \
    }

static struct hf_actions *compiled(const struct hf_action_config *configs, size_t count)
{
    struct hf_actions *actions = NULL;
    char error[HF_ERROR_MAX] = "";
    const struct hf_struct_list list = {configs, count};
    if (hf_actions_new("actions", &list, &actions, error) != HF_OK) {
        fail_msg("%s", error);
    }
    return actions;
}

static void run_on(const struct hf_actions *actions, struct hf_slice meta, const char *before,
                   const char *after)
{
    struct hf_bytes owner = {0};
    struct hf_wire_writer writer = {.out = &owner};
    struct hf_attributes attributes = {.arena = {.limit = 1 << 20}};
    struct hf_actions_run run;
    char shown[1024];
    attribute_text_put(before, 9, &writer);
    assert_int_equal(hf_wire_status(&writer), HF_OK);
    assert_true(hf_attributes_read(&attributes, hf_slice_of(owner.data, owner.size), 9));
    assert_int_equal(hf_actions_begin(actions, meta, &run), HF_OK);
    hf_actions_apply(&run, &attributes);
    attribute_text_show(&attributes, shown, sizeof(shown));
    if (strcmp(shown, after) != 0) {
        fail_msg("%s: expected %s, got %s", before, after, shown);
    }
    assert_false(attributes.failed);
    assert_int_equal(attributes.changed, strcmp(before, after) != 0);
    hf_actions_end(&run);
    hf_attributes_release(&attributes);
    hf_bytes_release(&owner);
}

static const struct {
    struct hf_action_config action;
    const char *before, *after;
} single_actions[] = {
    {{.action = INSERT, .key = "k", .value = TEXT("v")}, "a=x", "a=x k=v"},
    {{.action = INSERT, .key = "k", .value = TEXT("v")}, "", "k=v"},
    {{.action = INSERT, .key = "k", .value = TEXT("v")}, "k=old", "k=old"},
    {{.action = INSERT, .key = "k", .value = INT(-7)}, "", "k=#-7"},
    {{.action = INSERT, .key = "k", .value = {HF_VALUE_BOOL, "true", .boolean = true}},
     "",
     "k=?true"},
    {{.action = INSERT, .key = "k", .value = {HF_VALUE_DOUBLE, "1.5", .number = 1.5}},
     "",
     "k=%1.5"},
    {{.action = INSERT, .key = "k", .from_attribute = "a"}, "a=#5 b=x", "a=#5 b=x k=#5"},
    {{.action = INSERT, .key = "k", .from_attribute = "a"}, "b=x", "b=x"},
    {{.action = INSERT, .key = "k", .from_attribute = "a", .default_value = TEXT("d")},
     "b=x",
     "b=x k=d"},
    {{.action = INSERT, .key = "k", .from_attribute = "a", .default_value = TEXT("d")},
     "a=",
     "a= k="},
    {{.action = INSERT, .key = "k", .default_value = TEXT("d")}, "", "k=d"},
    {{.action = UPDATE, .key = "k", .value = TEXT("v")}, "a=x", "a=x"},
    {{.action = UPDATE, .key = "k", .value = TEXT("v")}, "k=#5 a=x", "k=v a=x"},
    {{.action = UPDATE, .key = "k", .value = TEXT("v")}, "k=v a=x", "k=v a=x"},
    {{.action = UPDATE, .key = "k", .value = TEXT("v")}, "k=secret a=x k=secret", "k=v a=x"},
    {{.action = UPSERT, .key = "k", .value = TEXT("v")}, "a=x", "a=x k=v"},
    {{.action = UPSERT, .key = "k", .value = TEXT("v")}, "k=old", "k=v"},
    {{.action = UPSERT, .key = "k", .from_attribute = "a"}, "k=old a=?false", "k=?false a=?false"},
    {{.action = UPSERT, .key = "k", .from_attribute = "none"}, "k=old", "k=old"},
    {{.action = DELETE, .key = "k"}, "a=x k=y b=z", "a=x b=z"},
    {{.action = DELETE, .key = "k"}, "k=1 a=x k=2", "a=x"},
    {{.action = DELETE, .key = "k"}, "a=x", "a=x"},
    {{.action = DELETE, .pattern = "^db\\."}, "db.a=x mydb.b=y db.c=z", "mydb.b=y"},
    {{.action = DELETE, .key = "k", .pattern = "c$"}, "k=x abc=y c.=z", "c.=z"},
    {{.action = HASH, .key = "k"},
     "k=abc a=abc",
     "k=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad a=abc"},
    {{.action = HASH, .key = "k"},
     "k=#42",
     "k=ed049108bc18f2c64369e8d0ea42850bdd1a7d1dd340cfde716315579702a76c"},
    {{.action = HASH, .key = "k"},
     "k=?true",
     "k=4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a"},
    {{.action = HASH, .key = "k"},
     "k=%1.5",
     "k=e163f8cb0f7067a7fc78ca859a77f849aea3214f38fb75b884e4a16be725c905"},
    {{.action = HASH, .key = "k"}, "a=x", "a=x"},
    {{.action = HASH, .pattern = "^u"},
     "user=abc a=abc",
     "user=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad a=abc"},
    {{.action = EXTRACT, .key = "url", .pattern = "^/(?P<first>[^/]*)/(?P<second>.*)$"},
     "url=/api/users second=old",
     "url=/api/users second=users first=api"},
    {{.action = EXTRACT, .key = "url", .pattern = "^/(?P<first>[^/]*)/(?P<second>.*)$"},
     "url=none",
     "url=none"},
    {{.action = EXTRACT, .key = "n", .pattern = "(?P<digit>[0-9])"},
     "n=#5",
     "n=#5"}, /* text only */
    {{.action = EXTRACT, .key = "k", .pattern = "^(?P<k>.)"}, "k=abc", "k=a"},
    {{.action = INSERT, .key = "k", .value = LIST(TEXT("a"), INT(1), {0})}, "", "k=[\"a\",1,null]"},
    {{.action = UPSERT, .key = "k", .value = MAP({.type = HF_VALUE_LIST}, {.type = HF_VALUE_MAP})},
     "k=old a=x",
     "k={\"one\":[],\"two\":{}} a=x"},
    {{.action = UPDATE, .key = "k", .value = MAP(LIST(LIST(INT(7))), TEXT("z"))},
     "k=old",
     "k={\"one\":[[7]],\"two\":\"z\"}"},
    {{.action = INSERT, .key = "k", .from_attribute = "a", .default_value = LIST(INT(1))},
     "",
     "k=[1]"},
    {{.action = CONVERT, .key = "k", .converted_type = "int"}, "k=42", "k=#42"},
    {{.action = CONVERT, .key = "k", .converted_type = "int"}, "k=-42", "k=#-42"},
    {{.action = CONVERT, .key = "k", .converted_type = "int"}, "k=+42", "k=#42"},
    {{.action = CONVERT, .key = "k", .converted_type = "int"}, "k=4x", "k=4x"},
    {{.action = CONVERT, .key = "k", .converted_type = "int"},
     "k=9223372036854775808",
     "k=9223372036854775808"},
    {{.action = CONVERT, .key = "k", .converted_type = "int"}, "k=%2.9", "k=#2"},
    {{.action = CONVERT, .key = "k", .converted_type = "int"}, "k=%1e+300", "k=%1e+300"},
    {{.action = CONVERT, .key = "k", .converted_type = "int"}, "k=%NaN", "k=%NaN"},
    {{.action = CONVERT, .key = "k", .converted_type = "int"}, "k=?true", "k=#1"},
    {{.action = CONVERT, .key = "k", .converted_type = "int"}, "k=", "k="},
    {{.action = CONVERT, .key = "k", .converted_type = "double"}, "k=2.5", "k=%2.5"},
    {{.action = CONVERT, .key = "k", .converted_type = "double"}, "k=1e3", "k=%1000"},
    {{.action = CONVERT, .key = "k", .converted_type = "double"}, "k=1e999", "k=1e999"},
    {{.action = CONVERT, .key = "k", .converted_type = "double"}, "k=#3", "k=%3"},
    {{.action = CONVERT, .key = "k", .converted_type = "double"}, "k=?false", "k=%0"},
    {{.action = CONVERT, .key = "k", .converted_type = "double"}, "k=x", "k=x"},
    {{.action = CONVERT, .key = "k", .converted_type = "string"}, "k=#42", "k=42"},
    {{.action = CONVERT, .key = "k", .converted_type = "string"}, "k=%2.5", "k=2.5"},
    {{.action = CONVERT, .key = "k", .converted_type = "string"}, "k=?true", "k=true"},
    {{.action = CONVERT, .key = "k", .converted_type = "string"}, "k=x a=#1", "k=x a=#1"},
};

static void does_what_is_asked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(single_actions) / sizeof(single_actions[0]); i++) {
        struct hf_actions *actions = compiled(&single_actions[i].action, 1);
        run_on(actions, HF_EMPTY_SLICE, single_actions[i].before, single_actions[i].after);
        hf_actions_free(actions);
    }
}

static void runs_in_the_order_given(void **state)
{
    const struct hf_action_config configs[] = {
        {.action = UPSERT, .key = "copy", .from_attribute = "account"},
        {.action = HASH, .key = "account"},
        {.action = UPDATE, .key = "copy", .value = INT(1)},
        {.action = DELETE, .key = "nothing"},
        {.action = INSERT, .key = "last", .from_attribute = "copy"},
    };
    struct hf_actions *actions = compiled(configs, 5);
    (void)state;
    run_on(
        actions, HF_EMPTY_SLICE, "account=abc",
        "account=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad copy=#1 last=#1");
    hf_actions_free(actions);
}

static void add_meta(struct hf_meta_writer *meta, enum hf_meta_kind kind, const char *key,
                     const char *value)
{
    assert_int_equal(hf_meta_add(meta, kind, hf_slice_text(key), hf_slice_text(value)), HF_OK);
}

static void takes_values_from_the_context(void **state)
{
    static const struct {
        const char *from, *fallback, *after;
    } cases[] = {
        {"metadata.X-Tenant", NULL, "k=acme;umbrella"},
        {"x-tenant", NULL, "k=acme;umbrella"}, /* without a prefix it is a header too */
        {"metadata.x-none", NULL, ""},
        {"metadata.x-none", "d", "k=d"},
        {"metadata.x-binary", "d", "k=d"}, /* no text, so as good as not there */
        {"metadata.x-empty", "d", "k="},
        {"auth.subject", NULL, "k=alice"},
        {"auth.Subject", NULL, ""},
        {"auth.x-tenant", NULL, ""},
        {"client.address", NULL, "k=10.0.0.7"},
    };
    struct hf_meta_writer meta = {.size = 0};
    (void)state;
    add_meta(&meta, HF_META_PEER, "", "10.0.0.7:51234");
    add_meta(&meta, HF_META_AUTH, "subject", "alice");
    add_meta(&meta, HF_META_HEADER, "x-tenant", "acme");
    add_meta(&meta, HF_META_HEADER, "x-binary", "\xff");
    add_meta(&meta, HF_META_HEADER, "x-tenant", "umbrella");
    add_meta(&meta, HF_META_HEADER, "x-empty", "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct hf_action_config config = {
            .action = UPSERT,
            .key = "k",
            .from_context = cases[i].from,
            .default_value = {cases[i].fallback != NULL ? HF_VALUE_STRING : HF_VALUE_NONE,
                              cases[i].fallback}};
        struct hf_actions *actions = compiled(&config, 1);
        run_on(actions, hf_slice_of(meta.bytes, meta.size), "", cases[i].after);
        hf_actions_free(actions);
    }
}

static void strips_the_port_from_an_address(void **state)
{
    static const char *const cases[][2] = {{"10.0.0.7:51234", "k=10.0.0.7"},
                                           {"[::1]:51234", "k=::1"},
                                           {"[fe80::1%eth0]:1", "k=fe80::1%eth0"},
                                           {"unix", "k=unix"}};
    const struct hf_action_config config = {
        .action = INSERT, .key = "k", .from_context = "client.address"};
    struct hf_actions *actions = compiled(&config, 1);
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_meta_writer meta = {.size = 0};
        add_meta(&meta, HF_META_PEER, "", cases[i][0]);
        run_on(actions, hf_slice_of(meta.bytes, meta.size), "", cases[i][1]);
    }
    hf_actions_free(actions);
}

static void tells_what_receivers_must_keep(void **state)
{
    const struct hf_action_config configs[] = {
        {.action = INSERT, .key = "a", .from_context = "metadata.X-Tenant"},
        {.action = INSERT, .key = "b", .from_context = "auth.subject"},
        {.action = INSERT, .key = "c", .from_context = "client.address"},
        {.action = INSERT, .key = "d", .from_context = "X-Plain"},
        {.action = INSERT, .key = "e", .value = INT(1)},
    };
    struct hf_actions *actions = compiled(configs, 5);
    size_t count = 0;
    const char *const *keys = hf_actions_context_keys(actions, &count);
    (void)state;
    assert_int_equal(count, 4);
    assert_string_equal(keys[0], "x-tenant");
    assert_string_equal(keys[1], "auth.subject");
    assert_string_equal(keys[2], "client.address");
    assert_string_equal(keys[3], "x-plain");
    hf_actions_free(actions);
}

static const struct hf_value many[70000];

static void says_what_cannot_work(void **state)
{
    const struct {
        struct hf_action_config action;
        const char *says;
    } cases[] = {
        {{.action = INSERT, .key = "k"}, "actions: action 1: one of \"value\""},
        {{.action = INSERT, .key = "", .value = INT(1)}, "\"key\" must be given for insert"},
        {{.action = UPDATE, .key = NULL, .value = INT(1)}, "\"key\" must be given for update"},
        {{.action = UPSERT, .key = "k", .value = INT(1), .from_attribute = "a"}, "only one of"},
        {{.action = UPSERT, .key = "k", .from_context = "a", .from_attribute = "a"}, "only one of"},
        {{.action = UPSERT, .key = "k", .value = INT(1), .pattern = "x"}, "not for upsert"},
        {{.action = INSERT, .key = "k", .value = INT(1), .converted_type = "int"},
         "not for insert"},
        {{.action = INSERT, .key = "k", .value = TEXT("\xff")}, "not UTF-8"},
        {{.action = INSERT, .key = "k", .value = LIST(INT(1), TEXT("\xff"))}, "not UTF-8"},
        {{.action = INSERT,
          .key = "k",
          .value = {.type = HF_VALUE_LIST, .items = many, .count = 70000}},
         "more than 64 KiB"},
        {{.action = INSERT, .key = "\xff", .value = TEXT("x")}, "not UTF-8"},
        {{.action = DELETE, .key = NULL}, "\"key\" or \"pattern\" must be given for delete"},
        {{.action = DELETE, .key = "k", .value = INT(1)}, "not for delete"},
        {{.action = DELETE, .pattern = "("}, "no valid regular expression: missing closing )"},
        {{.action = HASH, .key = "k", .from_attribute = "a"}, "not for hash"},
        {{.action = EXTRACT, .key = "k"}, "\"pattern\" must be given for extract"},
        {{.action = EXTRACT, .key = "k", .pattern = "x"}, "no named groups"},
        {{.action = EXTRACT, .key = "k", .pattern = "(?P<a>x)(y)"}, "a group without a name"},
        {{.action = EXTRACT, .key = "k", .pattern = "[a"}, "no valid regular expression"},
        {{.action = EXTRACT, .key = "k", .pattern = "(?P<a>x)", .value = INT(1)},
         "not for extract"},
        {{.action = CONVERT, .key = "k"}, "must be int, double or string"},
        {{.action = CONVERT, .key = "k", .converted_type = "bool"},
         "must be int, double or string"},
        {{.action = CONVERT, .key = "k", .converted_type = "int", .pattern = "x"},
         "not for convert"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct hf_struct_list list = {&cases[i].action, 1};
        struct hf_actions *actions = NULL;
        char error[HF_ERROR_MAX] = "";
        assert_int_equal(hf_actions_new("actions", &list, &actions, error), HF_INVALID);
        assert_null(actions);
        if (strstr(error, cases[i].says) == NULL) {
            fail_msg("case %zu: %s", i, error);
        }
        assert_string_equal(hf_actions_check("actions", &list), error);
    }
    const struct hf_struct_list empty = {NULL, 0};
    assert_string_equal(hf_actions_check("attributes", &empty),
                        "attributes: missing required field \"attributes\"");
    const struct hf_action_config good = {.action = DELETE, .key = "k"};
    const struct hf_struct_list list = {&good, 1};
    assert_null(hf_actions_check("attributes", &list));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(does_what_is_asked),
        cmocka_unit_test(runs_in_the_order_given),
        cmocka_unit_test(takes_values_from_the_context),
        cmocka_unit_test(strips_the_port_from_an_address),
        cmocka_unit_test(tells_what_receivers_must_keep),
        cmocka_unit_test(says_what_cannot_work),
    };
    return cmocka_run_group_tests_name("actions", tests, NULL, NULL);
}
