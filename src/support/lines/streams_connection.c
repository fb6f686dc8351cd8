#include "streams_connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "datagrams.h"
#include "util/time/clock.h"

#define READ_BYTES ((size_t)64 << 10)
#define READS_MAX 16 /* of one connection before others have their turn */
#define SAY_AGAIN_NS (60 * HF_NS_PER_S)

struct hf_connection {
    struct hf_stream_peer peer; /* first, so that one is the other */
    struct hf_connection *next;
    struct hf_stream *stream; /* NULL: closed */
    int fd;
    bool is_ready; /* the handshake is over */
    bool has_more, wants_write;
    struct hf_bytes bytes; /* of a message that has not ended */
    uint64_t heard_ns;     /* when something came last */
};

static void say(struct hf_connections *all, const struct hf_connection *one, const char *what)
{
    const struct hf_datagram from = {.from = (const struct sockaddr *)&one->peer.remote};
    char peer[HF_DATAGRAM_PEER_MAX];
    hf_datagram_peer(&from, peer);
    if (hf_log_limiter_allows(&all->said, peer, what, hf_clock_coarse_ns())) {
        hf_node_log(all->options->node, HF_LOG_WARN, "%s: %s", peer, what);
    }
}

static void warn_reload(void *user, const char *why)
{
    const struct hf_connections *all = user;
    hf_node_log(all->options->node, HF_LOG_WARN,
                "reloading TLS files failed; keeping the previous certificate: %s", why);
}

enum hf_status hf_connections_init(struct hf_connections *connections,
                                   const struct hf_streams_options *options, int epoll_fd,
                                   uint64_t bytes_most, char *reterr)
{
    *connections =
        (struct hf_connections){.options = options, .epoll_fd = epoll_fd, .bytes_most = bytes_most};
    hf_log_limiter_init(&connections->said, SAY_AGAIN_NS);
    enum hf_status status = options->tls == NULL
                                ? HF_OK
                                : hf_tls_new_server(options->tls, "", &connections->tls, reterr);
    if (status == HF_OK && connections->tls != NULL) {
        hf_tls_report_to(connections->tls, warn_reload, connections);
    }
    return status;
}

static void close_stream(struct hf_connections *all, struct hf_connection *one)
{
    if (one->stream != NULL) {
        (void)epoll_ctl(all->epoll_fd, EPOLL_CTL_DEL, one->fd, NULL);
        hf_stream_free(one->stream); /* and the descriptor */
        one->stream = NULL;
        all->count--;
        if (all->options->ops->gone != NULL) {
            all->options->ops->gone(all->options->user, &one->peer);
        }
    }
}

void hf_connections_release(struct hf_connections *connections)
{
    if (connections->options == NULL) {
        return; /* never opened */
    }
    for (struct hf_connection *one = connections->first; one != NULL; one = one->next) {
        close_stream(connections, one);
    }
    hf_connections_free_closed(connections);
    hf_tls_free(connections->tls);
    hf_log_limiter_release(&connections->said);
}

