/* One connection of the server: its socket and its output. */
#include "server_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* nghttp2 hands out at most a frame of 16 KiB and its header at a time. */
#define CHUNK_ROOM (17u * 1024)
#define READS_A_TURN 4

static uint64_t now_of(const struct connection *connection)
{
    return hf_loop_now_ns(connection->worker->loop);
}

/* ---- ending ---- */

void hf_grpc_connection_kill(struct connection *connection)
{
    struct grpc_worker *worker = connection->worker;
    assert(!connection->dead);
    hf_loop_remove(worker->loop, connection->fd, &connection->io);
    *connection->link = connection->next;
    if (connection->next != NULL) {
        connection->next->link = connection->link;
    }
    nghttp2_session_del(connection->session);
    connection->session = NULL;
    hf_stream_free(connection->stream);
    connection->stream = NULL;
    free(connection->unsent);
    connection->unsent = NULL;
    atomic_fetch_sub(&worker->connection_count, 1);
    hf_census_leave(worker->server->census, &connection->who);
    for (struct hf_grpc_call *call = connection->calls, *next; call != NULL; call = next) {
        next = call->next;
        hf_grpc_call_stream_closed(call);
    }
    hf_grpc_idle_leave(connection);
    connection->dead = true;
    hf_grpc_connection_forget(connection);
    hf_grpc_worker_settle(worker);
}

/* ---- writing ---- */

static void watch(struct connection *connection)
{
    /* A client that takes no answers is not read from: its requests would pile up answers. */
    uint32_t events = connection->want_write ? EPOLLOUT : EPOLLIN;
    if (events != connection->events) {
        connection->events = events;
        if (hf_loop_change(connection->worker->loop, connection->fd, events, &connection->io) !=
            HF_OK) {
            connection->broken = true; /* the tick ends it */
        }
    }
}

/* Keeps what the socket did not take. False when out of memory. */
static bool keep_unsent(struct connection *connection, const uint8_t *data, size_t size)
{
    if (connection->unsent == NULL) {
        connection->unsent = malloc(HF_GRPC_WRITE_BUFFER_BYTES);
        if (connection->unsent == NULL) {
            return false;
        }
    }
    assert(size <= HF_GRPC_WRITE_BUFFER_BYTES);
    memmove(connection->unsent, data, size);
    connection->unsent_start = 0;
    connection->unsent_end = size;
    return true;
}

/* False when the connection is not to be used any more. */
static bool write_out(struct connection *connection, const uint8_t *data, size_t size)
{
    size_t written = 0;
    struct iovec piece = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
    enum hf_stream_result result =
        hf_stream_write(connection->stream, &piece, size != 0 ? 1 : 0, &written);
    if (written > 0 || !connection->want_write) {
        connection->written_ns = now_of(connection);
    }
    connection->want_write = result == HF_STREAM_WANT_WRITE;
    if (result != HF_STREAM_OK && result != HF_STREAM_WANT_WRITE) {
        return false;
    }
    if (written == size) {
        free(connection->unsent);
        connection->unsent = NULL;
        connection->unsent_start = connection->unsent_end = 0;
        return true;
    }
    return keep_unsent(connection, data + written, size - written);
}

/* Gathers what nghttp2 has to say. Negative when it cannot go on. */
static ssize_t gather(struct connection *connection, uint8_t *buffer)
{
    size_t size = 0;
    while (size + CHUNK_ROOM <= HF_GRPC_WRITE_BUFFER_BYTES) {
        const uint8_t *chunk;
        ssize_t chunk_size = nghttp2_session_mem_send(connection->session, &chunk);
        if (chunk_size < 0 || (size_t)chunk_size > HF_GRPC_WRITE_BUFFER_BYTES - size) {
            return -1;
        }
        if (chunk_size == 0) {
            break;
        }
        memcpy(buffer + size, chunk, (size_t)chunk_size);
        size += (size_t)chunk_size;
    }
    return (ssize_t)size;
}

