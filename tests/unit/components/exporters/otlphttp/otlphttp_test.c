#include "tests/unit/made_config.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/server.h"
#include "util/compress/compress.h"
#include "util/loop.h"
#include "util/time/clock.h"

extern const struct hf_component hf_exporter_otlphttp;

/* What the graph would be: the exporter's loop, its authenticator, and the sender that hears
 * outcomes. */
struct hf_node {
    struct hf_loop *loop;
    const struct hf_auth *auth;
};

struct heard {
    struct hf_export export; /* first */
    struct hf_loop *loop;
    bool done;
    struct hf_outcome outcome;
    char message[600];
};

const char *hf_node_id(const struct hf_node *node)
{
    (void)node;
    return "otlphttp";
}

struct hf_loop *hf_node_own_loop(const struct hf_node *node)
{
    return node->loop;
}

enum hf_status hf_node_auth(const struct hf_node *node, const char *id,
                            const struct hf_auth **ret_auth, void **ret_self)
{
    (void)id;
    *ret_auth = node->auth;
    *ret_self = NULL;
    return node->auth != NULL ? HF_OK : HF_NOT_FOUND;
}

void hf_node_log(const struct hf_node *node, enum hf_log_level level, const char *format, ...)
{
    (void)node;
    (void)level;
    (void)format;
}

void hf_node_log_keys(const struct hf_node *node, enum hf_log_level level, const char *message,
                      const struct hf_log_key *keys)
{
    (void)node;
    (void)level;
    (void)message;
    (void)keys;
}

void hf_export_done(struct hf_export *export, const struct hf_outcome *outcome)
{
    struct heard *heard = (struct heard *)(void *)export;
    assert_false(heard->done);
    heard->done = true;
    heard->outcome = *outcome;
    snprintf(heard->message, sizeof(heard->message), "%s",
             outcome->message != NULL ? outcome->message : "");
    hf_loop_stop(heard->loop);
}

/* A backend that remembers the last request and answers as it is told. */
struct backend {
    struct hf_http_server *server;
    unsigned port;
    struct hf_http_answer answer;
    bool silent;
    struct hf_http_request *held;
    char line[1024]; /* of the request */
    uint8_t body[1000];
    size_t body_size;
};

static void on_request(void *user, struct hf_http_request *request, enum hf_status fault)
{
    struct backend *backend = user;
    const struct hf_http_body *body = hf_http_request_body(request);
    struct hf_slice type = hf_http_header(request, "content-type");
    struct hf_slice coding = hf_http_header(request, "content-encoding");
    struct hf_slice tenant = hf_http_header(request, "x-tenant");
    struct hf_slice agent = hf_http_header(request, "user-agent");
    snprintf(backend->line, sizeof(backend->line),
             "%s %s fault=%s type=%.*s coding=%.*s tenant=%.*s agent=%.*s", hf_http_method(request),
             hf_http_path(request), hf_status_row(fault)->name, (int)type.size,
             (const char *)type.data, (int)coding.size, (const char *)coding.data, (int)tenant.size,
             (const char *)tenant.data, (int)agent.size, (const char *)agent.data);
    assert_true(body->raw.size <= sizeof(backend->body));
    backend->body_size = body->raw.size;
    if (body->raw.size != 0) {
        memcpy(backend->body, body->raw.data, body->raw.size);
    }
    if (backend->silent) {
        backend->held = request;
    } else {
        hf_http_answer(request, &backend->answer);
    }
}

static void start_backend(struct backend *backend, int fd)
{
    char error[HF_ERROR_MAX];
    *backend = (struct backend){.answer = {.status = 200}};
    assert_int_equal(listen(fd, 8), 0);
    const struct hf_http_server_options options = {
        .listen_fd = fd, .on_request = on_request, .user = backend};
    assert_int_equal(hf_http_server_new(&options, &backend->server, error), HF_OK);
}

