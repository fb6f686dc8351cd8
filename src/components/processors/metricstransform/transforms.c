#include "transforms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "combine.h"
#include "pdata/any_make.h"
#include "pdata/document.h"
#include "pdata/metric_fields.h"
#include "util/regex/regex_expand.h"

#define VERSION_MARK "{{version}}"

enum { REQUEST_RESOURCES = 1, GROUP_HEAD = 1, RESOURCE_SCOPES = 2, RESOURCE_ATTRIBUTES = 1 };

/* ---- compiling ---- */

/* A copy of the text with the version in place of the marks. */
static char *with_version(const char *text)
{
    size_t marks = 0;
    for (const char *at = text; (at = strstr(at, VERSION_MARK)) != NULL; at++) {
        marks++;
    }
    size_t room = strlen(text) + marks * strlen(HF_VERSION) + 1;
    char *made = calloc(1, room);
    for (size_t size = 0; made != NULL && *text != '\0';) {
        bool is_mark = strncmp(text, VERSION_MARK, strlen(VERSION_MARK)) == 0;
        size += (size_t)snprintf(made + size, room - size, "%.*s", is_mark ? 64 : 1,
                                 is_mark ? HF_VERSION : text);
        text += is_mark ? strlen(VERSION_MARK) : 1;
    }
    return made;
}

static enum hf_status copy_operations(struct metricstransform_transform *transform)
{
    const struct hf_struct_list *list = &transform->config->operations;
    transform->operations = calloc(list->count + 1, sizeof(*transform->operations));
    transform->texts = calloc(list->count + 1, sizeof(char *));
    if (transform->operations == NULL || transform->texts == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < list->count; i++) {
        struct metricstransform_operation *made = &transform->operations[i];
        *made = ((const struct metricstransform_operation *)list->items)[i];
        if (made->new_value != NULL) {
            transform->texts[i] = with_version(made->new_value);
            made->new_value = transform->texts[i];
            if (made->new_value == NULL) {
                return HF_NOMEM;
            }
        }
    }
    return HF_OK;
}

static const char *find_missing(const struct metricstransform_config *config)
{
    bool has_name = config->new_name != NULL && config->new_name[0] != '\0';
    if (config->include == NULL || config->include[0] == '\0') {
        return "include must be given";
    }
    if (config->action == METRICSTRANSFORM_INSERT && !has_name) {
        return "insert needs new_name";
    }
    if (config->action == METRICSTRANSFORM_COMBINE && !has_name) {
        return "combine needs new_name";
    }
    if (config->action == METRICSTRANSFORM_GROUP && config->group_resource_labels.count == 0) {
        return "group needs group_resource_labels";
    }
    return NULL;
}

enum hf_status metricstransform_new(struct metricstransform_transform *transform,
                                    const struct metricstransform_config *config, const char *name,
                                    char *reterr)
{
    const struct metricstransform_operation *operations = config->operations.items;
    const char *why = find_missing(config);
    *transform = (struct metricstransform_transform){
        .config = config,
        .selection = {.include = config->include, .labels = config->match_labels}};
    for (size_t i = 0; why == NULL && i < config->operations.count; i++) {
        why = metricstransform_operation_check(&operations[i]);
    }
    if (why != NULL) {
        snprintf(reterr, HF_ERROR_MAX, "%.100s: %.200s", name, why);
        return HF_INVALID;
    }
    enum hf_status status =
        metricstransform_select(&transform->selection, name, config->match_type == 1, reterr);
    return status == HF_OK ? copy_operations(transform) : status;
}

void metricstransform_release(struct metricstransform_transform *transform)
{
    for (size_t i = 0; transform->texts != NULL && i < transform->config->operations.count; i++) {
        free(transform->texts[i]);
    }
    free(transform->texts);
    free(transform->operations);
    metricstransform_selection_release(&transform->selection);
    transform->texts = NULL;
    transform->operations = NULL;
}

/* ---- one metric ---- */

/* The new name, with what the pattern matched in the old one. */
static enum hf_status rename_metric(const struct metricstransform_transform *transform,
                                    struct hf_message *metric)
{
    const struct hf_regex *regex = transform->selection.name;
    struct hf_slice text = hf_slice_text(transform->config->new_name);
    struct hf_slice groups[HF_REGEX_GROUPS_MAX + 1];
    struct hf_bytes expanded = {0};
    bool found = false;
    enum hf_status status = HF_OK;
    if (regex != NULL &&
        hf_regex_search(regex, hf_message_bytes(metric, HF_METRIC_NAME), 0, groups, &found) ==
            HF_OK &&
        found) {
        status = hf_regex_expand(regex, text, groups, &expanded);
    }
    if (status == HF_OK) {
        hf_message_set_bytes(metric, HF_METRIC_NAME,
                             expanded.size > 0 ? hf_slice_of(expanded.data, expanded.size) : text);
    }
    hf_bytes_release(&expanded);
    return status;
}

