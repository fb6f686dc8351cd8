/* Values read as what they are, and as the text that the Go collector makes of them. */
#include "pdata/any.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

static void reads_and_prints_each_type(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum hf_any_type type;
        const char *text;
    } cases[] = {
        {"", 0, HF_ANY_EMPTY, ""},
        {"\x0a\x03"
         "abc",
         5, HF_ANY_STRING, "abc"},
        {"\x0a\x00", 2, HF_ANY_STRING, ""},
        {"\x10\x01", 2, HF_ANY_BOOL, "true"},
        {"\x10\x00", 2, HF_ANY_BOOL, "false"},
        {"\x18\x2a", 2, HF_ANY_INT, "42"},
        {"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, HF_ANY_INT, "-1"},
        {"\x21\x00\x00\x00\x00\x00\x00\xf8\x3f", 9, HF_ANY_DOUBLE, "1.5"},
        {"\x21\x00\x00\x00\x00\x00\x00\x59\x40", 9, HF_ANY_DOUBLE, "100"},
        {"\x21\x00\x00\x00\x00\x00\x00\xf0\x7f", 9, HF_ANY_DOUBLE, "Infinity"},
        {"\x21\x00\x00\x00\x00\x00\x00\xf0\xff", 9, HF_ANY_DOUBLE, "-Infinity"},
        {"\x21\x01\x00\x00\x00\x00\x00\xf0\x7f", 9, HF_ANY_DOUBLE, "NaN"},
        {"\x2a\x00", 2, HF_ANY_ARRAY, "[]"},
        {"\x2a\x0c\x0a\x03\x0a\x01"
         "a\x0a\x02\x18\x07\x0a\x01\x00",
         14, HF_ANY_ARRAY, "[\"a\",7,null]"},
        {"\x2a\x16\x0a\x09\x21\x01\x00\x00\x00\x00\x00\xf0\x7f"
         "\x0a\x09\x21\x00\x00\x00\x00\x00\x00\xf0\xff",
         24, HF_ANY_ARRAY, "[\"NaN\",\"-Infinity\"]"},
        {"\x32\x00", 2, HF_ANY_MAP, "{}"},
        {"\x32\x10\x0a\x07\x0a\x01k\x12\x02\x10\x01\x0a\x05\x0a\x03\"\\\n", 18, HF_ANY_MAP,
         "{\"\\\"\\\\\\n\":null,\"k\":true}"}, /* sorted */
        {"\x32\x12\x0a\x07\x0a\x01"
         "k\x12\x02\x18\x01\x0a\x07\x0a\x01"
         "k\x12\x02\x18\x02",
         20, HF_ANY_MAP, "{\"k\":2}"}, /* of one key the last */
        {"\x32\x0e\x0a\x05\x0a\x03"
         "b\x01\t\x0a\x05\x0a\x03"
         "a\"b",
         16, HF_ANY_MAP, "{\"a\\\"b\":null,\"b\\u0001\\t\":null}"},
        {"\x3a\x03\x00\xff\x10", 5, HF_ANY_BYTES, "AP8Q"},
        {"\x3a\x01\x00", 3, HF_ANY_BYTES, "AA=="},
        {"\x0a\x01"
         "a\x18\x01",
         5, HF_ANY_INT, "1"}, /* the last one counts */
        {"\x0a\x01"
         "a\x40\x01",
         5, HF_ANY_STRING, "a"}, /* unless nobody knows it */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_slice value = hf_slice_of(cases[i].bytes, cases[i].size);
        struct hf_bytes text = {0};
        assert_int_equal(hf_any_read(value).type, cases[i].type);
        assert_int_equal(hf_any_text(value, &text), HF_OK);
        if (!hf_slice_is(hf_slice_of(text.data, text.size), cases[i].text)) {
            fail_msg("case %zu: %.*s", i, (int)text.size, (const char *)text.data);
        }
        hf_bytes_release(&text);
    }
}

static void prints_long_bytes_in_one_base64(void **state)
{
    uint8_t value[3 + 100] = {0x3a, 100};
    struct hf_bytes text = {0};
    (void)state;
    assert_int_equal(hf_any_text(hf_slice_of(value, 102), &text), HF_OK);
    assert_int_equal(text.size, 136);
    for (size_t i = 0; i < 134; i++) {
        assert_int_equal(text.data[i], 'A');
    }
    assert_memory_equal(text.data + 134, "==", 2);
    hf_bytes_release(&text);
}

static void compares_type_and_content(void **state)
{
    static const char *const values[] = {"\x0a\x01x", "\x0a\x01y", "\x18\x01", "\x18\x02",
                                         "\x10\x01",  "\x3a\x01x", ""};
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
            struct hf_any a = hf_any_read(hf_slice_text(values[i]));
            struct hf_any b = hf_any_read(hf_slice_text(values[k]));
            assert_int_equal(hf_any_equal(&a, &b), i == k);
        }
    }
}

#define A1 "\x0a\x07\x0a\x01\x61\x12\x02\x18\x01"
#define A2 "\x0a\x07\x0a\x01\x61\x12\x02\x18\x02"
#define B2 "\x0a\x07\x0a\x01\x62\x12\x02\x18\x02"

static void compares_lists_in_order_and_maps_in_any(void **state)
{
    static const struct {
        const char *a, *b; /* sizes are in the bytes */
        bool equal;
    } cases[] = {
        {"\x2a\x08\x0a\x02\x18\x01\x0a\x02\x18\x02", "\x2a\x08\x0a\x02\x18\x01\x0a\x02\x18\x02",
         true},
        {"\x2a\x08\x0a\x02\x18\x01\x0a\x02\x18\x02", "\x2a\x08\x0a\x02\x18\x02\x0a\x02\x18\x01",
         false},
        {"\x2a\x08\x0a\x02\x18\x01\x0a\x02\x18\x02", "\x2a\x04\x0a\x02\x18\x01", false},
        {"\x32\x12" A1 B2, "\x32\x12" B2 A1, true},
        {"\x32\x12" A1 B2, "\x32\x09" A1, false},
        {"\x32\x12" A1 B2, "\x32\x12" A2 B2, false},
        {"\x32\x12" A1 B2, "\x32\x12" A1 A1, false},
        {"\x32\x12" A1 A2, "\x32\x12" A1 B2, false},
        {"\x2a\x0b\x0a\x09\x32\x07\x0a\x05\x0a\x01\x61\x12", "\x2a\x04\x0a\x02\x2a", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_any a = hf_any_read(hf_slice_of(cases[i].a, 2 + (size_t)cases[i].a[1]));
        struct hf_any b = hf_any_read(hf_slice_of(cases[i].b, 2 + (size_t)cases[i].b[1]));
        if (hf_any_equal(&a, &b) != cases[i].equal || hf_any_equal(&b, &a) != cases[i].equal) {
            fail_msg("case %zu", i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_prints_each_type),
        cmocka_unit_test(prints_long_bytes_in_one_base64),
        cmocka_unit_test(compares_type_and_content),
        cmocka_unit_test(compares_lists_in_order_and_maps_in_any),
    };
    return cmocka_run_group_tests_name("any", tests, NULL, NULL);
}
