/* Names and attributes that rules make of paths. */
#include "components/receivers/carbon/carbon_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/component.h>

static const struct hf_string_pair pair = {"k", "v"};

static const struct carbon_rule_config configs[] = {
    {.pattern = "(?P<key_svc>[^.]+)\\.(?P<key_host>[^.]+)\\.cpu\\.seconds",
     .name_prefix = "cpu_seconds",
     .labels = {&pair, 1}},
    {.pattern = "^(?P<name_1>[^.]+)\\.(?P<name_0>[^.]+)\\.count$", .type = 1},
    {.pattern = "^bare\\."},
};

static void the_first_rule_that_matches_counts(void **state)
{
    static const struct {
        const char *path, *seen;
        bool cumulative;
    } cases[] = {
        {"shop.h1.cpu.seconds", "cpu_seconds svc=shop host=h1 k=v", false},
        {"one.two.count", "-two-one", true},
        {"bare.x;t=v", "bare.x;t=v", false},
        {"other;t=v", "other t=v", false},
        {";t=v", "a path without a name", false},
    };
    const struct hf_struct_list list = {configs, sizeof(configs) / sizeof(configs[0])};
    struct carbon_rules rules;
    struct hf_bytes room = {0};
    char why[HF_ERROR_MAX];
    (void)state;
    assert_int_equal(carbon_rules_init(&rules, &list, "-", why), HF_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_carbon_path path;
        bool cumulative;
        char seen[256];
        const char *wrong =
            carbon_rules_apply(&rules, hf_slice_text(cases[i].path), &room, &path, &cumulative);
        if (wrong != NULL) {
            assert_string_equal(wrong, cases[i].seen);
            continue;
        }
        snprintf(seen, sizeof(seen), "%.*s", (int)path.name.size, (const char *)path.name.data);
        for (size_t k = 0; k < path.tag_count; k++) {
            snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), " %.*s=%.*s",
                     (int)path.tags[k].key.size, (const char *)path.tags[k].key.data,
                     (int)path.tags[k].value.size, (const char *)path.tags[k].value.data);
        }
        assert_string_equal(seen, cases[i].seen);
        assert_int_equal(cumulative, cases[i].cumulative);
    }
    hf_bytes_release(&room);
    carbon_rules_release(&rules);
}

static void bad_rules_are_named(void **state)
{
    static const struct {
        struct carbon_rule_config config;
        const char *why;
    } cases[] = {{{.pattern = "("}, "parser::config::rules: regexp: "},
                 {{.pattern = "(?P<other>a)"}, "begins with neither name_ nor key_"}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct hf_struct_list list = {&cases[i].config, 1};
        struct carbon_rules rules;
        char why[HF_ERROR_MAX] = "";
        assert_int_equal(carbon_rules_init(&rules, &list, "", why), HF_INVALID);
        assert_non_null(strstr(why, cases[i].why));
        carbon_rules_release(&rules);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_rule_that_matches_counts),
        cmocka_unit_test(bad_rules_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
