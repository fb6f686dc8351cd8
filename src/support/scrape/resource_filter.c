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

struct match {
    const char *strict;
    struct hf_regex *regex; /* NULL: the text alone */
};

struct list {
    struct match *items;
    size_t count;
};

struct rule {
    const char *name;
    struct list include, exclude;
};

struct hf_resource_filter {
    struct hf_visitor visitor;
    struct rule *rules;
    size_t count;
    struct hf_bytes text;
    enum hf_status status;
};

static const char *expect_pattern(const char *key, const char *text)
{
    char why[HF_REGEX_ERROR_MAX];
    struct hf_regex *regex = NULL;
    (void)key;
    enum hf_status status = hf_regex_new(text, &regex, why);
    hf_regex_free(regex);
    return status == HF_OK ? NULL : "a regular expression";
}

static const struct hf_field match_fields[] = {
    {.key = "strict",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_resource_match, strict),
     .help = "The value."},
    {.key = "regexp",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_resource_match, regexp),
     .validate = expect_pattern,
     .help = "A regular expression that matches somewhere in it."},
    HF_FIELDS_END,
};

#define MATCHES(member, text)                                                                      \
    {                                                                                              \
        .key = #member, .type = HF_FIELD_STRUCT_LIST,                                              \
        .offset = offsetof(struct hf_resource_choice, member), .inner = match_fields,              \
        .inner_size = sizeof(struct hf_resource_match), .help = (text)                             \
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

static void release_list(struct list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        hf_regex_free(list->items[i].regex);
    }
    free(list->items);
    *list = (struct list){NULL, 0};
}

void hf_resource_filter_free(struct hf_resource_filter *filter)
{
    if (filter == NULL) {
        return;
    }
    for (size_t i = 0; i < filter->count; i++) {
        release_list(&filter->rules[i].include);
        release_list(&filter->rules[i].exclude);
    }
    free(filter->rules);
    hf_bytes_release(&filter->text);
    free(filter);
}

static enum hf_status make_list(struct list *list, const struct hf_struct_list *from, char *reterr)
{
    const struct hf_resource_match *wanted = from->items;
    enum hf_status status = HF_OK;
    list->items = from->count != 0 ? calloc(from->count, sizeof(*list->items)) : NULL;
    if (list->items == NULL && from->count != 0) {
        return HF_NOMEM;
    }
    for (; list->count < from->count && status == HF_OK; list->count++) {
        struct match *match = &list->items[list->count];
        match->strict = wanted[list->count].strict;
        if (wanted[list->count].regexp != NULL) {
            status = hf_regex_new(wanted[list->count].regexp, &match->regex, reterr);
        }
    }
    return status;
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
    enum hf_status status = make_list(
        &rule->include, is_logs ? &choice->events_include : &choice->metrics_include, reterr);
    if (status == HF_OK) {
        status = make_list(&rule->exclude,
                           is_logs ? &choice->events_exclude : &choice->metrics_exclude, reterr);
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

static bool matches(const struct list *list, struct hf_slice text)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct match *match = &list->items[i];
        if ((match->strict != NULL && hf_slice_is(text, match->strict)) ||
            (match->regex != NULL && hf_regex_matches(match->regex, text))) {
            return true;
        }
    }
    return false;
}

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
            (rule->include.count != 0 && !matches(&rule->include, text)) ||
            matches(&rule->exclude, text)) {
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
