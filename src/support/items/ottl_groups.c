#include "ottl_groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <holdfast/component.h>

#include "util/mistake.h"

/* ---- one group ---- */

static enum hf_status refuse(char *reterr, const char *name, const char *why)
{
    snprintf(reterr, HF_ERROR_MAX, "%.200s: %.250s", name, why);
    return HF_INVALID;
}

static struct hf_ottl_group *add_group(struct hf_ottl_groups *groups, const char *name)
{
    if (groups->count == groups->capacity) {
        size_t capacity = 2 * groups->capacity + 4;
        struct hf_ottl_group *items = realloc(groups->items, capacity * sizeof(*items));
        if (items == NULL) {
            return NULL;
        }
        groups->items = items;
        groups->capacity = capacity;
    }
    struct hf_ottl_group *group = &groups->items[groups->count];
    *group = (struct hf_ottl_group){.name = strdup(name)};
    groups->count += group->name != NULL;
    return group->name != NULL ? group : NULL;
}

/* Makes room for so many texts more. */
static bool reserve_texts(struct hf_ottl_group *group, size_t count)
{
    group->texts = calloc(count + 1, sizeof(*group->texts));
    return group->texts != NULL;
}

static enum hf_status compile(struct hf_ottl_group *group, struct hf_ottl_source *source,
                              const struct hf_ottl_group_rules *rules, char *reterr)
{
    source->name = group->name;
    source->contexts = rules->contexts;
    source->functions = rules->functions;
    source->tells_all = true;
    return hf_ottl_new(source, &group->ottl, reterr);
}

enum hf_status hf_ottl_groups_add(struct hf_ottl_groups *groups, struct hf_string_list conditions,
                                  enum hf_path_context context,
                                  const struct hf_ottl_group_rules *rules, char *reterr)
{
    if (conditions.count == 0) {
        return HF_OK;
    }
    struct hf_ottl_group *group = add_group(groups, rules->key);
    if (group == NULL) {
        return HF_NOMEM;
    }
    group->error_mode = rules->error_mode;
    struct hf_ottl_source source = {.conditions = conditions, .context = context};
    return compile(group, &source, rules, reterr);
}

/* ---- groups as users write them ---- */

static const struct hf_value *member(const struct hf_value *group, const char *key)
{
    for (size_t i = 0; i < group->count; i++) {
        if (strcmp(group->keys[i], key) == 0 && group->items[i].type != HF_VALUE_NONE) {
            return &group->items[i];
        }
    }
    return NULL;
}

static enum hf_status check_keys(const struct hf_value *group,
                                 const struct hf_ottl_group_rules *rules, const char *name,
                                 char *reterr)
{
    static const char *const known[] = {"context", "conditions", "error_mode", "statements",
                                        "shared_cache"};
    const size_t of_conditions = 3;
    for (size_t i = 0; i < group->count; i++) {
        size_t count = rules->are_statements ? sizeof(known) / sizeof(known[0]) : of_conditions;
        size_t at = 0;
        while (at < count && strcmp(known[at], group->keys[i]) != 0) {
            at++;
        }
        if (at == count) {
            snprintf(reterr, HF_ERROR_MAX, "%.200s: unknown key \"%.100s\"", name, group->keys[i]);
            return HF_INVALID;
        }
    }
    return HF_OK;
}

/* The texts of a key, put behind those that the group has. */
static enum hf_status read_texts(const struct hf_value *list, const char *name, const char **texts,
                                 struct hf_string_list *ret_list, char *reterr)
{
    *ret_list = (struct hf_string_list){.items = texts};
    if (list == NULL) {
        return HF_OK;
    }
    if (list->type != HF_VALUE_LIST) {
        return refuse(reterr, name, "expected a list of texts");
    }
    for (size_t i = 0; i < list->count; i++) {
        /* A condition such as `true` is no text in YAML. */
        if (list->items[i].string == NULL) {
            return refuse(reterr, name, "every entry must be a text");
        }
        texts[i] = list->items[i].string;
    }
    ret_list->count = list->count;
    return HF_OK;
}

static enum hf_status read_error_mode(const struct hf_value *value, const char *name,
                                      enum hf_ottl_error_mode *mode, char *reterr)
{
    for (size_t i = 0; value != NULL && hf_ottl_error_modes[i] != NULL; i++) {
        if (value->string != NULL && strcasecmp(value->string, hf_ottl_error_modes[i]) == 0) {
            *mode = (enum hf_ottl_error_mode)i;
            return HF_OK;
        }
    }
    return value == NULL ? HF_OK
                         : refuse(reterr, name, "error_mode must be propagate, ignore or silent");
}

static enum hf_status read_context(const struct hf_value *value, const char *name,
                                   const struct hf_ottl_group_rules *rules,
                                   struct hf_ottl_source *source, char *reterr)
{
    char lower[32] = "";
    source->infers = value == NULL || value->string == NULL || value->string[0] == '\0';
    if (source->infers) {
        return HF_OK;
    }
    for (size_t i = 0; value->string[i] != '\0' && i + 1 < sizeof(lower); i++) {
        char byte = value->string[i];
        lower[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte + 32) : byte;
    }
    if (!hf_path_context_find(hf_slice_text(lower), &source->context) ||
        (rules->contexts >> source->context & 1) == 0) {
        char why[200];
        snprintf(why, sizeof(why), "unknown context \"%.60s\" for this signal", value->string);
        return refuse(reterr, name, why);
    }
    return HF_OK;
}

