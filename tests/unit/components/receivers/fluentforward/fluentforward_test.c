/* Events come in, and a chunk is acknowledged when it is on disk, not before, and not when it was
 * refused. */
#include "tests/unit/components/receivers/intake.h"

extern const struct hf_component hf_receiver_fluentforward;

/* ["tag", 1, {"log": "hello"}, {"chunk": "c1"}] */
#define EVENT                                                                                      \
    "\x94\xa3tag\x01\x81\xa3log\xa5hello\x81\xa5"                                                  \
    "chunk\xa2"                                                                                    \
    "c1"
/* {"ack": "c1"} */
#define ACK                                                                                        \
    "\x81\xa3"                                                                                     \
    "ack\xda\x00\x02"                                                                              \
    "c1"

static const char *const pairs[][2] = {{"endpoint", "127.0.0.1:0"}, {NULL, NULL}};

static void a_chunk_is_acknowledged_after_its_commit(void **state)
{
    struct intake intake;
    char got[64];
    (void)state;
    open_intake(&intake, &hf_receiver_fluentforward, pairs);
    int fd = connect_to_it();
    assert_int_equal(send(fd, EVENT, sizeof(EVENT) - 1, 0), sizeof(EVENT) - 1);
    struct hf_batch *batch = await_batch();
    assert_int_equal(batch->items, 1);
    assert_int_equal(batch->signal, HF_LOGS);
    assert_true(has_bytes(batch, "hello") && has_bytes(batch, "tag"));
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), -1); /* not yet */
    answer(HF_OK);
    assert_int_equal(recv(fd, got, sizeof(ACK) - 1, MSG_WAITALL), sizeof(ACK) - 1);
    assert_memory_equal(got, ACK, sizeof(ACK) - 1);
    close(fd);
    close_intake(&intake);
}

static void what_was_refused_is_offered_again_before_it_is_acknowledged(void **state)
{
    struct intake intake;
    char got[64];
    (void)state;
    open_intake(&intake, &hf_receiver_fluentforward, pairs);
    int fd = connect_to_it();
    assert_int_equal(send(fd, EVENT, sizeof(EVENT) - 1, 0), sizeof(EVENT) - 1);
    (void)await_batch();
    answer(HF_FULL);
    struct hf_batch *again = await_batch();
    assert_true(has_bytes(again, "hello"));
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), -1);
    answer(HF_OK);
    assert_int_equal(recv(fd, got, sizeof(ACK) - 1, MSG_WAITALL), sizeof(ACK) - 1);
    close(fd);
    close_intake(&intake);
}

static void what_is_no_event_ends_the_connection(void **state)
{
    static const char text[] = "GET / HTTP/1.1\r\n\r\n";
    struct intake intake;
    char got[64];
    (void)state;
    open_intake(&intake, &hf_receiver_fluentforward, pairs);
    int fd = connect_to_it();
    assert_int_equal(send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL), sizeof(text) - 1);
    assert_true(recv(fd, got, sizeof(got), 0) <= 0);
    assert_true(node_stub_wait_log(&intake.node, "closing the connection"));
    close(fd);
    close_intake(&intake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chunk_is_acknowledged_after_its_commit),
        cmocka_unit_test(what_was_refused_is_offered_again_before_it_is_acknowledged),
        cmocka_unit_test(what_is_no_event_ends_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
