/* Lines reach the file whole, in the form asked for, and repeats are held back. */
#include "util/log/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h> /* needs the three before it */

struct place {
    char path[64];
    const char *paths[1];
};

static struct hf_log *open_log(struct place *place, const char *encoding, enum hf_log_level level)
{
    char error[512];
    struct hf_log *log = NULL;
    snprintf(place->path, sizeof(place->path), "/tmp/hf-log-test-XXXXXX");
    int fd = mkstemp(place->path);
    assert_true(fd >= 0);
    close(fd);
    place->paths[0] = place->path;
    const struct hf_log_options options = {
        .level = level, .encoding = encoding, .output_paths = {place->paths, 1}};
    assert_int_equal(hf_log_new(&options, &log, error), HF_OK);
    return log;
}

static size_t read_log(struct hf_log *log, struct place *place, char *out, size_t room)
{
    hf_log_free(log);
    int fd = open(place->path, O_RDONLY);
    ssize_t got = read(fd, out, room - 1);
    close(fd);
    unlink(place->path);
    out[got > 0 ? got : 0] = '\0';
    size_t lines = 0;
    for (const char *p = out; *p != '\0'; p++) {
        lines += *p == '\n' ? 1 : 0;
    }
    return lines;
}

static void writes_json_with_everything_escaped(void **state)
{
    struct place place;
    char text[8192];
    struct hf_log *log = open_log(&place, "json", HF_LOG_INFO);
    (void)state;
    hf_log_line(log, HF_LOG_WARN, "otlp/a", "say \"%s\"\n", "x\\y");
    assert_int_equal(read_log(log, &place, text, sizeof(text)), 1);
    assert_non_null(strstr(text, "\"level\":\"warn\""));
    assert_non_null(strstr(text, "\"name\":\"otlp/a\""));
    assert_non_null(strstr(text, "say \\\"x\\\\y\\\"\\n"));
}

