/* Requests into nghttp2 and answers out of it. */
#include "client_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "text.h"
#include "util/base64.h"
#include "util/header_list.h"
#include "util/header_text.h"

/* A list of custom headers (util/header_list.h) and those of gRPC, so that every list fits. */
#define OWN_HEADERS_MAX 16
#define HEADERS_MAX (HF_HEADERS_MAX + OWN_HEADERS_MAX)
#define BINARY_BYTES_MAX HF_BASE64_SIZE(HF_HEADER_BYTES_MAX + 2 * HF_HEADERS_MAX)
#define ANSWER_HEADER_BYTES_MAX (64u * 1024)
#define FRAME_BYTES_MAX (1u << 20)
#define STREAM_WINDOW (1u << 20)
#define CONNECTION_WINDOW (4 << 20)
#define TOO_MANY_PINGS "too_many_pings"

/* ---- the body, pointed at ---- */

static ssize_t frame_size(nghttp2_session *session, uint8_t type, int32_t stream_id,
                          int32_t session_window, int32_t stream_window, uint32_t frame_max,
                          void *user)
{
    (void)session;
    (void)type;
    (void)stream_id;
    (void)user;
    int64_t size = frame_max < FRAME_BYTES_MAX ? frame_max : FRAME_BYTES_MAX;
    size = size < session_window ? size : session_window;
    return (ssize_t)(size < stream_window ? size : stream_window);
}

/* How much of the body one frame can point at with the pieces that it may have. */
static size_t coverable(const struct client_call *call, size_t most)
{
    const struct hf_grpc_request *request = call->request;
    size_t size = call->offset < HF_GRPC_PREFIX_BYTES ? HF_GRPC_PREFIX_BYTES - call->offset : 0;
    size_t offset = call->piece_offset;
    int pieces = 0;
    for (size_t i = call->piece_index;
         i < request->piece_count && pieces < HF_GRPC_OUTBOX_FRAME_PIECES && size < most; i++) {
        size += request->pieces[i].size - offset;
        pieces += request->pieces[i].size != 0; /* an empty one is never pointed at */
        offset = 0;
    }
    return size < most ? size : most;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream_id, uint8_t *room, size_t size,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    const struct client_call *call = source->ptr;
    (void)session;
    (void)stream_id;
    (void)room;
    (void)user;
    if (call->request == NULL) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    size_t taken = coverable(call, size);
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (taken == call->size - call->offset) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)taken;
}

static void lend_pieces(struct client_connection *connection, struct client_call *call, size_t size)
{
    const struct hf_grpc_request *request = call->request;
    while (size > 0) {
        assert(call->piece_index < request->piece_count);
        const struct hf_slice *piece = &request->pieces[call->piece_index];
        size_t left = piece->size - call->piece_offset;
        size_t taken = left < size ? left : size;
        hf_grpc_outbox_lend(&connection->outbox, call,
                            hf_slice_of(piece->data + call->piece_offset, taken));
        size -= taken;
        call->piece_offset += taken;
        if (call->piece_offset == piece->size) {
            call->piece_index++;
            call->piece_offset = 0;
        }
    }
}

static int send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
                     size_t size, nghttp2_data_source *source, void *user)
{
    struct client_connection *connection = user;
    struct client_call *call = source->ptr;
    (void)session;
    assert(frame->data.padlen == 0);
    if (call->request == NULL) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* ended since its frame was begun */
    }
    if (hf_grpc_outbox_is_full(&connection->outbox)) {
        return NGHTTP2_ERR_WOULDBLOCK;
    }
    hf_grpc_outbox_copy(&connection->outbox, hf_slice_of(head, 9));
    if (call->offset < HF_GRPC_PREFIX_BYTES) {
        size_t left = HF_GRPC_PREFIX_BYTES - call->offset;
        size_t taken = left < size ? left : size;
        hf_grpc_outbox_copy(&connection->outbox, hf_slice_of(call->prefix + call->offset, taken));
        call->offset += taken;
        size -= taken;
    }
    lend_pieces(connection, call, size);
    call->offset += size;
    return 0;
}

/* ---- a request ---- */

struct header_list {
    nghttp2_nv items[HEADERS_MAX];
    size_t count;
    char binary[BINARY_BYTES_MAX];
    size_t binary_size;
};

static bool add(struct header_list *list, struct hf_slice name, struct hf_slice value)
{
    if (list->count == HEADERS_MAX) {
        return false;
    }
    list->items[list->count++] = (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name.data,
        .value = (uint8_t *)(uintptr_t)value.data,
        .namelen = name.size,
        .valuelen = value.size,
    };
    return true;
}