static int tcp_socket(unsigned *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

struct fixture {
    struct backend backend;
    struct hf_node node;
    struct made_config made;
    void *exporter;
    char endpoint[100];
};

static void open_exporter(struct fixture *fixture, const char *const pairs[][2])
{
    char error[HF_ERROR_MAX] = "";
    assert_int_equal(hf_loop_new(&fixture->node.loop), HF_OK);
    made_config(&fixture->made, &hf_exporter_otlphttp, pairs);
    const char *wrong = hf_exporter_otlphttp.check(fixture->made.config);
    if (wrong != NULL) {
        fail_msg("%s", wrong);
    }
    if (hf_exporter_otlphttp.open(&fixture->node, fixture->made.config, &fixture->exporter,
                                  error) != HF_OK) {
        fail_msg("%s", error);
    }
}

static void start(struct fixture *fixture)
{
    unsigned port;
    int fd = tcp_socket(&port);
    start_backend(&fixture->backend, fd);
    snprintf(fixture->endpoint, sizeof(fixture->endpoint), "http://127.0.0.1:%u", port);
    fixture->node = (struct hf_node){0};
}

static void close_exporter(struct fixture *fixture)
{
    hf_exporter_otlphttp.close(fixture->exporter);
    hf_loop_free(fixture->node.loop);
    made_config_release(&fixture->made);
}

#define OPEN(fixture, ...)                                                                         \
    open_exporter((fixture), (const char *const[][2]){__VA_ARGS__, {NULL, NULL}})

/* Two empty resources, in the coding given: bytes that concatenate, and are JSON's as well. */
static const uint8_t request[] = {0x0a, 0x00};

static struct hf_export_body piece_of(enum hf_coding coding, struct hf_bytes *made)
{
    struct hf_slice raw = hf_slice_of(request, sizeof(request));
    assert_int_equal(hf_encode(coding, 0, &raw, 1, made), HF_OK);
    return (struct hf_export_body){.wire = hf_slice_of(made->data, made->size),
                                   .coding = coding,
                                   .items = 1,
                                   .raw_size = sizeof(request)};
}

/* Sends one export of two bodies, one of them coded, and waits for its outcome. */
static void send_one(struct fixture *fixture, enum hf_signal signal, struct heard *heard)
{
    struct hf_bytes plain = {0}, coded = {0};
    const struct hf_export_body bodies[] = {piece_of(HF_IDENTITY, &plain),
                                            piece_of(HF_ZSTD, &coded)};
    *heard = (struct heard){.export = {.signal = signal,
                                       .items = 2,
                                       .raw_size = 4,
                                       .bodies = bodies,
                                       .body_count = 2,
                                       .attempt = 1,
                                       .deadline_ns = hf_clock_monotonic_ns() + 10 * HF_NS_PER_S},
                            .loop = fixture->node.loop};
    hf_exporter_otlphttp.exporter->send(fixture->exporter, &heard->export);
    hf_loop_run(fixture->node.loop);
    assert_true(heard->done);
    hf_bytes_release(&plain);
    hf_bytes_release(&coded);
}

static void assert_says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("no \"%s\" in \"%s\"", part, text);
    }
}

static void sends_each_signal_to_its_path(void **state)
{
    (void)state;
    static const char *const expected[] = {"POST /base/v1/traces ", "POST /base/v1/metrics ",
                                           "POST /own/logs ", "POST /base/v1development/profiles "};
    struct fixture fixture;
    char base[200], own[200];
    start(&fixture);
    snprintf(base, sizeof(base), "%s/base/", fixture.endpoint);
    snprintf(own, sizeof(own), "%s/own/logs", fixture.endpoint);
    OPEN(&fixture, {"endpoint", base}, {"logs_endpoint", own});
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        struct heard heard;
        send_one(&fixture, (enum hf_signal)signal, &heard);
        assert_int_equal(heard.outcome.status, HF_OK);
        assert_int_equal(heard.outcome.code, 200);
        assert_says(fixture.backend.line, expected[signal]);
        assert_says(fixture.backend.line, "type=application/x-protobuf coding=gzip ");
        assert_says(fixture.backend.line, "agent=Holdfast/");
        assert_int_equal(fixture.backend.body_size, 4);
        assert_memory_equal(fixture.backend.body, "\x0a\x00\x0a\x00", 4);
    }
    close_exporter(&fixture);
    hf_http_server_free(fixture.backend.server);
}

