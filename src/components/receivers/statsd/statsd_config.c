#include "statsd_config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "support/items/distribution.h"
#include "util/validators.h"

#define AT(member) offsetof(struct statsd_config, member)
#define MAPPING(member) offsetof(struct statsd_mapping_config, member)
#define BUCKETS(member) offsetof(struct statsd_buckets_config, member)
#define SIZE_DEFAULT 160u
#define SIZE_LEAST 2u
#define PERCENTILES_MAX 100u

enum { UDP = 0, UDP4, UDP6, TCP, TCP4, TCP6, UNIXGRAM };
enum { TIMER = 0, TIMING, HISTOGRAM, DISTRIBUTION };

static const char *const transports[] = {"udp",  "udp4", "udp6",     "tcp",
                                         "tcp4", "tcp6", "unixgram", NULL};
static const char *const counters[] = {"int", "float", "stochastic_int", NULL};
static const char *const mapped_types[] = {"timer", "timing", "histogram", "distribution", NULL};
static const char *const observers[] = {"disabled", "gauge", "summary", "histogram", NULL};

static const struct hf_field bucket_fields[] = {
    {.key = "matcher_pattern",
     .type = HF_FIELD_STRING,
     .offset = BUCKETS(pattern),
     .required = true,
     .help = "Metrics whose name this expression (RE2) matches have these bounds."},
    {.key = "buckets",
     .type = HF_FIELD_VALUE,
     .offset = BUCKETS(bounds),
     .required = true,
     .help = "The bounds, ascending numbers."},
    HF_FIELDS_END,
};

static const struct hf_field histogram_fields[] = {
    {.key = "max_size",
     .type = HF_FIELD_INT,
     .offset = MAPPING(size_max),
     .default_text = "0",
     .min = 0,
     .max = HF_DISTRIBUTION_SIZE_MAX,
     .help = "Most buckets of an exponential histogram; 0: 160."},
    {.key = "explicit_buckets",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = MAPPING(buckets),
     .inner = bucket_fields,
     .inner_size = sizeof(struct statsd_buckets_config),
     .help = "Bounds by name; the first pattern that matches counts, without one the histogram is "
             "exponential."},
    HF_FIELDS_END,
};

static const struct hf_field summary_fields[] = {
    {.key = "percentiles",
     .type = HF_FIELD_VALUE,
     .offset = MAPPING(percentiles),
     .help = "Percentiles, 0 to 100; absent: 0, 10, 50, 90, 95, 100."},
    HF_FIELDS_END,
};

static const struct hf_field mapping_fields[] = {
    {.key = "statsd_type",
     .type = HF_FIELD_ENUM,
     .offset = MAPPING(type),
     .choices = mapped_types,
     .required = true,
     .help = "timer and timing are ms; histogram and distribution share what is set last."},
    {.key = "observer_type",
     .type = HF_FIELD_ENUM,
     .offset = MAPPING(observer),
     .choices = observers,
     .required = true,
     .help = "gauge: each value is a point; summary and histogram: one point an interval."},
    {.key = "histogram",
     .type = HF_FIELD_STRUCT,
     .inner = histogram_fields,
     .help = "For observer_type histogram."},
    {.key = "summary",
     .type = HF_FIELD_STRUCT,
     .inner = summary_fields,
     .help = "For observer_type summary."},
    HF_FIELDS_END,
};

