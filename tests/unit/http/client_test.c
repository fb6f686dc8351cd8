#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <holdfast/ref.h>

#include "http/client.h"
#include "http/server.h"
#include "util/compress/compress.h"
#include "util/loop.h"
#include "util/time/clock.h"

#define PEERS_MAX 64

/* A server that echoes, and a client on a loop of the test's own thread. */
struct fixture {
    struct hf_http_server *server;
    struct hf_loop *loop;
    struct hf_http_client *client;
    struct sockaddr_in address;
    size_t awaited;
    pthread_mutex_t lock;
    size_t peer_count;
    char peers[PEERS_MAX][64];
    size_t body_size;
    bool body_is_right;
};

struct reply {
    struct hf_http_call call;
    struct fixture *fixture;
    enum hf_status status;
    int code;
    char body[2048], type[100], error[300];
    size_t body_size;
    uint64_t retry_after_ns;
    bool done;
};

static void note_peer(struct fixture *fixture, const char *peer)
{
    size_t i = 0;
    while (i < fixture->peer_count && strcmp(fixture->peers[i], peer) != 0) {
        i++;
    }
    if (i == fixture->peer_count && i < PEERS_MAX) {
        snprintf(fixture->peers[i], sizeof(fixture->peers[i]), "%s", peer);
        fixture->peer_count++;
    }
}

static void on_request(void *user, struct hf_http_request *request, enum hf_status fault)
{
    struct fixture *fixture = user;
    const struct hf_http_body *body = hf_http_request_body(request);
    const char *path = hf_http_path(request);
    char text[2048];
    static char large[200000];
    struct hf_slice word = hf_http_header(request, "x-word");
    struct hf_slice type = hf_http_header(request, "content-type");
    struct hf_slice agent = hf_http_header(request, "user-agent");
    struct hf_slice host = hf_http_header(request, "host");
    struct hf_slice expect = hf_http_header(request, "expect");
    struct hf_slice token = hf_http_header(request, "authorization");
    pthread_mutex_lock(&fixture->lock);
    note_peer(fixture, hf_http_peer(request));
    fixture->body_size = body->raw.size;
    fixture->body_is_right = true;
    for (size_t i = 0; i < body->raw.size; i++) {
        fixture->body_is_right = fixture->body_is_right && body->raw.data[i] == (uint8_t)(i % 251);
    }
    pthread_mutex_unlock(&fixture->lock);
    snprintf(
        text, sizeof(text),
        "%s %s type=%.*s word=%.*s agent=%.*s host=%.*s expect=%zu coding=%s raw=%.*s token=%.*s ",
        hf_http_method(request), path, (int)type.size, (const char *)type.data, (int)word.size,
        (const char *)word.data, (int)agent.size, (const char *)agent.data, (int)host.size,
        (const char *)host.data, expect.size, hf_coding_name(body->coding),
        (int)(body->raw.size < 100 ? body->raw.size : 100), (const char *)body->raw.data,
        (int)token.size, (const char *)token.data);
    struct hf_http_answer answer = {.status = fault == HF_OK ? 200 : 413,
                                    .content_type = "text/x-echo",
                                    .body = hf_slice_text(text)};
    if (strcmp(path, "/busy") == 0) {
        answer.status = 503;
        answer.retry_after_s = 17;
    } else if (strcmp(path, "/denied") == 0) {
        answer.status = 401;
    } else if (strcmp(path, "/large") == 0) {
        memset(large, 'L', sizeof(large));
        answer.body = hf_slice_of(large, sizeof(large));
    }
    hf_http_answer(request, &answer);
}

static int bound_socket(struct sockaddr_in *address)
{
    socklen_t size = sizeof(*address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address, &size), 0);
    return fd;
}

static void start_client(struct fixture *fixture, struct hf_http_client_options options)
{
    char error[512];
    assert_int_equal(hf_loop_new(&fixture->loop), HF_OK);
    options.loop = fixture->loop;
    options.user_agent = "Test/1";
    assert_int_equal(hf_http_client_new(&options, &fixture->client, error), HF_OK);
}

static void start(struct fixture *fixture, size_t body_bytes_max,
                  struct hf_http_client_options options)
{
    char error[512];
    *fixture = (struct fixture){0};
    pthread_mutex_init(&fixture->lock, NULL);
    int fd = bound_socket(&fixture->address);
    assert_int_equal(listen(fd, 64), 0);
    const struct hf_http_server_options server_options = {.listen_fd = fd,
                                                          .body_bytes_max = body_bytes_max,
                                                          .on_request = on_request,
                                                          .user = fixture};
    assert_int_equal(hf_http_server_new(&server_options, &fixture->server, error), HF_OK);
    start_client(fixture, options);
}

