/* From entries to batches: fixed and computed attributes, operators before those of the user, and
 * what is said when an expression fails. */
#include "support/lines/log_entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/component.h>

#include "pdata/json.h"

/* What the graph would lend. */
struct hf_node {
    unsigned lines;
    char last[256];
};

void hf_node_log(const struct hf_node *node, enum hf_log_level level, const char *format, ...)
{
    struct hf_node *mine = (struct hf_node *)(uintptr_t)node;
    va_list arguments;
    (void)level;
    va_start(arguments, format);
    vsnprintf(mine->last, sizeof(mine->last), format, arguments);
    va_end(arguments);
    mine->lines++;
}

static const char *const add_keys[] = {"type", "field", "value"};
static const struct hf_value add_before[] = {
    {.type = HF_VALUE_STRING, .string = "add"},
    {.type = HF_VALUE_STRING, .string = "attributes.before"},
    {.type = HF_VALUE_STRING, .string = "yes"}};
static const struct hf_value move_keys_of_user[] = {
    {.type = HF_VALUE_STRING, .string = "move"},
    {.type = HF_VALUE_STRING, .string = "attributes.before"},
    {.type = HF_VALUE_STRING, .string = "attributes.behind"}};
static const char *const move_keys[] = {"type", "from", "to"};
static const struct hf_value before = {
    .type = HF_VALUE_MAP, .keys = add_keys, .items = add_before, .count = 3};
static const struct hf_value of_user = {
    .type = HF_VALUE_MAP, .keys = move_keys, .items = move_keys_of_user, .count = 3};

static void take(struct hf_log_entries *entries, const char *body)
{
    struct hf_log_entry entry;
    enum hf_status status = hf_log_entries_begin(entries, 0, &entry);
    if (status == HF_OK) {
        entry.body = hf_expr_text(body);
        status = hf_log_entries_label(entries, &entry);
    }
    hf_log_entries_end(entries, &entry, status);
}

/* As JSON; free() it. NULL: there is no batch. */
static char *taken(struct hf_log_entries *entries)
{
    struct hf_bytes json = {0};
    struct hf_batch *batch = hf_log_entries_take(entries);
    if (batch == NULL) {
        return NULL;
    }
    assert_int_equal(hf_json_from_proto(HF_LOGS, batch->raw, &json), HF_OK);
    assert_int_equal(hf_bytes_append(&json, hf_slice_of("", 1)), HF_OK);
    hf_ref_drop(&batch->ref);
    return (char *)json.data;
}

static void entries_pass_labels_and_operators_into_batches(void **state)
{
    static const struct hf_string_pair attributes[] = {
        {"fixed", "a"}, {"computed", "is EXPR(body)"}, {"failing", "EXPR(1)"}};
    static const struct hf_string_pair resource[] = {{"of", "EXPR(\"all\")"}};
    const struct hf_log_entries_config config = {
        .attributes = {attributes, 3},
        .resource = {resource, 1},
        .operators = {.type = HF_VALUE_LIST, .items = &of_user, .count = 1}};
    struct hf_node node = {.lines = 0};
    const struct hf_log_entries_options options = {.node = &node,
                                                   .config = &config,
                                                   .before = &before,
                                                   .before_count = 1,
                                                   .build_bytes_max = 1 << 20};
    struct hf_log_entries entries;
    char why[HF_ERROR_MAX];
    (void)state;
    assert_int_equal(hf_log_entries_open(&entries, &options, why), HF_OK);
    assert_null(taken(&entries));
    take(&entries, "one");
    take(&entries, "two");
    char *json = taken(&entries);
    assert_non_null(json);
    assert_non_null(strstr(json, "\"key\":\"of\",\"value\":{\"stringValue\":\"all\"}"));
    assert_non_null(strstr(json, "\"key\":\"computed\",\"value\":{\"stringValue\":\"is one\"}"));
    assert_non_null(strstr(json, "\"key\":\"computed\",\"value\":{\"stringValue\":\"is two\"}"));
    assert_non_null(strstr(json, "\"key\":\"behind\",\"value\":{\"stringValue\":\"yes\"}"));
    assert_null(strstr(json, "failing"));
    assert_int_equal(node.lines, 1); /* once a minute, not for each entry */
    assert_non_null(strstr(node.last, "EXPR of a text gives a value that is no text"));
    assert_null(taken(&entries));
    free(json);
    hf_log_entries_close(&entries);
}

static void bad_configurations_are_named(void **state)
{
    static const struct hf_string_pair bad = {"k", "EXPR(1 +)"};
    static const struct hf_value text = {.type = HF_VALUE_STRING, .string = "text"};
    const struct {
        struct hf_log_entries_config config;
        const char *why;
    } cases[] = {{{.attributes = {&bad, 1}}, "attributes: k: EXPR: "},
                 {{.resource = {&bad, 1}}, "resource: k: EXPR: "},
                 {{.operators = text}, "operators: a list is expected"}};
    struct hf_node node = {.lines = 0};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct hf_log_entries_options options = {
            .node = &node, .config = &cases[i].config, .build_bytes_max = 1 << 20};
        struct hf_log_entries entries;
        char why[HF_ERROR_MAX] = "";
        assert_int_equal(hf_log_entries_open(&entries, &options, why), HF_INVALID);
        assert_non_null(strstr(why, cases[i].why));
        hf_log_entries_close(&entries);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_pass_labels_and_operators_into_batches),
        cmocka_unit_test(bad_configurations_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