/* Both live as long as the client. */
static void add_lasting(struct header_list *list, const char *name, const char *value)
{
    bool added = add(list, hf_slice_text(name), hf_slice_text(value));
    assert(added);
    (void)added;
    list->items[list->count - 1].flags =
        NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;
}

static bool add_custom(struct header_list *list, const struct hf_header *header)
{
    struct hf_slice name = header->name, value = header->value;
    if (hf_header_is_binary(name)) {
        if (value.size > HF_HEADER_BYTES_MAX ||
            HF_BASE64_SIZE(value.size) > sizeof(list->binary) - list->binary_size) {
            return false;
        }
        char *text = list->binary + list->binary_size;
        size_t size = hf_base64_encode(value, HF_BASE64_RAW, text);
        list->binary_size += size;
        value = hf_slice_of(text, size);
    }
    return add(list, name, value);
}

static const char *coding_header(enum hf_coding coding)
{
    static const char *const names[HF_CODING_COUNT] = {
        [HF_GZIP] = "gzip",
        [HF_ZSTD] = "zstd",
        [HF_SNAPPY_FRAMED] = "snappy",
        [HF_DEFLATE] = "deflate",
    };
    return names[coding];
}

static bool fill_headers(struct header_list *list, const struct hf_grpc_client *client,
                         const struct hf_grpc_request *request, char timeout[10])
{
    list->count = 0;
    list->binary_size = 0;
    add_lasting(list, ":method", "POST");
    add_lasting(list, ":scheme", client->options.tls != NULL ? "https" : "http");
    add_lasting(list, ":authority", client->options.authority);
    bool good = add(list, hf_slice_text(":path"), hf_slice_text(request->path));
    add_lasting(list, "te", "trailers");
    add_lasting(list, "content-type", "application/grpc");
    if (hf_header_find(request->headers, request->header_count, "user-agent") == NULL) {
        add_lasting(list, "user-agent", client->options.user_agent);
    }
    add_lasting(list, "grpc-accept-encoding", "identity,gzip,zstd,snappy,deflate");
    if (request->coding != HF_IDENTITY && coding_header(request->coding) != NULL) {
        add_lasting(list, "grpc-encoding", coding_header(request->coding));
    }
    if (request->deadline_ns != 0) {
        uint64_t now_ns = hf_loop_now_ns(client->options.loop);
        size_t size = hf_grpc_timeout_write(
            request->deadline_ns > now_ns ? request->deadline_ns - now_ns : 1, timeout);
        good = add(list, hf_slice_text("grpc-timeout"), hf_slice_of(timeout, size)) && good;
    }
    for (size_t i = 0; i < request->header_count && good; i++) {
        good = add_custom(list, &request->headers[i]);
    }
    return good;
}

bool hf_grpc_client_session_submit(struct client_connection *connection, struct client_call *call)
{
    struct header_list list;
    char timeout[10];
    if (!fill_headers(&list, connection->client, call->request, timeout)) {
        return false;
    }
    call->offset = call->piece_index = call->piece_offset = 0;
    nghttp2_data_provider provider = {.source.ptr = call, .read_callback = read_body};
    int32_t stream_id =
        nghttp2_submit_request(connection->session, NULL, list.items, list.count, &provider, call);
    if (stream_id < 0) {
        return false;
    }
    call->stream_id = stream_id;
    call->sent_ns = hf_loop_now_ns(connection->client->options.loop);
    call->on_the_way = call->not_sent = false;
    call->state = CALL_SENT;
    call->connection = connection;
    call->next = connection->calls;
    call->back = &connection->calls;
    if (call->next != NULL) {
        call->next->back = &call->next;
    }
    connection->calls = call;
    connection->call_count++;
    return true;
}

/* ---- an answer ---- */

static struct client_call *call_of(nghttp2_session *session, int32_t stream_id)
{
    return nghttp2_session_get_stream_user_data(session, stream_id);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *user)
{
    struct client_call *call = call_of(session, frame->hd.stream_id);
    (void)flags;
    (void)user;
    if (call == NULL || call->request == NULL) {
        return 0;
    }
    call->header_bytes += (uint32_t)(name_size + value_size);
    if (call->header_bytes > ANSWER_HEADER_BYTES_MAX) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    hf_grpc_client_call_header(call, hf_slice_of(name, name_size),
                               hf_header_trim(hf_slice_of(value, value_size)));
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data,
                   size_t size, void *user)
{
    struct client_call *call = call_of(session, stream_id);
    (void)flags;
    (void)user;
    if (call == NULL || call->request == NULL || call->fault != HF_OK) {
        return 0;
    }
    call->fault = hf_grpc_client_call_data(call, hf_slice_of(data, size));
    if (call->fault != HF_OK) {
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream_id, NGHTTP2_CANCEL);
    }
    return 0;
}