static void speaks_every_coding_and_encoding(void **state)
{
    (void)state;
    static const char *const codings[] = {
        "gzip", "zstd", "deflate", "zlib", "snappy", "x-snappy-framed", "none"};
    struct fixture fixture;
    start(&fixture);
    for (size_t i = 0; i < 14; i++) {
        const char *coding = codings[i / 2];
        bool json = i % 2 == 1;
        char expected[100];
        struct heard heard;
        OPEN(&fixture, {"endpoint", fixture.endpoint}, {"compression", coding},
             {"encoding", json ? "json" : "proto"});
        send_one(&fixture, HF_TRACES, &heard);
        snprintf(expected, sizeof(expected), "fault=ok type=application/%s coding=%s ",
                 json ? "json" : "x-protobuf", strcmp(coding, "none") == 0 ? "" : coding);
        assert_says(fixture.backend.line, expected);
        const char *body = json ? "{\"resourceSpans\":[{},{}]}" : "\x0a\x00\x0a\x00";
        size_t size = json ? strlen(body) : 4;
        assert_int_equal(fixture.backend.body_size, size);
        assert_memory_equal(fixture.backend.body, body, size);
        close_exporter(&fixture);
    }
    hf_http_server_free(fixture.backend.server);
}

struct answer_row {
    int code;
    const char *type;
    struct hf_slice body;
    enum hf_status status;
    uint64_t rejected;
    const char *message;
};

#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
#define PROTO "application/x-protobuf"
#define JSON "application/json"

#define PAGE                                                                                       \
    "the answer is an HTML page, which no OTLP backend sends, so nothing counts as delivered: "    \
    "the "                                                                                         \
    "endpoint leads elsewhere, as to a login or a start page"
#define TLS_WANTED "the server wants TLS on this port: set https:// in the endpoint"

static const struct answer_row answers[] = {
    {200, PROTO, BYTES(""), HF_OK, 0, ""},
    {202, PROTO, BYTES("\x0a\x00"), HF_OK, 0, ""},
    {200, PROTO, BYTES("\x0a\x07\x08\x03\x12\x03too"), HF_OK, 3, "too"},
    {200, PROTO, BYTES("\x0a\x0c\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), HF_OK, 0, ""},
    {200, PROTO, BYTES("garbage"), HF_OK, 0, ""},
    {200, JSON, BYTES("{\"partialSuccess\":{}}"), HF_OK, 0, ""},
    {200, JSON "; charset=utf-8",
     BYTES("{\"partialSuccess\":{\"rejectedSpans\":\"12\",\"errorMessage\":\"odd\"}}"), HF_OK, 12,
     "odd"},
    {200, JSON, BYTES("{\"partial_success\":{\"rejected_log_records\":5}}"), HF_OK, 5, ""},
    {200, JSON,
     BYTES("{\"other\":{\"rejectedSpans\":9},\"partialSuccess\":{\"x\":[{\"rejectedSpans\":9}]}}"),
     HF_OK, 0, ""},
    {200, JSON, BYTES("{\"partialSuccess\":"), HF_OK, 0, ""},
    {200, "text/html; charset=utf-8", BYTES("<html>"), HF_FORBIDDEN, 0, PAGE},
    {204, "TEXT/HTML", BYTES(""), HF_FORBIDDEN, 0, PAGE},
    {200, "application/xhtml+xml", BYTES("<html>"), HF_FORBIDDEN, 0, PAGE},
    {200, "text/htmlx", BYTES(""), HF_OK, 0, ""},
    {200, "text/plain", BYTES("ok"), HF_OK, 0, ""},
    {400, "text/plain", BYTES("Client sent an HTTP request to an HTTPS server.\n"), HF_FORBIDDEN, 0,
     TLS_WANTED},
    {400, "text/html", BYTES("<h1>The plain HTTP request was sent to HTTPS port</h1>"),
     HF_FORBIDDEN, 0, TLS_WANTED},
    {400, "text/plain", BYTES("This port wants TLS: use https://.\n"), HF_FORBIDDEN, 0, TLS_WANTED},
    {400, PROTO, BYTES("\x08\x03\x12\x05wrong"), HF_INVALID, 0, "wrong"},
    {400, JSON, BYTES("{\"code\":3,\"message\":\"bad\\nspan\"}"), HF_INVALID, 0, "bad span"},
    {400, JSON, BYTES("{\"error\":\"else\"}"), HF_INVALID, 0, "{\"error\":\"else\"}"},
    {400, "text/plain", BYTES("no\x01good\r\n"), HF_INVALID, 0, "no good"},
    {400, PROTO, BYTES("\x12\x1chttp: request body too large"), HF_TOO_LARGE, 0,
     "http: request body too large"},
    {301, "text/html", BYTES("moved"), HF_AGAIN, 0, "moved"},
    {401, "text/plain", BYTES("who"), HF_UNAUTHENTICATED, 0, "who"},
    {407, "text/plain", BYTES("who"), HF_UNAUTHENTICATED, 0, "who"},
    {403, "text/plain", BYTES("no"), HF_FORBIDDEN, 0, "no"},
    {404, "text/plain", BYTES("where"), HF_NOT_FOUND, 0, "where"},
    {405, NULL, BYTES(""), HF_UNSUPPORTED, 0, "HTTP status 405"},
    {408, NULL, BYTES(""), HF_AGAIN, 0, "HTTP status 408"},
    {413, NULL, BYTES(""), HF_TOO_LARGE, 0, "HTTP status 413"},
    {415, NULL, BYTES(""), HF_INVALID, 0, "HTTP status 415"},
    {422, NULL, BYTES(""), HF_INVALID, 0, "HTTP status 422"},
    {429, NULL, BYTES(""), HF_BUSY, 0, "HTTP status 429"},
    {500, NULL, BYTES(""), HF_AGAIN, 0, "HTTP status 500"},
    {501, NULL, BYTES(""), HF_UNSUPPORTED, 0, "HTTP status 501"},
    {505, NULL, BYTES(""), HF_UNSUPPORTED, 0, "HTTP status 505"},
    {530, NULL, BYTES(""), HF_AGAIN, 0, "HTTP status 530"},
    {499, NULL, BYTES(""), HF_AGAIN, 0, "HTTP status 499"},
    {425, NULL, BYTES(""), HF_AGAIN, 0, "HTTP status 425"},
    {502, NULL, BYTES(""), HF_AGAIN, 0, "HTTP status 502"},
    {503, NULL, BYTES(""), HF_AGAIN, 0, "HTTP status 503"},
    {504, NULL, BYTES(""), HF_AGAIN, 0, "HTTP status 504"},
};

static void tells_the_sender_what_an_answer_means(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture);
    OPEN(&fixture, {"endpoint", fixture.endpoint});
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        const struct answer_row *row = &answers[i];
        struct heard heard;
        fixture.backend.answer = (struct hf_http_answer){
            .status = row->code, .content_type = row->type, .body = row->body};
        send_one(&fixture, HF_TRACES, &heard);
        assert_int_equal(heard.outcome.code, row->code);
        assert_int_equal(heard.outcome.status, row->status);
        assert_int_equal(heard.outcome.rejected_items, row->rejected);
        assert_string_equal(heard.message, row->message);
    }
    close_exporter(&fixture);
    hf_http_server_free(fixture.backend.server);
}

