/* The client as its user sees it: calls in, results out. */
#include "client_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/proxy.h"

#define ERROR_SIZE 512
#define READ_BYTES (64u * 1024)

/* ---- telling ---- */

static void tell(struct hf_grpc_client *client, struct hf_grpc_request *request,
                 const struct hf_grpc_result *result)
{
    hf_loop_timer_stop(client->options.loop, &request->timer);
    request->client_data = NULL;
    request->done(request, result); /* the request is its owner's again, and may be gone */
}

static void deliver(struct client_call *call)
{
    struct hf_grpc_client *client = call->client;
    assert(call->state == CALL_ENDED);
    hf_grpc_client_call_take_out(call);
    const struct hf_grpc_result result = {
        .code = call->code,
        .http_status = call->foreign_status,
        .message = call->message,
        .has_retry_info = call->has_retry_info,
        .retry_delay_ns = call->retry_delay_ns,
        .response = call->code == CODE_OK ? hf_slice_of(call->answer.data, call->answer.size)
                                          : HF_EMPTY_SLICE,
    };
    tell(client, call->request, &result);
    hf_grpc_client_call_recycle(call);
}

/* Not inside nghttp2. Its stream, if there is one, goes on as an orphan until it is closed. */
static void break_off(struct client_call *call, int code, const char *message)
{
    if (call->state == CALL_SENT) {
        struct client_connection *connection = call->connection;
        struct hf_grpc_request *request = call->request;
        hf_grpc_client_connection_detach(connection, call);
        call->state = CALL_ORPHAN;
        call->request = NULL;
        connection->call_count--;
        nghttp2_submit_rst_stream(connection->session, NGHTTP2_FLAG_NONE, call->stream_id,
                                  NGHTTP2_CANCEL);
        hf_grpc_client_connection_dirty(connection);
        const struct hf_grpc_result result = {.code = code, .message = message};
        tell(call->client, request, &result);
        return;
    }
    if (call->state == CALL_WAITING) {
        hf_grpc_client_call_end(call, code, message);
    }
    deliver(call); /* one that had ended by itself keeps its own result */
}

static void on_deadline(struct hf_timer *timer, uint64_t now_ns)
{
    struct hf_grpc_request *request = HF_CONTAINER(timer, struct hf_grpc_request, timer);
    struct client_call *call = request->client_data;
    (void)now_ns;
    if (call->state == CALL_SENT) {
        hf_grpc_client_connection_waited(call->connection, call->sent_ns);
    }
    break_off(call, CODE_DEADLINE, "no answer before the deadline");
}

static void on_no_memory(struct hf_timer *timer, uint64_t now_ns)
{
    struct hf_grpc_request *request = HF_CONTAINER(timer, struct hf_grpc_request, timer);
    const struct hf_grpc_result result = {.code = CODE_UNAVAILABLE, .message = "out of memory"};
    (void)now_ns;
    request->done(request, &result);
}

/* ---- the end of a turn ---- */

static void free_client(struct hf_grpc_client *client)
{
    while (client->pool != NULL) {
        struct client_call *next = client->pool->next;
        hf_bytes_release(&client->pool->answer);
        hf_bytes_release(&client->pool->decoded);
        free(client->pool);
        client->pool = next;
    }
    nghttp2_session_callbacks_del(client->callbacks);
    nghttp2_option_del(client->session_option);
    free((char *)(uintptr_t)client->options.server_name);
    free((char *)(uintptr_t)client->options.authority);
    free((char *)(uintptr_t)client->options.user_agent);
    free(client->read_buffer);
    free(client);
}

static void drop_client(struct hf_grpc_client *client)
{
    if (--client->refs == 0) {
        free_client(client);
    }
}

static void hand_out(struct hf_grpc_client *client)
{
    while (client->waiting.first != NULL) {
        struct client_call *call = client->waiting.first;
        struct client_connection *connection = hf_grpc_subchannels_pick(client);
        if (connection == NULL) {
            const char *why = hf_grpc_subchannels_unavailable_reason(client);
            if (why == NULL) {
                return;
            }
            hf_grpc_client_call_end(call, CODE_UNAVAILABLE, why);
        } else if (nghttp2_session_check_request_allowed(connection->session) == 0) {
            hf_grpc_client_connection_drain(connection); /* its stream numbers are used up */
        } else {
            hf_grpc_client_call_take_out(call);
            if (hf_grpc_client_session_submit(connection, call)) {
                hf_grpc_client_connection_dirty(connection);
            } else {
                call->state = CALL_WAITING;
                hf_grpc_client_call_append(&client->waiting, call);
                hf_grpc_client_call_end(call, CODE_UNAVAILABLE, "out of memory for a request");
            }
        }
    }
}

