/* Streams of OpenCensus: a message is read once the one before it is on disk, and says who sends
 * when it is not the first; the end of a stream is what is answered. */
#include "tests/unit/components/receivers/intake.h"
#include "tests/unit/grpc/raw_h2.h"

extern const struct hf_component hf_receiver_opencensus;

#define AGENT "/opencensus.proto.agent."
#define TRACES AGENT "trace.v1.TraceService/Export"
#define METRICS AGENT "metrics.v1.MetricsService/Export"
#define NODE "\x0a\x08\x1a\x06\x0a\x04shop" /* of the service "shop" */
#define SPAN(name) "\x12\x07\x22\x05\x0a\x03" name
/* The gauge "mem" of integers with the point 7 of the second 1. */
#define METRIC "\x12\x13\x0a\x07\x0a\x03mem\x20\x01\x12\x08\x1a\x06\x0a\x02\x08\x01\x10\x07"

static const char *const pairs[][2] = {{"endpoint", "localhost:0"}, {NULL, NULL}};

struct call {
    struct raw_bytes bytes; /* not sent yet */
    struct raw_reader *reader;
    int fd;
};

static void begin_call(struct call *call, const char *path)
{
    char head[512];
    call->bytes.size = 0;
    call->fd = connect_to_it();
    call->reader = raw_reader_new(call->fd);
    raw_put(&call->bytes, RAW_PREFACE, sizeof(RAW_PREFACE) - 1);
    raw_frame(&call->bytes, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
    snprintf(head, sizeof(head),
             ":method: POST\n:scheme: http\n:authority: x\n:path: %s\nte: trailers\n"
             "content-type: application/grpc\n",
             path);
    raw_headers(&call->bytes, 1, NGHTTP2_FLAG_END_HEADERS, head);
}

static void send_message(struct call *call, const char *message, size_t size)
{
    raw_message(&call->bytes, 1, 0, 0, message, size);
    raw_send(call->fd, &call->bytes);
    call->bytes.size = 0;
}

static void finish(struct call *call)
{
    raw_frame(&call->bytes, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, NULL, 0);
    raw_send(call->fd, &call->bytes);
    call->bytes.size = 0;
}

/* The headers that end the call have the line. */
static void assert_end(struct call *call, const char *line)
{
    do {
        assert_true(raw_find(call->reader, NGHTTP2_HEADERS));
    } while ((call->reader->flags & NGHTTP2_FLAG_END_STREAM) == 0);
    if (strstr(call->reader->headers, line) == NULL) {
        fail_msg("no \"%s\" in:\n%s", line, call->reader->headers);
    }
    raw_reader_free(call->reader);
}

static void a_message_is_read_once_the_one_before_is_on_disk(void **state)
{
    static struct call call;
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_opencensus, pairs);
    begin_call(&call, TRACES);
    send_message(&call, NODE SPAN("one"), sizeof(NODE SPAN("one")) - 1);
    send_message(&call, SPAN("two"), sizeof(SPAN("two")) - 1);
    struct hf_batch *batch = await_batch();
    assert_int_equal(batch->signal, HF_TRACES);
    assert_true(has_bytes(batch, "shop") && has_bytes(batch, "one") && !has_bytes(batch, "two"));
    assert_int_equal(sem_trywait(&has_submitted), -1);
    answer(HF_OK);
    batch = await_batch();
    assert_true(has_bytes(batch, "two") && has_bytes(batch, "shop")); /* who it is is known */
    answer(HF_OK);
    finish(&call);
    assert_end(&call, "grpc-status: 0\n");
    close_intake(&intake);
}

static void metrics_have_a_method_of_their_own(void **state)
{
    static struct call call;
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_opencensus, pairs);
    begin_call(&call, METRICS);
    send_message(&call, NODE METRIC, sizeof(NODE METRIC) - 1);
    struct hf_batch *batch = await_batch();
    assert_int_equal(batch->signal, HF_METRICS);
    assert_true(has_bytes(batch, "shop") && has_bytes(batch, "mem"));
    answer(HF_OK);
    finish(&call);
    assert_end(&call, "grpc-status: 0\n");
    close_intake(&intake);
}

static void what_is_no_message_ends_the_stream(void **state)
{
    static struct call call;
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_opencensus, pairs);
    begin_call(&call, TRACES);
    send_message(&call, "\x12\x7f", 2);
    assert_end(&call, "grpc-status: 3\n");
    begin_call(&call, AGENT "trace.v1.TraceService/Config");
    send_message(&call, "", 0);
    assert_end(&call, "grpc-status: 12\n");
    close_intake(&intake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_read_once_the_one_before_is_on_disk),
        cmocka_unit_test(metrics_have_a_method_of_their_own),
        cmocka_unit_test(what_is_no_message_ends_the_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