static void cuts_long_messages_between_characters(void **state)
{
    (void)state;
    struct fixture fixture;
    struct heard heard;
    char text[400];
    for (size_t i = 0; i + 1 < sizeof(text); i += 2) {
        memcpy(text + i, "\xc3\xa4", 2);
    }
    memcpy(text, "x", 1);
    memcpy(text + 1, "y", 1);
    text[2] = 'z'; /* the second half of the first letter is no beginning of one */
    text[3] = 'z';
    start(&fixture);
    OPEN(&fixture, {"endpoint", fixture.endpoint});
    fixture.backend.answer = (struct hf_http_answer){
        .status = 400, .content_type = "text/plain", .body = hf_slice_of(text + 1, 398)};
    send_one(&fixture, HF_TRACES, &heard);
    assert_int_equal(strlen(heard.message), 255);
    assert_memory_equal(heard.message, text + 1, 255);
    close_exporter(&fixture);
    hf_http_server_free(fixture.backend.server);
}

static void heeds_retry_after_where_it_has_a_meaning(void **state)
{
    (void)state;
    static const struct {
        int code;
        uint64_t wait_s;
    } rows[] = {{429, 9}, {503, 9}, {400, 0}, {502, 0}, {200, 0}};
    struct fixture fixture;
    start(&fixture);
    OPEN(&fixture, {"endpoint", fixture.endpoint});
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct heard heard;
        fixture.backend.answer =
            (struct hf_http_answer){.status = rows[i].code, .retry_after_s = 9};
        send_one(&fixture, HF_TRACES, &heard);
        assert_int_equal(heard.outcome.retry_after_ns, rows[i].wait_s * HF_NS_PER_S);
    }
    close_exporter(&fixture);
    hf_http_server_free(fixture.backend.server);
}

static enum hf_status add_tenant(void *self, struct hf_slice meta, struct hf_header_sink *sink)
{
    (void)self;
    (void)meta;
    return sink->add(sink, hf_slice_text("X-TENANT"), hf_slice_text("blue"));
}

