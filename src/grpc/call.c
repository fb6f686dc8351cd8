/* A call from its first header to its message, and the end of both. */
#include "server_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "text.h"
#include "util/header_text.h"

#define POOL_MAX 1024u
#define CALLS_MAX 200000u /* a worker */
/* A large message gets its whole buffer when this much of it has come: a prefix alone costs
 * nothing. */
#define FIRST_BYTES (256u * 1024)
/* Header bytes past which the connection is not worth its calls. */
#define HEADERS_CUT (8u * HF_GRPC_METADATA_BYTES_MAX)

enum {
    CODE_INVALID_ARGUMENT = 3,
    CODE_DEADLINE = 4,
    CODE_EXHAUSTED = 8,
    CODE_UNIMPLEMENTED = 12,
    CODE_INTERNAL = 13,
};

/* ---- memory ---- */

static void free_block(struct hf_ref *ref)
{
    struct block *block = HF_CONTAINER(ref, struct block, ref);
    hf_bytes_release(&block->bytes);
    free(block);
}

static struct block *new_block(void)
{
    struct block *block = calloc(1, sizeof(*block));
    if (block != NULL) {
        hf_ref_init(&block->ref, free_block);
    }
    return block;
}

static struct hf_grpc_call *take_from_pool(struct grpc_worker *worker)
{
    struct hf_grpc_call *call = worker->pool;
    if (call == NULL) {
        return malloc(sizeof(*call));
    }
    worker->pool = call->next;
    worker->pool_count--;
    return call;
}

/* ---- opening and ending ---- */

struct hf_grpc_call *hf_grpc_call_open(struct connection *connection, int32_t stream_id)
{
    struct grpc_worker *worker = connection->worker;
    bool room = worker->call_count < CALLS_MAX && hf_grpc_connection_has_room(connection, 0);
    struct hf_grpc_call *call = room ? take_from_pool(worker) : NULL;
    if (call == NULL) {
        return NULL;
    }
    /* All but the metadata's room, which need not be cleared. */
    memset(call, 0, offsetof(struct hf_grpc_call, metadata));
    hf_grpc_metadata_init(&call->metadata);
    call->connection = connection;
    call->stream_id = stream_id;
    call->stream_open = true;
    call->known_coding = true;
    call->progress_ns = hf_loop_now_ns(worker->loop);
    hf_intake_pace_begin(&call->pace, call->progress_ns);
    hf_grpc_call_count(call, (ptrdiff_t)sizeof(*call), 0);
    call->next = connection->calls;
    call->link = &connection->calls;
    if (call->next != NULL) {
        call->next->link = &call->next;
    }
    connection->calls = call;
    if (connection->call_count++ == 0) {
        hf_grpc_idle_leave(connection);
    }
    worker->call_count++;
    return call;
}

void hf_grpc_call_pool_free(struct grpc_worker *worker)
{
    while (worker->pool != NULL) {
        struct hf_grpc_call *next = worker->pool->next;
        free(worker->pool);
        worker->pool = next;
    }
    if (worker->spare_raw != NULL) {
        hf_ref_drop(&worker->spare_raw->ref);
        worker->spare_raw = NULL;
    }
}

void hf_grpc_call_free(struct hf_grpc_call *call)
{
    struct connection *connection = call->connection;
    struct grpc_worker *worker = connection->worker;
    if (call->data != NULL && worker->server->options.on_gone != NULL) {
        worker->server->options.on_gone(worker->server->options.user, call);
    }
    hf_grpc_call_drop_message(call);
    hf_grpc_conversation_free(call);
    hf_grpc_call_drop_metadata(call);
    hf_grpc_call_count(call, -(ptrdiff_t)sizeof(*call), 0);
    if (call->answer != call->answer_room) {
        free(call->answer);
    }
    hf_grpc_call_count(call, -(ptrdiff_t)(call->pending.size - call->pending_at), 0);
    hf_bytes_release(&call->pending);
    hf_bytes_release(&call->kept);
    *call->link = call->next;
    if (call->next != NULL) {
        call->next->link = call->link;
    }
    worker->call_count--;
    if (worker->pool_count < POOL_MAX) {
        call->next = worker->pool;
        worker->pool = call;
        worker->pool_count++;
    } else {
        free(call);
    }
    if (--connection->call_count == 0) {
        if (!connection->dead) {
            hf_grpc_idle_enter(connection);
        }
        hf_grpc_connection_forget(connection);
    }
}

