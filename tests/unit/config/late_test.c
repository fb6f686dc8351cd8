#include "config/late.h"

#include "support.h"

struct made {
    const char *endpoint;
    int64_t count;
    struct hf_string_list names;
    struct hf_string_map headers;
};

static const struct hf_field fields[] = {
    {.key = "endpoint", .type = HF_FIELD_STRING, .offset = offsetof(struct made, endpoint)},
    {.key = "count",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct made, count),
     .default_text = "7"},
    {.key = "names", .type = HF_FIELD_STRING_LIST, .offset = offsetof(struct made, names)},
    {.key = "headers", .type = HF_FIELD_MAP, .offset = offsetof(struct made, headers)},
    HF_FIELDS_END,
};

static const char *check(const void *config)
{
    const struct made *made = config;
    return made->count == 13 ? "count: not 13" : NULL;
}

static const struct hf_component component = {.type = "made",
                                              .kind = HF_RECEIVER,
                                              .config_size = sizeof(struct made),
                                              .fields = fields,
                                              .check = check};

static const struct hf_value name = {.type = HF_VALUE_STRING, .string = "n"};
static const char *const header_keys[] = {"a"};
static const char *const keys[] = {"count", "names", "headers"};

static void a_tree_of_values_is_bound(void **state)
{
    const struct hf_value items[] = {
        {.type = HF_VALUE_INT, .integer = 3, .string = "3"},
        {.type = HF_VALUE_LIST, .items = &name, .count = 1},
        {.type = HF_VALUE_MAP, .items = &name, .keys = header_keys, .count = 1}};
    const struct hf_value value = {.type = HF_VALUE_MAP, .items = items, .keys = keys, .count = 3};
    struct hf_late *late = NULL;
    char why[HF_ERROR_MAX];
    (void)state;
    assert_int_equal(hf_late_bind(&component, &value, "host:1", &late, why), HF_OK);
    const struct made *made = hf_late_config(late);
    assert_string_equal(made->endpoint, "host:1");
    assert_int_equal(made->count, 3);
    assert_int_equal(made->names.count, 1);
    assert_string_equal(made->names.items[0], "n");
    assert_string_equal(made->headers.items[0].key, "a");
    assert_string_equal(made->headers.items[0].value, "n");
    hf_late_free(late);
}

static void nothing_means_defaults(void **state)
{
    const struct hf_value nothing = {.type = HF_VALUE_NONE};
    struct hf_late *late = NULL;
    char why[HF_ERROR_MAX];
    (void)state;
    assert_int_equal(hf_late_bind(&component, &nothing, NULL, &late, why), HF_OK);
    assert_int_equal(((const struct made *)hf_late_config(late))->count, 7);
    assert_null(((const struct made *)hf_late_config(late))->endpoint);
    hf_late_free(late);
}

static void mistakes_are_told(void **state)
{
    static const char *const endpoint[] = {"endpoint"}, *const count[] = {"count"};
    static const char *const unknown[] = {"cuont"};
    const struct hf_value list = {.type = HF_VALUE_LIST};
    const struct hf_value text = {.type = HF_VALUE_STRING, .string = "x"};
    const struct hf_value unlucky = {.type = HF_VALUE_INT, .integer = 13, .string = "13"};
    const struct {
        struct hf_value value;
        const char *why;
    } rows[] = {
        {{.type = HF_VALUE_MAP, .items = &list, .keys = endpoint, .count = 1}, "made: endpoint"},
        {{.type = HF_VALUE_MAP, .items = &text, .keys = count, .count = 1},
         "expected a whole number"},
        {{.type = HF_VALUE_MAP, .items = &text, .keys = unknown, .count = 1}, "unknown key"},
        {{.type = HF_VALUE_MAP, .items = &unlucky, .keys = count, .count = 1}, "count: not 13"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hf_late *late = NULL;
        char why[HF_ERROR_MAX] = "";
        assert_int_equal(hf_late_bind(&component, &rows[i].value, "h:1", &late, why), HF_INVALID);
        if (strstr(why, rows[i].why) == NULL) {
            print_error("%s\n", why);
        }
        assert_non_null(strstr(why, rows[i].why));
        assert_null(late);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_of_values_is_bound),
        cmocka_unit_test(nothing_means_defaults),
        cmocka_unit_test(mistakes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
