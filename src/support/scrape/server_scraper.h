/*
 * server_scraper: the life of a receiver that asks one server at an interval: its scraper, the
 * points of its scrapes, how long it waits for an answer, and the stop, which ends that wait.
 *
 * It stands first in the receiver's struct, so that hf_server_scraper_start() and
 * hf_server_scraper_stop() can be the receiver's own. A zeroed struct is nothing. open, start, stop
 * and close: the main thread; the rest: the scraper's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metric_points.h"
#include "scraper.h"
#include "util/patience.h"

struct hf_server_scraper_options {
    struct hf_node *node;
    const struct hf_scraper_config *config;
    enum hf_signal signal;
    const char *source;                   /* a name for it in counters and logs; stays */
    struct hf_metric_set metrics;         /* as in hf_points_init(); of logs none */
    struct hf_resource_choices resources; /* as in struct hf_scraper_options */
    uint64_t answer_ns; /* longest scrape without a timeout; 0: what it asks with waits by itself */
    void (*scrape)(void *user, struct hf_scrape *scrape);
    void *user;
};

struct hf_server_scraper {
    struct hf_scraper *scraper; /* NULL: not open */
    const char *source;
    uint64_t answer_ns;
    uint64_t begun_ns; /* Unix time of the opening, at which its sums begin */
    bool has_stop_fd;
    int stop_fd;
    struct hf_points points; /* the scraper's thread */
};

/* On failure `reterr` (HF_ERROR_MAX) has a sentence, and close frees what there is. */
HF_MUST_USE enum hf_status hf_server_scraper_open(struct hf_server_scraper *server,
                                                  const struct hf_server_scraper_options *options,
                                                  char *reterr);
void hf_server_scraper_close(struct hf_server_scraper *server);

/* `self` begins with the struct. One that is not open does nothing. */
HF_MUST_USE enum hf_status hf_server_scraper_start(void *self, char *reterr);
void hf_server_scraper_stop(void *self);

/* ---- during a scrape ---- */

/* How long it may wait. */
struct hf_patience hf_server_scraper_patience(const struct hf_server_scraper *server,
                                              const struct hf_scrape *scrape);

/* Writes the points into the open scope, and counts them and what is missing. */
void hf_server_scraper_write(struct hf_server_scraper *server, struct hf_scrape *scrape,
                             uint64_t start_ns);
