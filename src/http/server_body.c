/*
 * server_body: collects the body of a request within its limits.
 *
 * The memory for a body is set aside before any of it is read: what has been let in can always be
 * read to its end, so requests that wait for memory never wait for each other.
 */
#include <assert.h>
#include <stdlib.h>
#include <strings.h>

#include "../util/clock.h"
#include "../util/compress.h"
#include "server_internal.h"

#define CHUNKED_FIRST_BYTES 65536u
#define BODY_GRACE_NS (30 * HF_NS_PER_S)
#define NS_PER_BODY_BYTE (HF_NS_PER_S / 1024)

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

static bool fits(const struct hf_http_server *server, uint64_t bytes)
{
    /* One alone always gets in: its own limit has been checked. */
    return server->buffered_bytes == 0 ||
           server->buffered_bytes + bytes <= server->options.buffered_bytes_max;
}

static uint64_t first_bytes(const struct hf_http_request *request)
{
    uint64_t chunk = request->server->body_limit;
    if (chunk > CHUNKED_FIRST_BYTES) {
        chunk = CHUNKED_FIRST_BYTES;
    }
    return request->discards ? 0 : request->chunked ? chunk : request->length;
}

static void reserve(struct hf_http_request *request, uint64_t bytes)
{
    request->server->buffered_bytes += bytes;
    request->reserved_bytes += bytes;
}

void hf_http_memory_return(struct hf_http_server *server, uint64_t bytes)
{
    assert(server->buffered_bytes >= bytes);
    server->buffered_bytes -= bytes;
    struct hf_http_request *request = server->waiting.first;
    while (request != NULL && fits(server, first_bytes(request))) {
        struct hf_http_request *next = request->next;
        hf_http_list_remove(&server->waiting, request);
        request->state = REQUEST_READING;
        reserve(request, first_bytes(request));
        MHD_resume_connection(request->connection);
        request = next;
    }
}

bool hf_http_body_admit(struct hf_http_request *request)
{
    struct hf_http_server *server = request->server;
    uint64_t bytes = first_bytes(request);
    if (bytes != 0 && request->reserved_bytes == 0) {
        pthread_mutex_lock(&server->lock);
        bool may = server->waiting.first == NULL && fits(server, bytes);
        if (may) {
            reserve(request, bytes);
        } else {
            hf_http_suspend(request, &server->waiting, REQUEST_WAITING);
        }
        pthread_mutex_unlock(&server->lock);
        if (!may) {
            return false;
        }
    }
    if (bytes != 0) {
        request->wire = new_buffer((size_t)bytes);
        if (request->wire == NULL) {
            refuse(request, HF_NOMEM);
        }
    }
    uint64_t now_ns = hf_clock_coarse_ns();
    struct http_connection *watch = request->watch;
    atomic_store_explicit(&watch->body_bytes, 0, memory_order_relaxed);
    atomic_store_explicit(&watch->body_since_ns, now_ns, memory_order_relaxed);
    atomic_store_explicit(&watch->deadline_ns, now_ns + BODY_GRACE_NS, memory_order_relaxed);
    return true;
}

/* A chunked body does not say how long it is: its buffer doubles, as long as there is memory
 * without waiting. */
static enum hf_status grow(struct hf_http_request *request, size_t needed)
{
    struct hf_http_server *server = request->server;
    struct http_buffer *wire = request->wire;
    if (needed > server->body_limit) {
        return HF_TOO_LARGE;
    }
    size_t capacity = wire->capacity * 2;
    if (capacity < needed) {
        capacity = needed;
    }
    if (capacity > server->body_limit) {
        capacity = server->body_limit;
    }
    uint64_t more = capacity - wire->capacity;
    pthread_mutex_lock(&server->lock);
    bool may = server->buffered_bytes + more <= server->options.buffered_bytes_max ||
               server->buffered_bytes == request->reserved_bytes;
    if (may) {
        reserve(request, more);
    }
    pthread_mutex_unlock(&server->lock);
    uint8_t *data = may ? realloc(wire->data, capacity) : NULL;
    if (data == NULL) {
        return HF_NOMEM;
    }
    wire->data = data;
    wire->capacity = capacity;
    return HF_OK;
}

bool hf_http_body_collect(struct hf_http_request *request, const char *data, size_t size)
{
    struct http_connection *watch = request->watch;
    atomic_fetch_add_explicit(&watch->deadline_ns, size * NS_PER_BODY_BYTE, memory_order_relaxed);
    atomic_fetch_add_explicit(&watch->body_bytes, size, memory_order_relaxed);
    struct http_buffer *wire = request->wire;
    if (!request->discards && wire == NULL) {
        refuse(request, HF_INVALID); /* a body that no header spoke of */
    }
    if (!request->discards && wire->size + size > wire->capacity) {
        enum hf_status status = grow(request, wire->size + size);
        if (status != HF_OK) {
            refuse(request, status);
        }
    }
    if (request->discards) {
        request->discarded += size;
        return request->discarded <= HTTP_DISCARD_MAX;
    }
    memcpy(wire->data + wire->size, data, size);
    wire->size += size;
    return true;
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
    if (status == HF_OK) {
        /* Behind the memory's back for once, so that others wait; it is there already. */
        pthread_mutex_lock(&request->server->lock);
        reserve(request, out.capacity);
        pthread_mutex_unlock(&request->server->lock);
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
