/*
 * nginx: connections and requests of an nginx server, from its stub_status page, asked for at an
 * interval.
 */
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "stub_status.h"
#include "support/probe/probe_server.h"
#include "support/scrape/http_asker.h"
#include "support/scrape/server_scraper.h"

#define SCOPE "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/nginxreceiver"
#define PAGE_BYTES_MAX 4096u

struct nginx_config {
    struct hf_scraper_config scraper; /* first: the scraper's */
    struct hf_http_client_config http;
    struct hf_metric_choice metrics[NGINX_METRIC_COUNT];
};

struct nginx {
    struct hf_server_scraper server; /* first */
    const struct nginx_config *config;
    struct hf_http_asker *asker;
};

/* The scraper's thread. */
static void scrape(void *user, struct hf_scrape *scrape)
{
    struct nginx *nginx = user;
    const char *url = nginx->config->http.endpoint;
    struct stub_status page;
    struct hf_slice body;
    char why[HF_ERROR_MAX];
    enum hf_status status = hf_http_asker_get(nginx->asker, url, scrape->deadline_ns, &body, why);
    if (status == HF_CLOSED) {
        return; /* stopping */
    }
    if (status != HF_OK) {
        hf_scrape_failed(scrape, 0, 1, "asking %.200s failed: %s", url, why);
        return;
    }
    if (!stub_status_read(body, &page)) {
        hf_scrape_failed(scrape, 0, 1,
                         "the answer of %.200s is no page of nginx's stub_status: check endpoint",
                         url);
        return;
    }
    stub_status_add(&page, &nginx->server.points);
    hf_build_resource(scrape->builder, HF_EMPTY_SLICE);
    hf_build_scope(scrape->builder, hf_slice_text(SCOPE), hf_slice_text(HF_VERSION));
    hf_server_scraper_write(&nginx->server, scrape, nginx->server.begun_ns);
}

/* ---- life; the main thread ---- */

static void close_nginx(void *self)
{
    struct nginx *nginx = self;
    hf_server_scraper_close(&nginx->server);
    hf_http_asker_close(nginx->asker);
    free(nginx);
}

static enum hf_status open_parts(struct nginx *nginx, struct hf_node *node, char *reterr)
{
    const struct hf_http_asker_options asker = {.node = node,
                                                .http = &nginx->config->http,
                                                .timeout_ns = nginx->config->scraper.timeout_ns,
                                                .response_bytes_max = PAGE_BYTES_MAX};
    const struct hf_server_scraper_options server = {
        .node = node,
        .config = &nginx->config->scraper,
        .signal = HF_METRICS,
        .source = "nginx",
        .metrics = {nginx_rows, nginx->config->metrics, NGINX_METRIC_COUNT, 0},
        .scrape = scrape,
        .user = nginx};
    enum hf_status status = hf_http_asker_open(&asker, &nginx->asker, reterr);
    return status == HF_OK ? hf_server_scraper_open(&nginx->server, &server, reterr) : status;
}

static enum hf_status open_nginx(struct hf_node *node, const void *config, void **ret_self,
                                 char *reterr)
{
    struct nginx *nginx = calloc(1, sizeof(*nginx));
    if (nginx == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    nginx->config = config;
    enum hf_status status = open_parts(nginx, node, reterr);
    if (status != HF_OK) {
        close_nginx(nginx);
        return status;
    }
    *ret_self = nginx;
    return HF_OK;
}

static void stop_nginx(void *self)
{
    struct nginx *nginx = self;
    hf_http_asker_stop(nginx->asker);
    hf_server_scraper_stop(nginx);
}

/* ---- keys ---- */

static const char *check_nginx(const void *config)
{
    const struct nginx_config *keys = config;
    return hf_http_client_check(&keys->http);
}

static void probe_outside(const void *config, struct hf_probe *probe)
{
    const struct nginx_config *keys = config;
    hf_probe_http_client(probe, &keys->http, NULL);
}

static const struct hf_field metric_fields[] = {NGINX_METRICS(HF_METRIC_FIELD) HF_FIELDS_END};

#define AT(member) offsetof(struct nginx_config, member)

static const struct hf_field fields[] = {
    HF_SCRAPER_INTERVAL_FIELDS("10s"),
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = AT(scraper.timeout_ns),
     .default_text = "10s",
     .help = "Longest time of a scrape; 0: a minute."},
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(http.endpoint),
     .validate = hf_http_client_expect_url,
     .default_text = "http://localhost:80/status",
     .help = "The URL of the page that the server's stub_status gives."},
    HF_HTTP_CLIENT_FIELDS(struct nginx_config, http),
    HF_HTTP_IGNORED("compression", "Requests have no body."),
    HF_HTTP_IGNORED("compression_params", "Requests have no body."),
    {.key = "metrics",
     .type = HF_FIELD_STRUCT,
     .offset = AT(metrics),
     .inner = metric_fields,
     .help = "Which metrics are reported."},
    HF_FIELDS_END,
};

const struct hf_component hf_receiver_nginx = {
    .type = "nginx",
    .help = "Reads connections and requests of an nginx server at an interval, from its "
            "stub_status page.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct nginx_config),
    .fields = fields,
    .check = check_nginx,
    .probe = probe_outside,
    .open = open_nginx,
    .start = hf_server_scraper_start,
    .stop = stop_nginx,
    .close = close_nginx,
};
