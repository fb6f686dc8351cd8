/* The codes of exceptions, and what each means for the records. */
#include "components/exporters/clickhouse/ch_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

static void the_code_comes_from_the_header_or_the_body(void **state)
{
    static const struct {
        const char *header, *body;
        int code;
    } cases[] = {
        {"60", "Code: 81. DB::Exception", 60},
        {NULL, "Code: 81. DB::Exception: no", 81},
        {NULL, "so it ends. Code: 241", 241},
        {NULL, "Code: ", 0},
        {NULL, "Code: x", 0},
        {NULL, "", 0},
        {"", "", 0},
        {"-5", "", 0},
        {"99999999999999999999", "", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(ch_answer_code(cases[i].header, hf_slice_text(cases[i].body)),
                         cases[i].code);
    }
}

static void each_code_says_what_is_to_be_done(void **state)
{
    static const struct {
        int code;
        const char *text;
        enum hf_status status;
    } cases[] = {
        {27, "Cannot parse input", HF_TOO_LARGE},
        {407, "Decimal math overflow", HF_TOO_LARGE},
        {307, "Limit for rows or bytes to read exceeded", HF_TOO_LARGE},
        {60, "", HF_NOT_FOUND},
        {62, "Syntax error", HF_FORBIDDEN},
        {516, "", HF_UNAUTHENTICATED},
        {252, "Too many parts (300)", HF_BUSY},
        {252, "Too many partitions for single INSERT block (more than 100)", HF_TOO_LARGE},
        {241, "Memory limit (total) exceeded: would use 9 GiB", HF_BUSY},
        {241, "Memory limit (for query) exceeded: would use 9 GiB", HF_TOO_LARGE},
        {242, "Table is in readonly mode", HF_AGAIN},
    };
    struct ch_verdict verdict;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(ch_answer_verdict(cases[i].code, hf_slice_text(cases[i].text), &verdict));
        assert_int_equal(verdict.status, cases[i].status);
    }
    assert_false(ch_answer_verdict(0, HF_EMPTY_SLICE, &verdict));
    assert_false(ch_answer_verdict(1001, hf_slice_text("std::exception"), &verdict));
}

/* A bad row is halved out of its request, whatever its code. */
static void no_code_loses_a_record_at_once(void **state)
{
    const int codes_max = 2000;
    (void)state;
    for (int code = 0; code < codes_max; code++) {
        struct ch_verdict verdict = {HF_AGAIN, false};
        if (ch_answer_verdict(code, HF_EMPTY_SLICE, &verdict)) {
            assert_int_not_equal(verdict.status, HF_INVALID); /* which would not be halved */
            assert_int_not_equal(verdict.status, HF_OK);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_code_comes_from_the_header_or_the_body),
        cmocka_unit_test(each_code_says_what_is_to_be_done),
        cmocka_unit_test(no_code_loses_a_record_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
