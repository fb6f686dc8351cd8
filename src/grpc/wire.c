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

#include "../util/spoken.h"

#define CONNECT_NS (UINT64_C(20) * 1000000000)
#define KEEPALIVE_TIMEOUT_NS (UINT64_C(20) * 1000000000)
/* Of a ping that is sent because a call waited in vain already. */
#define PROBE_TIMEOUT_NS (UINT64_C(5) * 1000000000)
/* A connection that answered nothing and was lost sooner counts as one that could not be made. */
#define LIVED_NS (UINT64_C(5) * 1000000000)
#define READ_BYTES (64u * 1024)
#define READS_A_TURN 4
#define PROXY_ANSWER_BYTES_MAX 8192

static uint64_t now_of(const struct wire *wire)
{
    return hf_loop_now_ns(wire->client->options.loop);
}

/* ---- ending ---- */

static bool is_useful(const struct wire *wire)
{
    return wire->state == WIRE_UP && (wire->answered > 0 || now_of(wire) - wire->up_ns >= LIVED_NS);
}

static void unlink_dirty(struct wire *wire)
{
    for (struct wire **link = &wire->client->dirty; *link != NULL; link = &(*link)->next_dirty) {
        if (*link == wire) {
            *link = wire->next_dirty;
            return;
        }
    }
}

/* All but its transits. */
static void free_wire(struct wire *wire)
{
    struct hf_loop *loop = wire->client->options.loop;
    hf_loop_timer_stop(loop, &wire->timer);
    if (wire->watched) {
        hf_loop_remove(loop, wire->fd, &wire->io);
    }
    unlink_dirty(wire);
    *wire->list = wire->next;
    if (wire->next != NULL) {
        wire->next->list = wire->list;
    }
    nghttp2_session_del(wire->session);
    if (wire->stream != NULL) {
        hf_stream_free(wire->stream);
    } else if (wire->fd >= 0) {
        close(wire->fd);
    }
    hf_grpc_outbox_release(&wire->outbox);
    free(wire);
}

static void end_transits(struct wire *wire, const char *why)
{
    hf_grpc_outbox_release(&wire->outbox); /* nothing of it will be written */
    for (struct transit *transit = wire->transits, *next; transit != NULL; transit = next) {
        next = transit->next;
        if (transit->request == NULL) {
            hf_grpc_transit_free(transit);
        } else if (!transit->on_the_way) {
            hf_grpc_transit_requeue(transit);
        } else {
            hf_grpc_transit_end(transit, CODE_UNAVAILABLE, why);
        }
    }
}

void hf_grpc_wire_kill(struct wire *wire, const char *why)
{
    struct link *link = wire->link;
    bool up = wire->state == WIRE_UP;
    bool useful = is_useful(wire);
    char text[sizeof(wire->peer) + 256];
    snprintf(text, sizeof(text), "%s: %s", wire->peer, why);
    end_transits(wire, text);
    free_wire(wire);
    if (link == NULL) {
        return;
    }
    link->wire = NULL;
    if (up) {
        hf_grpc_client_report(link->client, false, text);
        hf_grpc_link_lost(link, useful, NULL);
    } else {
        hf_grpc_link_failed(link, text);
    }
}

void hf_grpc_wire_drain(struct wire *wire)
{
    struct link *link = wire->link;
    if (link != NULL) {
        wire->link = NULL;
        link->wire = NULL;
        char why[sizeof(wire->peer) + sizeof(wire->error) + 2];
        snprintf(why, sizeof(why), "%s: %s", wire->peer, wire->error);
        hf_grpc_link_lost(link, is_useful(wire), wire->error[0] != '\0' ? why : NULL);
    }
    hf_grpc_wire_dirty(wire);
}

