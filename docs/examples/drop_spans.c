/*
 * drop_spans: a processor that removes the spans of one name.
 *
 * It runs on the receiving threads, many at a time, and has no state: its configuration is all it
 * needs. A request without such a span passes as it came.
 */
#include <stddef.h>

#include <holdfast/component.h>

#include "pdata/document.h"
#include "pdata/walk.h"

#define SPAN_NAME 5 /* the field of opentelemetry.proto.trace.v1.Span */

struct drop_config {
    const char *name;
};

struct drop_visitor {
    struct hf_visitor visitor;
    struct hf_slice name;
};

static enum hf_visit look_at(struct hf_visitor *visitor, const struct hf_place *place)
{
    const struct drop_visitor *drop = HF_CONTAINER(visitor, struct drop_visitor, visitor);
    bool is_it = hf_slice_equal(hf_message_bytes(place->item, SPAN_NAME), drop->name);
    return is_it ? HF_VISIT_DROP : HF_VISIT_KEEP;
}

static enum hf_status open_drop(struct hf_node *node, const void *config, void **ret_self,
                                char *reterr)
{
    (void)node;
    (void)reterr;
    *ret_self = (void *)config;
    return HF_OK;
}

static enum hf_status process(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    const struct drop_config *config = self;
    struct drop_visitor drop = {.visitor = {.item = look_at, .prune = true},
                                .name = hf_slice_text(config->name)};
    struct hf_document *document = hf_document_borrow(batch->signal, batch->raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    hf_walk(document, &drop.visitor);
    enum hf_status status = hf_document_batch(document, batch, ret_batch);
    hf_document_return(document);
    return status;
}

static const struct hf_field fields[] = {
    {.key = "name",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct drop_config, name),
     .required = true,
     .help = "Spans of this name are removed."},
    HF_FIELDS_END,
};

static const struct hf_processor_ops processor_ops = {
    .process = process,
};

const struct hf_component hf_processor_drop_spans = {
    .type = "drop_spans",
    .help = "Removes the spans of one name.",
    .kind = HF_PROCESSOR,
    .signals = HF_SIGNAL_BIT(HF_TRACES),
    .config_size = sizeof(struct drop_config),
    .fields = fields,
    .open = open_drop,
    .processor = &processor_ops,
};
