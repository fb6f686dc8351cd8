#include "exchange.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/auth.h>
#include <holdfast/component.h>

#include "util/loop.h"
#include "util/time/clock.h"
#include "validations.h"

#define TIMEOUT_DEFAULT_NS (30 * HF_NS_PER_S)

struct httpcheck_exchange {
    struct hf_node *node;
    struct hf_loop *loop;
    bool wants_certificate;
    struct httpcheck_peer *peers;
    size_t peer_count;
    struct httpcheck_url *urls;
    size_t url_count;
    /* The round that runs. */
    struct hf_task begin, cancel;
    size_t running;
    uint64_t deadline_ns;
    sem_t done;
    bool is_cancelled; /* the own thread's */
};

/* ---- the own thread ---- */

static void end_one(struct httpcheck_exchange *exchange)
{
    if (--exchange->running == 0) {
        sem_post(&exchange->done);
    }
}

static void end_url(struct httpcheck_url *url)
{
    free(url->headers);
    url->headers = NULL;
    url->is_running = false;
    url->end_ns = hf_clock_monotonic_ns();
    end_one(url->peer->exchange);
}

static void fail(struct httpcheck_url *url, enum hf_status status, const char *why)
{
    url->status = status;
    snprintf(url->error, sizeof(url->error), "%s", why);
    end_url(url);
}

/* False: out of memory. */
static bool keep_body(struct httpcheck_url *url, struct hf_slice bytes)
{
    size_t room = HTTPCHECK_BODY_MAX - url->body.size;
    size_t size = bytes.size < room ? bytes.size : room;
    bool is_read = url->peer->target->validations.count != 0;
    return !is_read || hf_bytes_append(&url->body, hf_slice_of(bytes.data, size)) == HF_OK;
}

static enum hf_http_flow on_chunk(struct hf_http_call *call, struct hf_slice bytes)
{
    struct httpcheck_url *url = HF_CONTAINER(call, struct httpcheck_url, call);
    url->body_bytes += bytes.size;
    return keep_body(url, bytes) ? HF_HTTP_GO_ON : HF_HTTP_STOP;
}

static void on_done(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct httpcheck_url *url = HF_CONTAINER(call, struct httpcheck_url, call);
    url->status = result->status;
    url->code = result->code;
    if (result->status != HF_OK) {
        fail(url, result->status, result->error != NULL ? result->error : "no answer");
        return;
    }
    hf_http_result_facts(result, &url->facts);
    if (url->facts.certificate.size != 0) {
        url->has_certificate =
            hf_certificate_names_read(url->facts.certificate, &url->certificate) == HF_OK;
    }
    url->facts.certificate = HF_EMPTY_SLICE;
    bool is_kept = true;
    if (url->body_bytes == 0) {
        /* Of an answer that is not 2xx. */
        is_kept = keep_body(url, result->body);
        url->body_bytes = url->facts.body_bytes;
    }
    if (!is_kept) {
        fail(url, HF_NOMEM, "out of memory");
        return;
    }
    end_url(url);
}

static void clear(struct httpcheck_url *url)
{
    hf_certificate_names_release(&url->certificate);
    url->has_certificate = false;
    url->status = HF_OK;
    url->code = 0;
    url->error[0] = '\0';
    url->facts = (struct hf_http_facts){.certificate = HF_EMPTY_SLICE};
    url->body.size = 0;
    url->body_bytes = 0;
    url->time_ns = hf_clock_unix_ns();
    url->begin_ns = hf_clock_monotonic_ns();
}

static const char *content_type_of(const struct httpcheck_target *target)
{
    const char *body = target->body != NULL ? target->body : "";
    const char *start = body + strspn(body, " \t\r\n");
    if (!target->auto_content_type || body[0] == '\0') {
        return NULL;
    }
    return start[0] == '{' || start[0] == '[' ? "application/json"
           : strchr(body, '=') != NULL        ? "application/x-www-form-urlencoded"
                                              : "text/plain";
}

static enum hf_status list_headers(struct httpcheck_url *url)
{
    const struct httpcheck_peer *peer = url->peer;
    const struct hf_auth *auth = peer->auth.ops;
    enum hf_status status =
        hf_header_list_fill(url->headers, HF_HEADERS_HTTP, &peer->target->http.headers, auth,
                            peer->auth.self, HF_EMPTY_SLICE);
    if (status != HF_OK || auth == NULL || auth->sign == NULL) {
        return status;
    }
    const struct hf_auth_outgoing request = {
        .method = peer->target->method,
        .url = url->url,
        .body = &peer->piece,
        .body_count = peer->piece.size != 0 ? 1 : 0,
        .headers = url->headers->items,
        .header_count = url->headers->count,
    };
    return auth->sign(peer->auth.self, &request, &url->headers->sink);
}

