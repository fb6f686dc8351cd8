/*
 * server_request: the life of a request: headers, body, handler, answer.
 *
 * The library calls hf_http_on_access() on the connection's thread: once with the headers, for each
 * part of the body, once at its end, and again after each suspension.
 */
#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server_internal.h"
#include "util/time/clock.h"

#define ANSWER_GRACE_NS (60 * HF_NS_PER_S)

static void free_request(struct hf_ref *ref)
{
    struct hf_http_request *request = HF_CONTAINER(ref, struct hf_http_request, ref);
    hf_http_body_release(request);
    hf_ref_drop(&request->server->ref);
    free(request);
}

/* The path alone: what is asked of a proxy names the host too, and a base URL that ends with a
 * slash gives two. */
static const char *path_of(const char *url)
{
    const char *host = url[0] == '/' ? NULL : strstr(url, "://");
    const char *path = host != NULL ? strchr(host + 3, '/') : NULL;
    path = path != NULL ? path : url;
    while (path[0] == '/' && path[1] == '/') {
        path++;
    }
    return path;
}

static struct hf_http_request *new_request(struct hf_http_server *server,
                                           struct MHD_Connection *connection, const char *method,
                                           const char *url)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct hf_http_request *request = calloc(1, sizeof(*request));
    if (request == NULL || info == NULL || info->socket_context == NULL) {
        free(request);
        return NULL;
    }
    hf_ref_init(&request->ref, free_request);
    hf_ref_take(&server->ref);
    request->server = server;
    request->connection = connection;
    request->watch = info->socket_context;
    request->method = method;
    request->path = path_of(url);
    atomic_store_explicit(&request->watch->deadline_ns, 0, memory_order_relaxed);
    pthread_mutex_lock(&server->lock);
    hf_http_idle_leave(server, request->watch);
    server->active++;
    pthread_mutex_unlock(&server->lock);
    return request;
}

void hf_http_answer(struct hf_http_request *request, const struct hf_http_answer *answer)
{
    struct hf_http_server *server = request->server;
    struct MHD_Response *response = hf_http_new_response(answer);
    pthread_mutex_lock(&server->lock);
    enum request_state before = request->state;
    assert(before == REQUEST_READING || before == REQUEST_GIVEN || before == REQUEST_HELD ||
           before == REQUEST_CUT);
    if (before != REQUEST_CUT) {
        request->response = response; /* NULL, out of memory: the connection is closed */
        request->status = (unsigned)answer->status;
        request->close = answer->close;
        request->state = REQUEST_ANSWERED;
        response = NULL;
    }
    if (before == REQUEST_HELD) {
        hf_http_list_remove(&server->held, request);
        /* Under the lock, so that stop, which takes it too, finds the library out of this call. */
        MHD_resume_connection(request->connection);
    }
    if (before != REQUEST_READING && --server->unanswered == 0) {
        pthread_cond_broadcast(&server->changed);
    }
    pthread_mutex_unlock(&server->lock);
    if (response != NULL) {
        MHD_destroy_response(response);
    }
    if (before != REQUEST_READING) {
        hf_ref_drop(&request->ref);
    }
}

/* What every answer of this server carries. Connection's thread, so the options are there. */
static void add_common_headers(struct hf_http_request *request, bool closing)
{
    const struct hf_string_map *common = request->server->options.response_headers;
    for (size_t i = 0; common != NULL && i < common->count; i++) {
        const char *name = common->items[i].key;
        /* What the answer says of itself stands, as with the Go collector; never both. */
        if (MHD_get_response_header(request->response, name) == NULL) {
            (void)MHD_add_response_header(request->response, name, common->items[i].value);
        }
    }
    hf_cors_headers(request, request->response);
    if (closing) {
        (void)MHD_add_response_header(request->response, "Connection", "close");
    }
}

