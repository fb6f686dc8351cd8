/* Queries in JSON keep their keys and lose their values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "components/processors/redaction/json_query.h"

static const struct {
    const char *text, *masked; /* NULL: refused */
} cases[] = {
    {"{\"a\": 1, \"b\": [true, \"x\"]}", "{\"a\":\"?\",\"b\":[\"?\",\"?\"]}"},
    {"{}", "{}"},
    {"[ ]", "[]"},
    {"[[],{\"a\":{}}]", "[[],{\"a\":{}}]"},
    {"\"x\"", "\"?\""},
    {"-1.5e+3", "\"?\""},
    {"null", "\"?\""},
    {"[info] text", NULL},
    {"{\"a\":", NULL},
    {"{\"a\" 1}", NULL},
    {"{a:1}", NULL},
    {"[1,]", NULL},
    {"01", NULL},
    {"1.", NULL},
    {"\"open", NULL},
    {"{\"a\":1} x", NULL},
    {"", NULL},
    {"{\"a\":1}}", NULL},
    {"[1}", NULL},
};

static void masks_queries(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_bytes out = {0};
        enum hf_status status = hf_json_query_mask(hf_slice_text(cases[i].text), &out);
        assert_int_equal(status, cases[i].masked != NULL ? HF_OK : HF_INVALID);
        struct hf_slice made = hf_slice_of(out.data, out.size);
        if (cases[i].masked != NULL && !hf_slice_is(made, cases[i].masked)) {
            fail_msg("%s: %.*s", cases[i].text, (int)made.size, (const char *)made.data);
        }
        hf_bytes_release(&out);
    }
}

static void hides_what_is_too_deep(void **state)
{
    struct hf_bytes text = {0}, out = {0};
    (void)state;
    for (size_t i = 0; i < 2000; i++) {
        assert_int_equal(hf_bytes_append(&text, hf_slice_text("[")), HF_OK);
    }
    assert_int_equal(hf_json_query_mask(hf_slice_of(text.data, text.size), &out), HF_OK);
    assert_true(hf_slice_is(hf_slice_of(out.data, out.size), "\"?\""));
    hf_bytes_release(&text);
    hf_bytes_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_queries),
        cmocka_unit_test(hides_what_is_too_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
