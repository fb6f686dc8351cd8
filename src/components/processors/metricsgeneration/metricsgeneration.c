/*
 * metricsgeneration: makes metrics of the gauges and sums of a resource: one and a number, or two.
 */
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "pdata/any.h"
#include "pdata/any_make.h"
#include "pdata/document.h"
#include "pdata/metric_fields.h"
#include "pdata/walk.h"

enum rule_type { CALCULATE = 0, SCALE };
enum operation { ADD = 0, SUBTRACT, MULTIPLY, DIVIDE, PERCENT };

struct rule {
    const char *name, *unit, *metric1, *metric2;
    int64_t type, operation;
    double scale_by;
    bool has_operation;
};

struct generation_config {
    struct hf_struct_list rules;
    bool match_attributes;
};

enum { RESOURCES = 1, SCOPES = 2, NUMBER_ATTRIBUTES = 7 };

/* ---- values ---- */

static bool is_of_numbers(const struct hf_message *data)
{
    return data != NULL && (hf_message_type(data)->index == HF_MESSAGE_GAUGE ||
                            hf_message_type(data)->index == HF_MESSAGE_SUM);
}

static double value_of(struct hf_message *point)
{
    return hf_message_has(point, HF_NUMBER_INT) ? (double)hf_message_i64(point, HF_NUMBER_INT)
                                                : hf_message_double(point, HF_NUMBER_DOUBLE);
}

/* False: a division by zero. */
static bool calculate(enum operation operation, double a, double b, double *ret_value)
{
    switch (operation) {
    case ADD:
        *ret_value = a + b;
        return true;
    case SUBTRACT:
        *ret_value = a - b;
        return true;
    case MULTIPLY:
        *ret_value = a * b;
        return true;
    default:
        *ret_value = b != 0 ? a / b * (operation == PERCENT ? 100 : 1) : 0;
        return b != 0;
    }
}

/* ---- new metrics ---- */

/* A metric that is made when it gets its first point. */
struct making {
    const struct rule *rule;
    struct hf_message *scope_group, *like; /* the data whose kind it has */
    struct hf_message *data;
};

static struct hf_message *data_of(struct making *making)
{
    if (making->data == NULL) {
        struct hf_message *metric =
            hf_message_append(making->scope_group, HF_SCOPE_METRICS_METRICS);
        bool is_sum = hf_message_type(making->like)->index == HF_MESSAGE_SUM;
        hf_message_set_bytes(metric, HF_METRIC_NAME, hf_slice_text(making->rule->name));
        if (making->rule->unit != NULL) {
            hf_message_set_bytes(metric, HF_METRIC_UNIT, hf_slice_text(making->rule->unit));
        }
        making->data = hf_message_need(metric, is_sum ? HF_METRIC_SUM : HF_METRIC_GAUGE);
    }
    return making->data;
}

/* A copy of the point with another value; NULL: out of memory. */
static struct hf_message *add_point(struct making *making, struct hf_message *point, double value)
{
    struct hf_message *data = data_of(making);
    struct hf_message *made = data != NULL ? hf_message_copy(point, data, HF_DATA_POINTS) : NULL;
    if (made != NULL) {
        hf_message_set_double(made, HF_NUMBER_DOUBLE, value);
    }
    return made;
}

/* Each point with the same number. */
static bool generate(struct making *making, double operand)
{
    struct hf_message *point = hf_message_first(making->like, HF_DATA_POINTS);
    for (; point != NULL; point = hf_message_next(point)) {
        double value;
        if (calculate((enum operation)making->rule->operation, value_of(point), operand, &value) &&
            add_point(making, point, value) == NULL) {
            return false;
        }
    }
    return true;
}

/* Are the attributes that both have the same? */
static bool do_match(const struct hf_attributes *a, const struct hf_attributes *b)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct hf_attribute *found = hf_attributes_find(b, a->items[i].key);
        struct hf_any one = hf_any_read(a->items[i].value);
        struct hf_any other = found != NULL ? hf_any_read(found->value) : one;
        if (!hf_any_equal(&one, &other)) {
            return false;
        }
    }
    return true;
}

