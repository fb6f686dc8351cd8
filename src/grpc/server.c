/* The server as a whole: workers, accepting, balancing, starting and stopping. */
#include "server_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ERROR_SIZE 512
#define ACCEPTS_A_TURN 64
#define ACCEPT_PAUSE_NS (UINT64_C(100) * 1000000)
#define TICK_MAX_NS UINT64_C(1000000000)
#define TICK_MIN_NS UINT64_C(5000000)
/* How long the stop waits for users to answer calls whose connections were cut. */
#define ABANDON_NS (UINT64_C(200) * 1000000)

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- accepting ---- */

static void listen_again(struct hf_timer *timer, uint64_t now_ns)
{
    struct grpc_worker *worker = HF_CONTAINER(timer, struct grpc_worker, pause);
    (void)now_ns;
    if (!worker->stopping && !worker->listening) {
        worker->listening = hf_loop_add(worker->loop, worker->server->options.listen_fd,
                                        EPOLLIN | EPOLLEXCLUSIVE, &worker->listener) == HF_OK;
    }
}

static void pause_listening(struct grpc_worker *worker, const char *why)
{
    const struct hf_grpc_server_options *options = &worker->server->options;
    hf_loop_remove(worker->loop, options->listen_fd, &worker->listener);
    worker->listening = false;
    if (hf_loop_timer_set(worker->loop, &worker->pause,
                          hf_loop_now_ns(worker->loop) + ACCEPT_PAUSE_NS) != HF_OK) {
        listen_again(&worker->pause, 0);
    }
    if (options->on_error != NULL) {
        options->on_error(options->user, "", why);
    }
}