const struct hf_field statsd_fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(endpoint),
     .help = "host:port, or a path with transport unixgram; absent: localhost:8125, or "
             "/var/run/statsd-receiver.sock."},
    {.key = "transport",
     .type = HF_FIELD_ENUM,
     .offset = AT(transport),
     .choices = transports,
     .default_text = "udp",
     .help = "How lines come."},
    {.key = "dialer", .type = HF_FIELD_IGNORED, .help = "Without effect: it listens."},
    {.key = "aggregation_interval",
     .type = HF_FIELD_DURATION,
     .offset = AT(interval_ns),
     .default_text = "60s",
     .min = 1e6,
     .max = 86400e9,
     .help =
         "How long lines are aggregated. What was read more than a second ago survives a kill."},
    {.key = "enable_ip_only_aggregation",
     .type = HF_FIELD_BOOL,
     .offset = AT(by_ip),
     .default_text = "false",
     .help = "Senders are told apart by their address alone, not by their port."},
    {.key = "ignore_host",
     .type = HF_FIELD_BOOL,
     .offset = AT(ignores_host),
     .default_text = "false",
     .help = "Senders are not told apart."},
    {.key = "enable_metric_type",
     .type = HF_FIELD_BOOL,
     .offset = AT(adds_type),
     .default_text = "false",
     .help = "An attribute metric_type: counter, gauge, timing, histogram, distribution."},
    {.key = "enable_simple_tags",
     .type = HF_FIELD_BOOL,
     .offset = AT(simple_tags),
     .default_text = "false",
     .help = "Tags without a value are allowed."},
    {.key = "is_monotonic_counter",
     .type = HF_FIELD_BOOL,
     .offset = AT(is_monotonic),
     .default_text = "false",
     .help = "Counters are monotonic sums."},
    {.key = "counter_type",
     .type = HF_FIELD_ENUM,
     .offset = AT(counter),
     .choices = counters,
     .default_text = "int",
     .help = "int cuts fractions of each value off, stochastic_int rounds up as often as the "
             "fraction is large."},
    {.key = "timer_histogram_mapping",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = AT(mappings),
     .inner = mapping_fields,
     .inner_size = sizeof(struct statsd_mapping_config),
     .help = "What becomes of timers, histograms and distributions; absent: gauges. With it, types "
             "that it does not name are dropped."},
    {.key = "socket_permissions",
     .type = HF_FIELD_STRING,
     .offset = AT(mode),
     .default_text = "0622",
     .help = "Mode of the socket, octal; transport unixgram."},
    {.key = "socket_buffer_size",
     .type = HF_FIELD_BYTES,
     .offset = AT(socket_buffer_bytes),
     .default_text = "0",
     .help = "The socket's buffer; 0: as the system has it. Also for UDP."},
    HF_FIELDS_END,
};

bool statsd_is_stream(const struct statsd_config *config)
{
    return config->transport >= TCP && config->transport <= TCP6;
}

bool statsd_is_unix(const struct statsd_config *config)
{
    return config->transport == UNIXGRAM;
}

const char *statsd_check(const void *from)
{
    const struct statsd_config *config = from;
    const struct statsd_mapping_config *mappings = config->mappings.items;
    for (size_t i = 0; i < config->mappings.count; i++) {
        const struct statsd_mapping_config *mapping = &mappings[i];
        if (mapping->observer != STATSD_AS_HISTOGRAM &&
            (mapping->size_max != 0 || mapping->buckets.count != 0)) {
            return "timer_histogram_mapping: histogram is for observer_type histogram";
        }
        if (mapping->observer != STATSD_AS_SUMMARY && mapping->percentiles.count != 0) {
            return "timer_histogram_mapping: summary is for observer_type summary";
        }
        if (mapping->size_max != 0 && mapping->size_max < SIZE_LEAST) {
            return "timer_histogram_mapping: histogram::max_size is 2 at least";
        }
    }
    if (!statsd_is_unix(config) && config->endpoint != NULL &&
        hf_expect_listen("endpoint", config->endpoint) != NULL) {
        return "endpoint: host:port is expected";
    }
    return NULL;
}

/* ---- rules ---- */

static const double percentiles_default[] = {0, 10, 50, 90, 95, 100};

/* Ascending: each is at least the one before. */
static enum hf_status read_numbers(const struct hf_value *list, size_t count_max, bool is_ascending,
                                   double **ret_numbers)
{
    if (list->type != HF_VALUE_LIST || list->count == 0 || list->count > count_max) {
        return HF_INVALID;
    }
    double *numbers = calloc(list->count, sizeof(*numbers));
    if (numbers == NULL) {
        return HF_NOMEM;
    }
    bool good = true;
    for (size_t i = 0; i < list->count; i++) {
        const struct hf_value *value = &list->items[i];
        numbers[i] = value->type == HF_VALUE_INT ? (double)value->integer : value->number;
        good = good && (value->type == HF_VALUE_INT || value->type == HF_VALUE_DOUBLE) &&
               isfinite(numbers[i]) && (!is_ascending || i == 0 || numbers[i] >= numbers[i - 1]);
    }
    *ret_numbers = numbers;
    return good ? HF_OK : HF_INVALID;
}

