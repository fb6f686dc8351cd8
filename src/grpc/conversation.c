/* Calls in which both sides speak in turns: each message is answered while the stream stays; and
 * those in which one message is answered as often as the answer changes. */
#include "server_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* Such calls ask about the server; they carry no telemetry, so a little is enough. */
#define REQUEST_BYTES_MAX (16u * 1024)
#define UNSENT_BYTES_MAX (64u * 1024)
#define CONVERSATIONS_MAX 8u /* per connection */

enum { CODE_OK = 0, CODE_EXHAUSTED = 8, CODE_UNIMPLEMENTED = 12, CODE_INTERNAL = 13 };

struct conversation {
    struct hf_grpc_prefix prefix; /* of the request that is coming */
    struct hf_bytes request;
    struct hf_bytes unsent; /* answers with their prefixes, from `sent` on */
    size_t sent;
    bool ended; /* `code` follows what is unsent */
    int code;
    struct hf_grpc_call *call;
    struct hf_timer timer; /* of the next look at what is repeated */
    struct hf_bytes last;  /* the answer that was sent last */
    bool is_repeated;      /* the one message has been answered */
};

static void add_trailer(nghttp2_nv *item, const char *name, const char *value)
{
    *item = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                         .value = (uint8_t *)(uintptr_t)value,
                         .namelen = strlen(name),
                         .valuelen = strlen(value)};
}

