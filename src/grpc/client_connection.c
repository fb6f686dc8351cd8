/* One connection of the client: how it is made, read, written, kept alive and ended. */
#include "client_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "util/spoken.h"

#define CONNECT_NS (UINT64_C(20) * 1000000000)
#define KEEPALIVE_TIMEOUT_NS (UINT64_C(20) * 1000000000)
/* Of a ping that is sent because a call waited in vain already. */
#define PROBE_TIMEOUT_NS (UINT64_C(5) * 1000000000)
/* A connection that answered nothing and was lost sooner counts as one that could not be made. */
#define LIVED_NS (UINT64_C(5) * 1000000000)
#define READ_BYTES (64u * 1024)
#define READS_A_TURN 4
#define PROXY_ANSWER_BYTES_MAX 8192

static uint64_t now_of(const struct client_connection *connection)
{
    return hf_loop_now_ns(connection->client->options.loop);
}

/* ---- ending ---- */

static bool is_useful(const struct client_connection *connection)
{
    return connection->state == CONNECTION_UP &&
           (connection->answered > 0 || now_of(connection) - connection->up_ns >= LIVED_NS);
}

static void unlink_dirty(struct client_connection *connection)
{
    for (struct client_connection **back = &connection->client->dirty; *back != NULL;
         back = &(*back)->next_dirty) {
        if (*back == connection) {
            *back = connection->next_dirty;
            return;
        }
    }
}

/* All but its calls. */
static void free_connection(struct client_connection *connection)
{
    struct hf_loop *loop = connection->client->options.loop;
    hf_loop_timer_stop(loop, &connection->timer);
    if (connection->watched) {
        hf_loop_remove(loop, connection->fd, &connection->io);
    }
    unlink_dirty(connection);
    *connection->list = connection->next;
    if (connection->next != NULL) {
        connection->next->list = connection->list;
    }
    nghttp2_session_del(connection->session);
    if (connection->stream != NULL) {
        hf_stream_free(connection->stream);
    } else if (connection->fd >= 0) {
        close(connection->fd);
    }
    hf_grpc_outbox_release(&connection->outbox);
    free(connection);
}

static void end_call(struct client_connection *connection, const char *why)
{
    hf_grpc_outbox_release(&connection->outbox); /* nothing of it will be written */
    for (struct client_call *call = connection->calls, *next; call != NULL; call = next) {
        next = call->next;
        if (call->request == NULL) {
            hf_grpc_client_call_free(call);
        } else if (!call->on_the_way) {
            hf_grpc_client_call_requeue(call);
        } else {
            hf_grpc_client_call_end(call, CODE_UNAVAILABLE, why);
        }
    }
}

void hf_grpc_client_connection_kill(struct client_connection *connection, const char *why)
{
    struct subchannel *subchannel = connection->subchannel;
    bool up = connection->state == CONNECTION_UP;
    bool useful = is_useful(connection);
    char text[sizeof(connection->peer) + 256];
    snprintf(text, sizeof(text), "%s: %s", connection->peer, why);
    end_call(connection, text);
    free_connection(connection);
    if (subchannel == NULL) {
        return;
    }
    subchannel->connection = NULL;
    if (up) {
        hf_grpc_client_report(subchannel->client, false, text);
        subchannel->events->lost(subchannel, useful, NULL);
    } else {
        subchannel->events->failed(subchannel, text);
    }
}

void hf_grpc_client_connection_drain(struct client_connection *connection)
{
    struct subchannel *subchannel = connection->subchannel;
    if (subchannel != NULL) {
        connection->subchannel = NULL;
        subchannel->connection = NULL;
        char why[sizeof(connection->peer) + sizeof(connection->error) + 2];
        snprintf(why, sizeof(why), "%s: %s", connection->peer, connection->error);
        subchannel->events->lost(subchannel, is_useful(connection),
                                 connection->error[0] != '\0' ? why : NULL);
    }
    hf_grpc_client_connection_dirty(connection);
}