static void begin_url(struct httpcheck_exchange *exchange, struct httpcheck_url *url)
{
    const struct httpcheck_peer *peer = url->peer;
    const struct httpcheck_target *target = peer->target;
    uint64_t timeout_ns = target->timeout_ns != 0 ? target->timeout_ns : TIMEOUT_DEFAULT_NS;
    clear(url);
    url->headers = calloc(1, sizeof(*url->headers));
    uint64_t deadline_ns = url->begin_ns + timeout_ns;
    if (exchange->is_cancelled || url->headers == NULL) {
        fail(url, exchange->is_cancelled ? HF_CLOSED : HF_NOMEM, "out of memory");
        return;
    }
    if (list_headers(url) != HF_OK) {
        fail(url, HF_UNAUTHENTICATED,
             url->headers->why[0] != '\0' ? url->headers->why : "there are no credentials");
        return;
    }
    bool has_body = peer->piece.size != 0;
    bool is_packed = has_body && hf_http_client_coding(&target->http) != HF_IDENTITY;
    url->call = (struct hf_http_call){
        .method = target->method,
        .url = url->url,
        .content_type = content_type_of(target),
        .content_encoding = is_packed ? target->http.compression : NULL,
        .pieces = &peer->piece,
        .piece_count = has_body ? 1 : 0,
        .headers = url->headers->items,
        .header_count = url->headers->count,
        .deadline_ns = deadline_ns < exchange->deadline_ns ? deadline_ns : exchange->deadline_ns,
        .chunk = on_chunk,
        .done = on_done,
    };
    url->is_running = true;
    hf_http_client_call(peer->client, &url->call);
}

static void begin_round(struct hf_task *task)
{
    struct httpcheck_exchange *exchange = HF_CONTAINER(task, struct httpcheck_exchange, begin);
    exchange->running = exchange->url_count + 1; /* one for this function */
    for (size_t i = 0; i < exchange->url_count; i++) {
        begin_url(exchange, &exchange->urls[i]);
    }
    end_one(exchange);
}

static void cancel_round(struct hf_task *task)
{
    struct httpcheck_exchange *exchange = HF_CONTAINER(task, struct httpcheck_exchange, cancel);
    bool is_running = exchange->running != 0;
    exchange->is_cancelled = true;
    exchange->running += is_running ? 1 : 0; /* the round does not end before this is done */
    for (size_t i = 0; i < exchange->url_count && is_running; i++) {
        if (exchange->urls[i].is_running) {
            hf_http_client_cancel(exchange->urls[i].peer->client, &exchange->urls[i].call);
        }
    }
    if (is_running) {
        end_one(exchange);
    }
}

/* ---- the scraper's thread ---- */

const struct httpcheck_url *httpcheck_exchange_run(struct httpcheck_exchange *exchange,
                                                   uint64_t deadline_ns, size_t *ret_count)
{
    exchange->deadline_ns = deadline_ns;
    exchange->begin.run = begin_round;
    hf_loop_post(exchange->loop, &exchange->begin);
    while (sem_wait(&exchange->done) != 0 && errno == EINTR) {
    }
    *ret_count = exchange->url_count;
    return exchange->urls;
}

void httpcheck_exchange_cancel(struct httpcheck_exchange *exchange)
{
    exchange->cancel.run = cancel_round;
    hf_loop_post(exchange->loop, &exchange->cancel);
}

/* ---- the main thread ---- */

static void on_reload_failed(void *user, const char *why)
{
    const struct httpcheck_peer *peer = user;
    hf_node_log(peer->exchange->node, HF_LOG_WARN,
                "reloading TLS files failed; keeping the previous certificate: %s", why);
}

static enum hf_status pack_body(struct httpcheck_peer *peer)
{
    const struct hf_http_client_config *http = &peer->target->http;
    const char *body = peer->target->body;
    const struct hf_slice plain = body != NULL ? hf_slice_text(body) : HF_EMPTY_SLICE;
    enum hf_coding coding = hf_http_client_coding(http);
    enum hf_status status = HF_OK;
    peer->piece = plain;
    if (plain.size != 0 && coding != HF_IDENTITY) {
        status = hf_encode(coding, (int)http->compression_params.level, &plain, 1, &peer->body);
        peer->piece = hf_slice_of(peer->body.data, peer->body.size);
    }
    return status;
}

