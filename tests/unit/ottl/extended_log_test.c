/* Blocks of the Extended Log Format become lists of maps. */
#include "run.h"

#define RUN_LOG                                                                                    \
    "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"stringValue\":\"x\"}}]}]}]}"

static void run_log_cases(const struct run_case *cases, size_t count)
{
    struct hf_ottl_source source = {
        .context = HF_PATH_LOG, .functions = HF_OTTL_EDITORS, .name = "conditions"};
    struct run_request request = {0};
    char error[HF_JSON_ERROR_MAX] = "";
    assert_int_equal(
        hf_json_to_proto(HF_LOGS, hf_slice_text(RUN_LOG), 1 << 20, &request.bytes, error), HF_OK);
    request.document =
        hf_document_borrow(HF_LOGS, hf_slice_of(request.bytes.data, request.bytes.size));
    assert_non_null(request.document);
    request.place.document = request.document;
    assert_true(hf_place_next_item(&request.place));
    run_cases_in(&source, &request, cases, count);
    run_close(&request);
}

#undef RUN_CASES
#define RUN_CASES(cases) run_log_cases(cases, sizeof(cases) / sizeof((cases)[0]))

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