static void on_listener(struct hf_io *io, uint32_t events)
{
    struct grpc_worker *worker = HF_CONTAINER(io, struct grpc_worker, listener);
    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        struct sockaddr_storage address = {.ss_family = AF_UNIX};
        socklen_t size = sizeof(address);
        int fd = accept4(worker->server->options.listen_fd, (struct sockaddr *)&address, &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            hf_grpc_admit(worker, fd, &address);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            if (hf_grpc_evict(worker)) {
                continue;
            }
            /* It would stay ready and spin: look again in a while. */
            pause_listening(worker, strerror(errno));
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

/* ---- starting and stopping a worker, on its thread ---- */

static void run_start(struct hf_task *task)
{
    struct grpc_worker *worker = HF_CONTAINER(task, struct grpc_worker, start_task);
    listen_again(&worker->pause, 0);
    if (!worker->listening) {
        const struct hf_grpc_server_options *options = &worker->server->options;
        if (options->on_error != NULL) {
            options->on_error(options->user, "", "cannot watch the listening socket");
        }
    }
    hf_ref_drop(&worker->server->ref);
}

static void kill_all(struct grpc_worker *worker)
{
    for (struct connection *connection = worker->connections, *next; connection != NULL;
         connection = next) {
        next = connection->next;
        hf_grpc_connection_kill(connection);
    }
}

static void run_turn_away(struct hf_task *task)
{
    struct grpc_worker *worker = HF_CONTAINER(task, struct grpc_worker, turn_away_task);
    struct hf_grpc_server *server = worker->server;
    hf_loop_timer_stop(worker->loop, &worker->pause);
    if (worker->listening) {
        hf_loop_remove(worker->loop, server->options.listen_fd, &worker->listener);
        worker->listening = false;
    }
    pthread_mutex_lock(&server->lock);
    server->workers_listening--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    hf_ref_drop(&server->ref);
}

static void run_stop(struct hf_task *task)
{
    struct grpc_worker *worker = HF_CONTAINER(task, struct grpc_worker, stop_task);
    worker->stopping = true;
    worker->stop_begun_ns = hf_loop_now_ns(worker->loop);
    for (struct connection *connection = worker->connections; connection != NULL;
         connection = connection->next) {
        if (connection->settings_received && connection->drain == DRAIN_NOT &&
            !connection->discarding) {
            hf_grpc_connection_drain(connection, worker->stop_end_ns);
        }
    }
    if (worker->connections != NULL) {
        hf_grpc_worker_set_tick(worker, 0);
    }
    hf_grpc_worker_settle(worker);
    hf_ref_drop(&worker->server->ref);
}

static void run_cut(struct hf_task *task)
{
    struct grpc_worker *worker = HF_CONTAINER(task, struct grpc_worker, cut_task);
    kill_all(worker);
    hf_grpc_worker_settle(worker);
    hf_ref_drop(&worker->server->ref);
}

/* ---- the server ---- */

static void free_server(struct hf_ref *ref)
{
    struct hf_grpc_server *server = HF_CONTAINER(ref, struct hf_grpc_server, ref);
    for (size_t i = 0; server->workers != NULL && i < server->options.loop_count; i++) {
        struct grpc_worker *worker = &server->workers[i];
        hf_grpc_call_pool_free(worker);
        free(worker->read_buffer);
        free(worker->write_buffer);
    }
    nghttp2_session_callbacks_del(server->callbacks);
    nghttp2_option_del(server->session_option);
    hf_intake_peers_release(&server->peers);
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->changed);
    hf_census_free(server->census);
    free(server->workers);
    free(server->methods);
    free(server);
}

static void set_default(uint64_t *value, uint64_t preset)
{
    if (*value == 0) {
        *value = preset;
    }
}

static void set_defaults(struct hf_grpc_server_options *options)
{
    options->streams_max = options->streams_max != 0 ? options->streams_max : 1000;
    options->stream_window = options->stream_window != 0 ? options->stream_window : 1u << 20;
    if (options->connection_window == 0) {
        options->connection_window = 16u << 20;
    }
    if (options->read_buffer_bytes == 0) {
        options->read_buffer_bytes = 256u * 1024;
    }
    if (options->connections_max == 0) {
        options->connections_max = 10000;
    }
    if (options->message_bytes_max > UINT32_MAX || options->message_bytes_max == 0) {
        options->message_bytes_max = UINT32_MAX; /* what the prefix can say */
    }
    set_default(&options->buffered_bytes_max, 256u << 20);
    set_default(&options->message_time_ns, HF_INTAKE_TIME_NS);
    set_default(&options->message_rate, HF_INTAKE_RATE);
    set_default(&options->keepalive_time_ns, UINT64_C(7200) * 1000000000);
    set_default(&options->keepalive_timeout_ns, UINT64_C(20) * 1000000000);
    set_default(&options->enforcement_min_time_ns, UINT64_C(300) * 1000000000);
}

/* Fine enough for the shortest of the times that it serves. */
static uint64_t tick_for(const struct hf_grpc_server_options *options)
{
    const uint64_t times_ns[] = {options->keepalive_time_ns, options->keepalive_timeout_ns,
                                 options->max_connection_idle_ns, options->max_connection_age_ns,
                                 options->max_connection_age_grace_ns};
    uint64_t tick_ns = TICK_MAX_NS;
    for (size_t i = 0; i < sizeof(times_ns) / sizeof(times_ns[0]); i++) {
        if (times_ns[i] != 0 && times_ns[i] / 4 < tick_ns) {
            tick_ns = times_ns[i] / 4;
        }
    }
    return tick_ns > TICK_MIN_NS ? tick_ns : TICK_MIN_NS;
}

static bool init_worker(struct grpc_worker *worker, struct hf_grpc_server *server,
                        struct hf_loop *loop)
{
    worker->server = server;
    worker->loop = loop;
    worker->listener.ready = on_listener;
    worker->pause.fire = listen_again;
    worker->tick.fire = hf_grpc_worker_tick;
    worker->dirty_end = &worker->dirty;
    worker->idle_end = &worker->idle;
    worker->flush_task.run = hf_grpc_worker_flush;
    worker->settle_task.run = hf_grpc_worker_settle_now;
    worker->start_task.run = run_start;
    worker->turn_away_task.run = run_turn_away;
    worker->stop_task.run = run_stop;
    worker->cut_task.run = run_cut;
    atomic_init(&worker->connection_count, 0);
    hf_grpc_worker_relief_init(worker);
    worker->read_buffer = malloc(server->options.read_buffer_bytes);
    worker->write_buffer = malloc(HF_GRPC_WRITE_BUFFER_BYTES);
    return worker->read_buffer != NULL && worker->write_buffer != NULL;
}

static bool prepare(struct hf_grpc_server *server)
{
    const struct hf_grpc_server_options *options = &server->options;
    server->methods = calloc(options->method_count + 1, sizeof(server->methods[0]));
    server->workers = calloc(options->loop_count, sizeof(server->workers[0]));
    const struct hf_census_limits limits = {options->connections_max,
                                            options->connections_per_peer_max};
    if (server->methods == NULL || server->workers == NULL ||
        hf_census_new(&limits, &server->census) != HF_OK ||
        hf_grpc_session_prepare(server) != HF_OK) {
        return false;
    }
    for (size_t i = 0; i < options->method_count; i++) {
        server->methods[i] = options->methods[i];
    }
    for (size_t i = 0; i < options->loop_count; i++) {
        if (!init_worker(&server->workers[i], server, options->loops[i])) {
            return false;
        }
    }
    return true;
}

enum hf_status hf_grpc_server_new(const struct hf_grpc_server_options *options,
                                  struct hf_grpc_server **ret_server, char *reterr)
{
    assert(options->loop_count > 0 && options->on_message != NULL);
    struct hf_grpc_server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        snprintf(reterr, ERROR_SIZE, "grpc: out of memory");
        return HF_NOMEM;
    }
    hf_ref_init(&server->ref, free_server);
    hf_intake_peers_init(&server->peers);
    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&server->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    server->options = *options;
    set_defaults(&server->options);
    server->limits = hf_intake_limits_of(server->options.buffered_bytes_max);
    if (server->options.message_bytes_max > server->limits.message) {
        server->options.message_bytes_max = server->limits.message;
    }
    server->tick_ns = tick_for(&server->options);
    int flags = fcntl(options->listen_fd, F_GETFL);
    if (flags < 0 || fcntl(options->listen_fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        snprintf(reterr, ERROR_SIZE, "grpc: the listening socket: %s", strerror(errno));
        hf_ref_drop(&server->ref);
        return HF_IO;
    }
    if (!prepare(server)) {
        snprintf(reterr, ERROR_SIZE, "grpc: out of memory");
        hf_ref_drop(&server->ref);
        return HF_NOMEM;
    }
    *ret_server = server;
    return HF_OK;
}

/* On the worker's thread, now or soon. */
static void run_on(struct grpc_worker *worker, struct hf_task *task)
{
    hf_ref_take(&worker->server->ref);
    if (hf_loop_is_own_thread(worker->loop)) {
        task->run(task);
    } else {
        hf_loop_post(worker->loop, task);
    }
}

void hf_grpc_server_start(struct hf_grpc_server *server)
{
    for (size_t i = 0; i < server->options.loop_count; i++) {
        run_on(&server->workers[i], &server->workers[i].start_task);
    }
}

/* Until no worker is left in `count`; false when the time came first. */
static bool wait_for_workers(struct hf_grpc_server *server, const size_t *count, uint64_t end_ns)
{
    struct timespec end = {.tv_sec = (time_t)(end_ns / 1000000000u),
                           .tv_nsec = (long)(end_ns % 1000000000u)};
    int failed = 0;
    pthread_mutex_lock(&server->lock);
    while (*count > 0 && failed == 0) {
        failed = pthread_cond_timedwait(&server->changed, &server->lock, &end);
    }
    bool none_left = *count == 0;
    pthread_mutex_unlock(&server->lock);
    return none_left;
}

static void cut(struct hf_grpc_server *server)
{
    for (size_t i = 0; i < server->options.loop_count; i++) {
        run_on(&server->workers[i], &server->workers[i].cut_task);
    }
}

void hf_grpc_server_stop(struct hf_grpc_server *server, uint64_t grace_ns)
{
    uint64_t end_ns = monotonic_ns() + grace_ns;
    bool own_thread = false;
    server->workers_running = server->lanes_ending = server->options.loop_count;
    server->workers_listening = server->options.loop_count;
    for (size_t i = 0; i < server->options.loop_count; i++) {
        own_thread = own_thread || hf_loop_is_own_thread(server->workers[i].loop);
        run_on(&server->workers[i], &server->workers[i].turn_away_task);
    }
    /* First all workers stop to accept: a client that one worker asks to connect again must find
     * the server that listens now, and not another worker of this one. */
    if (!own_thread) {
        (void)wait_for_workers(server, &server->workers_listening, end_ns - grace_ns / 3 * 2);
    }
    for (size_t i = 0; i < server->options.loop_count; i++) {
        server->workers[i].stop_end_ns = end_ns;
        run_on(&server->workers[i], &server->workers[i].stop_task);
    }
    if (own_thread) {
        /* A loop that does not run answers no call: there is nothing to wait for. */
        cut(server);
    } else if (!wait_for_workers(server, &server->workers_running, end_ns)) {
        cut(server);
        (void)wait_for_workers(server, &server->workers_running, monotonic_ns() + ABANDON_NS);
    }
}

void hf_grpc_server_free(struct hf_grpc_server *server)
{
    if (server != NULL) {
        close(server->options.listen_fd);
        hf_ref_drop(&server->ref);
    }
}
