/* The client as its user sees it: calls in, results out. */
#include "client_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../util/proxy.h"

#define ERROR_SIZE 512
#define POOL_MAX 256u
#define KEPT_BYTES_MAX (16u * 1024)
#define READ_BYTES (64u * 1024)

/* ---- lists ---- */

static void list_init(struct transit_list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

static void list_append(struct transit_list *list, struct transit *transit)
{
    transit->next = NULL;
    transit->link = list->end;
    *list->end = transit;
    list->end = &transit->next;
}

/* From whichever list its state puts it in. */
static void take_out(struct transit *transit)
{
    struct hf_grpc_client *client = transit->client;
    *transit->link = transit->next;
    if (transit->next != NULL) {
        transit->next->link = transit->link;
    } else if (transit->state == TRANSIT_WAITING) {
        client->waiting.end = transit->link;
    } else if (transit->state == TRANSIT_ENDED) {
        client->ended.end = transit->link;
    }
    if (transit->state == TRANSIT_SENT) {
        transit->wire->transit_count--;
    }
    transit->wire = NULL;
}

/* ---- transits ---- */

static struct transit *new_transit(struct hf_grpc_client *client)
{
    struct transit *transit = client->pool;
    if (transit == NULL) {
        transit = calloc(1, sizeof(*transit));
        if (transit != NULL) {
            transit->client = client;
        }
        return transit;
    }
    client->pool = transit->next;
    client->pool_count--;
    return transit;
}

static void recycle(struct transit *transit)
{
    struct hf_grpc_client *client = transit->client;
    if (client->pool_count >= POOL_MAX || transit->answer.capacity > KEPT_BYTES_MAX ||
        transit->decoded.capacity > KEPT_BYTES_MAX) {
        hf_bytes_release(&transit->answer);
        hf_bytes_release(&transit->decoded);
        free(transit);
        return;
    }
    struct hf_bytes answer = transit->answer, decoded = transit->decoded;
    memset(transit, 0, offsetof(struct transit, message));
    transit->client = client;
    transit->answer = answer;
    transit->decoded = decoded;
    transit->next = client->pool;
    client->pool = transit;
    client->pool_count++;
}

void hf_grpc_transit_free(struct transit *transit)
{
    take_out(transit);
    recycle(transit);
}

static void reset_answer(struct transit *transit)
{
    transit->http_status = transit->foreign_status = 0;
    transit->grpc_status = -1;
    transit->header_bytes = 0;
    transit->coding = HF_IDENTITY;
    transit->known_coding = false;
    transit->answer_prefix = (struct hf_grpc_prefix){.have = 0};
    transit->answer.size = transit->decoded.size = 0;
    transit->fault = HF_OK;
    transit->code = CODE_OK;
    transit->has_retry_info = false;
    transit->retry_delay_ns = 0;
    transit->message[0] = '\0';
    transit->not_sent = false;
}

void hf_grpc_transit_requeue(struct transit *transit)
{
    struct hf_grpc_client *client = transit->client;
    hf_grpc_wire_let_go(transit->wire, transit);
    take_out(transit);
    reset_answer(transit);
    transit->state = TRANSIT_WAITING;
    list_append(&client->waiting, transit);
    hf_grpc_client_work(client);
}

void hf_grpc_transit_end(struct transit *transit, int code, const char *message)
{
    struct hf_grpc_client *client = transit->client;
    if (transit->state == TRANSIT_SENT) {
        hf_grpc_wire_let_go(transit->wire, transit);
    }
    take_out(transit);
    transit->code = code;
    if (message != NULL) {
        snprintf(transit->message, sizeof(transit->message), "%s", message);
    }
    transit->state = TRANSIT_ENDED;
    list_append(&client->ended, transit);
    hf_grpc_client_work(client);
}

/* ---- telling ---- */

static void tell(struct hf_grpc_client *client, struct hf_grpc_request *request,
                 const struct hf_grpc_result *result)
{
    hf_loop_timer_stop(client->options.loop, &request->timer);
    request->client_data = NULL;
    request->done(request, result); /* the request is its owner's again, and may be gone */
}

static void deliver(struct transit *transit)
{
    struct hf_grpc_client *client = transit->client;
    assert(transit->state == TRANSIT_ENDED);
    take_out(transit);
    const struct hf_grpc_result result = {
        .code = transit->code,
        .http_status = transit->foreign_status,
        .message = transit->message,
        .has_retry_info = transit->has_retry_info,
        .retry_delay_ns = transit->retry_delay_ns,
        .response = transit->code == CODE_OK
                        ? hf_slice_of(transit->answer.data, transit->answer.size)
                        : HF_EMPTY_SLICE,
    };
    tell(client, transit->request, &result);
    recycle(transit);
}

/* Not inside nghttp2. Its stream, if there is one, goes on as an orphan until it is closed. */
static void break_off(struct transit *transit, int code, const char *message)
{
    if (transit->state == TRANSIT_SENT) {
        struct wire *wire = transit->wire;
        struct hf_grpc_request *request = transit->request;
        hf_grpc_wire_let_go(wire, transit);
        transit->state = TRANSIT_ORPHAN;
        transit->request = NULL;
        wire->transit_count--;
        nghttp2_submit_rst_stream(wire->session, NGHTTP2_FLAG_NONE, transit->stream_id,
                                  NGHTTP2_CANCEL);
        hf_grpc_wire_dirty(wire);
        const struct hf_grpc_result result = {.code = code, .message = message};
        tell(transit->client, request, &result);
        return;
    }
    if (transit->state == TRANSIT_WAITING) {
        hf_grpc_transit_end(transit, code, message);
    }
    deliver(transit); /* one that had ended by itself keeps its own result */
}

static void on_deadline(struct hf_timer *timer, uint64_t now_ns)
{
    struct hf_grpc_request *request = HF_CONTAINER(timer, struct hf_grpc_request, timer);
    struct transit *transit = request->client_data;
    (void)now_ns;
    if (transit->state == TRANSIT_SENT) {
        hf_grpc_wire_waited(transit->wire, transit->sent_ns);
    }
    break_off(transit, CODE_DEADLINE, "no answer before the deadline");
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
        struct transit *next = client->pool->next;
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
        struct transit *transit = client->waiting.first;
        struct wire *wire = hf_grpc_links_pick(client);
        if (wire == NULL) {
            const char *why = hf_grpc_links_despair(client);
            if (why == NULL) {
                return;
            }
            hf_grpc_transit_end(transit, CODE_UNAVAILABLE, why);
        } else if (nghttp2_session_check_request_allowed(wire->session) == 0) {
            hf_grpc_wire_drain(wire); /* its stream numbers are used up */
        } else {
            take_out(transit);
            if (hf_grpc_exchange_submit(wire, transit)) {
                hf_grpc_wire_dirty(wire);
            } else {
                transit->state = TRANSIT_WAITING;
                list_append(&client->waiting, transit);
                hf_grpc_transit_end(transit, CODE_UNAVAILABLE, "out of memory for a request");
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
        struct wire *wire = client->dirty;
        client->dirty = wire->next_dirty;
        wire->dirty = false;
        hf_grpc_wire_flush(wire);
    }
    /* Only those that have ended by now: what their ends bring about comes with the next task. */
    struct transit **last = client->ended.end;
    while (client->ended.first != NULL) {
        bool at_last = &client->ended.first->next == last;
        deliver(client->ended.first);
        if (at_last) {
            break;
        }
    }
    drop_client(client);
}

void hf_grpc_client_work(struct hf_grpc_client *client)
{
    if (!client->work_deferred && !client->closed) {
        client->work_deferred = true;
        client->refs++;
        hf_loop_defer(client->options.loop, &client->work_task);
    }
}

void hf_grpc_client_lose_hope(struct hf_grpc_client *client, const char *why)
{
    if (hf_grpc_links_despair(client) == NULL) {
        return;
    }
    while (client->waiting.first != NULL) {
        hf_grpc_transit_end(client->waiting.first, CODE_UNAVAILABLE, why);
    }
}

void hf_grpc_client_report(struct hf_grpc_client *client, bool connected, const char *what)
{
    if (client->options.on_state != NULL && !client->closed) {
        client->options.on_state(client->options.user, connected, what);
    }
}

/* ---- for its user ---- */

/* False when it is too large for the prefix. */
static bool measure(struct transit *transit)
{
    const struct hf_grpc_request *request = transit->request;
    uint64_t size = 0;
    for (size_t i = 0; i < request->piece_count; i++) {
        size += request->pieces[i].size;
    }
    if (size > UINT32_MAX) {
        return false;
    }
    transit->size = HF_GRPC_PREFIX_BYTES + (size_t)size;
    hf_grpc_prefix_write(transit->prefix, request->coding != HF_IDENTITY, (uint32_t)size);
    return true;
}

void hf_grpc_client_call(struct hf_grpc_client *client, struct hf_grpc_request *request)
{
    struct hf_loop *loop = client->options.loop;
    assert(hf_loop_is_own_thread(loop) && !client->closed);
    struct transit *transit = new_transit(client);
    request->client_data = transit;
    request->timer.place = 0;
    if (transit == NULL) {
        request->timer.fire = on_no_memory;
        if (hf_loop_timer_set(loop, &request->timer, hf_loop_now_ns(loop)) != HF_OK) {
            on_no_memory(&request->timer, 0); /* there is no other way left */
        }
        return;
    }
    transit->request = request;
    reset_answer(transit);
    transit->retried = false;
    transit->state = TRANSIT_WAITING;
    list_append(&client->waiting, transit);
    request->timer.fire = on_deadline;
    if (!measure(transit)) {
        hf_grpc_transit_end(transit, CODE_EXHAUSTED, "the message is over 4 GiB");
    } else if (request->deadline_ns != 0 &&
               hf_loop_timer_set(loop, &request->timer, request->deadline_ns) != HF_OK) {
        hf_grpc_transit_end(transit, CODE_UNAVAILABLE, "out of memory");
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
    for (struct wire *wire = client->wires; wire != NULL; wire = wire->next) {
        for (struct transit *transit = wire->transits, *next; transit != NULL; transit = next) {
            next = transit->next;
            if (transit->request != NULL) {
                break_off(transit, CODE_CANCELLED, "cancelled");
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
    hf_grpc_links_close(client);
    while (client->wires != NULL) {
        hf_grpc_wire_close(client->wires);
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
    if (!copied || client->read_buffer == NULL || hf_grpc_exchange_prepare(client) != HF_OK ||
        hf_grpc_links_open(client) != HF_OK) {
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
    list_init(&client->waiting);
    list_init(&client->ended);
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
        hf_grpc_links_close(client);
        drop_client(client);
        return status;
    }
    *ret_client = client;
    return HF_OK;
}