static void run_work(struct hf_task *task)
{
    struct hf_grpc_client *client = HF_CONTAINER(task, struct hf_grpc_client, work_task);
    client->work_deferred = false;
    if (!client->closed) {
        hand_out(client);
    }
    while (client->dirty != NULL) {
        struct client_connection *connection = client->dirty;
        client->dirty = connection->next_dirty;
        connection->dirty = false;
        hf_grpc_client_connection_flush(connection);
    }
    /* Only those that have ended by now: what their ends bring about comes with the next task. */
    struct client_call **last = client->ended.end;
    while (client->ended.first != NULL) {
        bool at_last = &client->ended.first->next == last;
        deliver(client->ended.first);
        if (at_last) {
            break;
        }
    }
    drop_client(client);
}

/* ---- for its user ---- */

/* False when it is too large for the prefix. */
static bool measure(struct client_call *call)
{
    const struct hf_grpc_request *request = call->request;
    uint64_t size = 0;
    for (size_t i = 0; i < request->piece_count; i++) {
        size += request->pieces[i].size;
    }
    if (size > UINT32_MAX) {
        return false;
    }
    call->size = HF_GRPC_PREFIX_BYTES + (size_t)size;
    hf_grpc_prefix_write(call->prefix, request->coding != HF_IDENTITY, (uint32_t)size);
    return true;
}

void hf_grpc_client_call(struct hf_grpc_client *client, struct hf_grpc_request *request)
{
    struct hf_loop *loop = client->options.loop;
    assert(hf_loop_is_own_thread(loop) && !client->closed);
    struct client_call *call = hf_grpc_client_call_new(client);
    request->client_data = call;
    request->timer.place = 0;
    if (call == NULL) {
        request->timer.fire = on_no_memory;
        if (hf_loop_timer_set(loop, &request->timer, hf_loop_now_ns(loop)) != HF_OK) {
            on_no_memory(&request->timer, 0); /* there is no other way left */
        }
        return;
    }
    call->request = request;
    hf_grpc_client_call_reset(call);
    call->retried = false;
    call->state = CALL_WAITING;
    hf_grpc_client_call_append(&client->waiting, call);
    request->timer.fire = on_deadline;
    if (!measure(call)) {
        hf_grpc_client_call_end(call, CODE_EXHAUSTED, "the message is over 4 GiB");
    } else if (request->deadline_ns != 0 &&
               hf_loop_timer_set(loop, &request->timer, request->deadline_ns) != HF_OK) {
        hf_grpc_client_call_end(call, CODE_UNAVAILABLE, "out of memory");
    }
    hf_grpc_client_work(client);
}

void hf_grpc_client_cancel(struct hf_grpc_client *client, struct hf_grpc_request *request)
{
    assert(hf_loop_is_own_thread(client->options.loop));
    if (request->client_data != NULL) {
        break_off(request->client_data, CODE_CANCELLED, "cancelled");
    } else {
        /* The one that found no memory waits for its timer. */
        hf_loop_timer_stop(client->options.loop, &request->timer);
        on_no_memory(&request->timer, 0);
    }
}

static void cancel_all(struct hf_grpc_client *client)
{
    while (client->ended.first != NULL) {
        deliver(client->ended.first);
    }
    while (client->waiting.first != NULL) {
        break_off(client->waiting.first, CODE_CANCELLED, "cancelled");
    }
    for (struct client_connection *connection = client->connections; connection != NULL;
         connection = connection->next) {
        for (struct client_call *call = connection->calls, *next; call != NULL; call = next) {
            next = call->next;
            if (call->request != NULL) {
                break_off(call, CODE_CANCELLED, "cancelled");
            }
        }
    }
}

void hf_grpc_client_free(struct hf_grpc_client *client)
{
    if (client == NULL) {
        return;
    }
    assert(hf_loop_is_own_thread(client->options.loop) && !client->closed);
    client->closed = true;
    cancel_all(client);
    hf_grpc_subchannels_close(client);
    while (client->connections != NULL) {
        hf_grpc_client_connection_close(client->connections);
    }
    drop_client(client);
}