void hf_grpc_call_stream_closed(struct hf_grpc_call *call)
{
    call->stream_open = false;
    if (call->state != CALL_HANDED) {
        hf_grpc_call_free(call);
    }
}

/* ---- headers ---- */

static bool is_grpc_type(struct hf_slice value)
{
    static const char type[] = "application/grpc";
    size_t size = sizeof(type) - 1;
    return value.size >= size && memcmp(value.data, type, size) == 0 &&
           (value.size == size || value.data[size] == '+' || value.data[size] == ';');
}

static void take_path(struct hf_grpc_call *call, struct hf_slice path)
{
    const struct hf_grpc_server *server = call->connection->worker->server;
    call->has_path = true;
    for (size_t i = 0; i < server->options.method_count; i++) {
        if (hf_slice_is(path, server->methods[i].path)) {
            call->method = &server->methods[i];
            return;
        }
    }
    /* Kept for the sentence that refuses it. */
    if (hf_grpc_metadata_add(&call->metadata, hf_slice_text(":path"), path) != HF_OK) {
        call->large_headers = true;
    }
    hf_grpc_call_count_metadata(call);
}

static void take_timeout(struct hf_grpc_call *call, struct hf_slice value)
{
    uint64_t timeout_ns, now_ns = hf_loop_now_ns(call->connection->worker->loop);
    if (!hf_grpc_timeout_parse(value, &timeout_ns)) {
        call->bad_header = true;
        return;
    }
    call->deadline_ns = timeout_ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + timeout_ns;
    call->has_timeout = true;
}

static void keep_header(struct hf_grpc_call *call, struct hf_slice name, struct hf_slice value)
{
    if (call->crowded) {
        return;
    }
    enum hf_status status = hf_grpc_metadata_add(&call->metadata, name, value);
    hf_grpc_call_count_metadata(call);
    if (status == HF_INVALID) {
        call->bad_header = true;
    } else if (status != HF_OK) {
        call->large_headers = true;
    }
}

/* The codings of gRPC: `snappy` is the framed one, and zlib's own name is not known to it. */
static void take_coding(struct hf_grpc_call *call, struct hf_slice value)
{
    static const struct {
        const char *name;
        enum hf_coding coding;
    } rows[] = {{"identity", HF_IDENTITY},    {"gzip", HF_GZIP},       {"zstd", HF_ZSTD},
                {"snappy", HF_SNAPPY_FRAMED}, {"deflate", HF_DEFLATE}, {"", HF_IDENTITY}};
    call->known_coding = false;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (hf_slice_is(value, rows[i].name)) {
            call->coding = rows[i].coding;
            call->known_coding = true;
            return;
        }
    }
    keep_header(call, hf_slice_text("grpc-encoding"), value);
}

static bool is_wanted(const struct hf_grpc_call *call, struct hf_slice name)
{
    const struct hf_grpc_server_options *options = &call->connection->worker->server->options;
    return options->keeps_header == NULL || options->keeps_header(options->user, name);
}

static void take_pseudo_header(struct hf_grpc_call *call, struct hf_slice name,
                               struct hf_slice value)
{
    if (hf_slice_is(name, ":method")) {
        call->is_post = hf_slice_is(value, "POST");
    } else if (hf_slice_is(name, ":path")) {
        take_path(call, value);
    } else if (hf_slice_is(name, ":authority") && is_wanted(call, name)) {
        keep_header(call, name, value);
    }
}

void hf_grpc_call_take_header(struct hf_grpc_call *call, struct hf_slice name,
                              struct hf_slice value)
{
    call->header_bytes += (uint32_t)(name.size + value.size) + 32;
    if (call->header_bytes > HEADERS_CUT) {
        hf_grpc_connection_break(call->connection, NGHTTP2_ENHANCE_YOUR_CALM,
                                 "headers without end");
        return;
    }
    if (call->header_bytes > HF_GRPC_METADATA_BYTES_MAX + 32 * HF_GRPC_METADATA_MAX) {
        call->large_headers = true;
        return;
    }
    value = hf_header_trim(value);
    if (name.size > 0 && name.data[0] == ':') {
        take_pseudo_header(call, name, value);
    } else if (hf_slice_is(name, "content-type")) {
        call->is_grpc = is_grpc_type(value);
    } else if (hf_slice_is(name, "grpc-encoding")) {
        take_coding(call, value);
    } else if (hf_slice_is(name, "grpc-timeout")) {
        take_timeout(call, value);
    } else if (!hf_slice_is(name, "te") && !hf_slice_is(name, "grpc-accept-encoding") &&
               is_wanted(call, name)) {
        keep_header(call, name, value);
    }
}