static bool generate_pair(struct making *making, struct hf_message *first,
                          struct hf_message *second)
{
    struct hf_attributes *left = hf_message_attributes(first, NUMBER_ATTRIBUTES);
    struct hf_attributes *right = hf_message_attributes(second, NUMBER_ATTRIBUTES);
    double value;
    if (left == NULL || right == NULL) {
        return false;
    }
    if (!do_match(left, right) || !calculate((enum operation)making->rule->operation,
                                             value_of(first), value_of(second), &value)) {
        return true;
    }
    struct hf_message *made = add_point(making, first, value);
    struct hf_attributes *attributes =
        made != NULL ? hf_message_attributes(made, NUMBER_ATTRIBUTES) : NULL;
    for (size_t i = 0; attributes != NULL && i < right->count; i++) {
        hf_attributes_set(attributes, right->items[i].key, right->items[i].value);
    }
    return attributes != NULL && !attributes->failed;
}

static bool generate_matching(struct making *making, struct hf_message *other)
{
    struct hf_message *first = hf_message_first(making->like, HF_DATA_POINTS);
    for (; first != NULL; first = hf_message_next(first)) {
        struct hf_message *second = hf_message_first(other, HF_DATA_POINTS);
        for (; second != NULL; second = hf_message_next(second)) {
            if (!generate_pair(making, first, second)) {
                return false;
            }
        }
    }
    return true;
}

/* ---- one resource ---- */

/* The last metric of that name. */
static struct hf_message *find_metric(struct hf_message *resource_group, const char *name)
{
    struct hf_message *found = NULL;
    struct hf_message *scope = hf_message_first(resource_group, SCOPES);
    for (; scope != NULL; scope = hf_message_next(scope)) {
        struct hf_message *metric = hf_message_first(scope, HF_SCOPE_METRICS_METRICS);
        for (; metric != NULL; metric = hf_message_next(metric)) {
            if (hf_slice_is(hf_message_bytes(metric, HF_METRIC_NAME), name)) {
                found = metric;
            }
        }
    }
    return found;
}

static bool apply_to_metric(const struct generation_config *config, const struct rule *rule,
                            struct hf_message *scope, struct hf_message *metric,
                            struct hf_message *other)
{
    struct making making = {.rule = rule, .scope_group = scope, .like = hf_place_data(metric)};
    struct hf_message *data = other != NULL ? hf_place_data(other) : NULL;
    if (!is_of_numbers(making.like)) {
        return true;
    }
    if (rule->type == SCALE) {
        return generate(&making, rule->scale_by);
    }
    if (config->match_attributes) {
        return !is_of_numbers(data) || generate_matching(&making, data);
    }
    struct hf_message *point = is_of_numbers(data) ? hf_message_first(data, HF_DATA_POINTS) : NULL;
    return generate(&making, point != NULL ? value_of(point) : 0);
}

/* What one rule is about, as it came: what other rules make does not count. */
struct operands {
    struct hf_message *first, *second;
};

static bool apply(const struct generation_config *config, const struct rule *rule,
                  const struct operands *operands, struct hf_message *resource_group)
{
    struct hf_message *scope = hf_message_first(resource_group, SCOPES);
    if (!rule->has_operation || operands->first == NULL ||
        (rule->type == CALCULATE && operands->second == NULL)) {
        return true;
    }
    for (; scope != NULL; scope = hf_message_next(scope)) {
        struct hf_message *metric = hf_message_first(scope, HF_SCOPE_METRICS_METRICS);
        size_t left = hf_message_count(scope, HF_SCOPE_METRICS_METRICS);
        for (; left > 0; left--, metric = hf_message_next(metric)) {
            if (hf_slice_is(hf_message_bytes(metric, HF_METRIC_NAME), rule->metric1) &&
                !apply_to_metric(config, rule, scope, metric, operands->second)) {
                return false;
            }
        }
    }
    return true;
}

/* False: out of memory. */
static bool apply_all(const struct generation_config *config, struct hf_message *resource_group)
{
    const struct rule *rules = config->rules.items;
    struct operands *operands =
        hf_arena_take(hf_document_arena(hf_message_document(resource_group)),
                      (config->rules.count + 1) * sizeof(*operands));
    bool ok = operands != NULL;
    for (size_t i = 0; ok && i < config->rules.count; i++) {
        operands[i].first = find_metric(resource_group, rules[i].metric1);
        operands[i].second =
            rules[i].metric2 != NULL ? find_metric(resource_group, rules[i].metric2) : NULL;
    }
    for (size_t i = 0; ok && i < config->rules.count; i++) {
        ok = apply(config, &rules[i], &operands[i], resource_group);
    }
    return ok;
}

