/* Where messages of logs end. */
#include "support/lines/log_frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/component.h>

#define SEEN_MAX 512

/* The messages, each in brackets, then how many bytes are left. */
static void frames_of(const struct hf_log_frames *frames, struct hf_slice rest, bool at_end,
                      char *ret_seen)
{
    struct hf_stream_message message;
    bool skipping = false;
    size_t size = 0;
    ret_seen[0] = '\0';
    while (hf_log_frames_cut(frames, rest, at_end, &skipping, &message)) {
        assert_true(message.used != 0 && message.used <= rest.size);
        if (!message.is_nothing) {
            size += (size_t)snprintf(ret_seen + size, SEEN_MAX - size, "<%.*s>",
                                     (int)message.bytes.size, (const char *)message.bytes.data);
        }
        rest = hf_slice_of(rest.data + message.used, rest.size - message.used);
    }
    snprintf(ret_seen + size, SEEN_MAX - size, "%zu", rest.size);
}

static void cuts_by_lines_octets_and_nul(void **state)
{
    static const struct {
        enum hf_log_framing framing;
        bool is_whole, at_end;
        struct hf_slice bytes;
        const char *seen;
    } cases[] = {
#define TEXT(text) {(const uint8_t *)(text), sizeof(text) - 1}
        {HF_LOG_FRAMING_LINES, false, false, TEXT("a\nb \r\nc"), "<a><b>1"},
        {HF_LOG_FRAMING_LINES, false, true, TEXT("a\nc"), "<a><c>0"},
        {HF_LOG_FRAMING_LINES, false, false, TEXT("0123456789abcdefghij\n"),
         "<0123456789abcdef><ghij>0"},
        {HF_LOG_FRAMING_OCTETS, false, false, TEXT("3 abc4 de\nf5 g"), "<3 abc><4 de\nf>3"},
        {HF_LOG_FRAMING_OCTETS, false, true, TEXT("3 abc5 g"), "<3 abc><5 g>0"},
        {HF_LOG_FRAMING_OCTETS, false, false, TEXT("3 abc\n3 def"), "<3 abc><3 def>0"},
        {HF_LOG_FRAMING_OCTETS, false, false, TEXT("12"), "2"},
        {HF_LOG_FRAMING_OCTETS, false, false, TEXT("<34>x\n3 abc"), "<<34>x><3 abc>0"},
        {HF_LOG_FRAMING_OCTETS, false, false, TEXT("0 \n1 x"), "<0><1 x>0"},
        {HF_LOG_FRAMING_OCTETS, false, false, TEXT("999 abc"), "7"},
        {HF_LOG_FRAMING_OCTETS, false, false, TEXT("9999999999 abc"), "14"},
        {HF_LOG_FRAMING_NUL, false, false, TEXT("a\nb\0\0c\0d"), "<a\nb><c>1"},
        {HF_LOG_FRAMING_NUL, false, true, TEXT("d"), "<d>0"},
        {HF_LOG_FRAMING_LINES, true, false, TEXT("a\nb"), "3"},
        {HF_LOG_FRAMING_LINES, true, true, TEXT(" a\nb\n"), "<a\nb>0"},
        {HF_LOG_FRAMING_LINES, true, false, TEXT("0123456789abcdefg"), "<0123456789abcdef>1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char seen[SEEN_MAX], error[HF_ERROR_MAX];
        struct hf_encoding encoding;
        struct hf_log_frames frames;
        const struct hf_log_frames_options options = {.framing = cases[i].framing,
                                                      .section = "",
                                                      .is_whole = cases[i].is_whole,
                                                      .bytes_max = 16};
        assert_int_equal(hf_encoding_open("utf-8", &encoding), HF_OK);
        assert_int_equal(hf_log_frames_open(&frames, &options, &encoding, error), HF_OK);
        frames_of(&frames, cases[i].bytes, cases[i].at_end, seen);
        if (strcmp(seen, cases[i].seen) != 0) {
            fail_msg("case %zu: %s, not %s", i, seen, cases[i].seen);
        }
        hf_log_frames_close(&frames);
        hf_encoding_close(&encoding);
    }
}

static void bad_patterns_are_named(void **state)
{
    static const struct {
        const char *start, *end, *says;
    } cases[] = {
        {"(", NULL, "tcp::multiline::line_start_pattern: "},
        {NULL, "(", "tcp::multiline::line_end_pattern: "},
        {"a", "b", "tcp::multiline: line_start_pattern and line_end_pattern exclude each other"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char error[HF_ERROR_MAX] = "";
        struct hf_encoding encoding;
        struct hf_log_frames frames;
        const struct hf_log_frames_options options = {
            .section = "tcp::", .start = cases[i].start, .end = cases[i].end, .bytes_max = 16};
        assert_int_equal(hf_encoding_open("utf-8", &encoding), HF_OK);
        assert_int_equal(hf_log_frames_open(&frames, &options, &encoding, error), HF_INVALID);
        assert_non_null(strstr(error, cases[i].says));
        hf_log_frames_close(&frames);
        hf_encoding_close(&encoding);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_by_lines_octets_and_nul),
        cmocka_unit_test(bad_patterns_are_named),
    };
    return cmocka_run_group_tests_name("log_frames", tests, NULL, NULL);
}
