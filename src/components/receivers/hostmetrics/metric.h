/*
 * metric: the points of a scraper, of the metrics in its table (support/scrape/metric_table.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/field.h>

#include "host.h"
#include "support/scrape/metric_table.h"
#include "support/scrape/scraper.h"

/* The `metrics` block: `struct hf_metric_choice metrics[]` stands first in every scraper's
 * configuration. */
#define HOST_METRICS_BLOCK(fields_)                                                                \
    {                                                                                              \
        .key = "metrics", .type = HF_FIELD_STRUCT, .offset = 0, .inner = (fields_),                \
        .help = "Which metrics are measured."                                                      \
    }

/* One scrape of one scraper. */
struct host_run {
    struct host *host;
    struct hf_scrape *scrape;
    struct hf_builder *builder;
    size_t source;
    const struct hf_metric_row *metrics;
    const struct hf_metric_choice *choices;
    struct hf_build_point point;
    uint32_t points; /* so far */
};

struct host_attribute {
    const char *key;
    struct hf_slice value;
};

/* Is it to be measured? */
HF_MUST_USE bool host_wants(const struct host_run *run, unsigned id);

/* Opens a metric for its points. False: it is not to be measured. */
HF_MUST_USE bool host_metric(struct host_run *run, unsigned id);

/* A point of the metric that was opened last. */
void host_int(struct host_run *run, uint64_t value, const struct host_attribute *attributes,
              size_t count);
void host_double(struct host_run *run, double value, const struct host_attribute *attributes,
                 size_t count);

/* A point whose attributes are written here: {"device", name}, {"state", text}. */
#define HOST_INT(run, value, ...)                                                                  \
    host_int(run, value, (const struct host_attribute[]){__VA_ARGS__},                             \
             sizeof((const struct host_attribute[]){__VA_ARGS__}) / sizeof(struct host_attribute))
#define HOST_DOUBLE(run, value, ...)                                                               \
    host_double(run, value, (const struct host_attribute[]){__VA_ARGS__},                          \
                sizeof((const struct host_attribute[]){__VA_ARGS__}) /                             \
                    sizeof(struct host_attribute))

#define HOST_TEXT(literal)                                                                         \
    {                                                                                              \
        (const uint8_t *)(literal), sizeof(literal) - 1                                            \
    }

/* Something could not be read: counted, logged at most once a minute. */
#define host_failed(run, points, ...)                                                              \
    hf_scrape_failed((run)->scrape, (run)->source, points, __VA_ARGS__)

/* A part of a whole, with no more digits than the two numbers justify; NaN for 0 of 0. */
double host_ratio(uint64_t part, uint64_t whole);
