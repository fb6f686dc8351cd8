/*
 * postgresql: what a PostgreSQL server counts, by database, table and index, and the statements
 * that it runs, asked for at an interval. In a pipeline of metrics and one of logs it has
 * connections and a thread for each.
 */
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "pg_events.h"
#include "pg_look.h"
#include "util/time/clock.h"

#define ANSWER_NS (60 * HF_NS_PER_S) /* of a scrape that has no timeout */

struct postgresql {
    const struct pg_config *config;
    struct part {
        struct hf_server_scraper scraper;
        struct pg_server server;
    } metrics, logs;
    struct pg_events events; /* of the logs' thread */
};

/* ---- the scrapes; each on its scraper's thread ---- */

static void scrape_metrics(void *user, struct hf_scrape *scrape)
{
    struct postgresql *postgresql = user;
    struct part *part = &postgresql->metrics;
    struct pg_look look = {
        .server = &part->server,
        .scraper = &part->scraper,
        .scrape = scrape,
        .patience = hf_server_scraper_patience(&part->scraper, scrape),
    };
    pg_look_run(&look);
    pg_look_release(&look);
}

static void scrape_logs(void *user, struct hf_scrape *scrape)
{
    struct postgresql *postgresql = user;
    pg_events_run(&postgresql->events, &postgresql->logs.server, &postgresql->logs.scraper, scrape);
}

/* ---- life; the main thread ---- */

static void close_postgresql(void *self)
{
    struct postgresql *postgresql = self;
    hf_server_scraper_close(&postgresql->metrics.scraper);
    hf_server_scraper_close(&postgresql->logs.scraper);
    pg_server_close(&postgresql->metrics.server);
    pg_server_close(&postgresql->logs.server);
    pg_events_release(&postgresql->events);
    free(postgresql);
}

static enum hf_status open_part(struct postgresql *postgresql, struct part *part,
                                struct hf_node *node, char *reterr)
{
    const struct pg_config *config = postgresql->config;
    bool is_metrics = part == &postgresql->metrics;
    static const char *const resources[] = {PG_RESOURCES(HF_RESOURCE_NAME)};
    const struct hf_server_scraper_options options = {
        .node = node,
        .config = &config->scraper,
        .signal = is_metrics ? HF_METRICS : HF_LOGS,
        .source = "postgresql",
        .metrics = {pg_rows, config->wanted.metrics, is_metrics ? PG_METRIC_COUNT : 0, 0},
        .resources = {resources, config->wanted.resources, PG_RESOURCE_COUNT},
        .answer_ns = ANSWER_NS,
        .scrape = is_metrics ? scrape_metrics : scrape_logs,
        .user = postgresql};
    enum hf_status status = pg_server_open(&part->server, config, reterr);
    return status == HF_OK ? hf_server_scraper_open(&part->scraper, &options, reterr) : status;
}

static enum hf_status open_parts(struct postgresql *postgresql, struct hf_node *node, char *reterr)
{
    const bool *events = postgresql->config->events;
    bool has_logs = (hf_node_signals(node) & HF_SIGNAL_BIT(HF_LOGS)) != 0;
    bool wants_logs = events[PG_QUERY_SAMPLE] || events[PG_TOP_QUERY];
    enum hf_status status = HF_OK;
    if (has_logs && !wants_logs) {
        hf_node_log(node, HF_LOG_WARN,
                    "it is in a pipeline of logs and makes none: enable db.server.query_sample or "
                    "db.server.top_query in events");
    }
    if ((hf_node_signals(node) & HF_SIGNAL_BIT(HF_METRICS)) != 0) {
        status = open_part(postgresql, &postgresql->metrics, node, reterr);
    }
    if (status == HF_OK && has_logs && wants_logs) {
        status = open_part(postgresql, &postgresql->logs, node, reterr);
    }
    return status;
}

static enum hf_status open_postgresql(struct hf_node *node, const void *config, void **ret_self,
                                      char *reterr)
{
    struct postgresql *postgresql = calloc(1, sizeof(*postgresql));
    if (postgresql == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    postgresql->config = config;
    enum hf_status status = open_parts(postgresql, node, reterr);
    if (status != HF_OK) {
        close_postgresql(postgresql);
        return status;
    }
    *ret_self = postgresql;
    return HF_OK;
}

static enum hf_status start_postgresql(void *self, char *reterr)
{
    struct postgresql *postgresql = self;
    enum hf_status status = hf_server_scraper_start(&postgresql->metrics.scraper, reterr);
    return status == HF_OK ? hf_server_scraper_start(&postgresql->logs.scraper, reterr) : status;
}

static void stop_postgresql(void *self)
{
    struct postgresql *postgresql = self;
    hf_server_scraper_stop(&postgresql->metrics.scraper);
    hf_server_scraper_stop(&postgresql->logs.scraper);
}

static void probe_outside(const void *config, struct hf_probe *probe)
{
    const struct pg_config *keys = config;
    char why[HF_ERROR_MAX];
    if (hf_pg_library(why) == NULL) {
        hf_probe_say(probe, "library", "libpq", HF_PROBE_FAILED, "%s", why);
    }
    if (keys->net.transport == HF_NET_TCP) {
        hf_net_probe(probe, &keys->net, NULL);
    }
    hf_probe_read(probe, keys->tls.ca_file);
    hf_probe_read(probe, keys->tls.cert_file);
    hf_probe_read(probe, keys->tls.key_file);
}

const struct hf_component hf_receiver_postgresql = {
    .type = "postgresql",
    .help =
        "Reads what a PostgreSQL server counts at an interval: its databases, tables, indices, "
        "locks, checkpoints and replicas; and the statements that it runs, as log records. Needs "
        "libpq.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_METRICS) | HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct pg_config),
    .fields = pg_fields,
    .check = pg_check,
    .probe = probe_outside,
    .open = open_postgresql,
    .start = start_postgresql,
    .stop = stop_postgresql,
    .close = close_postgresql,
};
