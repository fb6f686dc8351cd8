/*
 * metricstransform: renames, copies, combines and groups metrics, and changes their labels and
 * values.
 */
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "pdata/document.h"
#include "transforms.h"

#define SCRATCH_LIMIT_BYTES (64u << 20)

struct processor_config {
    struct hf_struct_list transforms;
};

struct processor {
    struct hf_node *node;
    struct metricstransform_transform *transforms;
    size_t count;
};

/* ---- life ---- */

static void release_all(struct metricstransform_transform *transforms, size_t count)
{
    for (size_t i = 0; transforms != NULL && i < count; i++) {
        metricstransform_release(&transforms[i]);
    }
    free(transforms);
}

static enum hf_status compile(const struct processor_config *config,
                              struct metricstransform_transform **ret_transforms, char *reterr)
{
    const struct metricstransform_config *items = config->transforms.items;
    struct metricstransform_transform *made = calloc(config->transforms.count + 1, sizeof(*made));
    if (made == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < config->transforms.count; i++) {
        char name[40];
        snprintf(name, sizeof(name), "transforms[%zu]", i);
        enum hf_status status = metricstransform_new(&made[i], &items[i], name, reterr);
        if (status != HF_OK) {
            release_all(made, i + 1);
            return status;
        }
    }
    *ret_transforms = made;
    return HF_OK;
}

static const char *check(const void *config)
{
    static _Thread_local char sentence[HF_ERROR_MAX];
    const struct processor_config *configured = config;
    struct metricstransform_transform *transforms = NULL;
    snprintf(sentence, sizeof(sentence), "out of memory");
    if (configured->transforms.count == 0) {
        return "transforms must be given";
    }
    enum hf_status status = compile(configured, &transforms, sentence);
    release_all(transforms, status == HF_OK ? configured->transforms.count : 0);
    return status == HF_OK ? NULL : sentence;
}

static enum hf_status open_processor(struct hf_node *node, const void *config, void **ret_self,
                                     char *reterr)
{
    const struct processor_config *configured = config;
    struct processor *processor = calloc(1, sizeof(*processor));
    if (processor == NULL) {
        return HF_NOMEM;
    }
    processor->node = node;
    processor->count = configured->transforms.count;
    enum hf_status status = compile(configured, &processor->transforms, reterr);
    if (status != HF_OK) {
        free(processor);
        return status;
    }
    *ret_self = processor;
    return HF_OK;
}

static void close_processor(void *self)
{
    struct processor *processor = self;
    release_all(processor->transforms, processor->count);
    free(processor);
}

/* ---- one request ---- */

struct pass {
    struct metricstransform_watch watch;
    struct metricstransform_work work;
    const struct processor *processor;
    enum hf_status status;
};

static void refused(struct metricstransform_watch *watch, const char *why)
{
    struct pass *pass = HF_CONTAINER(watch, struct pass, watch);
    hf_node_log(pass->processor->node, HF_LOG_WARN, "%s", why);
}

static void transform_scope(struct pass *pass, const struct hf_place *place)
{
    for (size_t i = 0; pass->status == HF_OK && i < pass->processor->count; i++) {
        pass->status =
            metricstransform_run(&pass->processor->transforms[i], place, &pass->work, &pass->watch);
        hf_arena_rewind(&pass->work.scratch, SCRATCH_LIMIT_BYTES);
    }
}

/* Every scope that came; resources that a group adds are not looked at. */
static void transform_all(struct pass *pass, struct hf_document *document)
{
    enum { RESOURCES = 1, SCOPES = 2 };
    struct hf_message *root = hf_document_root(document);
    size_t left = hf_message_count(root, RESOURCES);
    struct hf_place place = {.document = document,
                             .resource_group = hf_message_first(root, RESOURCES)};
    for (; left > 0; left--, place.resource_group = hf_message_next(place.resource_group)) {
        place.scope_group = hf_message_first(place.resource_group, SCOPES);
        for (; place.scope_group != NULL; place.scope_group = hf_message_next(place.scope_group)) {
            transform_scope(pass, &place);
        }
    }
}

static enum hf_status process(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    struct pass pass = {.watch.refused = refused, .processor = self};
    struct hf_document *document = hf_document_borrow(batch->signal, batch->raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    pass.work.document = document;
    pass.work.scratch.limit = SCRATCH_LIMIT_BYTES;
    transform_all(&pass, document);
    enum hf_status status = pass.status;
    if (status == HF_OK && hf_document_is_changed(document)) {
        hf_document_prune(document);
    }
    if (status == HF_OK) {
        status = hf_document_batch(document, batch, ret_batch);
    }
    hf_arena_release(&pass.work.scratch);
    hf_document_return(document);
    return status;
}

/* ---- fields ---- */

#define AT(name) offsetof(struct metricstransform_config, name)

static const char *const match_types[] = {"strict", "regexp", NULL};
static const char *const actions[] = {"update", "insert", "combine", "group", NULL};
static const char *const cases[] = {"none", "lower", "upper", NULL};

static const struct hf_field transform_fields[] = {
    {.key = "include",
     .type = HF_FIELD_STRING,
     .offset = AT(include),
     .help = "The name of the metrics, or a pattern that matches anywhere in it."},
    {.key = "match_type",
     .type = HF_FIELD_ENUM,
     .offset = AT(match_type),
     .choices = match_types,
     .default_text = "strict",
     .help = "How include and experimental_match_labels compare."},
    {.key = "experimental_match_labels",
     .type = HF_FIELD_MAP,
     .offset = AT(match_labels),
     .help = "Only points whose labels have these values; a label that is not there is empty."},
    {.key = "action",
     .type = HF_FIELD_ENUM,
     .offset = AT(action),
     .choices = actions,
     .required = true,
     .help = "update changes the metrics, insert a copy; combine makes one metric of them; group "
             "moves them to a resource of their own. Points that labels exclude stay."},
    {.key = "new_name",
     .type = HF_FIELD_STRING,
     .offset = AT(new_name),
     .help = "The metric's new name; ${1} stands for a group of the pattern."},
    {.key = "group_resource_labels",
     .type = HF_FIELD_MAP,
     .offset = AT(group_resource_labels),
     .help = "group: attributes that the resource gets."},
    {.key = "aggregation_type",
     .type = HF_FIELD_ENUM,
     .offset = AT(aggregation_type),
     .choices = hf_merge_names,
     .default_text = "sum",
     .help = "combine: how points with the same labels and time become one."},
    {.key = "submatch_case",
     .type = HF_FIELD_ENUM,
     .offset = AT(submatch_case),
     .choices = cases,
     .default_text = "none",
     .help = "combine: the case of the labels that the pattern's groups become."},
    {.key = "operations",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = AT(operations),
     .inner = metricstransform_operation_fields,
     .inner_size = sizeof(struct metricstransform_operation),
     .help = "What is done with the points, in order."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "transforms",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct processor_config, transforms),
     .inner = transform_fields,
     .inner_size = sizeof(struct metricstransform_config),
     .help = "The transforms, each over what the one before has left."},
    HF_FIELDS_END,
};

static const struct hf_processor_ops processor_ops = {
    .process = process,
};

static const char *const aliases[] = {"metrics_transform", NULL};

const struct hf_component hf_processor_metricstransform = {
    .type = "metricstransform",
    .aliases = aliases,
    .help = "Renames, copies, combines and groups metrics, changes their labels and values.",
    .kind = HF_PROCESSOR,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct processor_config),
    .fields = fields,
    .check = check,
    .open = open_processor,
    .close = close_processor,
    .processor = &processor_ops,
};