void hf_grpc_wire_close(struct wire *wire)
{
    const uint8_t *bytes;
    ssize_t size;
    if (wire->state == WIRE_UP && !wire->broken && hf_grpc_outbox_is_empty(&wire->outbox)) {
        /* What does not go at once does not go: nobody waits for a goodbye. */
        nghttp2_session_terminate_session(wire->session, NGHTTP2_NO_ERROR);
        while (!hf_grpc_outbox_is_full(&wire->outbox) &&
               (size = nghttp2_session_mem_send(wire->session, &bytes)) > 0 &&
               size <= (ssize_t)HF_GRPC_OUTBOX_COPY_MAX) {
            hf_grpc_outbox_copy(&wire->outbox, hf_slice_of(bytes, (size_t)size));
        }
        size_t written;
        (void)hf_stream_write(wire->stream, wire->outbox.pieces, wire->outbox.count, &written);
    }
    while (wire->transits != NULL) {
        hf_grpc_transit_free(wire->transits);
    }
    free_wire(wire);
}

void hf_grpc_wire_let_go(struct wire *wire, const struct transit *transit)
{
    if (!hf_grpc_outbox_rescue(&wire->outbox, transit)) {
        /* A frame cannot be broken off, so the connection must be. */
        hf_grpc_outbox_release(&wire->outbox);
        wire->broken = true;
        snprintf(wire->error, sizeof(wire->error), "out of memory");
        hf_grpc_wire_dirty(wire);
    }
}

/* ---- writing ---- */

static bool watch(struct wire *wire, uint32_t events)
{
    struct hf_loop *loop = wire->client->options.loop;
    if (wire->watched && wire->events == events) {
        return true;
    }
    wire->events = events;
    enum hf_status status = wire->watched ? hf_loop_change(loop, wire->fd, events, &wire->io)
                                          : hf_loop_add(loop, wire->fd, events, &wire->io);
    wire->watched = wire->watched || status == HF_OK;
    return status == HF_OK;
}

/* False: killed. */
static bool write_out(struct wire *wire)
{
    struct hf_grpc_outbox *outbox = &wire->outbox;
    size_t written = 0;
    enum hf_stream_result result = hf_stream_write(wire->stream, outbox->pieces + outbox->first,
                                                   outbox->count - outbox->first, &written);
    hf_grpc_outbox_advance(outbox, written);
    wire->want_write = result == HF_STREAM_WANT_WRITE;
    if (result == HF_STREAM_OK || wire->want_write) {
        return true;
    }
    hf_grpc_wire_kill(wire, hf_stream_error(wire->stream));
    return false;
}

/* False: killed. */
static bool gather(struct wire *wire)
{
    while (!hf_grpc_outbox_is_full(&wire->outbox)) {
        const uint8_t *bytes;
        ssize_t size = nghttp2_session_mem_send(wire->session, &bytes);
        if (size < 0 || size > (ssize_t)HF_GRPC_OUTBOX_COPY_MAX) {
            hf_grpc_wire_kill(wire, size < 0 ? nghttp2_strerror((int)size) : "a frame too large");
            return false;
        }
        if (size == 0) {
            break;
        }
        hf_grpc_outbox_copy(&wire->outbox, hf_slice_of(bytes, (size_t)size));
    }
    return true;
}

/* False: killed. */
static bool pump(struct wire *wire)
{
    while (!wire->broken) {
        if ((wire->want_write || !hf_grpc_outbox_is_empty(&wire->outbox)) && !write_out(wire)) {
            return false;
        }
        if (wire->want_write) {
            return true;
        }
        if (!gather(wire)) {
            return false;
        }
        if (hf_grpc_outbox_is_empty(&wire->outbox)) {
            return true;
        }
    }
    return true;
}

static void requeue_what_nghttp2_gave_back(struct wire *wire)
{
    for (struct transit *transit = wire->transits, *next; transit != NULL; transit = next) {
        next = transit->next;
        if (transit->not_sent && transit->request != NULL) {
            /* Should the session know the stream after all, it must not find the transit. */
            nghttp2_session_set_stream_user_data(wire->session, transit->stream_id, NULL);
            hf_grpc_transit_requeue(transit);
        }
    }
}

