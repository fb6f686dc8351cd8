/*
 * attributes: changes the attributes of spans, data points and log records by a list of actions; of
 * all of them, or of those that `include` and `exclude` leave.
 */
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "pdata/edit.h"
#include "support/items/actions.h"
#include "support/items/match.h"

struct attributes_config {
    struct hf_struct_list actions;
    const struct hf_match_config *include, *exclude;
};

struct attributes {
    struct hf_actions *actions;
    struct hf_match *include, *exclude; /* NULL: not given */
};

/* One batch on its way through. */
struct pass {
    struct hf_editor editor;
    const struct attributes *processor;
    struct hf_actions_run run;
    struct hf_match_memory include, exclude;
};

static const char *check(const void *config)
{
    const struct attributes_config *configured = config;
    const char *why = hf_actions_check("actions", &configured->actions);
    if (why == NULL && configured->include != NULL) {
        why = hf_match_check("include", configured->include);
    }
    if (why == NULL && configured->exclude != NULL) {
        why = hf_match_check("exclude", configured->exclude);
    }
    return why;
}

static void close_attributes(void *self)
{
    struct attributes *processor = self;
    hf_actions_free(processor->actions);
    hf_match_free(processor->include);
    hf_match_free(processor->exclude);
    free(processor);
}

static enum hf_status open_attributes(struct hf_node *node, const void *config, void **ret_self,
                                      char *reterr)
{
    const struct attributes_config *configured = config;
    unsigned signals = hf_node_signals(node);
    struct attributes *processor = calloc(1, sizeof(*processor));
    if (processor == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status =
        hf_actions_new("actions", &configured->actions, &processor->actions, reterr);
    if (status == HF_OK && configured->include != NULL) {
        status = hf_match_new("include", configured->include, signals, &processor->include, reterr);
    }
    if (status == HF_OK && configured->exclude != NULL) {
        status = hf_match_new("exclude", configured->exclude, signals, &processor->exclude, reterr);
    }
    if (status != HF_OK) {
        close_attributes(processor);
        return status;
    }
    *ret_self = processor;
    return HF_OK;
}

static bool wants(struct hf_editor *editor, const struct hf_edit_place *place)
{
    struct pass *pass = HF_CONTAINER(editor, struct pass, editor);
    const struct attributes *processor = pass->processor;
    if (processor->include != NULL && !hf_match_is(processor->include, place, &pass->include)) {
        return false;
    }
    return processor->exclude == NULL || !hf_match_is(processor->exclude, place, &pass->exclude);
}

static void change(struct hf_editor *editor, struct hf_attributes *attributes)
{
    hf_actions_apply(&HF_CONTAINER(editor, struct pass, editor)->run, attributes);
}

static enum hf_status process(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    const struct attributes *processor = self;
    bool selective = processor->include != NULL || processor->exclude != NULL;
    struct pass pass = {.editor = {.wants = selective ? wants : NULL, .change = change},
                        .processor = processor};
    enum hf_status status = hf_actions_begin(processor->actions, batch->meta, &pass.run);
    if (status != HF_OK) {
        return status;
    }
    status = hf_edit_batch(&pass.editor, batch, ret_batch);
    hf_actions_end(&pass.run);
    hf_match_forget(&pass.include);
    hf_match_forget(&pass.exclude);
    return status;
}

static const char *const *context_keys(void *self, size_t *ret_count)
{
    const struct attributes *processor = self;
    return hf_actions_context_keys(processor->actions, ret_count);
}

static const struct hf_field fields[] = {
    {.key = "actions",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct attributes_config, actions),
     .inner = hf_action_fields,
     .inner_size = sizeof(struct hf_action_config),
     .required = true,
     .help = "What to do with the attributes of each item, in order."},
    {.key = "include",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct attributes_config, include),
     .inner = hf_match_fields,
     .inner_size = sizeof(struct hf_match_config),
     .help = "Only these items."},
    {.key = "exclude",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct attributes_config, exclude),
     .inner = hf_match_fields,
     .inner_size = sizeof(struct hf_match_config),
     .help = "Not these items, of those that are included."},
    HF_FIELDS_END,
};

static const struct hf_processor_ops processor_ops = {
    .process = process,
    .context_keys = context_keys,
};

const struct hf_component hf_processor_attributes = {
    .type = "attributes",
    .help = "Changes the attributes of spans, data points and log records.",
    .kind = HF_PROCESSOR,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct attributes_config),
    .fields = fields,
    .check = check,
    .open = open_attributes,
    .close = close_attributes,
    .processor = &processor_ops,
};
