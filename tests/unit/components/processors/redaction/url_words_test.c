/* Paths lose their ids, and what is behind them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "components/processors/redaction/url_words.h"

static const struct {
    const char *text, *masked; /* NULL: refused */
} cases[] = {
    {"/users/123/posts/4b5c", "/users/*/posts/*"},
    {"/v1/k6-test-runs/1", "/v1/k6-test-runs/*"},
    {"/users/fdklsd/j4elk", "/users/*/j4elk"},
    {"/a?id=5#x", "/a"},
    {"?", ""},
    {"", ""},
    {"/", "/"},
    {"//", "//"},
    {"123/", "*/"},
    {"/Knightsbridge/https", "/Knightsbridge/https"},
    {"/a/b/c/d/e/f/g/h/i/j/k", "/a/b/c/d/e/f/g/h/i"},
    {"GET /cart", "GET /cart"},
    {"/Ã¤Ã¤", "/*"},
};

static void masks_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_bytes out = {0};
        enum hf_status status = hf_url_mask(hf_slice_text(cases[i].text), &out);
        assert_int_equal(status, cases[i].masked != NULL ? HF_OK : HF_INVALID);
        struct hf_slice made = hf_slice_of(out.data, out.size);
        if (cases[i].masked != NULL && !hf_slice_is(made, cases[i].masked)) {
            fail_msg("%s: %.*s", cases[i].text, (int)made.size, (const char *)made.data);
        }
        hf_bytes_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
