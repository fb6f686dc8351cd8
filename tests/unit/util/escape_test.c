/* Whatever bytes come in, what goes out steers no terminal, ends no line and is UTF-8. */
#include "util/escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#define CODE_MAX 0x10ffffu

static size_t encode(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = size; i > 1; i--) {
        out[i - 1] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (char)((0xf0u << (4 - size) & 0xffu) | code);
    return size;
}

static void check(enum hf_escape how, const char *text, size_t size, const char *want)
{
    char out[256];
    size_t written = hf_escape(how, hf_slice_of(text, size), out, sizeof(out));
    assert_string_equal(out, want);
    assert_int_equal(written, strlen(want));
}

/* As the documentation lists them: a second list, on purpose. */
static bool is_listed(uint32_t code)
{
    static const uint32_t listed[] = {0x7f,   0x61c,  0x200e, 0x200f, 0x2028,
                                      0x2029, 0x202a, 0x202b, 0x202c, 0x202d,
                                      0x202e, 0x2066, 0x2067, 0x2068, 0x2069};
    bool found = code < 0x20 || (code >= 0x80 && code < 0xa0);
    for (size_t i = 0; i < sizeof(listed) / sizeof(listed[0]); i++) {
        found = found || listed[i] == code;
    }
    return found;
}

static void spells_out_every_control_byte(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 0x20; byte++) {
        const char text[] = {'a', (char)byte, 'b'};
        const char *letter = byte == '\n' ? "n" : byte == '\r' ? "r" : byte == '\t' ? "t" : NULL;
        char line[16], json[16], label[16];
        if (letter != NULL) {
            snprintf(line, sizeof(line), "a\\%sb", letter);
            snprintf(json, sizeof(json), "a\\%sb", letter);
            snprintf(label, sizeof(label), "a\\\\%sb", letter);
        } else {
            snprintf(line, sizeof(line), "a\\x%02xb", byte);
            snprintf(json, sizeof(json), "a\\u%04xb", byte);
            snprintf(label, sizeof(label), "a\\\\x%02xb", byte);
        }
        check(HF_ESCAPE_LINE, text, 3, line);
        check(HF_ESCAPE_JSON, text, 3, json);
        check(HF_ESCAPE_LABEL, text, 3, byte == '\n' ? "a\\nb" : label);
    }
    check(HF_ESCAPE_LINE, "\x7f", 1, "\\x7f");
    check(HF_ESCAPE_JSON, "\x7f", 1, "\\u007f");
    check(HF_ESCAPE_LABEL, "\x7f", 1, "\\\\x7f");
}

static void spells_out_c1_and_bidi_and_no_other_character(void **state)
{
    (void)state;
    for (uint32_t code = 0x20; code <= CODE_MAX; code++) {
        if (code >= 0xd800 && code < 0xe000) {
            continue;
        }
        char text[8] = "", line[16], json[16];
        size_t size = encode(code, text);
        if (is_listed(code)) {
            snprintf(line, sizeof(line), code < 0x80 ? "\\x%02x" : "\\u%04x", code);
            snprintf(json, sizeof(json), "\\u%04x", code);
        } else {
            bool marked = code == '"' || code == '\\';
            snprintf(line, sizeof(line), "%s", text);
            snprintf(json, sizeof(json), "%s%s", marked ? "\\" : "", text);
        }
        check(HF_ESCAPE_LINE, text, size, line);
        check(HF_ESCAPE_JSON, text, size, json);
        assert_int_equal(hf_escape_is_needless(hf_slice_of(text, size)), !is_listed(code));
    }
}

