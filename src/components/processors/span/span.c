/*
 * span: makes a span's name of its attributes, takes attributes out of its name, sets its status;
 * of all spans, or of those that `include` and `exclude` leave.
 */
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "pdata/document.h"
#include "pdata/walk.h"
#include "span_name.h"
#include "support/items/match.h"

struct to_attributes_config {
    struct hf_string_list rules;
    bool break_after_match, keep_original_name;
};

struct status_config {
    int64_t code; /* as in OTLP */
    const char *description;
};

struct span_config {
    struct {
        struct hf_string_list from_attributes;
        const char *separator;
        const struct to_attributes_config *to_attributes;
    } name;
    const struct status_config *status;
    const struct hf_match_config *include, *exclude;
};

enum { STATUS_ERROR = 2 };
enum { SPAN_ATTRIBUTES = 9, SPAN_STATUS = 15, STATUS_MESSAGE = 2, STATUS_CODE = 3 };

struct span_processor {
    const struct span_config *config;
    struct hf_span_rules rules;
    struct hf_match *include, *exclude; /* NULL: not given */
};

/* One batch on its way through. */
struct pass {
    const struct span_processor *processor;
    struct hf_edit_place edit;
    const struct hf_message *resource_group, *scope_group; /* those of `edit` */
    struct hf_match_memory include, exclude;
};

static const char *check(const void *config)
{
    const struct span_config *configured = config;
    const struct to_attributes_config *to = configured->name.to_attributes;
    const struct status_config *status = configured->status;
    if (configured->name.from_attributes.count == 0 && (to == NULL || to->rules.count == 0) &&
        status == NULL) {
        return "one of name.from_attributes, name.to_attributes.rules and status must be given";
    }
    if (status != NULL && status->code != STATUS_ERROR && status->description != NULL &&
        status->description[0] != '\0') {
        return "status: \"description\" is for the code Error only";
    }
    const char *why = to != NULL ? hf_span_rules_check(&to->rules) : NULL;
    if (why == NULL && configured->include != NULL) {
        why = hf_match_check("include", configured->include);
    }
    if (why == NULL && configured->exclude != NULL) {
        why = hf_match_check("exclude", configured->exclude);
    }
    return why;
}

static void close_span(void *self)
{
    struct span_processor *processor = self;
    hf_span_rules_release(&processor->rules);
    hf_match_free(processor->include);
    hf_match_free(processor->exclude);
    free(processor);
}

static enum hf_status open_span(struct hf_node *node, const void *config, void **ret_self,
                                char *reterr)
{
    const struct span_config *configured = config;
    const struct to_attributes_config *to = configured->name.to_attributes;
    unsigned signals = hf_node_signals(node);
    struct span_processor *processor = calloc(1, sizeof(*processor));
    if (processor == NULL) {
        return HF_NOMEM;
    }
    processor->config = configured;
    enum hf_status status = HF_OK;
    if (to != NULL) {
        processor->rules.break_after_match = to->break_after_match;
        processor->rules.keep_original_name = to->keep_original_name;
        status = hf_span_rules_init(&processor->rules, &to->rules, reterr);
    }
    if (status == HF_OK && configured->include != NULL) {
        status = hf_match_new("include", configured->include, signals, &processor->include, reterr);
    }
    if (status == HF_OK && configured->exclude != NULL) {
        status = hf_match_new("exclude", configured->exclude, signals, &processor->exclude, reterr);
    }
    if (status != HF_OK) {
        close_span(processor);
        return status;
    }
    *ret_self = processor;
    return HF_OK;
}

/* A span may come without a resource and a scope. */
static struct hf_slice content_of(struct hf_message *message)
{
    return message != NULL ? hf_message_content(message) : HF_EMPTY_SLICE;
}

static bool wants(struct pass *pass, const struct hf_place *place)
{
    const struct span_processor *processor = pass->processor;
    struct hf_edit_place *edit = &pass->edit;
    if (processor->include == NULL && processor->exclude == NULL) {
        return true;
    }
    if (pass->resource_group != place->resource_group) {
        pass->resource_group = place->resource_group;
        edit->element++;
        edit->resource = content_of(hf_place_resource(place));
    }
    if (pass->scope_group != place->scope_group) {
        pass->scope_group = place->scope_group;
        edit->group++;
        edit->scope = content_of(hf_place_scope(place));
    }
    edit->owner = hf_message_content(place->item);
    if (processor->include != NULL && !hf_match_is(processor->include, edit, &pass->include)) {
        return false;
    }
    return processor->exclude == NULL || !hf_match_is(processor->exclude, edit, &pass->exclude);
}

