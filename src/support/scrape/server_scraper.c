#include "server_scraper.h"

#include <stdio.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "util/time/clock.h"

enum hf_status hf_server_scraper_open(struct hf_server_scraper *server,
                                      const struct hf_server_scraper_options *options, char *reterr)
{
    server->source = options->source;
    server->answer_ns = options->answer_ns;
    server->begun_ns = hf_clock_unix_ns();
    const struct hf_scraper_options scraper = {.node = options->node,
                                               .config = options->config,
                                               .signal = options->signal,
                                               .sources = &server->source,
                                               .source_count = 1,
                                               .resources = options->resources,
                                               .metrics = &options->metrics,
                                               .metric_sets = 1,
                                               .scrape = options->scrape,
                                               .user = options->user};
    if (options->answer_ns != 0) {
        server->stop_fd = hf_stop_fd_open();
        server->has_stop_fd = server->stop_fd >= 0;
        if (!server->has_stop_fd) {
            snprintf(reterr, HF_ERROR_MAX, "opening an eventfd failed");
            return HF_IO;
        }
    }
    if (options->metrics.count != 0 &&
        hf_points_init(&server->points, &options->metrics) != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    return hf_scraper_new(&scraper, &server->scraper, reterr);
}

void hf_server_scraper_close(struct hf_server_scraper *server)
{
    hf_scraper_free(server->scraper);
    server->scraper = NULL;
    hf_points_release(&server->points);
    if (server->has_stop_fd) {
        close(server->stop_fd);
        server->has_stop_fd = false;
    }
}

enum hf_status hf_server_scraper_start(void *self, char *reterr)
{
    struct hf_server_scraper *server = self;
    return server->scraper != NULL ? hf_scraper_start(server->scraper, reterr) : HF_OK;
}

void hf_server_scraper_stop(void *self)
{
    struct hf_server_scraper *server = self;
    if (server->has_stop_fd) {
        hf_stop_fd_trip(server->stop_fd);
    }
    if (server->scraper != NULL) {
        hf_scraper_stop(server->scraper);
    }
}

struct hf_patience hf_server_scraper_patience(const struct hf_server_scraper *server,
                                              const struct hf_scrape *scrape)
{
    uint64_t until_ns = hf_clock_monotonic_ns() + server->answer_ns;
    return (struct hf_patience){scrape->deadline_ns != UINT64_MAX ? scrape->deadline_ns : until_ns,
                                server->has_stop_fd ? server->stop_fd : -1};
}

void hf_server_scraper_write(struct hf_server_scraper *server, struct hf_scrape *scrape,
                             uint64_t start_ns)
{
    bool failed;
    hf_scrape_count(
        scrape, 0,
        hf_points_write(&server->points, scrape->builder, start_ns, scrape->now_ns, &failed));
    if (failed) {
        hf_scrape_failed(scrape, 0, 1, "the answer needs more memory than there is");
    }
}
