#include "syslog_peer.h"

#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <holdfast/ref.h>

#include "grpc/resolve.h"
#include "util/time/clock.h"

#define DEADLINE_NS (60 * HF_NS_PER_S) /* of a sending that has none */
#define EXTENSIONS_MAX 60
#define LOOK_LEAST_NS HF_NS_PER_MS
#define LOOK_MOST_NS (50 * HF_NS_PER_MS)
#define READS_A_TURN 16

enum peer_state { PEER_DOWN = 0, PEER_RESOLVING, PEER_CONNECTING, PEER_SHAKING, PEER_UP };

struct syslog_peer {
    struct syslog_peer_options options;
    enum peer_state state;
    struct hf_grpc_lookup *lookup;
    struct hf_grpc_address addresses[HF_GRPC_ADDRESSES_MAX];
    size_t address_count, next_address;
    int fd; /* -1: none; the stream's, once there is one */
    struct hf_stream *stream;
    struct hf_io io;
    bool is_watched;
    uint32_t events;
    uint64_t up_ns;
    char name[160]; /* the address */
    char error[512];

    bool is_sending;
    struct syslog_sending sending;
    size_t offset; /* bytes that were written */
    size_t line;   /* datagrams that were sent */
    struct hf_timer deadline, look;
    uint64_t patience_ns; /* from the start to the deadline */
    int extensions;       /* of the deadline, for a peer that is slow */
    int64_t arrived;      /* bytes, when it was set */
    uint64_t look_ns;     /* the wait before the next look whether all has arrived */
};

static uint64_t now_of(const struct syslog_peer *peer)
{
    return hf_loop_now_ns(peer->options.loop);
}

/* ---- ending ---- */

static void close_socket(struct syslog_peer *peer)
{
    if (peer->is_watched) {
        hf_loop_remove(peer->options.loop, peer->fd, &peer->io);
        peer->is_watched = false;
    }
    if (peer->stream != NULL) {
        hf_stream_free(peer->stream);
        peer->stream = NULL;
    } else if (peer->fd >= 0) {
        close(peer->fd);
    }
    peer->fd = -1;
}

static void disconnect(struct syslog_peer *peer)
{
    if (peer->lookup != NULL) {
        hf_grpc_resolve_cancel(peer->lookup);
        peer->lookup = NULL;
    }
    close_socket(peer);
    peer->state = PEER_DOWN;
}

/* The last thing that is done with the peer: `done` may send again. */
static void finish(struct syslog_peer *peer, enum hf_status status, const char *why)
{
    assert(peer->is_sending);
    peer->is_sending = false;
    hf_loop_timer_stop(peer->options.loop, &peer->deadline);
    hf_loop_timer_stop(peer->options.loop, &peer->look);
    peer->options.done(peer->options.user, status, why);
}

/* Closes the connection, and ends what is being sent, to be repeated. */
static void fail(struct syslog_peer *peer, enum hf_status status, const char *why)
{
    char text[sizeof(peer->error) + sizeof(peer->name) + 2];
    snprintf(text, sizeof(text), "%s%s%s", peer->name, peer->name[0] != '\0' ? ": " : "", why);
    disconnect(peer);
    if (peer->is_sending) {
        finish(peer, status, text);
    } else {
        hf_node_log(peer->options.node, HF_LOG_DEBUG, "%s", text);
    }
}

static bool watch(struct syslog_peer *peer, uint32_t events)
{
    struct hf_loop *loop = peer->options.loop;
    if (peer->is_watched && peer->events == events) {
        return true;
    }
    enum hf_status status = peer->is_watched ? hf_loop_change(loop, peer->fd, events, &peer->io)
                                             : hf_loop_add(loop, peer->fd, events, &peer->io);
    peer->is_watched = peer->is_watched || status == HF_OK;
    peer->events = events;
    return status == HF_OK;
}

/* ---- sending ---- */

/* Reads what the peer says, which is of no interest but for its end. */
static bool has_hung_up(struct syslog_peer *peer)
{
    uint8_t room[4096];
    for (int i = 0; i < READS_A_TURN; i++) {
        size_t got = 0;
        enum hf_stream_result result = hf_stream_read(peer->stream, room, sizeof(room), &got);
        if (result == HF_STREAM_CLOSED || result == HF_STREAM_ERROR) {
            return true;
        }
        if (result != HF_STREAM_OK) {
            return false;
        }
    }
    return false;
}

static void look_again(struct syslog_peer *peer, uint64_t in_ns)
{
    if (hf_loop_timer_set(peer->options.loop, &peer->look, now_of(peer) + in_ns) != HF_OK) {
        fail(peer, HF_NOMEM, "no memory for a timer");
    }
}

