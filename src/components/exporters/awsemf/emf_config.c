#include "emf_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "support/sending/cloudwatch_events.h"

#define AT(member) offsetof(struct emf_config, member)
#define DIMENSIONS_MAX 30u /* of a set; what CloudWatch takes */

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* ---- units ---- */

static const char *const units[] = {"Seconds",
                                    "Microseconds",
                                    "Milliseconds",
                                    "Bytes",
                                    "Kilobytes",
                                    "Megabytes",
                                    "Gigabytes",
                                    "Terabytes",
                                    "Bits",
                                    "Kilobits",
                                    "Megabits",
                                    "Gigabits",
                                    "Terabits",
                                    "Percent",
                                    "Count",
                                    "Bytes/Second",
                                    "Kilobytes/Second",
                                    "Megabytes/Second",
                                    "Gigabytes/Second",
                                    "Terabytes/Second",
                                    "Bits/Second",
                                    "Kilobits/Second",
                                    "Megabits/Second",
                                    "Gigabits/Second",
                                    "Terabits/Second",
                                    "Count/Second",
                                    "None"};

static bool is_unit(const char *unit)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(units[i], unit) == 0) {
            return true;
        }
    }
    return false;
}

struct hf_slice emf_unit(const struct emf_config *config, struct hf_slice metric,
                         struct hf_slice unit)
{
    static const struct {
        const char *unit, *name;
    } known[] = {{"1", ""},
                 {"ns", ""}, /* which CloudWatch has not */
                 {"ms", "Milliseconds"},
                 {"s", "Seconds"},
                 {"us", "Microseconds"},
                 {"By", "Bytes"},
                 {"bit", "Bits"}};
    const struct emf_descriptor *descriptors = config->descriptors.items;
    for (size_t i = config->descriptors.count; i-- > 0;) { /* the last one of a name counts */
        const struct emf_descriptor *one = &descriptors[i];
        if (given(one->metric_name) && hf_slice_is(metric, one->metric_name) &&
            is_unit(given(one->unit) ? one->unit : "")) {
            if (unit.size == 0 || one->overwrite) {
                return hf_slice_text(one->unit);
            }
            break;
        }
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (hf_slice_is(unit, known[i].unit)) {
            return hf_slice_text(known[i].name);
        }
    }
    return unit;
}

/* ---- declarations ---- */

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool is_same(const struct emf_dimensions *a, const struct emf_dimensions *b)
{
    bool is_equal = a->count == b->count;
    for (size_t i = 0; is_equal && i < a->count; i++) {
        is_equal = strcmp(a->names[i], b->names[i]) == 0;
    }
    return is_equal;
}

/* Sorted and each once. */
static enum hf_status make_set(struct emf_dimensions *set, const struct hf_value *list)
{
    set->names = calloc(list->count + 1, sizeof(*set->names));
    if (set->names == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < list->count; i++) {
        set->names[i] = list->items[i].string != NULL ? list->items[i].string : "";
    }
    qsort(set->names, list->count, sizeof(*set->names), compare_names);
    for (size_t i = 0; i < list->count; i++) {
        if (set->count == 0 || strcmp(set->names[set->count - 1], set->names[i]) != 0) {
            set->names[set->count++] = set->names[i];
        }
    }
    return HF_OK;
}

static enum hf_status make_sets(struct emf_declaration *made, const struct hf_value *dimensions,
                                const struct hf_node *node)
{
    made->sets = calloc(dimensions->count + 1, sizeof(*made->sets));
    if (made->sets == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < dimensions->count; i++) {
        struct emf_dimensions *set = &made->sets[made->set_count];
        if (dimensions->items[i].count > DIMENSIONS_MAX) {
            if (node != NULL) {
                hf_node_log(node, HF_LOG_WARN,
                            "metric_declarations: a set of dimensions has more than %u names and "
                            "is left out",
                            DIMENSIONS_MAX);
            }
            continue;
        }
        enum hf_status status = make_set(set, &dimensions->items[i]);
        if (status != HF_OK) {
            return status;
        }
        bool is_new = true;
        for (size_t other = 0; other < made->set_count; other++) {
            is_new = is_new && !is_same(&made->sets[other], set);
        }
        if (is_new) {
            made->set_count++;
        } else {
            free(set->names);
            *set = (struct emf_dimensions){0};
        }
    }
    return HF_OK;
}

static enum hf_status compile(const char *pattern, const char *key, struct hf_regex **ret_regex,
                              char *reterr)
{
    char why[HF_REGEX_ERROR_MAX];
    enum hf_status status = hf_regex_new(pattern, ret_regex, why);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "metric_declarations: %s: \"%.100s\": %.200s", key, pattern,
                 status == HF_INVALID ? why : "out of memory");
    }
    return status;
}

