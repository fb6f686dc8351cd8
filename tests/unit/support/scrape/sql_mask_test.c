/* Queries keep their shape and lose their values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "support/scrape/sql_mask.h"

static const struct {
    const char *text, *masked; /* NULL: refused */
} cases[] = {
    {"SELECT * FROM users WHERE id = 42 AND n = 'ann'",
     "SELECT * FROM users WHERE id = ? AND n = ?"},
    {" a1.b22 = -3 ", "a?.b? = ?"},
    {"f1('x', null, TRUE)", "f1(?, ?, ?)"},
    {"a = $1 -- 12", "a = ? -- 12"},
    {"/* 5 */ 5", "/* 5 */ ?"},
    {"$t$s$t$", "?"},
    {"$func$ SELECT 'x' $func$", "$func$SELECT ?$func$"},
    {"'open", "?"},
    {"$t$open", "?"},
    {"'a\\'b' c", "? c"},
    {"0xFF 1e-5 .5", "? ? .?"},
    {"\"c1\" = @p1", "\"c?\" = @p1"},
    {"x->>'k'", "x->>?"},
    {"", ""},
    {"'a\\", "?"},
    {"$", "?"},
    {"/* open 5", "/* open 5"},
    {"\"open5", "\"open?"},
};

static void masks_queries(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_bytes out = {0};
        enum hf_status status = hf_sql_mask(hf_slice_text(cases[i].text), 0, &out);
        assert_int_equal(status, cases[i].masked != NULL ? HF_OK : HF_INVALID);
        struct hf_slice made = hf_slice_of(out.data, out.size);
        if (cases[i].masked != NULL && !hf_slice_is(made, cases[i].masked)) {
            fail_msg("%s: %.*s", cases[i].text, (int)made.size, (const char *)made.data);
        }
        hf_bytes_release(&out);
    }
}

static void knows_the_quotation_marks_of_mysql(void **state)
{
    struct hf_bytes out = {0};
    (void)state;
    assert_int_equal(hf_sql_mask(hf_slice_text("`c1` = \"v\" # 5"), HF_SQL_MYSQL, &out), HF_OK);
    assert_true(hf_slice_is(hf_slice_of(out.data, out.size), "`c?` = ? # 5"));
    hf_bytes_release(&out);
}

static void bare_queries_have_no_comments_and_single_blanks(void **state)
{
    static const struct {
        const char *text, *expected;
    } bare[] = {
        {"SELECT  a\n\t FROM b", "SELECT a FROM b"},
        {"/* for 7 */ SELECT 1 -- seven\n, 'x'", "SELECT ? , ?"},
        {"SELECT a # 7", "SELECT a"},
        {"SELECT/*7*/a#joe", "SELECT a"},
        {"/* 7 */", ""},
        {"SELECT '  '", "SELECT ?"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]); i++) {
        struct hf_bytes out = {0};
        assert_int_equal(hf_sql_mask(hf_slice_text(bare[i].text), HF_SQL_MYSQL | HF_SQL_BARE, &out),
                         HF_OK);
        assert_true(hf_slice_is(hf_slice_of(out.data, out.size), bare[i].expected));
        hf_bytes_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bare_queries_have_no_comments_and_single_blanks),
        cmocka_unit_test(masks_queries),
        cmocka_unit_test(knows_the_quotation_marks_of_mysql),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
