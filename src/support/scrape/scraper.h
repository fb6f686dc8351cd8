/*
 * scraper: what receivers share that read at an interval: a thread of their own with its loop and
 * timer, the keys of the interval, the way of the batches to the queues, and the self-metrics of
 * the Go collector (otelcol_scraper_scraped_metric_points, otelcol_scraper_errored_metric_points,
 * otelcol_receiver_accepted_metric_points, ...).
 *
 * A receiver has one or more sources ("cpu", "disk"), which one call of its `scrape` reads into one
 * builder. A scrape is due at start + initial_delay and then at whole intervals; those that pass
 * while one is running, or while batches wait for room in a queue, are left out.
 *
 * new, start, stop and free run on the main thread; `scrape` on the scraper's own.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/field.h>
#include <holdfast/node.h>
#include <holdfast/status.h>

#include "metric_table.h"
#include "pdata/build.h"
#include "resource_filter.h"

/* ---- keys: stands first in the receiver's configuration ---- */

struct hf_scraper_config {
    uint64_t interval_ns, initial_delay_ns;
    uint64_t timeout_ns; /* of one scrape; 0: none */
};

/* The three rows; `interval` is a text such as "1m". The struct stands at offset 0. A receiver with
 * a timeout of its own has the first two. */
#define HF_SCRAPER_INTERVAL_FIELDS(interval)                                                       \
    {.key = "collection_interval",                                                                 \
     .type = HF_FIELD_DURATION,                                                                    \
     .offset = offsetof(struct hf_scraper_config, interval_ns),                                    \
     .default_text = (interval),                                                                   \
     .min = 1e6,                                                                                   \
     .max = 1e18,                                                                                  \
     .help = "Time from one scrape to the next."},                                                 \
    {                                                                                              \
        .key = "initial_delay", .type = HF_FIELD_DURATION,                                         \
        .offset = offsetof(struct hf_scraper_config, initial_delay_ns), .default_text = "1s",      \
        .help = "Time from the start to the first scrape."                                         \
    }

#define HF_SCRAPER_FIELDS(interval)                                                                \
    HF_SCRAPER_INTERVAL_FIELDS(interval),                                                          \
    {                                                                                              \
        .key = "timeout", .type = HF_FIELD_DURATION,                                               \
        .offset = offsetof(struct hf_scraper_config, timeout_ns), .default_text = "0s",            \
        .help = "Longest time of one scrape, after which the sources that remain are left out; "   \
                "0: no limit."                                                                     \
    }

/* ---- a scrape ---- */

struct hf_scraper;

struct hf_scrape {
    struct hf_scraper *scraper;
    struct hf_builder *builder;
    uint64_t now_ns;      /* Unix time of its start */
    uint64_t deadline_ns; /* monotonic; UINT64_MAX: none */
};

/* Has the timeout passed? Ask it between two pieces of work. */
HF_MUST_USE bool hf_scrape_is_over(const struct hf_scrape *scrape);

/* Counts the points that a source gave. */
void hf_scrape_count(struct hf_scrape *scrape, size_t source, uint32_t points);

/*
 * Something of a source could not be read: counts the points that are missing, and logs the
 * sentence, at most once a minute for each source and sentence. The rest goes on.
 */
void hf_scrape_failed(struct hf_scrape *scrape, size_t source, uint32_t points, const char *format,
                      ...) __attribute__((format(printf, 4, 5)));

/* ---- the scraper ---- */

#define HF_SCRAPER_SOURCES_MAX 64u

struct hf_scraper_options {
    struct hf_node *node;
    const struct hf_scraper_config *config;
    enum hf_signal signal;
    size_t batch_bytes;                   /* limit of one request; 0: 4 MiB */
    uint64_t spread_ns;                   /* the first scrape is up to that much later, at random */
    struct hf_resource_choices resources; /* which are left out; zero: none */
    const struct hf_metric_set *metrics;  /* `metric_sets` of them, read in new alone */
    size_t metric_sets;
    const char *const *sources; /* names, `source_count` of them; copied not, must stay */
    size_t source_count;
    void (*scrape)(void *user, struct hf_scrape *scrape);
    void *user;
};

/* In open: registers the counters. On failure `reterr` (HF_ERROR_MAX) holds a sentence. */
HF_MUST_USE enum hf_status hf_scraper_new(const struct hf_scraper_options *options,
                                          struct hf_scraper **ret_scraper, char *reterr);
/* In start. HF_IO with a sentence in `reterr`: there is no thread. */
HF_MUST_USE enum hf_status hf_scraper_start(struct hf_scraper *scraper, char *reterr);
/* In stop: waits for a running scrape and for the answer to a batch that was handed over. */
void hf_scraper_stop(struct hf_scraper *scraper);
void hf_scraper_free(struct hf_scraper *scraper);