static ssize_t read_answers(nghttp2_session *session, int32_t stream_id, uint8_t *room, size_t size,
                            uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct hf_grpc_call *call = source->ptr;
    struct conversation *talk = call->conversation;
    size_t left = talk->unsent.size - talk->sent;
    size_t taken = left < size ? left : size;
    (void)user;
    if (taken != 0) {
        memcpy(room, talk->unsent.data + talk->sent, taken);
        talk->sent += taken;
    }
    if (taken < left) {
        return (ssize_t)taken;
    }
    talk->unsent.size = talk->sent = 0;
    if (talk->ended) {
        char code[12];
        nghttp2_nv trailer;
        snprintf(code, sizeof(code), "%d", talk->code);
        add_trailer(&trailer, "grpc-status", code);
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        if (nghttp2_submit_trailer(session, stream_id, &trailer, 1) != 0) {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
    } else if (taken == 0) {
        return NGHTTP2_ERR_DEFERRED;
    }
    return (ssize_t)taken;
}

static void cut(struct hf_grpc_call *call)
{
    call->state = CALL_ANSWERED;
    nghttp2_submit_rst_stream(call->connection->session, NGHTTP2_FLAG_NONE, call->stream_id,
                              NGHTTP2_INTERNAL_ERROR);
    hf_grpc_connection_dirty(call->connection);
}

/* The first message begins it. */
static bool begin(struct hf_grpc_call *call)
{
    struct connection *connection = call->connection;
    if (call->conversation != NULL) {
        return true;
    }
    if (connection->conversation_count >= CONVERSATIONS_MAX) {
        const struct hf_grpc_answer answer = {.code = CODE_EXHAUSTED,
                                              .error = "too many conversations on one connection"};
        hf_grpc_server_report(connection, answer.error);
        hf_grpc_call_submit(call, &answer);
        return false;
    }
    call->conversation = calloc(1, sizeof(*call->conversation));
    nghttp2_nv headers[2];
    add_trailer(&headers[0], ":status", "200");
    add_trailer(&headers[1], "content-type", "application/grpc");
    nghttp2_data_provider provider = {.source.ptr = call, .read_callback = read_answers};
    if (call->conversation == NULL ||
        nghttp2_submit_response(connection->session, call->stream_id, headers, 2, &provider) != 0) {
        free(call->conversation);
        call->conversation = NULL;
        cut(call);
        return false;
    }
    call->conversation->call = call;
    connection->conversation_count++;
    hf_grpc_connection_dirty(connection);
    return true;
}

/* What was unsent goes on, or a new end does. */
static void resume(struct hf_grpc_call *call)
{
    int failed = nghttp2_session_resume_data(call->connection->session, call->stream_id);
    (void)failed; /* it was not waiting, then */
    hf_grpc_connection_dirty(call->connection);
}

void hf_grpc_conversation_end(struct hf_grpc_call *call, int code)
{
    assert(call->state == CALL_BODY);
    if (begin(call)) {
        call->state = CALL_ANSWERED;
        call->conversation->ended = true;
        call->conversation->code = code;
        resume(call);
    }
}

/* Is what was just made, from `start` on, what was sent last? Else it is, from now on. */
static enum hf_status compare(struct conversation *talk, size_t start, bool *ret_same)
{
    const struct hf_bytes *unsent = &talk->unsent;
    struct hf_slice made = hf_slice_of(unsent->data + start, unsent->size - start);
    *ret_same =
        talk->is_repeated && hf_slice_equal(made, hf_slice_of(talk->last.data, talk->last.size));
    if (*ret_same) {
        return HF_OK;
    }
    talk->last.size = 0;
    return hf_bytes_append(&talk->last, made);
}

static void repeat(struct hf_timer *timer, uint64_t now_ns);

static enum hf_status repeat_later(struct hf_grpc_call *call)
{
    struct conversation *talk = call->conversation;
    struct hf_loop *loop = call->connection->worker->loop;
    talk->is_repeated = true;
    talk->timer.fire = repeat;
    return hf_loop_timer_set(loop, &talk->timer, hf_loop_now_ns(loop) + call->method->repeat_ns);
}

/* Of a call whose answer is repeated, only what is new is sent. */
static void answer(struct hf_grpc_call *call)
{
    struct conversation *talk = call->conversation;
    struct hf_bytes *unsent = &talk->unsent;
    static const uint8_t no_prefix[HF_GRPC_PREFIX_BYTES];
    size_t start = unsent->size;
    bool same = false;
    enum hf_status status = hf_bytes_append(unsent, hf_slice_of(no_prefix, sizeof(no_prefix)));
    if (status == HF_OK) {
        struct hf_slice request = hf_slice_of(talk->request.data, talk->request.size);
        status = call->method->converse(call->method->user, request, unsent);
    }
    if (status == HF_OK && call->method->repeat_ns != 0) {
        status = compare(talk, start + HF_GRPC_PREFIX_BYTES, &same);
    }
    if (status == HF_OK && call->method->repeat_ns != 0) {
        status = repeat_later(call);
    }
    if (status != HF_OK) {
        unsent->size = start;
        hf_grpc_conversation_end(call, hf_status_row(status)->grpc_code);
        return;
    }
    if (same) {
        unsent->size = start;
        return;
    }
    hf_grpc_prefix_write(unsent->data + start, false,
                         (uint32_t)(unsent->size - start - HF_GRPC_PREFIX_BYTES));
    if (!talk->is_repeated) {
        talk->request.size = 0;
        talk->prefix = (struct hf_grpc_prefix){.have = 0};
    }
    resume(call);
}

static void repeat(struct hf_timer *timer, uint64_t now_ns)
{
    struct hf_grpc_call *call = HF_CONTAINER(timer, struct conversation, timer)->call;
    const struct conversation *talk = call->conversation;
    (void)now_ns;
    if (call->state != CALL_BODY) {
        return; /* it has ended, and only its trailer is to be sent */
    }
    if (talk->unsent.size - talk->sent > UNSENT_BYTES_MAX) {
        hf_grpc_conversation_end(call, CODE_EXHAUSTED); /* the client does not take them */
        return;
    }
    answer(call);
}

/* The prefix of a request is whole: may it come? */
static bool may_come(struct hf_grpc_call *call)
{
    const struct conversation *talk = call->conversation;
    int code = CODE_OK;
    if (talk->prefix.compressed) {
        code = CODE_UNIMPLEMENTED;
    } else if (talk->prefix.size > REQUEST_BYTES_MAX ||
               talk->unsent.size - talk->sent > UNSENT_BYTES_MAX) {
        code = CODE_EXHAUSTED;
    }
    if (code != CODE_OK) {
        hf_grpc_conversation_end(call, code);
    }
    return code == CODE_OK;
}

/* Takes the prefix from `*data`. False: it is not whole yet, or cannot be taken. */
static bool take_prefix(struct hf_grpc_call *call, struct hf_slice *data)
{
    struct conversation *talk = call->conversation;
    if (hf_grpc_prefix_is_whole(&talk->prefix)) {
        return true;
    }
    enum hf_status status = hf_grpc_prefix_feed(&talk->prefix, data);
    if (status == HF_INVALID) {
        hf_grpc_conversation_end(call, CODE_INTERNAL);
    }
    return status == HF_OK && may_come(call);
}

void hf_grpc_conversation_data(struct hf_grpc_call *call, struct hf_slice data)
{
    while (data.size != 0 && call->state == CALL_BODY && begin(call) && take_prefix(call, &data)) {
        struct conversation *talk = call->conversation;
        if (talk->is_repeated) {
            hf_grpc_conversation_end(call, CODE_INTERNAL); /* more than the one message */
            return;
        }
        size_t left = talk->prefix.size - talk->request.size;
        size_t taken = left < data.size ? left : data.size;
        if (hf_bytes_append(&talk->request, hf_slice_of(data.data, taken)) != HF_OK) {
            cut(call);
            return;
        }
        data = hf_slice_of(data.data + taken, data.size - taken);
        if (taken == left) {
            answer(call);
        }
    }
}

void hf_grpc_conversation_finish(struct hf_grpc_call *call)
{
    const struct conversation *talk = call->conversation;
    if (talk != NULL && talk->is_repeated) {
        return; /* it has said what it has to say, and listens */
    }
    bool is_cut_short = talk != NULL && talk->prefix.have != 0;
    hf_grpc_conversation_end(call, is_cut_short ? CODE_INTERNAL : CODE_OK);
}

void hf_grpc_conversation_free(struct hf_grpc_call *call)
{
    struct conversation *talk = call->conversation;
    if (talk != NULL) {
        call->connection->conversation_count--;
        hf_loop_timer_stop(call->connection->worker->loop, &talk->timer);
        hf_bytes_release(&talk->last);
        hf_bytes_release(&talk->request);
        hf_bytes_release(&talk->unsent);
        free(talk);
        call->conversation = NULL;
    }
}