static void end(struct fixture *fixture)
{
    hf_http_client_free(fixture->client);
    hf_loop_free(fixture->loop);
    hf_http_server_free(fixture->server);
    pthread_mutex_destroy(&fixture->lock);
}

static void on_done(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct reply *reply = HF_CONTAINER(call, struct reply, call);
    assert_false(reply->done);
    reply->done = true;
    reply->status = result->status;
    reply->code = result->code;
    reply->body_size = result->body.size;
    reply->retry_after_ns = result->has_retry_after ? result->retry_after_ns : 0;
    snprintf(reply->body, sizeof(reply->body), "%.*s",
             (int)(result->body.size < 2000 ? result->body.size : 2000),
             (const char *)result->body.data);
    snprintf(reply->type, sizeof(reply->type), "%.*s", (int)result->content_type.size,
             (const char *)result->content_type.data);
    snprintf(reply->error, sizeof(reply->error), "%s", result->error == NULL ? "" : result->error);
    if (result->status == HF_OK && result->content_type.size != 0) { /* any case of the name */
        assert_string_equal(hf_http_result_header(result, "Content-type"), reply->type);
    }
    assert_null(hf_http_result_header(result, "x-not-there"));
    if (--reply->fixture->awaited == 0) {
        hf_loop_stop(reply->fixture->loop);
    }
}

/* The URL of a path on the fixture's server. */
static const char *url_of(const struct fixture *fixture, const char *path, char out[100])
{
    snprintf(out, 100, "http://127.0.0.1:%u%s", ntohs(fixture->address.sin_port), path);
    return out;
}

static void begin(struct fixture *fixture, struct reply *reply)
{
    reply->fixture = fixture;
    reply->call.done = on_done;
    fixture->awaited++;
    hf_http_client_call(fixture->client, &reply->call);
    assert_false(reply->done);
}

static void await(struct fixture *fixture)
{
    hf_loop_run(fixture->loop);
    assert_int_equal(fixture->awaited, 0);
}

static void assert_says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("no \"%s\" in \"%s\"", part, text);
    }
}

static void sends_the_pieces_as_one_body(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    const struct hf_slice pieces[] = {hf_slice_text("one "), HF_EMPTY_SLICE, hf_slice_text("two "),
                                      hf_slice_text("three")};
    const struct hf_header headers[] = {{hf_slice_text("x-word"), hf_slice_text("yes")},
                                        {hf_slice_text("x-empty"), HF_EMPTY_SLICE}};
    struct reply reply = {.call = {.method = "POST",
                                   .url = url_of(&fixture, "/v1", url),
                                   .content_type = "text/x-mine",
                                   .pieces = pieces,
                                   .piece_count = 4,
                                   .headers = headers,
                                   .header_count = 2}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.status, HF_OK);
    assert_int_equal(reply.code, 200);
    assert_string_equal(reply.type, "text/x-echo");
    assert_says(reply.body, "POST /v1 type=text/x-mine word=yes agent=Test/1 host=127.0.0.1:");
    assert_says(reply.body, "expect=0 coding=identity raw=one two three");
    end(&fixture);
}

