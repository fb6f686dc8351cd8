#include "item_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "item_metrics_internal.h"
#include "pdata/any.h"
#include "pdata/value.h"

#define PRESETS_BYTES_MAX (4u << 20)

const char *const hf_item_levels[HF_ITEM_LEVEL_COUNT] = {
    [HF_ITEM_SPANS] = "spans",     [HF_ITEM_SPANEVENTS] = "spanevents",
    [HF_ITEM_METRICS] = "metrics", [HF_ITEM_DATAPOINTS] = "datapoints",
    [HF_ITEM_LOGS] = "logs",       [HF_ITEM_PROFILES] = "profiles",
};

static const enum hf_path_context contexts[HF_ITEM_LEVEL_COUNT] = {
    [HF_ITEM_SPANS] = HF_PATH_SPAN,     [HF_ITEM_SPANEVENTS] = HF_PATH_SPANEVENT,
    [HF_ITEM_METRICS] = HF_PATH_METRIC, [HF_ITEM_DATAPOINTS] = HF_PATH_DATAPOINT,
    [HF_ITEM_LOGS] = HF_PATH_LOG,       [HF_ITEM_PROFILES] = HF_PATH_PROFILE,
};

const struct hf_field hf_item_attribute_fields[] = {
    {.key = "key",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_item_attribute_config, key),
     .help = "The attribute; an item that has none is left out, unless there is a default."},
    {.key = "default_value",
     .type = HF_FIELD_VALUE,
     .offset = offsetof(struct hf_item_attribute_config, default_value),
     .help = "The value for items that do not have it."},
    HF_FIELDS_END,
};

/* Which metric is being compiled. */
struct draft {
    struct hf_item_metrics *metrics;
    enum hf_item_level level;
    const char *name;
    char *reterr;
};

static enum hf_status refuse(const struct draft *draft, const char *why)
{
    snprintf(draft->reterr, HF_ERROR_MAX, "%s: metric \"%.200s\": %.200s",
             hf_item_levels[draft->level], draft->name, why);
    return HF_INVALID;
}

/* Of a sum only texts that are not empty and numbers other than 0 are a default. */
static bool is_default(const struct hf_item_metrics *metrics, struct hf_slice preset)
{
    struct hf_any any = hf_any_read(preset);
    return preset.data != NULL &&
           (!metrics->rules->are_sums || (any.type == HF_ANY_STRING && any.bytes.size != 0) ||
            (any.type == HF_ANY_INT && any.integer != 0) ||
            (any.type == HF_ANY_DOUBLE && any.number != 0));
}

static enum hf_status compile_attributes(const struct draft *draft,
                                         const struct hf_item_metric_config *config,
                                         struct item_metric *metric)
{
    const struct hf_item_attribute_config *from = config->attributes.items;
    if (config->attributes.count > 0 && draft->level == HF_ITEM_METRICS) {
        return refuse(draft, "attributes: metrics have none (metrics attributes not supported)");
    }
    metric->attributes = calloc(config->attributes.count + 1, sizeof(*metric->attributes));
    if (metric->attributes == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < config->attributes.count; i++) {
        struct item_attribute *attribute = &metric->attributes[metric->attribute_count++];
        if (from[i].key == NULL || from[i].key[0] == '\0') {
            return refuse(draft, "attributes: give a key (attribute key missing)");
        }
        attribute->key = hf_slice_text(from[i].key);
        enum hf_status status =
            hf_value_encode(&from[i].default_value, &draft->metrics->arena, &attribute->preset);
        if (status != HF_OK) {
            return status == HF_NOMEM ? HF_NOMEM : refuse(draft, hf_value_problem(status));
        }
        attribute->has_default = is_default(draft->metrics, attribute->preset);
    }
    return HF_OK;
}

static enum hf_status compile_conditions(const struct draft *draft,
                                         struct hf_string_list conditions,
                                         struct item_metric *metric)
{
    char key[200];
    struct hf_ottl_groups *groups = &draft->metrics->groups;
    snprintf(key, sizeof(key), "%s::%.120s::conditions", hf_item_levels[draft->level], draft->name);
    const struct hf_ottl_group_rules rules = {
        .key = key, .functions = HF_OTTL_FILTER, .error_mode = HF_OTTL_IGNORE};
    size_t before = groups->count;
    enum hf_status status =
        hf_ottl_groups_add(groups, conditions, contexts[draft->level], &rules, draft->reterr);
    metric->conditions =
        status == HF_OK && groups->count > before ? groups->items[before].ottl : NULL;
    return status;
}

