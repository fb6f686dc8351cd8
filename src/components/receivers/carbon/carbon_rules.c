#include "carbon_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#define NAME_PREFIX "name_"
#define KEY_PREFIX "key_"

struct carbon_rule {
    const struct carbon_rule_config *config;
    struct hf_regex *regex;
    size_t names[HF_REGEX_GROUPS_MAX]; /* groups of the name, in the order of their names */
    size_t name_count;
};

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void add_name(struct carbon_rule *rule, size_t group)
{
    size_t at = rule->name_count++;
    const char *name = hf_regex_group_name(rule->regex, group);
    while (at > 0 && strcmp(hf_regex_group_name(rule->regex, rule->names[at - 1]), name) > 0) {
        rule->names[at] = rule->names[at - 1];
        at--;
    }
    rule->names[at] = group;
}

static enum hf_status make_rule(struct carbon_rule *rule, const struct carbon_rule_config *config,
                                char *reterr)
{
    char why[HF_REGEX_ERROR_MAX];
    rule->config = config;
    enum hf_status status = hf_regex_new(config->pattern, &rule->regex, why);
    if (status != HF_OK) {
        if (status == HF_INVALID) {
            snprintf(reterr, HF_ERROR_MAX, "parser::config::rules: regexp: %s", why);
        }
        return status;
    }
    for (size_t group = 1; group <= hf_regex_group_count(rule->regex); group++) {
        const char *name = hf_regex_group_name(rule->regex, group);
        if (name != NULL && begins(name, NAME_PREFIX)) {
            add_name(rule, group);
        } else if (name != NULL && !begins(name, KEY_PREFIX)) {
            snprintf(reterr, HF_ERROR_MAX,
                     "parser::config::rules: regexp: the group %.64s begins with neither name_ nor "
                     "key_",
                     name);
            return HF_INVALID;
        }
    }
    return HF_OK;
}

enum hf_status carbon_rules_init(struct carbon_rules *rules, const struct hf_struct_list *configs,
                                 const char *separator, char *reterr)
{
    const struct carbon_rule_config *items = configs->items;
    enum hf_status status = HF_OK;
    *rules = (struct carbon_rules){.separator = separator};
    rules->items = calloc(configs->count + 1, sizeof(*rules->items));
    if (rules->items == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < configs->count && status == HF_OK; i++) {
        status = make_rule(&rules->items[rules->count++], &items[i], reterr);
    }
    return status;
}

void carbon_rules_release(struct carbon_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        hf_regex_free(rules->items[i].regex);
    }
    free(rules->items);
    *rules = (struct carbon_rules){0};
}

static const char *make_name(const struct carbon_rules *rules, const struct carbon_rule *rule,
                             const struct hf_slice *groups, struct hf_slice path,
                             struct hf_bytes *room, struct hf_slice *ret_name)
{
    const char *prefix = rule->config->name_prefix != NULL ? rule->config->name_prefix : "";
    room->size = 0;
    enum hf_status status = hf_bytes_append(room, hf_slice_text(prefix));
    for (size_t i = 0; i < rule->name_count && status == HF_OK; i++) {
        status = hf_bytes_append(room, hf_slice_text(rules->separator));
        status = status == HF_OK ? hf_bytes_append(room, groups[rule->names[i]]) : status;
    }
    *ret_name = room->size != 0 ? hf_slice_of(room->data, room->size) : path;
    return status == HF_OK ? NULL : "no memory for its name";
}

static const char *apply(const struct carbon_rules *rules, const struct carbon_rule *rule,
                         const struct hf_slice *groups, struct hf_slice path, struct hf_bytes *room,
                         struct hf_carbon_path *ret_path)
{
    const struct hf_string_map *labels = &rule->config->labels;
    bool has_room = true;
    ret_path->tag_count = 0;
    for (size_t group = 1; group <= hf_regex_group_count(rule->regex); group++) {
        const char *name = hf_regex_group_name(rule->regex, group);
        if (name != NULL && begins(name, KEY_PREFIX)) {
            has_room = has_room && hf_carbon_set(ret_path, hf_slice_text(name + strlen(KEY_PREFIX)),
                                                 groups[group]);
        }
    }
    for (size_t i = 0; i < labels->count; i++) {
        has_room = has_room && hf_carbon_set(ret_path, hf_slice_text(labels->items[i].key),
                                             hf_slice_text(labels->items[i].value));
    }
    return has_room ? make_name(rules, rule, groups, path, room, &ret_path->name)
                    : "more than 128 tags";
}

const char *carbon_rules_apply(const struct carbon_rules *rules, struct hf_slice path,
                               struct hf_bytes *room, struct hf_carbon_path *ret_path,
                               bool *ret_cumulative)
{
    struct hf_slice groups[HF_REGEX_GROUPS_MAX + 1];
    for (size_t i = 0; i < rules->count; i++) {
        const struct carbon_rule *rule = &rules->items[i];
        bool found = false;
        if (hf_regex_search(rule->regex, path, 0, groups, &found) != HF_OK) {
            return "a rule takes too many steps for its path";
        }
        if (found) {
            *ret_cumulative = rule->config->type == 1;
            return apply(rules, rule, groups, path, room, ret_path);
        }
    }
    *ret_cumulative = false;
    return hf_carbon_split(path, ret_path);
}
