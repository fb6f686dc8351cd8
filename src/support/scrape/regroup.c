#include "regroup.h"

#include <stdlib.h>

#include "pdata/merge_points.h"
#include "pdata/metric_fields.h"
#include "pdata/walk.h"

#define SCRATCH_MAX ((size_t)64 << 20)

struct rule {
    const char *metric;
    const struct hf_string_list *attributes;
    enum hf_merge merge;
    bool is_checked; /* whether the points have the attributes */
};

struct hf_regroup {
    struct hf_visitor visitor; /* first */
    struct hf_node *node;
    struct rule *rules;
    size_t count;
    struct hf_arena scratch;
    enum hf_status status;
};

/* ---- making ---- */

static bool is_chosen(const struct hf_metric_set *set, size_t i)
{
    const struct hf_metric_choice *choice = &set->choices[i];
    bool is_joined = i < 64 && (set->joined >> i & 1) != 0;
    return choice->enabled && choice->attributes.items != NULL && !is_joined;
}

static size_t count_chosen(const struct hf_metric_set *sets, size_t count)
{
    size_t chosen = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < sets[i].count; k++) {
            chosen += is_chosen(&sets[i], k);
        }
    }
    return chosen;
}

static void add_rules(struct hf_regroup *regroup, const struct hf_metric_set *set)
{
    static const enum hf_merge merges[] = {
        [HF_STRATEGY_SUM] = HF_MERGE_SUM,
        [HF_STRATEGY_AVERAGE] = HF_MERGE_MEAN,
        [HF_STRATEGY_MIN] = HF_MERGE_MIN,
        [HF_STRATEGY_MAX] = HF_MERGE_MAX,
    };
    for (size_t i = 0; i < set->count; i++) {
        if (is_chosen(set, i)) {
            regroup->rules[regroup->count++] =
                (struct rule){.metric = set->rows[i].name,
                              .attributes = &set->choices[i].attributes,
                              .merge = merges[set->choices[i].strategy]};
        }
    }
}

static enum hf_visit on_metric(struct hf_visitor *visitor, const struct hf_place *place);

enum hf_status hf_regroup_new(const struct hf_metric_set *sets, size_t count, struct hf_node *node,
                              struct hf_regroup **ret_regroup)
{
    size_t chosen = count_chosen(sets, count);
    *ret_regroup = NULL;
    if (chosen == 0) {
        return HF_OK;
    }
    struct hf_regroup *regroup = calloc(1, sizeof(*regroup));
    struct rule *rules = calloc(chosen, sizeof(*rules));
    if (regroup == NULL || rules == NULL) {
        free(regroup);
        free(rules);
        return HF_NOMEM;
    }
    *regroup = (struct hf_regroup){.visitor = {.metric = on_metric},
                                   .node = node,
                                   .rules = rules,
                                   .scratch = {.limit = SCRATCH_MAX}};
    for (size_t i = 0; i < count; i++) {
        add_rules(regroup, &sets[i]);
    }
    *ret_regroup = regroup;
    return HF_OK;
}

void hf_regroup_free(struct hf_regroup *regroup)
{
    if (regroup != NULL) {
        hf_arena_release(&regroup->scratch);
        free(regroup->rules);
        free(regroup);
    }
}

/* ---- using ---- */

static struct rule *find_rule(struct hf_regroup *regroup, struct hf_slice name)
{
    struct rule *found = NULL;
    for (size_t i = 0; i < regroup->count && found == NULL; i++) {
        found = hf_slice_is(name, regroup->rules[i].metric) ? &regroup->rules[i] : NULL;
    }
    return found;
}

static struct hf_attributes *attributes_of(struct hf_message *point)
{
    return hf_message_attributes(point, hf_message_attributes_number(hf_message_type(point)));
}

/* Tells once of an attribute that no point of the metric has: its name may be mistaken. */
static void check_names(const struct hf_regroup *regroup, struct rule *rule,
                        struct hf_message *data)
{
    for (size_t i = 0; i < rule->attributes->count; i++) {
        const char *name = rule->attributes->items[i];
        struct hf_message *point = hf_message_first(data, HF_DATA_POINTS);
        bool is_there = false;
        for (; point != NULL && !is_there; point = hf_message_next(point)) {
            const struct hf_attributes *list = attributes_of(point);
            is_there = list != NULL && hf_attributes_find(list, hf_slice_text(name)) != NULL;
        }
        if (!is_there) {
            hf_node_log(regroup->node, HF_LOG_WARN, "metrics::%s: no point has the attribute %s",
                        rule->metric, name);
        }
    }
    rule->is_checked = true;
}

/* False: out of memory. */
static bool keep_attributes(const struct hf_string_list *kept, struct hf_attributes *list)
{
    size_t i = 0;
    while (list != NULL && i < list->count) {
        if (hf_string_list_has(kept, list->items[i].key)) {
            i++;
        } else {
            hf_attributes_remove(list, list->items[i].key);
        }
    }
    return list != NULL && !list->failed;
}

static enum hf_visit on_metric(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct hf_regroup *regroup = (struct hf_regroup *)(void *)visitor; /* first */
    struct rule *rule = find_rule(regroup, hf_message_bytes(place->metric, HF_METRIC_NAME));
    if (rule == NULL || place->data == NULL) {
        return HF_VISIT_SKIP;
    }
    if (!rule->is_checked) {
        check_names(regroup, rule, place->data);
    }
    struct hf_message *point = hf_message_first(place->data, HF_DATA_POINTS);
    for (; point != NULL && regroup->status == HF_OK; point = hf_message_next(point)) {
        if (!keep_attributes(rule->attributes, attributes_of(point))) {
            regroup->status = HF_NOMEM;
        }
    }
    if (regroup->status == HF_OK) {
        regroup->status = hf_merge_points(place->data, rule->merge, &regroup->scratch);
    }
    hf_arena_reset(&regroup->scratch);
    return regroup->status == HF_OK ? HF_VISIT_SKIP : HF_VISIT_STOP;
}

enum hf_status hf_regroup_take(struct hf_regroup *regroup, struct hf_batch *batch,
                               struct hf_batch **ret_batch)
{
    struct hf_batch *made = NULL;
    regroup->status = HF_OK;
    enum hf_status status = hf_walk_batch(batch, &regroup->visitor, &regroup->status, &made);
    hf_ref_drop(&batch->ref);
    *ret_batch = status == HF_OK ? made : NULL;
    return status;
}
