/*
 * awsecscontainermetrics: what the task metadata endpoint of ECS, version 4, tells of the task that
 * this process runs in and of its containers, asked for at an interval.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "http/fetch.h"
#include "support/probe/probe_server.h"
#include "support/scrape/scraper.h"
#include "task_metrics.h"
#include "util/time/clock.h"

#define ENDPOINT "ECS_CONTAINER_METADATA_URI_V4"
#define JSON_BYTES_MAX (64u << 20)
#define ANSWER_BYTES_MAX ((size_t)4 << 20)
#define FETCH_NS_MAX (10 * HF_NS_PER_S)
#define URL_MAX 1024

struct ecs_config {
    struct hf_scraper_config scraper; /* first: the scraper's */
};

struct ecs {
    const struct ecs_config *config;
    struct hf_http_fetcher *fetcher;
    struct hf_scraper *scraper;
    char task_url[URL_MAX], stats_url[URL_MAX];
    struct hf_arena json; /* the scraper's thread, as the next */
    struct hf_http_fetched task, stats;
};

/* ---- the scrape; the scraper's thread ---- */

static uint64_t time_left(const struct hf_scrape *scrape)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    uint64_t left_ns = scrape->deadline_ns > now_ns ? scrape->deadline_ns - now_ns : 1;
    return left_ns < FETCH_NS_MAX ? left_ns : FETCH_NS_MAX;
}

/* A map; NULL: counted and logged, or the process stops. */
static const struct hf_json *ask(struct ecs *ecs, struct hf_scrape *scrape, const char *url,
                                 struct hf_http_fetched *fetched)
{
    const struct hf_http_fetch fetch = {
        .method = "GET", .url = url, .timeout_ns = time_left(scrape)};
    const struct hf_json *json = NULL;
    char why[HF_JSON_ERROR_MAX] = "the answer is no map";
    enum hf_status status = hf_http_fetch(ecs->fetcher, &fetch, fetched);
    if (status == HF_CLOSED) {
        return NULL;
    }
    if (status != HF_OK) {
        snprintf(why, sizeof(why), "%s", fetched->why);
    } else if (fetched->code != 200) {
        snprintf(why, sizeof(why), "the answer is %d", fetched->code);
    } else if (hf_json_read(hf_slice_of(fetched->body.data, fetched->body.size), &ecs->json, &json,
                            why) == HF_OK &&
               json->kind == HF_JSON_MAP) {
        return json;
    }
    hf_scrape_failed(scrape, 0, 1, "asking %.200s failed: %s", url, why);
    return NULL;
}

static void scrape(void *user, struct hf_scrape *scrape)
{
    struct ecs *ecs = user;
    const struct hf_json *task = ask(ecs, scrape, ecs->task_url, &ecs->task);
    const struct hf_json *stats =
        task != NULL ? ask(ecs, scrape, ecs->stats_url, &ecs->stats) : NULL;
    if (stats != NULL) {
        hf_scrape_count(scrape, 0, ecs_task_write(scrape->builder, task, stats, scrape->now_ns));
    }
    hf_arena_reset(&ecs->json);
}

/* ---- life; the main thread ---- */

static void close_ecs(void *self)
{
    struct ecs *ecs = self;
    hf_scraper_free(ecs->scraper);
    hf_http_fetcher_free(ecs->fetcher);
    hf_arena_release(&ecs->json);
    hf_bytes_release(&ecs->task.body);
    hf_bytes_release(&ecs->stats.body);
    free(ecs);
}

static bool find_endpoint(struct ecs *ecs, char *reterr)
{
    const char *base = getenv(ENDPOINT);
    if (base == NULL || !hf_http_is_url(base)) {
        snprintf(reterr, HF_ERROR_MAX,
                 "the environment variable " ENDPOINT
                 " has no URL of the task metadata endpoint; does this run in a task of ECS, with "
                 "platform version 1.4.0 or agent 1.39.0 at least?");
        return false;
    }
    int task = snprintf(ecs->task_url, URL_MAX, "%s/task", base);
    int stats = snprintf(ecs->stats_url, URL_MAX, "%s/task/stats", base);
    if (task < 0 || stats < 0 || stats >= URL_MAX) {
        snprintf(reterr, HF_ERROR_MAX, "the URL in " ENDPOINT " is too long");
        return false;
    }
    return true;
}

static enum hf_status open_ecs(struct hf_node *node, const void *config, void **ret_self,
                               char *reterr)
{
    static const char *const sources[] = {"awsecscontainermetrics"};
    static const struct hf_http_client_options client = {.user_agent = "holdfast/" HF_VERSION,
                                                         .response_bytes_max = ANSWER_BYTES_MAX,
                                                         .max_conns = 1};
    struct ecs *ecs = calloc(1, sizeof(*ecs));
    if (ecs == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    ecs->config = config;
    ecs->json = (struct hf_arena){.limit = JSON_BYTES_MAX};
    enum hf_status status = find_endpoint(ecs, reterr) ? HF_OK : HF_INVALID;
    if (status == HF_OK) {
        status = hf_http_fetcher_new(&client, &ecs->fetcher, reterr);
    }
    if (status == HF_OK) {
        const struct hf_scraper_options options = {.node = node,
                                                   .config = &ecs->config->scraper,
                                                   .signal = HF_METRICS,
                                                   .sources = sources,
                                                   .source_count = 1,
                                                   .scrape = scrape,
                                                   .user = ecs};
        status = hf_scraper_new(&options, &ecs->scraper, reterr);
    }
    if (status != HF_OK) {
        close_ecs(ecs);
        return status;
    }
    *ret_self = ecs;
    return HF_OK;
}

static enum hf_status start_ecs(void *self, char *reterr)
{
    struct ecs *ecs = self;
    return hf_scraper_start(ecs->scraper, reterr);
}

static void stop_ecs(void *self)
{
    struct ecs *ecs = self;
    hf_http_fetcher_stop(ecs->fetcher);
    hf_scraper_stop(ecs->scraper);
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const char *base = getenv(ENDPOINT);
    const struct hf_http_client_config http = {.endpoint = base};
    (void)from;
    if (base == NULL || !hf_http_is_url(base)) {
        hf_probe_say(probe, "environment", ENDPOINT, HF_PROBE_FAILED,
                     "has no URL of the task metadata endpoint");
    } else {
        hf_probe_http_client(probe, &http, NULL);
    }
}

static const struct hf_field fields[] = {
    HF_SCRAPER_FIELDS("20s"),
    HF_FIELDS_END,
};

const struct hf_component hf_receiver_awsecscontainermetrics = {
    .type = "awsecscontainermetrics",
    .help = "Measures the task of Amazon ECS that it runs in, and its containers, by the task "
            "metadata endpoint version 4, whose URL is in the environment variable " ENDPOINT ".",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct ecs_config),
    .fields = fields,
    .probe = probe_outside,
    .open = open_ecs,
    .start = start_ecs,
    .stop = stop_ecs,
    .close = close_ecs,
};