static bool copy_text(const char **text, const char *preset)
{
    const char *given = *text != NULL && (*text)[0] != '\0' ? *text : preset;
    *text = strdup(given);
    return *text != NULL;
}

/* The target as :authority: what stands after the scheme. */
static const char *default_authority(const struct hf_grpc_client *client, char *room, size_t size)
{
    const struct hf_grpc_target *target = &client->target;
    bool v6 = strchr(target->host, ':') != NULL;
    if (target->is_unix) {
        return "localhost";
    }
    snprintf(room, size, v6 ? "[%s]:%s" : "%s:%s", target->host, target->port);
    return room;
}

static enum hf_status set_proxy(struct hf_grpc_client *client, const char *url, char *reterr)
{
    const char *from = "proxy_url";
    if (url != NULL && url[0] == '\0') {
        /* Encrypted or not: to the proxy it is a tunnel either way. */
        from = "HTTPS_PROXY";
        url = hf_proxy_of_environment(true, client->target.host, client->target.port);
    }
    if (url == NULL || client->target.is_unix) {
        return HF_OK;
    }
    /* The URL itself is not told: it may hold a password. */
    enum hf_status status = hf_grpc_proxy_parse(url, &client->proxy);
    if (status != HF_OK) {
        snprintf(
            reterr, ERROR_SIZE,
            "grpc: the proxy of %s is not of the form http://[user:password@]host:port%s", from,
            status == HF_UNSUPPORTED ? "; encrypted and SOCKS proxies are not supported here" : "");
        return HF_INVALID;
    }
    client->has_proxy = true;
    return HF_OK;
}

static enum hf_status prepare(struct hf_grpc_client *client, char *reterr)
{
    struct hf_grpc_client_options *options = &client->options;
    char authority[300];
    bool copied =
        copy_text(&options->authority, default_authority(client, authority, sizeof(authority)));
    copied = copy_text(&options->server_name,
                       client->target.is_unix ? "localhost" : client->target.host) &&
             copied;
    copied = copy_text(&options->user_agent, "holdfast/" HF_VERSION) && copied;
    client->read_buffer = malloc(READ_BYTES);
    if (!copied || client->read_buffer == NULL || hf_grpc_client_session_prepare(client) != HF_OK ||
        hf_grpc_subchannels_open(client) != HF_OK) {
        snprintf(reterr, ERROR_SIZE, "grpc: out of memory");
        return HF_NOMEM;
    }
    return HF_OK;
}

enum hf_status hf_grpc_client_new(const struct hf_grpc_client_options *options,
                                  struct hf_grpc_client **ret_client, char *reterr)
{
    struct hf_grpc_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        snprintf(reterr, ERROR_SIZE, "grpc: out of memory");
        return HF_NOMEM;
    }
    client->options = *options;
    client->options.server_name = client->options.authority = client->options.user_agent = NULL;
    client->refs = 1;
    client->work_task.run = run_work;
    hf_grpc_client_call_list_init(&client->waiting);
    hf_grpc_client_call_list_init(&client->ended);
    client->keepalive_time_ns = options->keepalive_time_ns;
    client->draw = (uint32_t)(hf_loop_now_ns(options->loop) >> 7) | 1;
    if (client->options.flush_bytes == 0) {
        client->options.flush_bytes = 1u << 20;
    }
    if (client->options.response_bytes_max == 0) {
        client->options.response_bytes_max = 4u << 20;
    }
    enum hf_status status = hf_grpc_target_parse(options->target, &client->target);
    if (status != HF_OK) {
        snprintf(reterr, ERROR_SIZE, "grpc: \"%.200s\" is not host:port or unix:///path",
                 options->target);
    } else {
        status = set_proxy(client, options->proxy_url, reterr);
    }
    if (status == HF_OK) {
        client->options.server_name = options->server_name;
        client->options.authority = options->authority;
        client->options.user_agent = options->user_agent;
        status = prepare(client, reterr);
    }
    if (status != HF_OK) {
        client->closed = true;
        hf_grpc_subchannels_close(client);
        drop_client(client);
        return status;
    }
    *ret_client = client;
    return HF_OK;
}