static enum hf_status read_bounds(struct statsd_bounds *bounds,
                                  const struct statsd_buckets_config *config, char *reterr)
{
    char why[HF_REGEX_ERROR_MAX];
    enum hf_status status = hf_regex_new(config->pattern, &bounds->pattern, why);
    if (status == HF_INVALID) {
        snprintf(reterr, HF_ERROR_MAX,
                 "timer_histogram_mapping: explicit_buckets: matcher_pattern: %s", why);
        return status;
    }
    if (status == HF_OK) {
        status = read_numbers(&config->bounds, HF_DISTRIBUTION_BOUNDS_MAX, true, &bounds->bounds);
        bounds->count = config->bounds.count;
    }
    if (status == HF_INVALID) {
        snprintf(reterr, HF_ERROR_MAX,
                 "timer_histogram_mapping: explicit_buckets: buckets: a list of 1 to %u ascending "
                 "numbers is expected",
                 HF_DISTRIBUTION_BOUNDS_MAX);
    }
    return status;
}

static enum hf_status read_all_bounds(struct statsd_rule *rule,
                                      const struct statsd_mapping_config *config, char *reterr)
{
    const struct statsd_buckets_config *items = config->buckets.items;
    enum hf_status status = HF_OK;
    if (config->buckets.count == 0) {
        return HF_OK;
    }
    rule->bounds = calloc(config->buckets.count, sizeof(*rule->bounds));
    if (rule->bounds == NULL) {
        return HF_NOMEM;
    }
    rule->bounds_count = config->buckets.count;
    for (size_t i = 0; i < config->buckets.count && status == HF_OK; i++) {
        status = read_bounds(&rule->bounds[i], &items[i], reterr);
    }
    return status;
}

static enum hf_status read_percentiles(struct statsd_rule *rule,
                                       const struct statsd_mapping_config *config, char *reterr)
{
    if (config->percentiles.type == HF_VALUE_NONE) {
        return HF_OK;
    }
    enum hf_status status =
        read_numbers(&config->percentiles, PERCENTILES_MAX, false, &rule->percentiles);
    rule->percentile_count = config->percentiles.count;
    for (size_t i = 0; i < rule->percentile_count && status == HF_OK; i++) {
        status = rule->percentiles[i] >= 0 && rule->percentiles[i] <= 100 ? HF_OK : HF_INVALID;
    }
    if (status == HF_INVALID) {
        snprintf(reterr, HF_ERROR_MAX,
                 "timer_histogram_mapping: summary::percentiles: a list of 1 to %u numbers from 0 "
                 "to 100 is expected",
                 PERCENTILES_MAX);
    }
    return status;
}

static void release_rule(struct statsd_rule *rule)
{
    for (size_t i = 0; rule->bounds != NULL && i < rule->bounds_count; i++) {
        hf_regex_free(rule->bounds[i].pattern);
        free(rule->bounds[i].bounds);
    }
    free(rule->bounds);
    if (rule->percentiles != percentiles_default) {
        free(rule->percentiles);
    }
    *rule = (struct statsd_rule){0};
}

static void complete(struct statsd_rule *rule)
{
    if (rule->percentiles == NULL) {
        rule->percentiles = (double *)(uintptr_t)percentiles_default;
        rule->percentile_count = sizeof(percentiles_default) / sizeof(percentiles_default[0]);
    }
}

/* Of a type that is mapped twice the last mapping counts. */
enum hf_status statsd_rules_init(struct statsd_rules *rules, const struct statsd_config *config,
                                 char *reterr)
{
    const struct statsd_mapping_config *mappings = config->mappings.items;
    enum hf_status status = HF_OK;
    *rules = (struct statsd_rules){0};
    if (config->mappings.count == 0) {
        rules->timing.observer = rules->histogram.observer = STATSD_AS_GAUGE;
    }
    for (size_t i = 0; i < config->mappings.count && status == HF_OK; i++) {
        const struct statsd_mapping_config *mapping = &mappings[i];
        struct statsd_rule *rule =
            mapping->type == TIMER || mapping->type == TIMING ? &rules->timing : &rules->histogram;
        release_rule(rule);
        rule->observer = (enum statsd_observer)mapping->observer;
        rule->size_max = mapping->size_max != 0 ? (uint32_t)mapping->size_max : SIZE_DEFAULT;
        status = read_all_bounds(rule, mapping, reterr);
        status = status == HF_OK ? read_percentiles(rule, mapping, reterr) : status;
    }
    complete(&rules->timing);
    complete(&rules->histogram);
    return status;
}

void statsd_rules_release(struct statsd_rules *rules)
{
    release_rule(&rules->timing);
    release_rule(&rules->histogram);
}
