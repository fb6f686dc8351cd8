#include "spanmetrics_config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "ottl/glob.h"
#include "support/items/distribution.h"
#include "support/settings/go_duration.h"
#include "util/regex/regex.h"

/* ---- keys ---- */

#define DIMENSION(member) offsetof(struct spanmetrics_dimension_config, member)
#define CONFIG(member) offsetof(struct spanmetrics_config, member)
#define HISTOGRAM(member) (CONFIG(histogram.member) - CONFIG(histogram))
#define EXEMPLARS(member) (CONFIG(exemplars.member) - CONFIG(exemplars))
#define EVENTS(member) (CONFIG(events.member) - CONFIG(events))

static const char *const temporalities[] = {"AGGREGATION_TEMPORALITY_CUMULATIVE",
                                            "AGGREGATION_TEMPORALITY_DELTA", NULL};
static const char *const units[] = {"ms", "s", NULL};

static const struct hf_field dimension_fields[] = {
    {.key = "name",
     .type = HF_FIELD_STRING,
     .offset = DIMENSION(name),
     .help = "An attribute of the span, or else of its resource."},
    {.key = "default",
     .type = HF_FIELD_STRING,
     .offset = DIMENSION(fallback),
     .present_offset = DIMENSION(has_fallback),
     .help = "Its value where there is no such attribute; without one it is left out there."},
    {.key = "glob",
     .type = HF_FIELD_STRING,
     .offset = DIMENSION(glob),
     .help = "Instead of a name: all attributes whose names match. `*` stops at a dot, `**` does "
             "not."},
    HF_FIELDS_END};

#define DIMENSIONS(name, at, says)                                                                 \
    {                                                                                              \
        .key = name, .type = HF_FIELD_STRUCT_LIST, .offset = at, .inner = dimension_fields,        \
        .inner_size = sizeof(struct spanmetrics_dimension_config), .help = says                    \
    }

static const struct hf_field exponential_fields[] = {
    {.key = "max_size",
     .type = HF_FIELD_INT,
     .offset = 0,
     .min = 0,
     .max = HF_DISTRIBUTION_SIZE_MAX,
     .help = "Buckets of a histogram at most; 0: 160."},
    HF_FIELDS_END};
static const struct hf_field explicit_fields[] = {{.key = "buckets",
                                                   .type = HF_FIELD_STRING_LIST,
                                                   .offset = 0,
                                                   .help = "The bounds as durations, ascending."},
                                                  HF_FIELDS_END};
static const struct hf_field histogram_fields[] = {
    {.key = "disable",
     .type = HF_FIELD_BOOL,
     .offset = HISTOGRAM(disable),
     .help = "Make no histogram of durations."},
    {.key = "unit",
     .type = HF_FIELD_ENUM,
     .offset = HISTOGRAM(unit),
     .choices = units,
     .default_text = "ms",
     .help = "The unit of the durations."},
    {.key = "exponential",
     .type = HF_FIELD_OPTIONAL,
     .offset = HISTOGRAM(exponential),
     .inner = exponential_fields,
     .inner_size = sizeof(struct spanmetrics_exponential_config),
     .help = "An exponential histogram."},
    {.key = "explicit",
     .type = HF_FIELD_OPTIONAL,
     .offset = HISTOGRAM(explicit_),
     .inner = explicit_fields,
     .inner_size = sizeof(struct spanmetrics_explicit_config),
     .help = "A histogram of given bounds; without either, one of 16 bounds from 2ms to 15s."},
    DIMENSIONS("dimensions", HISTOGRAM(dimensions), "More dimensions, of the durations alone."),
    HF_FIELDS_END};
static const struct hf_field exemplar_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = EXEMPLARS(enabled),
     .help = "Add trace and span ids of some of the spans to each point. They are not kept over a "
             "restart."},
    {.key = "max_per_data_point",
     .type = HF_FIELD_INT,
     .offset = EXEMPLARS(max_per_data_point),
     .default_text = "5",
     .min = 0,
     .max = 1000,
     .help = "At most so many of them."},
    HF_FIELDS_END};
static const struct hf_field event_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = EVENTS(enabled),
     .help = "Count the events of spans in the metric `events`."},
    DIMENSIONS("dimensions", EVENTS(dimensions),
               "More dimensions of it, attributes of events too; at least one."),
    HF_FIELDS_END};

#define DURATION(name, member, preset, least, says)                                                \
    {                                                                                              \
        .key = name, .type = HF_FIELD_DURATION, .offset = CONFIG(member), .default_text = preset,  \
        .min = least, .max = 31536000e9, .help = says                                              \
    }
#define COUNT(name, member, preset, least, says)                                                   \
    {                                                                                              \
        .key = name, .type = HF_FIELD_INT, .offset = CONFIG(member), .default_text = preset,       \
        .min = least, .max = 100e6, .help = says                                                   \
    }
#define TEXTS(name, member, says)                                                                  \
    {                                                                                              \
        .key = name, .type = HF_FIELD_STRING_LIST, .offset = CONFIG(member), .help = says          \
    }

