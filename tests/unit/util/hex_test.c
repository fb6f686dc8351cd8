/* Hexadecimal digits and the escapes of URLs, written and read. */
#include "util/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h> /* needs those before it */

#include "util/percent.h"

static void what_was_written_is_read(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x09, 0xaf, 0xff};
    uint8_t back[sizeof(bytes)];
    char text[2 * sizeof(bytes)];
    assert_int_equal(hf_hex_write(hf_slice_of(bytes, sizeof(bytes)), text), sizeof(text));
    assert_memory_equal(text, "0009afff", sizeof(text));
    assert_true(hf_hex_read(hf_slice_of(text, sizeof(text)), back));
    assert_memory_equal(back, bytes, sizeof(bytes));
    assert_true(hf_hex_read(hf_slice_text("0009AFff"), back));
    assert_memory_equal(back, bytes, sizeof(bytes));
}

static void what_is_no_digit_is_refused(void **state)
{
    (void)state;
    uint8_t byte = 0;
    static const char *const bad[] = {"0", "0g", "G0", "/0", ":0", "@0", "`0", "-1", " 1", "0x1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(hf_hex_read(hf_slice_text(bad[i]), &byte));
    }
}

static void escapes_of_urls_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *query, *path;
    } rows[] = {
        {"a%2Fb+c", "a/b c", "a/b+c"},
        {"%", "%", "%"},
        {"%4", "%4", "%4"},
        {"%4g1", "%4g1", "%4g1"},
        {"%c3%BC", "\xc3\xbc", "\xc3\xbc"},
        {"%%41", "%A", "%A"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[16];
        snprintf(text, sizeof(text), "%s", rows[i].text);
        hf_percent_decode(text, true);
        assert_string_equal(text, rows[i].query);
        snprintf(text, sizeof(text), "%s", rows[i].text);
        hf_percent_decode(text, false);
        assert_string_equal(text, rows[i].path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(what_is_no_digit_is_refused),
        cmocka_unit_test(escapes_of_urls_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