void hf_connections_add(struct hf_connections *connections, int fd,
                        const struct sockaddr_storage *remote)
{
    struct hf_connection *one = calloc(1, sizeof(*one));
    socklen_t size = sizeof(one->peer.local);
    if (one == NULL) {
        close(fd);
        return;
    }
    one->fd = fd;
    one->heard_ns = hf_clock_coarse_ns();
    one->peer.remote = *remote;
    (void)getsockname(fd, (struct sockaddr *)&one->peer.local, &size);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
    enum hf_status status = hf_stream_accept(connections->tls, fd, &one->stream);
    if (status != HF_OK || epoll_ctl(connections->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        if (one->stream != NULL) {
            hf_stream_free(one->stream);
        } else {
            close(fd);
        }
        free(one);
        return;
    }
    one->next = connections->first;
    connections->first = one;
    connections->count++;
}

/* ---- messages ---- */

/* Takes the messages that are whole, or with `at_end` all. False: the connection is to be closed.
 */
static bool take_messages(struct hf_connections *all, struct hf_connection *one, bool at_end)
{
    const struct hf_streams_ops *ops = all->options->ops;
    void *user = all->options->user;
    struct hf_stream_message message = {0};
    size_t used = 0, size = one->bytes.size;
    bool is_good = true;
    while (used < size && is_good) {
        struct hf_slice rest = hf_slice_of(one->bytes.data + used, size - used);
        message = (struct hf_stream_message){0};
        if (!ops->cut(user, &one->peer, rest, at_end, &message)) {
            break;
        }
        used += message.used;
        is_good = message.is_nothing || ops->take(user, &one->peer, message.bytes);
        is_good = is_good && message.used != 0;
    }
    used = at_end ? size : used;
    if (used != 0) {
        memmove(one->bytes.data, one->bytes.data + used, size - used);
        one->bytes.size = size - used;
        all->buffered_bytes -= used;
    }
    return is_good;
}

/* No message may be longer than allowed, and all together not more than the memory allows: what is
 * there is taken as it is. */
static bool has_room(const struct hf_connections *all, const struct hf_connection *one)
{
    return one->bytes.size < all->options->message_bytes_max + READ_BYTES &&
           all->buffered_bytes < all->bytes_most;
}

static enum hf_stream_result read_once(struct hf_connections *all, struct hf_connection *one)
{
    size_t read = 0;
    if (hf_bytes_reserve(&one->bytes, one->bytes.size + READ_BYTES) != HF_OK) {
        say(all, one, "closing the connection: out of memory");
        return HF_STREAM_ERROR;
    }
    enum hf_stream_result result =
        hf_stream_read(one->stream, one->bytes.data + one->bytes.size, READ_BYTES, &read);
    if (result == HF_STREAM_OK) {
        one->bytes.size += read;
        all->buffered_bytes += read;
        one->heard_ns = hf_clock_coarse_ns();
    }
    return result;
}

static void watch(struct hf_connections *all, struct hf_connection *one, bool wants_write)
{
    struct epoll_event event = {.events = EPOLLIN | (wants_write ? (uint32_t)EPOLLOUT : 0),
                                .data.ptr = one};
    if (wants_write != one->wants_write) {
        one->wants_write = wants_write;
        (void)epoll_ctl(all->epoll_fd, EPOLL_CTL_MOD, one->fd, &event);
    }
}

static enum hf_stream_result shake_hands(struct hf_connections *all, struct hf_connection *one)
{
    enum hf_stream_result result = hf_stream_handshake(one->stream);
    one->is_ready = result == HF_STREAM_OK;
    watch(all, one, result == HF_STREAM_WANT_WRITE);
    return result;
}

/* How the reading of a connection ends for now. */
static void end_reading(struct hf_connections *all, struct hf_connection *one,
                        enum hf_stream_result result, bool is_good)
{
    if (result == HF_STREAM_ERROR) {
        say(all, one, hf_stream_error(one->stream));
    }
    if (is_good && (result == HF_STREAM_ERROR || result == HF_STREAM_CLOSED)) {
        (void)take_messages(all, one, true);
    }
    if (!is_good || result == HF_STREAM_ERROR || result == HF_STREAM_CLOSED) {
        close_stream(all, one);
        return;
    }
    one->has_more = result == HF_STREAM_OK;
    all->has_more |= one->has_more;
    if (one->bytes.size == 0) {
        hf_bytes_release(&one->bytes);
    }
}

void hf_connections_read(struct hf_connections *connections, struct hf_connection *connection)
{
    enum hf_stream_result result = HF_STREAM_OK;
    bool is_good = true;
    if (connection->stream == NULL) {
        return;
    }
    if (!connection->is_ready) {
        result = shake_hands(connections, connection);
    }
    for (int i = 0; i < READS_MAX && result == HF_STREAM_OK && is_good; i++) {
        result = read_once(connections, connection);
        is_good = result != HF_STREAM_OK || take_messages(connections, connection, false);
        if (is_good && !has_room(connections, connection)) {
            is_good = take_messages(connections, connection, true);
        }
    }
    end_reading(connections, connection, result, is_good);
}

void hf_connections_read_more(struct hf_connections *connections)
{
    if (!connections->has_more) {
        return;
    }
    connections->has_more = false;
    for (struct hf_connection *one = connections->first; one != NULL; one = one->next) {
        if (one->has_more) {
            one->has_more = false;
            hf_connections_read(connections, one);
        }
    }
}

bool hf_connections_read_last(struct hf_connections *connections)
{
    connections->has_more = false;
    for (struct hf_connection *one = connections->first; one != NULL; one = one->next) {
        hf_connections_read(connections, one);
    }
    return connections->has_more;
}

/* ---- ends ---- */

void hf_connections_close(struct hf_connections *connections)
{
    for (struct hf_connection *one = connections->first; one != NULL; one = one->next) {
        if (one->stream != NULL) {
            (void)take_messages(connections, one, true);
            close_stream(connections, one);
        }
    }
}

void hf_connections_close_idle(struct hf_connections *connections, uint64_t now_ns)
{
    uint64_t idle_ns = connections->options->idle_ns;
    for (struct hf_connection *one = connections->first; one != NULL; one = one->next) {
        if (one->stream != NULL && now_ns > one->heard_ns && now_ns - one->heard_ns > idle_ns) {
            (void)take_messages(connections, one, true);
            close_stream(connections, one);
        }
    }
}

void hf_connections_free_closed(struct hf_connections *connections)
{
    for (struct hf_connection **at = &connections->first; *at != NULL;) {
        struct hf_connection *one = *at;
        if (one->stream != NULL) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        connections->buffered_bytes -= one->bytes.size;
        hf_bytes_release(&one->bytes);
        free(one);
    }
}

void hf_connections_write(struct hf_connections *connections, struct hf_stream_peer *peer,
                          struct hf_slice bytes)
{
    struct hf_connection *one = (struct hf_connection *)(void *)peer;
    /* iovec has no constant bytes. */
    struct iovec piece = {.iov_len = bytes.size};
    memcpy(&piece.iov_base, &bytes.data, sizeof(piece.iov_base));
    size_t written = 0;
    if (one->stream == NULL) {
        return;
    }
    enum hf_stream_result result = hf_stream_write(one->stream, &piece, 1, &written);
    if (result != HF_STREAM_OK) {
        say(connections, one, "closing the connection: it does not take its answers");
        close_stream(connections, one);
    }
}
