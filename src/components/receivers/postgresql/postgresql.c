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
    const struct pg_config *config;
    struct hf_scraper *scraper;
    struct pg_server server;
    int stop_fd;
    char instance[272];
    uint64_t begun_ns;
    struct hf_points points; /* the scraper's thread */
};

static const char *const sources[] = {"postgresql"};

/* The scraper's thread. */
static void scrape(void *user, struct hf_scrape *scrape)
{
    struct postgresql *postgresql = user;
    uint64_t until_ns = hf_clock_monotonic_ns() + ANSWER_NS;
    struct pg_look look = {
        .server = &postgresql->server,
        .scrape = scrape,
        .patience = {scrape->deadline_ns != UINT64_MAX ? scrape->deadline_ns : until_ns,
                     postgresql->stop_fd},
        .points = &postgresql->points,
        .instance = postgresql->instance,
        .begun_ns = postgresql->begun_ns,
    };
    pg_look_run(&look);
    pg_look_release(&look);
}

/* ---- life; the main thread ---- */

static void close_postgresql(void *self)
{
    struct postgresql *postgresql = self;
    hf_scraper_free(postgresql->scraper);
    pg_server_close(&postgresql->server);
    hf_points_release(&postgresql->points);
    if (postgresql->stop_fd >= 0) {
        close(postgresql->stop_fd);
    }
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
    const struct hf_scraper_options scraper = {.node = node,
                                               .config = &config->scraper,
                                               .signal = HF_METRICS,
                                               .sources = sources,
                                               .source_count = 1,
                                               .scrape = scrape,
                                               .user = postgresql};
    enum hf_status status = pg_server_open(&postgresql->server, config, reterr);
    if (status != HF_OK) {
        return status;
    }
    name_instance(postgresql);
    postgresql->stop_fd = hf_stop_fd_open();
    if (postgresql->stop_fd < 0) {
        snprintf(reterr, HF_ERROR_MAX, "opening an eventfd failed");
        return HF_IO;
    }
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    status = hf_points_init(&postgresql->points, pg_rows, config->wanted.metrics, PG_METRIC_COUNT);
    return status == HF_OK ? hf_scraper_new(&scraper, &postgresql->scraper, reterr) : status;
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
    postgresql->stop_fd = -1;
    postgresql->begun_ns = hf_clock_unix_ns();
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
    return hf_scraper_start(postgresql->scraper, reterr);
}

static void stop_postgresql(void *self)
{
    struct postgresql *postgresql = self;
    hf_stop_fd_trip(postgresql->stop_fd);
    hf_scraper_stop(postgresql->scraper);
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
    .start = start_postgresql,
    .stop = stop_postgresql,
    .close = close_postgresql,
};
