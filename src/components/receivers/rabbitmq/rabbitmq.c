/*
 * rabbitmq: queues and nodes of RabbitMQ, from its management API, asked for at an interval.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "management.h"
#include "support/probe/probe_server.h"
#include "support/scrape/http_asker.h"
#include "support/scrape/server_scraper.h"

#define ANSWER_BYTES_MAX (64u << 20)
#define JSON_BYTES_MAX ((size_t)512 << 20)
#define CLUSTER_NAME_ROOM 1024

struct rabbitmq_config {
    struct hf_scraper_config scraper; /* first: the scraper's */
    struct hf_http_client_config http;
    const char *username, *password;
    struct rabbitmq_wanted wanted;
};

struct rabbitmq {
    struct hf_server_scraper server; /* first */
    const struct rabbitmq_config *config;
    struct hf_http_asker *asker;
    struct hf_arena json; /* the scraper's thread */
};

/* ---- the scrape; the scraper's thread ---- */

/* The list or object at a path. NULL: counted and logged, or stopping. */
static const struct hf_json *ask(struct rabbitmq *rabbitmq, struct hf_scrape *scrape,
                                 const char *path, enum hf_json_kind kind)
{
    const char *endpoint = rabbitmq->config->http.endpoint;
    size_t size = strlen(endpoint);
    char url[HF_URL_MAX], why[HF_ERROR_MAX];
    const struct hf_json *json = NULL;
    struct hf_slice body;
    bool has_slash = size != 0 && endpoint[size - 1] == '/';
    snprintf(url, sizeof(url), "%.*s%s", (int)(has_slash ? size - 1 : size), endpoint, path);
    enum hf_status status =
        hf_http_asker_get(rabbitmq->asker, url, scrape->deadline_ns, &body, why);
    hf_arena_reset(&rabbitmq->json);
    if (status == HF_OK) {
        status = hf_json_read(body, &rabbitmq->json, &json, why);
    }
    if (status == HF_CLOSED) {
        return NULL;
    }
    if (status == HF_OK && json->kind != kind) {
        snprintf(why, sizeof(why), "the answer is no %s", kind == HF_JSON_LIST ? "list" : "object");
        status = HF_INVALID;
    }
    if (status != HF_OK) {
        hf_scrape_failed(scrape, 0, 1, "asking %.200s failed: %s", url, why);
        return NULL;
    }
    return json;
}

static bool wants_nodes(const struct rabbitmq_wanted *wanted)
{
    bool any = false;
    for (unsigned id = RABBITMQ_NODE_METRICS_AT; id < RABBITMQ_METRIC_COUNT; id++) {
        any = any || wanted->metrics[id].enabled;
    }
    return any;
}

/* In `room`, since the next answer takes the place of this one. */
static struct hf_slice cluster_name(struct rabbitmq *rabbitmq, struct hf_scrape *scrape,
                                    char room[CLUSTER_NAME_ROOM])
{
    room[0] = '\0';
    if (rabbitmq->config->wanted.resources[RABBITMQ_CLUSTER_NAME].enabled) {
        struct hf_slice name =
            hf_json_text_of(ask(rabbitmq, scrape, "/api/cluster-name", HF_JSON_MAP), "name");
        snprintf(room, CLUSTER_NAME_ROOM, "%.*s", (int)name.size, (const char *)name.data);
    }
    return hf_slice_text(room);
}

static void scrape(void *user, struct hf_scrape *scrape)
{
    struct rabbitmq *rabbitmq = user;
    struct rabbitmq_writer writer = {.wanted = &rabbitmq->config->wanted,
                                     .builder = scrape->builder,
                                     .points = &rabbitmq->server.points,
                                     .begun_ns = rabbitmq->server.begun_ns,
                                     .now_ns = scrape->now_ns};
    char room[CLUSTER_NAME_ROOM];
    writer.cluster = cluster_name(rabbitmq, scrape, room);
    const struct hf_json *one = hf_json_first(ask(rabbitmq, scrape, "/api/queues", HF_JSON_LIST));
    for (; one != NULL; one = one->next) {
        rabbitmq_queue_write(&writer, one);
    }
    one = wants_nodes(writer.wanted)
              ? hf_json_first(ask(rabbitmq, scrape, "/api/nodes", HF_JSON_LIST))
              : NULL;
    for (; one != NULL; one = one->next) {
        rabbitmq_node_write(&writer, one);
    }
    hf_arena_reset(&rabbitmq->json);
    hf_scrape_count(scrape, 0, writer.written);
    if (writer.failed) {
        hf_scrape_failed(scrape, 0, 1, "out of memory");
    }
}

/* ---- life; the main thread ---- */