static void names_the_coding(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    struct hf_slice text = hf_slice_text("coded text");
    struct hf_bytes coded = {0};
    assert_int_equal(hf_encode(HF_ZSTD, 0, &text, 1, &coded), HF_OK);
    struct hf_slice piece = hf_slice_of(coded.data, coded.size);
    struct reply reply = {.call = {.method = "POST",
                                   .url = url_of(&fixture, "/", url),
                                   .content_encoding = "zstd",
                                   .pieces = &piece,
                                   .piece_count = 1}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_says(reply.body, "coding=zstd raw=coded text");
    hf_bytes_release(&coded);
    end(&fixture);
}

static void uses_other_methods_and_no_body(void **state)
{
    (void)state;
    static const char *const methods[] = {"GET", "DELETE", "POST", "HEAD"};
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    for (size_t i = 0; i < 4; i++) {
        struct reply reply = {.call = {.method = methods[i], .url = url_of(&fixture, "/m", url)}};
        begin(&fixture, &reply);
        await(&fixture);
        assert_int_equal(reply.status, HF_OK);
        assert_int_equal(reply.code, 200);
        assert_int_equal(strncmp(reply.body, methods[i], strlen(methods[i])) == 0,
                         strcmp(methods[i], "HEAD") != 0);
    }
    end(&fixture);
}

static void sends_large_bodies_and_keeps_connections(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    size_t size = 3000001;
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i % 251);
    }
    const struct hf_slice pieces[] = {hf_slice_of(bytes, 1), hf_slice_of(bytes + 1, 1999999),
                                      hf_slice_of(bytes + 2000000, size - 2000000)};
    for (int round = 0; round < 4; round++) {
        struct reply reply = {.call = {.method = "POST",
                                       .url = url_of(&fixture, "/", url),
                                       .pieces = pieces,
                                       .piece_count = 3}};
        begin(&fixture, &reply);
        await(&fixture);
        assert_int_equal(reply.code, 200);
        assert_int_equal(fixture.body_size, size);
        assert_true(fixture.body_is_right);
    }
    assert_int_equal(fixture.peer_count, 1);
    free(bytes);
    end(&fixture);
}

static void carries_many_requests_at_once(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){.max_conns = 4});
    struct reply replies[40];
    struct hf_slice piece = hf_slice_text("x");
    for (size_t i = 0; i < 40; i++) {
        replies[i] = (struct reply){.call = {.method = "POST",
                                             .url = url_of(&fixture, "/", url),
                                             .pieces = &piece,
                                             .piece_count = 1}};
        begin(&fixture, &replies[i]);
    }
    await(&fixture);
    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(replies[i].status, HF_OK);
        assert_int_equal(replies[i].code, 200);
    }
    assert_true(fixture.peer_count <= 4);
    end(&fixture);
}

static void reads_retry_after(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    struct reply reply = {.call = {.method = "POST", .url = url_of(&fixture, "/busy", url)}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.status, HF_OK);
    assert_int_equal(reply.code, 503);
    assert_int_equal(reply.retry_after_ns, 17 * HF_NS_PER_S);
    end(&fixture);
}

static void keeps_the_beginning_of_a_long_answer(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){.response_bytes_max = 1000});
    for (int round = 0; round < 2; round++) {
        struct reply reply = {.call = {.method = "GET", .url = url_of(&fixture, "/large", url)}};
        begin(&fixture, &reply);
        await(&fixture);
        assert_int_equal(reply.status, HF_OK);
        assert_int_equal(reply.body_size, 1000);
    }
    assert_int_equal(fixture.peer_count, 1);
    end(&fixture);
}

static void hears_the_refusal_of_a_body(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 100000, (struct hf_http_client_options){0});
    static uint8_t bytes[400000];
    struct hf_slice piece = hf_slice_of(bytes, sizeof(bytes));
    struct reply reply = {.call = {.method = "POST",
                                   .url = url_of(&fixture, "/", url),
                                   .pieces = &piece,
                                   .piece_count = 1}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.status, HF_OK);
    assert_int_equal(reply.code, 413);
    end(&fixture);
}

static void says_again_when_nobody_listens(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    struct sockaddr_in nobody;
    int fd = bound_socket(&nobody); /* bound, not listening */
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(nobody.sin_port));
    struct reply reply = {.call = {.method = "POST", .url = url}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.status, HF_AGAIN);
    assert_true(reply.error[0] != '\0');
    close(fd);
    end(&fixture);
}

static void ends_at_the_deadline(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    struct sockaddr_in silent;
    int fd = bound_socket(&silent);
    assert_int_equal(listen(fd, 4), 0); /* nobody accepts */
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(silent.sin_port));
    uint64_t now_ns = hf_clock_monotonic_ns();
    struct reply soon = {
        .call = {.method = "POST", .url = url, .deadline_ns = now_ns + 50 * HF_NS_PER_MS}};
    struct reply passed = {.call = {.method = "POST", .url = url, .deadline_ns = now_ns - 1}};
    begin(&fixture, &soon);
    begin(&fixture, &passed);
    await(&fixture);
    assert_int_equal(soon.status, HF_DEADLINE);
    assert_int_equal(passed.status, HF_DEADLINE);
    close(fd);
    end(&fixture);
}

struct breaker {
    int listen_fd;
    const char *answer;
    size_t size;
};

