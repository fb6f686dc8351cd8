/*
 * client: libcurl's multi interface on a loop: it says which sockets and which time it waits for,
 * the loop says when they are ready.
 */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <holdfast/component.h>

#include "client_internal.h"
#include "client_redirect.h"
#include "client_settings.h"
#include "util/loop.h"
#include "util/time/clock.h"

#define IDLE_TRANSFERS_MAX 32u

struct hf_http_client {
    struct http_client_settings settings;
    struct hf_loop *loop;
    CURLM *multi;
    struct hf_timer timer;
    struct http_transfer *running, *idle;
    size_t idle_count;
    /* Calls that could not be begun or go on: they end at the turn's end. The former are linked by
     * their client_data. */
    struct fail_task *fail;
    struct hf_http_call *failed, **failed_end;
};

/* Outlives its client when that is freed in the turn in which it was deferred. */
struct fail_task {
    struct hf_task task;
    struct hf_http_client *client; /* NULL: gone */
    bool deferred;
};

/* A socket of libcurl's that the loop watches. */
struct socket_watch {
    struct hf_io io;
    struct hf_http_client *client;
    int fd;
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void start_library(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void free_transfer(struct http_transfer *transfer)
{
    curl_slist_free_all(transfer->headers);
    curl_slist_free_all(transfer->connect_to);
    curl_easy_cleanup(transfer->easy);
    free(transfer->url);
    hf_http_pems_drop(transfer->pems);
    hf_bytes_release(&transfer->body);
    free(transfer);
}

static struct http_transfer *take_transfer(struct hf_http_client *client)
{
    struct http_transfer *transfer = client->idle;
    if (transfer != NULL) {
        client->idle = transfer->next;
        client->idle_count--;
    } else {
        transfer = calloc(1, sizeof(*transfer));
        if (transfer == NULL) {
            return NULL;
        }
        transfer->client = client;
        transfer->easy = curl_easy_init();
        if (transfer->easy == NULL) {
            free(transfer);
            return NULL;
        }
    }
    transfer->is_unwatched = transfer->is_elsewhere = false;
    transfer->redirects = 0;
    transfer->previous = NULL;
    transfer->next = client->running;
    if (transfer->next != NULL) {
        transfer->next->previous = transfer;
    }
    client->running = transfer;
    return transfer;
}

/* Ready to be set up for another request. */
static void clear_transfer(struct http_transfer *transfer)
{
    curl_easy_reset(transfer->easy);
    hf_http_pems_drop(transfer->pems);
    transfer->pems = NULL;
    curl_slist_free_all(transfer->headers);
    curl_slist_free_all(transfer->connect_to);
    transfer->headers = transfer->connect_to = NULL;
}

static void return_transfer(struct http_transfer *transfer)
{
    struct hf_http_client *client = transfer->client;
    *(transfer->previous != NULL ? &transfer->previous->next : &client->running) = transfer->next;
    if (transfer->next != NULL) {
        transfer->next->previous = transfer->previous;
    }
    transfer->previous = NULL;
    if (client->idle_count >= IDLE_TRANSFERS_MAX) {
        free_transfer(transfer);
        return;
    }
    clear_transfer(transfer);
    free(transfer->url);
    transfer->url = NULL;
    transfer->next = client->idle;
    client->idle = transfer;
    client->idle_count++;
}

/* Ends the call that the transfer carries. The transfer goes back only after it: it holds the
 * answer. */
static void end_transfer(struct http_transfer *transfer, struct hf_http_result *result)
{
    struct hf_http_call *call = transfer->call;
    transfer->call = NULL;
    result->body = hf_slice_of(transfer->body.data, transfer->body.size);
    call->done(call, result);
    return_transfer(transfer);
}

/* The same request once more, to where the transfer's URL now leads. Its end, when that fails. */
static void go_on(struct http_transfer *transfer)
{
    struct hf_http_client *client = transfer->client;
    const struct hf_http_call *call = transfer->call;
    uint64_t now_ns = hf_clock_monotonic_ns();
    bool late = call->deadline_ns != 0 && call->deadline_ns <= now_ns;
    clear_transfer(transfer);
    enum hf_status status = HF_DEADLINE;
    if (!late) {
        status = hf_http_transfer_set_up(transfer, &client->settings,
                                         call->deadline_ns != 0 ? call->deadline_ns - now_ns : 0);
    }
    if (status == HF_OK && curl_multi_add_handle(client->multi, transfer->easy) != CURLM_OK) {
        status = HF_NOMEM;
    }
    if (status != HF_OK) {
        struct hf_http_result result = {.status = status,
                                        .error = late ? "the deadline has passed"
                                                 : transfer->error[0] != '\0' ? transfer->error
                                                                              : "out of memory"};
        transfer->body.size = 0;
        end_transfer(transfer, &result);
    }
}

/* The code of a redirect as the one that keeps the method, where that is the same. */
static int redirect_code(const struct http_transfer *transfer, int code)
{
    const struct hf_http_call *call = transfer->call;
    bool follows_all = transfer->client->settings.options.follow == HF_HTTP_FOLLOW_ALL;
    bool is_get = strcmp(call->method, "GET") == 0 && call->piece_count == 0;
    return follows_all && is_get && code >= 301 && code <= 303 ? 307 : code;
}

static const char *prepare_redirect(struct http_transfer *transfer, int code, const char *location,
                                    char ret_shown[HF_HTTP_SHOWN_MAX])
{
    const struct hf_http_client_options *options = &transfer->client->settings.options;
    if (options->follow == HF_HTTP_FOLLOW_NONE) {
        snprintf(ret_shown, HF_HTTP_SHOWN_MAX, "%.200s", location);
        return "following redirects is switched off";
    }
    return hf_http_redirect_prepare(transfer, options->unix_socket != NULL,
                                    redirect_code(transfer, code), location, ret_shown);
}

static void finish(struct http_transfer *transfer, CURLcode code)
{
    struct hf_http_client *client = transfer->client;
    const struct hf_http_client_options *options = &client->settings.options;
    struct hf_http_result result;
    char *location = NULL, shown[HF_HTTP_SHOWN_MAX];
    hf_http_transfer_answer(transfer, code, &result);
    if (result.code == 401) {
        client->settings.token_file.next_look_ns = 0;
    }
    curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &location);
    if (result.status == HF_OK && location != NULL) {
        result.not_followed = prepare_redirect(transfer, result.code, location, shown);
        result.location = shown;
    }
    curl_multi_remove_handle(client->multi, transfer->easy);
    if (result.location == NULL || result.not_followed != NULL) {
        end_transfer(transfer, &result);
        return;
    }
    if (options->on_redirect != NULL) {
        options->on_redirect(options->user, shown, transfer->is_elsewhere);
    }
    go_on(transfer);
}

static void collect(struct hf_http_client *client)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(client->multi, &left)) != NULL;) {
        struct http_transfer *transfer = NULL;
        if (message->msg == CURLMSG_DONE) {
            CURLcode code = message->data.result; /* the message goes with its handle */
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
            finish(transfer, code);
        }
    }
}

