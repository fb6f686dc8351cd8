/*
 * server: its threads, connections, start and stop.
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "server_greeting.h"
#include "server_internal.h"
#include "server_tls.h"
#include "util/thread.h"
#include "util/time/clock.h"

#define CONNECTIONS_DEFAULT 10000u
#define BUFFERED_BYTES_DEFAULT (UINT64_C(256) << 20)
#define THREADS_MAX 64u
#define HEADER_GRACE_NS (60 * HF_NS_PER_S)
/* How long a stop waits, after its grace, for the threads to end. */
#define END_NS (200 * HF_NS_PER_MS)
/* Paid a request, since it is cleared for each; half is for reading. */
#define CONNECTION_MEMORY_BYTES 65536u

static void report(const struct hf_http_server *server, const char *peer, const char *what)
{
    if (server->options.on_error != NULL) {
        server->options.on_error(server->options.user, peer, what);
    }
}

static struct http_connection *open_connection(struct hf_http_server *server,
                                               struct MHD_Connection *connection)
{
    struct http_connection *made = calloc(1, sizeof(*made));
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info != NULL ? info->client_addr : NULL;
    struct hf_peer who = hf_peer_of_address(address);
    /* The library may put each answer in the same place. */
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (made == NULL || info == NULL) {
        hf_census_leave(server->census, &who);
        hf_http_end_greeting(server);
        free(made);
        return NULL; /* its first request is refused */
    }
    made->fd = info->connect_fd;
    made->who = who;
    made->is_counted = true;
    hf_http_format_peer(address, made->peer, sizeof(made->peer));
    if (server->tls != NULL) {
        char error[HF_ERROR_MAX];
        made->credentials = hf_http_tls_prepare(server->tls, connection, &made->handshake, error);
        if (error[0] != '\0') {
            report(server, NULL, error);
        }
    }
    atomic_init(&made->deadline_ns, hf_clock_coarse_ns() + HEADER_GRACE_NS);
    /* Without memory for that it belongs to no sender. */
    made->sender = hf_intake_peer_get(&server->peers, &who);
    pthread_mutex_lock(&server->lock);
    made->next = server->connections;
    if (made->next != NULL) {
        made->next->previous = made;
    }
    server->connections = made;
    hf_http_idle_enter(server, made);
    pthread_mutex_unlock(&server->lock);
    hf_http_end_greeting(server);
    return made;
}

static void close_connection(struct hf_http_server *server, struct http_connection *gone)
{
    if (gone == NULL) {
        return;
    }
    pthread_mutex_lock(&server->lock);
    *(gone->previous != NULL ? &gone->previous->next : &server->connections) = gone->next;
    if (gone->next != NULL) {
        gone->next->previous = gone->previous;
    }
    hf_http_idle_leave(server, gone);
    hf_http_count_out(server, gone);
    bool closing = server->closing;
    if (closing) {
        pthread_cond_broadcast(&server->changed);
    }
    pthread_mutex_unlock(&server->lock);
    char why[256];
    if (gone->credentials != NULL && !closing &&
        hf_http_handshake_failed(&gone->handshake, gone->fd, why)) {
        report(server, gone->peer, why);
    }
    hf_http_tls_drop(gone->credentials);
    hf_intake_peer_put(&server->peers, gone->sender);
    free(gone->target);
    free(gone);
}

static void on_connection(void *user, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct hf_http_server *server = user;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = open_connection(server, connection);
    } else {
        close_connection(server, *context);
        *context = NULL;
    }
}

static void free_server(struct hf_ref *ref)
{
    struct hf_http_server *server = HF_CONTAINER(ref, struct hf_http_server, ref);
    hf_intake_peers_release(&server->peers);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    hf_census_free(server->census);
    free(server);
}

/* What failed is reported by the calls that fail; the library's own words are for its developers.
 */
static void ignore_log(void *user, const char *format, va_list arguments)
{
    (void)user;
    (void)format;
    (void)arguments;
}

static void add_text(struct MHD_OptionItem *items, size_t *count, enum MHD_OPTION option,
                     const char *text)
{
    items[(*count)++] = (struct MHD_OptionItem){option, 0, (void *)(uintptr_t)text};
}

