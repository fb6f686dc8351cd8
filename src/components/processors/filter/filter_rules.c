#include "filter_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/mistake.h"

#define BIT(context) (1u << HF_PATH_##context)

/* The lists of the older keys, as groups. */
struct older {
    struct hf_string_list conditions;
    enum hf_path_context context;
};

static bool is_given(const struct hf_value *value)
{
    return value->type != HF_VALUE_NONE;
}

static enum hf_status add_older(struct hf_filter_rules *rules, const char *key,
                                const struct older *older, size_t count,
                                enum hf_ottl_error_mode mode, char *reterr)
{
    static const char *const keys[] = {
        [HF_PATH_RESOURCE] = "resource",   [HF_PATH_SPAN] = "span",
        [HF_PATH_SPANEVENT] = "spanevent", [HF_PATH_METRIC] = "metric",
        [HF_PATH_DATAPOINT] = "datapoint", [HF_PATH_LOG] = "log_record",
        [HF_PATH_PROFILE] = "profile"};
    enum hf_status status = HF_OK, worst = HF_OK;
    for (size_t i = 0; status == HF_OK && i < count; i++) {
        char name[60];
        snprintf(name, sizeof(name), "%s::%s", key, keys[older[i].context]);
        const struct hf_ottl_group_rules how = {
            .key = name, .functions = HF_OTTL_FILTER, .error_mode = mode};
        status =
            hf_ottl_groups_add(&rules->groups, older[i].conditions, older[i].context, &how, reterr);
        if (status == HF_INVALID && hf_mistake(reterr)) {
            worst = status;
            status = HF_OK;
        }
    }
    return status == HF_OK ? worst : status;
}

static bool has_any(const struct older *older, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (older[i].conditions.count > 0) {
            return true;
        }
    }
    return false;
}

#define OLDER_MAX 3u

/* The keys of one signal in all their forms. */
struct keys {
    const char *newer_key, *older_key;
    const struct hf_value *newer;
    unsigned contexts;
    struct older older[OLDER_MAX];
    size_t count;
    bool has_legacy;
};

static struct keys keys_of(const struct hf_filter_config *config, enum hf_signal signal)
{
    if (signal == HF_TRACES) {
        return (struct keys){.newer_key = "trace_conditions",
                             .older_key = "traces",
                             .newer = &config->trace_conditions,
                             .contexts = BIT(RESOURCE) | BIT(SCOPE) | BIT(SPAN) | BIT(SPANEVENT),
                             .older = {{config->traces.resource, HF_PATH_RESOURCE},
                                       {config->traces.span, HF_PATH_SPAN},
                                       {config->traces.spanevent, HF_PATH_SPANEVENT}},
                             .count = 3,
                             .has_legacy =
                                 config->spans.include != NULL || config->spans.exclude != NULL};
    }
    if (signal == HF_METRICS) {
        return (struct keys){.newer_key = "metric_conditions",
                             .older_key = "metrics",
                             .newer = &config->metric_conditions,
                             .contexts = BIT(RESOURCE) | BIT(SCOPE) | BIT(METRIC) | BIT(DATAPOINT),
                             .older = {{config->metrics.resource, HF_PATH_RESOURCE},
                                       {config->metrics.metric, HF_PATH_METRIC},
                                       {config->metrics.datapoint, HF_PATH_DATAPOINT}},
                             .count = 3,
                             .has_legacy = config->metrics.include != NULL ||
                                           config->metrics.exclude != NULL};
    }
    if (signal == HF_PROFILES) {
        return (struct keys){.newer_key = "profile_conditions",
                             .older_key = "profiles",
                             .newer = &config->profile_conditions,
                             .contexts = BIT(RESOURCE) | BIT(SCOPE) | BIT(PROFILE),
                             .older = {{config->profiles.resource, HF_PATH_RESOURCE},
                                       {config->profiles.profile, HF_PATH_PROFILE}},
                             .count = 2};
    }
    return (struct keys){.newer_key = "log_conditions",
                         .older_key = "logs",
                         .newer = &config->log_conditions,
                         .contexts = BIT(RESOURCE) | BIT(SCOPE) | BIT(LOG),
                         .older = {{config->logs.resource, HF_PATH_RESOURCE},
                                   {config->logs.log_record, HF_PATH_LOG}},
                         .count = 2,
                         .has_legacy =
                             config->logs.include != NULL || config->logs.exclude != NULL};
}

