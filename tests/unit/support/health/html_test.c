#include "support/health/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

static void assert_page(struct hf_html *html, const char *text)
{
    assert_int_equal(hf_html_status(html), HF_OK);
    assert_int_equal(hf_bytes_append(&html->out, hf_slice_of("", 1)), HF_OK);
    assert_string_equal((const char *)html->out.data, text);
    hf_html_release(html);
}

static void escapes_all_text(void **state)
{
    static const char *const rows[][2] = {
        {"plain text", "plain text"},
        {"", ""},
        {"<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"},
        {"a & \"b\"", "a &amp; &quot;b&quot;"},
        {"&lt;", "&amp;lt;"},
        {"line\nend\x1b[31m", "line\\nend\\x1b[31m"},
        {"\xff<", "\\xff&lt;"},
        {"\xe2\x80\xae\xc3\xa4", "\\u202e\xc3\xa4"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_html html = {0};
        hf_html_text(&html, rows[i][0]);
        assert_page(&html, rows[i][1]);
    }
}

static void encodes_values_of_queries(void **state)
{
    static const char *const rows[][2] = {{"otlp/2", "otlp/2"},
                                          {"a b&c=\"d\"#%", "a%20b%26c%3D%22d%22%23%25"},
                                          {"\xc3\xa4", "%C3%A4"}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_html html = {0};
        hf_html_query(&html, rows[i][0]);
        assert_page(&html, rows[i][1]);
    }
}

static void writes_times_and_numbers(void **state)
{
    struct hf_html html = {0};
    (void)state;
    hf_html_time(&html, 0);
    hf_html_raw(&html, " ");
    hf_html_time(&html, UINT64_C(1700000000123456789));
    hf_html_raw(&html, " ");
    hf_html_number(&html, UINT64_MAX);
    assert_page(&html, "- 2023-11-14T22:13:20.123456Z 18446744073709551615");
}

static void writes_tables(void **state)
{
    static const char *const columns[] = {"A", "<B>", NULL};
    struct hf_html html = {0};
    (void)state;
    hf_html_table(&html, columns);
    hf_html_row(&html);
    hf_html_cell(&html, "1");
    hf_html_cell(&html, "<2>");
    hf_html_end_row(&html);
    hf_html_end_table(&html);
    assert_page(&html, "<table>\n<tr><th>A</th><th>&lt;B&gt;</th></tr>\n"
                       "<tr><td>1</td><td>&lt;2&gt;</td></tr>\n</table>\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_all_text),
        cmocka_unit_test(encodes_values_of_queries),
        cmocka_unit_test(writes_times_and_numbers),
        cmocka_unit_test(writes_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
