/*
 * kafkametrics: brokers, topics, offsets and consumer groups of a Kafka cluster, asked for at an
 * interval.
 */
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "kafka_look.h"
#include "support/probe/probe_inputs.h"
#include "support/tokens/kafka_tokens.h"
#include "util/time/clock.h"

#define SCOPE                                                                                      \
    "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/kafkametricsreceiver"
#define ANSWER_NS (30 * HF_NS_PER_S) /* of a scrape that has no timeout */

struct kafkametrics {
    struct hf_server_scraper server; /* first */
    const struct kafkametrics_config *config;
    const struct hf_kafka_library *library;
    struct hf_kafka_tokens *tokens;
    struct hf_kafka_admin *admin;
    struct hf_regex *topics, *groups;
};

static void write_points(struct kafkametrics *metrics, struct hf_scrape *scrape)
{
    static const char *const names[] = {KAFKA_RESOURCES(HF_RESOURCE_NAME)};
    const struct kafkametrics_config *config = metrics->config;
    hf_build_resource(scrape->builder, HF_EMPTY_SLICE);
    if (config->wanted.resources[KAFKA_ALIAS].enabled) {
        hf_build_attribute_string(scrape->builder, hf_slice_text(names[KAFKA_ALIAS]),
                                  hf_slice_text(config->alias != NULL ? config->alias : ""));
    }
    hf_build_scope(scrape->builder, hf_slice_text(SCOPE), hf_slice_text(HF_VERSION));
    hf_server_scraper_write(&metrics->server, scrape, metrics->server.begun_ns);
}

/* The scraper's thread. */
static void scrape(void *user, struct hf_scrape *scrape)
{
    struct kafkametrics *metrics = user;
    struct kafka_look look = {
        .config = metrics->config,
        .library = metrics->library,
        .admin = metrics->admin,
        .topics = metrics->topics,
        .groups = metrics->groups,
        .scrape = scrape,
        .patience = hf_server_scraper_patience(&metrics->server, scrape),
        .points = &metrics->server.points,
    };
    kafka_look_run(&look);
    write_points(metrics, scrape);
}

/* ---- life; the main thread ---- */

static void close_metrics(void *self)
{
    struct kafkametrics *metrics = self;
    hf_server_scraper_close(&metrics->server);
    hf_kafka_admin_close(metrics->admin);
    hf_kafka_tokens_free(metrics->tokens);
    hf_regex_free(metrics->topics);
    hf_regex_free(metrics->groups);
    free(metrics);
}

static enum hf_status open_admin(struct kafkametrics *metrics, struct hf_node *node, char *reterr)
{
    struct hf_kafka_settings settings = {0};
    metrics->library = hf_kafka_library(reterr);
    if (metrics->library == NULL) {
        return HF_UNSUPPORTED;
    }
    enum hf_status status =
        hf_kafka_tokens_open(node, &metrics->config->kafka, &metrics->tokens, reterr);
    if (status != HF_OK) {
        return status;
    }
    hf_kafka_config_set(&metrics->config->kafka, &settings);
    settings.tokens = hf_kafka_tokens_source(metrics->tokens);
    status = hf_kafka_admin_open(metrics->library, &settings, &metrics->admin, reterr);
    hf_kafka_settings_release(&settings);
    return status;
}

static enum hf_status open_parts(struct kafkametrics *metrics, struct hf_node *node, char *reterr)
{
    const struct kafkametrics_config *config = metrics->config;
    static const char *const resources[] = {KAFKA_RESOURCES(HF_RESOURCE_NAME)};
    const struct hf_server_scraper_options server = {
        .node = node,
        .config = &config->scraper,
        .signal = HF_METRICS,
        .source = "kafkametrics",
        .metrics = {kafka_rows, config->wanted.metrics, KAFKA_METRIC_COUNT, 0},
        .resources = {resources, config->wanted.resources, KAFKA_RESOURCE_COUNT},
        .answer_ns = ANSWER_NS,
        .scrape = scrape,
        .user = metrics};
    enum hf_status status = hf_regex_new(config->topic_match, &metrics->topics, reterr);
    status = status == HF_OK ? hf_regex_new(config->group_match, &metrics->groups, reterr) : status;
    status = status == HF_OK ? open_admin(metrics, node, reterr) : status;
    return status == HF_OK ? hf_server_scraper_open(&metrics->server, &server, reterr) : status;
}

