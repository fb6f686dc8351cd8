/*
 * server_body: collects the body of a request within its limits.
 *
 * A body counts as it arrives, whatever its length is said to be, so a length alone takes nothing
 * from others. A large one waits at the door while there is hardly memory; what has been let in
 * never waits, but may be refused or ended, so nothing waits for ever.
 */
#include <assert.h>
#include <stdlib.h>
#include <strings.h>

#include "server_internal.h"
#include "util/compress/compress.h"
#include "util/time/clock.h"

#define FIRST_BYTES 65536u

static const char *header(const struct hf_http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static bool coding_enabled(const struct hf_http_request *request, enum hf_coding coding)
{
    const struct hf_string_list *enabled = request->server->options.compression_algorithms;
    if (enabled == NULL || coding == HF_IDENTITY) {
        return true;
    }
    for (size_t i = 0; i < enabled->count; i++) {
        enum hf_coding named;
        if (hf_coding_by_name(hf_slice_text(enabled->items[i]), &named) == HF_OK &&
            named == coding) {
            return true;
        }
    }
    return false;
}

static void refuse(struct hf_http_request *request, enum hf_status fault)
{
    request->fault = fault;
    request->discards = true;
}

void hf_http_body_plan(struct hf_http_request *request)
{
    struct hf_slice coding = hf_http_header(request, "Content-Encoding");
    const char *length = header(request, "Content-Length");
    request->chunked = header(request, "Transfer-Encoding") != NULL;
    /* The library has refused what is no number. */
    request->length = length != NULL && !request->chunked ? strtoull(length, NULL, 10) : 0;
    if (hf_coding_by_name(coding, &request->coding) != HF_OK ||
        !coding_enabled(request, request->coding)) {
        request->coding = HF_IDENTITY;
        refuse(request, HF_UNSUPPORTED);
    } else if (request->length > request->server->body_limit) {
        refuse(request, HF_TOO_LARGE);
    }
}

static void free_buffer(struct hf_ref *ref)
{
    struct http_buffer *buffer = HF_CONTAINER(ref, struct http_buffer, ref);
    free(buffer->data);
    free(buffer);
}

static struct http_buffer *new_buffer(size_t capacity)
{
    struct http_buffer *buffer = calloc(1, sizeof(*buffer));
    if (buffer == NULL) {
        return NULL;
    }
    hf_ref_init(&buffer->ref, free_buffer);
    if (capacity != 0) {
        buffer->data = malloc(capacity);
        if (buffer->data == NULL) {
            free(buffer);
            return NULL;
        }
        buffer->capacity = capacity;
    }
    return buffer;
}

void hf_http_list_remove(struct http_list *list, struct hf_http_request *request)
{
    *(request->previous != NULL ? &request->previous->next : &list->first) = request->next;
    *(request->next != NULL ? &request->next->previous : &list->last) = request->previous;
    request->next = request->previous = NULL;
}

static void list_append(struct http_list *list, struct hf_http_request *request)
{
    request->next = NULL;
    request->previous = list->last;
    *(list->last != NULL ? &list->last->next : &list->first) = request;
    list->last = request;
}

void hf_http_suspend(struct hf_http_request *request, struct http_list *list,
                     enum request_state state)
{
    atomic_store_explicit(&request->watch->deadline_ns, 0, memory_order_relaxed);
    request->state = state;
    request->is_suspended = true;
    request->server->suspended++;
    list_append(list, request);
    MHD_suspend_connection(request->connection);
}

/* What it may come to, as far as is known. */
static size_t expected_bytes(const struct hf_http_request *request)
{
    size_t come = request->wire != NULL ? request->wire->size : 0;
    return request->chunked ? come : (size_t)request->length;
}

static size_t first_bytes(const struct hf_http_request *request)
{
    size_t most = request->server->body_limit;
    most = most < FIRST_BYTES ? most : FIRST_BYTES;
    return request->discards                            ? 0
           : request->chunked || request->length > most ? most
                                                        : request->length;
}

static size_t sender_held(const struct hf_http_request *request)
{
    const struct hf_intake_peer *sender = request->watch->sender;
    return sender != NULL ? atomic_load_explicit(&sender->held, memory_order_relaxed) : 0;
}

static void count(struct hf_http_request *request, size_t bytes)
{
    struct http_connection *watch = request->watch;
    request->held_bytes += bytes;
    atomic_fetch_add_explicit(&request->server->held_bytes, bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&watch->held, bytes, memory_order_relaxed);
    if (watch->sender != NULL) {
        atomic_fetch_add_explicit(&watch->sender->held, bytes, memory_order_relaxed);
    }
}

/* Is there room for what was just counted, of a body of `size` bytes? */
static bool has_room(const struct hf_http_request *request, size_t size)
{
    struct hf_http_server *server = request->server;
    size_t held = atomic_load_explicit(&server->held_bytes, memory_order_relaxed);
    if (held < server->limits.soft) {
        return true;
    }
    hf_http_press(server);
    /* What has hardly others beside it always passes, or it never would. */
    return held - request->held_bytes <= server->limits.soft / 2 ||
           hf_intake_judge(&server->limits, held, sender_held(request), size) != HF_INTAKE_FULL;
}

static bool must_wait(const struct hf_http_request *request)
{
    const struct hf_http_server *server = request->server;
    return !request->discards && request->length > server->limits.small &&
           atomic_load_explicit(&server->held_bytes, memory_order_relaxed) >= server->limits.soft;
}

void hf_http_memory_return(struct hf_http_request *returning)
{
    struct hf_http_server *server = returning->server;
    struct http_connection *watch = returning->watch;
    size_t bytes = returning->held_bytes;
    if (bytes != 0) {
        returning->held_bytes = 0;
        atomic_fetch_sub_explicit(&watch->held, bytes, memory_order_relaxed);
        atomic_fetch_sub_explicit(&server->held_bytes, bytes, memory_order_relaxed);
        if (watch->sender != NULL) {
            atomic_fetch_sub_explicit(&watch->sender->held, bytes, memory_order_relaxed);
        }
    }
    size_t held = atomic_load_explicit(&server->held_bytes, memory_order_relaxed);
    struct hf_http_request *request = server->waiting.first;
    while (request != NULL && held < server->limits.soft) {
        struct hf_http_request *next = request->next;
        hf_http_list_remove(&server->waiting, request);
        request->state = REQUEST_READING;
        held += (size_t)request->length;
        MHD_resume_connection(request->connection);
        request = next;
    }
}

static bool wait_at_the_door(struct hf_http_request *request)
{
    struct hf_http_server *server = request->server;
    pthread_mutex_lock(&server->lock);
    bool waits = must_wait(request) && !server->cutting;
    if (waits) {
        hf_http_suspend(request, &server->waiting, REQUEST_WAITING);
    }
    pthread_mutex_unlock(&server->lock);
    if (waits) {
        hf_http_press(server);
    }
    return waits;
}

bool hf_http_body_admit(struct hf_http_request *request)
{
    if (must_wait(request) && wait_at_the_door(request)) {
        return false;
    }
    size_t bytes = first_bytes(request);
    if (bytes != 0) {
        request->wire = new_buffer(bytes);
        if (request->wire == NULL) {
            refuse(request, HF_NOMEM);
        }
    }
    struct http_connection *watch = request->watch;
    atomic_store_explicit(&watch->body_bytes, 0, memory_order_relaxed);
    atomic_store_explicit(&watch->body_since_ns, hf_clock_coarse_ns(), memory_order_relaxed);
    if (request->chunked || request->length != 0) {
        /* Last, since the watch looks at the others only then. */
        atomic_store_explicit(&watch->body, BODY_COMING, memory_order_release);
    }
    return true;
}

bool hf_http_body_is_whole(struct hf_http_request *request)
{
    int coming = BODY_COMING;
    return atomic_compare_exchange_strong(&request->watch->body, &coming, BODY_WHOLE) ||
           coming != BODY_ENDED;
}

/* The rest of a body of known length gets its place at once: memory that is not written to costs
 * nothing. A chunked body's place doubles. */
static enum hf_status grow(struct hf_http_request *request, size_t needed)
{
    struct http_buffer *wire = request->wire;
    size_t limit = request->server->body_limit;
    if (needed > limit) {
        return HF_TOO_LARGE;
    }
    size_t capacity = request->chunked ? wire->capacity * 2 : (size_t)request->length;
    capacity = capacity < needed ? needed : capacity;
    capacity = capacity > limit ? limit : capacity;
    uint8_t *data = realloc(wire->data, capacity);
    if (data == NULL) {
        return HF_NOMEM;
    }
    wire->data = data;
    wire->capacity = capacity;
    return HF_OK;
}

/* It will not be used: its memory is free at once. */
static void refuse_memory(struct hf_http_request *request, enum hf_status fault)
{
    struct hf_http_server *server = request->server;
    refuse(request, fault);
    hf_http_body_release(request);
    pthread_mutex_lock(&server->lock);
    hf_http_memory_return(request);
    pthread_mutex_unlock(&server->lock);
}

static enum hf_status take(struct hf_http_request *request, const char *data, size_t size)
{
    struct http_buffer *wire = request->wire;
    if (wire == NULL) {
        return HF_INVALID; /* a body that no header spoke of */
    }
    if (wire->size + size > wire->capacity) {
        enum hf_status status = grow(request, wire->size + size);
        if (status != HF_OK) {
            return status;
        }
    }
    count(request, size);
    memcpy(wire->data + wire->size, data, size);
    wire->size += size;
    return has_room(request, expected_bytes(request)) ? HF_OK : HF_NOMEM;
}

bool hf_http_body_collect(struct hf_http_request *request, const char *data, size_t size)
{
    struct http_connection *watch = request->watch;
    atomic_fetch_add_explicit(&watch->body_bytes, size, memory_order_relaxed);
    if (!request->discards) {
        enum hf_status status = take(request, data, size);
        if (status != HF_OK) {
            refuse_memory(request, status);
        }
        return true;
    }
    request->discarded += size;
    return request->discarded <= HTTP_DISCARD_MAX &&
           atomic_load_explicit(&watch->body, memory_order_relaxed) != BODY_ENDED;
}

static enum hf_status decode(struct hf_http_request *request)
{
    struct hf_slice in = hf_slice_of(request->wire->data, request->wire->size);
    request->raw = new_buffer(0);
    if (request->raw == NULL) {
        return HF_NOMEM;
    }
    struct hf_bytes out = {0};
    enum hf_status status = hf_decode(request->coding, in, request->server->body_limit, &out);
    request->raw->data = out.data;
    request->raw->size = out.size;
    request->raw->capacity = out.capacity;
    if (out.capacity >= HTTP_TRIM_BYTES || status == HF_TOO_LARGE) {
        atomic_store_explicit(&request->server->decoded_much, true, memory_order_relaxed);
    }
    if (status == HF_OK) {
        count(request, out.size);
        status = has_room(request, out.size) ? HF_OK : HF_NOMEM;
    }
    return status;
}

/* "snappy" may be the framed stream, which is told by its beginning. */
static bool is_snappy_stream(const struct http_buffer *wire)
{
    static const char head[] = "\xff\x06\x00\x00sNaPpY";
    return wire->size >= 10 && memcmp(wire->data, head, 10) == 0;
}

void hf_http_body_finish(struct hf_http_request *request)
{
    atomic_store_explicit(&request->watch->body_since_ns, 0, memory_order_relaxed);
    struct http_buffer *wire = request->wire;
    bool empty = wire == NULL || wire->size == 0;
    if (request->fault == HF_OK && request->coding != HF_IDENTITY) {
        request->fault = empty ? HF_INVALID : decode(request);
    }
    if (request->fault != HF_OK || empty) {
        hf_http_body_release(request);
        return;
    }
    struct hf_http_body *body = &request->body;
    body->coding = request->coding;
    if (body->coding == HF_SNAPPY_BLOCK && is_snappy_stream(wire)) {
        body->coding = HF_SNAPPY_FRAMED;
    }
    body->wire = hf_slice_of(wire->data, wire->size);
    body->owner = &wire->ref;
    body->raw = body->wire;
    body->raw_owner = body->owner;
    if (request->raw != NULL) {
        body->raw = hf_slice_of(request->raw->data, request->raw->size);
        body->raw_owner = &request->raw->ref;
    }
}

void hf_http_body_release(struct hf_http_request *request)
{
    hf_ref_drop(request->wire != NULL ? &request->wire->ref : NULL);
    hf_ref_drop(request->raw != NULL ? &request->raw->ref : NULL);
    request->wire = request->raw = NULL;
    request->body = (struct hf_http_body){0};
}