static bool read_flag(const struct hf_value *value)
{
    return value != NULL && value->type == HF_VALUE_BOOL && value->boolean;
}

static size_t count_of(const struct hf_value *value)
{
    return value != NULL ? value->count : 0;
}

static enum hf_status read_group(struct hf_ottl_groups *groups, const struct hf_value *list,
                                 size_t index, const struct hf_ottl_group_rules *rules,
                                 char *reterr)
{
    const struct hf_value *value = &list->items[index];
    char name[140];
    snprintf(name, sizeof(name), "%.100s[%zu]", rules->key, index);
    const struct hf_value *conditions = member(value, "conditions");
    const struct hf_value *statements = member(value, "statements");
    struct hf_ottl_source source = {.infers = true};
    enum hf_status status = check_keys(value, rules, name, reterr);
    if (status != HF_OK) {
        return status;
    }
    struct hf_ottl_group *group = add_group(groups, name);
    if (group == NULL || !reserve_texts(group, count_of(conditions) + count_of(statements))) {
        return HF_NOMEM;
    }
    group->error_mode = rules->error_mode;
    group->shares_cache = read_flag(member(value, "shared_cache"));
    status = read_texts(conditions, name, group->texts, &source.conditions, reterr);
    if (status == HF_OK) {
        status = read_texts(statements, name, group->texts + source.conditions.count,
                            &source.statements, reterr);
    }
    if (status == HF_OK) {
        status = read_error_mode(member(value, "error_mode"), name, &group->error_mode, reterr);
    }
    if (status == HF_OK) {
        status = read_context(member(value, "context"), name, rules, &source, reterr);
    }
    bool is_empty = (rules->are_statements ? source.statements : source.conditions).count == 0;
    if (status != HF_OK || is_empty) {
        return status;
    }
    return compile(group, &source, rules, reterr);
}

/* Plain texts: all in one group, or each in its own. */
static enum hf_status read_plain(struct hf_ottl_groups *groups, const struct hf_value *list,
                                 size_t first, size_t count,
                                 const struct hf_ottl_group_rules *rules, char *reterr)
{
    char name[120];
    struct hf_ottl_source source = {.infers = true, .first = first};
    snprintf(name, sizeof(name), "%.100s", rules->key);
    struct hf_ottl_group *group = add_group(groups, name);
    if (group == NULL || !reserve_texts(group, count)) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        group->texts[i] = list->items[first + i].string;
    }
    group->error_mode = rules->error_mode;
    struct hf_string_list texts = {group->texts, count};
    if (rules->are_statements) {
        source.statements = texts;
    } else {
        source.conditions = texts;
    }
    return compile(group, &source, rules, reterr);
}

/* How many entries are texts; all, or none. */
static enum hf_status count_plain(const struct hf_value *list, const char *key, size_t *ret_count,
                                  char *reterr)
{
    *ret_count = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].type == HF_VALUE_NONE) {
            return refuse(reterr, key, "an entry is empty");
        }
        *ret_count += list->items[i].type != HF_VALUE_MAP;
        if (list->items[i].type != HF_VALUE_MAP && list->items[i].string == NULL) {
            return refuse(reterr, key, "an entry must be a text or a group");
        }
    }
    if (*ret_count != 0 && *ret_count != list->count) {
        return refuse(reterr, key, "either plain texts or groups, not both");
    }
    return HF_OK;
}

enum hf_status hf_ottl_groups_read(struct hf_ottl_groups *groups, const struct hf_value *value,
                                   const struct hf_ottl_group_rules *rules, char *reterr)
{
    size_t plain = 0;
    if (value->type == HF_VALUE_NONE || (value->type == HF_VALUE_LIST && value->count == 0)) {
        return HF_OK;
    }
    if (value->type != HF_VALUE_LIST) {
        return refuse(reterr, rules->key, "expected a list");
    }
    enum hf_status status = count_plain(value, rules->key, &plain, reterr), worst = HF_OK;
    if (status == HF_OK && plain > 0 && !rules->infers_each) {
        return read_plain(groups, value, 0, plain, rules, reterr);
    }
    for (size_t i = 0; status == HF_OK && i < value->count; i++) {
        status = plain > 0 ? read_plain(groups, value, i, 1, rules, reterr)
                           : read_group(groups, value, i, rules, reterr);
        if (status == HF_INVALID && hf_mistake(reterr)) {
            worst = status;
            status = HF_OK;
        }
    }
    return status == HF_OK ? worst : status;
}

void hf_ottl_groups_release(struct hf_ottl_groups *groups)
{
    for (size_t i = 0; i < groups->count; i++) {
        hf_ottl_free(groups->items[i].ottl);
        free(groups->items[i].name);
        free(groups->items[i].texts);
    }
    free(groups->items);
    *groups = (struct hf_ottl_groups){0};
}
