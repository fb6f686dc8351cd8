/* The parameters of a request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "components/extensions/console/request.h"

static void reads_forms(void **state)
{
    static const struct {
        const char *form, *name, *value;
    } rows[] = {
        {"a=1&b=2", "b", "2"},   {"a=1&a=2", "a", "1"},         {"a", "a", ""},
        {"a=", "a", ""},         {"&&a=1&", "a", "1"},          {"a=b+c%20d%2Fe", "a", "b c d/e"},
        {"a%3Db=c", "a=b", "c"}, {"a=%C3%BC", "a", "\xc3\xbc"}, {"", "a", NULL},
        {"a=1=2", "a", "1=2"},   {"a=%0d%0ax", "a", "\r\nx"}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_console_request *request = hf_console_request_new(NULL);
        assert_int_equal(hf_console_read_form(request, hf_slice_text(rows[i].form)), HF_OK);
        const char *value = hf_console_parameter(request, rows[i].name);
        if (rows[i].value == NULL) {
            assert_null(value);
        } else {
            assert_string_equal(value, rows[i].value);
        }
        hf_console_request_free(request);
    }
}

static void refuses_broken_forms(void **state)
{
    static const char *const forms[] = {"a=%", "a=%4", "a=%zz", "a=%4z", "a=%00", "%00=a"};
    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct hf_console_request *request = hf_console_request_new(NULL);
        if (hf_console_read_form(request, hf_slice_text(forms[i])) != HF_INVALID) {
            fail_msg("%s", forms[i]);
        }
        hf_console_request_free(request);
    }
    struct hf_console_request *request = hf_console_request_new(NULL);
    assert_int_equal(hf_console_read_form(request, hf_slice_of("a=b\0c", 5)), HF_INVALID);
    hf_console_request_free(request);
}

static void has_limits(void **state)
{
    struct hf_console_request *request = hf_console_request_new(NULL);
    (void)state;
    for (size_t i = 0; i < HF_CONSOLE_PARAMETERS_MAX; i++) {
        assert_int_equal(hf_console_add_parameter(request, "seq", "1"), HF_OK);
    }
    assert_int_equal(hf_console_add_parameter(request, "seq", "1"), HF_TOO_LARGE);
    assert_int_equal(hf_console_read_form(request, hf_slice_text("a=1")), HF_TOO_LARGE);
    hf_console_request_free(request);
}

static void reads_numbers(void **state)
{
    static const struct {
        const char *text;
        uint64_t number;
    } rows[] = {{"0", 0},
                {"17", 17},
                {"", 5},
                {"-1", 5},
                {"1x", 5},
                {" 1", 5},
                {"99999999999999999999", 5},
                {"9999999999999999999", UINT64_C(9999999999999999999)}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_console_request *request = hf_console_request_new(NULL);
        assert_int_equal(hf_console_add_parameter(request, "n", rows[i].text), HF_OK);
        assert_true(hf_console_number(request, "n", 5) == rows[i].number);
        assert_string_equal(hf_console_parameter_or(request, "n", "preset"),
                            rows[i].text[0] != '\0' ? rows[i].text : "preset");
        assert_true(hf_console_number(request, "other", 5) == 5);
        hf_console_request_free(request);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_forms),
        cmocka_unit_test(refuses_broken_forms),
        cmocka_unit_test(has_limits),
        cmocka_unit_test(reads_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