void hf_grpc_wire_flush(struct wire *wire)
{
    if (wire->session == NULL || !pump(wire)) {
        return;
    }
    requeue_what_nghttp2_gave_back(wire);
    bool silent =
        !nghttp2_session_want_read(wire->session) && !nghttp2_session_want_write(wire->session);
    bool drained = wire->link == NULL && wire->transit_count == 0 && !wire->want_write;
    if (wire->broken || silent || drained) {
        hf_grpc_wire_kill(wire, wire->error[0] != '\0' ? wire->error : "the connection is over");
        return;
    }
    if (!watch(wire, EPOLLIN | (wire->want_write ? EPOLLOUT : 0u))) {
        hf_grpc_wire_kill(wire, strerror(errno));
    }
}

void hf_grpc_wire_dirty(struct wire *wire)
{
    if (!wire->dirty) {
        wire->dirty = true;
        wire->next_dirty = wire->client->dirty;
        wire->client->dirty = wire;
    }
    hf_grpc_client_work(wire->client);
}

/* ---- reading ---- */

/* False: killed. */
static bool take_bytes(struct wire *wire, const uint8_t *data, size_t size)
{
    const struct hf_spoken_port expected = {.is_grpc = true};
    const char *other =
        wire->heard ? NULL : hf_spoken_of_server(hf_spoken_of(data, size), expected);
    wire->heard = true;
    if (other != NULL) {
        hf_grpc_wire_kill(wire, other);
        return false;
    }
    wire->received_ns = now_of(wire);
    wire->ping_sent = false;
    ssize_t taken = nghttp2_session_mem_recv(wire->session, data, size);
    if (taken < 0) {
        hf_grpc_wire_kill(wire, nghttp2_strerror((int)taken));
        return false;
    }
    if (wire->goaway && wire->link != NULL) {
        if (wire->state != WIRE_UP) {
            hf_grpc_wire_kill(wire, wire->error);
            return false;
        }
        hf_grpc_wire_drain(wire);
    }
    if (nghttp2_session_want_write(wire->session) || !nghttp2_session_want_read(wire->session) ||
        wire->link == NULL) {
        hf_grpc_wire_dirty(wire);
    }
    return true;
}

static const char *why_ended(const struct wire *wire, enum hf_stream_result result)
{
    if (wire->heard || result != HF_STREAM_CLOSED) {
        return hf_stream_error(wire->stream);
    }
    return wire->client->options.tls == NULL
               ? "the server hung up without a word; it may want TLS (tls::insecure: false, or "
                 "https:// in the endpoint), or speak another protocol on this port"
               : "the server hung up without a word; it may speak another protocol than gRPC on "
                 "this port";
}

static void read_wire(struct wire *wire)
{
    for (int i = 0; i < READS_A_TURN || hf_stream_has_pending(wire->stream); i++) {
        size_t got = 0;
        enum hf_stream_result result =
            hf_stream_read(wire->stream, wire->client->read_buffer, READ_BYTES, &got);
        if (result == HF_STREAM_WANT_READ || result == HF_STREAM_WANT_WRITE) {
            break;
        }
        if (result != HF_STREAM_OK) {
            hf_grpc_wire_kill(wire, wire->goaway ? wire->error : why_ended(wire, result));
            return;
        }
        if (!take_bytes(wire, wire->client->read_buffer, got)) {
            return;
        }
        if (got < READ_BYTES && !hf_stream_has_pending(wire->stream)) {
            break;
        }
    }
}

/* ---- keeping alive ---- */

static void set_timer(struct wire *wire, uint64_t in_ns)
{
    if (hf_loop_timer_set(wire->client->options.loop, &wire->timer, now_of(wire) + in_ns) !=
        HF_OK) {
        /* Without it the connection is only not watched over. */
        wire->ping_sent = false;
    }
}

static void ping(struct wire *wire, uint64_t preset_ns)
{
    uint64_t timeout_ns = wire->client->options.keepalive_timeout_ns;
    wire->ping_sent = true;
    nghttp2_submit_ping(wire->session, NGHTTP2_FLAG_NONE, NULL);
    hf_grpc_wire_dirty(wire);
    set_timer(wire, timeout_ns != 0 ? timeout_ns : preset_ns);
}

