/*
 * postgresql: what a PostgreSQL server counts, by database, table and index, asked for at an
 * interval.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "pg_look.h"
#include "util/clock.h"

#define ANSWER_NS (60 * HF_NS_PER_S) /* of a scrape that has no timeout */

struct postgresql {
    struct hf_server_scraper scraper; /* first */
    const struct pg_config *config;
    struct pg_server server;
    char instance[272];
};

/* The scraper's thread. */
static void scrape(void *user, struct hf_scrape *scrape)
{
    struct postgresql *postgresql = user;
    struct pg_look look = {
        .server = &postgresql->server,
        .scraper = &postgresql->scraper,
        .scrape = scrape,
        .patience = hf_server_scraper_patience(&postgresql->scraper, scrape),
        .instance = postgresql->instance,
    };
    pg_look_run(&look);
    pg_look_release(&look);
}

/* ---- life; the main thread ---- */

static void close_postgresql(void *self)
{
    struct postgresql *postgresql = self;
    hf_server_scraper_close(&postgresql->scraper);
    pg_server_close(&postgresql->server);
    free(postgresql);
}

/* service.instance.id: a server on this machine has the machine's name. */
static void name_instance(struct postgresql *postgresql)
{
    const struct pg_server *server = &postgresql->server;
    char machine[256];
    struct in6_addr address;
    bool is_here =
        strcasecmp(server->host, "localhost") == 0 || strncmp(server->host, "127.", 4) == 0 ||
        (inet_pton(AF_INET6, server->host, &address) == 1 && IN6_IS_ADDR_LOOPBACK(&address));
    bool is_named = is_here && gethostname(machine, sizeof(machine)) == 0;
    machine[sizeof(machine) - 1] = '\0';
    snprintf(postgresql->instance, sizeof(postgresql->instance), "%s:%s",
             is_named ? machine : server->host, server->port);
}

static enum hf_status open_parts(struct postgresql *postgresql, struct hf_node *node, char *reterr)
{
    const struct pg_config *config = postgresql->config;
    const struct hf_server_scraper_options scraper = {.node = node,
                                                      .config = &config->scraper,
                                                      .signal = HF_METRICS,
                                                      .source = "postgresql",
                                                      .rows = pg_rows,
                                                      .enabled = config->wanted.metrics,
                                                      .metric_count = PG_METRIC_COUNT,
                                                      .answer_ns = ANSWER_NS,
                                                      .scrape = scrape,
                                                      .user = postgresql};
    enum hf_status status = pg_server_open(&postgresql->server, config, reterr);
    if (status != HF_OK) {
        return status;
    }
    name_instance(postgresql);
    return hf_server_scraper_open(&postgresql->scraper, &scraper, reterr);
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
    .help = "Reads what a PostgreSQL server counts at an interval: its databases, tables, indices, "
            "locks, checkpoints and replicas. Needs libpq.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct pg_config),
    .fields = pg_fields,
    .check = pg_check,
    .probe = probe_outside,
    .open = open_postgresql,
    .start = hf_server_scraper_start,
    .stop = hf_server_scraper_stop,
    .close = close_postgresql,
};
