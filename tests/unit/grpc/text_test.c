/* Percent signs and time-outs, there and back. */
#include <grpc/text.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs those before it */

static void percent_encodes_what_a_header_cannot_carry(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *coded;
        size_t room;
    } rows[] = {
        {"plain ~ text", "plain ~ text", 64},
        {"100 %", "100 %25", 64},
        {"a\nb", "a%0Ab", 64},
        {"\xc3\xa4\x7f", "%C3%A4%7F", 64},
        {"", "", 64},
        {"ab%", "ab", 4},
        {"abc", "ab", 2},
        {"ab%", "ab%25", 5},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[64];
        size_t size = hf_grpc_percent_encode(hf_slice_text(rows[i].plain), text, rows[i].room);
        assert_true(hf_slice_is(hf_slice_of(text, size), rows[i].coded));
    }
}

static void percent_decodes_and_forgives(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"plain", "plain"},     {"100 %25", "100 %"},
                                          {"%C3%a4", "\xc3\xa4"}, {"%", "%"},
                                          {"%4", "%4"},           {"%zz", "%zz"},
                                          {"a%00b", "a b"},       {"0123456789", "0123456"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[8];
        hf_grpc_percent_decode(hf_slice_text(rows[i][0]), text, sizeof(text));
        assert_string_equal(text, rows[i][1]);
    }
}

static void reads_timeouts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        uint64_t ns;
    } rows[] = {
        {"1n", true, 1},
        {"2u", true, 2000},
        {"3m", true, 3000000},
        {"4S", true, 4000000000},
        {"5M", true, 300000000000},
        {"6H", true, 21600000000000},
        {"0S", true, 0},
        {"00000001S", true, 1000000000},
        {"99999999H", true, UINT64_MAX},
        {"", false, 0},
        {"S", false, 0},
        {"1", false, 0},
        {"1s", false, 0},
        {"123456789n", false, 0},
        {"-1S", false, 0},
        {"1.5S", false, 0},
        {" 1S", false, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t ns = 42;
        assert_int_equal(hf_grpc_timeout_parse(hf_slice_text(rows[i].text), &ns), rows[i].good);
        assert_true(ns == (rows[i].good ? rows[i].ns : 42));
    }
}

static void writes_timeouts_that_are_not_too_short(void **state)
{
    (void)state;
    static const struct {
        uint64_t ns;
        const char *text;
    } rows[] = {
        {0, "0n"},
        {99999999, "99999999n"},
        {100000000, "100000u"},
        {100000001, "100001u"},
        {5000000000, "5000000u"},
        {UINT64_C(3600) * 1000000000, "3600000m"},
        {UINT64_MAX, "5124096H"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[10];
        uint64_t back = 0;
        size_t size = hf_grpc_timeout_write(rows[i].ns, text);
        assert_string_equal(text, rows[i].text);
        assert_true(hf_grpc_timeout_parse(hf_slice_of(text, size), &back));
        assert_true(back >= rows[i].ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percent_encodes_what_a_header_cannot_carry),
        cmocka_unit_test(percent_decodes_and_forgives),
        cmocka_unit_test(reads_timeouts),
        cmocka_unit_test(writes_timeouts_that_are_not_too_short),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