const struct hf_field spanmetrics_fields[] = {
    DIMENSIONS("dimensions", CONFIG(dimensions),
               "Dimensions of all metrics, beside service.name, span.name, span.kind, status.code "
               "and collector.instance.id."),
    DIMENSIONS("calls_dimensions", CONFIG(calls_dimensions), "More dimensions, of `calls` alone."),
    TEXTS("exclude_dimensions", exclude_dimensions,
          "Of the five default ones, those to leave out."),
    COUNT("dimensions_cache_size", dimensions_cache_size, "0", 0,
          "Accepted; aggregation_cardinality_limit and max_series are the limits."),
    COUNT("resource_metrics_cache_size", resource_metrics_cache_size, "1000", 1,
          "Resources with metrics of their own. The one that was idle for longest is passed on "
          "once more and forgotten when there are more."),
    TEXTS("resource_metrics_key_attributes", resource_metrics_key_attributes,
          "The attributes that tell resources apart; empty: all of them."),
    {.key = "aggregation_temporality",
     .type = HF_FIELD_ENUM,
     .offset = CONFIG(is_delta),
     .choices = temporalities,
     .default_text = "AGGREGATION_TEMPORALITY_CUMULATIVE",
     .help = "Sums since the start of a series, which go on over a restart, or since the last "
             "flush."},
    {.key = "histogram",
     .type = HF_FIELD_STRUCT,
     .offset = CONFIG(histogram),
     .inner = histogram_fields,
     .help = "The metric `duration`."},
    DURATION("metrics_flush_interval", metrics_flush_interval_ns, "60s", 1e6,
             "Time between two flushes."),
    DURATION("metrics_expiration", metrics_expiration_ns, "0s", 0,
             "A resource without spans for so long is forgotten; 0: never. Cumulative sums only."),
    DURATION("series_expiration", series_expiration_ns, "0s", 0, "Likewise a single series."),
    COUNT("metric_timestamp_cache_size", metric_timestamp_cache_size, "1000", 1,
          "Series of delta sums whose last flush is remembered, so that their intervals join."),
    {.key = "namespace",
     .type = HF_FIELD_STRING,
     .offset = CONFIG(namespace_),
     .default_text = "traces.span.metrics",
     .help = "Stands before the names of the metrics, with a dot; empty: nothing."},
    {.key = "exemplars",
     .type = HF_FIELD_STRUCT,
     .offset = CONFIG(exemplars),
     .inner = exemplar_fields,
     .help = "Exemplars."},
    {.key = "events",
     .type = HF_FIELD_STRUCT,
     .offset = CONFIG(events),
     .inner = event_fields,
     .help = "The metric `events`."},
    TEXTS("include_instrumentation_scope", include_instrumentation_scope,
          "Scopes whose name and version become attributes."),
    COUNT("aggregation_cardinality_limit", aggregation_cardinality_limit, "0", 0,
          "Series of one metric of a resource; what is beyond counts in a series with "
          "otel.metric.overflow=true. 0: max_series alone."),
    {.key = "add_resource_attributes",
     .type = HF_FIELD_BOOL,
     .offset = CONFIG(add_resource_attributes),
     .help = "Accepted: the attributes of the resource are there in any case, as in the Go "
             "collector unless a feature gate removes them."},
    {.key = "enable_metrics_sampling_method",
     .type = HF_FIELD_BOOL,
     .offset = CONFIG(enable_metrics_sampling_method),
     .help = "Add sampling.method: `extrapolated` where the trace state says how spans were "
             "sampled, `counted` elsewhere."},
    COUNT("max_series", max_series, "200000", 1,
          "Series of all metrics and resources; further ones count in the overflow series. Of "
          "Holdfast."),
    HF_FIELDS_END};

/* ---- the bounds ---- */

static const double default_ms[] = {2,   4,   6,    8,    10,   50,   100,   200,
                                    400, 800, 1000, 1400, 2000, 5000, 10000, 15000};

double *spanmetrics_bounds(const struct spanmetrics_config *config, size_t *ret_count)
{
    const struct spanmetrics_explicit_config *given = config->histogram.explicit_;
    size_t count = given != NULL ? given->buckets.count : sizeof(default_ms) / sizeof(double);
    double divider = config->histogram.unit == SPANMETRICS_S ? 1e9 : 1e6;
    *ret_count = count;
    double *bounds = count != 0 ? calloc(count, sizeof(double)) : NULL;
    for (size_t i = 0; i < count && bounds != NULL; i++) {
        int64_t ns = 0;
        if (given == NULL) {
            bounds[i] =
                config->histogram.unit == SPANMETRICS_S ? default_ms[i] / 1000 : default_ms[i];
        } else if (hf_go_duration(given->buckets.items[i], &ns)) { /* checked at load */
            bounds[i] = (double)ns / divider;
        }
    }
    return bounds;
}

/* ---- checks ---- */

static _Thread_local char sentence[HF_ERROR_MAX];

static const char *const reserved[] = {"service.name", "span.kind", "status.code", "span.name",
                                       "collector.instance.id"};

