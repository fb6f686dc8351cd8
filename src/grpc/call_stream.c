/*
 * call_stream: calls of many messages. While its user has one, what comes is kept, and the window
 * of the stream stays closed for it: at most one window is kept.
 */
#include <assert.h>

#include "server_internal.h"

#define CODE_INTERNAL 13

/* Opens the window for what was taken. Most messages are far smaller than it: those never touch it.
 */
static bool open_window(struct hf_grpc_call *call)
{
    struct connection *connection = call->connection;
    if (call->pending.size != 0 || !call->stream_open ||
        call->unconsumed < connection->worker->server->options.stream_window / 4) {
        return true;
    }
    int failed =
        nghttp2_session_consume_stream(connection->session, call->stream_id, call->unconsumed);
    call->unconsumed = 0;
    return failed != NGHTTP2_ERR_NOMEM;
}

static bool is_busy(const struct hf_grpc_call *call)
{
    return call->state == CALL_HANDED || hf_grpc_call_is_on_hold(call);
}

/* The client has said all. */
static void end_stream(struct hf_grpc_call *call)
{
    if (call->state != CALL_BODY) {
        return;
    }
    if (call->prefix.have != 0) {
        const struct hf_grpc_answer answer = {
            .code = CODE_INTERNAL, .error = "grpc: the stream ended before its message was whole"};
        hf_grpc_call_refuse(call, 200, &answer);
    } else {
        hf_grpc_call_submit(call, &(struct hf_grpc_answer){.code = 0});
    }
}

/* Messages up to the first that its user is busy with; the rest stays in `*data`. */
static void feed(struct hf_grpc_call *call, struct hf_slice *data)
{
    while (data->size != 0 && call->state == CALL_BODY && !call->on_hold) {
        if (hf_grpc_call_fill(call, data)) {
            hf_grpc_call_take_message(call);
        }
    }
}

static bool keep(struct hf_grpc_call *call, struct hf_slice data)
{
    hf_grpc_call_count(call, (ptrdiff_t)data.size, 0);
    if (hf_bytes_append(&call->pending, data) != HF_OK) {
        hf_grpc_call_count(call, -(ptrdiff_t)data.size, 0);
        return false;
    }
    return true;
}

/* What was kept; then, when it was all, the end. */
static void go_on(struct hf_grpc_call *call)
{
    struct hf_bytes *pending = &call->pending;
    struct hf_slice rest = HF_EMPTY_SLICE;
    if (pending->size != 0) {
        rest = hf_slice_of(pending->data + call->pending_at, pending->size - call->pending_at);
        size_t before = rest.size;
        feed(call, &rest);
        call->pending_at = pending->size - rest.size;
        hf_grpc_call_count(call, -(ptrdiff_t)(before - rest.size), 0);
    }
    if (rest.size == 0) {
        hf_bytes_release(pending);
        call->pending_at = 0;
        if (call->remote_closed && !is_busy(call)) {
            end_stream(call);
        } else if (!open_window(call)) {
            hf_grpc_connection_break(call->connection, NGHTTP2_INTERNAL_ERROR, "out of memory");
        }
    }
    hf_grpc_connection_dirty(call->connection);
}

bool hf_grpc_call_on_data(struct hf_grpc_call *call, struct hf_slice data)
{
    bool kept = true;
    call->unconsumed += data.size;
    if (!hf_grpc_call_streams(call)) {
        hf_grpc_call_data(call, data);
        return open_window(call);
    }
    call->progress_ns = hf_loop_now_ns(call->connection->worker->loop);
    if (!is_busy(call)) {
        feed(call, &data);
    }
    if (data.size != 0 && is_busy(call)) {
        kept = keep(call, data);
    }
    return kept && open_window(call);
}

void hf_grpc_call_on_end(struct hf_grpc_call *call)
{
    if (!hf_grpc_call_streams(call)) {
        hf_grpc_call_end(call);
        return;
    }
    call->remote_closed = true;
    if (!is_busy(call)) {
        end_stream(call);
    }
}

/* ---- for its user ---- */

void hf_grpc_call_next(struct hf_grpc_call *call)
{
    struct grpc_worker *worker = call->connection->worker;
    assert(hf_loop_is_own_thread(worker->loop));
    assert(call->state == CALL_HANDED && call->method->streams);
    hf_grpc_call_drop_message(call);
    call->prefix = (struct hf_grpc_prefix){.have = 0};
    call->state = CALL_BODY;
    call->progress_ns = hf_loop_now_ns(worker->loop);
    hf_intake_pace_begin(&call->pace, call->progress_ns);
    if (call->stream_open) {
        go_on(call);
    } else {
        hf_grpc_call_free(call);
    }
    hf_grpc_server_handed(worker, -1);
}

void hf_grpc_call_resume(struct hf_grpc_call *call)
{
    assert(hf_loop_is_own_thread(call->connection->worker->loop));
    call->on_hold = false;
    if (hf_grpc_call_streams(call)) {
        go_on(call);
    } else if (call->remote_closed) {
        hf_grpc_call_end(call);
    }
}

struct hf_bytes *hf_grpc_call_kept(struct hf_grpc_call *call)
{
    return &call->kept;
}