static void keep_alive(struct wire *wire)
{
    const struct hf_grpc_client *client = wire->client;
    uint64_t time_ns = client->keepalive_time_ns, quiet_ns = now_of(wire) - wire->received_ns;
    bool wanted = wire->transit_count > 0 || client->options.permit_without_stream;
    if (wire->ping_sent) {
        hf_grpc_wire_kill(wire, "no answer to a keepalive ping");
    } else if (time_ns != 0 && (!wanted || quiet_ns < time_ns)) {
        set_timer(wire, wanted ? time_ns - quiet_ns : time_ns);
    } else if (time_ns != 0) {
        ping(wire, KEEPALIVE_TIMEOUT_NS);
    }
}

/*
 * A peer that is gone without a word, or a box between that has forgotten the connection, would
 * take every later call to its deadline too, for as long as the kernel keeps trying. A backend that
 * is only slow answers the ping.
 */
void hf_grpc_wire_waited(struct wire *wire, uint64_t since_ns)
{
    if (wire->received_ns <= since_ns && !wire->ping_sent) {
        ping(wire, PROBE_TIMEOUT_NS);
    }
}

static void on_timer(struct hf_timer *timer, uint64_t now_ns)
{
    struct wire *wire = HF_CONTAINER(timer, struct wire, timer);
    (void)now_ns;
    if (wire->state == WIRE_UP) {
        keep_alive(wire);
    } else {
        hf_grpc_wire_kill(wire, "no connection in 20 s");
    }
}

void hf_grpc_wire_greeted(struct wire *wire)
{
    wire->state = WIRE_UP;
    wire->up_ns = now_of(wire);
    if (wire->client->keepalive_time_ns != 0) {
        set_timer(wire, wire->client->keepalive_time_ns);
    } else {
        hf_loop_timer_stop(wire->client->options.loop, &wire->timer);
    }
    char text[sizeof(wire->peer) + 16];
    snprintf(text, sizeof(text), "connected to %s", wire->peer);
    hf_grpc_client_report(wire->client, true, text);
    hf_grpc_link_up(wire->link);
}

/* ---- connecting ---- */

static void shake(struct wire *wire)
{
    enum hf_stream_result result = hf_stream_handshake(wire->stream);
    bool watched = true;
    if (result == HF_STREAM_WANT_READ || result == HF_STREAM_WANT_WRITE) {
        watched = watch(wire, result == HF_STREAM_WANT_READ ? EPOLLIN : EPOLLOUT);
    } else if (result != HF_STREAM_OK) {
        hf_grpc_wire_kill(wire, hf_stream_error(wire->stream));
        return;
    } else if (hf_grpc_exchange_open(wire) != HF_OK) {
        hf_grpc_wire_kill(wire, "out of memory");
        return;
    } else {
        wire->state = WIRE_GREETING;
        watched = watch(wire, EPOLLIN);
        hf_grpc_wire_dirty(wire);
    }
    if (!watched) {
        hf_grpc_wire_kill(wire, strerror(errno));
    } else if (wire->state == WIRE_GREETING) {
        read_wire(wire); /* OpenSSL may have read ahead */
    }
}

static void begin_stream(struct wire *wire)
{
    const struct hf_grpc_client_options *options = &wire->client->options;
    enum hf_status status =
        hf_stream_connect(options->tls, wire->fd, options->server_name, &wire->stream);
    if (status != HF_OK) {
        hf_grpc_wire_kill(wire, status == HF_NOMEM ? "out of memory"
                                                   : "TLS: the server's name is not usable");
        return;
    }
    wire->state = WIRE_SHAKING;
    shake(wire);
}

static void ask_proxy(struct wire *wire)
{
    const struct hf_grpc_client *client = wire->client;
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
        send(wire->fd, text, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT) != size) {
        hf_grpc_wire_kill(wire, "cannot write to the proxy");
        return;
    }
    wire->state = WIRE_PROXYING;
    if (!watch(wire, EPOLLIN)) {
        hf_grpc_wire_kill(wire, strerror(errno));
    }
}

