/* The server as a whole: lanes, accepting, balancing, starting and stopping. */
#include "server_internal.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ERROR_SIZE 512
#define ACCEPTS_A_TURN 64
#define ACCEPT_PAUSE_NS (UINT64_C(100) * 1000000)
#define COUNT_SYNC_BYTES (256 * 1024)
#define TICK_MAX_NS UINT64_C(1000000000)
#define TICK_MIN_NS UINT64_C(5000000)
/* How long the stop waits for users to answer calls whose connections were cut. */
#define ABANDON_NS (UINT64_C(5) * 1000000000)

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- counts ---- */

void hf_grpc_lane_sync_counts(struct lane *lane)
{
    struct hf_grpc_server *server = lane->server;
    /* Negative changes wrap around, and so does the sum: back to what it should be. */
    size_t held = (size_t)lane->held_change, whole = (size_t)lane->whole_change;
    lane->held_seen =
        atomic_fetch_add_explicit(&server->held_bytes, held, memory_order_relaxed) + held;
    lane->whole_seen =
        atomic_fetch_add_explicit(&server->whole_bytes, whole, memory_order_relaxed) + whole;
    lane->held_change = lane->whole_change = 0;
    lane->held_peak = lane->held_seen > lane->held_peak ? lane->held_seen : lane->held_peak;
}

void hf_grpc_lane_look(struct lane *lane)
{
    struct hf_grpc_server *server = lane->server;
    lane->held_seen = atomic_load_explicit(&server->held_bytes, memory_order_relaxed);
    lane->whole_seen = atomic_load_explicit(&server->whole_bytes, memory_order_relaxed);
}

void hf_grpc_lane_count(struct lane *lane, ptrdiff_t held, ptrdiff_t whole)
{
    lane->held_change += held;
    lane->whole_change += whole;
    if (lane->held_change > COUNT_SYNC_BYTES || lane->held_change < -COUNT_SYNC_BYTES) {
        hf_grpc_lane_sync_counts(lane);
    }
}

size_t hf_grpc_lane_held(const struct lane *lane)
{
    return lane->held_seen + (size_t)lane->held_change;
}

bool hf_grpc_lane_may_open(const struct lane *lane)
{
    /* With nothing whole, waiting would be for ever: what is under way must be let in. Messages
     * that senders leave unfinished close no window: they are ended. */
    const struct hf_intake_limits *limits = &lane->server->limits;
    size_t whole = lane->whole_seen + (size_t)lane->whole_change;
    return whole == 0 || (whole <= limits->total / 2 && hf_grpc_lane_held(lane) <= limits->soft);
}

void hf_grpc_server_handed(struct lane *lane, int change)
{
    size_t before = lane->handed;
    lane->handed = change > 0 ? before + 1 : before - 1;
    if (before == 0) {
        hf_ref_take(&lane->server->ref);
    } else if (lane->handed == 0) {
        hf_grpc_lane_settle(lane);
        hf_ref_drop(&lane->server->ref);
    }
}

void hf_grpc_server_report(const struct connection *connection, const char *what)
{
    const struct hf_grpc_server_options *options = &connection->lane->server->options;
    if (options->on_error != NULL) {
        options->on_error(options->user, connection->peer, what);
    }
}

/* ---- accepting ---- */

static void describe_peer(const struct sockaddr_storage *address, char ret_text[64])
{
    char host[INET6_ADDRSTRLEN] = "";
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
        snprintf(ret_text, 64, "%s:%u", host, ntohs(v4->sin_port));
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
        bool mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
        if (mapped) {
            inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], host, sizeof(host));
        } else {
            inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
        }
        snprintf(ret_text, 64, mapped ? "%s:%u" : "[%s]:%u", host, ntohs(v6->sin6_port));
    } else {
        snprintf(ret_text, 64, "unix");
    }
}

/* A new socket on its way to the lane that will own it. */
struct arrival {
    struct hf_task task;
    struct lane *lane;
    int fd;
    char peer[64];
};