/* The library sends the answer from here on. */
static enum MHD_Result send_answer(struct hf_http_request *request)
{
    struct hf_http_server *server = request->server;
    pthread_mutex_lock(&server->lock);
    bool closing = request->close || request->ends || server->closing;
    pthread_mutex_unlock(&server->lock);
    if (request->response == NULL) {
        return MHD_NO;
    }
    add_common_headers(request, closing);
    atomic_store_explicit(&request->watch->deadline_ns, hf_clock_coarse_ns() + ANSWER_GRACE_NS,
                          memory_order_relaxed);
    enum MHD_Result result =
        MHD_queue_response(request->connection, request->status, request->response);
    MHD_destroy_response(request->response);
    request->response = NULL;
    return result;
}

/* An answer of the server's own, while the request is being read. */
static void refuse(struct hf_http_request *request, int status, const char *text)
{
    const struct hf_http_answer answer = {.status = status,
                                          .content_type = text[0] != '\0' ? "text/plain" : NULL,
                                          .body = hf_slice_text(text),
                                          .retry_after_s = status == 503 ? 1 : 0};
    hf_http_answer(request, &answer);
}

/* The request is whole: its handler takes it. */
static enum MHD_Result give(struct hf_http_request *request)
{
    struct hf_http_server *server = request->server;
    atomic_store_explicit(&request->watch->deadline_ns, 0, memory_order_relaxed);
    hf_ref_take(&request->ref); /* the answer's */
    request->given = true;
    pthread_mutex_lock(&server->lock);
    request->state = REQUEST_GIVEN;
    server->unanswered++;
    pthread_mutex_unlock(&server->lock);
    server->options.on_request(server->options.user, request, request->fault);

    pthread_mutex_lock(&server->lock);
    bool answered = request->state == REQUEST_ANSWERED;
    bool cut = !answered && server->cutting;
    if (cut) {
        request->state = REQUEST_CUT;
    } else if (!answered) {
        hf_http_suspend(request, &server->held, REQUEST_HELD);
    }
    pthread_mutex_unlock(&server->lock);
    return answered ? send_answer(request) : cut ? MHD_NO : MHD_YES;
}

static enum MHD_Result finish(struct hf_http_request *request)
{
    hf_http_body_finish(request);
    if (request->fault == HF_NOMEM) {
        refuse(request, 503, "no memory for the body at the moment");
        return send_answer(request);
    }
    return give(request);
}

void *hf_http_on_uri(void *user, const char *uri, struct MHD_Connection *connection)
{
    const struct hf_http_server *server = user;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_connection *watch = info != NULL ? info->socket_context : NULL;
    if (watch != NULL) {
        watch->uri_is_sound = hf_http_uri_is_sound(uri != NULL ? uri : "", &watch->uri_bytes);
        free(watch->target);
        watch->target = server->options.keeps_targets && uri != NULL ? strdup(uri) : NULL;
    }
    return NULL; /* the request's context, which its first call makes */
}

/* The value as it stands in its line, with the blanks that hf_http_header_each() leaves out. */
static enum MHD_Result check_field(void *user, enum MHD_ValueKind kind, const char *name,
                                   size_t name_size, const char *value, size_t value_size)
{
    (void)kind;
    hf_http_head_field(user, hf_slice_of(name, name_size), hf_slice_of(value, value_size));
    return MHD_YES;
}

/* False: it was answered, and its connection ends with that. */
static bool head_is_sound(struct hf_http_request *request, const char *url, const char *version)
{
    const struct hf_http_server *server = request->server;
    struct http_start start = {.method = request->method,
                               .url = url,
                               .version = version,
                               .uri_bytes = request->watch->uri_bytes};
    if (server->checks_lines) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
        start.raw = hf_slice_of(request->method, info->header_size);
    }
    struct http_head head;
    hf_http_head_begin(&head, &start);
    (void)MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, check_field, &head);
    struct http_refusal refusal = hf_http_head_end(&head);
    if (!request->watch->uri_is_sound) {
        refusal = (struct http_refusal){400, "the URI is none"};
    }
    if (refusal.status == 0) {
        return true;
    }
    request->ends = true;
    if (server->options.on_error != NULL) {
        server->options.on_error(server->options.user, request->watch->peer, refusal.text);
    }
    refuse(request, refusal.status, refusal.text);
    return false;
}