static void set_status(const struct status_config *config, struct hf_message *span)
{
    bool is_error = config->code == STATUS_ERROR;
    struct hf_message *status =
        config->code != 0 ? hf_message_need(span, SPAN_STATUS) : hf_message_one(span, SPAN_STATUS);
    if (status == NULL) {
        return; /* unset already, or out of memory, which the document has noted */
    }
    if (config->code == 0) {
        hf_message_clear(status, STATUS_CODE);
    } else {
        hf_message_set_i64(status, STATUS_CODE, config->code);
    }
    if (is_error && config->description != NULL && config->description[0] != '\0') {
        hf_message_set_bytes(status, STATUS_MESSAGE, hf_slice_text(config->description));
    } else {
        hf_message_clear(status, STATUS_MESSAGE);
    }
}

static enum hf_status process(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    const struct span_processor *processor = self;
    const struct span_config *config = processor->config;
    struct pass pass = {.processor = processor,
                        .edit = {.signal = HF_TRACES, .number = SPAN_ATTRIBUTES}};
    struct hf_bytes text = {0};
    enum hf_status status = HF_OK;
    struct hf_document *document = hf_document_borrow(batch->signal, batch->raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    struct hf_place place = {.document = document};
    while (status == HF_OK && hf_place_next_item(&place)) {
        if (!wants(&pass, &place)) {
            continue;
        }
        status = hf_span_name_from(&config->name.from_attributes, config->name.separator,
                                   place.item, &text);
        if (status == HF_OK) {
            status = hf_span_rules_apply(&processor->rules, place.item, &text);
        }
        if (config->status != NULL) {
            set_status(config->status, place.item);
        }
    }
    if (status == HF_OK) {
        status = hf_document_batch(document, batch, ret_batch);
    }
    hf_document_return(document);
    hf_bytes_release(&text);
    hf_match_forget(&pass.include);
    hf_match_forget(&pass.exclude);
    return status;
}

static const struct hf_field to_attributes_fields[] = {
    {.key = "rules",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct to_attributes_config, rules),
     .required = true,
     .help = "Regular expressions; what a named group matches becomes the attribute of its name, "
             "and stands as {NAME} in the span's name."},
    {.key = "break_after_match",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct to_attributes_config, break_after_match),
     .help = "Stop at the first rule that matches."},
    {.key = "keep_original_name",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct to_attributes_config, keep_original_name),
     .help = "Leave the span's name as it is."},
    HF_FIELDS_END,
};

#define NAME_START offsetof(struct span_config, name)

static const struct hf_field name_fields[] = {
    {.key = "from_attributes",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct span_config, name.from_attributes) - NAME_START,
     .help = "The values of these attributes, in order, are the span's new name; one that is "
             "missing leaves the name as it is."},
    {.key = "separator",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct span_config, name.separator) - NAME_START,
     .help = "Stands between the values."},
    {.key = "to_attributes",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct span_config, name.to_attributes) - NAME_START,
     .inner = to_attributes_fields,
     .inner_size = sizeof(struct to_attributes_config),
     .help = "Takes attributes out of the span's name."},
    HF_FIELDS_END,
};

static const char *const codes[] = {"Unset", "Ok", "Error", NULL};

static const struct hf_field status_fields[] = {
    {.key = "code",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct status_config, code),
     .choices = codes,
     .required = true,
     .help = "The span's new status."},
    {.key = "description",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct status_config, description),
     .help = "Of the code Error: why."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "name",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct span_config, name),
     .inner = name_fields,
     .help = "The span's name: made of attributes, then attributes made of it."},
    {.key = "status",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct span_config, status),
     .inner = status_fields,
     .inner_size = sizeof(struct status_config),
     .help = "Sets the span's status."},
    {.key = "include",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct span_config, include),
     .inner = hf_match_fields,
     .inner_size = sizeof(struct hf_match_config),
     .help = "Only these spans."},
    {.key = "exclude",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct span_config, exclude),
     .inner = hf_match_fields,
     .inner_size = sizeof(struct hf_match_config),
     .help = "Not these spans, of those that are included."},
    HF_FIELDS_END,
};

static const struct hf_processor_ops processor_ops = {
    .process = process,
};

const struct hf_component hf_processor_span = {
    .type = "span",
    .help = "Changes names and status of spans.",
    .kind = HF_PROCESSOR,
    .signals = HF_SIGNAL_BIT(HF_TRACES),
    .config_size = sizeof(struct span_config),
    .fields = fields,
    .check = check,
    .open = open_span,
    .close = close_span,
    .processor = &processor_ops,
};
