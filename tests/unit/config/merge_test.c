/* Lays one source on another as the Go collector does. */
#include "support.h"

/* The first source, as the loader takes it. */
static struct hf_yaml *first(struct step *step, const char *text)
{
    struct hf_yaml *nothing = step_parse(step, "");

    return hf_yaml_merge(&step->load, nothing, step_parse(step, text));
}

static void merges_maps_and_replaces_all_else(void **state)
{
    const struct {
        const char *base, *over, *tree;
    } cases[] = {
        {"a: 1", "b: 2", "{a: i:1, b: i:2}\n"},
        {"a: 1", "a: 2", "{a: i:2}\n"},
        {"a: {x: 1, y: {z: 1}}", "a: {y: {w: 2}}", "{a: {x: i:1, y: {z: i:1, w: i:2}}}\n"},
        {"a: [1, 2]", "a: [3]", "{a: [i:3]}\n"},
        {"a: {x: 1}", "a: [3]", "{a: [i:3]}\n"},
        {"a: [3]", "a: {x: 1}", "{a: {x: i:1}}\n"},
        {"a: {x: 1}", "a:", "{a: ~}\n"},
        {"a:", "a: {x: 1}", "{a: {x: i:1}}\n"},
        {"a: 1", "", "{a: i:1}\n"},
        {"", "a: 1", "{a: i:1}\n"},
        {"", "", "~\n"},
        {"a: {}", "a: {}", "{a: {}}\n"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct step step;
        step_begin(&step);
        struct hf_yaml *base = first(&step, cases[i].base);
        step_end(&step, hf_yaml_merge(&step.load, base, step_parse(&step, cases[i].over)),
                 cases[i].tree);
    }
}

static void takes_keys_with_double_colons_apart(void **state)
{
    const struct {
        const char *base, *over, *tree;
    } cases[] = {
        {"", "a::b::c: 1", "{a: {b: {c: i:1}}}\n"},
        {"", "a: {b::c: 1, b: {d: 2}}", "{a: {b: {c: i:1, d: i:2}}}\n"},
        {"a: {b: {c: 1}}", "a::b::d: 2", "{a: {b: {c: i:1, d: i:2}}}\n"},
        {"a::b: 1", "a: {c: 2}", "{a: {b: i:1, c: i:2}}\n"},
        {"a: 1", "a::b: 2", "{a: {b: i:2}}\n"},
        {"", "a::b: {c::d: 1}", "{a: {b: {c: {d: i:1}}}}\n"},
        {"", "a: [{b::c: 1}]", "{a: [{b::c: i:1}]}\n"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct step step;
        step_begin(&step);
        struct hf_yaml *base = first(&step, cases[i].base);
        step_end(&step, hf_yaml_merge(&step.load, base, step_parse(&step, cases[i].over)),
                 cases[i].tree);
    }
}

static void refuses_keys_that_nest_deeper_than_the_limit(void **state)
{
    struct step step;
    char text[512] = "a";
    (void)state;

    for (size_t i = 0; i < 70; i++) {
        memcpy(text + 1 + i * 3, "::a", 3);
    }
    memcpy(text + 1 + 70 * 3, ": 1", 4);
    step_begin(&step);
    struct hf_yaml *base = step_parse(&step, "");
    assert_null(hf_yaml_merge(&step.load, base, step_parse(&step, text)));
    step_end(&step, NULL, "E f:1:1: nested deeper than 64 levels\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_maps_and_replaces_all_else),
        cmocka_unit_test(takes_keys_with_double_colons_apart),
        cmocka_unit_test(refuses_keys_that_nest_deeper_than_the_limit),
    };
    return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
