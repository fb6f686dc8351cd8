/*
 * rig: a server on threads of its own, listening on a loopback port or a socket path, whose methods
 * do what a test wants: echo, fail as told by a header, or hold the call until it is let go.
 */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <grpc/server.h>
#include <holdfast/ref.h>
#include <util/compress/compress.h>
#include <util/loop.h>
#include <util/tls/tls.h>

#define RIG_LOOPS 2
#define RIG_HELD_MAX 64

struct rig {
    struct hf_loop *loops[RIG_LOOPS];
    struct hf_grpc_server *server;
    char target[128]; /* for a client */
    char path[100];   /* of a unix socket, or "" */
    uint16_t port;
    struct hf_grpc_server_options options; /* to be set before the start */
    bool started;
    atomic_int errors, messages, headers, letting_go, cut;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct hf_grpc_call *held[RIG_HELD_MAX];
    int held_count;
    bool closing; /* nothing is held any more */
    char last_error[256];
};

static inline void rig_fail(struct hf_grpc_call *call)
{
    char number[16] = "", text[256] = "";
    struct hf_slice code = hf_grpc_call_header(call, "x-code");
    struct hf_slice error = hf_grpc_call_header(call, "x-text");
    struct hf_slice delay = hf_grpc_call_header(call, "x-delay-bin"); /* 8 bytes, this machine's */
    assert_true(code.size < sizeof(number) && error.size < sizeof(text));
    memcpy(number, code.data, code.size);
    if (error.size != 0) {
        memcpy(text, error.data, error.size);
    }
    struct hf_grpc_answer answer = {.code = (int)strtol(number, NULL, 10), .error = text};
    if (delay.size == sizeof(answer.retry_delay_ns)) {
        memcpy(&answer.retry_delay_ns, delay.data, sizeof(answer.retry_delay_ns));
    }
    hf_grpc_call_answer(call, &answer);
}

static inline void rig_hold(struct rig *rig, struct hf_grpc_call *call)
{
    pthread_mutex_lock(&rig->lock);
    bool closing = rig->closing;
    if (!closing) {
        assert_true(rig->held_count < RIG_HELD_MAX);
        rig->held[rig->held_count++] = call;
        pthread_cond_broadcast(&rig->changed);
    }
    pthread_mutex_unlock(&rig->lock);
    if (closing) {
        hf_grpc_call_answer(call, &(struct hf_grpc_answer){.code = 14});
    }
}

static inline void rig_on_message(void *user, struct hf_grpc_call *call)
{
    struct rig *rig = user;
    const char *what = hf_grpc_call_user(call);
    const struct hf_grpc_message *message = hf_grpc_call_message(call);
    atomic_fetch_add(&rig->messages, 1);
    assert_true(hf_loop_is_own_thread(hf_grpc_call_loop(call)));
    assert_true(strlen(hf_grpc_call_peer(call)) > 0);
    if (strcmp(what, "fail") == 0) {
        rig_fail(call);
    } else if (strcmp(what, "hold") == 0) {
        rig_hold(rig, call);
    } else {
        hf_grpc_call_answer(call, &(struct hf_grpc_answer){.message = message->raw});
    }
}

static inline void rig_on_headers(void *user, struct hf_grpc_call *call)
{
    struct rig *rig = user;
    atomic_fetch_add(&rig->headers, 1);
    if (hf_slice_is(hf_grpc_call_header(call, "authorization"), "nobody")) {
        hf_grpc_call_answer(call, &(struct hf_grpc_answer){.code = 16, .error = "who are you?"});
    }
}

static inline void rig_on_error(void *user, const char *peer, const char *what)
{
    struct rig *rig = user;
    assert_non_null(peer);
    atomic_fetch_add(&rig->errors, 1);
    pthread_mutex_lock(&rig->lock);
    snprintf(rig->last_error, sizeof(rig->last_error), "%s", what);
    pthread_mutex_unlock(&rig->lock);
}

static inline void rig_expect_error(struct rig *rig, const char *text)
{
    pthread_mutex_lock(&rig->lock);
    assert_string_equal(rig->last_error, text);
    pthread_mutex_unlock(&rig->lock);
}

static inline int rig_listen_tcp(struct rig *rig, uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 128), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    rig->port = ntohs(address.sin_port);
    snprintf(rig->target, sizeof(rig->target), "127.0.0.1:%u", rig->port);
    return fd;
}

static inline int rig_listen_unix(struct rig *rig)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(rig->path, sizeof(rig->path), "/tmp/holdfast-rig-XXXXXX");
    assert_non_null(mkdtemp(rig->path));
    size_t size = strlen(rig->path);
    snprintf(rig->path + size, sizeof(rig->path) - size, "/s");
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", rig->path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 128), 0);
    snprintf(rig->target, sizeof(rig->target), "unix://%s", rig->path);
    return fd;
}

/* Says it again, twice; "no" is refused. */
static inline enum hf_status rig_converse(void *user, struct hf_slice message,
                                          struct hf_bytes *answer)
{
    assert_null(user);
    if (hf_slice_is(message, "no")) {
        return HF_INVALID;
    }
    enum hf_status status = hf_bytes_append(answer, message);
    return status == HF_OK ? hf_bytes_append(answer, message) : status;
}