void hf_grpc_client_connection_close(struct client_connection *connection)
{
    const uint8_t *bytes;
    ssize_t size;
    if (connection->state == CONNECTION_UP && !connection->broken &&
        hf_grpc_outbox_is_empty(&connection->outbox)) {
        /* What cannot be written at once is left unwritten: nothing waits for a GOAWAY. */
        nghttp2_session_terminate_session(connection->session, NGHTTP2_NO_ERROR);
        while (!hf_grpc_outbox_is_full(&connection->outbox) &&
               (size = nghttp2_session_mem_send(connection->session, &bytes)) > 0 &&
               size <= (ssize_t)HF_GRPC_OUTBOX_COPY_MAX) {
            hf_grpc_outbox_copy(&connection->outbox, hf_slice_of(bytes, (size_t)size));
        }
        size_t written;
        (void)hf_stream_write(connection->stream, connection->outbox.pieces,
                              connection->outbox.count, &written);
    }
    while (connection->calls != NULL) {
        hf_grpc_client_call_free(connection->calls);
    }
    free_connection(connection);
}

/* ---- writing ---- */

static bool watch(struct client_connection *connection, uint32_t events)
{
    struct hf_loop *loop = connection->client->options.loop;
    if (connection->watched && connection->events == events) {
        return true;
    }
    connection->events = events;
    enum hf_status status = connection->watched
                                ? hf_loop_change(loop, connection->fd, events, &connection->io)
                                : hf_loop_add(loop, connection->fd, events, &connection->io);
    connection->watched = connection->watched || status == HF_OK;
    return status == HF_OK;
}

/* False: killed. */
static bool write_out(struct client_connection *connection)
{
    struct hf_grpc_outbox *outbox = &connection->outbox;
    size_t written = 0;
    enum hf_stream_result result =
        hf_stream_write(connection->stream, outbox->pieces + outbox->first,
                        outbox->count - outbox->first, &written);
    hf_grpc_outbox_advance(outbox, written);
    connection->want_write = result == HF_STREAM_WANT_WRITE;
    if (result == HF_STREAM_OK || connection->want_write) {
        return true;
    }
    hf_grpc_client_connection_kill(connection, hf_stream_error(connection->stream));
    return false;
}

/* False: killed. */
static bool gather(struct client_connection *connection)
{
    while (!hf_grpc_outbox_is_full(&connection->outbox)) {
        const uint8_t *bytes;
        ssize_t size = nghttp2_session_mem_send(connection->session, &bytes);
        if (size < 0 || size > (ssize_t)HF_GRPC_OUTBOX_COPY_MAX) {
            hf_grpc_client_connection_kill(connection, size < 0 ? nghttp2_strerror((int)size)
                                                                : "a frame too large");
            return false;
        }
        if (size == 0) {
            break;
        }
        hf_grpc_outbox_copy(&connection->outbox, hf_slice_of(bytes, (size_t)size));
    }
    return true;
}

/* False: killed. */
static bool pump(struct client_connection *connection)
{
    while (!connection->broken) {
        if ((connection->want_write || !hf_grpc_outbox_is_empty(&connection->outbox)) &&
            !write_out(connection)) {
            return false;
        }
        if (connection->want_write) {
            return true;
        }
        if (!gather(connection)) {
            return false;
        }
        if (hf_grpc_outbox_is_empty(&connection->outbox)) {
            return true;
        }
    }
    return true;
}

static void requeue_what_nghttp2_gave_back(struct client_connection *connection)
{
    for (struct client_call *call = connection->calls, *next; call != NULL; call = next) {
        next = call->next;
        if (call->not_sent && call->request != NULL) {
            /* Should the session know the stream after all, it must not find the call. */
            nghttp2_session_set_stream_user_data(connection->session, call->stream_id, NULL);
            hf_grpc_client_call_requeue(call);
        }
    }
}

void hf_grpc_client_connection_flush(struct client_connection *connection)
{
    if (connection->session == NULL || !pump(connection)) {
        return;
    }
    requeue_what_nghttp2_gave_back(connection);
    bool silent = !nghttp2_session_want_read(connection->session) &&
                  !nghttp2_session_want_write(connection->session);
    bool drained =
        connection->subchannel == NULL && connection->call_count == 0 && !connection->want_write;
    if (connection->broken || silent || drained) {
        hf_grpc_client_connection_kill(connection, connection->error[0] != '\0'
                                                       ? connection->error
                                                       : "the connection is over");
        return;
    }
    if (!watch(connection, EPOLLIN | (connection->want_write ? EPOLLOUT : 0u))) {
        hf_grpc_client_connection_kill(connection, strerror(errno));
    }
}