static const char *check_glob(const char *list, const char *glob,
                              const struct hf_struct_list *dimensions)
{
    const struct spanmetrics_dimension_config *all = dimensions->items;
    char why[HF_REGEX_ERROR_MAX];
    struct hf_regex *regex = NULL;
    const char *taken = NULL;
    enum hf_status status = hf_ottl_glob_new_separated(hf_slice_text(glob), '.', &regex, why);
    if (status != HF_OK) {
        snprintf(sentence, sizeof(sentence), "%s: glob \"%.200s\": %s", list, glob,
                 status == HF_INVALID ? why : "out of memory");
        return sentence;
    }
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        taken = hf_regex_matches(regex, hf_slice_text(reserved[i])) ? reserved[i] : taken;
    }
    for (size_t i = 0; i < dimensions->count; i++) {
        const char *name = all[i].name != NULL ? all[i].name : "";
        taken = name[0] != '\0' && hf_regex_matches(regex, hf_slice_text(name)) ? name : taken;
    }
    hf_regex_free(regex);
    if (taken != NULL) {
        snprintf(sentence, sizeof(sentence),
                 "%s: glob \"%.200s\" matches the dimension \"%.200s\", which is there already; "
                 "make it narrower",
                 list, glob, taken);
        return sentence;
    }
    return NULL;
}

static const char *check_name(const char *list, const char *name,
                              const struct spanmetrics_dimension_config *before, size_t count)
{
    bool is_there = false;
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        is_there = is_there || strcmp(reserved[i], name) == 0;
    }
    for (size_t i = 0; i < count; i++) {
        is_there = is_there || (before[i].name != NULL && strcmp(before[i].name, name) == 0);
    }
    if (is_there) {
        snprintf(sentence, sizeof(sentence),
                 "%s: duplicate dimension name \"%.200s\": it is a default dimension or stands in "
                 "the list twice; remove it",
                 list, name);
        return sentence;
    }
    return NULL;
}

static const char *check_dimensions(const char *list, const struct hf_struct_list *dimensions)
{
    const struct spanmetrics_dimension_config *all = dimensions->items;
    const char *wrong = NULL;
    for (size_t i = 0; i < dimensions->count && wrong == NULL; i++) {
        bool has_name = all[i].name != NULL && all[i].name[0] != '\0';
        bool has_glob = all[i].glob != NULL && all[i].glob[0] != '\0';
        if (has_name == has_glob) {
            snprintf(sentence, sizeof(sentence),
                     "%s[%zu]: set one of `name` and `glob`, and not both", list, i);
            wrong = sentence;
        } else if (has_name) {
            wrong = check_name(list, all[i].name, all, i);
        } else if (all[i].has_fallback) {
            snprintf(sentence, sizeof(sentence),
                     "%s[%zu]: `default` needs a `name`: a glob has no single attribute", list, i);
            wrong = sentence;
        } else {
            wrong = check_glob(list, all[i].glob, dimensions);
        }
    }
    return wrong;
}

static const char *check_buckets(const struct spanmetrics_config *config)
{
    const struct spanmetrics_explicit_config *given = config->histogram.explicit_;
    size_t count = given != NULL ? given->buckets.count : 0;
    int64_t before_ns = INT64_MIN;
    if (count > HF_DISTRIBUTION_BOUNDS_MAX) {
        return "histogram::explicit::buckets: more than 4096";
    }
    for (size_t i = 0; i < count; i++) {
        int64_t ns = 0;
        if (!hf_go_duration(given->buckets.items[i], &ns)) {
            snprintf(sentence, sizeof(sentence),
                     "histogram::explicit::buckets[%zu]: \"%.100s\" is no duration; write it like "
                     "100ms",
                     i, given->buckets.items[i]);
            return sentence;
        }
        if (ns <= before_ns) {
            snprintf(sentence, sizeof(sentence),
                     "histogram::explicit::buckets[%zu]: %.100s is not above the one before; "
                     "write them in ascending order",
                     i, given->buckets.items[i]);
            return sentence;
        }
        before_ns = ns;
    }
    return NULL;
}

const char *spanmetrics_check(const void *config)
{
    const struct spanmetrics_config *wanted = config;
    const char *wrong = check_dimensions("dimensions", &wanted->dimensions);
    if (wrong == NULL) {
        wrong = check_dimensions("calls_dimensions", &wanted->calls_dimensions);
    }
    if (wrong == NULL) {
        wrong = check_dimensions("histogram::dimensions", &wanted->histogram.dimensions);
    }
    if (wrong == NULL && wanted->events.enabled && wanted->events.dimensions.count == 0) {
        wrong = "events::dimensions: no dimensions configured for events; at least one is needed";
    }
    if (wrong == NULL && wanted->events.enabled) {
        wrong = check_dimensions("events::dimensions", &wanted->events.dimensions);
    }
    if (wrong == NULL && wanted->histogram.explicit_ != NULL &&
        wanted->histogram.exponential != NULL) {
        wrong = "histogram: use either `explicit` or `exponential`, not both";
    }
    return wrong == NULL ? check_buckets(wanted) : wrong;
}