/* All is written: has it arrived? */
static void confirm(struct syslog_peer *peer)
{
    int waiting = 0;
    /* In this order: what ends the connection may come just behind the last confirmation. */
    if (ioctl(peer->fd, SIOCOUTQ, &waiting) != 0) {
        fail(peer, HF_IO, strerror(errno));
        return;
    }
    if (has_hung_up(peer)) {
        fail(peer, HF_IO, hf_stream_error(peer->stream));
        return;
    }
    uint64_t lasted_ns = now_of(peer) - peer->up_ns;
    if (waiting > 0) {
        peer->look_ns = peer->look_ns * 2 < LOOK_MOST_NS ? peer->look_ns * 2 : LOOK_MOST_NS;
        look_again(peer, peer->look_ns);
    } else if (!peer->options.is_datagrams && lasted_ns < SYSLOG_SETTLE_NS) {
        look_again(peer, SYSLOG_SETTLE_NS - lasted_ns);
    } else {
        finish(peer, HF_OK, NULL);
    }
}

/* The next piece for one write: all that is left, or one datagram. */
static struct iovec next_piece(const struct syslog_peer *peer)
{
    const struct syslog_sending *sending = &peer->sending;
    size_t end = sending->bytes.size;
    if (end == 0) {
        return (struct iovec){.iov_base = NULL};
    }
    if (peer->options.is_datagrams && peer->line < sending->count) {
        end = sending->ends[peer->line];
    }
    return (struct iovec){.iov_base = (void *)(uintptr_t)(sending->bytes.data + peer->offset),
                          .iov_len = end - peer->offset};
}

static void pump(struct syslog_peer *peer)
{
    enum hf_stream_result result = HF_STREAM_OK;
    do {
        size_t written = 0;
        struct iovec piece = next_piece(peer);
        result = hf_stream_write(peer->stream, &piece, 1, &written);
        peer->offset += written;
        peer->line++;
    } while (result == HF_STREAM_OK && peer->offset < peer->sending.bytes.size);
    if (result == HF_STREAM_CLOSED || result == HF_STREAM_ERROR) {
        fail(peer, HF_IO, hf_stream_error(peer->stream));
        return;
    }
    bool is_waiting = result == HF_STREAM_WANT_WRITE;
    peer->line -= is_waiting ? 1 : 0;
    if (!watch(peer, EPOLLIN | (is_waiting ? EPOLLOUT : 0u))) {
        fail(peer, HF_IO, strerror(errno));
        return;
    }
    if (!is_waiting) {
        peer->look_ns = LOOK_LEAST_NS;
        confirm(peer);
    }
}

/* ---- connecting ---- */

