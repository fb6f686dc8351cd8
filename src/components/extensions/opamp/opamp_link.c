#include "opamp_link.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/fetch.h"
#include "http/websocket.h"
#include "support/settings/confighttp.h"
#include "util/header_list.h"
#include "util/time/clock.h"

#define OPEN_TIMEOUT_NS (30 * HF_NS_PER_S)
#define ANSWER_GRACE_NS (300 * HF_NS_PER_MS) /* at a stop */
#define FRAME_HEADER 0u /* in front of each message on a WebSocket; there is no other yet */

struct opamp_link {
    const struct opamp_link_options *options;
    struct hf_websocket *socket;     /* one of the two */
    struct hf_http_fetcher *fetcher; /* the other is NULL */
    struct hf_header_list headers;
    struct hf_bytes framed;
    struct hf_http_fetched fetched;
    bool has_answer;      /* `fetched` was not received yet */
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool is_stopped, is_asking;
};

static void warn_of_reload(void *user, const char *why)
{
    const struct opamp_link *link = user;
    hf_node_log(link->options->node, HF_LOG_WARN, "%s; the old ones stay in use", why);
}

/* ---- headers ---- */

static enum hf_status fill_headers(struct opamp_link *link, struct opamp_failure *ret_failure)
{
    const struct opamp_link_options *options = link->options;
    enum hf_status status =
        hf_header_list_fill(&link->headers, HF_HEADERS_HTTP, options->headers, options->auth.ops,
                            options->auth.self, HF_EMPTY_SLICE);
    if (status != HF_OK) {
        snprintf(ret_failure->why, sizeof(ret_failure->why), "%s",
                 link->headers.why[0] != '\0' ? link->headers.why : "there are no credentials yet");
    }
    return status == HF_OK ? HF_OK : HF_AGAIN;
}

static void note_code(const struct opamp_link *link, int code)
{
    if (code == 401) {
        hf_auth_note(&link->options->auth, HF_UNAUTHENTICATED);
    }
}

/* ---- a WebSocket ---- */

static enum hf_status open_socket(struct opamp_link *link, struct opamp_failure *ret_failure)
{
    struct hf_websocket_refusal refusal;
    enum hf_status status = fill_headers(link, ret_failure);
    if (status != HF_OK) {
        return status;
    }
    const struct hf_websocket_connect connect = {
        .url = link->options->url,
        .headers = link->headers.items,
        .header_count = link->headers.count,
        .timeout_ns = OPEN_TIMEOUT_NS,
    };
    status = hf_websocket_connect(link->socket, &connect, &refusal);
    if (status != HF_OK) {
        note_code(link, refusal.code);
        snprintf(ret_failure->why, sizeof(ret_failure->why), "%s", refusal.why);
        ret_failure->retry_after_ns = refusal.has_retry_after ? refusal.retry_after_ns : 0;
    }
    return status;
}

static enum hf_status send_framed(struct opamp_link *link, struct hf_slice message,
                                  uint64_t timeout_ns)
{
    static const uint8_t header[] = {FRAME_HEADER};
    link->framed.size = 0;
    enum hf_status status = hf_bytes_append(&link->framed, hf_slice_of(header, sizeof(header)));
    status = status == HF_OK ? hf_bytes_append(&link->framed, message) : status;
    return status == HF_OK
               ? hf_websocket_send(link->socket, hf_slice_of(link->framed.data, link->framed.size),
                                   timeout_ns)
               : status;
}

static enum hf_status receive_framed(struct opamp_link *link, uint64_t timeout_ns,
                                     struct hf_slice *ret_message)
{
    enum hf_status status = hf_websocket_receive(link->socket, timeout_ns, ret_message);
    if (status == HF_OK && ret_message->size != 0 && ret_message->data[0] == FRAME_HEADER) {
        *ret_message = hf_slice_of(ret_message->data + 1, ret_message->size - 1);
    }
    return status;
}

/* ---- requests ---- */

static void set_asking(struct opamp_link *link, bool is_asking)
{
    pthread_mutex_lock(&link->lock);
    link->is_asking = is_asking;
    pthread_cond_broadcast(&link->changed);
    pthread_mutex_unlock(&link->lock);
}

static enum hf_status ask(struct opamp_link *link, struct hf_slice message, const char *uid,
                          uint64_t timeout_ns, struct opamp_failure *ret_failure)
{
    struct hf_http_fetched *fetched = &link->fetched;
    enum hf_status status = fill_headers(link, ret_failure);
    if (status != HF_OK) {
        return status;
    }
    struct hf_header headers[HF_HEADERS_MAX + 1];
    memcpy(headers, link->headers.items, link->headers.count * sizeof(*headers));
    headers[link->headers.count] =
        (struct hf_header){hf_slice_text("opamp-instance-uid"), hf_slice_text(uid)};
    const struct hf_http_fetch fetch = {
        .method = "POST",
        .url = link->options->url,
        .content_type = "application/x-protobuf",
        .body = message,
        .headers = headers,
        .header_count = link->headers.count + 1,
        .timeout_ns = timeout_ns,
    };
    set_asking(link, true);
    status = hf_http_fetch(link->fetcher, &fetch, fetched);
    set_asking(link, false);
    if (status != HF_OK) {
        snprintf(ret_failure->why, sizeof(ret_failure->why), "%s", fetched->why);
        return status == HF_CLOSED ? HF_CLOSED : HF_AGAIN;
    }
    if (fetched->code != 200) {
        note_code(link, fetched->code);
        snprintf(ret_failure->why, sizeof(ret_failure->why), "the server answered %d",
                 fetched->code);
        ret_failure->retry_after_ns = fetched->has_retry_after ? fetched->retry_after_ns : 0;
        return HF_AGAIN;
    }
    link->has_answer = true;
    return HF_OK;
}