static enum hf_status compile_metric(const struct draft *draft,
                                     const struct hf_item_metric_config *config,
                                     struct item_metric *metric)
{
    bool are_sums = draft->metrics->rules->are_sums;
    if (draft->name[0] == '\0') {
        return refuse(draft, "give it a name (metric name missing)");
    }
    if (are_sums && (config->source_attribute == NULL || config->source_attribute[0] == '\0')) {
        return refuse(draft, "source_attribute: name the attribute whose values are summed "
                             "(metric source_attribute missing)");
    }
    metric->name = hf_slice_text(draft->name);
    metric->description = hf_slice_text(config->description != NULL ? config->description : "");
    metric->source = are_sums ? hf_slice_text(config->source_attribute) : HF_EMPTY_SLICE;
    enum hf_status status = compile_attributes(draft, config, metric);
    return status == HF_OK ? compile_conditions(draft, config->conditions, metric) : status;
}

static enum hf_status compile_level(struct hf_item_metrics *metrics, enum hf_item_level level,
                                    const struct hf_struct_map *map, char *reterr)
{
    const struct hf_item_metrics_rules *rules = metrics->rules;
    const struct hf_item_metric_config by_default = {.description =
                                                         rules->default_descriptions[level]};
    const struct hf_item_metric_config *from = map->items;
    struct item_metric_list *list = &metrics->levels[level];
    struct draft draft = {metrics, level, rules->default_names[level], reterr};
    enum hf_status status = HF_OK;
    list->items = calloc(map->count + 1, sizeof(*list->items));
    if (list->items == NULL) {
        return HF_NOMEM;
    }
    if (map->count == 0 && draft.name != NULL) {
        return compile_metric(&draft, &by_default, &list->items[list->count++]);
    }
    for (size_t i = 0; i < map->count && status == HF_OK; i++) {
        draft.name = map->keys[i];
        status = compile_metric(&draft, &from[i], &list->items[list->count++]);
    }
    return status;
}

enum hf_status hf_item_metrics_new(const struct hf_item_metrics_rules *rules,
                                   const struct hf_item_metrics_config *config,
                                   struct hf_item_metrics **ret_metrics, char *reterr)
{
    struct hf_item_metrics *metrics = calloc(1, sizeof(*metrics));
    enum hf_status status = metrics != NULL ? HF_OK : HF_NOMEM;
    if (metrics != NULL) {
        metrics->rules = rules;
        metrics->arena.limit = PRESETS_BYTES_MAX;
    }
    for (int level = 0; level < HF_ITEM_LEVEL_COUNT && status == HF_OK; level++) {
        status = compile_level(metrics, (enum hf_item_level)level, &config->levels[level], reterr);
    }
    if (status != HF_OK) {
        hf_item_metrics_free(metrics);
        return status;
    }
    *ret_metrics = metrics;
    return HF_OK;
}

enum hf_status hf_item_metrics_join(struct hf_item_metrics *metrics, const struct hf_node *node)
{
    metrics->node = node;
    metrics->errors = hf_ottl_errors_new(node, &metrics->groups);
    return metrics->errors != NULL ? HF_OK : HF_NOMEM;
}

void hf_item_metrics_free(struct hf_item_metrics *metrics)
{
    if (metrics == NULL) {
        return;
    }
    for (int level = 0; level < HF_ITEM_LEVEL_COUNT; level++) {
        for (size_t i = 0; i < metrics->levels[level].count; i++) {
            free(metrics->levels[level].items[i].attributes);
        }
        free(metrics->levels[level].items);
    }
    hf_ottl_errors_free(metrics->errors);
    hf_ottl_groups_release(&metrics->groups);
    hf_arena_release(&metrics->arena);
    free(metrics);
}

const char *hf_item_metrics_check(const struct hf_item_metrics_rules *rules, const void *config)
{
    static _Thread_local char sentence[HF_ERROR_MAX];
    struct hf_item_metrics *metrics = NULL;
    snprintf(sentence, sizeof(sentence), "out of memory");
    enum hf_status status = hf_item_metrics_new(rules, config, &metrics, sentence);
    hf_item_metrics_free(status == HF_OK ? metrics : NULL);
    return status == HF_OK ? NULL : sentence;
}

enum hf_status hf_item_metrics_open(const struct hf_item_metrics_rules *rules,
                                    const struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct hf_item_metrics *metrics = NULL;
    enum hf_status status = hf_item_metrics_new(rules, config, &metrics, reterr);
    if (status != HF_OK) {
        return status;
    }
    status = hf_item_metrics_join(metrics, node);
    if (status != HF_OK) {
        hf_item_metrics_free(metrics);
        return status;
    }
    *ret_self = metrics;
    return HF_OK;
}

void hf_item_metrics_close(void *self)
{
    hf_item_metrics_free(self);
}
