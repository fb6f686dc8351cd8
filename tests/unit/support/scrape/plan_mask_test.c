/* Plans keep their shape and lose their values. */
#include "support/scrape/plan_mask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/scrape/sql_mask.h"

static const char *const kept[] = {"Plan Rows", "kept", "block", NULL};
static const char *const masked[] = {"Filter", "ranges", NULL};
static const struct hf_plan_keys keys = {.kept = kept, .masked = masked, .flags = HF_SQL_BARE};

static const struct {
    const char *plan, *made; /* NULL: refused */
} cases[] = {
    {"[ { \"Plan\" : {\n\"Plan Rows\": 1.50e+3, \"Other\": 7 } } ]",
     "[{\"Plan\":{\"Plan Rows\":1.50e+3,\"Other\":\"?\"}}]"},
    {"{\"Filter\":\"(name = 'hidden'::text)\"}", "{\"Filter\":\"(name = ?::text)\"}"},
    {"{\"Filter\":\"\\\"T\\\" = \\\"c\\\\d\\\"\\n OR 5\"}",
     "{\"Filter\":\"\\\"T\\\" = \\\"c\\\\d\\\" OR ?\"}"},
    {"{\"Filter\":\"n = \\u0027hidden\\u0027 OR \\u00e4\"}", "{\"Filter\":\"n = ? OR ?\"}"},
    {"{\"kept\":{\"a\":[\"x\",1],\"b\":{\"c\":null}},\"d\":\"x\"}",
     "{\"kept\":{\"a\":[\"x\",1],\"b\":{\"c\":null}},\"d\":\"?\"}"},
    {"{\"block\":{\"Filter\":\"a = 1\",\"ranges\":[\"a < 5\",{\"x\":\"7\"}],\"y\":8}}",
     "{\"block\":{\"Filter\":\"a = ?\",\"ranges\":[\"a < ?\",{\"x\":\"?\"}],\"y\":8}}"},
    {"{\"Filter\":{\"kept\":3,\"z\":true}}", "{\"Filter\":{\"kept\":3,\"z\":\"?\"}}"},
    {"[1,\"a\",[],{},[[true]]]", "[\"?\",\"?\",[],{},[[\"?\"]]]"},
    {"{}", "{}"},
    {" 5 ", "\"?\""},
    {"", NULL},
    {"{", NULL},
    {"[1", NULL},
    {"[1}", NULL},
    {"{\"a\"}", NULL},
    {"{\"a\":}", NULL},
    {"{\"a\":1,}", NULL},
    {"{1:2}", NULL},
    {"{\"kept\":\"open", NULL},
    {"{} {}", NULL},
    {"\"open\\", NULL},
};

static void masks_plans(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_bytes out = {.size = 0};
        enum hf_status status = hf_plan_mask(hf_slice_text(cases[i].plan), &keys, &out);
        struct hf_slice made = hf_slice_of(out.data, out.size);
        if (status != (cases[i].made != NULL ? HF_OK : HF_INVALID) ||
            (cases[i].made != NULL && !hf_slice_is(made, cases[i].made))) {
            fail_msg("%s: %.*s", cases[i].plan, (int)made.size, (const char *)made.data);
        }
        hf_bytes_release(&out);
    }
}

static void appends_to_what_there_is(void **state)
{
    struct hf_bytes out = {.size = 0};
    (void)state;
    assert_int_equal(hf_bytes_append(&out, hf_slice_text("plan: ")), HF_OK);
    assert_int_equal(hf_plan_mask(hf_slice_text("[]"), &keys, &out), HF_OK);
    assert_true(hf_slice_is(hf_slice_of(out.data, out.size), "plan: []"));
    hf_bytes_release(&out);
}

static void refuses_what_is_too_deep(void **state)
{
    char text[2 * HF_PLAN_DEPTH_MAX + 2];
    (void)state;
    for (size_t depth = HF_PLAN_DEPTH_MAX; depth <= HF_PLAN_DEPTH_MAX + 1; depth++) {
        struct hf_bytes out = {.size = 0};
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        enum hf_status status = hf_plan_mask(hf_slice_of(text, 2 * depth), &keys, &out);
        assert_int_equal(status, depth == HF_PLAN_DEPTH_MAX ? HF_OK : HF_INVALID);
        hf_bytes_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_plans),
        cmocka_unit_test(appends_to_what_there_is),
        cmocka_unit_test(refuses_what_is_too_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