static enum hf_status compile_legacy(const struct hf_filter_config *config, enum hf_signal signal,
                                     struct hf_filter_rules *rules, char *reterr)
{
    enum hf_status status = HF_OK;
    const struct hf_filter_all_metrics *metrics = &config->metrics;
    if (signal == HF_TRACES && config->spans.include != NULL) {
        status = hf_filter_spans("spans::include", config->spans.include, &rules->include, reterr);
    }
    if (signal == HF_TRACES && status == HF_OK && config->spans.exclude != NULL) {
        status = hf_filter_spans("spans::exclude", config->spans.exclude, &rules->exclude, reterr);
    }
    if (signal == HF_METRICS && metrics->include != NULL) {
        status = hf_filter_metrics("metrics::include", metrics->include, &rules->include, reterr);
    }
    if (signal == HF_METRICS && status == HF_OK && metrics->exclude != NULL) {
        status = hf_filter_metrics("metrics::exclude", metrics->exclude, &rules->exclude, reterr);
    }
    if (signal == HF_LOGS && config->logs.include != NULL) {
        status = hf_filter_logs("logs::include", config->logs.include, &rules->include, reterr);
    }
    if (signal == HF_LOGS && status == HF_OK && config->logs.exclude != NULL) {
        status = hf_filter_logs("logs::exclude", config->logs.exclude, &rules->exclude, reterr);
    }
    return status;
}

enum hf_status hf_filter_rules_compile(const struct hf_filter_config *config, enum hf_signal signal,
                                       struct hf_filter_rules *rules, char *reterr)
{
    struct keys keys = keys_of(config, signal);
    const struct hf_ottl_group_rules how = {.key = keys.newer_key,
                                            .infers_each = true,
                                            .contexts = keys.contexts,
                                            .functions = HF_OTTL_FILTER,
                                            .error_mode =
                                                (enum hf_ottl_error_mode)config->error_mode};
    bool has_older = has_any(keys.older, keys.count);
    rules->error_mode = how.error_mode;
    if (is_given(keys.newer) && (has_older || keys.has_legacy)) {
        snprintf(reterr, HF_ERROR_MAX, "%s cannot be given together with %s", keys.newer_key,
                 has_older ? keys.older_key : "include and exclude");
        return HF_INVALID;
    }
    if (has_older && keys.has_legacy) {
        snprintf(reterr, HF_ERROR_MAX,
                 "%s: conditions cannot be given together with include and exclude",
                 keys.older_key);
        return HF_INVALID;
    }
    enum hf_status status = hf_ottl_groups_read(&rules->groups, keys.newer, &how, reterr);
    if (status == HF_OK) {
        status = add_older(rules, keys.older_key, keys.older, keys.count, how.error_mode, reterr);
    }
    if (status == HF_OK && keys.has_legacy) {
        status = compile_legacy(config, signal, rules, reterr);
    }
    for (size_t i = 0; status == HF_OK && i < rules->groups.count; i++) {
        if (rules->groups.items[i].ottl != NULL) {
            rules->levels |= 1u << hf_ottl_context(rules->groups.items[i].ottl);
        }
    }
    return status;
}

void hf_filter_rules_release(struct hf_filter_rules *rules)
{
    hf_ottl_errors_free(rules->errors);
    hf_ottl_groups_release(&rules->groups);
    hf_filter_rule_release(&rules->include);
    hf_filter_rule_release(&rules->exclude);
}

/* ---- fields ---- */

#define LIST(struct_, name, text)                                                                  \
    {                                                                                              \
        .key = #name, .type = HF_FIELD_STRING_LIST, .offset = offsetof(struct struct_, name),      \
        .help = (text)                                                                             \
    }

