/* What goes back: response headers, the message, trailers; or all in one block of headers. */
#include "server_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "details.h"
#include "text.h"
#include "util/base64.h"
#include "util/escape.h"

#define HEADERS_MAX 6

struct header_list {
    nghttp2_nv items[HEADERS_MAX];
    size_t count;
};

static nghttp2_nv *add(struct header_list *list, const char *name, const char *value, size_t size)
{
    assert(list->count < HEADERS_MAX);
    nghttp2_nv *item = &list->items[list->count++];
    *item = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                         .value = (uint8_t *)(uintptr_t)value,
                         .namelen = strlen(name),
                         .valuelen = size,
                         .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME};
    return item;
}

static void add_constant(struct header_list *list, const char *name, const char *value)
{
    add(list, name, value, strlen(value))->flags |= NGHTTP2_NV_FLAG_NO_COPY_VALUE;
}

static ssize_t read_answer(nghttp2_session *session, int32_t stream_id, uint8_t *room, size_t size,
                           uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct hf_grpc_call *call = source->ptr;
    (void)user;
    size_t left = call->answer_size - call->answer_sent;
    size_t taken = left < size ? left : size;
    memcpy(room, call->answer + call->answer_sent, taken);
    call->answer_sent += taken;
    if (taken == left) {
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        struct header_list trailers = {.count = 0};
        add_constant(&trailers, "grpc-status", "0");
        if (nghttp2_submit_trailer(session, stream_id, trailers.items, trailers.count) != 0) {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
    }
    return (ssize_t)taken;
}

static bool keep_message(struct hf_grpc_call *call, struct hf_slice message)
{
    size_t size = HF_GRPC_PREFIX_BYTES + message.size;
    call->answer = size <= sizeof(call->answer_room) ? call->answer_room : malloc(size);
    if (call->answer == NULL) {
        return false;
    }
    hf_grpc_prefix_write(call->answer, false, (uint32_t)message.size);
    if (message.size != 0) {
        memcpy(call->answer + HF_GRPC_PREFIX_BYTES, message.data, message.size);
    }
    call->answer_size = size;
    call->answer_sent = 0;
    return true;
}

static int submit_message(struct hf_grpc_call *call, struct hf_slice message)
{
    if (!keep_message(call, message)) {
        return NGHTTP2_ERR_NOMEM;
    }
    struct header_list headers = {.count = 0};
    add_constant(&headers, ":status", "200");
    add_constant(&headers, "content-type", "application/grpc");
    nghttp2_data_provider provider = {.source.ptr = call, .read_callback = read_answer};
    return nghttp2_submit_response(call->connection->session, call->stream_id, headers.items,
                                   headers.count, &provider);
}

/* nghttp2 copies what is variable before it returns. */
static int submit_error(struct hf_grpc_call *call, int http_status,
                        const struct hf_grpc_answer *answer)
{
    char http[12], status[12], text[3 * HF_GRPC_ERROR_BYTES_MAX];
    uint8_t details[HF_GRPC_ERROR_BYTES_MAX + HF_GRPC_DETAILS_ROOM];
    char details_text[HF_BASE64_SIZE(sizeof(details))];
    struct header_list headers = {.count = 0};
    char fit[HF_GRPC_ERROR_BYTES_MAX + 1]; /* the peer may have written a part of it */
    struct hf_slice error = hf_slice_text(answer->error != NULL ? answer->error : "");
    error = hf_slice_of(fit, hf_escape(HF_ESCAPE_LINE, error, fit, sizeof(fit)));

    int size = snprintf(http, sizeof(http), "%d", http_status);
    add(&headers, ":status", http, (size_t)size);
    add_constant(&headers, "content-type", "application/grpc");
    size = snprintf(status, sizeof(status), "%d", answer->code);
    add(&headers, "grpc-status", status, (size_t)size);
    if (error.size != 0) {
        add(&headers, "grpc-message", text, hf_grpc_percent_encode(error, text, sizeof(text)));
    }
    if (answer->retry_delay_ns != 0) {
        size_t bytes = hf_grpc_details_write(answer->code, error, answer->retry_delay_ns, details);
        add(&headers, "grpc-status-details-bin", details_text,
            hf_base64_encode(hf_slice_of(details, bytes), HF_BASE64_RAW, details_text));
    }
    if (!call->known_coding) {
        add_constant(&headers, "grpc-accept-encoding", "identity,gzip,zstd,snappy,deflate");
    }
    return nghttp2_submit_response(call->connection->session, call->stream_id, headers.items,
                                   headers.count, NULL);
}

static void respond(struct hf_grpc_call *call, int http_status, const struct hf_grpc_answer *answer)
{
    int failed = answer->code == 0 ? submit_message(call, answer->message)
                                   : submit_error(call, http_status, answer);
    if (failed != 0) {
        /* Out of memory: the sender sees a broken stream and tries again. */
        nghttp2_submit_rst_stream(call->connection->session, NGHTTP2_FLAG_NONE, call->stream_id,
                                  NGHTTP2_INTERNAL_ERROR);
    }
    hf_grpc_connection_dirty(call->connection);
}

/* The state is ANSWERED from here on. The answer may be made of the message, which goes last. */
void hf_grpc_call_finish(struct hf_grpc_call *call, int http_status,
                         const struct hf_grpc_answer *answer)
{
    call->state = CALL_ANSWERED;
    call->progress_ns = hf_loop_now_ns(call->connection->worker->loop);
    if (call->stream_open) {
        respond(call, http_status, answer);
    }
    if (answer->goes_away && call->connection->drain == DRAIN_NOT) {
        hf_grpc_connection_drain(call->connection, 0);
    }
    hf_grpc_call_drop_message(call);
    hf_grpc_call_drop_metadata(call);
}

void hf_grpc_call_submit(struct hf_grpc_call *call, const struct hf_grpc_answer *answer)
{
    hf_grpc_call_finish(call, 200, answer);
}
