/*
 * httpcheck: checks URLs at an interval: whether they answer, with which status and how fast, and
 * what their bodies and certificates are like.
 */
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "config.h"
#include "exchange.h"
#include "points.h"
#include "support/probe/probe_server.h"
#include "util/time/clock.h"

struct httpcheck {
    const struct httpcheck_config *config;
    struct httpcheck_exchange *exchange;
    struct hf_scraper *scraper;
    uint64_t begun_ns;
};

static const char *const sources[] = {"httpcheck"};

/* The scraper's thread. A target that does not answer is a measurement, not a failed scrape. */
static void scrape(void *user, struct hf_scrape *scrape)
{
    struct httpcheck *check = user;
    size_t count = 0;
    const struct httpcheck_url *urls =
        httpcheck_exchange_run(check->exchange, scrape->deadline_ns, &count);
    uint32_t points = httpcheck_points_write(scrape->builder, &check->config->wanted, urls, count,
                                             check->begun_ns);
    hf_scrape_count(scrape, 0, points);
}

/* ---- life; the main thread ---- */

static void close_check(void *self)
{
    struct httpcheck *check = self;
    hf_scraper_free(check->scraper);
    httpcheck_exchange_close(check->exchange);
    free(check);
}

static enum hf_status open_check(struct hf_node *node, const void *config, void **ret_self,
                                 char *reterr)
{
    struct httpcheck *check = calloc(1, sizeof(*check));
    if (check == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    check->config = config;
    check->begun_ns = hf_clock_unix_ns();
    const struct hf_metric_set metrics = {httpcheck_rows, check->config->wanted.metrics,
                                          HTTPCHECK_METRIC_COUNT, 0};
    enum hf_status status = httpcheck_exchange_open(node, check->config, &check->exchange, reterr);
    if (status == HF_OK) {
        status = hf_scraper_new(&(struct hf_scraper_options){.node = node,
                                                             .config = &check->config->scraper,
                                                             .signal = HF_METRICS,
                                                             .sources = sources,
                                                             .source_count = 1,
                                                             .metrics = &metrics,
                                                             .metric_sets = 1,
                                                             .scrape = scrape,
                                                             .user = check},
                                &check->scraper, reterr);
    }
    if (status != HF_OK) {
        close_check(check);
        return status;
    }
    *ret_self = check;
    return HF_OK;
}

static enum hf_status start_check(void *self, char *reterr)
{
    struct httpcheck *check = self;
    return hf_scraper_start(check->scraper, reterr);
}

static void stop_check(void *self)
{
    struct httpcheck *check = self;
    httpcheck_exchange_cancel(check->exchange);
    hf_scraper_stop(check->scraper);
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct httpcheck_config *config = from;
    const struct httpcheck_target *targets = config->targets.items;
    for (size_t i = 0; i < config->targets.count; i++) {
        const struct httpcheck_target *target = &targets[i];
        if (target->http.endpoint != NULL && target->http.endpoint[0] != '\0') {
            hf_probe_http_client(probe, &target->http, NULL);
        }
        for (size_t k = 0; k < target->endpoints.count; k++) {
            hf_probe_http_client(probe, &target->http, target->endpoints.items[k]);
        }
    }
}

static const char *const aliases[] = {"http_check", NULL};

const struct hf_component hf_receiver_httpcheck = {
    .type = "httpcheck",
    .aliases = aliases,
    .help = "Checks URLs at an interval: status, duration, errors, and on demand bodies, "
            "certificates and the parts of the time.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct httpcheck_config),
    .fields = httpcheck_fields,
    .check = httpcheck_check,
    .probe = probe_outside,
    .open = open_check,
    .start = start_check,
    .stop = stop_check,
    .close = close_check,
};