static enum hf_status process(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    const struct generation_config *config = self;
    struct hf_document *document = hf_document_borrow(batch->signal, batch->raw);
    bool ok = document != NULL;
    struct hf_message *group = ok ? hf_message_first(hf_document_root(document), RESOURCES) : NULL;
    for (; ok && group != NULL; group = hf_message_next(group)) {
        ok = apply_all(config, group);
    }
    enum hf_status status = ok ? hf_document_batch(document, batch, ret_batch) : HF_NOMEM;
    hf_document_return(document);
    return status;
}

/* ---- configuration ---- */

static bool is_missing(const char *text)
{
    return text == NULL || text[0] == '\0';
}

static const char *check(const void *config)
{
    const struct generation_config *configured = config;
    const struct rule *rules = configured->rules.items;
    for (size_t i = 0; i < configured->rules.count; i++) {
        const struct rule *rule = &rules[i];
        if (is_missing(rule->name) || is_missing(rule->metric1)) {
            return "rules: name and metric1 must be given";
        }
        if (rule->type == CALCULATE && is_missing(rule->metric2)) {
            return "rules: metric2 must be given for the type calculate";
        }
        if (rule->type == SCALE && rule->scale_by <= 0) {
            return "rules: scale_by must be greater than 0 for the type scale";
        }
        if (strcmp(rule->name, rule->metric1) == 0 ||
            (rule->metric2 != NULL && strcmp(rule->name, rule->metric2) == 0)) {
            return "rules: name must differ from metric1 and metric2";
        }
    }
    return NULL;
}

static enum hf_status open_processor(struct hf_node *node, const void *config, void **ret_self,
                                     char *reterr)
{
    const struct generation_config *configured = config;
    const struct rule *rules = configured->rules.items;
    (void)reterr;
    for (size_t i = 0; i < configured->rules.count; i++) {
        if (!rules[i].has_operation) {
            hf_node_log(node, HF_LOG_WARN, "rule %.100s has no operation and does nothing",
                        rules[i].name);
        }
    }
    *ret_self = (void *)(uintptr_t)config; /* it never changes */
    return HF_OK;
}

static const char *const types[] = {"calculate", "scale", NULL};
static const char *const operations[] = {"add", "subtract", "multiply", "divide", "percent", NULL};

#define AT(name) offsetof(struct rule, name)

static const struct hf_field rule_fields[] = {
    {.key = "name",
     .type = HF_FIELD_STRING,
     .offset = AT(name),
     .help = "The name of the new metric."},
    {.key = "unit",
     .type = HF_FIELD_STRING,
     .offset = AT(unit),
     .help = "The unit of the new metric."},
    {.key = "type",
     .type = HF_FIELD_ENUM,
     .offset = AT(type),
     .choices = types,
     .required = true,
     .help = "calculate: metric1 with metric2; scale: metric1 with scale_by."},
    {.key = "metric1",
     .type = HF_FIELD_STRING,
     .offset = AT(metric1),
     .help = "The metric whose points are calculated with; a gauge or a sum."},
    {.key = "metric2",
     .type = HF_FIELD_STRING,
     .offset = AT(metric2),
     .help = "calculate: the other one, of the same resource; its first point counts."},
    {.key = "operation",
     .type = HF_FIELD_ENUM,
     .offset = AT(operation),
     .choices = operations,
     .present_offset = AT(has_operation),
     .help = "What is done with both; percent: metric1 / metric2 * 100. Nothing is divided by 0."},
    {.key = "scale_by",
     .type = HF_FIELD_DOUBLE,
     .offset = AT(scale_by),
     .help = "scale: the number."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "rules",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct generation_config, rules),
     .inner = rule_fields,
     .inner_size = sizeof(struct rule),
     .help = "The new metrics. A rule does not see what others make."},
    {.key = "match_attributes",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct generation_config, match_attributes),
     .help = "Each point of metric1 is calculated with the points of metric2 whose attributes "
             "match, and not with the first one (the Go collector's feature gate "
             "metricsgeneration.MatchAttributes)."},
    HF_FIELDS_END,
};

static const struct hf_processor_ops processor_ops = {
    .process = process,
};

static const char *const aliases[] = {"experimental_metricsgeneration", NULL};

const struct hf_component hf_processor_metricsgeneration = {
    .type = "metricsgeneration",
    .aliases = aliases,
    .help = "Makes metrics of other metrics: scaled, or of two.",
    .kind = HF_PROCESSOR,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct generation_config),
    .fields = fields,
    .check = check,
    .open = open_processor,
    .processor = &processor_ops,
};