static void refuse_http(struct hf_grpc_call *call, int http, int code, const char *text)
{
    hf_grpc_call_refuse(call, http, &(struct hf_grpc_answer){.code = code, .error = text});
}

static void refuse(struct hf_grpc_call *call, int code, const char *text)
{
    refuse_http(call, 200, code, text);
}

static void refuse_path(struct hf_grpc_call *call)
{
    const struct hf_grpc_server *server = call->connection->worker->server;
    struct hf_slice path = hf_grpc_metadata_find(&call->metadata, ":path");
    char text[512];
    const char *slash = path.size > 1 ? memrchr(path.data, '/', path.size) : NULL;
    if (slash == NULL || path.data[0] != '/' || slash == (const char *)path.data) {
        snprintf(text, sizeof(text), "malformed method name: \"%.*s\"",
                 (int)(path.size < 256 ? path.size : 256), (const char *)path.data);
        refuse(call, CODE_UNIMPLEMENTED, text);
        return;
    }
    size_t service_end = (size_t)(slash - (const char *)path.data);
    bool known = false;
    for (size_t i = 0; i < server->options.method_count && !known; i++) {
        known = strncmp(server->methods[i].path, (const char *)path.data, service_end + 1) == 0;
    }
    size_t shown = service_end - 1 < 256 ? service_end - 1 : 256;
    size_t method_size = path.size - service_end - 1;
    if (known) {
        snprintf(text, sizeof(text), "unknown method %.*s for service %.*s",
                 (int)(method_size < 128 ? method_size : 128), slash + 1, (int)shown,
                 (const char *)path.data + 1);
    } else {
        snprintf(text, sizeof(text), "unknown service %.*s", (int)shown,
                 (const char *)path.data + 1);
    }
    refuse(call, CODE_UNIMPLEMENTED, text);
}

static void refuse_coding(struct hf_grpc_call *call)
{
    struct hf_slice coding = hf_grpc_metadata_find(&call->metadata, "grpc-encoding");
    char text[128];
    snprintf(text, sizeof(text), "grpc: Decompressor is not installed for grpc-encoding \"%.*s\"",
             (int)(coding.size < 48 ? coding.size : 48), (const char *)coding.data);
    refuse(call, CODE_UNIMPLEMENTED, text);
}

static bool is_late(const struct hf_grpc_call *call)
{
    return call->has_timeout && hf_loop_now_ns(call->connection->worker->loop) >= call->deadline_ns;
}

/* In the order in which grpc-go looks at them. */
static void judge_headers(struct hf_grpc_call *call)
{
    if (call->large_headers) {
        refuse(call, CODE_EXHAUSTED, "grpc: the request headers are larger than 16384 bytes");
    } else if (!call->is_grpc) {
        refuse_http(call, 415, CODE_INVALID_ARGUMENT, "invalid gRPC request content-type");
    } else if (!call->is_post) {
        refuse_http(call, 405, CODE_INTERNAL, "invalid gRPC request method, only POST is allowed");
    } else if (call->bad_header) {
        refuse_http(call, 400, CODE_INTERNAL, "malformed grpc-timeout or binary header");
    } else if (call->method == NULL) {
        refuse_path(call);
    } else if (!call->known_coding) {
        refuse_coding(call);
    } else if (is_late(call)) {
        refuse(call, CODE_DEADLINE, "context deadline exceeded");
    } else if (call->crowded) {
        hf_grpc_call_refuse_for_now(call, "too much metadata is held at the moment");
    }
}

void hf_grpc_call_headers_end(struct hf_grpc_call *call)
{
    const struct hf_grpc_server_options *options = &call->connection->worker->server->options;
    judge_headers(call);
    if (call->state == CALL_HEADERS) {
        call->state = CALL_BODY;
        if (options->on_headers != NULL) {
            options->on_headers(options->user, call);
        }
    }
}

/* ---- the message ---- */

static void refuse_large(struct hf_grpc_call *call, bool decoded, uint64_t size)
{
    char text[128];
    snprintf(text, sizeof(text), "grpc: received message %slarger than max (%llu vs. %zu)",
             decoded ? "after decompression " : "", (unsigned long long)size,
             call->connection->worker->server->options.message_bytes_max);
    refuse(call, CODE_EXHAUSTED, text);
}

