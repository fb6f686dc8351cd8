/* A character is read and written whole; a byte that begins none is told apart from U+FFFD. */
#include "util/rune.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the four before it */

static void reads_and_writes_the_same_characters(void **state)
{
    static const struct {
        const char *text;
        uint32_t code;
    } cases[] = {
        {"a", 'a'},
        {"\x7f", 0x7f},
        {"\xc2\x80", 0x80},
        {"\xdf\xbf", 0x7ff},
        {"\xe0\xa0\x80", 0x800},
        {"\xed\x9f\xbf", 0xd7ff},
        {"\xee\x80\x80", 0xe000},
        {"\xef\xbf\xbd", HF_RUNE_BAD},
        {"\xf0\x90\x80\x80", 0x10000},
        {"\xf4\x8f\xbf\xbf", 0x10ffff},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t room[HF_RUNE_MAX];
        size_t size = strlen(cases[i].text);
        struct hf_rune rune = hf_rune_at(hf_slice_text(cases[i].text), 0);
        assert_int_equal(rune.code, cases[i].code);
        assert_int_equal(rune.size, size);
        assert_int_equal(hf_rune_put(cases[i].code, room), size);
        assert_memory_equal(room, cases[i].text, size);
    }
}

static void takes_a_byte_that_begins_no_character_alone(void **state)
{
    static const char *const cases[] = {
        "\x80",             /* a continuation */
        "\xc1\xbf",         /* overlong */
        "\xe0\x9f\xbf",     /* likewise */
        "\xf0\x8f\xbf\xbf", /* likewise */
        "\xed\xa0\x80",     /* a surrogate */
        "\xf4\x90\x80\x80", /* above U+10FFFF */
        "\xf5\x80\x80\x80",
        "\xff",
        "\xe2\x82", /* cut short */
        "\xe2\x82\x41",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_rune rune = hf_rune_at(hf_slice_text(cases[i]), 0);
        assert_int_equal(rune.code, HF_RUNE_BAD);
        assert_int_equal(rune.size, 1);
    }
}

static void writes_a_surrogate_in_three_bytes(void **state)
{
    uint8_t room[HF_RUNE_MAX];
    (void)state;
    assert_int_equal(hf_rune_put(0xd800, room), 3);
    assert_memory_equal(room, "\xed\xa0\x80", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_the_same_characters),
        cmocka_unit_test(takes_a_byte_that_begins_no_character_alone),
        cmocka_unit_test(writes_a_surrogate_in_three_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