/* What /t.S/Watch says: the message and this letter. */
static atomic_int rig_watched = 'a';

static inline enum hf_status rig_watch(void *user, struct hf_slice message, struct hf_bytes *answer)
{
    char letter = (char)atomic_load(&rig_watched);
    assert_null(user);
    enum hf_status status = letter == '!' ? HF_NOT_FOUND : hf_bytes_append(answer, message);
    return status == HF_OK ? hf_bytes_append(answer, hf_slice_of(&letter, 1)) : status;
}

/* Then the options may be changed, and the rig started. */
static inline struct rig *rig_new(bool on_a_path)
{
    static char echo[] = "echo", fail[] = "fail", hold[] = "hold";
    static const struct hf_grpc_method methods[] = {
        {.path = "/t.S/Echo", .user = echo},
        {.path = "/t.S/Fail", .user = fail},
        {.path = "/t.S/Hold", .user = hold},
        {.path = "/t.S/Talk", .converse = rig_converse},
        {.path = "/t.S/Watch", .converse = rig_watch, .repeat_ns = 1000000}};
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    pthread_mutex_init(&rig->lock, NULL);
    pthread_cond_init(&rig->changed, NULL);
    for (int i = 0; i < RIG_LOOPS; i++) {
        assert_int_equal(hf_loop_new(&rig->loops[i]), HF_OK);
    }
    rig->options = (struct hf_grpc_server_options){
        .listen_fd = on_a_path ? rig_listen_unix(rig) : rig_listen_tcp(rig, 0),
        .loops = rig->loops,
        .loop_count = RIG_LOOPS,
        .message_bytes_max = 8 << 20,
        .methods = methods,
        .method_count = sizeof(methods) / sizeof(methods[0]),
        .on_headers = rig_on_headers,
        .on_message = rig_on_message,
        .on_error = rig_on_error,
        .user = rig,
    };
    return rig;
}

static inline void rig_start(struct rig *rig)
{
    char error[512] = "";
    enum hf_status status = hf_grpc_server_new(&rig->options, &rig->server, error);
    assert_string_equal(error, "");
    assert_int_equal(status, HF_OK);
    for (int i = 0; i < RIG_LOOPS; i++) {
        assert_int_equal(hf_loop_start_thread(rig->loops[i], "rig"), HF_OK);
    }
    hf_grpc_server_start(rig->server);
    rig->started = true;
}

static inline void rig_await_held(struct rig *rig, int count)
{
    pthread_mutex_lock(&rig->lock);
    while (rig->held_count < count) {
        pthread_cond_wait(&rig->changed, &rig->lock);
    }
    pthread_mutex_unlock(&rig->lock);
}

struct rig_release {
    struct hf_task task;
    struct rig *rig;
    struct hf_grpc_call *call;
};

static inline void rig_answer_held(struct hf_task *task)
{
    struct rig_release *release = HF_CONTAINER(task, struct rig_release, task);
    hf_grpc_call_answer(release->call, &(struct hf_grpc_answer){
                                           .message = hf_grpc_call_message(release->call)->raw});
    atomic_fetch_sub(&release->rig->letting_go, 1);
    free(release);
}

/* Answers what is held, each on its own loop. */
static inline void rig_let_go(struct rig *rig)
{
    pthread_mutex_lock(&rig->lock);
    for (int i = 0; i < rig->held_count; i++) {
        struct rig_release *release = calloc(1, sizeof(*release));
        assert_non_null(release);
        *release =
            (struct rig_release){.task.run = rig_answer_held, .rig = rig, .call = rig->held[i]};
        atomic_fetch_add(&rig->letting_go, 1);
        hf_loop_post(hf_grpc_call_loop(release->call), &release->task);
    }
    rig->held_count = 0;
    pthread_mutex_unlock(&rig->lock);
}

static inline void rig_stop(struct rig *rig, uint64_t grace_ns)
{
    if (rig->server != NULL) {
        hf_grpc_server_stop(rig->server, grace_ns);
        hf_grpc_server_free(rig->server);
        rig->server = NULL;
    }
}

static inline void rig_free(struct rig *rig)
{
    pthread_mutex_lock(&rig->lock);
    rig->closing = true;
    pthread_mutex_unlock(&rig->lock);
    rig_let_go(rig);
    rig_stop(rig, 0);
    for (int i = 0; i < RIG_LOOPS; i++) {
        hf_loop_join(rig->loops[i]);
        hf_loop_free(rig->loops[i]);
    }
    if (rig->path[0] != '\0') {
        unlink(rig->path);
        *strrchr(rig->path, '/') = '\0';
        rmdir(rig->path);
    }
    pthread_mutex_destroy(&rig->lock);
    pthread_cond_destroy(&rig->changed);
    free(rig);
}

/* A blocking connection to it. */
static inline int rig_connect(const struct rig *rig)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(rig->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}