static void judge_prefix(struct hf_grpc_call *call)
{
    if (call->prefix.size > call->connection->worker->server->options.message_bytes_max) {
        refuse_large(call, false, call->prefix.size);
    } else if (call->prefix.compressed && call->coding == HF_IDENTITY) {
        refuse(call, CODE_INTERNAL, "grpc: compressed flag set with identity or empty encoding");
    } else if ((call->wire = new_block()) == NULL) {
        hf_grpc_call_refuse_for_now(call, "out of memory");
    }
}

/* Room for `more`: the small buffer, or the whole one. */
static enum hf_status make_room(struct hf_grpc_call *call, size_t more)
{
    struct hf_bytes *bytes = &call->wire->bytes;
    if (bytes->size + more <= bytes->capacity) {
        return HF_OK;
    }
    size_t whole = call->prefix.size;
    bool small = bytes->size + more <= FIRST_BYTES && whole > FIRST_BYTES;
    return hf_bytes_reserve(bytes, small ? FIRST_BYTES : whole);
}

static void collect(struct hf_grpc_call *call, struct hf_slice data)
{
    struct hf_bytes *bytes = &call->wire->bytes;
    if (data.size > call->prefix.size - bytes->size) {
        refuse(call, CODE_INTERNAL, "grpc: more than one message in a unary call");
        return;
    }
    if (data.size == 0) {
        return;
    }
    hf_grpc_call_count(call, (ptrdiff_t)data.size, 0);
    call->counted += data.size;
    if (!hf_grpc_connection_has_room(call->connection, call->prefix.size)) {
        hf_grpc_call_refuse_for_now(call, "too much is being received at the moment");
    } else if (make_room(call, data.size) != HF_OK) {
        hf_grpc_call_refuse_for_now(call, "out of memory");
    } else {
        memcpy(bytes->data + bytes->size, data.data, data.size);
        bytes->size += data.size;
    }
}

/* False: the prefix is not whole yet, or the call was refused. */
static bool take_prefix(struct hf_grpc_call *call, struct hf_slice *data)
{
    if (hf_grpc_prefix_is_whole(&call->prefix)) {
        return true;
    }
    enum hf_status status = hf_grpc_prefix_feed(&call->prefix, data);
    if (status == HF_INVALID) {
        refuse(call, CODE_INTERNAL, "grpc: the message prefix has an unknown flag");
    } else if (status == HF_OK) {
        judge_prefix(call);
    }
    return status == HF_OK && call->state == CALL_BODY;
}

void hf_grpc_call_data(struct hf_grpc_call *call, struct hf_slice data)
{
    call->progress_ns = hf_loop_now_ns(call->connection->worker->loop);
    if (call->state != CALL_BODY) {
        return; /* refused already: its bytes go nowhere */
    }
    if (call->method->converse != NULL) {
        hf_grpc_conversation_data(call, data);
        return;
    }
    if (take_prefix(call, &data)) {
        collect(call, data);
    }
}

bool hf_grpc_call_fill(struct hf_grpc_call *call, struct hf_slice *data)
{
    if (!take_prefix(call, data)) {
        return false;
    }
    size_t left = call->prefix.size - call->wire->bytes.size;
    size_t taken = left < data->size ? left : data->size;
    collect(call, hf_slice_of(data->data, taken));
    *data = hf_slice_of(data->data + taken, data->size - taken);
    return call->state == CALL_BODY && taken == left;
}

/* False when the call was refused. What has hardly others beside it always passes, or it never
 * would. */
static bool count_decoded(struct hf_grpc_call *call)
{
    struct grpc_worker *worker = call->connection->worker;
    size_t size = call->raw->bytes.size;
    hf_grpc_call_count(call, (ptrdiff_t)size, 0);
    call->counted += size;
    if (!hf_grpc_connection_has_room(call->connection, size) &&
        hf_grpc_worker_held(worker) - call->counted > worker->server->limits.soft / 2) {
        /* The message is not whole for the accounting yet. */
        hf_grpc_call_refuse_for_now(call, "too much is being received at the moment");
        return false;
    }
    return true;
}