static void on_ready(struct hf_io *io, uint32_t events)
{
    const struct socket_watch *watch = HF_CONTAINER(io, struct socket_watch, io);
    struct hf_http_client *client = watch->client;
    int running;
    int ready = ((events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP)) != 0 ? CURL_CSELECT_IN : 0) |
                ((events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                ((events & EPOLLERR) != 0 ? CURL_CSELECT_ERR : 0);
    (void)curl_multi_socket_action(client->multi, watch->fd, ready, &running);
    collect(client);
}

static void fail_at_the_end(struct hf_http_client *client)
{
    if (!client->fail->deferred) {
        client->fail->deferred = true;
        hf_loop_defer(client->loop, &client->fail->task);
    }
}

/* The socket cannot be watched: its transfer ends. To say no to libcurl would end all, for good. */
static int give_up(struct hf_http_client *client, CURL *easy)
{
    struct http_transfer *transfer = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
    if (transfer != NULL) {
        transfer->is_unwatched = true;
        fail_at_the_end(client);
    }
    return 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *context)
{
    struct hf_http_client *client = user;
    struct socket_watch *watch = context;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL) {
            hf_loop_remove(client->loop, fd, &watch->io);
            curl_multi_assign(client->multi, fd, NULL);
            free(watch);
        }
        return 0;
    }
    uint32_t events = ((what & CURL_POLL_IN) != 0 ? (uint32_t)EPOLLIN : 0) |
                      ((what & CURL_POLL_OUT) != 0 ? (uint32_t)EPOLLOUT : 0);
    if (watch != NULL) {
        bool is_changed = hf_loop_change(client->loop, fd, events, &watch->io) == HF_OK;
        return is_changed ? 0 : give_up(client, easy);
    }
    watch = calloc(1, sizeof(*watch));
    if (watch == NULL) {
        return give_up(client, easy);
    }
    *watch = (struct socket_watch){.io = {on_ready}, .client = client, .fd = fd};
    if (hf_loop_add(client->loop, fd, events, &watch->io) != HF_OK) {
        free(watch);
        return give_up(client, easy);
    }
    curl_multi_assign(client->multi, fd, watch);
    return 0;
}