/* Accepts one connection after another; reads what comes first, says its answer, closes. */
static void *break_off(void *user)
{
    struct breaker *breaker = user;
    int fd;
    while ((fd = accept(breaker->listen_fd, NULL, NULL)) >= 0) {
        char seen[4096];
        ssize_t got = recv(fd, seen, sizeof(seen), 0);
        if (got > 0) {
            (void)send(fd, breaker->answer, breaker->size, MSG_NOSIGNAL);
        }
        close(fd);
    }
    return NULL;
}

static void start_breaker(struct breaker *breaker, char ret_url[100], pthread_t *ret_thread)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    breaker->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(breaker->listen_fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(breaker->listen_fd, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(listen(breaker->listen_fd, 4), 0);
    assert_int_equal(pthread_create(ret_thread, NULL, break_off, breaker), 0);
    snprintf(ret_url, 100, "http://127.0.0.1:%u/", ntohs(address.sin_port));
}

static void stop_breaker(struct breaker *breaker, pthread_t thread)
{
    shutdown(breaker->listen_fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(breaker->listen_fd);
}

static void says_again_when_an_answer_breaks_off(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum hf_status status;
    } rows[] = {
        {"", HF_AGAIN},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", HF_AGAIN},
        {"gibberish\r\n\r\n", HF_AGAIN},
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", HF_OK},
        {"HTTP/1.1 400 Bad\r\nContent-Length: 10\r\n\r\nabc", HF_OK},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture fixture;
        char url[100];
        start(&fixture, 0, (struct hf_http_client_options){0});
        struct breaker breaker = {.answer = rows[i].answer, .size = strlen(rows[i].answer)};
        pthread_t thread;
        start_breaker(&breaker, url, &thread);
        /* Twice: the second finds the kept connection dead. */
        for (int round = 0; round < 2; round++) {
            struct hf_slice piece = hf_slice_text("body");
            struct reply reply = {
                .call = {.method = "POST", .url = url, .pieces = &piece, .piece_count = 1}};
            begin(&fixture, &reply);
            await(&fixture);
            assert_int_equal(reply.status, rows[i].status);
        }
        stop_breaker(&breaker, thread);
        end(&fixture);
    }
}

static void does_not_send_line_breaks_in_headers(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    const struct hf_header bad = {hf_slice_text("x-word"), hf_slice_text("a\r\nX-Evil: 1")};
    struct reply reply = {.call = {.method = "POST",
                                   .url = url_of(&fixture, "/", url),
                                   .headers = &bad,
                                   .header_count = 1}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.status, HF_INVALID);
    assert_says(reply.error, "cannot be formed");
    assert_int_equal(fixture.peer_count, 0);
    end(&fixture);
}

static void sends_a_header_of_the_caller_instead_of_its_own(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    const struct hf_header headers[] = {{hf_slice_text("content-type"), hf_slice_text("text/own")},
                                        {hf_slice_text("content-encoding"), hf_slice_text("zstd")},
                                        {hf_slice_text("user-agent"), hf_slice_text("Own/2")},
                                        {hf_slice_text("host"), hf_slice_text("own.example")}};
    struct hf_slice piece = hf_slice_text("x");
    struct reply reply = {.call = {.method = "POST",
                                   .url = url_of(&fixture, "/v1", url),
                                   .content_type = "text/x-mine",
                                   .content_encoding = "identity",
                                   .pieces = &piece,
                                   .piece_count = 1,
                                   .headers = headers,
                                   .header_count = 4}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.code, 413); /* no zstd */
    assert_says(reply.body, "POST /v1 type=text/own word= agent=Own/2 host=own.example ");
    end(&fixture);
}

/* What the one who noticed says, of each protocol that may answer here. */
static void says_what_a_server_of_another_protocol_speaks(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        size_t size;
        const char *says;
    } rows[] = {
        {"\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x64", 15, "speaks HTTP/2 (gRPC)"},
        {"\x15\x03\x03\0\2\2\x46", 7, "speaks TLS on this port"},
        {"", 0, "may want TLS"},
        {"gibberish", 9, "is not HTTP/1.1"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture fixture;
        start(&fixture, 0, (struct hf_http_client_options){0});
        struct breaker breaker = {.answer = rows[i].answer, .size = rows[i].size};
        char url[100];
        pthread_t thread;
        start_breaker(&breaker, url, &thread);
        struct reply reply = {.call = {.method = "POST", .url = url}};
        begin(&fixture, &reply);
        await(&fixture);
        assert_int_equal(reply.status, HF_AGAIN);
        assert_says(reply.error, rows[i].says);
        stop_breaker(&breaker, thread);
        end(&fixture);
    }
}

static void says_that_a_server_speaks_no_tls(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    const struct hf_tls_config tls = {.insecure_skip_verify = true};
    start(&fixture, 0, (struct hf_http_client_options){.tls = &tls});
    snprintf(url, sizeof(url), "https://127.0.0.1:%u/", ntohs(fixture.address.sin_port));
    struct reply reply = {.call = {.method = "POST", .url = url}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.status, HF_AGAIN);
    assert_says(reply.error, "does not speak TLS on this port: set http://");
    end(&fixture);
}

static void connects_to_a_unix_socket(void **state)
{
    (void)state;
    char directory[] = "/tmp/hf-client-XXXXXX";
    assert_non_null(mkdtemp(directory));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", directory);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 4), 0);
    struct fixture fixture = {0};
    char error[512];
    pthread_mutex_init(&fixture.lock, NULL);
    const struct hf_http_server_options server = {
        .listen_fd = fd, .on_request = on_request, .user = &fixture};
    assert_int_equal(hf_http_server_new(&server, &fixture.server, error), HF_OK);
    start_client(&fixture, (struct hf_http_client_options){.unix_socket = address.sun_path});
    struct reply reply = {.call = {.method = "POST", .url = "http://localhost/v1/traces"}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.status, HF_OK);
    assert_says(reply.body, "POST /v1/traces");
    assert_string_equal(fixture.peers[0], "unix");
    end(&fixture);
    unlink(address.sun_path);
    rmdir(directory);
}

static void goes_through_the_proxy_it_is_told(void **state)
{
    (void)state;
    struct fixture fixture;
    char proxy[100];
    struct fixture unused;
    start(&unused, 0, (struct hf_http_client_options){0});
    start(&fixture, 0, (struct hf_http_client_options){.proxy_url = url_of(&unused, "", proxy)});
    struct reply reply = {.call = {.method = "POST", .url = "http://backend.invalid/v1/x"}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.status, HF_OK);
    assert_says(reply.body, "host=backend.invalid");
    assert_int_equal(unused.peer_count, 1);
    end(&fixture);
    end(&unused);
}

static void goes_past_the_proxy_where_it_is_told(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0,
          (struct hf_http_client_options){.proxy_url = "http://proxy.invalid:1",
                                          .no_proxy = "10.0.0.0/8,127.0.0.0/8"});
    struct reply reply = {.call = {.method = "POST", .url = url_of(&fixture, "/v1/x", url)}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.status, HF_OK);
    assert_says(reply.body, "POST /v1/x");
    end(&fixture);
}

