#include "tapped_export.h"

#include <string.h>

#include "node/taps.h"

/* The record that lends the bytes of a body; NULL: they are the request's own. */
static const struct wal_record *lender_of(const struct export_request *request,
                                          const struct hf_export_body *body)
{
    for (size_t i = 0; i < request->count; i++) {
        const struct wal_record *record = &request->ranges[i].record->stored;
        if (record->body.data == body->wire.data && record->owner != NULL) {
            return record;
        }
    }
    return NULL;
}

/* A part of a record is copied: the request frees it. NULL: out of memory. */
static struct hf_batch *batch_of(const struct export_request *request,
                                 const struct hf_export_body *body)
{
    const struct hf_export *export = &request->export;
    const struct wal_record *lender = lender_of(request, body);
    struct hf_batch *batch = NULL;
    if (lender != NULL) {
        batch =
            hf_batch_wrap(export->signal, body->coding, body->wire, lender->owner, export->meta);
    } else if ((batch = hf_batch_new(export->signal, body->wire.size, export->meta)) != NULL) {
        memcpy(hf_batch_room(batch), body->wire.data, body->wire.size);
        hf_batch_seal(batch, body->wire.size, body->items);
        batch->coding = body->coding;
    }
    if (batch != NULL) {
        batch->items = body->items;
        batch->received_ns = body->received_ns;
    }
    return batch;
}

void hf_tapped_export(const struct hf_node *node, const struct export_request *request)
{
    if (!hf_taps_want(node->host, node, request->export.signal)) {
        return;
    }
    for (size_t i = 0; i < request->export.body_count; i++) {
        struct hf_batch *batch = batch_of(request, &request->export.bodies[i]);
        if (batch != NULL) {
            hf_taps_offer(node->host, node, batch);
            hf_ref_drop(&batch->ref);
        }
    }
}
