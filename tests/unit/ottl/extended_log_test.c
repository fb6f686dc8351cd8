/* Blocks of the Extended Log Format become lists of maps. */
#include "run_log.h"

static void reads_blocks(void **state)
{
    static const struct run_case cases[] = {
        {"ParseELF(\"#Version: 1.0\\n#Fields: a b\\n1 \\\"x \\\"\\\"y\\\"\\\"\\\"\\n2\") == "
         "{\"elf.version\": \"1.0\", \"elf.entries\": [{\"a\": \"1\", \"b\": \"x \\\"y\\\"\"}, "
         "{\"a\": \"2\", \"b\": \"-\"}], \"elf.fields\": [\"a\", \"b\"]}",
         HF_OTTL_TRUE},
        {"ParseELF(\"#VERSION: 1\\r\\n#Date: d\\r\\n#fields: a\\r\\n1 2\")[\"elf.entries\"] == "
         "[{\"a\": \"1\"}]",
         HF_OTTL_TRUE},
    };
    (void)state;
    RUN_CASES(cases);
}

static void refuses_bad_blocks(void **state)
{
    static const struct run_case cases[] = {
        {"ParseELF(\"#Version: 1.0\\n1\") == {}", HF_OTTL_ERROR},
        {"ParseELF(\"#Fields: a\\n1\") == {}", HF_OTTL_ERROR},
        {"ParseELF(\"#Version: 1.0\\n#Fields a\") == {}", HF_OTTL_ERROR},
        {"ParseELF(\"#Version: 1.0\\n#Fields: a\\n\\\"open\") == {}", HF_OTTL_ERROR},
        {"ParseELF(\"\") == {}", HF_OTTL_ERROR},
    };
    (void)state;
    RUN_CASES(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_blocks),
        cmocka_unit_test(refuses_bad_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