static enum hf_status make_regexes(struct emf_declaration *made, char *reterr)
{
    const struct emf_declaration_config *config = made->config;
    const struct emf_matcher_config *matchers = config->label_matchers.items;
    enum hf_status status = HF_OK;
    made->names = calloc(config->name_selectors.count + 1, sizeof(struct hf_regex *));
    made->labels = calloc(config->label_matchers.count + 1, sizeof(struct hf_regex *));
    if (made->names == NULL || made->labels == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; status == HF_OK && i < config->name_selectors.count; i++) {
        status = compile(config->name_selectors.items[i], "metric_name_selectors", &made->names[i],
                         reterr);
    }
    for (size_t i = 0; status == HF_OK && i < config->label_matchers.count; i++) {
        status = compile(matchers[i].regex, "label_matchers: regex", &made->labels[i], reterr);
    }
    return status;
}

/* Why a declaration is of no use; NULL: it is. */
static const char *fault_of(const struct emf_declaration_config *config)
{
    const struct emf_matcher_config *matchers = config->label_matchers.items;
    if (config->name_selectors.count == 0) {
        return "it has no metric_name_selectors";
    }
    for (size_t i = 0; i < config->label_matchers.count; i++) {
        if (matchers[i].label_names.count == 0) {
            return "a label matcher has no label_names";
        }
        if (!given(matchers[i].regex)) {
            return "a label matcher has no regex";
        }
    }
    return NULL;
}

enum hf_status emf_rules_make(struct emf_rules *rules, const struct emf_config *config,
                              const struct hf_node *node, char *reterr)
{
    const struct emf_declaration_config *declarations = config->declarations.items;
    enum hf_status status = HF_OK;
    snprintf(reterr, HF_ERROR_MAX, "no memory for metric_declarations");
    rules->declarations = calloc(config->declarations.count + 1, sizeof(*rules->declarations));
    if (rules->declarations == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; status == HF_OK && i < config->declarations.count; i++) {
        const char *fault = fault_of(&declarations[i]);
        if (fault != NULL) {
            if (node != NULL) {
                hf_node_log(node, HF_LOG_WARN, "metric_declarations: entry %zu is left out: %s",
                            i + 1, fault);
            }
            continue;
        }
        struct emf_declaration *made = &rules->declarations[rules->count++];
        made->config = &declarations[i];
        status = make_sets(made, &declarations[i].dimensions, node);
        status = status == HF_OK ? make_regexes(made, reterr) : status;
    }
    return status;
}

void emf_rules_release(struct emf_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        struct emf_declaration *made = &rules->declarations[i];
        for (size_t set = 0; set < made->set_count; set++) {
            free(made->sets[set].names);
        }
        for (size_t at = 0; made->names != NULL && made->names[at] != NULL; at++) {
            hf_regex_free(made->names[at]);
        }
        for (size_t at = 0; made->labels != NULL && made->labels[at] != NULL; at++) {
            hf_regex_free(made->labels[at]);
        }
        free(made->sets);
        free(made->names);
        free(made->labels);
    }
    free(rules->declarations);
    *rules = (struct emf_rules){0};
}

/* ---- keys ---- */

static bool is_list_of_texts(const struct hf_value *value)
{
    if (value->type != HF_VALUE_LIST) {
        return false;
    }
    for (size_t i = 0; i < value->count; i++) {
        if (value->items[i].type == HF_VALUE_LIST || value->items[i].type == HF_VALUE_MAP) {
            return false;
        }
    }
    return true;
}

static const char *check_dimensions(const struct emf_config *config)
{
    const struct emf_declaration_config *declarations = config->declarations.items;
    for (size_t i = 0; i < config->declarations.count; i++) {
        const struct hf_value *dimensions = &declarations[i].dimensions;
        bool good = dimensions->type == HF_VALUE_LIST || dimensions->type == HF_VALUE_NONE;
        for (size_t set = 0; good && set < dimensions->count; set++) {
            good = is_list_of_texts(&dimensions->items[set]);
        }
        if (!good) {
            return "metric_declarations: dimensions must be a list of lists of names, as "
                   "[[service, zone], [service]]";
        }
    }
    return NULL;
}

const char *emf_check(const void *from)
{
    const struct emf_config *config = from;
    static _Thread_local char sentence[HF_ERROR_MAX];
    struct emf_rules rules = {0};
    const char *why = hf_cloudwatch_check(config->log_retention, &config->tags);
    why = why != NULL ? why : hf_resource_conversion_check(&config->resource);
    why = why != NULL ? why : check_dimensions(config);
    if (why == NULL && emf_rules_make(&rules, config, NULL, sentence) != HF_OK) {
        why = sentence;
    }
    emf_rules_release(&rules);
    return why;
}

static const char *const rollups[] = {"ZeroAndSingleDimensionRollup", "SingleDimensionRollupOnly",
                                      "NoDimensionRollup", NULL};
static const char *const destinations[] = {"cloudwatch", "stdout", NULL};
static const char *const versions[] = {"1", "0", NULL};

#define MATCHER(member) offsetof(struct emf_matcher_config, member)
#define DECLARATION(member) offsetof(struct emf_declaration_config, member)
#define DESCRIPTOR(member) offsetof(struct emf_descriptor, member)