static void replaces_what_is_no_utf8(void **state)
{
    static const struct {
        const char *text, *line, *json, *label;
    } rows[] = {
        {"\x80", "\\x80", "\\ufffd", "\\\\x80"},
        {"\x9b"
         "2J",
         "\\x9b2J", "\\ufffd2J", "\\\\x9b2J"},
        {"\xff\xfe", "\\xff\\xfe", "\\ufffd\\ufffd", "\\\\xff\\\\xfe"},
        {"\xc3", "\\xc3", "\\ufffd", "\\\\xc3"},
        {"\xc3(", "\\xc3(", "\\ufffd(", "\\\\xc3("},
        {"\xc0\x9b", "\\xc0\\x9b", "\\ufffd\\ufffd", "\\\\xc0\\\\x9b"},
        {"\xe0\x82\x9b", "\\xe0\\x82\\x9b", "\\ufffd\\ufffd\\ufffd", "\\\\xe0\\\\x82\\\\x9b"},
        {"\xe2\x80", "\\xe2\\x80", "\\ufffd\\ufffd", "\\\\xe2\\\\x80"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\\ufffd\\ufffd\\ufffd", "\\\\xed\\\\xa0\\\\x80"},
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\ufffd\\ufffd\\ufffd\\ufffd",
         "\\\\xf4\\\\x90\\\\x80\\\\x80"},
        {"\xf0\x9f\x98", "\\xf0\\x9f\\x98", "\\ufffd\\ufffd\\ufffd", "\\\\xf0\\\\x9f\\\\x98"},
        {"ok \xf0\x9f\x98\x80", "ok \xf0\x9f\x98\x80", "ok \xf0\x9f\x98\x80",
         "ok \xf0\x9f\x98\x80"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check(HF_ESCAPE_LINE, rows[i].text, strlen(rows[i].text), rows[i].line);
        check(HF_ESCAPE_JSON, rows[i].text, strlen(rows[i].text), rows[i].json);
        check(HF_ESCAPE_MADE_JSON, rows[i].text, strlen(rows[i].text), rows[i].json);
        check(HF_ESCAPE_LABEL, rows[i].text, strlen(rows[i].text), rows[i].label);
        bool is_same = strcmp(rows[i].text, rows[i].line) == 0;
        assert_int_equal(hf_escape_is_needless(hf_slice_text(rows[i].text)), is_same);
    }
}

static void leaves_the_syntax_of_made_json(void **state)
{
    (void)state;
    check(HF_ESCAPE_MADE_JSON, "{\"a\":\"\\n\xc2\x85\"}\n", 13, "{\"a\":\"\\n\\u0085\"}\n");
}

/* The three ways out agree, and what has no room is cut between characters. */
static void cuts_between_characters(void **state)
{
    static const char text[] = "a\x1b\xe2\x80\xae\xe2\x82\xac\xff\"z";
    static const char whole[] = "a\\x1b\\u202e\xe2\x82\xac\\xff\"z";
    (void)state;
    for (size_t room = 1; room <= sizeof(whole) + 1; room++) {
        char out[64];
        size_t size = hf_escape(HF_ESCAPE_LINE, hf_slice_text(text), out, room);
        assert_true(size < room);
        assert_int_equal(out[size], 0);
        assert_memory_equal(out, whole, size);
        bool is_start = size == strlen(whole) || ((uint8_t)whole[size] & 0xc0) != 0x80;
        assert_true(is_start);
        assert_true(room <= sizeof(whole) - 1 || size == sizeof(whole) - 1);
    }
}

static void appends_and_prints_the_same(void **state)
{
    char text[3000], *printed = NULL;
    size_t printed_size = 0;
    struct hf_bytes bytes = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (char)(i * 7);
    }
    size_t room = sizeof(text) * HF_ESCAPE_UNIT_MAX + 1;
    char *want = malloc(room);
    assert_non_null(want);
    struct hf_slice slice = hf_slice_of(text, sizeof(text));
    size_t size = hf_escape(HF_ESCAPE_LINE, slice, want, room);
    assert_int_equal(hf_escape_append(HF_ESCAPE_LINE, slice, &bytes), HF_OK);
    assert_int_equal(bytes.size, size);
    assert_memory_equal(bytes.data, want, size);
    FILE *out = open_memstream(&printed, &printed_size);
    assert_non_null(out);
    hf_escape_print(HF_ESCAPE_LINE, slice, out);
    fclose(out);
    assert_int_equal(printed_size, size);
    assert_memory_equal(printed, want, size);
    free(printed);
    free(want);
    hf_bytes_release(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spells_out_every_control_byte),
        cmocka_unit_test(spells_out_c1_and_bidi_and_no_other_character),
        cmocka_unit_test(replaces_what_is_no_utf8),
        cmocka_unit_test(leaves_the_syntax_of_made_json),
        cmocka_unit_test(cuts_between_characters),
        cmocka_unit_test(appends_and_prints_the_same),
    };
    return cmocka_run_group_tests_name("escape", tests, NULL, NULL);
}
