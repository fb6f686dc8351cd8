/* Spans over HTTP are answered when they are on disk; other paths, methods and types are refused
 * with what is wrong. */
#include "tests/unit/components/receivers/asked.h"

extern const struct hf_component hf_receiver_jaeger;

/* A Batch in Thrift's binary protocol: the process "shop", and one span "pay". */
#define BATCH                                                                                      \
    "\x0c\0\x01"                                                                                   \
    "\x0b\0\x01\0\0\0\x04shop"                                                                     \
    "\0"                                                                                           \
    "\x0f\0\x02\x0c\0\0\0\x01"                                                                     \
    "\x0a\0\x01\0\0\0\0\0\0\0\x01"                                                                 \
    "\x0a\0\x02\0\0\0\0\0\0\0\x02"                                                                 \
    "\x0a\0\x03\0\0\0\0\0\0\0\x03"                                                                 \
    "\x0a\0\x04\0\0\0\0\0\0\0\0"                                                                   \
    "\x0b\0\x05\0\0\0\x03pay"                                                                      \
    "\x08\0\x07\0\0\0\x01"                                                                         \
    "\x0a\0\x08\0\0\0\0\0\0\0\x64"                                                                 \
    "\x0a\0\x09\0\0\0\0\0\0\0\x0a"                                                                 \
    "\0"                                                                                           \
    "\0"

static const char *const pairs[][2] = {{"protocols.thrift_http.endpoint", "localhost:0"},
                                       {NULL, NULL}};

static int ask_batch(const char *method, const char *path, const char *type)
{
    char head[512];
    snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\nContent-Type: %s\r\n", method, path, type);
    return ask(head, BATCH, sizeof(BATCH) - 1);
}

static void spans_are_answered_after_their_commit(void **state)
{
    struct intake intake;
    char got[16];
    (void)state;
    open_intake(&intake, &hf_receiver_jaeger, pairs);
    int fd = ask_batch("POST", "/api/traces", "application/x-thrift");
    struct hf_batch *batch = await_batch();
    assert_int_equal(batch->items, 1);
    assert_int_equal(batch->signal, HF_TRACES);
    assert_true(has_bytes(batch, "shop") && has_bytes(batch, "pay"));
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), -1); /* not yet */
    answer(HF_OK);
    assert_int_equal(read_answer(fd).code, 202);
    close_intake(&intake);
}

static void a_full_queue_refuses_to_be_asked_again(void **state)
{
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_jaeger, pairs);
    int fd = ask_batch("POST", "/api/traces", "application/vnd.apache.thrift.binary; charset=x");
    (void)await_batch();
    answer(HF_FULL);
    assert_int_equal(read_answer(fd).code, 503);
    close_intake(&intake);
}

static void what_is_no_request_of_it_is_refused(void **state)
{
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_jaeger, pairs);
    assert_int_equal(read_answer(ask_batch("POST", "/other", "application/x-thrift")).code, 404);
    assert_int_equal(read_answer(ask_batch("PUT", "/api/traces", "application/x-thrift")).code,
                     405);
    assert_int_equal(read_answer(ask_batch("POST", "/api/traces", "application/json")).code, 400);
    close_intake(&intake);
}

static void a_protocol_is_needed(void **state)
{
    struct made_config made;
    (void)state;
    made_config(&made, &hf_receiver_jaeger, (const char *const[][2]){{NULL, NULL}});
    const char *wrong = hf_receiver_jaeger.check(made.config);
    assert_non_null(wrong);
    assert_non_null(strstr(wrong, "at least one protocol"));
    made_config_release(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_answered_after_their_commit),
        cmocka_unit_test(a_full_queue_refuses_to_be_asked_again),
        cmocka_unit_test(what_is_no_request_of_it_is_refused),
        cmocka_unit_test(a_protocol_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