static bool open_socket(struct syslog_peer *peer, const struct hf_grpc_address *address)
{
    int type = peer->options.is_datagrams ? SOCK_DGRAM : SOCK_STREAM;
    hf_grpc_address_describe(address, peer->name, sizeof(peer->name));
    peer->fd = socket(address->storage.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (peer->fd >= 0 &&
        (connect(peer->fd, (const struct sockaddr *)&address->storage, address->size) == 0 ||
         errno == EINPROGRESS) &&
        watch(peer, EPOLLOUT)) {
        return true;
    }
    snprintf(peer->error, sizeof(peer->error), "%s", strerror(errno));
    close_socket(peer);
    return false;
}

static void try_next(struct syslog_peer *peer)
{
    while (peer->next_address < peer->address_count) {
        if (open_socket(peer, &peer->addresses[peer->next_address++])) {
            peer->state = PEER_CONNECTING;
            return;
        }
    }
    fail(peer, HF_IO, peer->error);
}

static void shake(struct syslog_peer *peer)
{
    enum hf_stream_result result = hf_stream_handshake(peer->stream);
    if (result == HF_STREAM_OK) {
        peer->state = PEER_UP;
        peer->up_ns = now_of(peer);
        hf_node_log(peer->options.node, HF_LOG_INFO, "connected to %s", peer->name);
        pump(peer);
    } else if (result == HF_STREAM_WANT_READ || result == HF_STREAM_WANT_WRITE) {
        if (!watch(peer, result == HF_STREAM_WANT_WRITE ? EPOLLOUT : EPOLLIN)) {
            fail(peer, HF_IO, strerror(errno));
        }
    } else {
        fail(peer, HF_IO, hf_stream_error(peer->stream));
    }
}

static void begin_stream(struct syslog_peer *peer)
{
    enum hf_status status =
        hf_stream_connect(peer->options.tls, peer->fd, peer->options.server_name, &peer->stream);
    if (status != HF_OK) {
        peer->stream = NULL;
        fail(peer, status == HF_NOMEM ? HF_NOMEM : HF_AGAIN,
             status == HF_NOT_FOUND ? "tls::ca_file is not there yet" : "TLS cannot be begun");
        return;
    }
    peer->state = PEER_SHAKING;
    shake(peer);
}

/* The connection is made, or could not be. */
static void take_connected(struct syslog_peer *peer)
{
    int problem = 0;
    socklen_t size = sizeof(problem);
    if (getsockopt(peer->fd, SOL_SOCKET, SO_ERROR, &problem, &size) != 0) {
        problem = errno;
    }
    if (problem != 0) {
        snprintf(peer->error, sizeof(peer->error), "%s", strerror(problem));
        close_socket(peer);
        try_next(peer);
        return;
    }
    begin_stream(peer);
}

static void on_resolved(void *user, const struct hf_grpc_lookup_result *result)
{
    struct syslog_peer *peer = user;
    peer->lookup = NULL;
    if (result->count == 0) {
        fail(peer, HF_IO, result->error);
        return;
    }
    peer->address_count =
        result->count < HF_GRPC_ADDRESSES_MAX ? result->count : HF_GRPC_ADDRESSES_MAX;
    memcpy(peer->addresses, result->addresses, peer->address_count * sizeof(*peer->addresses));
    try_next(peer);
}

static void connect_peer(struct syslog_peer *peer)
{
    peer->next_address = 0;
    peer->name[0] = '\0';
    snprintf(peer->error, sizeof(peer->error), "no addresses");
    if (hf_grpc_resolve_literal(&peer->options.target, &peer->addresses[0])) {
        peer->address_count = 1;
        try_next(peer);
        return;
    }
    peer->state = PEER_RESOLVING;
    if (hf_grpc_resolve_start(peer->options.loop, &peer->options.target, on_resolved, peer,
                              &peer->lookup) != HF_OK) {
        peer->lookup = NULL;
        fail(peer, HF_NOMEM, "no memory to look the name up");
    }
}

/* ---- events ---- */

static void on_ready(struct hf_io *io, uint32_t events)
{
    struct syslog_peer *peer = HF_CONTAINER(io, struct syslog_peer, io);
    switch (peer->state) {
    case PEER_CONNECTING:
        take_connected(peer);
        break;
    case PEER_SHAKING:
        shake(peer);
        break;
    case PEER_UP:
        if (has_hung_up(peer)) {
            fail(peer, HF_IO, hf_stream_error(peer->stream));
        } else if (peer->is_sending && (events & EPOLLOUT) != 0) {
            pump(peer);
        }
        break;
    default:
        break;
    }
}

static void on_look(struct hf_timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    confirm(HF_CONTAINER(timer, struct syslog_peer, look));
}

/* Bytes that have left for good; what TLS adds makes it inexact, and it still only grows. */
static int64_t arrived_bytes(const struct syslog_peer *peer)
{
    int waiting = 0;
    return peer->state == PEER_UP && ioctl(peer->fd, SIOCOUTQ, &waiting) == 0
               ? (int64_t)peer->offset - waiting
               : INT64_MIN;
}

/* A peer that takes a little has more time: the repetition would not be faster. */
static bool extend_deadline(struct syslog_peer *peer)
{
    int64_t arrived = arrived_bytes(peer);
    if (arrived <= peer->arrived || peer->extensions >= EXTENSIONS_MAX) {
        return false;
    }
    peer->arrived = arrived;
    peer->extensions++;
    return hf_loop_timer_set(peer->options.loop, &peer->deadline,
                             now_of(peer) + peer->patience_ns) == HF_OK;
}

static void on_deadline(struct hf_timer *timer, uint64_t now_ns)
{
    struct syslog_peer *peer = HF_CONTAINER(timer, struct syslog_peer, deadline);
    (void)now_ns;
    if (extend_deadline(peer)) {
        return;
    }
    fail(peer, HF_DEADLINE,
         peer->state == PEER_UP ? "the peer did not take the messages in time"
                                : "no connection in time");
}

/* ---- for the exporter ---- */

void syslog_peer_send(struct syslog_peer *peer, const struct syslog_sending *sending)
{
    assert(!peer->is_sending);
    peer->is_sending = true;
    peer->sending = *sending;
    peer->offset = peer->line = 0;
    uint64_t now_ns = now_of(peer);
    uint64_t due_ns = sending->deadline_ns != 0 ? sending->deadline_ns : now_ns + DEADLINE_NS;
    peer->patience_ns = due_ns > now_ns ? due_ns - now_ns : 0;
    peer->extensions = 0;
    peer->arrived = 0;
    if (hf_loop_timer_set(peer->options.loop, &peer->deadline, due_ns) != HF_OK) {
        fail(peer, HF_NOMEM, "no memory for a timer");
        return;
    }
    if (peer->state == PEER_UP && has_hung_up(peer)) {
        disconnect(peer);
    }
    if (peer->state == PEER_UP) {
        pump(peer);
    } else {
        connect_peer(peer);
    }
}

enum hf_status syslog_peer_new(const struct syslog_peer_options *options,
                               struct syslog_peer **ret_peer)
{
    struct syslog_peer *peer = calloc(1, sizeof(*peer));
    if (peer == NULL) {
        return HF_NOMEM;
    }
    peer->options = *options;
    peer->fd = -1;
    peer->io.ready = on_ready;
    peer->look.fire = on_look;
    peer->deadline.fire = on_deadline;
    *ret_peer = peer;
    return HF_OK;
}

void syslog_peer_free(struct syslog_peer *peer)
{
    if (peer == NULL) {
        return;
    }
    hf_loop_timer_stop(peer->options.loop, &peer->deadline);
    hf_loop_timer_stop(peer->options.loop, &peer->look);
    disconnect(peer);
    free(peer);
}