static enum hf_status open_metrics(struct hf_node *node, const void *config, void **ret_self,
                                   char *reterr)
{
    struct kafkametrics *metrics = calloc(1, sizeof(*metrics));
    if (metrics == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    metrics->config = config;
    enum hf_status status = open_parts(metrics, node, reterr);
    if (status != HF_OK) {
        close_metrics(metrics);
        return status;
    }
    *ret_self = metrics;
    return HF_OK;
}

static enum hf_status start_metrics(void *self, char *reterr)
{
    struct kafkametrics *metrics = self;
    enum hf_status status = hf_kafka_tokens_start(metrics->tokens, reterr);
    if (status == HF_OK && !hf_kafka_admin_start(metrics->admin, reterr)) {
        status = HF_NOMEM;
    }
    return status == HF_OK ? hf_server_scraper_start(self, reterr) : status;
}

static void stop_metrics(void *self)
{
    const struct kafkametrics *metrics = self;
    hf_server_scraper_stop(self);
    hf_kafka_tokens_stop(metrics->tokens);
}

/* ---- keys ---- */

static const char *check_pattern(const char *key, const char *pattern)
{
    static char why[HF_ERROR_MAX]; /* the main thread's */
    char error[HF_REGEX_ERROR_MAX] = "";
    struct hf_regex *regex = NULL;
    enum hf_status status = hf_regex_new(pattern, &regex, error);
    hf_regex_free(regex);
    snprintf(why, sizeof(why), "%s: %s", key, error);
    return status == HF_OK ? NULL : why;
}

static const char *check_metrics(const void *from)
{
    const struct kafkametrics_config *config = from;
    const char *wrong = hf_kafka_config_check(&config->kafka);
    if (wrong == NULL && config->scrapers.count == 0) {
        wrong = "scrapers: at least one of brokers, topics and consumers is needed";
    }
    wrong = wrong == NULL ? check_pattern("topic_match", config->topic_match) : wrong;
    return wrong == NULL ? check_pattern("group_match", config->group_match) : wrong;
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct kafkametrics_config *config = from;
    hf_probe_brokers(probe, &config->kafka);
}

static const char *const scrapers[] = {"brokers", "topics", "consumers", NULL};
static const struct hf_field metric_fields[] = {KAFKA_METRICS(HF_METRIC_FIELD) HF_FIELDS_END};
static const struct hf_field resource_fields[] = {KAFKA_RESOURCES(HF_RESOURCE_FIELD) HF_FIELDS_END};

#define AT(member) offsetof(struct kafkametrics_config, member)

static const struct hf_field fields[] = {
    HF_SCRAPER_FIELDS("1m"),
    HF_KAFKA_FIELDS(struct kafkametrics_config, kafka),
    {.key = "cluster_alias",
     .type = HF_FIELD_STRING,
     .offset = AT(alias),
     .help = "A name for the cluster, for the resource attribute kafka.cluster.alias."},
    {.key = "topic_match",
     .type = HF_FIELD_STRING,
     .offset = AT(topic_match),
     .default_text = "^[^_].*$",
     .help = "A regular expression of the topics that are looked at."},
    {.key = "group_match",
     .type = HF_FIELD_STRING,
     .offset = AT(group_match),
     .default_text = ".*",
     .help = "A regular expression of the consumer groups that are looked at."},
    {.key = "scrapers",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(scrapers),
     .choices = scrapers,
     .required = true,
     .help = "What is looked at: brokers, topics, consumers."},
    {.key = "refresh_frequency",
     .type = HF_FIELD_IGNORED,
     .help = "Brokers and topics are asked for at each scrape."},
    HF_METRIC_TABLES(struct kafkametrics_config, wanted, metric_fields, resource_fields)
        HF_FIELDS_END,
};

static const char *const aliases[] = {"kafka_metrics", NULL};

const struct hf_component hf_receiver_kafkametrics = {
    .type = "kafkametrics",
    .aliases = aliases,
    .help = "Reads brokers, topics, offsets and consumer groups of a Kafka cluster at an interval. "
            "Needs librdkafka.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct kafkametrics_config),
    .fields = fields,
    .check = check_metrics,
    .probe = probe_outside,
    .open = open_metrics,
    .start = start_metrics,
    .stop = stop_metrics,
    .close = close_metrics,
};