/* Texts of strangers in the component and the message, in both encodings. */
static void lets_no_text_steer_a_terminal_or_end_a_line(void **state)
{
    static const struct {
        const char *encoding, *wants;
    } rows[] = {
        {"console", "\to\\x1bp\tm\\n\\x1b[2J\\u009b\\x9b\\u202e\\xff \xc3\xa9"},
        {"json", "\"name\":\"o\\u001bp\",\"msg\":"
                 "\"m\\n\\u001b[2J\\u009b\\ufffd\\u202e\\ufffd \xc3\xa9\"}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct place place;
        char text[8192];
        struct hf_log *log = open_log(&place, rows[i].encoding, HF_LOG_INFO);
        hf_log_line(log, HF_LOG_WARN, "o\x1bp", "m%s",
                    "\n\x1b[2J\xc2\x9b\x9b\xe2\x80\xae\xff \xc3\xa9");
        assert_int_equal(read_log(log, &place, text, sizeof(text)), 1);
        assert_non_null(strstr(text, rows[i].wants));
    }
}

static void writes_fields_as_keys_of_their_own(void **state)
{
    static const struct {
        const char *encoding, *wants;
    } rows[] = {
        {"console", "\tinfo\to\tdone\t{\"error\":\"say \\\"x\\\"\",\"code\":-14}\n"},
        {"json", "\"name\":\"o\",\"msg\":\"done\",\"error\":\"say \\\"x\\\"\",\"code\":-14}\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct place place;
        char text[8192];
        struct hf_log *log = open_log(&place, rows[i].encoding, HF_LOG_INFO);
        hf_log_keys(log, HF_LOG_INFO, "o", "done",
                    HF_LOG_KEYS(HF_LOG_TEXT("error", "say \"x\""), HF_LOG_TEXT("absent", NULL),
                                HF_LOG_NUMBER("code", -14)));
        assert_int_equal(read_log(log, &place, text, sizeof(text)), 1);
        assert_non_null(strstr(text, rows[i].wants));
    }
}

static void writes_durations_as_go_does(void **state)
{
    static const struct {
        int64_t ns;
        const char *wants;
    } rows[] = {
        {0, "{\"d\":\"0us\"}"},
        {1500, "{\"d\":\"1.5us\"}"},
        {50000000, "{\"d\":\"50ms\"}"},
        {5200000000, "{\"d\":\"5.2s\"}"},
        {90500000000, "{\"d\":\"1m30.5s\"}"},
        {3600000000000, "{\"d\":\"1h0m0s\"}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct place place;
        char text[8192];
        struct hf_log *log = open_log(&place, "console", HF_LOG_INFO);
        hf_log_keys(log, HF_LOG_INFO, "o", "done", HF_LOG_KEYS(HF_LOG_DURATION("d", rows[i].ns)));
        assert_int_equal(read_log(log, &place, text, sizeof(text)), 1);
        assert_non_null(strstr(text, rows[i].wants));
    }
}

/* More fields than a line has room for: it stays one whole line. */
static void cuts_fields_that_do_not_fit(void **state)
{
    struct place place;
    char text[32768], big[3000];
    struct hf_log *log = open_log(&place, "json", HF_LOG_INFO);
    (void)state;
    memset(big, '"', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    hf_log_keys(log, HF_LOG_INFO, "a", "m",
                HF_LOG_KEYS(HF_LOG_TEXT("a", big), HF_LOG_TEXT("b", big), HF_LOG_TEXT("c", big),
                            HF_LOG_NUMBER("d", 1)));
    assert_int_equal(read_log(log, &place, text, sizeof(text)), 1);
    assert_int_equal(text[strlen(text) - 2], '}');
    assert_true(strlen(text) < 4096);
}

static void leaves_out_what_is_below_the_level(void **state)
{
    struct place place;
    char text[8192];
    struct hf_log *log = open_log(&place, "console", HF_LOG_WARN);
    (void)state;
    hf_log_line(log, HF_LOG_INFO, "a", "no");
    hf_log_line(log, HF_LOG_ERROR, "a", "yes");
    assert_int_equal(read_log(log, &place, text, sizeof(text)), 1);
    assert_non_null(strstr(text, "\terror\ta\tyes"));
}

static void holds_repeats_back(void **state)
{
    struct place place;
    char text[65536];
    struct hf_log *log = open_log(&place, "console", HF_LOG_INFO);
    (void)state;
    for (int i = 0; i < 1000; i++) {
        hf_log_line(log, HF_LOG_INFO, "a", "again %d", i);
    }
    hf_log_line(log, HF_LOG_INFO, "b", "again %d", 0);
    size_t lines = read_log(log, &place, text, sizeof(text));
    assert_true(lines >= 12 && lines <= 25);
    assert_non_null(strstr(text, "more like this"));
    assert_non_null(strstr(text, "\tb\tagain 0"));
}

static void survives_lines_longer_than_a_line_may_be(void **state)
{
    struct place place;
    char text[16384];
    char big[9000];
    struct hf_log *log = open_log(&place, "json", HF_LOG_INFO);
    (void)state;
    memset(big, '"', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    hf_log_line(log, HF_LOG_INFO, "a", "%s", big);
    assert_int_equal(read_log(log, &place, text, sizeof(text)), 1);
    assert_int_equal(text[strlen(text) - 2], '}');
}

static void says_which_output_cannot_be_opened(void **state)
{
    char error[512] = "";
    struct hf_log *log = NULL;
    const char *const paths[] = {"/no/such/directory/log"};
    const struct hf_log_options options = {.output_paths = {paths, 1}};
    (void)state;
    assert_int_equal(hf_log_new(&options, &log, error), HF_IO);
    assert_non_null(strstr(error, "/no/such/directory/log"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_json_with_everything_escaped),
        cmocka_unit_test(lets_no_text_steer_a_terminal_or_end_a_line),
        cmocka_unit_test(writes_fields_as_keys_of_their_own),
        cmocka_unit_test(writes_durations_as_go_does),
        cmocka_unit_test(cuts_fields_that_do_not_fit),
        cmocka_unit_test(leaves_out_what_is_below_the_level),
        cmocka_unit_test(holds_repeats_back),
        cmocka_unit_test(survives_lines_longer_than_a_line_may_be),
        cmocka_unit_test(says_which_output_cannot_be_opened),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
