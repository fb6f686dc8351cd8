/* A server that echoes, and a client on a loop of the test. */
#pragma once

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

static inline void note_peer(struct fixture *fixture, const char *peer)
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

static inline void on_request(void *user, struct hf_http_request *request, enum hf_status fault)
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

static inline int bound_socket(struct sockaddr_in *address)
{
    socklen_t size = sizeof(*address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address, &size), 0);
    return fd;
}

static inline void start_client(struct fixture *fixture, struct hf_http_client_options options)
{
    char error[512];
    assert_int_equal(hf_loop_new(&fixture->loop), HF_OK);
    options.loop = fixture->loop;
    options.user_agent = "Test/1";
    assert_int_equal(hf_http_client_new(&options, &fixture->client, error), HF_OK);
}

static inline void start(struct fixture *fixture, size_t body_bytes_max,
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

static inline void end(struct fixture *fixture)
{
    hf_http_client_free(fixture->client);
    hf_loop_free(fixture->loop);
    hf_http_server_free(fixture->server);
    pthread_mutex_destroy(&fixture->lock);
}

static inline void on_done(struct hf_http_call *call, const struct hf_http_result *result)
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

static inline void begin(struct fixture *fixture, struct reply *reply)
{
    reply->fixture = fixture;
    reply->call.done = on_done;
    fixture->awaited++;
    hf_http_client_call(fixture->client, &reply->call);
    assert_false(reply->done);
}

static inline void await(struct fixture *fixture)
{
    hf_loop_run(fixture->loop);
    assert_int_equal(fixture->awaited, 0);
}

static inline void assert_says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("no \"%s\" in \"%s\"", part, text);
    }
}
