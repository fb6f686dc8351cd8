/*
 * resource: changes the attributes of every resource by a list of actions.
 */
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "pdata/edit.h"
#include "support/items/actions.h"

struct resource_config {
    struct hf_struct_list attributes;
};

struct resource {
    struct hf_actions *actions;
};

/* One batch on its way through. */
struct pass {
    struct hf_editor editor;
    struct hf_actions_run run;
};

static const char *check(const void *config)
{
    const struct resource_config *resource = config;
    return hf_actions_check("attributes", &resource->attributes);
}

static void close_resource(void *self)
{
    struct resource *resource = self;
    hf_actions_free(resource->actions);
    free(resource);
}

static enum hf_status open_resource(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    const struct resource_config *configured = config;
    struct resource *resource = calloc(1, sizeof(*resource));
    (void)node;
    if (resource == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status =
        hf_actions_new("attributes", &configured->attributes, &resource->actions, reterr);
    if (status != HF_OK) {
        close_resource(resource);
        return status;
    }
    *ret_self = resource;
    return HF_OK;
}

static void change(struct hf_editor *editor, struct hf_attributes *attributes)
{
    hf_actions_apply(&HF_CONTAINER(editor, struct pass, editor)->run, attributes);
}

static enum hf_status process(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    const struct resource *resource = self;
    struct pass pass = {.editor = {.of_resources = true, .change = change}};
    enum hf_status status = hf_actions_begin(resource->actions, batch->meta, &pass.run);
    if (status != HF_OK) {
        return status;
    }
    status = hf_edit_batch(&pass.editor, batch, ret_batch);
    hf_actions_end(&pass.run);
    return status;
}

static const char *const *context_keys(void *self, size_t *ret_count)
{
    const struct resource *resource = self;
    return hf_actions_context_keys(resource->actions, ret_count);
}

static const struct hf_field fields[] = {
    {.key = "attributes",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct resource_config, attributes),
     .inner = hf_action_fields,
     .inner_size = sizeof(struct hf_action_config),
     .required = true,
     .help = "What to do with the attributes of each resource, in order."},
    HF_FIELDS_END,
};

static const struct hf_processor_ops processor_ops = {
    .process = process,
    .context_keys = context_keys,
};

const struct hf_component hf_processor_resource = {
    .type = "resource",
    .help = "Changes the attributes of resources.",
    .kind = HF_PROCESSOR,
    .signals = HF_ALL_SIGNALS_AND_PROFILES,
    .config_size = sizeof(struct resource_config),
    .fields = fields,
    .check = check,
    .open = open_resource,
    .close = close_resource,
    .processor = &processor_ops,
};