#define LEGACY(struct_, name, fields_, type_, text)                                                \
    {                                                                                              \
        .key = #name, .type = HF_FIELD_OPTIONAL, .offset = offsetof(struct struct_, name),         \
        .inner = (fields_), .inner_size = sizeof(type_), .help = (text)                            \
    }

static const struct hf_field traces_fields[] = {
    LIST(hf_filter_traces, resource, "Resources for which one of these conditions is true go."),
    LIST(hf_filter_traces, span, "Spans for which one of these conditions is true go."),
    LIST(hf_filter_traces, spanevent, "Span events for which one of these conditions is true go."),
    HF_FIELDS_END,
};

static const struct hf_field metrics_fields[] = {
    LIST(hf_filter_all_metrics, resource,
         "Resources for which one of these conditions is true go."),
    LIST(hf_filter_all_metrics, metric, "Metrics for which one of these conditions is true go."),
    LIST(hf_filter_all_metrics, datapoint,
         "Data points for which one of these conditions is true go."),
    LEGACY(hf_filter_all_metrics, include, hf_filter_metrics_fields,
           struct hf_filter_metrics_config, "Only these metrics stay."),
    LEGACY(hf_filter_all_metrics, exclude, hf_filter_metrics_fields,
           struct hf_filter_metrics_config, "These metrics go."),
    HF_FIELDS_END,
};

static const struct hf_field logs_fields[] = {
    LIST(hf_filter_all_logs, resource, "Resources for which one of these conditions is true go."),
    LIST(hf_filter_all_logs, log_record,
         "Log records for which one of these conditions is true go."),
    LEGACY(hf_filter_all_logs, include, hf_filter_logs_fields, struct hf_filter_logs_config,
           "Only these log records stay."),
    LEGACY(hf_filter_all_logs, exclude, hf_filter_logs_fields, struct hf_filter_logs_config,
           "These log records go."),
    HF_FIELDS_END,
};

static const struct hf_field profiles_fields[] = {
    LIST(hf_filter_profiles, resource, "Resources for which one of these conditions is true go."),
    LIST(hf_filter_profiles, profile, "Profiles for which one of these conditions is true go."),
    HF_FIELDS_END,
};

static const struct hf_field spans_fields[] = {
    LEGACY(hf_filter_both_spans, include, hf_match_fields, struct hf_match_config,
           "Only these spans stay."),
    LEGACY(hf_filter_both_spans, exclude, hf_match_fields, struct hf_match_config,
           "These spans go."),
    HF_FIELDS_END,
};

#define INNER(name, fields_, text)                                                                 \
    {                                                                                              \
        .key = #name, .type = HF_FIELD_STRUCT, .offset = offsetof(struct hf_filter_config, name),  \
        .inner = (fields_), .help = (text)                                                         \
    }

#define CONDITIONS(name, text)                                                                     \
    {                                                                                              \
        .key = #name, .type = HF_FIELD_VALUE, .offset = offsetof(struct hf_filter_config, name),   \
        .help = (text)                                                                             \
    }

const struct hf_field hf_filter_fields[] = {
    {.key = "error_mode",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct hf_filter_config, error_mode),
     .choices = hf_ottl_error_modes,
     .default_text = "ignore",
     .help = "What an error of a condition does: propagate refuses the request, ignore keeps the "
             "item and says so in the log, silent keeps it."},
    CONDITIONS(trace_conditions,
               "Conditions of OTTL with prefixed paths, or groups {context, conditions, "
               "error_mode}: what one is true for goes."),
    CONDITIONS(metric_conditions, "The same for metrics and data points."),
    CONDITIONS(log_conditions, "The same for log records."),
    CONDITIONS(profile_conditions, "The same for profiles."),
    INNER(traces, traces_fields, "Conditions by what they are about."),
    INNER(metrics, metrics_fields, "Conditions by what they are about, or include and exclude."),
    INNER(logs, logs_fields, "Conditions by what they are about, or include and exclude."),
    INNER(profiles, profiles_fields, "Conditions by what they are about."),
    INNER(spans, spans_fields, "The older form, without OTTL."),
    HF_FIELDS_END,
};
