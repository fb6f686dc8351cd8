/* header_text: values without their blanks, what may stand in a header, and whose it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/header_text.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void trims_blanks_and_tabs_and_nothing_else(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},          {" ", ""},          {" \t ", ""},           {"gzip", "gzip"},
        {"gzip ", "gzip"}, {"\tgzip", "gzip"}, {" \ta b\t \t", "a b"}, {"\ra ", "\ra"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_true(hf_slice_is(hf_header_trim(hf_slice_text(rows[i][0])), rows[i][1]));
    }
    assert_int_equal(hf_header_trim(HF_EMPTY_SLICE).size, 0);
}

static void knows_names(void **state)
{
    static const char *const good[] = {"a", "X-Scope-OrgID", "x_1", "!#$%&'*+-.^_`|~"};
    static const char *const bad[] = {"",      "a b", "a:",   ":path", "caf\xc3\xa9",
                                      "a\r\n", "(a)", "a\x7f"};
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_true(hf_header_is_name(hf_slice_text(good[i])));
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_false(hf_header_is_name(hf_slice_text(bad[i])));
    }
    assert_false(hf_header_is_name(hf_slice_of("a\0b", 3)));
}

static void allows_every_byte_of_a_value_but_controls(void **state)
{
    (void)state;
    assert_true(hf_header_is_value(HF_EMPTY_SLICE));
    for (unsigned byte = 0; byte < 256; byte++) {
        const uint8_t text[] = {'a', (uint8_t)byte, 'b'};
        bool good = byte == '\t' || (byte >= 0x20 && byte != 0x7f);
        assert_int_equal(hf_header_is_value(hf_slice_of(text, 3)), good);
    }
}

static void knows_whose_a_header_is(void **state)
{
    static const struct {
        const char *name;
        bool framing, grpc, binary;
    } rows[] = {
        {"Connection", true, true, false},      {"transfer-encoding", true, true, false},
        {"Content-Length", true, true, false},  {"TE", true, true, false},
        {"Upgrade", true, true, false},         {"Keep-Alive", true, true, false},
        {"Trailer", true, true, false},         {"Proxy-Connection", true, true, false},
        {"Content-Type", false, true, false},   {"grpc-timeout", false, true, false},
        {"GRPC-Trace-Bin", false, true, true},  {":authority", false, true, false},
        {"Host", false, false, false},          {"User-Agent", false, false, false},
        {"Authorization", false, false, false}, {"x-id-bin", false, false, true},
        {"-bin", false, false, false},          {"Content-Encoding", false, false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hf_slice name = hf_slice_text(rows[i].name);
        assert_int_equal(hf_header_is_framing(name), rows[i].framing);
        assert_int_equal(hf_header_is_of_grpc(name), rows[i].grpc);
        assert_int_equal(hf_header_is_binary(name), rows[i].binary);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trims_blanks_and_tabs_and_nothing_else),
        cmocka_unit_test(knows_names),
        cmocka_unit_test(allows_every_byte_of_a_value_but_controls),
        cmocka_unit_test(knows_whose_a_header_is),
    };
    return cmocka_run_group_tests_name("header_text", tests, NULL, NULL);
}
