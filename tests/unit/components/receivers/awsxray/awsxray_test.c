/* Datagrams: what was read is committed before more is read, and a bad one costs no other. */
#include "tests/unit/components/receivers/intake.h"

extern const struct hf_component hf_receiver_awsxray;

#define SEGMENT(name)                                                                              \
    "{\"format\": \"json\", \"version\": 1}\n{\"trace_id\":"                                       \
    "\"1-58406520-a006649127e371903a2de979\",\"id\":\"53995c3f42cd8ad8\",\"name\":\"" name         \
    "\",\"start_time\":1.5}"

static void send_text(const char *text)
{
    struct sockaddr_in address = address_of(datagram_fd);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(
        sendto(fd, text, strlen(text), 0, (const struct sockaddr *)&address, sizeof(address)),
        strlen(text));
    close(fd);
}

static void the_next_is_read_when_the_last_is_committed(void **state)
{
    struct intake intake;
    int more = 0;
    (void)state;
    open_intake(&intake, &hf_receiver_awsxray, (const char *const[][2]){{NULL, NULL}});
    send_text(SEGMENT("one"));
    struct hf_batch *batch = await_batch();
    assert_true(has_bytes(batch, "one"));
    assert_int_equal(batch->signal, HF_TRACES);
    send_text(SEGMENT("two"));
    assert_int_equal(sem_getvalue(&has_submitted, &more), 0);
    assert_int_equal(more, 0);
    answer(HF_OK);
    batch = await_batch();
    assert_true(has_bytes(batch, "two"));
    assert_int_equal(batch->items, 1);
    answer(HF_OK);
    close_intake(&intake);
}

static void a_full_queue_is_offered_the_same_again(void **state)
{
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_awsxray, (const char *const[][2]){{NULL, NULL}});
    send_text(SEGMENT("one"));
    (void)await_batch();
    answer(HF_FULL);
    struct hf_batch *batch = await_batch();
    assert_true(has_bytes(batch, "one"));
    answer(HF_OK);
    close_intake(&intake);
}

static void a_bad_one_is_told_and_others_go_on(void **state)
{
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_awsxray, (const char *const[][2]){{NULL, NULL}});
    send_text("no segment");
    send_text(SEGMENT("good"));
    assert_true(has_bytes(await_batch(), "good"));
    answer(HF_OK);
    assert_true(node_stub_wait_log(
        &intake.node, "a datagram of 127.0.0.1 is refused: there is no line before the segment"));
    close_intake(&intake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_is_read_when_the_last_is_committed),
        cmocka_unit_test(a_full_queue_is_offered_the_same_again),
        cmocka_unit_test(a_bad_one_is_told_and_others_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
