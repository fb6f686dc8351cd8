/* Base64, there and back, in each of its forms. */
#include "util/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

static void encodes_as_the_standard_has_it(void **state)
{
    static const struct {
        const char *bytes, *padded, *raw_url;
    } rows[] = {{"", "", ""},
                {"f", "Zg==", "Zg"},
                {"fo", "Zm8=", "Zm8"},
                {"foo", "Zm9v", "Zm9v"},
                {"foob", "Zm9vYg==", "Zm9vYg"},
                {"fooba", "Zm9vYmE=", "Zm9vYmE"},
                {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
                {"\xff\xfe", "//4=", "__4"},
                {"\xfb\xef\xbe", "++++", "----"}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_slice bytes = hf_slice_text(rows[i].bytes);
        char text[16];
        assert_true(HF_BASE64_SIZE(bytes.size) == strlen(rows[i].padded));
        assert_true(hf_slice_is(hf_slice_of(text, hf_base64_print(bytes, text)), rows[i].padded));
        size_t size = hf_base64_encode(bytes, HF_BASE64_URL | HF_BASE64_RAW, text);
        assert_true(hf_slice_is(hf_slice_of(text, size), rows[i].raw_url));
    }
}

#define PADDED 1u
#define RAW 2u
#define URL 4u
#define ANY 8u
#define LINES 16u

static void decodes_only_the_form_that_is_asked_for(void **state)
{
    static const unsigned forms[] = {0, HF_BASE64_RAW, HF_BASE64_URL, HF_BASE64_ANY,
                                     HF_BASE64_LINES};
    static const struct {
        const char *text, *bytes;
        unsigned good; /* in these forms */
    } rows[] = {
        {"", "", PADDED | RAW | URL | ANY | LINES},
        {"Zg", "f", RAW | ANY},
        {"Zg==", "f", PADDED | URL | ANY | LINES},
        {"Zh==", "f", PADDED | URL | ANY | LINES},
        {"Zm8", "fo", RAW | ANY},
        {"Zm8=", "fo", PADDED | URL | ANY | LINES},
        {"Zm9v", "foo", PADDED | RAW | URL | ANY | LINES},
        {"Zm9vYmFy", "foobar", PADDED | RAW | URL | ANY | LINES},
        {"__4", "\xff\xfe", ANY},
        {"__4=", "\xff\xfe", URL | ANY},
        {"//4=", "\xff\xfe", PADDED | ANY | LINES},
        {"-+-+", "\xfb\xef\xbe", ANY},
        {"Zm9v\r\nYg=\n=\n", "foob", LINES},
        {"Z", NULL, 0},
        {"Zg=", NULL, 0},
        {"Zg===", NULL, 0},
        {"=", NULL, 0},
        {"Zm9v=", NULL, 0},
        {"Zm 9", NULL, 0},
        {"Z===", NULL, 0},
        {"Zg==Zg==", NULL, 0},
        {"Zm9*", NULL, 0},
        {"\xc3\xa4"
         "aa",
         NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_slice text = hf_slice_text(rows[i].text);
        for (size_t j = 0; j < sizeof(forms) / sizeof(forms[0]); j++) {
            uint8_t bytes[16];
            size_t size = 99;
            bool is_good = hf_base64_decode(text, forms[j], bytes, &size);
            if (is_good != ((rows[i].good >> j & 1) != 0)) {
                fail_msg("%s, form %u", rows[i].text, forms[j]);
            }
            if (is_good) {
                assert_true(size <= HF_BASE64_DECODED_SIZE(text.size));
                assert_true(hf_slice_is(hf_slice_of(bytes, size), rows[i].bytes));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_as_the_standard_has_it),
        cmocka_unit_test(decodes_only_the_form_that_is_asked_for),
    };
    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