static bool proxy_agrees(const struct wire *wire)
{
    const char *line = wire->proxy_line;
    return strncmp(line, "HTTP/1.", 7) == 0 && strncmp(line + 8, " 200", 4) == 0 &&
           (line[12] == ' ' || line[12] == '\0');
}

/* Byte by byte, because what follows the answer is the server's. */
static void hear_proxy(struct wire *wire)
{
    char byte;
    ssize_t got;
    while ((got = recv(wire->fd, &byte, 1, MSG_DONTWAIT)) == 1) {
        if (wire->proxy_bytes < sizeof(wire->proxy_line) - 1 && byte != '\r' && byte != '\n') {
            wire->proxy_line[wire->proxy_bytes] = byte;
        }
        wire->proxy_blank =
            byte == "\r\n\r\n"[wire->proxy_blank] ? wire->proxy_blank + 1 : (byte == '\r' ? 1 : 0);
        if (wire->proxy_blank == 4) {
            char text[128];
            if (proxy_agrees(wire)) {
                begin_stream(wire);
                return;
            }
            snprintf(text, sizeof(text), "the proxy refuses: %s", wire->proxy_line);
            hf_grpc_wire_kill(wire, text);
            return;
        }
        if (++wire->proxy_bytes > PROXY_ANSWER_BYTES_MAX) {
            hf_grpc_wire_kill(wire, "the proxy's answer is too long");
            return;
        }
    }
    if (got == 0 || errno != EAGAIN) {
        hf_grpc_wire_kill(wire, "the proxy hung up");
    }
}

static void connected(struct wire *wire)
{
    int reason = 0;
    socklen_t size = sizeof(reason);
    if (getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &reason, &size) != 0 || reason != 0) {
        hf_grpc_wire_kill(wire, strerror(reason != 0 ? reason : errno));
    } else if (wire->client->has_proxy) {
        ask_proxy(wire);
    } else {
        begin_stream(wire);
    }
}

static void on_ready(struct hf_io *io, uint32_t events)
{
    struct wire *wire = HF_CONTAINER(io, struct wire, io);
    switch (wire->state) {
    case WIRE_CONNECTING:
        connected(wire);
        break;
    case WIRE_PROXYING:
        hear_proxy(wire);
        break;
    case WIRE_SHAKING:
        shake(wire);
        break;
    default:
        if ((events & EPOLLOUT) != 0) {
            hf_grpc_wire_dirty(wire);
        }
        if ((events & ~(uint32_t)EPOLLOUT) != 0) {
            read_wire(wire);
        }
        break;
    }
}

static bool begin_connecting(struct wire *wire, const struct hf_grpc_address *address)
{
    int family = address->storage.ss_family, on = 1;
    wire->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (wire->fd < 0) {
        return false;
    }
    if (family != AF_UNIX) {
        (void)setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        (void)setsockopt(wire->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    }
    int failed = connect(wire->fd, (const struct sockaddr *)&address->storage, address->size);
    return (failed == 0 || errno == EINPROGRESS) && watch(wire, EPOLLOUT);
}

struct wire *hf_grpc_wire_open(struct link *link, const struct hf_grpc_address *address,
                               char *reterr)
{
    struct hf_grpc_client *client = link->client;
    struct wire *wire = calloc(1, sizeof(*wire));
    if (wire == NULL) {
        snprintf(reterr, 256, "out of memory");
        return NULL;
    }
    wire->io.ready = on_ready;
    wire->timer.fire = on_timer;
    wire->client = client;
    wire->fd = -1;
    hf_grpc_outbox_init(&wire->outbox, client->options.flush_bytes);
    hf_grpc_address_describe(address, wire->peer, sizeof(wire->peer));
    wire->next = client->wires;
    wire->list = &client->wires;
    if (wire->next != NULL) {
        wire->next->list = &wire->next;
    }
    client->wires = wire;
    if (!begin_connecting(wire, address)) {
        snprintf(reterr, 256, "%s: %s", wire->peer, strerror(errno));
        free_wire(wire);
        return NULL;
    }
    wire->link = link;
    set_timer(wire, CONNECT_NS);
    return wire;
}
