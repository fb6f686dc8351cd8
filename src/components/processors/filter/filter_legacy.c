#include "filter_legacy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <holdfast/component.h>

static const char *const match_types[] = {"strict", "regexp", NULL};
static const char *const metric_match_types[] = {"strict", "regexp", "expr", NULL};

static const struct hf_field severity_fields[] = {
    {.key = "min",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_filter_severity, min),
     .help = "The lowest severity that matches, such as INFO or WARN2."},
    {.key = "match_undefined",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct hf_filter_severity, match_undefined),
     .help = "Do records without a severity number match?"},
    HF_FIELDS_END,
};

const struct hf_field hf_filter_logs_fields[] = {
    {.key = "match_type",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct hf_filter_logs_config, match_type),
     .choices = match_types,
     .default_text = "strict",
     .help = "How texts compare: equal, or by regular expressions that match anywhere."},
    {.key = "resource_attributes",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct hf_filter_logs_config, resource_attributes),
     .inner = hf_match_attribute_fields,
     .inner_size = sizeof(struct hf_match_attribute),
     .help = "Records whose resource has all these attributes."},
    {.key = "record_attributes",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct hf_filter_logs_config, record_attributes),
     .inner = hf_match_attribute_fields,
     .inner_size = sizeof(struct hf_match_attribute),
     .help = "Records that have all these attributes."},
    {.key = "severity_texts",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct hf_filter_logs_config, severity_texts),
     .help = "Records with one of these severity texts."},
    {.key = "bodies",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct hf_filter_logs_config, bodies),
     .help = "Records whose body, as text, is one of these."},
    {.key = "severity_number",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct hf_filter_logs_config, severity_number),
     .inner = severity_fields,
     .inner_size = sizeof(struct hf_filter_severity),
     .help = "Records of at least some severity."},
    HF_FIELDS_END,
};

const struct hf_field hf_filter_metrics_fields[] = {
    {.key = "match_type",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct hf_filter_metrics_config, match_type),
     .choices = metric_match_types,
     .default_text = "strict",
     .help = "How texts compare: equal, or by regular expressions that match anywhere; expr: by "
             "`expressions`."},
    {.key = "regexp",
     .type = HF_FIELD_IGNORED,
     .help = "Results are not cached: patterns are compiled to machine code."},
    {.key = "metric_names",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct hf_filter_metrics_config, metric_names),
     .help = "Metrics with one of these names."},
    {.key = "resource_attributes",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct hf_filter_metrics_config, resource_attributes),
     .inner = hf_match_attribute_fields,
     .inner_size = sizeof(struct hf_match_attribute),
     .help = "Metrics whose resource has all these attributes."},
    {.key = "expressions",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct hf_filter_metrics_config, expressions),
     .help = "With match_type expr: metrics with a data point for which one of these is true, with "
             "MetricName, MetricType, HasLabel(key) and Label(key)."},
    HF_FIELDS_END,
};

/* ---- compiling ---- */

enum hf_status hf_filter_spans(const char *name, const struct hf_match_config *config,
                               struct hf_filter_rule *rule, char *reterr)
{
    rule->of_items = *config;
    return hf_match_new(name, &rule->of_items, HF_SIGNAL_BIT(HF_TRACES), &rule->items, reterr);
}

/* "TRACE" is 1, "TRACE2" 2, ... "FATAL4" 24. */
static bool read_severity(const char *text, int64_t *ret_number)
{
    static const char *const names[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t size = strlen(names[i]);
        if (strncasecmp(text, names[i], size) != 0) {
            continue;
        }
        const char *rest = text + size;
        bool is_numbered = rest[0] >= '2' && rest[0] <= '4' && rest[1] == '\0';
        if (rest[0] != '\0' && !is_numbered) {
            return false;
        }
        *ret_number = (int64_t)(4 * i) + (is_numbered ? rest[0] - '0' : 1);
        return true;
    }
    return strcasecmp(text, "UNDEFINED") == 0 || text[0] == '\0';
}