/* ---- reading ---- */

static void set_timer(struct client_connection *connection, uint64_t in_ns)
{
    if (hf_loop_timer_set(connection->client->options.loop, &connection->timer,
                          now_of(connection) + in_ns) != HF_OK) {
        /* Without it the connection is only not watched over. */
        connection->ping_sent = false;
    }
}

static void settle(struct client_connection *connection)
{
    connection->state = CONNECTION_UP;
    connection->up_ns = now_of(connection);
    if (connection->client->keepalive_time_ns != 0) {
        set_timer(connection, connection->client->keepalive_time_ns);
    } else {
        hf_loop_timer_stop(connection->client->options.loop, &connection->timer);
    }
    char text[sizeof(connection->peer) + 16];
    snprintf(text, sizeof(text), "connected to %s", connection->peer);
    hf_grpc_client_report(connection->client, true, text);
    connection->subchannel->events->up(connection->subchannel);
}

/* False: killed. */
static bool take_bytes(struct client_connection *connection, const uint8_t *data, size_t size)
{
    const struct hf_spoken_port expected = {.is_grpc = true};
    const char *other =
        connection->heard ? NULL : hf_spoken_of_server(hf_spoken_of(data, size), expected);
    connection->heard = true;
    if (other != NULL) {
        hf_grpc_client_connection_kill(connection, other);
        return false;
    }
    connection->received_ns = now_of(connection);
    connection->ping_sent = false;
    ssize_t taken = nghttp2_session_mem_recv(connection->session, data, size);
    if (taken < 0) {
        hf_grpc_client_connection_kill(connection, nghttp2_strerror((int)taken));
        return false;
    }
    if (connection->has_settings && connection->state == CONNECTION_AWAITING_SETTINGS) {
        settle(connection);
    }
    if (connection->goaway && connection->subchannel != NULL) {
        if (connection->state != CONNECTION_UP) {
            hf_grpc_client_connection_kill(connection, connection->error);
            return false;
        }
        hf_grpc_client_connection_drain(connection);
    }
    if (nghttp2_session_want_write(connection->session) ||
        !nghttp2_session_want_read(connection->session) || connection->subchannel == NULL) {
        hf_grpc_client_connection_dirty(connection);
    }
    return true;
}

static const char *why_ended(const struct client_connection *connection,
                             enum hf_stream_result result)
{
    if (connection->heard || result != HF_STREAM_CLOSED) {
        return hf_stream_error(connection->stream);
    }
    return connection->client->options.tls == NULL
               ? "the server hung up without a word; it may want TLS (tls::insecure: false, or "
                 "https:// in the endpoint), or speak another protocol on this port"
               : "the server hung up without a word; it may speak another protocol than gRPC on "
                 "this port";
}

static void read_connection(struct client_connection *connection)
{
    for (int i = 0; i < READS_A_TURN || hf_stream_has_pending(connection->stream); i++) {
        size_t got = 0;
        enum hf_stream_result result =
            hf_stream_read(connection->stream, connection->client->read_buffer, READ_BYTES, &got);
        if (result == HF_STREAM_WANT_READ || result == HF_STREAM_WANT_WRITE) {
            break;
        }
        if (result != HF_STREAM_OK) {
            hf_grpc_client_connection_kill(
                connection, connection->goaway ? connection->error : why_ended(connection, result));
            return;
        }
        if (!take_bytes(connection, connection->client->read_buffer, got)) {
            return;
        }
        if (got < READ_BYTES && !hf_stream_has_pending(connection->stream)) {
            break;
        }
    }
}

/* ---- keeping alive ---- */

static void ping(struct client_connection *connection, uint64_t preset_ns)
{
    uint64_t timeout_ns = connection->client->options.keepalive_timeout_ns;
    connection->ping_sent = true;
    nghttp2_submit_ping(connection->session, NGHTTP2_FLAG_NONE, NULL);
    hf_grpc_client_connection_dirty(connection);
    set_timer(connection, timeout_ns != 0 ? timeout_ns : preset_ns);
}