static enum hf_status open_peer(struct httpcheck_exchange *exchange, struct httpcheck_peer *peer,
                                const struct httpcheck_target *target, char *reterr)
{
    char user_agent[HF_USER_AGENT_MAX];
    hf_user_agent(user_agent);
    peer->exchange = exchange;
    peer->target = target;
    struct hf_http_client_options options = hf_http_client_options(&target->http);
    options.loop = exchange->loop;
    options.user_agent = user_agent;
    options.follow = HF_HTTP_FOLLOW_ALL;
    options.keeps_certificate = exchange->wants_certificate;
    /* A kept connection no longer tells its certificate. */
    options.disable_keep_alives = options.disable_keep_alives || exchange->wants_certificate;
    options.on_reload_failed = on_reload_failed;
    options.user = peer;
    enum hf_status status = pack_body(peer);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return status;
    }
    status = httpcheck_validations_new(&target->validations, &peer->validations, reterr);
    if (status == HF_OK) {
        status = hf_auth_find_client(exchange->node, target->http.auth, &peer->auth, reterr);
    }
    return status == HF_OK ? hf_http_client_new(&options, &peer->client, reterr) : status;
}

static size_t count_urls(const struct httpcheck_target *target)
{
    const char *one = target->http.endpoint;
    return target->endpoints.count + (one != NULL && one[0] != '\0' ? 1 : 0);
}

static void add_urls(struct httpcheck_exchange *exchange, struct httpcheck_peer *peer)
{
    const struct httpcheck_target *target = peer->target;
    for (size_t i = 0; i < count_urls(target); i++) {
        struct httpcheck_url *url = &exchange->urls[exchange->url_count++];
        url->peer = peer;
        url->url = i < target->endpoints.count ? target->endpoints.items[i] : target->http.endpoint;
    }
}

static enum hf_status open_peers(struct httpcheck_exchange *exchange,
                                 const struct httpcheck_config *config, char *reterr)
{
    const struct httpcheck_target *targets = config->targets.items;
    size_t total = 0;
    for (size_t i = 0; i < config->targets.count; i++) {
        total += count_urls(&targets[i]);
    }
    exchange->peers = calloc(config->targets.count, sizeof(*exchange->peers));
    exchange->urls = calloc(total, sizeof(*exchange->urls));
    if (exchange->peers == NULL || exchange->urls == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < config->targets.count && status == HF_OK; i++) {
        struct httpcheck_peer *peer = &exchange->peers[exchange->peer_count++];
        status = open_peer(exchange, peer, &targets[i], reterr);
        add_urls(exchange, peer);
    }
    return status;
}

enum hf_status httpcheck_exchange_open(struct hf_node *node, const struct httpcheck_config *config,
                                       struct httpcheck_exchange **ret_exchange, char *reterr)
{
    struct httpcheck_exchange *exchange = calloc(1, sizeof(*exchange));
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (exchange == NULL) {
        return HF_NOMEM;
    }
    exchange->node = node;
    exchange->wants_certificate = config->wanted.metrics[HC_CERTIFICATE].enabled;
    sem_init(&exchange->done, 0, 0);
    enum hf_status status = hf_loop_new(&exchange->loop);
    status = status == HF_OK ? open_peers(exchange, config, reterr) : status;
    if (status == HF_OK) {
        status = hf_loop_start_thread(exchange->loop, "httpcheck");
    }
    if (status != HF_OK) {
        httpcheck_exchange_close(exchange);
        return status;
    }
    *ret_exchange = exchange;
    return HF_OK;
}

void httpcheck_exchange_close(struct httpcheck_exchange *exchange)
{
    if (exchange == NULL) {
        return;
    }
    if (exchange->loop != NULL) {
        hf_loop_join(exchange->loop);
    }
    for (size_t i = 0; i < exchange->peer_count; i++) {
        hf_http_client_free(exchange->peers[i].client);
        httpcheck_validations_free(exchange->peers[i].validations);
        hf_bytes_release(&exchange->peers[i].body);
    }
    for (size_t i = 0; i < exchange->url_count; i++) {
        hf_certificate_names_release(&exchange->urls[i].certificate);
        hf_bytes_release(&exchange->urls[i].body);
    }
    hf_loop_free(exchange->loop);
    sem_destroy(&exchange->done);
    free(exchange->peers);
    free(exchange->urls);
    free(exchange);
}
