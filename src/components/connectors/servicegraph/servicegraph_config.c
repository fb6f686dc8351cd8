#include "servicegraph_config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "support/items/distribution.h"
#include "support/settings/go_duration.h"

#define CONFIG(member) offsetof(struct servicegraph_config, member)
#define STORE(member) (CONFIG(store.member) - CONFIG(store))
#define YEAR_NS 31536000e9

static const struct hf_field store_fields[] = {
    {.key = "ttl",
     .type = HF_FIELD_DURATION,
     .offset = STORE(ttl_ns),
     .default_text = "2s",
     .min = 0,
     .max = YEAR_NS,
     .help = "How long the span of one side waits for that of the other."},
    {.key = "max_items",
     .type = HF_FIELD_INT,
     .offset = STORE(max_items),
     .default_text = "1000",
     .min = 0,
     .max = 10e6,
     .help = "Spans that wait at once; further ones are dropped from the graph and counted."},
    HF_FIELDS_END};

#define TEXTS(name, member, says)                                                                  \
    {                                                                                              \
        .key = name, .type = HF_FIELD_STRING_LIST, .offset = CONFIG(member), .help = says          \
    }
#define DURATION(name, member, preset, says)                                                       \
    {                                                                                              \
        .key = name, .type = HF_FIELD_DURATION, .offset = CONFIG(member), .default_text = preset,  \
        .min = 0, .max = YEAR_NS, .help = says                                                     \
    }

const struct hf_field servicegraph_fields[] = {
    {.key = "metrics_exporter",
     .type = HF_FIELD_IGNORED,
     .help = "The metrics go to the pipelines that have the connector among their receivers."},
    {.key = "latency_histogram_buckets",
     .type = HF_FIELD_STRING_LIST,
     .offset = CONFIG(latency_histogram_buckets),
     .present_offset = CONFIG(has_buckets),
     .help = "The bounds as durations, ascending; absent: 16 from 2ms to 15s."},
    {.key = "exponential_histogram_max_size",
     .type = HF_FIELD_INT,
     .offset = CONFIG(exponential_histogram_max_size),
     .min = 0,
     .max = HF_DISTRIBUTION_SIZE_MAX,
     .help = "Make exponential histograms of so many buckets; 0: of given bounds."},
    TEXTS("dimensions", dimensions,
          "Attributes of the resource or span of each side, as client_NAME and server_NAME."),
    {.key = "store",
     .type = HF_FIELD_STRUCT,
     .offset = CONFIG(store),
     .inner = store_fields,
     .help = "The spans that wait for their other side. They are kept over a restart."},
    DURATION("cache_loop", cache_loop_ns, "1m",
             "Time between two searches for series without a request for 15 minutes; 0: 1m."),
    DURATION("store_expiration_loop", store_expiration_loop_ns, "2s",
             "Time between two searches for spans that waited too long; 0: 2s."),
    {.key = "virtual_node_peer_attributes",
     .type = HF_FIELD_STRING_LIST,
     .offset = CONFIG(virtual_node_peer_attributes),
     .present_offset = CONFIG(has_peer_attributes),
     .help = "Attributes of a client's span that name a server without spans of its own, the best "
             "one first; absent: peer.service, db.name, db.system; an empty list: no such nodes."},
    {.key = "virtual_node_extra_label",
     .type = HF_FIELD_BOOL,
     .offset = CONFIG(virtual_node_extra_label),
     .help = "Add the attribute virtual_node: client, server or empty."},
    DURATION("metrics_flush_interval", metrics_flush_interval_ns, "60s",
             "Time between two flushes; 0: one after each request."),
    TEXTS("database_name_attributes", database_name_attributes,
          "Attributes that name the database of a client's span, the best one first; absent: "
          "db.name."),
    DURATION("metrics_timestamp_offset", metrics_timestamp_offset_ns, "0s",
             "Is taken off the times of the metrics."),
    {.key = "max_series",
     .type = HF_FIELD_INT,
     .offset = CONFIG(max_series),
     .default_text = "100000",
     .min = 1,
     .max = 100e6,
     .help = "Pairs of services with their dimensions; further ones count in one with "
             "otel.metric.overflow=true. Of Holdfast."},
    HF_FIELDS_END};

struct hf_string_list servicegraph_peer_attributes(const struct servicegraph_config *config)
{
    static const char *const defaults[] = {"peer.service", "db.name", "db.system"};
    return config->has_peer_attributes
               ? config->virtual_node_peer_attributes
               : (struct hf_string_list){defaults, sizeof(defaults) / sizeof(defaults[0])};
}

struct hf_string_list servicegraph_database_names(const struct servicegraph_config *config)
{
    static const char *const defaults[] = {"db.name"};
    return config->database_name_attributes.count != 0 ? config->database_name_attributes
                                                       : (struct hf_string_list){defaults, 1};
}

static const double default_s[] = {0.002, 0.004, 0.006, 0.008, 0.01, 0.05, 0.1, 0.2,
                                   0.4,   0.8,   1,     1.4,   2,    5,    10,  15};

double *servicegraph_bounds(const struct servicegraph_config *config, size_t *ret_count)
{
    const struct hf_string_list *given = &config->latency_histogram_buckets;
    size_t count = config->has_buckets ? given->count : sizeof(default_s) / sizeof(default_s[0]);
    double *bounds = calloc(count + 1, sizeof(double));
    for (size_t i = 0; i < count && bounds != NULL; i++) {
        int64_t ns = 0;
        if (!config->has_buckets) {
            bounds[i] = default_s[i];
        } else if (hf_go_duration(given->items[i], &ns)) { /* checked at load */
            bounds[i] =
                (double)(ns / INT64_C(1000000000)) + (double)(ns % INT64_C(1000000000)) / 1e9;
        }
    }
    *ret_count = count;
    return bounds;
}

const char *servicegraph_check(const void *config)
{
    static _Thread_local char sentence[HF_ERROR_MAX];
    const struct servicegraph_config *wanted = config;
    const struct hf_string_list *buckets = &wanted->latency_histogram_buckets;
    int64_t before_ns = INT64_MIN;
    if (wanted->has_buckets && wanted->exponential_histogram_max_size > 0) {
        return "use either `latency_histogram_buckets` or `exponential_histogram_max_size`, not "
               "both";
    }
    if (wanted->exponential_histogram_max_size == 1) {
        return "exponential_histogram_max_size: at least 2 buckets are needed";
    }
    if (buckets->count > HF_DISTRIBUTION_BOUNDS_MAX) {
        return "latency_histogram_buckets: more than 4096";
    }
    for (size_t i = 0; i < buckets->count; i++) {
        int64_t ns = 0;
        bool is_good = hf_go_duration(buckets->items[i], &ns);
        if (!is_good || ns <= before_ns) {
            snprintf(sentence, sizeof(sentence), "latency_histogram_buckets[%zu]: \"%.100s\" %s", i,
                     buckets->items[i],
                     is_good ? "is not above the one before; write them in ascending order"
                             : "is no duration; write it like 100ms");
            return sentence;
        }
        before_ns = ns;
    }
    return NULL;
}