/* False when the call was refused. */
static bool decode(struct hf_grpc_call *call)
{
    struct grpc_worker *worker = call->connection->worker;
    size_t limit = worker->server->options.message_bytes_max;
    call->raw = worker->spare_raw != NULL ? worker->spare_raw : new_block();
    worker->spare_raw = NULL;
    if (call->raw == NULL) {
        hf_grpc_call_refuse_for_now(call, "out of memory");
        return false;
    }
    switch (hf_decode(call->coding, call->message.wire, limit, &call->raw->bytes)) {
    case HF_OK:
        return count_decoded(call);
    case HF_TOO_LARGE:
        refuse_large(call, true, (uint64_t)limit + 1);
        return false;
    case HF_NOMEM:
        hf_grpc_call_refuse_for_now(call, "out of memory");
        return false;
    default:
        refuse(call, CODE_INTERNAL, "grpc: failed to decompress the received message");
        return false;
    }
}

static void hand_over(struct hf_grpc_call *call)
{
    struct grpc_worker *worker = call->connection->worker;
    call->state = CALL_HANDED;
    hf_grpc_worker_count(worker, 0, (ptrdiff_t)call->counted);
    hf_grpc_server_handed(worker, 1);
    worker->server->options.on_message(worker->server->options.user, call);
}

void hf_grpc_call_take_message(struct hf_grpc_call *call)
{
    if (is_late(call)) {
        refuse(call, CODE_DEADLINE, "context deadline exceeded");
        return;
    }
    struct hf_grpc_message *message = &call->message;
    message->wire = hf_slice_of(call->wire->bytes.data, call->wire->bytes.size);
    message->coding = call->prefix.compressed ? call->coding : HF_IDENTITY;
    if (call->prefix.compressed && !decode(call)) {
        return;
    }
    message->owner = &call->wire->ref;
    message->raw_owner = call->raw != NULL ? &call->raw->ref : message->owner;
    message->raw = call->raw != NULL ? hf_slice_of(call->raw->bytes.data, call->raw->bytes.size)
                                     : message->wire;
    hand_over(call);
}

void hf_grpc_call_end(struct hf_grpc_call *call)
{
    call->remote_closed = true;
    if (call->state != CALL_BODY || call->on_hold) {
        return;
    }
    if (call->method->converse != NULL) {
        hf_grpc_conversation_finish(call);
        return;
    }
    if (!hf_grpc_prefix_is_whole(&call->prefix) || call->wire->bytes.size < call->prefix.size) {
        refuse(call, CODE_INTERNAL, "grpc: the stream ended before its message was whole");
        return;
    }
    hf_grpc_call_take_message(call);
}

/* ---- for its user ---- */

void hf_grpc_call_answer(struct hf_grpc_call *call, const struct hf_grpc_answer *answer)
{
    struct grpc_worker *worker = call->connection->worker;
    assert(hf_loop_is_own_thread(worker->loop));
    assert(call->state == CALL_HANDED || call->state == CALL_BODY);
    bool handed = call->state == CALL_HANDED;
    hf_grpc_call_submit(call, answer);
    if (!call->stream_open) {
        hf_grpc_call_free(call);
    }
    if (handed) {
        hf_grpc_server_handed(worker, -1);
    }
}

void **hf_grpc_call_slot(struct hf_grpc_call *call)
{
    return &call->data;
}

void hf_grpc_call_hold(struct hf_grpc_call *call)
{
    assert(call->state == CALL_BODY);
    call->on_hold = true;
}

bool hf_grpc_call_is_on_hold(const struct hf_grpc_call *call)
{
    return call->on_hold && call->state == CALL_BODY;
}

void *hf_grpc_call_user(const struct hf_grpc_call *call)
{
    return call->method->user;
}

struct hf_loop *hf_grpc_call_loop(const struct hf_grpc_call *call)
{
    return call->connection->worker->loop;
}

const char *hf_grpc_call_peer(const struct hf_grpc_call *call)
{
    return call->connection->peer;
}

struct hf_slice hf_grpc_call_header(const struct hf_grpc_call *call, const char *name)
{
    return hf_grpc_metadata_find(&call->metadata, name);
}

bool hf_grpc_call_header_next(const struct hf_grpc_call *call, size_t *cursor,
                              struct hf_slice *ret_name, struct hf_slice *ret_value)
{
    return hf_grpc_metadata_next(&call->metadata, cursor, ret_name, ret_value);
}

const struct hf_grpc_message *hf_grpc_call_message(const struct hf_grpc_call *call)
{
    return &call->message;
}