/* Is the rest of the request not worth reading before it is answered? */
static bool is_useless(const struct hf_http_request *request)
{
    struct hf_slice expect = hf_http_header(request, "Expect");
    bool polite = expect.size == strlen("100-continue") &&
                  strncasecmp((const char *)expect.data, "100-continue", expect.size) == 0;
    bool has_body = request->chunked || request->length != 0;
    return has_body && (polite || request->length > HTTP_DISCARD_MAX);
}

/* Suspends a request that its handler holds. False: it goes on already. */
static bool park(struct hf_http_request *request, enum MHD_Result *ret_result)
{
    struct hf_http_server *server = request->server;
    pthread_mutex_lock(&server->lock);
    bool held = request->on_hold, cut = held && server->cutting;
    request->is_holding = false;
    if (cut) {
        request->state = REQUEST_CUT;
    } else if (held) {
        hf_http_suspend(request, &server->held, REQUEST_PARKED);
    }
    pthread_mutex_unlock(&server->lock);
    *ret_result = cut ? MHD_NO : MHD_YES;
    return held;
}

/* True when all is decided for now and *ret_result is the library's. */
static bool judge(struct hf_http_request *request, enum MHD_Result *ret_result)
{
    struct hf_http_server *server = request->server;
    if (hf_cors_is_preflight(request)) {
        refuse(request, 204, "");
        request->refused = true;
    } else if (server->options.on_headers != NULL) {
        request->refused = server->options.on_headers(server->options.user, request) != HF_OK;
        if (!request->refused && request->is_holding) {
            return park(request, ret_result) || judge(request, ret_result);
        }
    }
    request->judged = true;
    request->discards = request->discards || request->refused;
    if (!request->discards || !is_useless(request)) {
        return false;
    }
    *ret_result = request->refused ? send_answer(request) : give(request);
    return true;
}

/* Back from a suspension: off the accounting. False: the connection is to be closed. */
static bool come_back(struct hf_http_request *request)
{
    struct hf_http_server *server = request->server;
    pthread_mutex_lock(&server->lock);
    request->is_suspended = false;
    server->suspended--;
    pthread_cond_broadcast(&server->changed);
    bool cut = request->state == REQUEST_CUT;
    pthread_mutex_unlock(&server->lock);
    return !cut;
}

/* The connection has a part of the body, or no more of it. Once the headers are here, and each time
 * that it comes back from a suspension before the body is begun, it has none yet. */
static enum MHD_Result go_on(struct hf_http_request *request, const char *data, size_t *data_size)
{
    if (request->given) {
        return send_answer(request);
    }
    enum MHD_Result result;
    if (!request->judged && judge(request, &result)) {
        return result;
    }
    if (!request->begun) {
        request->begun = hf_http_body_admit(request);
        return MHD_YES;
    }
    if (*data_size != 0) {
        bool worth_keeping = hf_http_body_collect(request, data, *data_size);
        *data_size = 0;
        return worth_keeping ? MHD_YES : MHD_NO;
    }
    if (!hf_http_body_is_whole(request)) {
        return MHD_NO;
    }
    /* Where the lines of trailers end, only the library knows: what follows them is not read. */
    request->ends = request->chunked &&
                    MHD_get_connection_values(request->connection, MHD_FOOTER_KIND, NULL, NULL) > 0;
    return request->refused ? send_answer(request) : finish(request);
}

enum MHD_Result hf_http_on_access(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_size, void **context)
{
    struct hf_http_request *request = *context;
    if (request == NULL) {
        request = new_request(user, connection, method, url);
        if (request == NULL) {
            return MHD_NO;
        }
        *context = request;
        if (!head_is_sound(request, url, version)) {
            return send_answer(request);
        }
        hf_http_body_plan(request);
    } else if (request->is_suspended && !come_back(request)) {
        return MHD_NO;
    }
    return go_on(request, data, data_size);
}

