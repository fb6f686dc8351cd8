/*
 * mysql: what a MySQL or MariaDB server counts, and the statements that it runs, asked for at an
 * interval. In a pipeline of metrics and one of logs it has a connection and a thread for each.
 */
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "my_events.h"
#include "my_look.h"
#include "my_status.h"
#include "util/time/clock.h"

#define ANSWER_NS (60 * HF_NS_PER_S) /* of a scrape that has no timeout */

struct mysql {
    const struct my_config *config;
    struct part {
        struct hf_server_scraper scraper;
        struct my_server server;
    } metrics, logs;
    struct my_events events; /* of the logs' thread */
};

/* ---- the scrapes; each on its scraper's thread ---- */

static void scrape_metrics(void *user, struct hf_scrape *scrape)
{
    struct mysql *mysql = user;
    my_look_run(&mysql->metrics.server, &mysql->metrics.scraper, scrape);
}

static void scrape_logs(void *user, struct hf_scrape *scrape)
{
    struct mysql *mysql = user;
    my_events_run(&mysql->events, &mysql->logs.server, &mysql->logs.scraper, scrape);
}

/* ---- life; the main thread ---- */

static void close_mysql(void *self)
{
    struct mysql *mysql = self;
    hf_server_scraper_close(&mysql->metrics.scraper);
    hf_server_scraper_close(&mysql->logs.scraper);
    my_server_close(&mysql->metrics.server);
    my_server_close(&mysql->logs.server);
    my_events_release(&mysql->events);
    free(mysql);
}

static enum hf_status open_part(struct mysql *mysql, struct part *part, struct hf_node *node,
                                char *reterr)
{
    const struct my_config *config = mysql->config;
    bool is_metrics = part == &mysql->metrics;
    static const char *const resources[] = {MY_RESOURCES(HF_RESOURCE_NAME)};
    const struct hf_server_scraper_options options = {
        .node = node,
        .config = &config->scraper,
        .signal = is_metrics ? HF_METRICS : HF_LOGS,
        .source = "mysql",
        .metrics = {my_rows, config->wanted.metrics, is_metrics ? MY_METRIC_COUNT : 0, 0},
        .resources = {resources, config->wanted.resources, MY_RESOURCE_COUNT},
        .answer_ns = ANSWER_NS,
        .scrape = is_metrics ? scrape_metrics : scrape_logs,
        .user = mysql};
    enum hf_status status = my_server_open(&part->server, config, reterr);
    return status == HF_OK ? hf_server_scraper_open(&part->scraper, &options, reterr) : status;
}

static enum hf_status open_parts(struct mysql *mysql, struct hf_node *node, char *reterr)
{
    const bool *events = mysql->config->events;
    bool has_logs = (hf_node_signals(node) & HF_SIGNAL_BIT(HF_LOGS)) != 0;
    bool wants_logs = events[MY_QUERY_SAMPLE] || events[MY_TOP_QUERY];
    enum hf_status status = HF_OK;
    if (has_logs && !wants_logs) {
        hf_node_log(node, HF_LOG_WARN,
                    "it is in a pipeline of logs and makes none: enable db.server.query_sample or "
                    "db.server.top_query in events");
    }
    if ((hf_node_signals(node) & HF_SIGNAL_BIT(HF_METRICS)) != 0) {
        status = open_part(mysql, &mysql->metrics, node, reterr);
    }
    if (status == HF_OK && has_logs && wants_logs) {
        status = open_part(mysql, &mysql->logs, node, reterr);
    }
    return status;
}

static enum hf_status open_mysql(struct hf_node *node, const void *config, void **ret_self,
                                 char *reterr)
{
    struct mysql *mysql = calloc(1, sizeof(*mysql));
    if (mysql == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    mysql->config = config;
    enum hf_status status = open_parts(mysql, node, reterr);
    if (status != HF_OK) {
        close_mysql(mysql);
        return status;
    }
    *ret_self = mysql;
    return HF_OK;
}

static enum hf_status start_mysql(void *self, char *reterr)
{
    struct mysql *mysql = self;
    enum hf_status status = hf_server_scraper_start(&mysql->metrics.scraper, reterr);
    return status == HF_OK ? hf_server_scraper_start(&mysql->logs.scraper, reterr) : status;
}

static void stop_mysql(void *self)
{
    struct mysql *mysql = self;
    hf_server_scraper_stop(&mysql->metrics.scraper);
    hf_server_scraper_stop(&mysql->logs.scraper);
}

static void probe_outside(const void *config, struct hf_probe *probe)
{
    const struct my_config *keys = config;
    char why[HF_ERROR_MAX];
    if (hf_mysql_library(why) == NULL) {
        hf_probe_say(probe, "library", "libmariadb", HF_PROBE_FAILED, "%s", why);
    }
    hf_net_probe(probe, &keys->net, NULL);
    if (keys->tls != NULL) {
        hf_probe_read(probe, keys->tls->ca_file);
        hf_probe_read(probe, keys->tls->cert_file);
        hf_probe_read(probe, keys->tls->key_file);
    }
}

const struct hf_component hf_receiver_mysql = {
    .type = "mysql",
    .help = "Reads what a MySQL or MariaDB server counts at an interval: its status, tables, "
            "indices, locks, statements and replication; and the statements that it runs, as log "
            "records. Needs libmariadb.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_METRICS) | HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct my_config),
    .fields = my_fields,
    .check = my_config_check,
    .probe = probe_outside,
    .open = open_mysql,
    .start = start_mysql,
    .stop = stop_mysql,
    .close = close_mysql,
};