static struct MHD_Daemon *start_daemon(struct hf_http_server *server)
{
    const struct hf_http_server_options *options = &server->options;
    unsigned threads = options->threads;
    /* The library deals connections out by descriptor, not evenly, and its own check of this limit
     * can deadlock: it is never to be reached. Ours is kept where connections are accepted. */
    size_t limit = (options->connections_max + HTTP_ACCEPT_BATCH) * 2 * threads;
    struct MHD_OptionItem items[16] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)ignore_log, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY_BYTES, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)(limit < INT32_MAX ? limit : INT32_MAX), NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, options->idle_timeout_s, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)hf_http_on_completed, server},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, server},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)hf_http_on_uri, server},
        /* 0.9.75 is no stricter by it but about Host and blanks in the URI, and answers these
         * worse than server_head does. */
        {MHD_OPTION_STRICT_FOR_CLIENT, server->checks_lines ? 0 : 1, NULL},
    };
    size_t count = 8;
    if (threads > 1) {
        items[count++] = (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, threads, NULL};
    }
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET |
                     MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    if (server->tls != NULL) {
        flags |= MHD_USE_TLS;
        add_text(items, &count, MHD_OPTION_HTTPS_MEM_CERT, hf_http_tls_cert(server->tls));
        add_text(items, &count, MHD_OPTION_HTTPS_MEM_KEY, hf_http_tls_key(server->tls));
        add_text(items, &count, MHD_OPTION_HTTPS_PRIORITIES, hf_http_tls_priorities(server->tls));
    }
    items[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    return MHD_start_daemon(flags, 0, NULL, NULL, hf_http_on_access, server, MHD_OPTION_ARRAY,
                            items, MHD_OPTION_END);
}

/* Signals are the main thread's affair: threads made here inherit a mask that holds them all. */
static enum hf_status start_threads(struct hf_http_server *server, char *reterr)
{
    sigset_t all, before;
    hf_thread_signals(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    server->daemon = start_daemon(server);
    int failed = 0;
    if (server->daemon != NULL) {
        failed = pthread_create(&server->acceptor, NULL, hf_http_accept_main, server);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (server->daemon != NULL && failed == 0) {
        pthread_setname_np(server->acceptor, "hf-http-accept");
        return HF_OK;
    }
    if (server->daemon != NULL) {
        MHD_stop_daemon(server->daemon);
        server->daemon = NULL;
    }
    snprintf(reterr, HF_ERROR_MAX, "the HTTP server cannot start its threads: %s",
             failed != 0 ? strerror(failed) : "libmicrohttpd gives no reason");
    return HF_IO;
}

static void set_defaults(struct hf_http_server *server)
{
    struct hf_http_server_options *options = &server->options;
    if (options->threads == 0) {
        options->threads = 1;
    }
    if (options->threads > THREADS_MAX) {
        options->threads = THREADS_MAX;
    }
    if (options->buffered_bytes_max == 0) {
        options->buffered_bytes_max = BUFFERED_BYTES_DEFAULT;
    }
    if (options->connections_max == 0) {
        options->connections_max = CONNECTIONS_DEFAULT;
    }
    options->body_time_ns = options->body_time_ns != 0 ? options->body_time_ns : HF_INTAKE_TIME_NS;
    options->body_rate = options->body_rate != 0 ? options->body_rate : HF_INTAKE_RATE;
    server->limits = hf_intake_limits_of(options->buffered_bytes_max);
    server->body_limit = options->body_bytes_max;
    if (server->body_limit == 0 || server->body_limit > server->limits.message) {
        server->body_limit = server->limits.message;
    }
}

static void release_outside(struct hf_http_server *server)
{
    hf_http_greetings_free(server->greetings);
    server->greetings = NULL;
    hf_http_tls_free(server->tls);
    server->tls = NULL;
    if (server->wake_fd >= 0) {
        close(server->wake_fd);
        server->wake_fd = -1;
    }
    if (server->options.listen_fd >= 0) {
        close(server->options.listen_fd);
        server->options.listen_fd = -1;
    }
}

enum hf_status hf_http_server_new(const struct hf_http_server_options *options,
                                  struct hf_http_server **ret_server, char *reterr)
{
    assert(options->on_request != NULL);
    struct hf_http_server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        close(options->listen_fd);
        snprintf(reterr, HF_ERROR_MAX, "no memory for the HTTP server");
        return HF_NOMEM;
    }
    hf_ref_init(&server->ref, free_server);
    hf_intake_peers_init(&server->peers);
    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&server->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    server->options = *options;
    set_defaults(server);
    /* Only of this one is known how it leaves a head; later ones need no help. */
    server->checks_lines = strcmp(MHD_get_version(), "0.9.75") == 0;
    server->idle_end = &server->idle;
    server->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    const struct hf_census_limits limits = {server->options.connections_max,
                                            server->options.connections_per_peer_max};
    enum hf_status status = hf_census_new(&limits, &server->census);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the HTTP server");
    } else if (server->wake_fd < 0) {
        snprintf(reterr, HF_ERROR_MAX, "the HTTP server cannot make an eventfd: %s",
                 strerror(errno));
        status = HF_IO;
    }
    if (status == HF_OK && (options->tls != NULL || options->tls_cert_pem != NULL)) {
        status = hf_http_tls_new(options, &server->tls, reterr);
    }
    if (status == HF_OK) {
        status = hf_http_greetings_new(server, &server->greetings);
        if (status != HF_OK) {
            snprintf(reterr, HF_ERROR_MAX, "the HTTP server cannot make an epoll: %s",
                     status == HF_NOMEM ? "no memory" : strerror(errno));
        }
    }
    if (status == HF_OK) {
        status = start_threads(server, reterr);
    }
    /* Borrowed for the call only. */
    server->options.tls_cert_pem = server->options.tls_key_pem = NULL;
    server->options.tls_client_ca_pem = server->options.tls_priorities = NULL;
    if (status != HF_OK) {
        release_outside(server);
        hf_ref_drop(&server->ref);
        return status;
    }
    *ret_server = server;
    return HF_OK;
}