void hf_http_on_completed(void *user, struct MHD_Connection *connection, void **context,
                          enum MHD_RequestTerminationCode code)
{
    (void)connection;
    (void)code;
    struct hf_http_server *server = user;
    struct hf_http_request *request = *context;
    if (request == NULL) {
        return;
    }
    *context = NULL;
    atomic_store_explicit(&request->watch->body_since_ns, 0, memory_order_relaxed);
    atomic_store_explicit(&request->watch->body, BODY_NONE, memory_order_relaxed);
    atomic_store_explicit(&request->watch->deadline_ns, 0, memory_order_relaxed);
    pthread_mutex_lock(&server->lock);
    /* A peer that went away is noticed on the way back from a suspension, before this request is
     * called again. */
    if (request->is_suspended) {
        request->is_suspended = false;
        server->suspended--;
    }
    assert(request->state != REQUEST_WAITING && request->state != REQUEST_PARKED &&
           request->state != REQUEST_HELD);
    request->state = REQUEST_CUT;
    struct MHD_Response *unsent = request->response;
    request->response = NULL;
    hf_http_memory_return(request);
    server->active--;
    hf_http_idle_enter(server, request->watch);
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    if (unsent != NULL) {
        MHD_destroy_response(unsent);
    }
    if (request->data != NULL && server->options.on_gone != NULL) {
        server->options.on_gone(server->options.user, request);
    }
    hf_ref_drop(&request->ref);
}

static void cut_list(struct http_list *list)
{
    while (list->first != NULL) {
        struct hf_http_request *request = list->first;
        hf_http_list_remove(list, request);
        request->state = REQUEST_CUT;
        MHD_resume_connection(request->connection);
    }
}

void hf_http_cut(struct hf_http_server *server)
{
    server->cutting = true;
    cut_list(&server->waiting);
    cut_list(&server->held);
}

/* ---- on hold ---- */

void hf_http_hold(struct hf_http_request *request)
{
    hf_ref_take(&request->ref);
    request->is_holding = true;
    request->on_hold = true; /* no other thread knows the request yet */
}

void hf_http_go_on(struct hf_http_request *request)
{
    struct hf_http_server *server = request->server;
    pthread_mutex_lock(&server->lock);
    assert(request->on_hold);
    request->on_hold = false;
    if (request->state == REQUEST_PARKED) {
        hf_http_list_remove(&server->held, request);
        request->state = REQUEST_READING;
        MHD_resume_connection(request->connection);
    }
    pthread_mutex_unlock(&server->lock);
    hf_ref_drop(&request->ref);
}

bool hf_http_is_alive(struct hf_http_request *request)
{
    struct hf_http_server *server = request->server;
    pthread_mutex_lock(&server->lock);
    bool alive = request->state != REQUEST_CUT;
    if (request->state == REQUEST_PARKED) {
        /* The library does not look at a suspended connection, and leaves its socket open. */
        struct pollfd socket = {.fd = request->watch->fd, .events = POLLRDHUP};
        alive = poll(&socket, 1, 0) == 0;
    }
    pthread_mutex_unlock(&server->lock);
    return alive;
}

/* ---- what a handler asks ---- */

const char *hf_http_method(const struct hf_http_request *request)
{
    return request->method;
}

const char *hf_http_path(const struct hf_http_request *request)
{
    return request->path;
}

const char *hf_http_target(const struct hf_http_request *request)
{
    return request->watch->target;
}

const char *hf_http_query(const struct hf_http_request *request, const char *key)
{
    const char *value = NULL;
    enum MHD_Result found = MHD_lookup_connection_value_n(
        request->connection, MHD_GET_ARGUMENT_KIND, key, strlen(key), &value, NULL);
    /* A key without "=value" is there all the same. */
    return found == MHD_NO ? NULL : value == NULL ? "" : value;
}

const struct hf_http_body *hf_http_request_body(const struct hf_http_request *request)
{
    return &request->body;
}

void **hf_http_request_data(struct hf_http_request *request)
{
    return &request->data;
}

const char *hf_http_peer(const struct hf_http_request *request)
{
    return request->watch->peer;
}
