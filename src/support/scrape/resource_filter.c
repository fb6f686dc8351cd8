#include "resource_filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "pdata/any.h"
#include "pdata/attributes.h"
#include "pdata/walk.h"
#include "util/regex/regex.h"

#define RESOURCE_ATTRIBUTES 1u /* the number of that field of a Resource */

struct rule {
    const char *name;
    struct hf_filter_list include, exclude;
};

struct hf_resource_filter {
    struct hf_visitor visitor;
    struct rule *rules;
    size_t count;
    struct hf_bytes text;
    enum hf_status status;
};

#define MATCHES(member, text)                                                                      \
    {                                                                                              \
        .key = #member, .type = HF_FIELD_STRUCT_LIST,                                              \
        .offset = offsetof(struct hf_resource_choice, member), .inner = hf_filter_list_fields,     \
        .inner_size = sizeof(struct hf_filter_list_config), .help = (text)                         \
    }

#define CHOICE(default_)                                                                           \
    {                                                                                              \
        {.key = "enabled",                                                                         \
         .type = HF_FIELD_BOOL,                                                                    \
         .offset = offsetof(struct hf_resource_choice, enabled),                                   \
         .default_text = (default_),                                                               \
         .help = "Report it."},                                                                    \
            MATCHES(metrics_include, "Only metrics of resources with such a value."),              \
            MATCHES(metrics_exclude, "No metrics of resources with such a value."),                \
            MATCHES(events_include, "Only events of resources with such a value."),                \
            MATCHES(events_exclude, "No events of resources with such a value."), HF_FIELDS_END,   \
    }

const struct hf_field hf_resource_choice_on[] = CHOICE("true");
const struct hf_field hf_resource_choice_off[] = CHOICE("false");

/* ---- making ---- */

void hf_resource_filter_free(struct hf_resource_filter *filter)
{
    if (filter == NULL) {
        return;
    }
    for (size_t i = 0; i < filter->count; i++) {
        hf_filter_list_release(&filter->rules[i].include);
        hf_filter_list_release(&filter->rules[i].exclude);
    }
    free(filter->rules);
    hf_bytes_release(&filter->text);
    free(filter);
}

static enum hf_visit on_resource(struct hf_visitor *visitor, const struct hf_place *place);

static bool has_rule(const struct hf_resource_choice *choice, enum hf_signal signal)
{
    return signal == HF_LOGS ? choice->events_include.count + choice->events_exclude.count != 0
                             : choice->metrics_include.count + choice->metrics_exclude.count != 0;
}

static enum hf_status add_rule(struct hf_resource_filter *filter, const char *name,
                               const struct hf_resource_choice *choice, enum hf_signal signal,
                               char *reterr)
{
    bool is_logs = signal == HF_LOGS;
    struct rule *rule = &filter->rules[filter->count++];
    rule->name = name;
    enum hf_status status = hf_filter_list_make(
        &rule->include, is_logs ? &choice->events_include : &choice->metrics_include, reterr);
    if (status == HF_OK) {
        status = hf_filter_list_make(
            &rule->exclude, is_logs ? &choice->events_exclude : &choice->metrics_exclude, reterr);
    }
    return status;
}

enum hf_status hf_resource_filter_new(const struct hf_resource_choices *choices,
                                      enum hf_signal signal, struct hf_resource_filter **ret_filter,
                                      char *reterr)
{
    size_t count = 0;
    for (size_t i = 0; i < choices->count; i++) {
        count += has_rule(&choices->items[i], signal);
    }
    *ret_filter = NULL;
    if (count == 0) {
        return HF_OK;
    }
    struct hf_resource_filter *filter = calloc(1, sizeof(*filter));
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (filter == NULL) {
        return HF_NOMEM;
    }
    filter->visitor.resource = on_resource;
    filter->rules = calloc(count, sizeof(*filter->rules));
    enum hf_status status = filter->rules != NULL ? HF_OK : HF_NOMEM;
    for (size_t i = 0; i < choices->count && status == HF_OK; i++) {
        if (has_rule(&choices->items[i], signal)) {
            status = add_rule(filter, choices->names[i], &choices->items[i], signal, reterr);
        }
    }
    if (status != HF_OK) {
        hf_resource_filter_free(filter);
        return status;
    }
    *ret_filter = filter;
    return HF_OK;
}

/* ---- using ---- */

static bool is_left_out(struct hf_resource_filter *filter, const struct hf_attributes *attributes)
{
    for (size_t i = 0; i < filter->count; i++) {
        const struct rule *rule = &filter->rules[i];
        const struct hf_attribute *found =
            hf_attributes_find(attributes, hf_slice_text(rule->name));
        if (found == NULL) {
            continue;
        }
        filter->text.size = 0;
        filter->status = hf_any_text(found->value, &filter->text);
        struct hf_slice text = hf_slice_of(filter->text.data, filter->text.size);
        if (filter->status != HF_OK ||
            (rule->include.count != 0 && !hf_filter_list_has(&rule->include, text)) ||
            hf_filter_list_has(&rule->exclude, text)) {
            return true;
        }
    }
    return false;
}

static enum hf_visit on_resource(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct hf_resource_filter *filter = (struct hf_resource_filter *)(void *)visitor; /* first */
    struct hf_message *resource = hf_place_resource(place);
    const struct hf_attributes *attributes =
        resource != NULL ? hf_message_attributes(resource, RESOURCE_ATTRIBUTES) : NULL;
    bool is_dropped = attributes != NULL && is_left_out(filter, attributes);
    if (filter->status != HF_OK) {
        return HF_VISIT_STOP;
    }
    return is_dropped ? HF_VISIT_DROP : HF_VISIT_SKIP;
}

enum hf_status hf_resource_filter_take(struct hf_resource_filter *filter, struct hf_batch *batch,
                                       struct hf_batch **ret_batch)
{
    struct hf_batch *kept = NULL;
    filter->status = HF_OK;
    enum hf_status status = hf_walk_batch(batch, &filter->visitor, &filter->status, &kept);
    hf_ref_drop(&batch->ref);
    *ret_batch = status == HF_OK ? kept : NULL;
    return status;
}
