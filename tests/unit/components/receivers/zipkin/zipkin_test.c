/* Spans are answered when they are on disk; which of Zipkin's formats a body has is told by its
 * path and its type. */
#include "tests/unit/components/receivers/asked.h"

extern const struct hf_component hf_receiver_zipkin;

#define V2 "POST /api/v2/spans HTTP/1.1\r\nContent-Type: application/json\r\n"
#define V1 "POST /api/v1/spans HTTP/1.1\r\n"
#define IDS "\"traceId\":\"000000000000000a\",\"id\":\"000000000000000b\",\"name\":\"pay\""
#define SPAN_V2                                                                                    \
    "[{" IDS ",\"localEndpoint\":{\"serviceName\":\"shop\"},\"tags\":{\"items\":\"7\"}}]"
#define SPAN_V1                                                                                    \
    "[{" IDS ",\"binaryAnnotations\":[{\"key\":\"items\",\"value\":\"7\","                         \
    "\"endpoint\":{\"serviceName\":\"shop\"}}]}]"
/* A list of one span of v2: its ids and its name. */
#define SPAN_PROTO                                                                                 \
    "\x0a\x1d\x0a\x08\0\0\0\0\0\0\0\x0a\x1a\x08\0\0\0\0\0\0\0\x0b\x2a\x03pay\x28\x01\x30\x01"
/* A list of one struct: trace id, name, id. */
#define SPAN_THRIFT                                                                                \
    "\x0c\0\0\0\x01"                                                                               \
    "\x0a\0\x01\0\0\0\0\0\0\0\x0a"                                                                 \
    "\x0b\0\x03\0\0\0\x03pay"                                                                      \
    "\x0a\0\x04\0\0\0\0\0\0\0\x0b"                                                                 \
    "\0"

static const char *const pairs[][2] = {{"endpoint", "localhost:0"}, {NULL, NULL}};

static void spans_are_answered_after_their_commit(void **state)
{
    struct intake intake;
    char got[16];
    (void)state;
    open_intake(&intake, &hf_receiver_zipkin, pairs);
    int fd = ask(V2, SPAN_V2, sizeof(SPAN_V2) - 1);
    struct hf_batch *batch = await_batch();
    assert_int_equal(batch->items, 1);
    assert_int_equal(batch->signal, HF_TRACES);
    assert_true(has_bytes(batch, "shop") && has_bytes(batch, "pay"));
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), -1); /* not yet */
    answer(HF_OK);
    assert_answer(fd, 202, "");
    close_intake(&intake);
}

static void every_format_is_told_by_path_and_type(void **state)
{
    static const struct {
        const char *head, *body;
        size_t size;
    } cases[] = {
        {V1 "Content-Type: application/json\r\n", SPAN_V1, sizeof(SPAN_V1) - 1},
        {V1 "Content-Type: application/x-thrift\r\n", SPAN_THRIFT, sizeof(SPAN_THRIFT) - 1},
        {"POST / HTTP/1.1\r\nContent-Type: text/plain\r\n", SPAN_V2, sizeof(SPAN_V2) - 1},
        {"POST /zipkin/api/v1/spans HTTP/1.1\r\n", SPAN_V1, sizeof(SPAN_V1) - 1},
        {"POST /api/v2/spans HTTP/1.1\r\nContent-Type: application/x-protobuf\r\n", SPAN_PROTO,
         sizeof(SPAN_PROTO) - 1},
    };
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_zipkin, pairs);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = ask(cases[i].head, cases[i].body, cases[i].size);
        struct hf_batch *batch = await_batch();
        assert_true(batch->items == 1 && has_bytes(batch, "pay"));
        answer(HF_OK);
        assert_answer(fd, 202, "");
    }
    close_intake(&intake);
}

static void tags_that_look_like_numbers_are_numbers_when_told(void **state)
{
    static const char *const parsing[][2] = {
        {"endpoint", "localhost:0"}, {"parse_string_tags", "true"}, {NULL, NULL}};
    for (int parses = 0; parses < 2; parses++) {
        struct intake intake;
        (void)state;
        open_intake(&intake, &hf_receiver_zipkin, parses ? parsing : pairs);
        int fd = ask(V2, SPAN_V2, sizeof(SPAN_V2) - 1);
        struct hf_batch *batch = await_batch();
        /* The key, and a value that is a text of one byte, or the integer 7. */
        assert_int_equal(has_bytes(batch, "items\x12\x03\x0a\x01\x37"), !parses);
        assert_int_equal(has_bytes(batch, "items\x12\x02\x18\x07"), parses);
        answer(HF_OK);
        assert_answer(fd, 202, "");
        close_intake(&intake);
    }
}

static void what_is_no_request_of_it_is_refused(void **state)
{
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_zipkin, pairs);
    assert_answer(ask("GET /api/v2/spans HTTP/1.1\r\n", "", 0), 405, "supported: [POST]");
    assert_answer(ask(V2, "[{]", 3), 400, "");
    assert_answer(ask(V1 "Content-Type: application/x-thrift\r\n", "\x0c\0\0", 3), 400, "");
    int fd = ask(V2, SPAN_V2, sizeof(SPAN_V2) - 1);
    (void)await_batch();
    answer(HF_FULL);
    assert_answer(fd, 503, "");
    close_intake(&intake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_answered_after_their_commit),
        cmocka_unit_test(every_format_is_told_by_path_and_type),
        cmocka_unit_test(tags_that_look_like_numbers_are_numbers_when_told),
        cmocka_unit_test(what_is_no_request_of_it_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
