/* What nghttp2 tells of a connection, and how it is set up. */
#include "server_internal.h"

#include <stdio.h>

#define PING_STRIKES_MAX 2u
#define PING_WITHOUT_STREAM_NS (UINT64_C(2) * 3600 * 1000000000)
#define RESETS_MAX 1000u
/* nghttp2's own brakes, behind ours. */
#define LIBRARY_RESETS_BURST 4000
#define LIBRARY_RESETS_A_SECOND 200

static struct hf_grpc_call *call_of(nghttp2_session *session, int32_t stream_id)
{
    return nghttp2_session_get_stream_user_data(session, stream_id);
}

static bool is_request(const nghttp2_frame *frame)
{
    return frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct connection *connection = user;
    if (!is_request(frame)) {
        return 0;
    }
    struct hf_grpc_call *call = hf_grpc_call_open(connection, frame->hd.stream_id);
    if (call == NULL) {
        /* The client knows from the code that nothing was done and may try again at once. */
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                  NGHTTP2_REFUSED_STREAM);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    connection->current = call;
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, call);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *user)
{
    struct connection *connection = user;
    (void)session;
    (void)flags;
    if (connection->current != NULL && is_request(frame)) {
        hf_grpc_call_take_header(connection->current, hf_slice_of(name, name_size),
                                 hf_slice_of(value, value_size));
    }
    return connection->broken ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data,
                   size_t size, void *user)
{
    struct connection *connection = user;
    (void)flags;
    struct hf_grpc_call *call = call_of(session, stream_id);
    connection->arrived += size;
    if (call == NULL) {
        return 0;
    }
    return hf_grpc_call_on_data(call, hf_slice_of(data, size)) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* As grpc-go counts: pings that come too fast while nothing was sent to the client. */
static void judge_ping(struct connection *connection)
{
    const struct hf_grpc_server_options *options = &connection->worker->server->options;
    uint64_t now_ns = hf_loop_now_ns(connection->worker->loop);
    uint64_t since_ns = now_ns - connection->client_ping_ns;
    connection->client_ping_ns = now_ns;
    if (connection->sent_answer) {
        connection->sent_answer = false;
        connection->ping_strikes = 0;
        return;
    }
    bool idle = connection->call_count == 0 && !options->permit_without_stream;
    if (since_ns < (idle ? PING_WITHOUT_STREAM_NS : options->enforcement_min_time_ns)) {
        connection->ping_strikes++;
    }
    if (connection->ping_strikes > PING_STRIKES_MAX) {
        hf_grpc_connection_break(connection, NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings");
    }
}

/* A client that takes back most of what it asks for only wants to make work. */
static void judge_reset(struct connection *connection)
{
    connection->resets++;
    if (connection->resets > RESETS_MAX && connection->completed < connection->resets) {
        hf_grpc_connection_break(connection, NGHTTP2_ENHANCE_YOUR_CALM, "too many resets");
    }
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct connection *connection = user;
    struct hf_grpc_call *call;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        call = call_of(session, frame->hd.stream_id);
        if (call != NULL && is_request(frame)) {
            connection->current = NULL;
            hf_grpc_call_headers_end(call);
        }
        if (call != NULL && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
            hf_grpc_call_on_end(call);
        }
        break;
    case NGHTTP2_RST_STREAM:
        judge_reset(connection);
        break;
    case NGHTTP2_SETTINGS:
        connection->settings_received = true;
        if (connection->worker->stopping && connection->drain == DRAIN_NOT) {
            /* It was on its way when the stop began: it is heard, and asked to go on elsewhere. */
            hf_grpc_connection_drain(connection, connection->worker->stop_end_ns);
        }
        break;
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
            judge_ping(connection);
        } else if (connection->drain == DRAIN_NOTICED) {
            hf_grpc_connection_drain(connection, connection->drain_end_ns);
        }
        break;
    default:
        break;
    }
    return connection->broken ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t code, void *user)
{
    struct connection *connection = user;
    struct hf_grpc_call *call = call_of(session, stream_id);
    if (call == NULL) {
        return 0;
    }
    if (connection->current == call) {
        connection->current = NULL;
    }
    if (call->state == CALL_ANSWERED && code == NGHTTP2_NO_ERROR) {
        connection->completed++;
    }
    hf_grpc_call_stream_closed(call);
    return 0;
}

/* One that nghttp2 sends by itself says what it did not like. */
static void report_goaway(struct connection *connection, const nghttp2_goaway *goaway)
{
    if (goaway->error_code == NGHTTP2_NO_ERROR || connection->broken || connection->reported) {
        return;
    }
    char text[256];
    int size = goaway->opaque_data_len < 200 ? (int)goaway->opaque_data_len : 200;
    snprintf(text, sizeof(text), "%s%s%.*s", nghttp2_http2_strerror(goaway->error_code),
             size != 0 ? ": " : "", size, (const char *)goaway->opaque_data);
    connection->reported = true;
    hf_grpc_server_report(connection, text);
}

static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct connection *connection = user;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        report_goaway(connection, &frame->goaway);
    }
    if (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) {
        connection->sent_answer = true;
    }
    if (frame->hd.type != NGHTTP2_HEADERS) {
        return 0;
    }
    const struct hf_grpc_call *call = call_of(session, frame->hd.stream_id);
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 && call != NULL && !call->remote_closed) {
        /* Answered before it was heard out: the client need not go on. */
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                  NGHTTP2_NO_ERROR);
    }
    return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int code,
                            void *user)
{
    struct connection *connection = user;
    (void)session;
    connection->reported = true;
    /* grpc-go says goodbye with the highest stream id there is, which nghttp2 takes for one of the
     * server's own: nothing that anybody need hear of. */
    if (frame->hd.type != NGHTTP2_GOAWAY) {
        hf_grpc_server_report(connection, nghttp2_strerror(code));
    }
    return 0;
}

enum hf_status hf_grpc_session_prepare(struct hf_grpc_server *server)
{
    if (nghttp2_session_callbacks_new(&server->callbacks) != 0 ||
        nghttp2_option_new(&server->session_option) != 0) {
        return HF_NOMEM;
    }
    nghttp2_session_callbacks *callbacks = server->callbacks;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_option *option = server->session_option;
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    /* Blanks around a value are no part of it, and taken away (hf_grpc_call_take_header). */
    nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(option, 1);
    /* The headers of an answer are a few bytes, each time; a table is a KiB for each connection. */
    nghttp2_option_set_max_deflate_dynamic_table_size(option, 0);
    nghttp2_option_set_stream_reset_rate_limit(option, LIBRARY_RESETS_BURST,
                                               LIBRARY_RESETS_A_SECOND);
    return HF_OK;
}

enum hf_status hf_grpc_session_open(struct connection *connection)
{
    const struct hf_grpc_server *server = connection->worker->server;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, server->options.streams_max},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, server->options.stream_window},
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, 1u << 20},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HF_GRPC_METADATA_BYTES_MAX},
    };
    if (nghttp2_session_server_new2(&connection->session, server->callbacks, connection,
                                    server->session_option) != 0) {
        return HF_NOMEM;
    }
    bool failed =
        nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings,
                                sizeof(settings) / sizeof(settings[0])) != 0 ||
        nghttp2_session_set_local_window_size(connection->session, NGHTTP2_FLAG_NONE, 0,
                                              (int32_t)server->options.connection_window) != 0;
    return failed ? HF_NOMEM : HF_OK;
}
