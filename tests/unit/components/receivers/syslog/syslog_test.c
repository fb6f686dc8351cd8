/* Messages of both RFCs, in each framing, become records with the attributes of their fields. */
#include "tests/unit/components/receivers/log_receiver.h"

extern const struct hf_component hf_receiver_syslog;

#define TCP                                                                                        \
    {                                                                                              \
        "tcp.listen_address", "127.0.0.1:0"                                                        \
    }
#define UDP                                                                                        \
    {                                                                                              \
        "udp.listen_address", "127.0.0.1:0"                                                        \
    }
#define NEW                                                                                        \
    {                                                                                              \
        "protocol", "rfc5424"                                                                      \
    }
#define OLD                                                                                        \
    {                                                                                              \
        "protocol", "rfc3164"                                                                      \
    }
#define PAIRS_MAX 6
#define TEXT(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define NUMBER(key, value) "{\"key\":\"" key "\",\"value\":{\"intValue\":\"" value "\"}}"
#define BODY(text) "\"body\":{\"stringValue\":\"" text "\"}"

static const struct {
    const char *pairs[PAIRS_MAX][2], *sent;
    size_t size, records;
    const char *parts[8]; /* of the records, each in any place */
} cases[] = {
#define SENT(text) text, sizeof(text) - 1
    {{TCP, NEW},
     SENT("<34>1 2026-01-02T03:04:05.5Z host app 7 ID [x@1 k=\"v\"] it broke\n"),
     1,
     {"\"timeUnixNano\":\"1767323045500000000\"", "\"severityNumber\":18",
      BODY("<34>1 2026-01-02T03:04:05.5Z host app 7 ID [x@1 k=\\\"v\\\"] it broke"),
      TEXT("hostname", "host"), TEXT("message", "it broke"), NUMBER("facility", "4"),
      TEXT("proc_id", "7")}},
    {{UDP, NEW},
     SENT("<13>1 - - app - - - over UDP\n"),
     1,
     {TEXT("appname", "app"), TEXT("message", "over UDP"), NUMBER("priority", "13")}},
    {{TCP, OLD, {"location", "Europe/Berlin"}},
     SENT("<34>Oct 11 22:14:15 mymachine su: failed\n"),
     1,
     {TEXT("hostname", "mymachine"), TEXT("appname", "su"), TEXT("message", "failed")}},
    {{TCP, OLD},
     SENT("<13>Oct 11 22:14:15 app[12]: no host\n<13> Oct 11 22:14:15 h  b[]: blanks\n"
          "<13>Oct 11 22:14:15 word\n<13>Oct 11 22:14:15 h c[1] no colon\n"
          "<13>Oct 11 22:14:15 h e:f\n"),
     5,
     {TEXT("appname", "app"), TEXT("proc_id", "12"), TEXT("message", "no host"),
      TEXT("message", "blanks"), TEXT("message", "word"), TEXT("message", "c[1] no colon"),
      TEXT("message", "e:f")}},
    {{TCP, NEW, {"enable_octet_counting", "true"}},
     SENT("24 <13>1 - - a - - - a\nline17 <14>1 - - b - - -"),
     2,
     {TEXT("message", "a\\nline"), TEXT("appname", "b")}},
    {{TCP, NEW, {"non_transparent_framing_trailer", "NUL"}},
     SENT("<13>1 - - a - - - a\nb\0<13>1 - - c - - -\0"),
     2,
     {TEXT("message", "a\\nb"), TEXT("appname", "c")}},
    {{TCP, NEW, {"allow_skip_pri_header", "true"}},
     SENT("1 - - a - - - none\n"),
     1,
     {TEXT("message", "none")}},
    {{TCP, NEW}, SENT("is no message\n"), 1, {BODY("is no message")}},
    {{TCP, NEW, {"on_error", "drop"}},
     SENT("is no message\n<13>1 - - a - - - good\n"),
     1,
     {TEXT("message", "good")}},
    {{UDP, OLD, {"udp.add_attributes", "true"}},
     SENT("<34>Oct 11 22:14:15 mymachine su: failed"),
     1,
     {TEXT("net.transport", "IP.UDP"), TEXT("net.peer.ip", "127.0.0.1")}},
};

static void messages_become_records_with_attributes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct intake intake;
        open_intake(&intake, &hf_receiver_syslog, cases[i].pairs);
        bool is_tcp = strncmp(cases[i].pairs[0][0], "tcp", 3) == 0;
        int fd = is_tcp ? connect_to_it() : datagrams_to_it();
        send_text(fd, cases[i].sent, cases[i].size);
        char *json = await_records(cases[i].records);
        for (size_t k = 0; cases[i].parts[k] != NULL; k++) {
            if (strstr(json, cases[i].parts[k]) == NULL) {
                fail_msg("case %zu: %s is not in %s", i, cases[i].parts[k], json);
            }
        }
        free(json);
        expect_no_more();
        close(fd);
        close_intake(&intake);
    }
}

static void a_text_that_is_no_message_is_an_error_in_the_log_unless_quiet(void **state)
{
    static const struct {
        const char *pairs[PAIRS_MAX][2];
        size_t errors;
    } ways[] = {{{TCP, NEW}, 1}, {{TCP, NEW, {"on_error", "send_quiet"}}, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct intake intake;
        open_intake(&intake, &hf_receiver_syslog, ways[i].pairs);
        int fd = connect_to_it();
        SEND(fd, "is no message\n");
        EXPECT_RECORDS(1, BODY("is no message"));
        assert_true(node_stub_wait_log(&intake.node, "syslog_parser: the text is no syslog"));
        assert_int_equal(intake.node.error_count, ways[i].errors);
        close(fd);
        close_intake(&intake);
    }
}

static void a_refused_batch_is_offered_again(void **state)
{
    static const char *const pairs[][2] = {TCP, NEW, {NULL, NULL}};
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_syslog, pairs);
    int fd = connect_to_it();
    SEND(fd, "<13>1 - - a - - - kept\n");
    assert_true(has_bytes(await_batch(), "kept"));
    answer(HF_FULL);
    EXPECT_RECORDS(1, TEXT("message", "kept"));
    close(fd);
    close_intake(&intake);
}

static void what_cannot_be_opened_is_named(void **state)
{
    static const struct {
        const char *pairs[PAIRS_MAX][2], *sentence;
    } wrong[] = {
        {{TCP, NEW, {"tcp.encoding", "klingon"}}, "tcp::encoding: klingon is not known"},
        {{UDP, NEW, {"udp.encoding", "klingon"}}, "udp::encoding: klingon is not known"},
        {{TCP, OLD, {"location", "Nowhere/City"}}, "Nowhere/City"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        expect_refused(&hf_receiver_syslog, wrong[i].pairs, wrong[i].sentence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_become_records_with_attributes),
        cmocka_unit_test(a_text_that_is_no_message_is_an_error_in_the_log_unless_quiet),
        cmocka_unit_test(a_refused_batch_is_offered_again),
        cmocka_unit_test(what_cannot_be_opened_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