static void keep_alive(struct client_connection *connection)
{
    const struct hf_grpc_client *client = connection->client;
    uint64_t time_ns = client->keepalive_time_ns,
             quiet_ns = now_of(connection) - connection->received_ns;
    bool wanted = connection->call_count > 0 || client->options.permit_without_stream;
    if (connection->ping_sent) {
        hf_grpc_client_connection_kill(connection, "no answer to a keepalive ping");
    } else if (time_ns != 0 && (!wanted || quiet_ns < time_ns)) {
        set_timer(connection, wanted ? time_ns - quiet_ns : time_ns);
    } else if (time_ns != 0) {
        ping(connection, KEEPALIVE_TIMEOUT_NS);
    }
}

/*
 * A peer that is gone without a word, or a box between that has forgotten the connection, would
 * take every later call to its deadline too, for as long as the kernel keeps trying. A backend that
 * is only slow answers the ping.
 */
void hf_grpc_client_connection_waited(struct client_connection *connection, uint64_t since_ns)
{
    if (connection->received_ns <= since_ns && !connection->ping_sent) {
        ping(connection, PROBE_TIMEOUT_NS);
    }
}

static void on_timer(struct hf_timer *timer, uint64_t now_ns)
{
    struct client_connection *connection = HF_CONTAINER(timer, struct client_connection, timer);
    (void)now_ns;
    if (connection->state == CONNECTION_UP) {
        keep_alive(connection);
    } else {
        hf_grpc_client_connection_kill(connection, "no connection in 20 s");
    }
}

/* ---- connecting ---- */

static void handshake(struct client_connection *connection)
{
    enum hf_stream_result result = hf_stream_handshake(connection->stream);
    bool watched = true;
    if (result == HF_STREAM_WANT_READ || result == HF_STREAM_WANT_WRITE) {
        watched = watch(connection, result == HF_STREAM_WANT_READ ? EPOLLIN : EPOLLOUT);
    } else if (result != HF_STREAM_OK) {
        hf_grpc_client_connection_kill(connection, hf_stream_error(connection->stream));
        return;
    } else if (hf_grpc_client_session_open(connection) != HF_OK) {
        hf_grpc_client_connection_kill(connection, "out of memory");
        return;
    } else {
        connection->state = CONNECTION_AWAITING_SETTINGS;
        watched = watch(connection, EPOLLIN);
        hf_grpc_client_connection_dirty(connection);
    }
    if (!watched) {
        hf_grpc_client_connection_kill(connection, strerror(errno));
    } else if (connection->state == CONNECTION_AWAITING_SETTINGS) {
        read_connection(connection); /* OpenSSL may have read ahead */
    }
}

static void begin_stream(struct client_connection *connection)
{
    const struct hf_grpc_client_options *options = &connection->client->options;
    enum hf_status status =
        hf_stream_connect(options->tls, connection->fd, options->server_name, &connection->stream);
    if (status != HF_OK) {
        hf_grpc_client_connection_kill(connection, status == HF_NOMEM ? "out of memory"
                                                   : status == HF_NOT_FOUND
                                                       ? "TLS: ca_file does not exist yet"
                                                       : "TLS: the server's name is not usable");
        return;
    }
    connection->state = CONNECTION_TLS_HANDSHAKE;
    handshake(connection);
}

static void ask_proxy(struct client_connection *connection)
{
    const struct hf_grpc_client *client = connection->client;
    const struct hf_grpc_target *target = &client->target;
    char text[1536];
    bool v6 = strchr(target->host, ':') != NULL;
    const char *open = v6 ? "[" : "", *close = v6 ? "]" : "";
    bool authorized = client->proxy.authorization[0] != '\0';
    int size =
        snprintf(text, sizeof(text), "CONNECT %s%s%s:%s HTTP/1.1\r\nHost: %s%s%s:%s\r\n%s%s%s\r\n",
                 open, target->host, close, target->port, open, target->host, close, target->port,
                 authorized ? "Proxy-Authorization: " : "", client->proxy.authorization,
                 authorized ? "\r\n" : "");
    /* A fresh socket takes this much at once. */
    if (size < 0 || (size_t)size >= sizeof(text) ||
        send(connection->fd, text, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT) != size) {
        hf_grpc_client_connection_kill(connection, "cannot write to the proxy");
        return;
    }
    connection->state = CONNECTION_PROXYING;
    if (!watch(connection, EPOLLIN)) {
        hf_grpc_client_connection_kill(connection, strerror(errno));
    }
}