static void close_rabbitmq(void *self)
{
    struct rabbitmq *rabbitmq = self;
    hf_server_scraper_close(&rabbitmq->server);
    hf_http_asker_close(rabbitmq->asker);
    hf_arena_release(&rabbitmq->json);
    free(rabbitmq);
}

static enum hf_status open_parts(struct rabbitmq *rabbitmq, struct hf_node *node, char *reterr)
{
    const struct rabbitmq_config *config = rabbitmq->config;
    const struct hf_http_asker_options asker = {.node = node,
                                                .http = &config->http,
                                                .timeout_ns = config->scraper.timeout_ns,
                                                .response_bytes_max = ANSWER_BYTES_MAX,
                                                .username = config->username,
                                                .password = config->password};
    static const char *const resources[] = {RABBITMQ_RESOURCES(HF_RESOURCE_NAME)};
    const struct hf_server_scraper_options server = {
        .node = node,
        .config = &config->scraper,
        .signal = HF_METRICS,
        .source = "rabbitmq",
        .metrics = {rabbitmq_rows, config->wanted.metrics, RABBITMQ_METRIC_COUNT, 0},
        .resources = {resources, config->wanted.resources, RABBITMQ_RESOURCE_COUNT},
        .scrape = scrape,
        .user = rabbitmq};
    enum hf_status status = hf_http_asker_open(&asker, &rabbitmq->asker, reterr);
    return status == HF_OK ? hf_server_scraper_open(&rabbitmq->server, &server, reterr) : status;
}

static enum hf_status open_rabbitmq(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct rabbitmq *rabbitmq = calloc(1, sizeof(*rabbitmq));
    if (rabbitmq == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    rabbitmq->config = config;
    rabbitmq->json = (struct hf_arena){.limit = JSON_BYTES_MAX};
    enum hf_status status = open_parts(rabbitmq, node, reterr);
    if (status != HF_OK) {
        close_rabbitmq(rabbitmq);
        return status;
    }
    *ret_self = rabbitmq;
    return HF_OK;
}

static void stop_rabbitmq(void *self)
{
    struct rabbitmq *rabbitmq = self;
    hf_http_asker_stop(rabbitmq->asker);
    hf_server_scraper_stop(rabbitmq);
}

/* ---- keys ---- */

static const char *check_rabbitmq(const void *config)
{
    const struct rabbitmq_config *keys = config;
    if (keys->username == NULL || keys->username[0] == '\0') {
        return "username is missing";
    }
    if (keys->password == NULL || keys->password[0] == '\0') {
        return "password is missing";
    }
    return hf_http_client_check(&keys->http);
}

static void probe_outside(const void *config, struct hf_probe *probe)
{
    const struct rabbitmq_config *keys = config;
    hf_probe_http_client(probe, &keys->http, NULL);
}

static const struct hf_field metric_fields[] = {RABBITMQ_METRICS(HF_METRIC_FIELD) HF_FIELDS_END};
static const struct hf_field resource_fields[] = {RABBITMQ_RESOURCES(HF_RESOURCE_FIELD)
                                                      HF_FIELDS_END};

#define AT(member) offsetof(struct rabbitmq_config, member)

static const struct hf_field fields[] = {
    HF_SCRAPER_INTERVAL_FIELDS("10s"),
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = AT(scraper.timeout_ns),
     .default_text = "10s",
     .help = "Longest time of a scrape; 0: a minute for each answer."},
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(http.endpoint),
     .validate = hf_http_client_expect_url,
     .default_text = "http://localhost:15672",
     .help = "The URL of the management API, without /api."},
    {.key = "username",
     .type = HF_FIELD_STRING,
     .offset = AT(username),
     .help = "The user, who needs the tag monitoring."},
    {.key = "password",
     .type = HF_FIELD_SECRET,
     .offset = AT(password),
     .help = "The user's password."},
    HF_HTTP_CLIENT_FIELDS(struct rabbitmq_config, http),
    HF_HTTP_IGNORED("compression", "Requests have no body."),
    HF_HTTP_IGNORED("compression_params", "Requests have no body."),
    HF_METRIC_TABLES(struct rabbitmq_config, wanted, metric_fields, resource_fields) HF_FIELDS_END,
};

const struct hf_component hf_receiver_rabbitmq = {
    .type = "rabbitmq",
    .help = "Reads queues and nodes of RabbitMQ at an interval, from its management API.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct rabbitmq_config),
    .fields = fields,
    .check = check_rabbitmq,
    .probe = probe_outside,
    .open = open_rabbitmq,
    .start = hf_server_scraper_start,
    .stop = stop_rabbitmq,
    .close = close_rabbitmq,
};
