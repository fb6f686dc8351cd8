/* What becomes of a connection at the end of the turn: it is written, idle, drained or ended. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "server_internal.h"

static uint64_t now_of(const struct connection *connection)
{
    return hf_loop_now_ns(connection->worker->loop);
}

void hf_grpc_connection_dirty(struct connection *connection)
{
    struct grpc_worker *worker = connection->worker;
    if (connection->dirty || connection->dead) {
        return;
    }
    connection->dirty = true;
    connection->next_dirty = NULL;
    *worker->dirty_end = connection;
    worker->dirty_end = &connection->next_dirty;
    if (!worker->flush_deferred) {
        worker->flush_deferred = true;
        hf_grpc_worker_defer(worker, &worker->flush_task);
    }
}

void hf_grpc_connection_open_window(struct connection *connection)
{
    struct grpc_worker *worker = connection->worker;
    if (connection->arrived == 0) {
        return;
    }
    if (!hf_grpc_worker_may_open(worker)) {
        if (!worker->starving) {
            worker->starving = true;
            hf_grpc_worker_set_tick(worker, HF_GRPC_HURRY_NS);
        }
        return;
    }
    if (nghttp2_session_consume_connection(connection->session, connection->arrived) != 0) {
        connection->broken = true;
    }
    connection->arrived = 0;
}

/* ---- counting ---- */

void hf_grpc_connection_sync_sender(struct connection *connection)
{
    if (connection->sender != NULL && connection->sender_change != 0) {
        /* Negative changes wrap around, and so does the sum. */
        atomic_fetch_add_explicit(&connection->sender->held, (size_t)connection->sender_change,
                                  memory_order_relaxed);
        connection->sender_change = 0;
    }
}

/* ---- idle ones ---- */

void hf_grpc_idle_enter(struct connection *connection)
{
    struct grpc_worker *worker = connection->worker;
    assert(connection->idle_link == NULL);
    connection->next_idle = NULL;
    connection->idle_link = worker->idle_end;
    *worker->idle_end = connection;
    worker->idle_end = &connection->next_idle;
}

void hf_grpc_idle_leave(struct connection *connection)
{
    struct grpc_worker *worker = connection->worker;
    if (connection->idle_link == NULL) {
        return;
    }
    *connection->idle_link = connection->next_idle;
    if (connection->next_idle != NULL) {
        connection->next_idle->idle_link = connection->idle_link;
    } else {
        worker->idle_end = connection->idle_link;
    }
    connection->idle_link = NULL;
}

/* ---- ending ---- */

void hf_grpc_connection_break(struct connection *connection, uint32_t code, const char *what)
{
    if (connection->broken) {
        return;
    }
    connection->broken = true;
    hf_grpc_server_report(connection, what);
    nghttp2_session *session = connection->session;
    nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session), code,
                          (const uint8_t *)what, strlen(what));
    hf_grpc_connection_dirty(connection);
}

/* First a notice, so that calls on their way still arrive; the second time the last word. */
void hf_grpc_connection_drain(struct connection *connection, uint64_t end_ns)
{
    nghttp2_session *session = connection->session;
    connection->drain_end_ns = end_ns;
    if (connection->drain == DRAIN_NOT) {
        connection->drain = DRAIN_NOTICED;
        connection->drain_ns = now_of(connection);
        nghttp2_submit_shutdown_notice(session);
        nghttp2_submit_ping(session, NGHTTP2_FLAG_NONE, (const uint8_t *)"drained?");
    } else if (connection->drain == DRAIN_NOTICED) {
        connection->drain = DRAIN_FINAL;
        nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(session), NGHTTP2_NO_ERROR,
                              NULL, 0);
    }
    hf_grpc_connection_dirty(connection);
}

/* All was said. A socket closed with unread bytes would take back what the client has not read. */
void hf_grpc_connection_linger(struct connection *connection)
{
    connection->discarding = true;
    connection->discard_since_ns = now_of(connection);
    shutdown(connection->fd, SHUT_WR);
}

void hf_grpc_connection_forget(struct connection *connection)
{
    struct grpc_worker *worker = connection->worker;
    connection->idle_since_ns = now_of(connection);
    hf_grpc_connection_sync_sender(connection);
    /* One that is in the list of dirty ones goes when its turn there comes. */
    if (connection->dead && !connection->dirty && connection->call_count == 0) {
        hf_intake_peer_put(&worker->server->peers, connection->sender);
        free(connection);
        hf_grpc_worker_settle(worker);
    }
}
