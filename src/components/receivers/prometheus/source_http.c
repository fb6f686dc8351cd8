/*
 * source_http: a list of targets that a server answers, as JSON, asked at an interval. While it
 * cannot be had the last one stays.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "request.h"
#include "source.h"
#include "util/time/clock.h"

#define ANSWER_BYTES_MAX (64u << 20)
#define TIMEOUT_NS (30 * HF_NS_PER_S)

struct http_source {
    struct prom_source source; /* first */
    const struct prom_http_sd *config;
    struct prom_client client;
    struct hf_timer timer;
    uint64_t interval_ns;
    struct hf_http_call call;
    struct prom_request request;
    char interval_text[32];
    bool is_asking, has_ended;
    struct hf_arena arena; /* of what was found */
};

static void wait_for_next(struct http_source *http)
{
    if (hf_loop_timer_set(http->source.job->receiver->loop, &http->timer,
                          hf_clock_monotonic_ns() + http->interval_ns) != HF_OK) {
        prom_source_say(&http->source, http->config->url, "out of memory");
    }
}

static void take_list(struct http_source *http, struct hf_slice body)
{
    struct hf_arena arena = {.limit = PROM_SOURCE_BYTES_MAX};
    struct hf_target_group *groups = NULL;
    struct prom_found *found = NULL;
    size_t group_count = 0, count = 0;
    char why[HF_TARGET_GROUPS_ERROR_MAX];
    const struct hf_prom_label more = {hf_slice_text("__meta_url"),
                                       hf_slice_text(http->config->url)};
    enum hf_status status = hf_target_groups_read_json(body, &arena, &groups, &group_count, why);
    if (status == HF_OK &&
        !prom_source_expand(groups, group_count, &more, &arena, &found, &count)) {
        snprintf(why, sizeof(why), "out of memory for its targets");
        status = HF_NOMEM;
    }
    if (status != HF_OK) {
        prom_source_say(&http->source, http->config->url, why);
        hf_arena_release(&arena);
        return;
    }
    prom_source_report(&http->source, found, count);
    hf_arena_release(&http->arena);
    http->arena = arena;
}

static void on_answer(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct http_source *http = HF_CONTAINER(call, struct http_source, call);
    char why[64];
    http->is_asking = false;
    if (http->has_ended) {
        return;
    }
    prom_client_answered(&http->client, result->code);
    if (result->status != HF_OK) {
        prom_source_say(&http->source, http->config->url,
                        result->error != NULL ? result->error
                                              : hf_status_row(result->status)->says);
    } else if (result->code != 200 || result->body.size > ANSWER_BYTES_MAX) {
        snprintf(why, sizeof(why), result->code != 200 ? "HTTP status %d" : "it is too large (%d)",
                 result->code);
        prom_source_say(&http->source, http->config->url, why);
    } else {
        take_list(http, result->body);
    }
    wait_for_next(http);
}

static void ask(struct http_source *http)
{
    http->request.header_count = 0;
    prom_request_fill(&http->request, &http->client, "application/json", 0);
    http->request.headers[http->request.header_count++] = (struct hf_header){
        hf_slice_text("x-prometheus-refresh-interval-seconds"), hf_slice_text(http->interval_text)};
    http->call = (struct hf_http_call){
        .method = "GET",
        .url = http->config->url,
        .headers = http->request.headers,
        .header_count = http->request.header_count,
        .deadline_ns = hf_clock_monotonic_ns() + TIMEOUT_NS,
        .done = on_answer,
    };
    http->is_asking = true;
    hf_http_client_call(http->client.client, &http->call);
}

static void fire(struct hf_timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    ask(HF_CONTAINER(timer, struct http_source, timer));
}

static void start(struct prom_source *source)
{
    ask((struct http_source *)source);
}

static void stop(struct prom_source *source)
{
    struct http_source *http = (struct http_source *)source;
    http->has_ended = true;
    hf_loop_timer_stop(source->job->receiver->loop, &http->timer);
    if (http->is_asking) {
        hf_http_client_cancel(http->client.client, &http->call);
    }
    prom_client_close(&http->client);
}

static void free_source(struct prom_source *source)
{
    struct http_source *http = (struct http_source *)source;
    prom_client_close(&http->client);
    hf_arena_release(&http->arena);
    free(http);
}

struct prom_source *prom_source_http(struct prom_job_state *job, const struct prom_http_sd *config,
                                     char *reterr)
{
    static const struct prom_source_ops ops = {start, stop, free_source};
    struct http_source *http = calloc(1, sizeof(*http));
    if (http == NULL) {
        return NULL;
    }
    http->source = (struct prom_source){.ops = &ops, .job = job, .kind = "http_sd"};
    http->config = config;
    http->timer.fire = fire;
    if (!prom_duration(config->refresh_interval, &http->interval_ns)) {
        http->interval_ns = 60 * HF_NS_PER_S;
    }
    snprintf(http->interval_text, sizeof(http->interval_text), "%.9g",
             (double)http->interval_ns / 1e9);
    const struct prom_client_options options = {
        .receiver = job->receiver,
        .what = job->config->job_name,
        .http = &config->http,
        .accept_gzip = true,
        .response_bytes_max = ANSWER_BYTES_MAX + 1,
    };
    if (prom_client_open(&options, &http->client, reterr) != HF_OK) {
        prom_client_close(&http->client);
        free(http);
        return NULL;
    }
    return &http->source;
}
