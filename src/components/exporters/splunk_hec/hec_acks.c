#include "hec_acks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <holdfast/component.h>

#include "http/client.h"
#include "util/arena.h"
#include "util/compress/compress.h"
#include "util/header_list.h"
#include "util/loop.h"
#include "util/time/clock.h"
#include "json/json.h"

#define IDS_MAX 500 /* of one question */
#define ANSWER_BYTES_MAX ((size_t)1 << 20)

struct wait {
    struct wait *next;
    struct hf_export *export;
    uint64_t id, left_out;
    uint64_t due_ns; /* monotonic */
    bool is_asked;   /* in the question that is under way */
};

struct hec_acks {
    const struct hf_node *node;
    const struct hec_config *config;
    struct hf_loop *loop;
    struct hf_http_client *client;
    struct hf_auth_ref auth;
    struct hf_timer timer;
    struct wait *first, **end;
    bool is_asking;
    struct hf_http_call call;
    struct hf_bytes body;
    struct hf_slice piece;
    struct hf_header_list headers;
    struct hf_arena arena;
    char channel[HEC_CHANNEL_MAX], url[1024], authorization[512], user_agent[HF_USER_AGENT_MAX];
};

static void ask(struct hec_acks *acks);

static void set_timer(struct hec_acks *acks)
{
    uint64_t due_ns = hf_loop_now_ns(acks->loop) + acks->config->ack.interval_ns;
    enum hf_status status = hf_loop_timer_set(acks->loop, &acks->timer, due_ns);
    (void)status; /* its place was taken in new() */
}

static void fire(struct hf_timer *timer, uint64_t now_ns)
{
    struct hec_acks *acks = HF_CONTAINER(timer, struct hec_acks, timer);
    (void)now_ns;
    if (!acks->is_asking && acks->first != NULL) {
        ask(acks);
    }
}

/* Ends the wait that `at` points to. */
static void end_wait(struct hec_acks *acks, struct wait **at, enum hf_status status,
                     const char *message)
{
    struct wait *wait = *at;
    struct hf_outcome outcome = {.status = status, .message = message};
    if (status == HF_OK && wait->left_out != 0) {
        outcome.rejected_items = wait->left_out;
        outcome.message = "items that have no form in Splunk were left out";
    }
    *at = wait->next;
    if (wait->next == NULL) {
        acks->end = at;
    }
    hf_export_done(wait->export, &outcome);
    free(wait);
}

static bool is_indexed(const struct hf_json *known, uint64_t id)
{
    char key[24];
    snprintf(key, sizeof(key), "%" PRIu64, id);
    return hf_json_bool(hf_json_get(known, key));
}

/* Exports that end may begin others, which are added behind. */
static void settle(struct hec_acks *acks, const struct hf_json *known)
{
    uint64_t now_ns = hf_loop_now_ns(acks->loop);
    struct wait **at = &acks->first;
    while (*at != NULL) {
        struct wait *wait = *at;
        bool is_good = wait->is_asked && known != NULL && is_indexed(known, wait->id);
        wait->is_asked = false;
        if (is_good) {
            end_wait(acks, at, HF_OK, NULL);
        } else if (now_ns >= wait->due_ns) {
            end_wait(acks, at, HF_AGAIN,
                     "Splunk did not acknowledge the events within ack::timeout");
        } else {
            at = &wait->next;
        }
    }
}

static void on_answer(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct hec_acks *acks = HF_CONTAINER(call, struct hec_acks, call);
    const struct hf_json *root = NULL;
    char error[HF_JSON_ERROR_MAX];
    acks->is_asking = false;
    if (result->status == HF_CLOSED) {
        return;
    }
    if (result->status == HF_OK && result->code == 200) {
        if (hf_json_read(result->body, &acks->arena, &root, error) != HF_OK) {
            root = NULL;
        }
    } else {
        hf_node_log(acks->node, HF_LOG_WARN, "asking for acknowledgements failed: %s (%d)",
                    result->error != NULL ? result->error : "HTTP status", result->code);
    }
    settle(acks, root != NULL ? hf_json_get(root, "acks") : NULL);
    hf_arena_reset(&acks->arena);
    if (acks->first != NULL) {
        set_timer(acks);
    }
}

static bool make_body(struct hec_acks *acks)
{
    char text[32];
    int count = 0;
    acks->body.size = 0;
    bool good = hf_bytes_append(&acks->body, hf_slice_text("{\"acks\":[")) == HF_OK;
    for (struct wait *wait = acks->first; wait != NULL && good && count < IDS_MAX;
         wait = wait->next) {
        snprintf(text, sizeof(text), "%s%" PRIu64, count++ != 0 ? "," : "", wait->id);
        wait->is_asked = true;
        good = hf_bytes_append(&acks->body, hf_slice_text(text)) == HF_OK;
    }
    good = good && hf_bytes_append(&acks->body, hf_slice_text("]}")) == HF_OK;
    acks->piece = hf_slice_of(acks->body.data, acks->body.size);
    return good;
}

