/* Lambdas go over lists and maps, see the parameters around them, and say what is wrong. */
#include "run.h"

static void applies_lambdas(void **state)
{
    static const struct run_case cases[] = {
        {"All(attributes[\"l\"], (i, v) => i < 2)", HF_OTTL_TRUE},
        {"All(attributes[\"l\"], (i, v) => v == 1)", HF_OTTL_FALSE},
        {"All([], (i, v) => false)", HF_OTTL_TRUE},
        {"Any(attributes[\"l\"], (i, v) => v == \"two\")", HF_OTTL_TRUE},
        {"Any(attributes, (k, v) => k == \"s\" and v == \"text\")", HF_OTTL_TRUE},
        {"Any(attributes, (k, _) => k == \"none\")", HF_OTTL_FALSE},
        {"Filter(attributes[\"l\"], (i, v) => IsString(v)) == [\"two\"]", HF_OTTL_TRUE},
        {"Len(Filter(attributes, (k, v) => IsInt(v))) == 1", HF_OTTL_TRUE},
        {"Find([1, 2, 3], (i, v) => v > 1) == 2", HF_OTTL_TRUE},
        {"Find([1, 2, 3], (i, v) => v > 1, (i, v) => i + v * 10) == 21", HF_OTTL_TRUE},
        {"Find([1], (i, v) => v > 1) == nil", HF_OTTL_TRUE},
        {"MapEach([1, 2], (i, v) => v * 2) == [2, 4]", HF_OTTL_TRUE},
        {"MapEach({\"a\": 1}, (k, v) => k) == {\"a\": \"a\"}", HF_OTTL_TRUE},
        {"MapKeys({\"a\": 1, \"b\": 2}, (k, v) => ToUpperCase(k)) == {\"A\": 1, \"B\": 2}",
         HF_OTTL_TRUE},
        {"MapKeys({\"a\": 1, \"b\": 2}, (k, v) => \"x\") == {\"x\": 2}", HF_OTTL_TRUE},
        {"Reduce([1, 2, 3], 10, (sum, i, v) => sum + v) == 16", HF_OTTL_TRUE},
        {"Reduce([], \"seed\", (sum, i, v) => sum) == \"seed\"", HF_OTTL_TRUE},
        {"When(() => name == \"GET /\", 1, attributes[\"n\"] / 0) == 1", HF_OTTL_TRUE},
        {"When(() => name == \"x\", attributes[\"n\"] / 0, 2) == 2", HF_OTTL_TRUE},
        {"Any([[1, 2], [3]], (i, v) => Any(v, (j, w) => w == 2 and i == 0))", HF_OTTL_TRUE},
        {"MapEach([{\"n\": 1}], (i, v) => v[\"n\"]) == [1]", HF_OTTL_TRUE},
        {"Filter([1, 2], (i, name) => name == 2) == [2]", HF_OTTL_TRUE},
    };
    (void)state;
    RUN_CASES(cases);
}

static void fails_where_a_lambda_does_not_fit(void **state)
{
    static const struct run_case cases[] = {
        {"Any(attributes[\"s\"], (i, v) => true)", HF_OTTL_ERROR},
        {"Any(attributes[\"none\"], (i, v) => true)", HF_OTTL_ERROR},
        {"Any([1], (i, v) => v)", HF_OTTL_ERROR},
        {"MapEach([1], (i, v) => nil) == []", HF_OTTL_ERROR},
        {"MapEach([1], (i, v) => v / 0) == []", HF_OTTL_ERROR},
        {"MapKeys({\"a\": 1}, (k, v) => 5) == {}", HF_OTTL_ERROR},
        {"MapEach([{}], (i, v) => v[\"n\"]) == []", HF_OTTL_ERROR},
        {"When(() => 5, 1, 2) == 1", HF_OTTL_ERROR},
    };
    (void)state;
    RUN_CASES(cases);
}

static void refuses_what_is_no_lambda(void **state)
{
    static const struct run_refusal cases[] = {
        {"Any([1], (i) => true)", "has 2 parameters here, and not 1"},
        {"Reduce([1], 0, (a, b) => a) == 1", "has 3 parameters here"},
        {"When((a) => true, 1, 2) == 1", "has 0 parameters"},
        {"Any([1], true)", "a lambda: (name, name) => value"},
        {"Any([1], (i, v) => (j, w) => true)", "no lambda itself"},
        {"Any([1], (i, v) => u == 1)", "is not a valid path"},
        {"Concat([(i, v) => true], \"\") == \"\"", "a lambda is no value of its own"},
        {"Any([1], (a, b, c, d, e, f, g, h, i) => true)", "fewer parameters"},
        {"Find([1], (i, v) => true, (i) => i) == 1", "has 2 parameters here"},
    };
    (void)state;
    RUN_REFUSALS(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(applies_lambdas),
        cmocka_unit_test(fails_where_a_lambda_does_not_fit),
        cmocka_unit_test(refuses_what_is_no_lambda),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
