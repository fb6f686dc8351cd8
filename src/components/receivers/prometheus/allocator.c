#include "allocator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "discovery.h"
#include "job.h"
#include "prometheus/late_config.h"
#include "request.h"
#include "util/time/clock.h"
#include "json/json.h"

#define ANSWER_BYTES_MAX (64u << 20)
#define TIMEOUT_NS (30 * HF_NS_PER_S)
#define JOBS_MAX 10000u

/* What one answer has: kept as long as a job of it. */
struct answer {
    struct hf_late_config *config;
    size_t refs;
};

struct allocated {
    struct allocated *next;
    struct prom_job_state state;
    struct prom_job job; /* as it was handed out, but for its discovery */
    struct prom_http_sd sd;
    char *url; /* of its targets */
    struct answer *answer;
    uint64_t hash;
    bool is_wanted;
};

struct prom_allocator {
    struct prom_receiver *receiver;
    const struct prom_allocator_config *config;
    struct prom_http http;
    struct prom_http_header *headers; /* of the key headers; NULL: none */
    const char **header_names;
    struct prom_client client;
    char url[PROM_URL_MAX];
    struct hf_timer timer;
    struct hf_http_call call;
    struct prom_request request;
    bool is_asking, has_ended;
    struct allocated *jobs;
};

static void say(const struct prom_allocator *allocator, const char *why)
{
    struct prom_receiver *receiver = allocator->receiver;
    if (hf_log_limiter_allows(&receiver->said, allocator->url, why, hf_clock_coarse_ns())) {
        hf_node_log(receiver->node, HF_LOG_WARN,
                    "target_allocator: reading %s failed, keeping the jobs that are known: %s",
                    allocator->url, why);
    }
}

/* ---- one job ---- */

static void drop_answer(struct answer *answer)
{
    if (--answer->refs == 0) {
        hf_late_config_free(answer->config);
        free(answer);
    }
}

static void free_job(struct allocated *job)
{
    prom_discovery_free(&job->state);
    prom_job_close(&job->state);
    drop_answer(job->answer);
    free(job->url);
    free(job);
}

/* "ENDPOINT/jobs/NAME/targets?collector_id=ID", escaped; malloc'd. */
static char *targets_url(const struct prom_allocator_config *config, const char *name)
{
    static const char hex[] = "0123456789ABCDEF";
    const char *pieces[] = {name, config->collector_id};
    size_t size = strlen(config->endpoint) + 3 * (strlen(name) + strlen(config->collector_id)) + 64;
    char *url = malloc(size);
    if (url == NULL) {
        return NULL;
    }
    size_t used = (size_t)snprintf(url, size, "%s/jobs/", config->endpoint);
    for (int i = 0; i < 2; i++) {
        for (const char *at = pieces[i]; *at != '\0'; at++) {
            unsigned char c = (unsigned char)*at;
            bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || strchr("-_.~", c) != NULL;
            if (!is_plain) {
                url[used++] = '%';
                url[used++] = hex[c >> 4];
            }
            url[used++] = is_plain ? (char)c : hex[c & 15];
        }
        used +=
            (size_t)snprintf(url + used, size - used, "%s", i == 0 ? "/targets?collector_id=" : "");
    }
    url[used] = '\0';
    return url;
}

static struct allocated *make_job(struct prom_allocator *allocator, const struct prom_job *config,
                                  const char *name, char *reterr)
{
    const struct prom_global *global = &allocator->receiver->config->prometheus.global;
    struct allocated *job = calloc(1, sizeof(*job));
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (job == NULL) {
        return NULL;
    }
    job->url = targets_url(allocator->config, name);
    job->sd = (struct prom_http_sd){.url = job->url,
                                    .refresh_interval = allocator->config->sd.refresh_interval,
                                    .http = allocator->http};
    job->job = *config;
    job->job.statics = job->job.files = job->job.dns = job->job.kubernetes =
        (struct hf_struct_list){0};
    job->job.https = (struct hf_struct_list){.items = &job->sd, .count = 1};
    const char *why = prom_check_job(global, &job->job);
    if (why != NULL) {
        snprintf(reterr, HF_ERROR_MAX, "%s", why);
    }
    bool is_open = job->url != NULL && why == NULL;
    if (!is_open || prom_job_open(allocator->receiver, &job->job, &job->state, reterr) != HF_OK ||
        prom_discovery_make(&job->state, reterr) != HF_OK) {
        if (is_open) {
            prom_discovery_free(&job->state);
            prom_job_close(&job->state);
        }
        free(job->url);
        free(job);
        return NULL;
    }
    return job;
}

/* ---- an answer ---- */