/* With the lock. */
static void wait_until(struct opamp_link *link, uint64_t due_ns)
{
    const struct timespec due = {.tv_sec = (time_t)(due_ns / HF_NS_PER_S),
                                 .tv_nsec = (long)(due_ns % HF_NS_PER_S)};
    pthread_cond_timedwait(&link->changed, &link->lock, &due);
}

enum hf_status opamp_link_pause(struct opamp_link *link, uint64_t timeout_ns)
{
    uint64_t due_ns = hf_clock_monotonic_ns() + timeout_ns;
    pthread_mutex_lock(&link->lock);
    while (!link->is_stopped && hf_clock_monotonic_ns() < due_ns) {
        wait_until(link, due_ns);
    }
    bool is_stopped = link->is_stopped;
    pthread_mutex_unlock(&link->lock);
    return is_stopped ? HF_CLOSED : HF_DEADLINE;
}

/* ---- for the agent ---- */

enum hf_status opamp_link_open(struct opamp_link *link, struct opamp_failure *ret_failure)
{
    *ret_failure = (struct opamp_failure){.retry_after_ns = 0};
    link->has_answer = false;
    return link->socket != NULL ? open_socket(link, ret_failure) : HF_OK;
}

enum hf_status opamp_link_send(struct opamp_link *link, struct hf_slice message, const char *uid,
                               uint64_t timeout_ns, struct opamp_failure *ret_failure)
{
    *ret_failure = (struct opamp_failure){.retry_after_ns = 0};
    if (link->socket == NULL) {
        return ask(link, message, uid, timeout_ns, ret_failure);
    }
    enum hf_status status = send_framed(link, message, timeout_ns);
    if (status != HF_OK) {
        snprintf(ret_failure->why, sizeof(ret_failure->why), "%s", hf_websocket_why(link->socket));
    }
    return status == HF_OK || status == HF_CLOSED ? status : HF_AGAIN;
}

enum hf_status opamp_link_receive(struct opamp_link *link, uint64_t timeout_ns,
                                  struct hf_slice *ret_message, struct opamp_failure *ret_failure)
{
    *ret_failure = (struct opamp_failure){.retry_after_ns = 0};
    if (link->socket == NULL && link->has_answer) {
        link->has_answer = false;
        *ret_message = hf_slice_of(link->fetched.body.data, link->fetched.body.size);
        return HF_OK;
    }
    if (link->socket == NULL) {
        return opamp_link_pause(link, timeout_ns);
    }
    enum hf_status status = receive_framed(link, timeout_ns, ret_message);
    if (status == HF_AGAIN) {
        snprintf(ret_failure->why, sizeof(ret_failure->why), "%s", hf_websocket_why(link->socket));
    }
    return status;
}

void opamp_link_close(struct opamp_link *link)
{
    if (link->socket != NULL) {
        hf_websocket_close(link->socket);
    }
}

void opamp_link_stop(struct opamp_link *link)
{
    uint64_t due_ns = hf_clock_monotonic_ns() + ANSWER_GRACE_NS;
    pthread_mutex_lock(&link->lock);
    link->is_stopped = true;
    pthread_cond_broadcast(&link->changed);
    /* A request that is cancelled takes the last words with it. */
    while (link->is_asking && hf_clock_monotonic_ns() < due_ns) {
        wait_until(link, due_ns);
    }
    bool is_asking = link->is_asking;
    pthread_mutex_unlock(&link->lock);
    if (link->socket != NULL) {
        hf_websocket_stop(link->socket);
    } else if (is_asking) {
        hf_http_fetcher_stop(link->fetcher);
    }
}

static enum hf_status open_transport(struct opamp_link *link, char *reterr)
{
    const struct opamp_link_options *options = link->options;
    char agent[HF_USER_AGENT_MAX];
    hf_user_agent(agent);
    if (options->is_websocket) {
        const struct hf_websocket_options socket = {
            .tls = options->tls,
            .user_agent = agent,
            .message_bytes_max = OPAMP_MESSAGE_MAX,
            .on_reload_failed = warn_of_reload,
            .user = link,
        };
        return hf_websocket_new(&socket, &link->socket, reterr);
    }
    const struct hf_http_client_options http = {
        .tls = options->tls,
        .user_agent = agent,
        .response_bytes_max = OPAMP_MESSAGE_MAX,
        .on_reload_failed = warn_of_reload,
        .user = link,
    };
    return hf_http_fetcher_new(&http, &link->fetcher, reterr);
}

enum hf_status opamp_link_new(const struct opamp_link_options *options,
                              struct opamp_link **ret_link, char *reterr)
{
    struct opamp_link *link = calloc(1, sizeof(*link));
    pthread_condattr_t attributes;
    if (link == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the connection");
        return HF_NOMEM;
    }
    link->options = options;
    pthread_mutex_init(&link->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&link->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    enum hf_status status = open_transport(link, reterr);
    if (status != HF_OK) {
        opamp_link_free(link);
        return status;
    }
    *ret_link = link;
    return HF_OK;
}

void opamp_link_free(struct opamp_link *link)
{
    if (link == NULL) {
        return;
    }
    hf_websocket_free(link->socket);
    hf_http_fetcher_free(link->fetcher);
    hf_bytes_release(&link->framed);
    hf_bytes_release(&link->fetched.body);
    pthread_cond_destroy(&link->changed);
    pthread_mutex_destroy(&link->lock);
    free(link);
}
