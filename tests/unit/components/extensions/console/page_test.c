/* How values get into pages, and how numbers read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "components/extensions/console/page.h"

static void assert_page(struct hf_console_page *page, const char *expected)
{
    hf_console_put_raw(page, hf_slice_of("", 1));
    assert_false(page->failed);
    assert_string_equal((const char *)page->text.data, expected);
    hf_console_page_release(page);
}

static void escapes_every_value(void **state)
{
    static const struct {
        const char *text, *escaped;
    } rows[] = {
        {"plain", "plain"},
        {"", ""},
        {"<script>alert('1')</script>", "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"},
        {"\" onclick=\"x", "&quot; onclick=&quot;x"},
        {"a & b &amp; c", "a &amp; b &amp;amp; c"},
        {"line\nline\ttab", "line\nline\ttab"},
        {"bell\a, return\r, escape\x1b[31m", "bell\\x07, return\\r, escape\\x1b[31m"},
        {"\xe2\x80\xaeright to left", "\\u202eright to left"},
        {"bad \xff utf-8 \xc3", "bad \\xff utf-8 \\xc3"},
        {"gr\xc3\xbc\xc3\x9f <\xe2\x82\xac>", "gr\xc3\xbc\xc3\x9f &lt;\xe2\x82\xac&gt;"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_console_page page;
        hf_console_page_init(&page, 4096);
        hf_console_put(&page, "%s", rows[i].text);
        assert_page(&page, rows[i].escaped);
    }
}

static void knows_the_directives_of_printf(void **state)
{
    struct hf_console_page page;
    hf_console_page_init(&page, 4096);
    hf_console_put(&page, "<b>%s</b> %.*s %c %d %u %lu %ld %llu %zu %.2f %% %s|", "a<b", 2, "xyz",
                   '<', -5, 7u, 8ul, -9l, 10ull, (size_t)11, 1.256, state == NULL ? "x" : "");
    assert_page(&page, "<b>a&lt;b</b> xy &lt; -5 7 8 -9 10 11 1.26 % |");
}

static void codes_values_of_urls(void **state)
{
    struct hf_console_page page;
    (void)state;
    hf_console_page_init(&page, 4096);
    hf_console_put_url(&page, "otlp/a b&c=\"<\xc3\xbc>~-._9");
    hf_console_put_url(&page, NULL);
    assert_page(&page, "otlp%2Fa%20b%26c%3D%22%3C%C3%BC%3E~-._9");
}

static void has_a_limit(void **state)
{
    struct hf_console_page page;
    (void)state;
    hf_console_page_init(&page, 10);
    hf_console_put(&page, "12345");
    assert_false(page.failed);
    hf_console_put(&page, "%s", "<<<");
    assert_true(page.failed);
    assert_true(page.text.size <= 10);
    hf_console_put(&page, "%s", "\x01\x01\x01\x01\x01\x01\x01\x01");
    assert_true(page.text.size <= 10);
    hf_console_page_release(&page);
}

static void writes_numbers_for_people(void **state)
{
    struct hf_console_page page;
    (void)state;
    hf_console_page_init(&page, 4096);
    hf_console_put_count(&page, 0);
    hf_console_put(&page, " ");
    hf_console_put_count(&page, 999);
    hf_console_put(&page, " ");
    hf_console_put_count(&page, 1234567);
    hf_console_put(&page, " ");
    hf_console_put_count(&page, UINT64_MAX);
    assert_page(&page, "0 999 1,234,567 18,446,744,073,709,551,615");
}

struct amount {
    double value;
    const char *text;
};

static void assert_amounts(void (*put)(struct hf_console_page *page, double value),
                           const struct amount *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct hf_console_page page;
        hf_console_page_init(&page, 4096);
        put(&page, rows[i].value);
        assert_page(&page, rows[i].text);
    }
}

static void writes_bytes_durations_and_rates(void **state)
{
    static const struct amount bytes[] = {{0, "0 B"},
                                          {1023, "1023 B"},
                                          {1024, "1.0 KiB"},
                                          {200.0 * 1024, "200 KiB"},
                                          {5368709120.0, "5.0 GiB"},
                                          {1e18, "888 PiB"}};
    static const struct amount durations[] = {{0, "0 \xc2\xb5s"}, {0.0000042, "4.2 \xc2\xb5s"},
                                              {0.05, "50 ms"},    {0.9999, "1.0 s"},
                                              {59.9, "60 s"},     {60, "1.0 min"},
                                              {7200, "2.0 h"},    {864000, "10 d"}};
    static const struct amount rates[] = {{0, "0/s"},       {0.04, "0/s"},    {0.26, "0.3/s"},
                                          {12.4, "12/s"},   {1234, "1.2k/s"}, {45678, "46k/s"},
                                          {2.5e6, "2.5M/s"}};
    (void)state;
    assert_amounts(hf_console_put_bytes, bytes, sizeof(bytes) / sizeof(bytes[0]));
    assert_amounts(hf_console_put_duration, durations, sizeof(durations) / sizeof(durations[0]));
    assert_amounts(hf_console_put_rate, rates, sizeof(rates) / sizeof(rates[0]));
}

static void writes_times_in_utc(void **state)
{
    struct hf_console_page page;
    (void)state;
    hf_console_page_init(&page, 4096);
    hf_console_put_time(&page, UINT64_C(1700000000123456789));
    hf_console_put_time(&page, 0);
    assert_page(&page, "<time datetime=\"2023-11-14T22:13:20Z\">2023-11-14 22:13:20 UTC</time>"
                       "\xe2\x80\x93");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_every_value),
        cmocka_unit_test(knows_the_directives_of_printf),
        cmocka_unit_test(codes_values_of_urls),
        cmocka_unit_test(has_a_limit),
        cmocka_unit_test(writes_numbers_for_people),
        cmocka_unit_test(writes_bytes_durations_and_rates),
        cmocka_unit_test(writes_times_in_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
