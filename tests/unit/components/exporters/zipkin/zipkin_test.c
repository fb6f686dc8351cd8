/* Requests as Zipkin gets them, and what its answers mean. */
#include "tests/unit/made_config.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/server.h"
#include "tests/support/node_stub.c"
#include "util/compress/compress.h"
#include "util/time/clock.h"

extern const struct hf_component hf_exporter_zipkin;

/* Remembers the last request and answers as it is told. */
struct backend {
    struct hf_http_server *server;
    struct hf_http_answer answer;
    unsigned requests;
    char line[512], body[2048];
};

struct heard {
    struct hf_export export; /* first */
    struct hf_loop *loop;
    struct hf_outcome outcome;
    char message[300];
};

void hf_export_done(struct hf_export *export, const struct hf_outcome *outcome)
{
    struct heard *heard = (struct heard *)(void *)export;
    heard->outcome = *outcome;
    snprintf(heard->message, sizeof(heard->message), "%s",
             outcome->message != NULL ? outcome->message : "");
    hf_loop_stop(heard->loop);
}

static void on_request(void *user, struct hf_http_request *request, enum hf_status fault)
{
    struct backend *backend = user;
    const struct hf_http_body *body = hf_http_request_body(request);
    struct hf_slice type = hf_http_header(request, "content-type");
    assert_int_equal(fault, HF_OK);
    backend->requests++;
    snprintf(backend->line, sizeof(backend->line), "%s %s %.*s", hf_http_method(request),
             hf_http_path(request), (int)type.size, (const char *)type.data);
    snprintf(backend->body, sizeof(backend->body), "%.*s", (int)body->raw.size,
             (const char *)body->raw.data);
    hf_http_answer(request, &backend->answer);
}

struct fixture {
    struct backend backend;
    struct hf_node node;
    struct made_config made;
    void *exporter;
};

static void open_fixture(struct fixture *fixture, const char *format)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    char error[HF_ERROR_MAX], endpoint[100];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *fixture = (struct fixture){.backend = {.answer = {.status = 202}}, .node = {.id = "zipkin"}};
    node_stub_init(&fixture->node);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(listen(fd, 8), 0);
    const struct hf_http_server_options options = {
        .listen_fd = fd, .on_request = on_request, .user = &fixture->backend};
    assert_int_equal(hf_http_server_new(&options, &fixture->backend.server, error), HF_OK);
    snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%u/api/v2/spans",
             ntohs(address.sin_port));
    assert_int_equal(hf_loop_new(&fixture->node.loop), HF_OK);
    made_config(&fixture->made, &hf_exporter_zipkin,
                (const char *const[][2]){{"endpoint", endpoint}, {"format", format}, {NULL, NULL}});
    assert_null(hf_exporter_zipkin.check(fixture->made.config));
    assert_int_equal(
        hf_exporter_zipkin.open(&fixture->node, fixture->made.config, &fixture->exporter, error),
        HF_OK);
}

static void close_fixture(struct fixture *fixture)
{
    hf_exporter_zipkin.close(fixture->exporter);
    hf_http_server_free(fixture->backend.server);
    hf_loop_free(fixture->node.loop);
    made_config_release(&fixture->made);
}

/* A resource with a span that has its ids and is called "s". */
static const uint8_t good[] = {
    0x0a, 0x23, 0x12, 0x21, 0x12, 0x1f, 0x0a, 0x10, 1, 2, 3, 4, 5, 6, 7, 8,    9,    10, 11,
    12,   13,   14,   15,   16,   0x12, 0x08, 1,    2, 3, 4, 5, 6, 7, 8, 0x2a, 0x01, 's'};
/* One with a span without ids. */
static const uint8_t bad[] = {0x0a, 0x07, 0x12, 0x05, 0x12, 0x03, 0x2a, 0x01, 's'};

static void send_one(struct fixture *fixture, struct hf_slice first, struct hf_slice second,
                     struct heard *heard)
{
    const struct hf_export_body bodies[] = {
        {.wire = first, .items = 1, .raw_size = first.size},
        {.wire = second, .items = 1, .raw_size = second.size},
    };
    *heard = (struct heard){.export = {.signal = HF_TRACES,
                                       .items = 2,
                                       .bodies = bodies,
                                       .body_count = 2,
                                       .attempt = 1,
                                       .deadline_ns = hf_clock_monotonic_ns() + 10 * HF_NS_PER_S},
                            .loop = fixture->node.loop};
    hf_exporter_zipkin.exporter->send(fixture->exporter, &heard->export);
    if (heard->outcome.status == HF_OK && heard->outcome.rejected_items == 2) {
        return; /* without a request */
    }
    hf_loop_run(fixture->node.loop);
}

#define GOOD hf_slice_of(good, sizeof(good))
#define BAD hf_slice_of(bad, sizeof(bad))

static void spans_are_sent_in_either_form(void **state)
{
    static const struct {
        const char *format, *line, *body;
    } cases[] = {
        {"json", "POST /api/v2/spans application/json",
         "\"traceId\":\"0102030405060708090a0b0c0d0e0f10\""},
        {"proto", "POST /api/v2/spans application/x-protobuf", "\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture fixture;
        struct heard heard;
        open_fixture(&fixture, cases[i].format);
        send_one(&fixture, GOOD, GOOD, &heard);
        assert_int_equal(heard.outcome.status, HF_OK);
        assert_int_equal(heard.outcome.rejected_items, 0);
        assert_string_equal(fixture.backend.line, cases[i].line);
        assert_non_null(strstr(fixture.backend.body, cases[i].body));
        close_fixture(&fixture);
    }
}

static void a_span_without_ids_counts_as_rejected(void **state)
{
    struct fixture fixture;
    struct heard heard;
    (void)state;
    open_fixture(&fixture, "json");
    send_one(&fixture, GOOD, BAD, &heard);
    assert_int_equal(heard.outcome.status, HF_OK);
    assert_int_equal(heard.outcome.rejected_items, 1);
    assert_non_null(strstr(heard.message, "without trace id or span id"));
    assert_int_equal(fixture.backend.requests, 1);
    close_fixture(&fixture);
}

static void an_answer_says_what_is_to_be_done(void **state)
{
    static const struct {
        int code;
        enum hf_status status;
    } cases[] = {{200, HF_OK},        {400, HF_INVALID},   {401, HF_UNAUTHENTICATED},
                 {404, HF_NOT_FOUND}, {413, HF_TOO_LARGE}, {429, HF_BUSY},
                 {503, HF_AGAIN}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture fixture;
        struct heard heard;
        open_fixture(&fixture, "json");
        fixture.backend.answer.status = cases[i].code;
        send_one(&fixture, GOOD, GOOD, &heard);
        assert_int_equal(heard.outcome.status, cases[i].status);
        assert_int_equal(heard.outcome.code, cases[i].code);
        close_fixture(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_sent_in_either_form),
        cmocka_unit_test(a_span_without_ids_counts_as_rejected),
        cmocka_unit_test(an_answer_says_what_is_to_be_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