static void take_goaway(struct client_connection *connection, const nghttp2_goaway *goaway)
{
    connection->goaway = true;
    struct hf_slice words = hf_slice_of(goaway->opaque_data, goaway->opaque_data_len);
    snprintf(connection->error, sizeof(connection->error), "the server said GOAWAY (%s%s%.*s)",
             nghttp2_http2_strerror(goaway->error_code), words.size != 0 ? ": " : "",
             (int)(words.size < 128 ? words.size : 128), (const char *)words.data);
    if (goaway->error_code == NGHTTP2_ENHANCE_YOUR_CALM && hf_slice_is(words, TOO_MANY_PINGS)) {
        connection->client->keepalive_time_ns *= 2;
    }
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct client_connection *connection = user;
    if (frame->hd.type == NGHTTP2_HEADERS && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
        nghttp2_session_get_stream_local_close(session, frame->hd.stream_id) == 0) {
        /* Answered before it was heard out: the rest need not be sent. */
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_CANCEL);
    } else if (frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0 &&
               connection->state == CONNECTION_AWAITING_SETTINGS) {
        connection->has_settings = true;
    } else if (frame->hd.type == NGHTTP2_GOAWAY) {
        take_goaway(connection, &frame->goaway);
    }
    return 0;
}

static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)user;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        struct client_call *call = call_of(session, frame->hd.stream_id);
        if (call != NULL) {
            call->on_the_way = true;
        }
    }
    return 0;
}

static int on_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int code, void *user)
{
    struct client_connection *connection = user;
    (void)session;
    (void)code;
    if (frame->hd.type != NGHTTP2_HEADERS) {
        return 0;
    }
    /* The session may not know the stream any more, or not yet: the list does. */
    for (struct client_call *call = connection->calls; call != NULL; call = call->next) {
        if (call->stream_id == frame->hd.stream_id) {
            call->not_sent = true;
        }
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t code, void *user)
{
    struct client_connection *connection = user;
    struct client_call *call = call_of(session, stream_id);
    if (call == NULL) {
        return 0;
    }
    connection->answered += call->grpc_status >= 0;
    bool refused = code == NGHTTP2_REFUSED_STREAM && call->grpc_status < 0;
    if (call->request == NULL) {
        hf_grpc_client_call_free(call);
    } else if (call->not_sent || (refused && !call->retried)) {
        call->retried = call->retried || refused;
        hf_grpc_client_call_requeue(call);
    } else if (call->fault == HF_TOO_LARGE) {
        hf_grpc_client_call_end(call, CODE_EXHAUSTED, "the answer is over the limit");
    } else if (call->fault != HF_OK) {
        hf_grpc_client_call_end(call, CODE_UNAVAILABLE, "the answer is no gRPC message");
    } else {
        hf_grpc_client_call_set_result(call, code);
        hf_grpc_client_call_end(call, call->code, NULL);
    }
    return 0;
}

enum hf_status hf_grpc_client_session_prepare(struct hf_grpc_client *client)
{
    if (nghttp2_session_callbacks_new(&client->callbacks) != 0 ||
        nghttp2_option_new(&client->session_option) != 0) {
        return HF_NOMEM;
    }
    nghttp2_session_callbacks *callbacks = client->callbacks;
    nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks, frame_size);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_not_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_option_set_no_closed_streams(client->session_option, 1);
    nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(client->session_option, 1);
    return HF_OK;
}

enum hf_status hf_grpc_client_session_open(struct client_connection *connection)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, ANSWER_HEADER_BYTES_MAX},
    };
    if (nghttp2_session_client_new2(&connection->session, connection->client->callbacks, connection,
                                    connection->client->session_option) != 0) {
        return HF_NOMEM;
    }
    bool failed = nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings,
                                          sizeof(settings) / sizeof(settings[0])) != 0 ||
                  nghttp2_session_set_local_window_size(connection->session, NGHTTP2_FLAG_NONE, 0,
                                                        CONNECTION_WINDOW) != 0;
    return failed ? HF_NOMEM : HF_OK;
}
