/*
 * transform: runs statements of OTTL over resources, scopes, spans, span events, metrics, data
 * points, exemplars, log records and profiles.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "pdata/document.h"
#include "support/items/flatten.h"
#include "support/items/grouping.h"
#include "support/items/ottl_groups.h"
#include "util/mistake.h"

#define BIT(context) (1u << HF_PATH_##context)

struct flatten_config {
    bool log;
};

struct transform_config {
    int64_t error_mode;
    struct hf_value trace_statements, metric_statements, log_statements, profile_statements;
    struct flatten_config flatten;
    bool flatten_data; /* its older spelling */
};

struct transform {
    bool flattens_logs;
    struct hf_ottl_groups groups[HF_SIGNAL_COUNT];
    struct hf_ottl_errors *errors[HF_SIGNAL_COUNT]; /* NULL: not in a pipeline of that signal */
};

/* ---- compiling ---- */

static enum hf_status compile(const struct transform_config *config, enum hf_signal signal,
                              struct hf_ottl_groups *groups, char *reterr)
{
    static const char *const keys[HF_SIGNAL_COUNT] = {[HF_TRACES] = "trace_statements",
                                                      [HF_METRICS] = "metric_statements",
                                                      [HF_LOGS] = "log_statements",
                                                      [HF_PROFILES] = "profile_statements"};
    static const unsigned contexts[HF_SIGNAL_COUNT] = {
        [HF_TRACES] = BIT(RESOURCE) | BIT(SCOPE) | BIT(SPAN) | BIT(SPANEVENT),
        [HF_METRICS] = BIT(RESOURCE) | BIT(SCOPE) | BIT(METRIC) | BIT(DATAPOINT) | BIT(EXEMPLAR),
        [HF_LOGS] = BIT(RESOURCE) | BIT(SCOPE) | BIT(LOG),
        [HF_PROFILES] = BIT(RESOURCE) | BIT(SCOPE) | BIT(PROFILE)};
    const struct hf_value *const values[HF_SIGNAL_COUNT] = {
        [HF_TRACES] = &config->trace_statements,
        [HF_METRICS] = &config->metric_statements,
        [HF_LOGS] = &config->log_statements,
        [HF_PROFILES] = &config->profile_statements};
    const struct hf_ottl_group_rules rules = {.key = keys[signal],
                                              .are_statements = true,
                                              .contexts = contexts[signal],
                                              .functions = HF_OTTL_EDITORS | HF_OTTL_METRIC_EDITORS,
                                              .error_mode =
                                                  (enum hf_ottl_error_mode)config->error_mode};
    return hf_ottl_groups_read(groups, values[signal], &rules, reterr);
}

static const char *check(const void *config)
{
    static _Thread_local char sentence[HF_ERROR_MAX];
    const char *wrong = NULL;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        struct hf_ottl_groups groups = {0};
        char why[HF_ERROR_MAX] = "out of memory";
        enum hf_status status = compile(config, (enum hf_signal)signal, &groups, why);
        hf_ottl_groups_release(&groups);
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

static void close_transform(void *self)
{
    struct transform *transform = self;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        hf_ottl_errors_free(transform->errors[signal]);
        hf_ottl_groups_release(&transform->groups[signal]);
    }
    free(transform);
}

static enum hf_status open_transform(struct hf_node *node, const void *config, void **ret_self,
                                     char *reterr)
{
    const struct transform_config *configured = config;
    struct transform *transform = calloc(1, sizeof(*transform));
    enum hf_status status = transform != NULL ? HF_OK : HF_NOMEM;
    if (transform != NULL) {
        transform->flattens_logs = configured->flatten.log || configured->flatten_data;
    }
    for (int signal = 0; status == HF_OK && signal < HF_SIGNAL_COUNT; signal++) {
        if ((hf_node_signals(node) & HF_SIGNAL_BIT(signal)) == 0) {
            continue;
        }
        status = compile(config, (enum hf_signal)signal, &transform->groups[signal], reterr);
        if (status == HF_OK) {
            transform->errors[signal] = hf_ottl_errors_new(node, &transform->groups[signal]);
            status = transform->errors[signal] != NULL ? HF_OK : HF_NOMEM;
        }
    }
    if (status != HF_OK) {
        if (transform != NULL) {
            close_transform(transform);
        }
        return status;
    }
    *ret_self = transform;
    return HF_OK;
}

/* ---- one request ---- */

struct pass {
    struct hf_visitor visitor;
    struct hf_ottl_watch watch;
    struct hf_ottl_errors *errors;
    const struct hf_ottl_group *group;
    struct hf_ottl_run run;
    enum hf_status status;
};

static void meet_error(struct hf_ottl_watch *watch, const char *text, const char *error)
{
    struct pass *pass = HF_CONTAINER(watch, struct pass, watch);
    hf_ottl_errors_meet(pass->errors, text, error, pass->group->error_mode == HF_OTTL_SILENT);
}

static enum hf_visit execute(struct pass *pass, const struct hf_place *place)
{
    hf_ottl_enter(&pass->run, place);
    pass->status =
        hf_ottl_execute_all(pass->group->ottl, &pass->run, pass->group->error_mode, &pass->watch);
    return pass->status == HF_OK ? HF_VISIT_SKIP : HF_VISIT_STOP;
}