static enum hf_status have_nothing(void *self, struct hf_slice meta, struct hf_header_sink *sink)
{
    (void)self;
    (void)meta;
    (void)sink;
    return HF_UNAUTHENTICATED;
}

static void adds_headers_and_those_of_the_authenticator(void **state)
{
    (void)state;
    static const struct hf_auth giving = {.headers = add_tenant}, poor = {.headers = have_nothing};
    struct fixture fixture;
    struct heard heard;
    start(&fixture);
    OPEN(&fixture, {"endpoint", fixture.endpoint}, {"headers.x-tenant", "red"});
    send_one(&fixture, HF_TRACES, &heard);
    assert_says(fixture.backend.line, "tenant=red ");
    close_exporter(&fixture);

    fixture.node.auth = &giving;
    OPEN(&fixture, {"endpoint", fixture.endpoint}, {"headers.x-tenant", "red"},
         {"auth.authenticator", "a"});
    send_one(&fixture, HF_TRACES, &heard);
    assert_says(fixture.backend.line, "tenant=blue ");
    close_exporter(&fixture);

    fixture.node.auth = &poor;
    fixture.backend.line[0] = '\0';
    OPEN(&fixture, {"endpoint", fixture.endpoint}, {"auth.authenticator", "a"});
    send_one(&fixture, HF_TRACES, &heard);
    assert_int_equal(heard.outcome.status, HF_UNAUTHENTICATED);
    assert_string_equal(fixture.backend.line, "");
    close_exporter(&fixture);
    hf_http_server_free(fixture.backend.server);
}

static void sends_a_configured_header_once(void **state)
{
    (void)state;
    struct fixture fixture;
    struct heard heard;
    start(&fixture);
    OPEN(&fixture, {"endpoint", fixture.endpoint}, {"compression", "none"},
         {"headers.Content-Type", "application/own"}, {"headers.User-Agent", "own/1"},
         {"headers.x-tenant", " red\t"});
    send_one(&fixture, HF_TRACES, &heard);
    assert_int_equal(heard.outcome.status, HF_OK);
    assert_says(fixture.backend.line, "type=application/own coding= tenant=red agent=own/1");
    close_exporter(&fixture);
    hf_http_server_free(fixture.backend.server);
}

static enum hf_status add_broken(void *self, struct hf_slice meta, struct hf_header_sink *sink)
{
    (void)self;
    (void)meta;
    return sink->add(sink, hf_slice_text("x-tenant"), hf_slice_text("a\r\nEvil: 1"));
}

static void refuses_for_good_what_cannot_be_formed(void **state)
{
    (void)state;
    static const struct hf_auth broken = {.headers = add_broken};
    struct fixture fixture;
    struct heard heard;
    start(&fixture);
    fixture.node.auth = &broken;
    OPEN(&fixture, {"endpoint", fixture.endpoint}, {"auth.authenticator", "headers_setter"});
    send_one(&fixture, HF_TRACES, &heard);
    assert_int_equal(heard.outcome.status, HF_INVALID);
    assert_int_equal(heard.outcome.code, 0);
    assert_says(heard.message, "cannot be formed: the value of the header x-tenant");
    assert_string_equal(fixture.backend.line, "");
    close_exporter(&fixture);
    hf_http_server_free(fixture.backend.server);
}