/* Renames and operates; a metric that has lost all its points goes. */
static enum hf_status change_metric(const struct metricstransform_transform *transform,
                                    struct hf_message *metric, struct metricstransform_work *work)
{
    const struct metricstransform_config *config = transform->config;
    struct hf_message *data = hf_place_data(metric);
    struct metricstransform_share share = metricstransform_share(&transform->selection, data);
    bool is_all = config->action != METRICSTRANSFORM_UPDATE || share.meant == share.all;
    enum hf_status status = HF_OK;
    if (config->new_name != NULL && config->new_name[0] != '\0' && is_all) {
        status = rename_metric(transform, metric);
    }
    for (size_t i = 0; status == HF_OK && i < config->operations.count; i++) {
        status = metricstransform_operate(&transform->operations[i], &transform->selection, is_all,
                                          metric, work);
    }
    if (status == HF_OK && share.all > 0 && hf_message_count(data, HF_DATA_POINTS) == 0) {
        hf_message_remove(metric);
    }
    return status;
}

static void remove_others(const struct metricstransform_selection *selection,
                          struct hf_message *metric)
{
    struct hf_message *point = hf_message_first(hf_place_data(metric), HF_DATA_POINTS);
    for (; point != NULL; point = hf_message_next(point)) {
        if (!metricstransform_means_point(selection, point)) {
            hf_message_remove(point);
        }
    }
}

/* ---- the actions ---- */

static enum hf_status update(const struct metricstransform_transform *transform,
                             const struct hf_place *place, struct metricstransform_work *work)
{
    enum hf_status status = HF_OK;
    struct hf_message *metric = hf_message_first(place->scope_group, HF_SCOPE_METRICS_METRICS);
    for (; status == HF_OK && metric != NULL; metric = hf_message_next(metric)) {
        if (metricstransform_means(&transform->selection, metric)) {
            status = change_metric(transform, metric, work);
        }
    }
    return status;
}

static enum hf_status insert(const struct metricstransform_transform *transform,
                             const struct hf_place *place, struct metricstransform_work *work)
{
    enum hf_status status = HF_OK;
    struct hf_message *metric = hf_message_first(place->scope_group, HF_SCOPE_METRICS_METRICS);
    size_t left = hf_message_count(place->scope_group, HF_SCOPE_METRICS_METRICS);
    for (; status == HF_OK && left > 0; left--, metric = hf_message_next(metric)) {
        if (!metricstransform_means(&transform->selection, metric)) {
            continue;
        }
        struct hf_message *made =
            hf_message_copy(metric, place->scope_group, HF_SCOPE_METRICS_METRICS);
        if (made == NULL) {
            return HF_NOMEM;
        }
        remove_others(&transform->selection, made);
        status = change_metric(transform, made, work);
    }
    return status;
}

/* Another resource with more attributes, and the scope in it; made for the first metric. */
static struct hf_message *new_group(const struct metricstransform_config *config,
                                    const struct hf_place *place)
{
    struct hf_document *document = place->document;
    struct hf_any_maker maker = {.arena = hf_document_arena(document)};
    struct hf_message *group = hf_message_append(hf_document_root(document), REQUEST_RESOURCES);
    struct hf_message *from = hf_place_resource(place), *scope = hf_place_scope(place);
    struct hf_message *resource = from != NULL ? hf_message_copy(from, group, GROUP_HEAD)
                                               : hf_message_need(group, GROUP_HEAD);
    struct hf_message *made = hf_message_append(group, RESOURCE_SCOPES);
    struct hf_attributes *attributes = hf_message_attributes(resource, RESOURCE_ATTRIBUTES);
    if (made == NULL || attributes == NULL ||
        (scope != NULL && hf_message_copy(scope, made, GROUP_HEAD) == NULL)) {
        return NULL;
    }
    for (size_t i = 0; i < config->group_resource_labels.count; i++) {
        const struct hf_string_pair *label = &config->group_resource_labels.items[i];
        hf_attributes_set(attributes, hf_slice_text(label->key),
                          hf_any_make_string(&maker, hf_slice_text(label->value)));
    }
    return maker.failed || attributes->failed ? NULL : made;
}

static enum hf_status group(const struct metricstransform_transform *transform,
                            const struct hf_place *place)
{
    struct hf_message *to = NULL, *next;
    struct hf_message *metric = hf_message_first(place->scope_group, HF_SCOPE_METRICS_METRICS);
    for (; metric != NULL; metric = next) {
        next = hf_message_next(metric);
        if (!metricstransform_means(&transform->selection, metric)) {
            continue;
        }
        to = to != NULL ? to : new_group(transform->config, place);
        if (to == NULL || metricstransform_take(&transform->selection, metric, to) == NULL) {
            return HF_NOMEM;
        }
    }
    return HF_OK;
}

enum hf_status metricstransform_run(const struct metricstransform_transform *transform,
                                    const struct hf_place *place,
                                    struct metricstransform_work *work,
                                    struct metricstransform_watch *watch)
{
    struct hf_message *made = NULL;
    enum hf_status status;
    switch (transform->config->action) {
    case METRICSTRANSFORM_INSERT:
        return insert(transform, place, work);
    case METRICSTRANSFORM_COMBINE:
        status = metricstransform_combine(transform, place, work, watch, &made);
        return status == HF_OK && made != NULL ? change_metric(transform, made, work) : status;
    case METRICSTRANSFORM_GROUP:
        return group(transform, place);
    default:
        return update(transform, place, work);
    }
}
