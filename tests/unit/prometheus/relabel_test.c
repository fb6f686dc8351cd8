/* What each action does to labels, and which rules are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "prometheus/relabel.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SOURCES(...)                                                                               \
    {                                                                                              \
        .items = (const char *const[]){__VA_ARGS__},                                               \
        .count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)                 \
    }

/* "a=1 b=2", sorted; "-" when dropped. */
static void run(const struct hf_relabel_config *rules, size_t count, char *out, size_t room)
{
    static struct hf_prom_labels labels;
    static const struct hf_prom_label start[] = {
        {{(const uint8_t *)"a", 1}, {(const uint8_t *)"foo", 3}},
        {{(const uint8_t *)"b", 1}, {(const uint8_t *)"bar:80", 6}},
        {{(const uint8_t *)"__meta_x", 8}, {(const uint8_t *)"Yes", 3}},
    };
    struct hf_arena arena = {.limit = 1u << 20};
    struct hf_relabel *made = NULL;
    char why[HF_RELABEL_ERROR_MAX];
    const struct hf_struct_list list = {.items = rules, .count = count};
    assert_int_equal(hf_relabel_new(&list, &made, why), HF_OK);
    memcpy(labels.items, start, sizeof(start));
    labels.count = COUNT(start);
    enum hf_relabel_verdict verdict = hf_relabel_apply(made, &labels, &arena);
    assert_int_not_equal(verdict, HF_RELABEL_NO_MEMORY);
    snprintf(out, room, "-");
    if (verdict == HF_RELABEL_KEPT) {
        size_t size = 0;
        qsort(labels.items, labels.count, sizeof(labels.items[0]), hf_slice_order);
        out[0] = '\0';
        for (size_t i = 0; i < labels.count; i++) {
            size += (size_t)snprintf(
                out + size, room - size, "%s%.*s=%.*s", i != 0 ? " " : "",
                (int)labels.items[i].name.size, (const char *)labels.items[i].name.data,
                (int)labels.items[i].value.size, (const char *)labels.items[i].value.data);
        }
    }
    hf_relabel_free(made);
    hf_arena_release(&arena);
}

#define SAME "__meta_x=Yes a=foo b=bar:80"