static bool proxy_agrees(const struct client_connection *connection)
{
    const char *line = connection->proxy_line;
    return strncmp(line, "HTTP/1.", 7) == 0 && strncmp(line + 8, " 200", 4) == 0 &&
           (line[12] == ' ' || line[12] == '\0');
}

/* Byte by byte, because what follows the answer is the server's. */
static void hear_proxy(struct client_connection *connection)
{
    char byte;
    ssize_t got;
    while ((got = recv(connection->fd, &byte, 1, MSG_DONTWAIT)) == 1) {
        if (connection->proxy_bytes < sizeof(connection->proxy_line) - 1 && byte != '\r' &&
            byte != '\n') {
            connection->proxy_line[connection->proxy_bytes] = byte;
        }
        connection->proxy_blank = byte == "\r\n\r\n"[connection->proxy_blank]
                                      ? connection->proxy_blank + 1
                                      : (byte == '\r' ? 1 : 0);
        if (connection->proxy_blank == 4) {
            char text[128];
            if (proxy_agrees(connection)) {
                begin_stream(connection);
                return;
            }
            snprintf(text, sizeof(text), "the proxy refuses: %s", connection->proxy_line);
            hf_grpc_client_connection_kill(connection, text);
            return;
        }
        if (++connection->proxy_bytes > PROXY_ANSWER_BYTES_MAX) {
            hf_grpc_client_connection_kill(connection, "the proxy's answer is too long");
            return;
        }
    }
    if (got == 0 || errno != EAGAIN) {
        hf_grpc_client_connection_kill(connection, "the proxy hung up");
    }
}

static void connected(struct client_connection *connection)
{
    int reason = 0;
    socklen_t size = sizeof(reason);
    if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &reason, &size) != 0 || reason != 0) {
        hf_grpc_client_connection_kill(connection, strerror(reason != 0 ? reason : errno));
    } else if (connection->client->has_proxy) {
        ask_proxy(connection);
    } else {
        begin_stream(connection);
    }
}

static void on_ready(struct hf_io *io, uint32_t events)
{
    struct client_connection *connection = HF_CONTAINER(io, struct client_connection, io);
    switch (connection->state) {
    case CONNECTION_CONNECTING:
        connected(connection);
        break;
    case CONNECTION_PROXYING:
        hear_proxy(connection);
        break;
    case CONNECTION_TLS_HANDSHAKE:
        handshake(connection);
        break;
    default:
        if ((events & EPOLLOUT) != 0) {
            hf_grpc_client_connection_dirty(connection);
        }
        if ((events & ~(uint32_t)EPOLLOUT) != 0) {
            read_connection(connection);
        }
        break;
    }
}

static bool begin_connecting(struct client_connection *connection,
                             const struct hf_grpc_address *address)
{
    int family = address->storage.ss_family, on = 1;
    connection->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection->fd < 0) {
        return false;
    }
    if (family != AF_UNIX) {
        (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        (void)setsockopt(connection->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    }
    int failed = connect(connection->fd, (const struct sockaddr *)&address->storage, address->size);
    return (failed == 0 || errno == EINPROGRESS) && watch(connection, EPOLLOUT);
}

struct client_connection *hf_grpc_client_connection_open(struct subchannel *subchannel,
                                                         const struct hf_grpc_address *address,
                                                         char *reterr)
{
    struct hf_grpc_client *client = subchannel->client;
    struct client_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL) {
        snprintf(reterr, 256, "out of memory");
        return NULL;
    }
    connection->io.ready = on_ready;
    connection->timer.fire = on_timer;
    connection->client = client;
    connection->fd = -1;
    hf_grpc_outbox_init(&connection->outbox, client->options.flush_bytes);
    hf_grpc_address_describe(address, connection->peer, sizeof(connection->peer));
    connection->next = client->connections;
    connection->list = &client->connections;
    if (connection->next != NULL) {
        connection->next->list = &connection->next;
    }
    client->connections = connection;
    if (!begin_connecting(connection, address)) {
        snprintf(reterr, 256, "%s: %s", connection->peer, strerror(errno));
        free_connection(connection);
        return NULL;
    }
    connection->subchannel = subchannel;
    set_timer(connection, CONNECT_NS);
    return connection;
}
