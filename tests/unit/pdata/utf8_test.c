/* Texts are UTF-8 by the letter of RFC 3629, wherever in a word the byte in question stands. */
#include "pdata/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

static void tells_good_sequences_from_bad(void **state)
{
    static const struct {
        const char *text;
        bool is_valid;
    } cases[] = {
        {"", true},
        {"plain", true},
        {"\x7f", true},
        {"\xc2\x80", true},
        {"\xdf\xbf", true},
        {"\xe0\xa0\x80", true},
        {"\xed\x9f\xbf", true},
        {"\xee\x80\x80", true},
        {"\xef\xbf\xbf", true},
        {"\xf0\x90\x80\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\x80", false}, /* a continuation alone */
        {"\xbf", false},
        {"\xc0\x80", false}, /* overlong */
        {"\xc1\xbf", false},
        {"\xe0\x9f\xbf", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xed\xa0\x80", false}, /* surrogates */
        {"\xed\xbf\xbf", false},
        {"\xf4\x90\x80\x80", false}, /* beyond U+10FFFF */
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"\xc2", false}, /* cut short */
        {"\xe2\x82", false},
        {"\xf0\x9f\x90", false},
        {"\xc2\x41", false}, /* no continuation */
        {"\xe2\x41\x80", false},
        {"\xe2\x82\x41", false},
        {"\xf0\x9f\x90\x41", false},
        {"\xf0\x9f\xc0\x80", false},
        {"\xc2\x80\x80", false}, /* one too many */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t size = strlen(cases[i].text);
        for (size_t before = 0; before < 20; before++) {
            for (size_t after = 0; after < 20; after++) {
                uint8_t *text = malloc(before + size + after + 1);
                assert_non_null(text);
                memset(text, 'x', before + size + after);
                memcpy(text + before, cases[i].text, size);
                /* A neighbour behind a sequence cut short makes it no better. */
                struct hf_slice slice = hf_slice_of(text, before + size + after);
                if (hf_utf8_is_valid(slice) != cases[i].is_valid) {
                    fail_msg("case %zu with %zu before and %zu behind", i, before, after);
                }
                free(text);
            }
        }
    }
}

static void finds_a_high_byte_anywhere(void **state)
{
    (void)state;
    for (size_t size = 0; size < 70; size++) {
        uint8_t *text = malloc(size + 1); /* never of size 0 */
        assert_non_null(text);
        memset(text, 0x7f, size + 1);
        assert_true(hf_utf8_is_ascii(hf_slice_of(text, size)));
        text[size] = 0x80; /* beyond: not looked at */
        assert_true(hf_utf8_is_ascii(hf_slice_of(text, size)));
        for (size_t at = 0; at < size; at++) {
            text[at] = 0x80;
            assert_false(hf_utf8_is_ascii(hf_slice_of(text, size)));
            text[at] = 0x7f;
        }
        free(text);
    }
    assert_true(hf_utf8_is_ascii(HF_EMPTY_SLICE));
    assert_true(hf_utf8_is_valid(HF_EMPTY_SLICE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_good_sequences_from_bad),
        cmocka_unit_test(finds_a_high_byte_anywhere),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
