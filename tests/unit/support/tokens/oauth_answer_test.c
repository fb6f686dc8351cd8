/* Forms and answers of token endpoints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h> /* needs those before it */

#include <holdfast/component.h>

#include "support/tokens/oauth_answer.h"

static void answers_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *body, *header; /* NULL: no token */
        uint64_t life_s;
    } rows[] = {
        {"{\"access_token\":\"t\",\"token_type\":\"bearer\",\"expires_in\":60}", "Bearer t", 60},
        {"{\"access_token\":\"t\",\"expires_in\":\"61\"}", "Bearer t", 61},
        {"{\"access_token\":\"t\"}", "Bearer t", 0},
        {"{\"access_token\":\"t\",\"token_type\":\"MAC\",\"expires_in\":-5}", "MAC t", 0},
        {"{\"access_token\":\"\"}", NULL, 0},
        {"{\"access_token\":\"a\\r\\nx: y\"}", NULL, 0},
        {"{\"access_token\":7}", NULL, 0},
        {"{\"error\":\"no\"}", NULL, 0},
        {"[]", NULL, 0},
        {"access_token=t", NULL, 0},
        {"", NULL, 0},
    };
    static struct hf_token token;
    char error[HF_ERROR_MAX];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum hf_status status =
            hf_oauth_read_answer(hf_slice_text(rows[i].body), "access_token", &token, error);
        assert_int_equal(status, rows[i].header != NULL ? HF_OK : HF_INVALID);
        if (status == HF_OK) {
            assert_string_equal(token.header, rows[i].header);
            assert_int_equal(token.has_end, rows[i].life_s != 0);
            assert_int_equal(token.life_ns, rows[i].life_s * UINT64_C(1000000000));
        }
    }
}

static void a_token_that_fits_no_header_is_refused(void **state)
{
    (void)state;
    static char body[HF_TOKEN_MAX + 64];
    static struct hf_token token;
    char error[HF_ERROR_MAX];
    int size = snprintf(body, sizeof(body), "{\"access_token\":\"");
    memset(body + size, 'x', HF_TOKEN_MAX);
    memcpy(body + size + HF_TOKEN_MAX, "\"}", 3);
    assert_int_equal(hf_oauth_read_answer(hf_slice_text(body), "access_token", &token, error),
                     HF_INVALID);
}

static void forms_are_escaped(void **state)
{
    (void)state;
    struct hf_bytes out = {0};
    assert_int_equal(hf_oauth_put_form(&out, "a b", hf_slice_text("1&2=3+\xc3\xa9~")), HF_OK);
    assert_int_equal(hf_oauth_put_form(&out, "c", HF_EMPTY_SLICE), HF_OK);
    static const char wanted[] = "a+b=1%262%3D3%2B%C3%A9~&c=";
    assert_int_equal(out.size, sizeof(wanted) - 1);
    assert_memory_equal(out.data, wanted, out.size);
    hf_bytes_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read),
        cmocka_unit_test(a_token_that_fits_no_header_is_refused),
        cmocka_unit_test(forms_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