enum hf_status hf_filter_logs(const char *name, const struct hf_filter_logs_config *config,
                              struct hf_filter_rule *rule, char *reterr)
{
    bool is_empty = config->resource_attributes.count == 0 &&
                    config->record_attributes.count == 0 && config->severity_texts.count == 0 &&
                    config->bodies.count == 0 && config->severity_number == NULL;
    if (is_empty) {
        return HF_OK;
    }
    rule->of_items = (struct hf_match_config){.match_type = config->match_type,
                                              .resources = config->resource_attributes,
                                              .attributes = config->record_attributes,
                                              .log_severity_texts = config->severity_texts,
                                              .log_bodies = config->bodies};
    if (config->severity_number != NULL) {
        const char *min = config->severity_number->min;
        rule->severity.match_undefined = config->severity_number->match_undefined;
        if (min != NULL && !read_severity(min, &rule->severity.min)) {
            snprintf(reterr, HF_ERROR_MAX,
                     "%s::severity_number::min: \"%.50s\" is not a severity such as INFO or WARN2",
                     name, min);
            return HF_INVALID;
        }
        rule->of_items.log_severity_number = &rule->severity;
    }
    return hf_match_new(name, &rule->of_items, HF_SIGNAL_BIT(HF_LOGS), &rule->items, reterr);
}

enum hf_status hf_filter_metrics(const char *name, const struct hf_filter_metrics_config *config,
                                 struct hf_filter_rule *rule, char *reterr)
{
    enum hf_status status = HF_OK;
    bool is_expr = config->match_type == HF_FILTER_EXPR;
    if (is_expr != (config->expressions.count > 0)) {
        snprintf(reterr, HF_ERROR_MAX, "%s: match_type expr and expressions need each other", name);
        return HF_INVALID;
    }
    if (is_expr && (config->metric_names.count > 0 || config->resource_attributes.count > 0)) {
        snprintf(reterr, HF_ERROR_MAX,
                 "%s: match_type expr compares neither metric_names nor resource_attributes; write "
                 "them as expressions",
                 name);
        return HF_INVALID;
    }
    if (is_expr) {
        return hf_filter_expr_new(name, config->expressions, &rule->expressions, reterr);
    }
    if (config->resource_attributes.count > 0) {
        rule->of_resources = (struct hf_match_config){.match_type = config->match_type,
                                                      .resources = config->resource_attributes};
        status = hf_match_new(name, &rule->of_resources, HF_SIGNAL_BIT(HF_METRICS),
                              &rule->resources, reterr);
    }
    if (status == HF_OK && config->metric_names.count > 0) {
        rule->of_items = (struct hf_match_config){.match_type = config->match_type,
                                                  .metric_names = config->metric_names};
        status =
            hf_match_new(name, &rule->of_items, HF_SIGNAL_BIT(HF_METRICS), &rule->items, reterr);
    }
    return status;
}

void hf_filter_rule_release(struct hf_filter_rule *rule)
{
    hf_match_free(rule->resources);
    hf_match_free(rule->items);
    hf_filter_expr_free(rule->expressions);
    rule->expressions = NULL;
    rule->resources = NULL;
    rule->items = NULL;
}

/* ---- applying ---- */

static struct hf_slice content_of(struct hf_message *message)
{
    return message != NULL ? hf_message_content(message) : HF_EMPTY_SLICE;
}

bool hf_filter_is(const struct hf_match *match, const struct hf_place *place,
                  struct hf_filter_memory *memory)
{
    struct hf_message *owner = place->item != NULL ? place->item : place->metric;
    if (memory->resource_group != place->resource_group || memory->element == 0) {
        memory->resource_group = place->resource_group;
        memory->element++;
    }
    if (memory->scope_group != place->scope_group || memory->group == 0) {
        memory->scope_group = place->scope_group;
        memory->group++;
    }
    struct hf_message *resource = hf_place_resource(place), *scope = hf_place_scope(place);
    struct hf_edit_place seen = {
        .signal = hf_document_signal(place->document),
        .element = memory->element,
        .group = memory->group,
        .resource = content_of(resource),
        .scope = content_of(scope),
        .metric = content_of(place->metric),
        .owner = content_of(owner),
        .number = owner != NULL ? hf_message_attributes_number(hf_message_type(owner)) : 0,
    };
    return hf_match_is(match, &seen, &memory->match);
}

void hf_filter_memory_release(struct hf_filter_memory *memory)
{
    hf_match_forget(&memory->match);
}