static void settle_in(struct lane *lane, int fd, const char *peer)
{
    if (lane->stopped) {
        atomic_fetch_sub(&lane->connection_count, 1);
        close(fd);
        return;
    }
    hf_grpc_connection_open(lane, fd, peer);
}

static void arrive(struct hf_task *task)
{
    struct arrival *arrival = HF_CONTAINER(task, struct arrival, task);
    struct hf_grpc_server *server = arrival->lane->server;
    settle_in(arrival->lane, arrival->fd, arrival->peer);
    free(arrival);
    hf_ref_drop(&server->ref);
}

/* The lane with the fewest connections; the counts of others may be stale, which only costs
 * balance. */
static struct lane *choose_lane(struct lane *own, size_t *ret_total)
{
    struct hf_grpc_server *server = own->server;
    struct lane *best = own;
    unsigned least = atomic_load_explicit(&own->connection_count, memory_order_relaxed);
    size_t total = 0;
    for (size_t i = 0; i < server->options.loop_count; i++) {
        struct lane *lane = &server->lanes[i];
        unsigned count = atomic_load_explicit(&lane->connection_count, memory_order_relaxed);
        total += count;
        if (count < least) {
            least = count;
            best = lane;
        }
    }
    *ret_total = total;
    return best;
}

static void welcome(struct lane *own, int fd, const struct sockaddr_storage *address)
{
    struct hf_grpc_server *server = own->server;
    const struct hf_grpc_server_options *options = &server->options;
    char peer[64];
    describe_peer(address, peer);
    size_t total;
    struct lane *lane = choose_lane(own, &total);
    if (total >= options->connections_max) {
        if (options->on_error != NULL) {
            options->on_error(options->user, peer, "too many connections");
        }
        close(fd);
        return;
    }
    if (address->ss_family != AF_UNIX) {
        int on = 1;
        /* Only tuning: a connection without it works. */
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    struct arrival *arrival = lane != own ? malloc(sizeof(*arrival)) : NULL;
    if (arrival == NULL) {
        atomic_fetch_add(&own->connection_count, 1);
        settle_in(own, fd, peer);
        return;
    }
    atomic_fetch_add(&lane->connection_count, 1);
    *arrival = (struct arrival){.task.run = arrive, .lane = lane, .fd = fd};
    memcpy(arrival->peer, peer, sizeof(peer));
    hf_ref_take(&server->ref);
    hf_loop_post(lane->loop, &arrival->task);
}

static void listen_again(struct hf_timer *timer, uint64_t now_ns)
{
    struct lane *lane = HF_CONTAINER(timer, struct lane, pause);
    (void)now_ns;
    if (!lane->stopping && !lane->listening) {
        lane->listening = hf_loop_add(lane->loop, lane->server->options.listen_fd,
                                      EPOLLIN | EPOLLEXCLUSIVE, &lane->listener) == HF_OK;
    }
}

static void pause_listening(struct lane *lane, const char *why)
{
    const struct hf_grpc_server_options *options = &lane->server->options;
    hf_loop_remove(lane->loop, options->listen_fd, &lane->listener);
    lane->listening = false;
    if (hf_loop_timer_set(lane->loop, &lane->pause, hf_loop_now_ns(lane->loop) + ACCEPT_PAUSE_NS) !=
        HF_OK) {
        listen_again(&lane->pause, 0);
    }
    if (options->on_error != NULL) {
        options->on_error(options->user, "", why);
    }
}

static void on_listener(struct hf_io *io, uint32_t events)
{
    struct lane *lane = HF_CONTAINER(io, struct lane, listener);
    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        struct sockaddr_storage address = {.ss_family = AF_UNIX};
        socklen_t size = sizeof(address);
        int fd = accept4(lane->server->options.listen_fd, (struct sockaddr *)&address, &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            welcome(lane, fd, &address);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* It would stay ready and spin: look again in a while. */
            pause_listening(lane, strerror(errno));
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

/* ---- starting and stopping a lane, on its thread ---- */

void hf_grpc_lane_defer(struct lane *lane, struct hf_task *task)
{
    hf_ref_take(&lane->server->ref);
    hf_loop_defer(lane->loop, task);
}

static bool is_settled(const struct lane *lane)
{
    return lane->stopping && !lane->stopped && lane->connections == NULL && lane->handed == 0 &&
           !lane->flush_deferred;
}

static void settle(struct lane *lane)
{
    struct hf_grpc_server *server = lane->server;
    if (!is_settled(lane)) {
        return;
    }
    lane->stopped = true;
    hf_loop_timer_stop(lane->loop, &lane->tick);
    hf_loop_timer_stop(lane->loop, &lane->relief);
    hf_grpc_lane_sync_counts(lane);
    pthread_mutex_lock(&server->lock);
    server->lanes_running--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

static void run_settle(struct hf_task *task)
{
    struct lane *lane = HF_CONTAINER(task, struct lane, settle_task);
    lane->settle_deferred = false;
    settle(lane);
    hf_ref_drop(&lane->server->ref);
}

void hf_grpc_lane_settle(struct lane *lane)
{
    /* At the end of the turn, when nobody up the stack uses the lane any more. */
    if (is_settled(lane) && !lane->settle_deferred) {
        lane->settle_deferred = true;
        hf_grpc_lane_defer(lane, &lane->settle_task);
    }
}

static void run_start(struct hf_task *task)
{
    struct lane *lane = HF_CONTAINER(task, struct lane, start_task);
    listen_again(&lane->pause, 0);
    if (!lane->listening) {
        const struct hf_grpc_server_options *options = &lane->server->options;
        if (options->on_error != NULL) {
            options->on_error(options->user, "", "cannot watch the listening socket");
        }
    }
    hf_ref_drop(&lane->server->ref);
}

static void kill_all(struct lane *lane)
{
    for (struct connection *connection = lane->connections, *next; connection != NULL;
         connection = next) {
        next = connection->next;
        hf_grpc_connection_kill(connection);
    }
}

static void run_turn_away(struct hf_task *task)
{
    struct lane *lane = HF_CONTAINER(task, struct lane, turn_away_task);
    struct hf_grpc_server *server = lane->server;
    hf_loop_timer_stop(lane->loop, &lane->pause);
    if (lane->listening) {
        hf_loop_remove(lane->loop, server->options.listen_fd, &lane->listener);
        lane->listening = false;
    }
    pthread_mutex_lock(&server->lock);
    server->lanes_listening--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    hf_ref_drop(&server->ref);
}

static void run_stop(struct hf_task *task)
{
    struct lane *lane = HF_CONTAINER(task, struct lane, stop_task);
    lane->stopping = true;
    lane->stop_begun_ns = hf_loop_now_ns(lane->loop);
    for (struct connection *connection = lane->connections; connection != NULL;
         connection = connection->next) {
        if (connection->greeted && connection->drain == DRAIN_NOT && !connection->lingering) {
            hf_grpc_connection_drain(connection, lane->stop_end_ns);
        }
    }
    if (lane->connections != NULL) {
        hf_grpc_lane_set_tick(lane, 0);
    }
    hf_grpc_lane_settle(lane);
    hf_ref_drop(&lane->server->ref);
}

static void run_cut(struct hf_task *task)
{
    struct lane *lane = HF_CONTAINER(task, struct lane, cut_task);
    kill_all(lane);
    hf_grpc_lane_settle(lane);
    hf_ref_drop(&lane->server->ref);
}

/* ---- the server ---- */

static void free_server(struct hf_ref *ref)
{
    struct hf_grpc_server *server = HF_CONTAINER(ref, struct hf_grpc_server, ref);
    for (size_t i = 0; server->lanes != NULL && i < server->options.loop_count; i++) {
        struct lane *lane = &server->lanes[i];
        hf_grpc_call_pool_free(lane);
        free(lane->read_buffer);
        free(lane->write_buffer);
    }
    nghttp2_session_callbacks_del(server->callbacks);
    nghttp2_option_del(server->session_option);
    hf_intake_peers_release(&server->peers);
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->changed);
    free(server->lanes);
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

static bool init_lane(struct lane *lane, struct hf_grpc_server *server, struct hf_loop *loop)
{
    lane->server = server;
    lane->loop = loop;
    lane->listener.ready = on_listener;
    lane->pause.fire = listen_again;
    lane->tick.fire = hf_grpc_lane_tick;
    lane->dirty_end = &lane->dirty;
    lane->flush_task.run = hf_grpc_lane_flush;
    lane->settle_task.run = run_settle;
    lane->start_task.run = run_start;
    lane->turn_away_task.run = run_turn_away;
    lane->stop_task.run = run_stop;
    lane->cut_task.run = run_cut;
    atomic_init(&lane->connection_count, 0);
    hf_grpc_lane_relief_init(lane);
    lane->read_buffer = malloc(server->options.read_buffer_bytes);
    lane->write_buffer = malloc(HF_GRPC_WRITE_BUFFER_BYTES);
    return lane->read_buffer != NULL && lane->write_buffer != NULL;
}

static bool prepare(struct hf_grpc_server *server)
{
    const struct hf_grpc_server_options *options = &server->options;
    server->methods = calloc(options->method_count + 1, sizeof(server->methods[0]));
    server->lanes = calloc(options->loop_count, sizeof(server->lanes[0]));
    if (server->methods == NULL || server->lanes == NULL ||
        hf_grpc_session_prepare(server) != HF_OK) {
        return false;
    }
    for (size_t i = 0; i < options->method_count; i++) {
        server->methods[i] = options->methods[i];
    }
    for (size_t i = 0; i < options->loop_count; i++) {
        if (!init_lane(&server->lanes[i], server, options->loops[i])) {
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

/* On the lane's thread, now or soon. */
static void run_on(struct lane *lane, struct hf_task *task)
{
    hf_ref_take(&lane->server->ref);
    if (hf_loop_is_own_thread(lane->loop)) {
        task->run(task);
    } else {
        hf_loop_post(lane->loop, task);
    }
}

void hf_grpc_server_start(struct hf_grpc_server *server)
{
    for (size_t i = 0; i < server->options.loop_count; i++) {
        run_on(&server->lanes[i], &server->lanes[i].start_task);
    }
}

/* Until no lane is left in `count`; false when the time came first. */
static bool wait_for_lanes(struct hf_grpc_server *server, const size_t *count, uint64_t end_ns)
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
        run_on(&server->lanes[i], &server->lanes[i].cut_task);
    }
}

void hf_grpc_server_stop(struct hf_grpc_server *server, uint64_t grace_ns)
{
    uint64_t end_ns = monotonic_ns() + grace_ns;
    bool own_thread = false;
    server->lanes_running = server->lanes_listening = server->options.loop_count;
    for (size_t i = 0; i < server->options.loop_count; i++) {
        own_thread = own_thread || hf_loop_is_own_thread(server->lanes[i].loop);
        run_on(&server->lanes[i], &server->lanes[i].turn_away_task);
    }
    /* First nobody is let in any more: whom one lane asks to go on elsewhere must find the server
     * that listens now, and not another lane of this one. */
    if (!own_thread) {
        (void)wait_for_lanes(server, &server->lanes_listening, end_ns);
    }
    for (size_t i = 0; i < server->options.loop_count; i++) {
        server->lanes[i].stop_end_ns = end_ns;
        run_on(&server->lanes[i], &server->lanes[i].stop_task);
    }
    if (own_thread) {
        /* A loop that does not run answers nobody: there is nothing to wait for. */
        cut(server);
    } else if (!wait_for_lanes(server, &server->lanes_running, end_ns)) {
        cut(server);
        (void)wait_for_lanes(server, &server->lanes_running, monotonic_ns() + ABANDON_NS);
    }
}

void hf_grpc_server_free(struct hf_grpc_server *server)
{
    if (server != NULL) {
        close(server->options.listen_fd);
        hf_ref_drop(&server->ref);
    }
}