static enum hf_visit see(struct hf_visitor *visitor, const struct hf_place *place)
{
    return execute(HF_CONTAINER(visitor, struct pass, visitor), place);
}

static enum hf_visit see_exemplars(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct pass *pass = HF_CONTAINER(visitor, struct pass, visitor);
    const struct hf_schema_field *field =
        hf_schema_find(hf_message_type(place->item), hf_slice_text("exemplars"));
    struct hf_place inner = *place;
    enum hf_visit visit = HF_VISIT_KEEP;
    if (field == NULL) {
        return visit;
    }
    inner.exemplar = hf_message_first(place->item, field->number);
    while (inner.exemplar != NULL && visit != HF_VISIT_STOP) {
        visit = execute(pass, &inner);
        inner.exemplar = hf_message_next(inner.exemplar);
    }
    return visit;
}

static struct hf_visitor visitor_of(enum hf_path_context context)
{
    struct hf_visitor visitor = {.prune = false};
    switch (context) {
    case HF_PATH_RESOURCE:
        visitor.resource = see;
        break;
    case HF_PATH_SCOPE:
        visitor.scope = see;
        break;
    case HF_PATH_METRIC:
        visitor.metric = see;
        break;
    case HF_PATH_SPANEVENT:
        visitor.event = see;
        break;
    case HF_PATH_EXEMPLAR:
        visitor.item = see_exemplars;
        break;
    default:
        visitor.item = see;
        break;
    }
    return visitor;
}

/* Group by group over the whole request. */
static void run_groups(struct pass *pass, const struct hf_ottl_groups *groups,
                       struct hf_document *document)
{
    for (size_t i = 0; pass->status == HF_OK && i < groups->count; i++) {
        pass->group = &groups->items[i];
        if (pass->group->ottl == NULL) {
            continue;
        }
        pass->run.keeps_cache = pass->group->shares_cache;
        pass->visitor = visitor_of(hf_ottl_context(pass->group->ottl));
        hf_walk(document, &pass->visitor);
    }
}

static enum hf_status process(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    const struct transform *transform = self;
    const struct hf_ottl_groups *groups = &transform->groups[batch->signal];
    struct pass pass = {.errors = transform->errors[batch->signal], .watch.error = meet_error};
    if (groups->count == 0) {
        hf_ref_take(&batch->ref);
        *ret_batch = batch;
        return HF_OK;
    }
    struct hf_document *document = hf_document_borrow(batch->signal, batch->raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    bool flattens = transform->flattens_logs && batch->signal == HF_LOGS;
    pass.status = flattens ? hf_flatten(document) : HF_OK;
    hf_ottl_begin(&pass.run, document);
    run_groups(&pass, groups, document);
    enum hf_status status = pass.status;
    if (status == HF_OK && flattens) {
        status = hf_group(document, &(struct hf_string_list){.count = 0},
                          &(struct hf_grouping_counts){0});
    }
    if (status == HF_OK) {
        status = hf_document_batch(document, batch, ret_batch);
    }
    hf_ottl_end(&pass.run);
    hf_document_return(document);
    return status;
}

#define STATEMENTS(name, text)                                                                     \
    {                                                                                              \
        .key = #name, .type = HF_FIELD_VALUE, .offset = offsetof(struct transform_config, name),   \
        .help = (text)                                                                             \
    }

static const struct hf_field flatten_fields[] = {
    {.key = "log",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct flatten_config, log),
     .help = "Log records: what a statement sets in the resource or scope concerns that record "
             "alone. Those that are the same afterwards are joined again."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "error_mode",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct transform_config, error_mode),
     .choices = hf_ottl_error_modes,
     .default_text = "ignore",
     .help =
         "What an error of a statement does: propagate refuses the request, ignore goes on with "
         "the next statement and says so in the log, silent goes on."},
    STATEMENTS(trace_statements,
               "Statements of OTTL with prefixed paths, or groups {context, conditions, "
               "statements, error_mode}, which run one after another."),
    STATEMENTS(metric_statements, "The same for metrics."),
    STATEMENTS(log_statements, "The same for logs."),
    STATEMENTS(
        profile_statements,
        "The same for profiles. What a profile has in the dictionary of the request (attributes, "
        "types, units) is read only."),
    {.key = "flatten",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct transform_config, flatten),
     .inner = flatten_fields,
     .help = "What is given a resource and scope of its own while the statements run."},
    {.key = "flatten_data",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct transform_config, flatten_data),
     .help = "The same as flatten::log, in an older spelling."},
    HF_FIELDS_END,
};

static const struct hf_processor_ops processor_ops = {
    .process = process,
};

const struct hf_component hf_processor_transform = {
    .type = "transform",
    .help = "Changes telemetry by statements of OTTL.",
    .kind = HF_PROCESSOR,
    .signals = HF_ALL_SIGNALS_AND_PROFILES,
    .config_size = sizeof(struct transform_config),
    .fields = fields,
    .check = check,
    .open = open_transform,
    .close = close_transform,
    .processor = &processor_ops,
};
