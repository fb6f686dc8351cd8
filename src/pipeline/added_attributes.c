#include "added_attributes.h"

#include <holdfast/component.h>

#include "pdata/edit.h"

struct adding {
    struct hf_editor editor;
    const struct hf_node *node;
};

static void add_attributes(struct hf_editor *editor, struct hf_attributes *attributes)
{
    const struct hf_node *node = HF_CONTAINER(editor, struct adding, editor)->node;
    for (size_t i = 0; i < node->added_count; i++) {
        struct hf_slice key = hf_slice_text(node->added[i].key);
        if (hf_attributes_find(attributes, key) == NULL) {
            hf_attributes_set(
                attributes, key,
                hf_attributes_string(attributes, hf_slice_text(node->added[i].value)));
        }
    }
}

enum hf_status hf_added_attributes(const struct hf_node *node, struct hf_batch *batch,
                                   struct hf_batch **ret_batch)
{
    struct adding adding = {.editor = {.of_resources = true, .change = add_attributes},
                            .node = node};
    if (node->added_count != 0 && batch->items != 0) {
        return hf_edit_batch(&adding.editor, batch, ret_batch);
    }
    hf_ref_take(&batch->ref);
    *ret_batch = batch;
    return HF_OK;
}
