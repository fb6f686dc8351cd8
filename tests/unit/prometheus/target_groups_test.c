/* Lists of targets as file_sd and http_sd have them, and what is no such list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "prometheus/target_groups.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef enum hf_status reader(struct hf_slice text, struct hf_arena *arena,
                              struct hf_target_group **ret_groups, size_t *ret_count, char *reterr);

static enum hf_status run(reader *read, const char *text, char *out, size_t room)
{
    struct hf_arena arena = {.limit = 1u << 20};
    struct hf_target_group *groups = NULL;
    size_t count = 0, size = 0;
    enum hf_status status = read(hf_slice_text(text), &arena, &groups, &count, out);
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        for (size_t k = 0; k < groups[i].target_count; k++) {
            memcpy(out + size, groups[i].targets[k].data, groups[i].targets[k].size);
            size += groups[i].targets[k].size;
            out[size++] = ' ';
        }
        for (size_t k = 0; k < groups[i].label_count; k++) {
            memcpy(out + size, groups[i].labels[k].name.data, groups[i].labels[k].name.size);
            size += groups[i].labels[k].name.size;
            out[size++] = '=';
            memcpy(out + size, groups[i].labels[k].value.data, groups[i].labels[k].value.size);
            size += groups[i].labels[k].value.size;
        }
        out[size++] = '|';
    }
    assert_true(size < room);
    if (status == HF_OK) {
        out[size] = '\0';
    }
    hf_arena_release(&arena);
    return status;
}

static void lists_are_read(void **state)
{
    (void)state;
    static const struct {
        reader *read;
        const char *text, *expected;
    } cases[] = {
        {hf_target_groups_read_json, "[]", ""},
        {hf_target_groups_read_json,
         "[{\"targets\":[\"a:1\",\"b:2\"],\"labels\":{\"x\":\"y\"}},{\"targets\":null}]",
         "a:1 b:2 x=y||"},
        {hf_target_groups_read_yaml, "", ""},
        {hf_target_groups_read_yaml, "- targets: ['a:1', b:2]\n  labels: {x: 1}\n- targets:\n",
         "a:1 b:2 x=1||"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[HF_TARGET_GROUPS_ERROR_MAX];
        assert_int_equal(run(cases[i].read, cases[i].text, out, sizeof(out)), HF_OK);
        assert_string_equal(out, cases[i].expected);
    }
}

static void what_is_no_list_is_refused(void **state)
{
    (void)state;
    static const struct {
        reader *read;
        const char *text, *about;
    } cases[] = {
        {hf_target_groups_read_json, "[{", "no JSON"},
        {hf_target_groups_read_json, "{}", "list of target groups"},
        {hf_target_groups_read_json, "[1]", "map of targets"},
        {hf_target_groups_read_json, "[{\"targets\":[1]}]", "list of texts"},
        {hf_target_groups_read_json, "[{\"targets\":\"a:1\"}]", "list of texts"},
        {hf_target_groups_read_json, "[{\"labels\":{\"a\":1}}]", "map of texts"},
        {hf_target_groups_read_yaml, "[{", "no YAML"},
        {hf_target_groups_read_yaml, "- labels: [a]\n", "map of texts"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[HF_TARGET_GROUPS_ERROR_MAX] = "";
        assert_int_equal(run(cases[i].read, cases[i].text, out, sizeof(out)), HF_INVALID);
        assert_non_null(strstr(out, cases[i].about));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(what_is_no_list_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
