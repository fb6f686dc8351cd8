/*
 * server_fixture: a server with a handler, and a client of plain sockets, for tests of the server.
 */
#pragma once

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/server.h"
#include "tests/unit/http/plain_client.h"

#define HELD_MAX 16

/* A server whose handler echoes what it got, or holds requests for the test to answer. */
struct fixture {
    struct hf_http_server *server;
    struct sockaddr_in address;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct hf_http_request *held[HELD_MAX];
    size_t held_count;
    struct hf_ref *kept; /* of the last body, when `keeps` */
    struct hf_slice kept_bytes;
    bool holds, keeps;
    int freed_streams;
};

static inline void answer_text(struct hf_http_request *request, int status, const char *text)
{
    const struct hf_http_answer answer = {
        .status = status, .content_type = "text/plain", .body = hf_slice_text(text)};
    hf_http_answer(request, &answer);
}

static inline enum hf_status on_headers(void *user, struct hf_http_request *request)
{
    (void)user;
    if (strcmp(hf_http_path(request), "/refused") == 0) {
        answer_text(request, 401, "who are you");
        return HF_UNAUTHENTICATED;
    }
    return HF_OK;
}

static inline void count_header(void *user, struct hf_slice name, struct hf_slice value)
{
    (void)value;
    int *count = user;
    *count += name.size == 6 && strncasecmp((const char *)name.data, "x-many", 6) == 0;
}

static inline void echo(struct hf_http_request *request, enum hf_status fault)
{
    char text[2048];
    const struct hf_http_body *body = hf_http_request_body(request);
    struct hf_slice header = hf_http_header(request, "x-word");
    const char *query = hf_http_query(request, "q");
    int many = 0;
    hf_http_header_each(request, count_header, &many);
    snprintf(text, sizeof(text),
             "%s %s q=%s word=%.*s many=%d fault=%s coding=%s wire=%zu raw=%.*s",
             hf_http_method(request), hf_http_path(request), query == NULL ? "-" : query,
             (int)header.size, (const char *)header.data, many, hf_status_row(fault)->name,
             hf_coding_name(body->coding), body->wire.size,
             (int)(body->raw.size < 500 ? body->raw.size : 500), (const char *)body->raw.data);
    answer_text(request, fault == HF_OK ? 200 : fault == HF_TOO_LARGE ? 413 : 400, text);
}

static inline void answer_with_headers(struct hf_http_request *request)
{
    static const struct hf_http_answer_header headers[] = {
        {"ETag", "\"1\""}, {"X-None", NULL}, {"Set-Cookie", "a=b"}, {"Set-Cookie", "c=d"}};
    const struct hf_http_answer answer = {.status = 200, .headers = headers, .header_count = 4};
    hf_http_answer(request, &answer);
}

/* A body that is made of so many parts, the last of which may fail. */
struct parts {
    struct hf_http_stream stream;
    struct fixture *fixture;
    int left;
    bool fails;
};

static inline ssize_t read_part(struct hf_http_stream *stream, uint8_t *out, size_t size)
{
    struct parts *parts = HF_CONTAINER(stream, struct parts, stream);
    if (parts->left == 0) {
        return parts->fails ? -1 : 0;
    }
    parts->left--;
    memset(out, 'x', size);
    return (ssize_t)size;
}

static inline void free_parts(struct hf_http_stream *stream)
{
    struct parts *parts = HF_CONTAINER(stream, struct parts, stream);
    pthread_mutex_lock(&parts->fixture->lock);
    parts->fixture->freed_streams++;
    pthread_cond_broadcast(&parts->fixture->changed);
    pthread_mutex_unlock(&parts->fixture->lock);
    free(parts);
}

static inline void answer_stream(struct fixture *fixture, struct hf_http_request *request)
{
    struct parts *parts = calloc(1, sizeof(*parts));
    assert_non_null(parts);
    *parts = (struct parts){.stream = {read_part, free_parts},
                            .fixture = fixture,
                            .left = 3,
                            .fails = strcmp(hf_http_path(request), "/stream/fails") == 0};
    hf_http_answer(request, &(struct hf_http_answer){.status = 200, .stream = &parts->stream});
}

static inline void on_request(void *user, struct hf_http_request *request, enum hf_status fault)
{
    struct fixture *fixture = user;
    pthread_mutex_lock(&fixture->lock);
    bool holds = fixture->holds && strcmp(hf_http_path(request), "/now") != 0;
    if (fixture->keeps) {
        const struct hf_http_body *body = hf_http_request_body(request);
        hf_ref_take(body->owner);
        fixture->kept = body->owner;
        fixture->kept_bytes = body->wire;
    }
    if (holds) {
        assert_true(fixture->held_count < HELD_MAX);
        fixture->held[fixture->held_count++] = request;
        pthread_cond_broadcast(&fixture->changed);
    }
    pthread_mutex_unlock(&fixture->lock);
    if (!holds && strcmp(hf_http_path(request), "/headers") == 0) {
        answer_with_headers(request);
    } else if (!holds && strncmp(hf_http_path(request), "/stream", 7) == 0) {
        answer_stream(fixture, request);
    } else if (!holds) {
        echo(request, fault);
    }
}

/* Waits until the handler holds `count` requests. */
static inline void await_held(struct fixture *fixture, size_t count)
{
    pthread_mutex_lock(&fixture->lock);
    while (fixture->held_count < count) {
        pthread_cond_wait(&fixture->changed, &fixture->lock);
    }
    pthread_mutex_unlock(&fixture->lock);
}

/* `said`: where on_error() writes, or NULL; the handlers' fixture otherwise. */
static inline void start_for(struct fixture *fixture, struct hf_http_server_options options,
                             void *said)
{
    char error[512] = "";
    socklen_t size = sizeof(fixture->address);
    *fixture = (struct fixture){.holds = fixture->holds};
    pthread_mutex_init(&fixture->lock, NULL);
    pthread_cond_init(&fixture->changed, NULL);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    fixture->address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)&fixture->address, size), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&fixture->address, &size), 0);
    options.listen_fd = fd;
    options.on_request = on_request;
    options.user = said != NULL ? said : fixture;
    assert_int_equal(hf_http_server_new(&options, &fixture->server, error), HF_OK);
}

static inline void start(struct fixture *fixture, struct hf_http_server_options options)
{
    start_for(fixture, options, NULL);
}

static inline void end(struct fixture *fixture)
{
    hf_http_server_free(fixture->server);
    pthread_cond_destroy(&fixture->changed);
    pthread_mutex_destroy(&fixture->lock);
}

static inline int dial(const struct fixture *fixture)
{
    return dial_to(&fixture->address);
}

static inline void assert_silent_on(const char *text, const char *part)
{
    if (strstr(text, part) != NULL) {
        fail_msg("\"%s\" in \"%s\"", part, text);
    }
}

static inline void ask(int fd, const char *request, const char *expected)
{
    char text[4096];
    say(fd, request);
    assert_says(hear(fd, text, sizeof(text)), expected);
}
