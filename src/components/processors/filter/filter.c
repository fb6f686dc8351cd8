/*
 * filter: drops spans, span events, metrics, data points and log records for which a condition is
 * true, or, in the older form, that are not included or are excluded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "filter_legacy.h"
#include "pdata/document.h"
#include "support/ottl_groups.h"
#include "util/metrics.h"

#define BIT(context) (1u << HF_PATH_##context)

struct both_spans {
    const struct hf_match_config *include, *exclude;
};

struct traces_config {
    struct hf_string_list resource, span, spanevent;
};

struct metrics_config {
    struct hf_string_list resource, metric, datapoint;
    const struct hf_filter_metrics_config *include, *exclude;
};

struct logs_config {
    struct hf_string_list resource, log_record;
    const struct hf_filter_logs_config *include, *exclude;
};

struct filter_config {
    int64_t error_mode;
    struct traces_config traces;
    struct metrics_config metrics;
    struct logs_config logs;
    struct both_spans spans;
    struct hf_value trace_conditions, metric_conditions, log_conditions;
};

/* What is asked of one signal. */
struct rules {
    struct hf_ottl_groups groups;
    enum hf_ottl_error_mode error_mode; /* of expressions */
    unsigned levels; /* that some group is about, a bit each by enum hf_path_context */
    struct hf_filter_rule include, exclude;
    struct hf_ottl_errors *errors;
    struct hf_series *filtered;
};

struct filter {
    struct rules rules[HF_SIGNAL_COUNT];
};

/* ---- compiling ---- */

/* The lists of the older keys, as groups. */
struct older {
    struct hf_string_list conditions;
    enum hf_path_context context;
};

static bool is_given(const struct hf_value *value)
{
    return value->type != HF_VALUE_NONE;
}