static void wake_acceptor(struct hf_http_server *server)
{
    (void)eventfd_write(server->wake_fd, 1);
}

static struct timespec in(uint64_t wait_ns)
{
    uint64_t until_ns = hf_clock_monotonic_ns() + wait_ns;
    return (struct timespec){.tv_sec = (time_t)(until_ns / HF_NS_PER_S),
                             .tv_nsec = (long)(until_ns % HF_NS_PER_S)};
}

/* Under the lock. */
static void wait_for_requests(struct hf_http_server *server, uint64_t grace_ns)
{
    const struct timespec until = in(grace_ns);
    int waited = 0;
    while (server->active > 0 && waited == 0) {
        waited = pthread_cond_timedwait(&server->changed, &server->lock, &until);
    }
}

/*
 * Under the lock. HTTP/1.1 has no word for "send no more here" but on an answer: who is in the
 * middle of sending gets one more answer, which closes the connection; only who has been silent for
 * a fifth of the grace is cut.
 */
static void linger(struct hf_http_server *server, uint64_t grace_ns)
{
    const struct timespec until = in(grace_ns / 5);
    int waited = 0;
    while ((!server->accepts_no_more || server->connections != NULL ||
            atomic_load(&server->greeting_count) > 0) &&
           waited == 0) {
        waited = pthread_cond_timedwait(&server->changed, &server->lock, &until);
    }
}

/*
 * The rest of a stop, which waits for handlers and answers: a thread of its own, so that one that
 * is blocked holds up nothing else.
 */
static void *end_main(void *user)
{
    struct hf_http_server *server = user;
    pthread_mutex_lock(&server->lock);
    /* The library must not be stopped while a connection is suspended; all have been resumed by
     * now, or are by an answer under way, and come back at once. */
    while (server->suspended > 0) {
        pthread_cond_wait(&server->changed, &server->lock);
    }
    server->ending = true;
    pthread_mutex_unlock(&server->lock);
    wake_acceptor(server);
    pthread_join(server->acceptor, NULL);
    MHD_stop_daemon(server->daemon);
    server->daemon = NULL;
    release_outside(server);
    pthread_mutex_lock(&server->lock);
    server->threads_ended = true;
    pthread_cond_broadcast(&server->changed);
    while (server->unanswered > 0) {
        pthread_cond_wait(&server->changed, &server->lock);
    }
    pthread_mutex_unlock(&server->lock);
    if (server->options.on_end != NULL) {
        server->options.on_end(server->options.user);
    }
    pthread_mutex_lock(&server->lock);
    server->ended = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    hf_ref_drop(&server->ref);
    return NULL;
}

static void begin_end(struct hf_http_server *server)
{
    pthread_t thread;
    hf_ref_take(&server->ref);
    int failed = hf_thread_start(&thread, NULL, end_main, server);
    if (failed == 0) {
        pthread_detach(thread);
    } else {
        (void)end_main(server); /* without a thread it is waited for */
    }
}

static void wait_for_end(struct hf_http_server *server, uint64_t wait_ns)
{
    const struct timespec until = in(wait_ns);
    int waited = 0;
    pthread_mutex_lock(&server->lock);
    while (!server->ended && waited == 0) {
        waited = pthread_cond_timedwait(&server->changed, &server->lock, &until);
    }
    pthread_mutex_unlock(&server->lock);
}

void hf_http_server_stop(struct hf_http_server *server, uint64_t grace_ns)
{
    if (server == NULL || server->closing) {
        return;
    }
    pthread_mutex_lock(&server->lock);
    server->closing = true;
    wake_acceptor(server);
    linger(server, grace_ns);
    wait_for_requests(server, grace_ns);
    hf_http_cut(server);
    pthread_mutex_unlock(&server->lock);
    begin_end(server);
    wait_for_end(server, END_NS);
}

void hf_http_server_free(struct hf_http_server *server)
{
    if (server == NULL) {
        return;
    }
    hf_http_server_stop(server, 0);
    pthread_mutex_lock(&server->lock);
    while (!(server->options.on_end != NULL ? server->ended : server->threads_ended)) {
        pthread_cond_wait(&server->changed, &server->lock);
    }
    pthread_mutex_unlock(&server->lock);
    hf_ref_drop(&server->ref);
}