/*
 * The timer is always set, if only for never: so it always can be. To tell libcurl that it cannot
 * would end all transfers, for good.
 */
static void set_timer(struct hf_http_client *client, uint64_t due_ns)
{
    enum hf_status status = hf_loop_timer_set(client->loop, &client->timer, due_ns);
    assert(status == HF_OK);
    (void)status;
}

static int on_timeout(CURLM *multi, long ms, void *user)
{
    (void)multi;
    set_timer(user, ms < 0 ? UINT64_MAX : hf_clock_monotonic_ns() + (uint64_t)ms * HF_NS_PER_MS);
    return 0;
}

static void on_timer(struct hf_timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    struct hf_http_client *client = HF_CONTAINER(timer, struct hf_http_client, timer);
    int running;
    set_timer(client, UINT64_MAX);
    (void)curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(client);
}

static void end_unwatched(struct hf_http_client *client)
{
    struct http_transfer *transfer = client->running;
    while (transfer != NULL) {
        if (!transfer->is_unwatched) {
            transfer = transfer->next;
            continue;
        }
        finish(transfer, CURLE_OUT_OF_MEMORY);
        transfer = client->running; /* others may have ended or begun meanwhile */
    }
}

/* The turn's end: what could not be begun is told so. */
static void on_fail(struct hf_task *task)
{
    struct fail_task *fail = HF_CONTAINER(task, struct fail_task, task);
    struct hf_http_client *client = fail->client;
    fail->deferred = false;
    if (client == NULL) {
        free(fail);
        return;
    }
    struct hf_http_call *call = client->failed;
    client->failed = NULL;
    client->failed_end = &client->failed;
    while (call != NULL) {
        struct hf_http_call *next = call->client_data;
        bool late = call->deadline_ns != 0 && call->deadline_ns <= hf_clock_monotonic_ns();
        bool bad = call->unsent == HF_INVALID;
        const struct hf_http_result result = {
            .status = bad    ? HF_INVALID
                      : late ? HF_DEADLINE
                             : HF_AGAIN,
            .error = bad    ? "the request cannot be formed: a header is too long, or has a line "
                              "end or another control character in it"
                     : late ? "the deadline has passed"
                            : "the request cannot be sent: a bad URL, or no memory",
        };
        call->done(call, &result);
        call = next;
    }
    end_unwatched(client);
}

static void fail_later(struct hf_http_client *client, struct hf_http_call *call,
                       enum hf_status status)
{
    call->unsent = status;
    call->client_data = NULL;
    *client->failed_end = call;
    client->failed_end = (struct hf_http_call **)&call->client_data;
    fail_at_the_end(client);
}

void hf_http_client_call(struct hf_http_client *client, struct hf_http_call *call)
{
    assert(hf_loop_is_own_thread(client->loop));
    uint64_t now_ns = hf_clock_monotonic_ns();
    bool late = call->deadline_ns != 0 && call->deadline_ns <= now_ns;
    struct http_transfer *transfer = late ? NULL : take_transfer(client);
    if (transfer == NULL) {
        fail_later(client, call, HF_AGAIN);
        return;
    }
    transfer->call = call;
    hf_http_settings_refresh(&client->settings);
    uint64_t timeout_ns = call->deadline_ns != 0 ? call->deadline_ns - now_ns : 0;
    enum hf_status status = hf_http_transfer_set_up(transfer, &client->settings, timeout_ns);
    if (status == HF_OK && curl_multi_add_handle(client->multi, transfer->easy) != CURLM_OK) {
        status = HF_NOMEM;
    }
    if (status != HF_OK) {
        return_transfer(transfer);
        fail_later(client, call, status);
    }
}

