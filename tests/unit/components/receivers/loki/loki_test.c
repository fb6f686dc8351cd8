/* Bodies of protobuf: a block of snappy, whether a header says so or not, within the limit. */
#include "tests/unit/components/receivers/asked.h"

#include "util/compress/compress.h"

extern const struct hf_component hf_receiver_loki;

#define PUSH "POST /loki/api/v1/push HTTP/1.1\r\nContent-Type: application/x-protobuf\r\n"
/* A stream {a="b"} with the entry "hi" of the second 1. */
#define PUSH_REQUEST "\x0a\x13\x0a\x07{a=\"b\"}\x12\x08\x0a\x02\x08\x01\x12\x02hi"

static const char *const pairs[][2] = {{"protocols.http.endpoint", "localhost:0"},
                                       {"protocols.http.max_request_body_size", "4096"},
                                       {NULL, NULL}};

static struct hf_bytes snappy(const void *data, size_t size)
{
    struct hf_bytes out = {0};
    struct hf_slice piece = hf_slice_of(data, size);
    assert_int_equal(hf_encode(HF_SNAPPY_BLOCK, 0, &piece, 1, &out), HF_OK);
    return out;
}

static void snappy_needs_no_header(void **state)
{
    static const char *const heads[] = {PUSH, PUSH "Content-Encoding: snappy\r\n"};
    struct hf_bytes body = snappy(PUSH_REQUEST, sizeof(PUSH_REQUEST) - 1);
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_loki, pairs);
    for (size_t i = 0; i < 2; i++) {
        int fd = ask(heads[i], body.data, body.size);
        struct hf_batch *batch = await_batch();
        assert_int_equal(batch->items, 1);
        assert_true(has_bytes(batch, "hi"));
        answer(HF_OK);
        assert_answer(fd, 204, "");
    }
    hf_bytes_release(&body);
    close_intake(&intake);
}

static void a_body_that_is_no_snappy_is_refused(void **state)
{
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_loki, pairs);
    assert_answer(ask(PUSH, "\xff\xff\xff\xff\xff\xff", 6), 400,
                  "the protobuf is not compressed with snappy");
    close_intake(&intake);
}

/* Small as it came, and larger than a body may be once it is unpacked. */
static void a_body_that_unpacks_to_more_than_the_limit_is_refused(void **state)
{
    static const char zeros[100000];
    struct hf_bytes body = snappy(zeros, sizeof(zeros));
    struct intake intake;
    (void)state;
    assert_true(body.size < 4096 * 2);
    open_intake(&intake, &hf_receiver_loki,
                (const char *const[][2]){{"protocols.http.endpoint", "localhost:0"},
                                         {"protocols.http.max_request_body_size", "50000"},
                                         {NULL, NULL}});
    assert_answer(ask(PUSH, body.data, body.size), 400, "the body is larger than 50000 bytes");
    hf_bytes_release(&body);
    close_intake(&intake);
}

static void what_is_no_push_is_refused(void **state)
{
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_loki, pairs);
    assert_answer(ask("POST /push HTTP/1.1\r\n", "", 0), 404, "404 page not found");
    assert_answer(ask("PUT /loki/api/v1/push HTTP/1.1\r\n", "", 0), 405, "supported: [POST]");
    assert_answer(
        ask("POST /loki/api/v1/push HTTP/1.1\r\nContent-Type: application/jsonx\r\n", "{}", 2), 415,
        "unsupported media type");
    close_intake(&intake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snappy_needs_no_header),
        cmocka_unit_test(a_body_that_is_no_snappy_is_refused),
        cmocka_unit_test(a_body_that_unpacks_to_more_than_the_limit_is_refused),
        cmocka_unit_test(what_is_no_push_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
