#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/tail/lines.h"
#include "util/regex/regex.h"

/* All entries of a text, with | behind each; what waits for more is left out. */
static void cut_all(struct hf_lines *lines, const char *text, bool at_end, char *out, size_t room)
{
    struct hf_slice rest = hf_slice_text(text);
    struct hf_line line;
    bool skipping = false;
    size_t size = 0;
    out[0] = '\0';
    while (rest.size != 0 && hf_lines_next(lines, rest, at_end, &skipping, &line)) {
        assert_true(line.used != 0 && line.used <= rest.size);
        size += (size_t)snprintf(out + size, room - size, "%.*s|", (int)line.text.size,
                                 (const char *)line.text.data);
        rest = hf_slice_of(rest.data + line.used, rest.size - line.used);
    }
}

static void entries_are_cut_where_they_end(void **state)
{
    static const struct {
        const char *start, *end;
        bool omit, truncates, at_end;
        size_t max;
        const char *text, *cut;
    } rows[] = {
        {.text = "a\nb\r\n\n c \nrest", .cut = "a|b||c|"},
        {.text = "a\nrest", .at_end = true, .cut = "a|rest|"},
        {.text = "abcdefgh\nx\n", .max = 3, .cut = "abc|def|gh|x|"},
        {.text = "abcdefgh\nx\n", .max = 3, .truncates = true, .cut = "abc|x|"},
        {.start = "^\\d", .text = "junk\n1 a\n b\n2 c\n3", .cut = "junk|1 a\n b|2 c|"},
        {.start = "S", .omit = true, .text = "S a S b S", .cut = "a|b|"},
        {.end = ";", .text = "a;b;cd", .cut = "a;|b;|"},
        {.end = ";", .omit = true, .at_end = true, .text = "a;b;c", .cut = "a|b|c|"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_encoding encoding;
        char why[HF_REGEX_ERROR_MAX], out[256];
        assert_int_equal(hf_encoding_open("utf-8", &encoding), HF_OK);
        struct hf_lines lines = {.encoding = &encoding,
                                 .omit_pattern = rows[i].omit,
                                 .truncates = rows[i].truncates,
                                 .bytes_max = rows[i].max != 0 ? rows[i].max : 100};
        if (rows[i].start != NULL) {
            assert_int_equal(hf_lines_pattern(rows[i].start, &lines.start, why), HF_OK);
        }
        if (rows[i].end != NULL) {
            assert_int_equal(hf_lines_pattern(rows[i].end, &lines.end, why), HF_OK);
        }
        cut_all(&lines, rows[i].text, rows[i].at_end, out, sizeof(out));
        assert_string_equal(out, rows[i].cut);
        hf_regex_free(lines.start);
        hf_regex_free(lines.end);
        hf_encoding_close(&encoding);
    }
}

static void text_of_other_encodings_becomes_utf8(void **state)
{
    static const struct {
        const char *encoding, *bytes, *text;
        size_t size;
    } rows[] = {
        {"utf-8",
         "a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b",
         3},
        {"utf-16le", "a\0\xe4\0", "a\xc3\xa4", 4},
        {"utf-16be", "\0a\0\xe4", "a\xc3\xa4", 4},
        {"latin1", "\xe4", "\xc3\xa4", 1},
        {"ascii", "a\xe4", "a\xef\xbf\xbd", 2},
        {"big5", "\xa4\xa4", "\xe4\xb8\xad", 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_encoding encoding;
        struct hf_bytes scratch = {0};
        struct hf_slice text;
        assert_int_equal(hf_encoding_open(rows[i].encoding, &encoding), HF_OK);
        assert_int_equal(hf_encoding_decode(&encoding, hf_slice_of(rows[i].bytes, rows[i].size),
                                            &scratch, &text),
                         HF_OK);
        assert_true(hf_slice_is(text, rows[i].text));
        hf_bytes_release(&scratch);
        hf_encoding_close(&encoding);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_cut_where_they_end),
        cmocka_unit_test(text_of_other_encodings_becomes_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