static void reaches_a_unix_socket(void **state)
{
    (void)state;
    char directory[] = "/tmp/hf-otlphttp-XXXXXX", endpoint[200];
    assert_non_null(mkdtemp(directory));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", directory);
    snprintf(endpoint, sizeof(endpoint), "unix://%s", address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    struct fixture fixture = {0};
    struct heard heard;
    start_backend(&fixture.backend, fd);
    OPEN(&fixture, {"endpoint", endpoint});
    send_one(&fixture, HF_METRICS, &heard);
    assert_int_equal(heard.outcome.status, HF_OK);
    assert_says(fixture.backend.line, "POST /v1/metrics ");
    close_exporter(&fixture);
    hf_http_server_free(fixture.backend.server);
    unlink(address.sun_path);
    rmdir(directory);
}

static void holds_what_has_no_endpoint(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct heard heard;
    OPEN(&fixture, {"traces_endpoint", "http://127.0.0.1:1/x"});
    send_one(&fixture, HF_LOGS, &heard);
    assert_int_equal(heard.outcome.status, HF_FORBIDDEN);
    assert_says(heard.message, "no endpoint");
    close_exporter(&fixture);
}

static void says_again_of_faults_that_pass(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct heard heard;
    unsigned port;
    int fd = tcp_socket(&port); /* nobody listens */
    snprintf(fixture.endpoint, sizeof(fixture.endpoint), "http://127.0.0.1:%u", port);
    OPEN(&fixture, {"endpoint", fixture.endpoint});
    send_one(&fixture, HF_TRACES, &heard);
    assert_int_equal(heard.outcome.status, HF_AGAIN);
    assert_int_equal(heard.outcome.code, 0);
    assert_true(heard.message[0] != '\0');
    close_exporter(&fixture);
    close(fd);
}

static void ends_what_is_in_flight_when_it_closes(void **state)
{
    (void)state;
    struct fixture fixture;
    struct hf_bytes plain = {0};
    start(&fixture);
    fixture.backend.silent = true;
    OPEN(&fixture, {"endpoint", fixture.endpoint});
    const struct hf_export_body piece = piece_of(HF_IDENTITY, &plain);
    struct heard heard = {
        .export = {.signal = HF_TRACES, .items = 1, .bodies = &piece, .body_count = 1},
        .loop = fixture.node.loop};
    hf_exporter_otlphttp.exporter->send(fixture.exporter, &heard.export);
    assert_false(heard.done);
    hf_exporter_otlphttp.close(fixture.exporter);
    assert_true(heard.done);
    assert_int_equal(heard.outcome.status, HF_CLOSED);
    hf_loop_free(fixture.node.loop);
    made_config_release(&fixture.made);
    hf_bytes_release(&plain);
    hf_http_server_free(fixture.backend.server);
}

static void wants_an_endpoint(void **state)
{
    static const char *const none[][2] = {{NULL, NULL}};
    struct made_config made;
    (void)state;
    made_config(&made, &hf_exporter_otlphttp, none);
    assert_says(hf_exporter_otlphttp.check(made.config), "at least one endpoint");
    made_config_release(&made);
}

static const struct hf_field *field_of(const char *key)
{
    const struct hf_field *field = hf_exporter_otlphttp.fields;
    while (field->type != HF_FIELD_END && strcmp(field->key, key) != 0) {
        field++;
    }
    assert_int_equal(field->type, HF_FIELD_STRING);
    return field;
}

static void says_what_was_expected(void **state)
{
    static const struct {
        const char *key, *text, *says; /* NULL: it is good */
    } cases[] = {
        {"endpoint", "http://backend:4318/otlp", NULL},
        {"endpoint", "HTTPS://[::1]", NULL},
        {"endpoint", "unix:///run/s", NULL},
        {"endpoint", "backend:4318", "http://host:port"},
        {"endpoint", "unix:relative", "unix:///path"},
        {"endpoint", "http:///v1", "http://host:port"},
        {"endpoint", "http://a:99999", "http://host:port"},
        {"endpoint", "http://a b", "http://host:port"},
        {"endpoint", "ftp://a", "http://host:port"},
        {"traces_endpoint", "http://backend/v1/traces?a=b", NULL},
        {"traces_endpoint", "backend:4318/v1/traces", "http://host:port/path"},
        {"traces_endpoint", "unix:///run/s", "http://host:port/path"},
        {"compression", "zstd", NULL},
        {"compression", "lz4", "gzip"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *says = field_of(cases[i].key)->validate(cases[i].key, cases[i].text);
        assert_int_equal(says == NULL, cases[i].says == NULL);
        if (says != NULL) {
            assert_says(says, cases[i].says);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_each_signal_to_its_path),
        cmocka_unit_test(speaks_every_coding_and_encoding),
        cmocka_unit_test(tells_the_sender_what_an_answer_means),
        cmocka_unit_test(cuts_long_messages_between_characters),
        cmocka_unit_test(heeds_retry_after_where_it_has_a_meaning),
        cmocka_unit_test(adds_headers_and_those_of_the_authenticator),
        cmocka_unit_test(sends_a_configured_header_once),
        cmocka_unit_test(refuses_for_good_what_cannot_be_formed),
        cmocka_unit_test(reaches_a_unix_socket),
        cmocka_unit_test(holds_what_has_no_endpoint),
        cmocka_unit_test(says_again_of_faults_that_pass),
        cmocka_unit_test(ends_what_is_in_flight_when_it_closes),
        cmocka_unit_test(wants_an_endpoint),
        cmocka_unit_test(says_what_was_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