static enum hf_status add_older(struct rules *rules, const char *key, const struct older *older,
                                size_t count, enum hf_ottl_error_mode mode, char *reterr)
{
    static const char *const keys[] = {
        [HF_PATH_RESOURCE] = "resource",   [HF_PATH_SPAN] = "span",
        [HF_PATH_SPANEVENT] = "spanevent", [HF_PATH_METRIC] = "metric",
        [HF_PATH_DATAPOINT] = "datapoint", [HF_PATH_LOG] = "log_record"};
    enum hf_status status = HF_OK;
    for (size_t i = 0; status == HF_OK && i < count; i++) {
        char name[60];
        snprintf(name, sizeof(name), "%s::%s", key, keys[older[i].context]);
        const struct hf_ottl_group_rules how = {
            .key = name, .functions = HF_OTTL_FILTER, .error_mode = mode};
        status =
            hf_ottl_groups_add(&rules->groups, older[i].conditions, older[i].context, &how, reterr);
    }
    return status;
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

static struct keys keys_of(const struct filter_config *config, enum hf_signal signal)
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

static enum hf_status compile_legacy(const struct filter_config *config, enum hf_signal signal,
                                     struct rules *rules, char *reterr)
{
    enum hf_status status = HF_OK;
    const struct metrics_config *metrics = &config->metrics;
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

static enum hf_status compile_rules(const struct filter_config *config, enum hf_signal signal,
                                    struct rules *rules, char *reterr)
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

static void release_rules(struct rules *rules)
{
    hf_ottl_errors_free(rules->errors);
    hf_ottl_groups_release(&rules->groups);
    hf_filter_rule_release(&rules->include);
    hf_filter_rule_release(&rules->exclude);
}

/* ---- life ---- */

static const char *check(const void *config)
{
    static _Thread_local char sentence[HF_ERROR_MAX];
    for (int signal = 0; signal <= HF_LOGS; signal++) {
        struct rules rules = {.levels = 0};
        snprintf(sentence, sizeof(sentence), "out of memory");
        enum hf_status status = compile_rules(config, (enum hf_signal)signal, &rules, sentence);
        release_rules(&rules);
        if (status != HF_OK) {
            return sentence;
        }
    }
    return NULL;
}

static void close_filter(void *self)
{
    struct filter *filter = self;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        release_rules(&filter->rules[signal]);
    }
    free(filter);
}

static const struct hf_metric_family families[HF_SIGNAL_COUNT] = {
    [HF_TRACES] = {.name = "otelcol_processor_filter_spans_filtered",
                   .type = HF_COUNTER,
                   .unit = "",
                   .help = "Spans that the filter dropped."},
    [HF_METRICS] = {.name = "otelcol_processor_filter_datapoints_filtered",
                    .type = HF_COUNTER,
                    .unit = "",
                    .help = "Data points that the filter dropped."},
    [HF_LOGS] = {.name = "otelcol_processor_filter_logs_filtered",
                 .type = HF_COUNTER,
                 .unit = "",
                 .help = "Log records that the filter dropped."},
};

static enum hf_status open_rules(struct hf_node *node, const struct filter_config *config,
                                 enum hf_signal signal, struct rules *rules, char *reterr)
{
    enum hf_status status = compile_rules(config, signal, rules, reterr);
    if (status != HF_OK || (hf_node_signals(node) & HF_SIGNAL_BIT(signal)) == 0) {
        return status;
    }
    rules->errors = hf_ottl_errors_new(node, &rules->groups);
    if (hf_node_metrics(node) != NULL) {
        const struct hf_label labels[] = {{"filter", hf_node_id(node)}, {NULL, NULL}};
        rules->filtered = hf_metrics_series(hf_node_metrics(node), &families[signal], labels);
    }
    return rules->errors != NULL ? HF_OK : HF_NOMEM;
}

static enum hf_status open_filter(struct hf_node *node, const void *config, void **ret_self,
                                  char *reterr)
{
    struct filter *filter = calloc(1, sizeof(*filter));
    enum hf_status status = filter != NULL ? HF_OK : HF_NOMEM;
    for (int signal = 0; status == HF_OK && signal <= HF_LOGS; signal++) {
        status = open_rules(node, config, (enum hf_signal)signal, &filter->rules[signal], reterr);
    }
    if (status != HF_OK) {
        if (filter != NULL) {
            close_filter(filter);
        }
        return status;
    }
    *ret_self = filter;
    return HF_OK;
}

/* ---- one request ---- */

struct pass {
    struct hf_visitor visitor;
    struct hf_ottl_watch watch;
    const struct rules *rules;
    struct hf_ottl_run run;
    struct hf_filter_memory include, exclude, of_resources;
    enum hf_ottl_error_mode mode; /* of the group that is asked */
    enum hf_status status;
};

static void meet_error(struct hf_ottl_watch *watch, const char *text, const char *error)
{
    struct pass *pass = HF_CONTAINER(watch, struct pass, watch);
    hf_ottl_errors_meet(pass->rules->errors, text, error, pass->mode == HF_OTTL_SILENT);
}

/* Is a condition of that level true? */
static enum hf_visit judge(struct pass *pass, enum hf_path_context level,
                           const struct hf_place *place)
{
    const struct hf_ottl_groups *groups = &pass->rules->groups;
    bool is_true = false;
    if ((pass->rules->levels >> level & 1) == 0) {
        return HF_VISIT_KEEP;
    }
    hf_ottl_enter(&pass->run, place);
    for (size_t i = 0; !is_true && i < groups->count; i++) {
        const struct hf_ottl_group *group = &groups->items[i];
        if (group->ottl == NULL || hf_ottl_context(group->ottl) != level) {
            continue;
        }
        pass->mode = group->error_mode;
        pass->status =
            hf_ottl_any(group->ottl, &pass->run, group->error_mode, &pass->watch, &is_true);
        if (pass->status != HF_OK) {
            return HF_VISIT_STOP;
        }
    }
    return is_true ? HF_VISIT_DROP : HF_VISIT_KEEP;
}

/* By the older form: what is not included, or is excluded. */
static bool is_left_out(struct pass *pass, const struct hf_place *place)
{
    const struct rules *rules = pass->rules;
    return (rules->include.items != NULL &&
            !hf_filter_is(rules->include.items, place, &pass->include)) ||
           (rules->exclude.items != NULL &&
            hf_filter_is(rules->exclude.items, place, &pass->exclude));
}

static enum hf_visit see_resource(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct pass *pass = HF_CONTAINER(visitor, struct pass, visitor);
    const struct rules *rules = pass->rules;
    struct hf_filter_memory memory = {.element = 0};
    bool drops =
        rules->include.resources != NULL && !hf_filter_is(rules->include.resources, place, &memory);
    hf_filter_memory_release(&memory);
    if (!drops && rules->exclude.resources != NULL) {
        memory = (struct hf_filter_memory){.element = 0};
        drops = hf_filter_is(rules->exclude.resources, place, &memory);
        hf_filter_memory_release(&memory);
    }
    return drops ? HF_VISIT_DROP : judge(pass, HF_PATH_RESOURCE, place);
}

static enum hf_visit see_scope(struct hf_visitor *visitor, const struct hf_place *place)
{
    return judge(HF_CONTAINER(visitor, struct pass, visitor), HF_PATH_SCOPE, place);
}

/* What an expression says of the metric; one that fails says `otherwise`. */
static bool is_meant(struct pass *pass, const struct hf_filter_expr *expr,
                     const struct hf_place *place, bool otherwise)
{
    const char *text = "";
    bool is = false;
    enum hf_status status = hf_filter_expr_is(expr, place, &is, &text, pass->run.error);
    if (status == HF_INVALID) {
        pass->mode = pass->rules->error_mode;
        meet_error(&pass->watch, text, pass->run.error);
    }
    if (status == HF_NOMEM || (status != HF_OK && pass->rules->error_mode == HF_OTTL_PROPAGATE)) {
        pass->status = status;
    }
    return status == HF_OK ? is : otherwise;
}

static bool is_left_out_by_expressions(struct pass *pass, const struct hf_place *place)
{
    const struct rules *rules = pass->rules;
    return (rules->include.expressions != NULL &&
            !is_meant(pass, rules->include.expressions, place, true)) ||
           (rules->exclude.expressions != NULL &&
            is_meant(pass, rules->exclude.expressions, place, false));
}

static enum hf_visit see_metric(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct pass *pass = HF_CONTAINER(visitor, struct pass, visitor);
    bool drops = is_left_out(pass, place) || is_left_out_by_expressions(pass, place);
    if (pass->status != HF_OK) {
        return HF_VISIT_STOP;
    }
    enum hf_visit visit = drops ? HF_VISIT_DROP : judge(pass, HF_PATH_METRIC, place);
    /* Without conditions on points, metrics that came without points stay. */
    bool looks_inside = (pass->rules->levels & BIT(DATAPOINT)) != 0;
    return visit == HF_VISIT_KEEP && !looks_inside ? HF_VISIT_SKIP : visit;
}

static enum hf_visit see_item(struct hf_visitor *visitor, const struct hf_place *place)
{
    static const enum hf_path_context levels[HF_SIGNAL_COUNT] = {
        [HF_TRACES] = HF_PATH_SPAN, [HF_METRICS] = HF_PATH_DATAPOINT, [HF_LOGS] = HF_PATH_LOG};
    struct pass *pass = HF_CONTAINER(visitor, struct pass, visitor);
    enum hf_signal signal = hf_document_signal(place->document);
    if (signal != HF_METRICS && is_left_out(pass, place)) {
        return HF_VISIT_DROP;
    }
    return judge(pass, levels[signal], place);
}

static enum hf_visit see_event(struct hf_visitor *visitor, const struct hf_place *place)
{
    return judge(HF_CONTAINER(visitor, struct pass, visitor), HF_PATH_SPANEVENT, place);
}

static void walk(struct pass *pass, struct hf_document *document)
{
    const struct rules *rules = pass->rules;
    bool has_legacy = rules->include.items != NULL || rules->exclude.items != NULL;
    bool is_about_resources = (rules->levels & BIT(RESOURCE)) != 0 ||
                              rules->include.resources != NULL || rules->exclude.resources != NULL;
    pass->visitor = (struct hf_visitor){.prune = true};
    pass->visitor.resource = is_about_resources ? see_resource : NULL;
    pass->visitor.scope = (rules->levels & BIT(SCOPE)) != 0 ? see_scope : NULL;
    pass->visitor.metric = see_metric;
    bool is_about_items =
        has_legacy || (rules->levels & (BIT(SPAN) | BIT(DATAPOINT) | BIT(LOG))) != 0;
    pass->visitor.item = is_about_items ? see_item : NULL;
    pass->visitor.event = (rules->levels & BIT(SPANEVENT)) != 0 ? see_event : NULL;
    hf_walk(document, &pass->visitor);
}

static bool is_idle(const struct rules *rules)
{
    return rules->levels == 0 && rules->include.items == NULL && rules->exclude.items == NULL &&
           rules->include.resources == NULL && rules->exclude.resources == NULL &&
           rules->include.expressions == NULL && rules->exclude.expressions == NULL;
}

static enum hf_status process(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    const struct filter *filter = self;
    struct pass pass = {.rules = &filter->rules[batch->signal], .watch.error = meet_error};
    if (is_idle(pass.rules)) {
        hf_ref_take(&batch->ref);
        *ret_batch = batch;
        return HF_OK;
    }
    struct hf_document *document = hf_document_borrow(batch->signal, batch->raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    hf_ottl_begin(&pass.run, document);
    walk(&pass, document);
    enum hf_status status = pass.status;
    if (status == HF_OK) {
        status = hf_document_batch(document, batch, ret_batch);
    }
    if (status == HF_OK && pass.rules->filtered != NULL) {
        uint32_t left = *ret_batch != NULL ? (*ret_batch)->items : 0;
        hf_series_add(pass.rules->filtered, (int64_t)batch->items - left);
    }
    hf_filter_memory_release(&pass.include);
    hf_filter_memory_release(&pass.exclude);
    hf_ottl_end(&pass.run);
    hf_document_return(document);
    return status;
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
    LIST(traces_config, resource, "Resources for which one of these conditions is true go."),
    LIST(traces_config, span, "Spans for which one of these conditions is true go."),
    LIST(traces_config, spanevent, "Span events for which one of these conditions is true go."),
    HF_FIELDS_END,
};

static const struct hf_field metrics_fields[] = {
    LIST(metrics_config, resource, "Resources for which one of these conditions is true go."),
    LIST(metrics_config, metric, "Metrics for which one of these conditions is true go."),
    LIST(metrics_config, datapoint, "Data points for which one of these conditions is true go."),
    LEGACY(metrics_config, include, hf_filter_metrics_fields, struct hf_filter_metrics_config,
           "Only these metrics stay."),
    LEGACY(metrics_config, exclude, hf_filter_metrics_fields, struct hf_filter_metrics_config,
           "These metrics go."),
    HF_FIELDS_END,
};

static const struct hf_field logs_fields[] = {
    LIST(logs_config, resource, "Resources for which one of these conditions is true go."),
    LIST(logs_config, log_record, "Log records for which one of these conditions is true go."),
    LEGACY(logs_config, include, hf_filter_logs_fields, struct hf_filter_logs_config,
           "Only these log records stay."),
    LEGACY(logs_config, exclude, hf_filter_logs_fields, struct hf_filter_logs_config,
           "These log records go."),
    HF_FIELDS_END,
};

static const struct hf_field spans_fields[] = {
    LEGACY(both_spans, include, hf_match_fields, struct hf_match_config, "Only these spans stay."),
    LEGACY(both_spans, exclude, hf_match_fields, struct hf_match_config, "These spans go."),
    HF_FIELDS_END,
};

#define INNER(name, fields_, text)                                                                 \
    {                                                                                              \
        .key = #name, .type = HF_FIELD_STRUCT, .offset = offsetof(struct filter_config, name),     \
        .inner = (fields_), .help = (text)                                                         \
    }

#define CONDITIONS(name, text)                                                                     \
    {                                                                                              \
        .key = #name, .type = HF_FIELD_VALUE, .offset = offsetof(struct filter_config, name),      \
        .help = (text)                                                                             \
    }

static const struct hf_field fields[] = {
    {.key = "error_mode",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct filter_config, error_mode),
     .choices = hf_ottl_error_modes,
     .default_text = "ignore",
     .help = "What an error of a condition does: propagate refuses the request, ignore keeps the "
             "item and says so in the log, silent keeps it."},
    CONDITIONS(trace_conditions,
               "Conditions of OTTL with prefixed paths, or groups {context, conditions, "
               "error_mode}: what one is true for goes."),
    CONDITIONS(metric_conditions, "The same for metrics and data points."),
    CONDITIONS(log_conditions, "The same for log records."),
    INNER(traces, traces_fields, "Conditions by what they are about."),
    INNER(metrics, metrics_fields, "Conditions by what they are about, or include and exclude."),
    INNER(logs, logs_fields, "Conditions by what they are about, or include and exclude."),
    INNER(spans, spans_fields, "The older form, without OTTL."),
    HF_FIELDS_END,
};

static const struct hf_processor_ops processor_ops = {
    .process = process,
};

const struct hf_component hf_processor_filter = {
    .type = "filter",
    .help = "Drops spans, span events, metrics, data points and log records.",
    .kind = HF_PROCESSOR,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct filter_config),
    .fields = fields,
    .check = check,
    .open = open_filter,
    .close = close_filter,
    .processor = &processor_ops,
};