static enum hf_status list_headers(struct hec_acks *acks)
{
    struct hf_header_sink *sink = &acks->headers.sink;
    enum hf_status status =
        hf_header_list_fill(&acks->headers, HF_HEADERS_HTTP, &acks->config->http.headers,
                            acks->auth.ops, acks->auth.self, HF_EMPTY_SLICE);
    if (status == HF_OK) {
        status =
            sink->add(sink, hf_slice_text("authorization"), hf_slice_text(acks->authorization));
    }
    if (status == HF_OK) {
        status = sink->add(sink, hf_slice_text("x-splunk-request-channel"),
                           hf_slice_text(acks->channel));
    }
    return status;
}

static void ask(struct hec_acks *acks)
{
    if (!make_body(acks) || list_headers(acks) != HF_OK) {
        settle(acks, NULL);
        set_timer(acks);
        return;
    }
    uint64_t wait_ns = 10 * HF_NS_PER_S;
    acks->is_asking = true;
    acks->call = (struct hf_http_call){
        .method = "POST",
        .url = acks->url,
        .content_type = "application/json",
        .pieces = &acks->piece,
        .piece_count = 1,
        .headers = acks->headers.items,
        .header_count = acks->headers.count,
        .deadline_ns = hf_clock_monotonic_ns() + wait_ns,
        .done = on_answer,
    };
    hf_http_client_call(acks->client, &acks->call);
}

enum hf_status hec_acks_wait(struct hec_acks *acks, struct hf_export *export, uint64_t id,
                             uint64_t left_out)
{
    struct wait *wait = calloc(1, sizeof(*wait));
    if (wait == NULL) {
        return HF_NOMEM;
    }
    wait->export = export;
    wait->id = id;
    wait->left_out = left_out;
    wait->due_ns = hf_loop_now_ns(acks->loop) + acks->config->ack.timeout_ns;
    bool is_first = acks->first == NULL;
    *acks->end = wait;
    acks->end = &wait->next;
    if (is_first && !acks->is_asking) {
        set_timer(acks);
    }
    return HF_OK;
}

const char *hec_acks_channel(const struct hec_acks *acks)
{
    return acks->channel;
}

/* A random UUID. */
static bool make_channel(struct hec_acks *acks)
{
    uint8_t random[16];
    size_t used = 0;
    if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
        return false;
    }
    random[6] = (uint8_t)((random[6] & 0x0f) | 0x40);
    random[8] = (uint8_t)((random[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof(random); i++) {
        bool is_cut = i == 4 || i == 6 || i == 8 || i == 10;
        used += (size_t)snprintf(acks->channel + used, sizeof(acks->channel) - used,
                                 is_cut ? "-%02x" : "%02x", random[i]);
    }
    return true;
}

/* The host of the endpoint, and the path of acknowledgements. */
static void make_url(struct hec_acks *acks)
{
    const char *endpoint = acks->config->http.endpoint;
    const char *host = strstr(endpoint, "://");
    size_t size = host != NULL ? (size_t)(host + 3 - endpoint) : 0;
    size += strcspn(endpoint + size, "/?#");
    snprintf(acks->url, sizeof(acks->url), "%.*s%s?channel=%s", (int)size, endpoint,
             acks->config->ack.path, acks->channel);
}

enum hf_status hec_acks_new(const struct hf_node *node, const struct hec_config *config,
                            struct hec_acks **ret_acks, char *reterr)
{
    struct hec_acks *acks = calloc(1, sizeof(*acks));
    if (acks == NULL || !make_channel(acks)) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the acknowledgements");
        free(acks);
        return HF_NOMEM;
    }
    acks->node = node;
    acks->config = config;
    acks->loop = hf_node_own_loop(node);
    acks->end = &acks->first;
    acks->timer.fire = fire;
    acks->arena.limit = 4 * ANSWER_BYTES_MAX;
    make_url(acks);
    snprintf(acks->authorization, sizeof(acks->authorization), "Splunk %s", config->token);
    hf_user_agent(acks->user_agent);
    struct hf_http_client_options options = hf_http_client_options(&config->http);
    options.loop = acks->loop;
    options.user_agent = acks->user_agent;
    options.response_bytes_max = ANSWER_BYTES_MAX;
    enum hf_status status = hf_auth_find_client(node, config->http.auth, &acks->auth, reterr);
    status = status == HF_OK ? hf_http_client_new(&options, &acks->client, reterr) : status;
    if (status == HF_OK) {
        status = hf_loop_timer_set(acks->loop, &acks->timer, UINT64_MAX);
    }
    if (status != HF_OK) {
        hec_acks_free(acks);
        return status;
    }
    *ret_acks = acks;
    return HF_OK;
}

void hec_acks_free(struct hec_acks *acks)
{
    if (acks == NULL) {
        return;
    }
    hf_http_client_free(acks->client);
    hf_loop_timer_stop(acks->loop, &acks->timer);
    while (acks->first != NULL) {
        end_wait(acks, &acks->first, HF_CLOSED, NULL);
    }
    hf_bytes_release(&acks->body);
    hf_arena_release(&acks->arena);
    free(acks);
}
