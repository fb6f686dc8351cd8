/*
 * filter: drops spans, span events, metrics, data points, log records and profiles for which a
 * condition is true, or, in the older form, that are not included or are excluded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "filter_rules.h"
#include "pdata/document.h"
#include "util/metrics/metrics.h"
#include "util/mistake.h"

#define BIT(context) (1u << HF_PATH_##context)

struct filter {
    struct hf_filter_rules rules[HF_SIGNAL_COUNT];
};

/* ---- life ---- */

static const char *check(const void *config)
{
    static _Thread_local char sentence[HF_ERROR_MAX];
    const char *wrong = NULL;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        struct hf_filter_rules rules = {.levels = 0};
        char why[HF_ERROR_MAX] = "out of memory";
        enum hf_status status =
            hf_filter_rules_compile(config, (enum hf_signal)signal, &rules, why);
        hf_filter_rules_release(&rules);
        if (status != HF_OK) {
            memcpy(sentence, why, sizeof(sentence));
            wrong = sentence;
        }
        if (status != HF_OK && !hf_mistake(wrong)) {
            break;
        }
    }
    return wrong;
}

static void close_filter(void *self)
{
    struct filter *filter = self;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        hf_filter_rules_release(&filter->rules[signal]);
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
    [HF_PROFILES] = {.name = "otelcol_processor_filter_profiles_filtered",
                     .type = HF_COUNTER,
                     .unit = "",
                     .help = "Samples of the profiles that the filter dropped."},
};

static enum hf_status open_rules(struct hf_node *node, const struct hf_filter_config *config,
                                 enum hf_signal signal, struct hf_filter_rules *rules, char *reterr)
{
    enum hf_status status = hf_filter_rules_compile(config, signal, rules, reterr);
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
    for (int signal = 0; status == HF_OK && signal < HF_SIGNAL_COUNT; signal++) {
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
    const struct hf_filter_rules *rules;
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
    const struct hf_filter_rules *rules = pass->rules;
    return (rules->include.items != NULL &&
            !hf_filter_is(rules->include.items, place, &pass->include)) ||
           (rules->exclude.items != NULL &&
            hf_filter_is(rules->exclude.items, place, &pass->exclude));
}

static enum hf_visit see_resource(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct pass *pass = HF_CONTAINER(visitor, struct pass, visitor);
    const struct hf_filter_rules *rules = pass->rules;
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
    const struct hf_filter_rules *rules = pass->rules;
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
    static const enum hf_path_context levels[HF_SIGNAL_COUNT] = {[HF_TRACES] = HF_PATH_SPAN,
                                                                 [HF_METRICS] = HF_PATH_DATAPOINT,
                                                                 [HF_LOGS] = HF_PATH_LOG,
                                                                 [HF_PROFILES] = HF_PATH_PROFILE};
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
    const struct hf_filter_rules *rules = pass->rules;
    bool has_legacy = rules->include.items != NULL || rules->exclude.items != NULL;
    bool is_about_resources = (rules->levels & BIT(RESOURCE)) != 0 ||
                              rules->include.resources != NULL || rules->exclude.resources != NULL;
    pass->visitor = (struct hf_visitor){.prune = true};
    pass->visitor.resource = is_about_resources ? see_resource : NULL;
    pass->visitor.scope = (rules->levels & BIT(SCOPE)) != 0 ? see_scope : NULL;
    pass->visitor.metric = see_metric;
    bool is_about_items =
        has_legacy || (rules->levels & (BIT(SPAN) | BIT(DATAPOINT) | BIT(LOG) | BIT(PROFILE))) != 0;
    pass->visitor.item = is_about_items ? see_item : NULL;
    pass->visitor.event = (rules->levels & BIT(SPANEVENT)) != 0 ? see_event : NULL;
    hf_walk(document, &pass->visitor);
}

static bool is_idle(const struct hf_filter_rules *rules)
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

static const struct hf_processor_ops processor_ops = {
    .process = process,
};

const struct hf_component hf_processor_filter = {
    .type = "filter",
    .help = "Drops spans, span events, metrics, data points, log records and profiles.",
    .kind = HF_PROCESSOR,
    .signals = HF_ALL_SIGNALS_AND_PROFILES,
    .config_size = sizeof(struct hf_filter_config),
    .fields = hf_filter_fields,
    .check = check,
    .open = open_filter,
    .close = close_filter,
    .processor = &processor_ops,
};