/* False when the connection was killed. */
static bool flush(struct connection *connection)
{
    if (connection->want_write || connection->unsent != NULL) {
        const uint8_t *unsent =
            connection->unsent != NULL ? connection->unsent + connection->unsent_start : NULL;
        if (!write_out(connection, unsent, connection->unsent_end - connection->unsent_start)) {
            hf_grpc_connection_kill(connection);
            return false;
        }
    }
    uint8_t *buffer = connection->worker->write_buffer;
    while (!connection->want_write && connection->unsent == NULL) {
        ssize_t size = gather(connection, buffer);
        if (size == 0) {
            break;
        }
        if (size < 0 || !write_out(connection, buffer, (size_t)size)) {
            hf_grpc_connection_kill(connection);
            return false;
        }
    }
    return true;
}

void hf_grpc_connection_evict(struct connection *connection)
{
    bool can_say = connection->handshake_done && connection->heard && !connection->discarding &&
                   !connection->broken;
    if (can_say) {
        nghttp2_session *session = connection->session;
        nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(session), NGHTTP2_NO_ERROR,
                              NULL, 0);
    }
    if (!can_say || flush(connection)) {
        hf_grpc_connection_kill(connection);
    }
}

static void flush_connection(struct connection *connection)
{
    hf_grpc_connection_sync_sender(connection);
    if (!connection->handshake_done || !connection->heard || connection->discarding ||
        !flush(connection)) {
        return;
    }
    bool silent = !nghttp2_session_want_read(connection->session) &&
                  !nghttp2_session_want_write(connection->session);
    if ((silent || connection->broken) && !connection->want_write && connection->unsent == NULL) {
        hf_grpc_connection_linger(connection);
    }
    watch(connection);
}

void hf_grpc_worker_flush(struct hf_task *task)
{
    struct grpc_worker *worker = HF_CONTAINER(task, struct grpc_worker, flush_task);
    worker->flush_deferred = false;
    while (worker->dirty != NULL) {
        struct connection *connection = worker->dirty;
        worker->dirty = connection->next_dirty;
        if (worker->dirty == NULL) {
            worker->dirty_end = &worker->dirty;
        }
        connection->dirty = false;
        if (connection->dead) {
            hf_grpc_connection_forget(connection);
        } else {
            flush_connection(connection);
        }
    }
    hf_grpc_worker_settle(worker);
    hf_ref_drop(&worker->server->ref);
}

/* ---- reading ---- */

static void take_bytes(struct connection *connection, const uint8_t *data, size_t size)
{
    hf_grpc_worker_look(connection->worker);
    struct stream_fault fault;
    size = hf_grpc_ids_walk(&connection->ids, data, size, &fault);
    ssize_t taken = nghttp2_session_mem_recv(connection->session, data, size);
    if (taken < 0 && !connection->broken) {
        connection->broken = true;
        hf_grpc_server_report(connection, taken == NGHTTP2_ERR_BAD_CLIENT_MAGIC
                                              ? "not an HTTP/2 client"
                                              : nghttp2_strerror((int)taken));
    }
    if (fault.code != 0) {
        hf_grpc_connection_break(connection, fault.code, fault.what);
    }
    hf_grpc_worker_sync_counts(connection->worker);
    hf_grpc_connection_sync_sender(connection);
    hf_grpc_connection_open_window(connection);
    if (connection->broken || nghttp2_session_want_write(connection->session) ||
        !nghttp2_session_want_read(connection->session)) {
        hf_grpc_connection_dirty(connection);
    }
}

static void read_connection(struct connection *connection)
{
    struct grpc_worker *worker = connection->worker;
    size_t size = worker->server->options.read_buffer_bytes;
    /* OpenSSL's buffer is not announced by epoll, so it is emptied; a socket's comes again. */
    for (int i = 0; i < READS_A_TURN || hf_stream_has_pending(connection->stream); i++) {
        size_t got = 0;
        enum hf_stream_result result =
            hf_stream_read(connection->stream, worker->read_buffer, size, &got);
        if (result == HF_STREAM_WANT_READ || result == HF_STREAM_WANT_WRITE) {
            break;
        }
        if (result != HF_STREAM_OK) {
            if (result == HF_STREAM_ERROR) {
                hf_grpc_server_report(connection, hf_stream_error(connection->stream));
            }
            hf_grpc_connection_kill(connection);
            return;
        }
        connection->received_ns = now_of(connection);
        connection->ping_sent = false;
        if (!connection->discarding && !connection->broken) {
            take_bytes(connection, worker->read_buffer, got);
        }
        if (got < size && !hf_stream_has_pending(connection->stream)) {
            break;
        }
    }
}