/* Of a value and all in it, whatever the order of a map's keys. */
static uint64_t hash_of(const struct hf_json *value)
{
    uint64_t hash = hf_prom_hash(value->key, (uint64_t)value->kind + 7);
    uint64_t place = 1;
    if (value->kind == HF_JSON_STRING) {
        return hf_prom_hash(value->text, hash);
    }
    if (value->kind != HF_JSON_LIST && value->kind != HF_JSON_MAP) {
        uint64_t bits = 0;
        memcpy(&bits, &value->integer, value->kind == HF_JSON_BOOL ? 1 : sizeof(bits));
        return hash ^ bits * UINT64_C(0x9e3779b97f4a7c15);
    }
    for (const struct hf_json *item = value->first; item != NULL; item = item->next) {
        hash += hash_of(item) * (value->kind == HF_JSON_LIST ? place++ * 2 + 1 : 1);
    }
    return hash;
}

static struct allocated *find_job(const struct prom_allocator *allocator, uint64_t hash)
{
    struct allocated *job = allocator->jobs;
    while (job != NULL && job->hash != hash) {
        job = job->next;
    }
    return job;
}

static void drop_unwanted(struct prom_allocator *allocator)
{
    for (struct allocated **at = &allocator->jobs; *at != NULL;) {
        struct allocated *job = *at;
        if (job->is_wanted) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        prom_discovery_stop(&job->state);
        prom_job_set_targets(&job->state, NULL, 0);
        free_job(job);
    }
}

/* Makes the jobs that are new in the answer, puts them into `ret_new`, and marks all others. */
static void compare(struct prom_allocator *allocator, struct answer *answer,
                    const struct hf_json *root, struct allocated **ret_new)
{
    const struct hf_struct_map *map = hf_late_config_map(answer->config);
    const struct prom_job *jobs = map->items;
    for (size_t i = 0; i < map->count && i < JOBS_MAX; i++) {
        const struct hf_json *json = hf_json_get(root, map->keys[i]);
        uint64_t hash = json != NULL ? hash_of(json) : 0;
        struct allocated *job = find_job(allocator, hash);
        if (job == NULL) {
            char why[HF_ERROR_MAX];
            job = make_job(allocator, &jobs[i], map->keys[i], why);
            if (job == NULL) {
                say(allocator, why);
                continue;
            }
            job->answer = answer;
            answer->refs++;
            job->hash = hash;
            job->next = *ret_new;
            *ret_new = job;
        }
        job->is_wanted = true;
    }
}

static enum hf_status take_jobs(struct prom_allocator *allocator, struct hf_slice body, char *why)
{
    struct hf_arena arena = {.limit = 4 * (size_t)ANSWER_BYTES_MAX};
    const struct hf_json *root = NULL;
    struct allocated *fresh = NULL;
    struct answer *answer = calloc(1, sizeof(*answer));
    enum hf_status status = answer != NULL ? HF_OK : HF_NOMEM;
    if (status == HF_OK) {
        answer->refs = 1;
        status = hf_json_read(body, &arena, &root, why);
    }
    if (status == HF_OK) {
        status = hf_late_config_read(body, prom_job_fields, sizeof(struct prom_job),
                                     &answer->config, why);
    }
    if (status == HF_OK) {
        for (struct allocated *job = allocator->jobs; job != NULL; job = job->next) {
            job->is_wanted = false;
        }
        compare(allocator, answer, root, &fresh);
        drop_unwanted(allocator);
        while (fresh != NULL) {
            struct allocated *job = fresh;
            fresh = job->next;
            job->next = allocator->jobs;
            allocator->jobs = job;
            prom_discovery_start(&job->state);
        }
    }
    if (answer != NULL) {
        drop_answer(answer);
    }
    hf_arena_release(&arena);
    return status;
}

/* ---- asking ---- */

static void on_answer(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct prom_allocator *allocator = HF_CONTAINER(call, struct prom_allocator, call);
    char why[HF_LATE_CONFIG_ERROR_MAX] = "out of memory";
    allocator->is_asking = false;
    if (allocator->has_ended) {
        return;
    }
    prom_client_answered(&allocator->client, result->code);
    if (result->status != HF_OK) {
        say(allocator, result->error != NULL ? result->error : "no connection");
    } else if (result->code != 200 || result->body.size > ANSWER_BYTES_MAX) {
        snprintf(why, sizeof(why), "HTTP status %d, %zu bytes", result->code, result->body.size);
        say(allocator, why);
    } else if (take_jobs(allocator, result->body, why) != HF_OK) {
        say(allocator, why);
    }
    if (hf_loop_timer_set(allocator->receiver->loop, &allocator->timer,
                          hf_clock_monotonic_ns() + allocator->config->interval_ns) != HF_OK) {
        say(allocator, "out of memory");
    }
}

