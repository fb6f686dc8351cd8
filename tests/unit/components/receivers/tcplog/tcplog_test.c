/* Bytes of a connection become records: by lines, patterns, whole, and as they are encoded. */
#include "tests/unit/components/receivers/log_receiver.h"

extern const struct hf_component hf_receiver_tcplog;

#define LISTEN                                                                                     \
    {                                                                                              \
        "listen_address", "127.0.0.1:0"                                                            \
    }
#define BODY(text) "\"body\":{\"stringValue\":\"" text "\"}"
#define LONG_LINE (70u << 10)

static void a_line_is_a_record(void **state)
{
    static const char *const pairs[][2] = {LISTEN, {NULL, NULL}};
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_tcplog, pairs);
    int fd = connect_to_it();
    SEND(fd, "  one \r\n\ntwo\nth");
    EXPECT_RECORDS(3, BODY("one"), BODY(""), BODY("two"));
    SEND(fd, "ree\n"); /* its beginning waited */
    EXPECT_RECORDS(1, BODY("three"));
    SEND(fd, "the last has no end");
    close(fd);
    EXPECT_RECORDS(1, BODY("the last has no end"));
    expect_no_more();
    close_intake(&intake);
}

static void bytes_are_cut_as_the_keys_say(void **state)
{
    static const struct {
        const char *pairs[4][2], *sent;
        size_t records;
        const char *parts[4];
    } cases[] = {
        {{LISTEN, {"preserve_leading_whitespaces", "true"}, {NULL, NULL}},
         "  a  \n",
         1,
         {BODY("  a")}},
        {{LISTEN, {"preserve_trailing_whitespaces", "true"}, {NULL, NULL}},
         "  a  \n",
         1,
         {BODY("a  ")}},
        {{LISTEN, {"multiline.line_start_pattern", "E\\d"}, {NULL, NULL}},
         "E1 a\n b\nE2 c\n",
         2,
         {BODY("E1 a\\n b"), BODY("E2 c")}},
        {{LISTEN, {"multiline.line_end_pattern", ";;"}, {"multiline.omit_pattern", "true"}},
         "a\nb;;c;;",
         2,
         {BODY("a\\nb"), BODY("c")}},
        {{LISTEN, {"one_log_per_packet", "true"}, {NULL, NULL}}, "a\nb\nc", 1, {BODY("a\\nb\\nc")}},
        {{LISTEN, {"encoding", "latin1"}, {NULL, NULL}}, "caf\xe9\n", 1, {BODY("caf\xc3\xa9")}},
        {{LISTEN, {"encoding", "nop"}, {NULL, NULL}},
         "\xff\x01\n",
         1,
         {"\"body\":{\"bytesValue\":\"/wE=\"}"}},
        {{LISTEN, {"add_attributes", "true"}, {NULL, NULL}},
         "a\n",
         1,
         {"net.transport", "IP.TCP", "127.0.0.1"}},
        {{LISTEN, {"attributes.from", "port"}, {"resource.team", "one"}},
         "a\n",
         1,
         {"team", BODY("a"), "from"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct intake intake;
        open_intake(&intake, &hf_receiver_tcplog, cases[i].pairs);
        int fd = connect_to_it();
        send_text(fd, cases[i].sent, strlen(cases[i].sent));
        close(fd);
        expect_records(cases[i].records, cases[i].parts);
        expect_no_more();
        close_intake(&intake);
    }
}

static void a_line_that_is_too_long_is_several_records(void **state)
{
    static const char *const pairs[][2] = {LISTEN, {"max_log_size", "64KiB"}, {NULL, NULL}};
    struct intake intake;
    char *line = malloc(LONG_LINE);
    (void)state;
    assert_non_null(line);
    memset(line, 'x', LONG_LINE);
    line[(64u << 10) - 1] = 'y'; /* the last of the first record */
    line[LONG_LINE - 1] = '\n';
    open_intake(&intake, &hf_receiver_tcplog, pairs);
    int fd = connect_to_it();
    send_text(fd, line, LONG_LINE);
    char *json = await_records(2);
    const char *end = strstr(json, "xy\"");
    assert_non_null(end);
    assert_non_null(strstr(end, "stringValue\":\"xxx"));
    free(json);
    free(line);
    close(fd);
    close_intake(&intake);
}

static void nothing_is_read_behind_a_refused_batch_until_it_is_taken(void **state)
{
    static const char *const pairs[][2] = {LISTEN, {NULL, NULL}};
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_tcplog, pairs);
    int fd = connect_to_it();
    SEND(fd, "first\n");
    assert_true(has_bytes(await_batch(), "first"));
    SEND(fd, "second\n");
    answer(HF_FULL);
    const struct hf_batch *again = await_batch();
    assert_true(has_bytes(again, "first") && !has_bytes(again, "second"));
    answer(HF_OK);
    EXPECT_RECORDS(1, BODY("second"));
    close(fd);
    close_intake(&intake);
}

static void what_cannot_be_opened_is_named(void **state)
{
    static const struct {
        const char *pairs[4][2], *sentence;
    } cases[] = {
        {{LISTEN, {"encoding", "klingon"}, {NULL, NULL}}, "encoding: klingon is not known"},
        {{LISTEN, {"multiline.line_start_pattern", "("}, {NULL, NULL}}, "line_start_pattern"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect_refused(&hf_receiver_tcplog, cases[i].pairs, cases[i].sentence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_a_record),
        cmocka_unit_test(bytes_are_cut_as_the_keys_say),
        cmocka_unit_test(a_line_that_is_too_long_is_several_records),
        cmocka_unit_test(nothing_is_read_behind_a_refused_batch_until_it_is_taken),
        cmocka_unit_test(what_cannot_be_opened_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
