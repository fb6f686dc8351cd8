/* What a call holds, as it is counted and given back. */
#include "server_internal.h"

#include <assert.h>

#define SPARE_BYTES_MAX (8u * 1024 * 1024)
/* The part of all held bytes that the metadata of one connection may take. */
#define METADATA_PART 16

void hf_grpc_call_count(struct hf_grpc_call *call, ptrdiff_t bytes, ptrdiff_t whole)
{
    hf_grpc_worker_count(call->connection->worker, bytes, whole);
    call->connection->sender_change += bytes;
}

static size_t sender_held(const struct connection *connection)
{
    return connection->sender == NULL
               ? 0
               : atomic_load_explicit(&connection->sender->held, memory_order_relaxed) +
                     (size_t)connection->sender_change;
}

bool hf_grpc_connection_has_room(struct connection *connection, size_t size)
{
    struct grpc_worker *worker = connection->worker;
    const struct hf_intake_limits *limits = &worker->server->limits;
    size_t held = hf_grpc_worker_held(worker);
    if (held < limits->soft) {
        return true;
    }
    hf_grpc_worker_press(worker);
    return hf_intake_judge(limits, held, sender_held(connection), size) != HF_INTAKE_FULL;
}

size_t hf_grpc_call_received(const struct hf_grpc_call *call)
{
    return call->wire != NULL ? call->wire->bytes.size : 0;
}

/* A decoding buffer without other references serves the next message. */
static void drop_raw(struct grpc_worker *worker, struct block *raw)
{
    bool alone = atomic_load_explicit(&raw->ref.count, memory_order_acquire) == 1;
    if (alone && worker->spare_raw == NULL && raw->bytes.capacity <= SPARE_BYTES_MAX) {
        worker->spare_raw = raw;
    } else {
        hf_ref_drop(&raw->ref);
    }
}

void hf_grpc_call_drop_message(struct hf_grpc_call *call)
{
    struct grpc_worker *worker = call->connection->worker;
    if (call->raw != NULL) {
        drop_raw(worker, call->raw);
        call->raw = NULL;
    }
    if (call->wire != NULL) {
        hf_ref_drop(&call->wire->ref);
        call->wire = NULL;
    }
    if (call->counted != 0) {
        ptrdiff_t counted = (ptrdiff_t)call->counted;
        hf_grpc_call_count(call, -counted, call->message.owner != NULL ? -counted : 0);
        call->counted = 0;
    }
    call->message = (struct hf_grpc_message){.coding = call->coding};
}

void hf_grpc_call_drop_metadata(struct hf_grpc_call *call)
{
    hf_grpc_metadata_release(&call->metadata);
    if (call->metadata_counted != 0) {
        hf_grpc_call_count(call, -(ptrdiff_t)call->metadata_counted, 0);
        call->connection->metadata_bytes -= call->metadata_counted;
        call->metadata_counted = 0;
    }
}

void hf_grpc_call_give_up(struct hf_grpc_call *call)
{
    assert(call->state == CALL_ANSWERED && call->stream_open);
    call->given_up = true;
    nghttp2_submit_rst_stream(call->connection->session, NGHTTP2_FLAG_NONE, call->stream_id,
                              NGHTTP2_CANCEL);
    hf_grpc_connection_dirty(call->connection);
}

void hf_grpc_call_count_metadata(struct hf_grpc_call *call)
{
    struct connection *connection = call->connection;
    size_t grown = hf_grpc_metadata_allocated(&call->metadata) - call->metadata_counted;
    if (grown == 0) {
        return;
    }
    hf_grpc_call_count(call, (ptrdiff_t)grown, 0);
    call->metadata_counted += grown;
    connection->metadata_bytes += grown;
    call->crowded =
        !hf_grpc_connection_has_room(connection, 0) ||
        connection->metadata_bytes > connection->worker->server->limits.total / METADATA_PART;
}