static void each_action_does_what_prometheus_does(void **state)
{
    (void)state;
    const struct {
        struct hf_relabel_config rule;
        const char *expected;
    } cases[] = {
        {{SOURCES("a"), .target_label = "c"}, "__meta_x=Yes a=foo b=bar:80 c=foo"},
        {{SOURCES("a", "b"), .target_label = "c"}, "__meta_x=Yes a=foo b=bar:80 c=foo;bar:80"},
        {{SOURCES("a", "b"), .separator = "", .target_label = "c"},
         "__meta_x=Yes a=foo b=bar:80 c=foobar:80"},
        {{SOURCES("b"), .regex = "([^:]+):(\\d+)", .replacement = "$1:9${2}", .target_label = "b"},
         "__meta_x=Yes a=foo b=bar:980"},
        {{SOURCES("b"), .regex = "(?P<host>[^:]+):.*", .replacement = "${host}x$$$nope-",
          .target_label = "c"},
         "__meta_x=Yes a=foo b=bar:80 c=barx$-"},
        {{SOURCES("a"), .regex = "fo", .replacement = "x", .target_label = "c"}, SAME},
        {{SOURCES("a"), .regex = "f(o)(o)", .replacement = "$1", .target_label = "l_$2"},
         "__meta_x=Yes a=foo b=bar:80 l_o=o"},
        {{.replacement = "fixed", .target_label = "c"}, "__meta_x=Yes a=foo b=bar:80 c=fixed"},
        {{SOURCES("none"), .target_label = "a"}, "__meta_x=Yes b=bar:80"},
        {{SOURCES("a"), .regex = "f.*", .action = HF_RELABEL_KEEP}, SAME},
        {{SOURCES("a"), .regex = "o+", .action = HF_RELABEL_KEEP}, "-"},
        {{SOURCES("none"), .regex = ".+", .action = HF_RELABEL_KEEP}, "-"},
        {{SOURCES("a"), .regex = "foo|bar", .action = HF_RELABEL_DROP}, "-"},
        {{SOURCES("a"), .regex = "o", .action = HF_RELABEL_DROP}, SAME},
        {{SOURCES("a"), .target_label = "b", .action = HF_RELABEL_KEEP_EQUAL}, "-"},
        {{SOURCES("a"), .target_label = "a", .action = HF_RELABEL_KEEP_EQUAL}, SAME},
        {{SOURCES("a"), .target_label = "a", .action = HF_RELABEL_DROP_EQUAL}, "-"},
        {{SOURCES("a"), .target_label = "m", .modulus = 1000, .action = HF_RELABEL_HASHMOD},
         "__meta_x=Yes a=foo b=bar:80 m=696"},
        {{.regex = "__meta_(.+)", .action = HF_RELABEL_LABELMAP},
         "__meta_x=Yes a=foo b=bar:80 x=Yes"},
        {{.regex = "__meta_(.+)", .replacement = "m_$1", .action = HF_RELABEL_LABELMAP},
         "__meta_x=Yes a=foo b=bar:80 m_x=Yes"},
        {{.regex = "__meta_.*|a", .action = HF_RELABEL_LABELDROP}, "b=bar:80"},
        {{.regex = "a|b", .action = HF_RELABEL_LABELKEEP}, "a=foo b=bar:80"},
        {{SOURCES("__meta_x"), .target_label = "c", .action = HF_RELABEL_LOWERCASE},
         "__meta_x=Yes a=foo b=bar:80 c=yes"},
        {{SOURCES("__meta_x"), .target_label = "c", .action = HF_RELABEL_UPPERCASE},
         "__meta_x=Yes a=foo b=bar:80 c=YES"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[512];
        run(&cases[i].rule, 1, out, sizeof(out));
        assert_string_equal(out, cases[i].expected);
    }
}

static void the_case_changes_of_letters_that_are_not_ascii(void **state)
{
    (void)state;
    char out[512];
    const struct hf_relabel_config rules[] = {
        {.replacement = "Ünï\xff", .target_label = "a"},
        {SOURCES("a"), .target_label = "b", .action = HF_RELABEL_LOWERCASE},
        {SOURCES("a"), .target_label = "__meta_x", .action = HF_RELABEL_UPPERCASE},
    };
    run(rules, COUNT(rules), out, sizeof(out));
    assert_string_equal(out, "__meta_x=ÜNÏ\ufffd a=Ünï\xff b=ünï\ufffd");
}

static void rules_follow_one_another_until_one_drops(void **state)
{
    (void)state;
    char out[512];
    const struct hf_relabel_config rules[] = {
        {SOURCES("a"), .target_label = "c"},
        {SOURCES("c"), .regex = "foo", .replacement = "done", .target_label = "d"},
        {.regex = "c", .action = HF_RELABEL_LABELDROP},
        {SOURCES("d"), .regex = "done", .action = HF_RELABEL_DROP},
        {.replacement = "never", .target_label = "e"},
    };
    run(rules, 3, out, sizeof(out));
    assert_string_equal(out, "__meta_x=Yes a=foo b=bar:80 d=done");
    run(rules, 5, out, sizeof(out));
    assert_string_equal(out, "-");
}

static void rules_without_sense_are_refused(void **state)
{
    (void)state;
    const struct {
        struct hf_relabel_config rule;
        const char *about;
    } cases[] = {
        {{SOURCES("a"), .target_label = NULL}, "target_label"},
        {{SOURCES("a"), .target_label = "b", .action = HF_RELABEL_HASHMOD}, "modulus"},
        {{SOURCES("a"), .target_label = "b", .replacement = "x", .action = HF_RELABEL_UPPERCASE},
         "replacement"},
        {{SOURCES("a"), .target_label = "b", .regex = "x", .action = HF_RELABEL_KEEP_EQUAL},
         "keepequal"},
        {{SOURCES("a"), .regex = "b", .action = HF_RELABEL_LABELDROP}, "labeldrop"},
        {{SOURCES("a"), .regex = "(", .target_label = "b"}, "regex"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hf_relabel *made = NULL;
        char why[HF_RELABEL_ERROR_MAX];
        const struct hf_struct_list list = {.items = &cases[i].rule, .count = 1};
        assert_int_equal(hf_relabel_new(&list, &made, why), HF_INVALID);
        assert_non_null(strstr(why, cases[i].about));
    }
}

static void no_memory_is_told(void **state)
{
    (void)state;
    static struct hf_prom_labels labels;
    struct hf_arena arena = {.limit = 1};
    struct hf_relabel *made = NULL;
    char why[HF_RELABEL_ERROR_MAX];
    const struct hf_relabel_config rule = {SOURCES("a", "b"), .target_label = "c"};
    const struct hf_struct_list list = {.items = &rule, .count = 1};
    assert_int_equal(hf_relabel_new(&list, &made, why), HF_OK);
    labels.count = 0;
    assert_int_equal(hf_relabel_apply(made, &labels, &arena), HF_RELABEL_NO_MEMORY);
    hf_relabel_free(made);
    hf_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_action_does_what_prometheus_does),
        cmocka_unit_test(the_case_changes_of_letters_that_are_not_ascii),
        cmocka_unit_test(rules_follow_one_another_until_one_drops),
        cmocka_unit_test(rules_without_sense_are_refused),
        cmocka_unit_test(no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
