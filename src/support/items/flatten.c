#include "flatten.h"

#include <stddef.h>

enum {
    GROUPS = 1,       /* of a request */
    OWNER = 1,        /* of those: the resource; of groups of scopes: the scope */
    SCOPE_GROUPS = 2, /* of those */
    ITEMS = 2,        /* of those */
    SCHEMA_URL = 3    /* of both groups */
};

/* A group behind the others of `parent`, with what `model` has beside its inside. NULL: no memory.
 */
static struct hf_message *like(struct hf_message *model, struct hf_message *parent, uint32_t number)
{
    struct hf_message *group = hf_message_append(parent, number);
    struct hf_message *owner = hf_message_one(model, OWNER);
    if (group == NULL || (owner != NULL && hf_message_copy(owner, group, OWNER) == NULL)) {
        return NULL;
    }
    if (hf_message_has(model, SCHEMA_URL)) {
        hf_message_set_bytes(group, SCHEMA_URL, hf_message_bytes(model, SCHEMA_URL));
    }
    return group;
}

static enum hf_status flatten_scope(struct hf_message *root, struct hf_message *group,
                                    struct hf_message *scope_group)
{
    struct hf_message *next = NULL;
    for (struct hf_message *record = hf_message_first(scope_group, ITEMS); record != NULL;
         record = next) {
        next = hf_message_next(record);
        struct hf_message *own = like(group, root, GROUPS);
        struct hf_message *own_scope = own != NULL ? like(scope_group, own, SCOPE_GROUPS) : NULL;
        if (own_scope == NULL || hf_message_move(record, own_scope, ITEMS) == NULL) {
            return HF_NOMEM;
        }
    }
    return HF_OK;
}

enum hf_status hf_flatten(struct hf_document *document)
{
    struct hf_message *root = hf_document_root(document);
    enum hf_status status = HF_OK;
    struct hf_message *group = hf_message_first(root, GROUPS);
    struct hf_message *last = NULL; /* of those that came */
    for (struct hf_message *at = group; at != NULL; at = hf_message_next(at)) {
        last = at;
    }
    while (group != NULL && status == HF_OK) {
        struct hf_message *next = group != last ? hf_message_next(group) : NULL;
        struct hf_message *scope_group = hf_message_first(group, SCOPE_GROUPS);
        for (; scope_group != NULL && status == HF_OK; scope_group = hf_message_next(scope_group)) {
            status = flatten_scope(root, group, scope_group);
        }
        hf_message_remove(group);
        group = next;
    }
    return status == HF_OK ? hf_document_status(document) : status;
}