static const struct hf_field matcher_fields[] = {
    {.key = "label_names",
     .type = HF_FIELD_STRING_LIST,
     .offset = MATCHER(label_names),
     .help = "The labels whose values are joined."},
    {.key = "separator",
     .type = HF_FIELD_STRING,
     .offset = MATCHER(separator),
     .default_text = ";",
     .help = "What stands between them."},
    {.key = "regex",
     .type = HF_FIELD_STRING,
     .offset = MATCHER(regex),
     .help = "The regular expression (RE2) that the joined text must match."},
    HF_FIELDS_END};

static const struct hf_field declaration_fields[] = {
    {.key = "dimensions",
     .type = HF_FIELD_VALUE,
     .offset = DECLARATION(dimensions),
     .help = "Sets of dimensions, a list of lists of labels; those whose labels are all there are "
             "used."},
    {.key = "metric_name_selectors",
     .type = HF_FIELD_STRING_LIST,
     .offset = DECLARATION(name_selectors),
     .help = "Regular expressions (RE2) of names of metrics; one must match."},
    {.key = "label_matchers",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = DECLARATION(label_matchers),
     .inner = matcher_fields,
     .inner_size = sizeof(struct emf_matcher_config),
     .help = "Conditions on labels, of which one must hold; absent: any."},
    HF_FIELDS_END};

static const struct hf_field descriptor_fields[] = {
    {.key = "metric_name",
     .type = HF_FIELD_STRING,
     .offset = DESCRIPTOR(metric_name),
     .help = "The name of the metric."},
    {.key = "unit",
     .type = HF_FIELD_STRING,
     .offset = DESCRIPTOR(unit),
     .help = "Its unit, as CloudWatch names it: Seconds, Bytes, Count, ..."},
    {.key = "overwrite",
     .type = HF_FIELD_BOOL,
     .offset = DESCRIPTOR(overwrite),
     .help = "Also where the metric has a unit."},
    HF_FIELDS_END};

const struct hf_field emf_fields[] = {
    {.key = "log_group_name",
     .type = HF_FIELD_STRING,
     .offset = AT(group),
     .help = "The log group; absent: /metrics/<namespace>. {ClusterName}, {TaskId}, {NodeName}, "
             "{PodName}, {ServiceName}, {ContainerInstanceId} and {TaskDefinitionFamily} are "
             "replaced by attributes of the resource or labels."},
    {.key = "log_stream_name",
     .type = HF_FIELD_STRING,
     .offset = AT(stream),
     .help = "The stream, with the same placeholders; absent: otel-stream-<UUID of the process>."},
    HF_CLOUDWATCH_FIELDS(struct emf_config, log_retention, tags),
    {.key = "namespace",
     .type = HF_FIELD_STRING,
     .offset = AT(namespace),
     .help = "The namespace of the metrics; absent: service.namespace/service.name of the "
             "resource, or default."},
    {.key = "dimension_rollup_option",
     .type = HF_FIELD_ENUM,
     .offset = AT(rollup),
     .default_text = "ZeroAndSingleDimensionRollup",
     .choices = rollups,
     .help = "Which further sets of dimensions there are: none and each label alone, each label "
             "alone, or none of these."},
    {.key = "metric_declarations",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = AT(declarations),
     .inner = declaration_fields,
     .inner_size = sizeof(struct emf_declaration_config),
     .help = "Which metrics are extracted, and their sets of dimensions; absent: all with all "
             "labels. Others are in the log alone."},
    {.key = "metric_descriptors",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = AT(descriptors),
     .inner = descriptor_fields,
     .inner_size = sizeof(struct emf_descriptor),
     .help = "Units of metrics."},
    {.key = "parse_json_encoded_attr_values",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(parse_json),
     .help = "Labels whose values are JSON in a text, and become that JSON."},
    {.key = "output_destination",
     .type = HF_FIELD_ENUM,
     .offset = AT(destination),
     .default_text = "cloudwatch",
     .choices = destinations,
     .help = "CloudWatch Logs, or a line each on the standard output."},
    {.key = "version",
     .type = HF_FIELD_ENUM,
     .offset = AT(version),
     .default_text = "1",
     .choices = versions,
     .help = "The version of the embedded metric format."},
    {.key = "retain_initial_value_of_delta_metric",
     .type = HF_FIELD_BOOL,
     .offset = AT(retain_initial),
     .help = "The first point of a cumulative series is sent as it is, and not only remembered."},
    {.key = "detailed_metrics",
     .type = HF_FIELD_BOOL,
     .offset = AT(detailed),
     .help = "Summaries become _sum, _count and a value for each quantile."},
    {.key = "eks_fargate_container_insights_enabled",
     .type = HF_FIELD_BOOL,
     .offset = AT(eks_fargate),
     .help = "Points of pods and containers get the label kubernetes, an object as JSON."},
    {.key = "resource_to_telemetry_conversion",
     .type = HF_FIELD_STRUCT,
     .offset = AT(resource),
     .inner = hf_resource_conversion_fields,
     .help = "Attributes of the resource as labels."},
    HF_AWS_FIELDS(struct emf_config, aws),
    HF_FIELDS_END};