/* False when it goes on later, or never. */
static bool handshake(struct connection *connection)
{
    enum hf_stream_result result = hf_stream_handshake(connection->stream);
    switch (result) {
    case HF_STREAM_OK:
        connection->handshake_done = true;
        connection->want_write = false;
        hf_grpc_connection_dirty(connection);
        break;
    case HF_STREAM_WANT_READ:
    case HF_STREAM_WANT_WRITE:
        connection->want_write = result == HF_STREAM_WANT_WRITE;
        break;
    default:
        /* Who only looks whether the port is open is no error. */
        if (result == HF_STREAM_ERROR) {
            hf_grpc_server_report(connection, hf_stream_error(connection->stream));
        }
        hf_grpc_connection_kill(connection);
        return false;
    }
    watch(connection);
    return connection->handshake_done;
}

static void on_ready(struct hf_io *io, uint32_t events)
{
    struct connection *connection = HF_CONTAINER(io, struct connection, io);
    if (!connection->heard) {
        hf_grpc_connection_hear(connection);
    }
    if (!connection->handshake_done) {
        /* OpenSSL may have read ahead what epoll will not announce again. */
        if (handshake(connection)) {
            read_connection(connection);
        }
        return;
    }
    if ((events & EPOLLOUT) != 0) {
        hf_grpc_connection_dirty(connection);
    }
    if ((events & ~(uint32_t)EPOLLOUT) != 0) {
        read_connection(connection);
    }
}

/* ---- opening ---- */

static enum hf_status prepare(struct connection *connection)
{
    enum hf_status status = hf_grpc_session_open(connection);
    if (status == HF_OK) {
        status = hf_loop_add(connection->worker->loop, connection->fd, EPOLLIN, &connection->io);
    }
    return status;
}

void hf_grpc_connection_open(struct grpc_worker *worker, int fd, const char *peer,
                             struct hf_peer who)
{
    struct hf_grpc_server *server = worker->server;
    struct connection *connection = calloc(1, sizeof(*connection));
    bool opened = connection != NULL;
    if (!opened || hf_stream_accept(server->options.tls, fd, &connection->stream) != HF_OK) {
        atomic_fetch_sub(&worker->connection_count, 1);
        hf_census_leave(server->census, &who);
        free(connection);
        close(fd);
        return;
    }
    uint64_t now_ns = hf_loop_now_ns(worker->loop), age_ns = server->options.max_connection_age_ns;
    connection->io.ready = on_ready;
    connection->worker = worker;
    connection->fd = fd;
    connection->who = who;
    connection->events = EPOLLIN;
    connection->handshake_done = server->options.tls == NULL;
    connection->opened_ns = connection->received_ns = connection->written_ns = now_ns;
    connection->idle_since_ns = connection->counted_since_ns = now_ns;
    if (age_ns != 0) {
        /* Spread by a tenth, so that a fleet that came together does not leave together. */
        connection->age_limit_ns =
            now_ns + age_ns - age_ns / 10 + age_ns / 1000 * ((now_ns >> 8) % 200);
    }
    memcpy(connection->peer, peer, strnlen(peer, sizeof(connection->peer) - 1));
    connection->next = worker->connections;
    connection->link = &worker->connections;
    if (connection->next != NULL) {
        connection->next->link = &connection->next;
    }
    worker->connections = connection;
    /* Without memory for that it belongs to no sender. */
    connection->sender = hf_intake_peer_get(&server->peers, &who);
    hf_grpc_idle_enter(connection);
    bool ticking = worker->tick.place != 0 ||
                   hf_loop_timer_set(
                       worker->loop, &worker->tick,
                       now_ns + (worker->stopping ? HF_GRPC_HURRY_NS : server->tick_ns)) == HF_OK;
    if (!ticking || prepare(connection) != HF_OK) {
        hf_grpc_connection_kill(connection);
        return;
    }
    hf_grpc_connection_dirty(connection);
}
