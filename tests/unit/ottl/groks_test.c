/* ExtractGrokPatterns makes maps of texts by named patterns. */
#include "run.h"

static void extracts_named_parts(void **state)
{
    static const struct run_case cases[] = {
        {"ExtractGrokPatterns(\"10.1.2.3 GET 200\", \"%{IP:client.ip} %{WORD:method} "
         "%{INT:status:int}\", true) == {\"client.ip\": \"10.1.2.3\", \"method\": \"GET\", "
         "\"status\": 200}",
         HF_OTTL_TRUE},
        {"ExtractGrokPatterns(\"5\", \"%{INT}\") == {\"INT\": \"5\"}", HF_OTTL_TRUE},
        {"ExtractGrokPatterns(\"x\", \"%{INT:n}\", true) == {}", HF_OTTL_TRUE},
        {"ExtractGrokPatterns(\"1.5 true\", \"%{NUMBER:n:float} %{BOOL:b:boolean}\", true) == "
         "{\"n\": 1.5, \"b\": true}",
         HF_OTTL_TRUE},
        {"ExtractGrokPatterns(\"ab12\", \"%{OUTER:o}\", true, [\"OUTER=ab%{INNER:i:int}\", "
         "\"INNER=\\\\d+\"]) == {\"o\": \"ab12\", \"i\": 12}",
         HF_OTTL_TRUE},
        {"ExtractGrokPatterns(\"k\", \"(?P<a___b>k)\", true) == {\"a.b\": \"k\"}", HF_OTTL_TRUE},
        {"ExtractGrokPatterns(\"fe80::1\", \"^%{IPV6:ip}$\", true)[\"ip\"] == \"fe80::1\"",
         HF_OTTL_TRUE},
        {"ExtractGrokPatterns(name, Concat([\"%{WORD:m\", \"}\"], \"\"), true)[\"m\"] == \"GET\"",
         HF_OTTL_TRUE},
    };
    (void)state;
    RUN_CASES(cases);
}

static void fails_where_a_value_does_not_fit(void **state)
{
    static const struct run_case cases[] = {
        {"ExtractGrokPatterns(\"1.5\", \"%{NUMBER:n:int}\", true) == {}", HF_OTTL_ERROR},
        {"ExtractGrokPatterns(\"5\", \"%{INT:n:text}\", true) == {}", HF_OTTL_ERROR},
        {"ExtractGrokPatterns(attributes[\"n\"], \"%{INT:n}\", true) == {}", HF_OTTL_ERROR},
        {"ExtractGrokPatterns(\"5\", Concat([name, \"%{NOPE:m}\"], \"\"), true) == {}",
         HF_OTTL_ERROR},
    };
    (void)state;
    RUN_CASES(cases);
}

static void refuses_bad_patterns(void **state)
{
    static const struct run_refusal cases[] = {
        {"ExtractGrokPatterns(\"x\", \"%{NOPE:a}\") == {}", "pattern definition \"NOPE\" unknown"},
        {"ExtractGrokPatterns(\"x\", \"%{A}\", true, [\"A=%{A}\"]) == {}", "refers to itself"},
        {"ExtractGrokPatterns(\"x\", \"%{A:a}\", true, [\"A=((\"]) == {}", "the pattern: "},
        {"ExtractGrokPatterns(\"x\", \"x\", true) == {}", "at least 1 named capture group"},
        {"ExtractGrokPatterns(\"x\", \"%{A}\", true, [\"A\"]) == {}", "has the form"},
        {"ExtractGrokPatterns(\"x\", \"%{A}\", true, [\"A:B=x\"]) == {}", "has no ':'"},
        {"ExtractGrokPatterns(\"x\", \"%{WORD:a+b}\") == {}", "no name for a captured part"},
    };
    (void)state;
    RUN_REFUSALS(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extracts_named_parts),
        cmocka_unit_test(fails_where_a_value_does_not_fit),
        cmocka_unit_test(refuses_bad_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