static void ends_what_is_left_when_it_is_freed(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    struct sockaddr_in silent;
    int fd = bound_socket(&silent);
    assert_int_equal(listen(fd, 4), 0);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(silent.sin_port));
    struct reply running = {.call = {.method = "POST", .url = url}};
    struct reply failed = {.call = {.method = "POST", .url = url, .deadline_ns = 1}};
    begin(&fixture, &running);
    begin(&fixture, &failed);
    hf_http_client_free(fixture.client);
    fixture.client = NULL;
    assert_int_equal(running.status, HF_CLOSED);
    assert_int_equal(failed.status, HF_CLOSED);
    close(fd);
    end(&fixture);
}

/* A call whose answer streams: pauses at every third piece and goes on with the turn's end. */
struct streamed {
    struct reply reply;
    struct hf_task resume;
    size_t size, pieces, pauses, stop_after;
    bool cancel;
};

static void on_resume(struct hf_task *task)
{
    struct streamed *streamed = HF_CONTAINER(task, struct streamed, resume);
    struct hf_http_client *client = streamed->reply.fixture->client;
    if (streamed->cancel) {
        hf_http_client_cancel(client, &streamed->reply.call);
    } else {
        hf_http_client_resume(client, &streamed->reply.call);
    }
}

static enum hf_http_flow on_chunk(struct hf_http_call *call, struct hf_slice bytes)
{
    struct streamed *streamed =
        HF_CONTAINER(HF_CONTAINER(call, struct reply, call), struct streamed, reply);
    if (++streamed->pieces == streamed->stop_after) {
        return HF_HTTP_STOP;
    }
    if (streamed->pieces % 3 == 2) {
        streamed->pauses++;
        streamed->resume.run = on_resume;
        hf_loop_defer(streamed->reply.fixture->loop, &streamed->resume);
        return HF_HTTP_PAUSE;
    }
    for (size_t i = 0; i < bytes.size; i++) {
        assert_int_equal(bytes.data[i], 'L');
    }
    streamed->size += bytes.size;
    return HF_HTTP_GO_ON;
}

