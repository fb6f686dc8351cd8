/* Datagrams become records, and wait in the socket's buffer while others are committed. */
#include "tests/unit/components/receivers/log_receiver.h"

extern const struct hf_component hf_receiver_udplog;

#define LISTEN                                                                                     \
    {                                                                                              \
        "listen_address", "127.0.0.1:0"                                                            \
    }
#define BODY(text) "\"body\":{\"stringValue\":\"" text "\"}"

static void a_datagram_is_a_record(void **state)
{
    static const char *const pairs[][2] = {LISTEN, {NULL, NULL}};
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_udplog, pairs);
    int fd = datagrams_to_it();
    SEND(fd, "  one\nof two lines \r\n");
    EXPECT_RECORDS(1, BODY("one\\nof two lines"));
    SEND(fd, "\n"); /* is nothing */
    SEND(fd, "two");
    EXPECT_RECORDS(1, BODY("two"));
    expect_no_more();
    close(fd);
    close_intake(&intake);
}

static void datagrams_are_cut_as_the_keys_say(void **state)
{
    static const struct {
        const char *pairs[4][2], *sent;
        size_t records;
        const char *parts[4];
    } cases[] = {
        {{LISTEN, {"multiline.line_end_pattern", ";"}, {"multiline.omit_pattern", "true"}},
         "a;b;c",
         3,
         {BODY("a"), BODY("b"), BODY("c")}},
        {{LISTEN,
          {"multiline.line_end_pattern", ";"},
          {"one_log_per_packet", "true"},
          {NULL, NULL}},
         "a;b",
         1,
         {BODY("a;b")}},
        {{LISTEN, {"encoding", "nop"}, {NULL, NULL}},
         "\xff\x81",
         1,
         {"\"body\":{\"bytesValue\":\"/4E=\"}"}},
        {{LISTEN, {"add_attributes", "true"}, {"socket_buffer_size", "64KiB"}},
         "a",
         1,
         {"net.transport", "IP.UDP", "127.0.0.1"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct intake intake;
        open_intake(&intake, &hf_receiver_udplog, cases[i].pairs);
        int fd = datagrams_to_it();
        send_text(fd, cases[i].sent, strlen(cases[i].sent));
        expect_records(cases[i].records, cases[i].parts);
        expect_no_more();
        close(fd);
        close_intake(&intake);
    }
}

static void datagrams_wait_while_a_batch_is_not_taken(void **state)
{
    static const char *const pairs[][2] = {LISTEN, {NULL, NULL}};
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_udplog, pairs);
    int fd = datagrams_to_it();
    SEND(fd, "first");
    assert_true(has_bytes(await_batch(), "first"));
    SEND(fd, "second");
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
    static const char *const pairs[][2] = {LISTEN, {"encoding", "klingon"}, {NULL, NULL}};
    (void)state;
    expect_refused(&hf_receiver_udplog, pairs, "encoding: klingon is not known");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_datagram_is_a_record),
        cmocka_unit_test(datagrams_are_cut_as_the_keys_say),
        cmocka_unit_test(datagrams_wait_while_a_batch_is_not_taken),
        cmocka_unit_test(what_cannot_be_opened_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
