/*
 * metric: the metrics of a scraper as one table, from which come the definitions, the keys of its
 * `metrics` block, and the points.
 *
 * A table is a macro that applies X(ID, name, unit, kind, on, help) to each metric. `kind` is
 * GAUGE, COUNTER (a monotonic sum) or UPDOWN (one that is not), all cumulative; `on` says whether
 * it is measured unless the user says otherwise: on, off.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/field.h>

#include "host.h"
#include "pdata/build_metrics.h"
#include "support/scraper.h"

enum host_metric_kind { HOST_GAUGE = 0, HOST_COUNTER, HOST_UPDOWN };

struct host_metric {
    const char *name, *unit, *help;
    enum host_metric_kind kind;
};

#define HOST_METRIC_ID(id, name_, unit_, kind_, on_, help_) id,
#define HOST_METRIC_ROW(id, name_, unit_, kind_, on_, help_)                                       \
    [id] = {.name = (name_), .unit = (unit_), .help = (help_), .kind = HOST_##kind_},
#define HOST_METRIC_FIELD(id, name_, unit_, kind_, on_, help_)                                     \
    {.key = (name_),                                                                               \
     .type = HF_FIELD_STRUCT,                                                                      \
     .offset = sizeof(bool) * (size_t)(id),                                                        \
     .inner = host_enabled_##on_,                                                                  \
     .help = (help_)},

/* {enabled: true}, with that default. */
extern const struct hf_field host_enabled_on[];
extern const struct hf_field host_enabled_off[];

/* The `metrics` block: `bool enabled[]` stands first in every scraper's configuration. */
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
    const struct host_metric *metrics;
    const bool *enabled;
    struct hf_build_point point;
    uint32_t points; /* so far */
};

struct host_attribute {
    const char *key;
    struct hf_slice value;
};

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