static long small(uint64_t number)
{
    return number > INT32_MAX ? (long)INT32_MAX : (long)number;
}

static void set_multi(struct hf_http_client *client)
{
    const struct hf_http_client_options *options = &client->settings.options;
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    if (options->max_conns != 0) {
        curl_multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS, small(options->max_conns));
    }
    if (options->max_idle_conns != 0) {
        curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, small(options->max_idle_conns));
    }
}

enum hf_status hf_http_client_new(const struct hf_http_client_options *options,
                                  struct hf_http_client **ret_client, char *reterr)
{
    pthread_once(&library_once, start_library);
    struct hf_http_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the HTTP client");
        return HF_NOMEM;
    }
    enum hf_status status = hf_http_settings_init(&client->settings, options, reterr);
    if (status != HF_OK) {
        free(client);
        return status;
    }
    client->loop = options->loop;
    client->timer.fire = on_timer;
    client->failed_end = &client->failed;
    client->multi = curl_multi_init();
    client->fail = calloc(1, sizeof(*client->fail));
    if (client->multi == NULL || client->fail == NULL ||
        hf_loop_timer_set(client->loop, &client->timer, UINT64_MAX) != HF_OK) {
        free(client->fail);
        curl_multi_cleanup(client->multi);
        hf_http_settings_release(&client->settings);
        free(client);
        snprintf(reterr, HF_ERROR_MAX, "no memory for the HTTP client");
        return HF_NOMEM;
    }
    *client->fail = (struct fail_task){.task = {.run = on_fail}, .client = client};
    set_multi(client);
    *ret_client = client;
    return HF_OK;
}

static struct http_transfer *transfer_of(struct hf_http_client *client,
                                         const struct hf_http_call *call)
{
    struct http_transfer *transfer = client->running;
    while (transfer != NULL && transfer->call != call) {
        transfer = transfer->next;
    }
    return transfer;
}

void hf_http_client_resume(struct hf_http_client *client, struct hf_http_call *call)
{
    assert(hf_loop_is_own_thread(client->loop));
    struct http_transfer *transfer = call->is_paused ? transfer_of(client, call) : NULL;
    if (transfer != NULL) {
        call->is_paused = false;
        (void)curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
    }
}

void hf_http_client_cancel(struct hf_http_client *client, struct hf_http_call *call)
{
    assert(hf_loop_is_own_thread(client->loop));
    struct hf_http_result result = {.status = HF_CLOSED, .error = "the call was cancelled"};
    struct http_transfer *transfer = transfer_of(client, call);
    if (transfer != NULL) {
        curl_multi_remove_handle(client->multi, transfer->easy);
        end_transfer(transfer, &result);
        return;
    }
    struct hf_http_call **place = &client->failed;
    while (*place != call) {
        assert(*place != NULL && "only a call that is not done can be cancelled");
        place = (struct hf_http_call **)&(*place)->client_data;
    }
    *place = call->client_data;
    if (client->failed_end == (struct hf_http_call **)&call->client_data) {
        client->failed_end = place;
    }
    call->done(call, &result);
}

void hf_http_client_free(struct hf_http_client *client)
{
    if (client == NULL) {
        return;
    }
    while (client->running != NULL) {
        struct http_transfer *transfer = client->running;
        struct hf_http_result result = {.status = HF_CLOSED, .error = "the client is closing"};
        curl_multi_remove_handle(client->multi, transfer->easy);
        end_transfer(transfer, &result);
    }
    while (client->failed != NULL) {
        struct hf_http_call *call = client->failed;
        const struct hf_http_result result = {.status = HF_CLOSED,
                                              .error = "the client is closing"};
        client->failed = call->client_data;
        call->done(call, &result);
    }
    while (client->idle != NULL) {
        struct http_transfer *transfer = client->idle;
        client->idle = transfer->next;
        free_transfer(transfer);
    }
    curl_multi_cleanup(client->multi);
    hf_loop_timer_stop(client->loop, &client->timer);
    hf_http_settings_release(&client->settings);
    client->fail->client = NULL;
    if (!client->fail->deferred) {
        free(client->fail);
    }
    free(client);
}