static void ask(struct prom_allocator *allocator)
{
    allocator->request.header_count = 0;
    prom_request_fill(&allocator->request, &allocator->client, "application/json", 0);
    allocator->call = (struct hf_http_call){
        .method = "GET",
        .url = allocator->url,
        .headers = allocator->request.headers,
        .header_count = allocator->request.header_count,
        .deadline_ns = hf_clock_monotonic_ns() + TIMEOUT_NS,
        .done = on_answer,
    };
    allocator->is_asking = true;
    hf_http_client_call(allocator->client.client, &allocator->call);
}

static void fire(struct hf_timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    ask(HF_CONTAINER(timer, struct prom_allocator, timer));
}

void prom_allocator_start(struct prom_allocator *allocator)
{
    if (allocator != NULL) {
        ask(allocator);
    }
}

void prom_allocator_stop(struct prom_allocator *allocator)
{
    if (allocator == NULL) {
        return;
    }
    allocator->has_ended = true;
    hf_loop_timer_stop(allocator->receiver->loop, &allocator->timer);
    if (allocator->is_asking) {
        hf_http_client_cancel(allocator->client.client, &allocator->call);
    }
    for (struct allocated *job = allocator->jobs; job != NULL; job = job->next) {
        prom_discovery_stop(&job->state);
        prom_job_abandon_targets(&job->state);
    }
}

/* ---- the main thread ---- */

/* The headers as a client has them. False: no memory. */
static bool set_headers(struct prom_allocator *allocator)
{
    const struct hf_string_map *wanted = &allocator->config->headers;
    if (wanted->count == 0) {
        return true;
    }
    allocator->headers = calloc(wanted->count, sizeof(*allocator->headers));
    allocator->header_names = calloc(wanted->count, sizeof(*allocator->header_names));
    if (allocator->headers == NULL || allocator->header_names == NULL) {
        return false;
    }
    for (size_t i = 0; i < wanted->count; i++) {
        allocator->header_names[i] = wanted->items[i].key;
        allocator->headers[i].values = (struct hf_string_list){&wanted->items[i].value, 1};
    }
    allocator->http.headers = (struct hf_struct_map){
        .keys = allocator->header_names, .items = allocator->headers, .count = wanted->count};
    return true;
}

enum hf_status prom_allocator_new(struct prom_receiver *receiver,
                                  struct prom_allocator **ret_allocator, char *reterr)
{
    const struct prom_allocator_config *config = receiver->config->allocator;
    struct prom_allocator *allocator = calloc(1, sizeof(*allocator));
    if (allocator == NULL) {
        return HF_NOMEM;
    }
    allocator->receiver = receiver;
    allocator->config = config;
    allocator->timer.fire = fire;
    snprintf(allocator->url, sizeof(allocator->url), "%s/scrape_configs", config->endpoint);
    allocator->http = config->sd.http;
    allocator->http.proxy_from_environment = true; /* as clients that are not Prometheus' */
    if (config->proxy_url != NULL) {
        allocator->http.proxy_url = config->proxy_url;
    }
    *ret_allocator = allocator;
    if (!set_headers(allocator)) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    if (config->tls.ca_file != NULL || config->tls.ca_pem != NULL ||
        config->tls.cert_file != NULL || config->tls.cert_pem != NULL ||
        config->tls.insecure_skip_verify) {
        allocator->http.tls = (struct prom_tls){
            .ca_file = config->tls.ca_file,
            .cert_file = config->tls.cert_file,
            .key_file = config->tls.key_file,
            .ca = config->tls.ca_pem,
            .cert = config->tls.cert_pem,
            .key = config->tls.key_pem,
            .server_name = config->tls.server_name,
            .insecure_skip_verify = config->tls.insecure_skip_verify,
        };
    }
    const struct prom_client_options options = {
        .receiver = receiver,
        .what = "target_allocator",
        .http = &allocator->http,
        .accept_gzip = true,
        .response_bytes_max = ANSWER_BYTES_MAX + 1,
    };
    return prom_client_open(&options, &allocator->client, reterr);
}

void prom_allocator_free(struct prom_allocator *allocator)
{
    if (allocator == NULL) {
        return;
    }
    while (allocator->jobs != NULL) {
        struct allocated *job = allocator->jobs;
        allocator->jobs = job->next;
        free_job(job);
    }
    prom_client_close(&allocator->client);
    free(allocator->headers);
    free(allocator->header_names);
    free(allocator);
}