static void stream(struct fixture *fixture, struct streamed *streamed)
{
    char url[100];
    start(fixture, 0, (struct hf_http_client_options){0});
    streamed->reply.call = (struct hf_http_call){
        .method = "GET", .url = url_of(fixture, "/large", url), .chunk = on_chunk};
    begin(fixture, &streamed->reply);
    await(fixture);
    end(fixture);
}

static void streams_an_answer_piece_by_piece(void **state)
{
    (void)state;
    struct fixture fixture;
    struct streamed streamed = {.size = 0};
    stream(&fixture, &streamed);
    assert_int_equal(streamed.reply.status, HF_OK);
    assert_int_equal(streamed.size, 200000);
    assert_int_equal(streamed.reply.body_size, 0);
    assert_true(streamed.pauses > 1);
}

static void ends_a_stream_that_is_stopped_or_cancelled(void **state)
{
    (void)state;
    struct fixture fixture;
    struct streamed stopped = {.stop_after = 4}, cancelled = {.cancel = true};
    stream(&fixture, &stopped);
    assert_int_equal(stopped.reply.status, HF_AGAIN);
    assert_int_equal(stopped.pieces, 4);
    stream(&fixture, &cancelled);
    assert_int_equal(cancelled.reply.status, HF_CLOSED);
    assert_int_equal(cancelled.pieces, 2);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void sends_the_token_of_a_file_that_is_renewed_after_a_401(void **state)
{
    (void)state;
    struct fixture fixture;
    char path[] = "/tmp/holdfast-token-XXXXXX", url[100];
    static const char *const wanted[] = {"token=Bearer one ", "token=Bearer one ",
                                         "token=Bearer two "};
    close(mkstemp(path));
    write_file(path, "one\n");
    start(&fixture, 0, (struct hf_http_client_options){.bearer_token_file = path});
    for (size_t i = 0; i < 3; i++) {
        struct reply reply = {
            .call = {.method = "GET", .url = url_of(&fixture, i == 1 ? "/denied" : "/", url)}};
        begin(&fixture, &reply);
        await(&fixture);
        assert_says(reply.body, wanted[i]);
        write_file(path, "two, which is longer\n");
        write_file(path, "two\n");
    }
    end(&fixture);
    unlink(path);
}

int main(void)
{
    /* What the machine's environment says is not what is tested. */
    unsetenv("http_proxy");
    unsetenv("HTTP_PROXY");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_the_pieces_as_one_body),
        cmocka_unit_test(names_the_coding),
        cmocka_unit_test(uses_other_methods_and_no_body),
        cmocka_unit_test(sends_large_bodies_and_keeps_connections),
        cmocka_unit_test(carries_many_requests_at_once),
        cmocka_unit_test(reads_retry_after),
        cmocka_unit_test(keeps_the_beginning_of_a_long_answer),
        cmocka_unit_test(hears_the_refusal_of_a_body),
        cmocka_unit_test(says_again_when_nobody_listens),
        cmocka_unit_test(ends_at_the_deadline),
        cmocka_unit_test(says_again_when_an_answer_breaks_off),
        cmocka_unit_test(does_not_send_line_breaks_in_headers),
        cmocka_unit_test(sends_a_header_of_the_caller_instead_of_its_own),
        cmocka_unit_test(says_what_a_server_of_another_protocol_speaks),
        cmocka_unit_test(says_that_a_server_speaks_no_tls),
        cmocka_unit_test(connects_to_a_unix_socket),
        cmocka_unit_test(goes_through_the_proxy_it_is_told),
        cmocka_unit_test(goes_past_the_proxy_where_it_is_told),
        cmocka_unit_test(ends_what_is_left_when_it_is_freed),
        cmocka_unit_test(streams_an_answer_piece_by_piece),
        cmocka_unit_test(ends_a_stream_that_is_stopped_or_cancelled),
        cmocka_unit_test(sends_the_token_of_a_file_that_is_renewed_after_a_401),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
