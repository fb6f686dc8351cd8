#include "lb_split.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "pdata/parts.h"
#include "pdata/walk.h"

/* Which share has an item, and the part of the document that it goes into. */
struct routing {
    struct lb_split *split;
    struct lb_backends *backends;
    struct hf_parts parts;
    uint16_t *share_of_endpoint; /* plus 1; 0: none yet */
};

/* Shares are made in the order in which they are met, as parts are: they have the same numbers. */
static enum hf_status put(struct routing *routing, const struct hf_place *place, uint32_t endpoint,
                          uint32_t item)
{
    struct lb_split *split = routing->split;
    struct lb_backend *backend = routing->backends->of_endpoint[endpoint];
    uint16_t *share = &routing->share_of_endpoint[endpoint];
    for (size_t i = 0; *share == 0 && i < split->share_count; i++) {
        *share = split->shares[i].backend == backend ? (uint16_t)(i + 1) : 0;
    }
    if (*share == 0) {
        split->shares[split->share_count] = (struct lb_share){.split = split, .backend = backend};
        *share = (uint16_t)++split->share_count;
    }
    split->share_of_item[item] = (uint16_t)(*share - 1);
    return hf_parts_put(&routing->parts, place, hf_slice_of(share, sizeof(*share)));
}

static enum hf_status route(struct routing *routing, struct lb_router *router,
                            struct hf_document *document)
{
    struct hf_place place = {.document = document};
    uint32_t items = routing->split->export->items;
    enum hf_status status = HF_OK;
    uint32_t item = 0;
    while (status == HF_OK && hf_place_next_item(&place)) {
        uint32_t endpoint;
        if (item == items) {
            return HF_CORRUPT;
        }
        status = lb_route_item(router, &place, &endpoint);
        if (status == HF_OK) {
            status = put(routing, &place, endpoint, item++);
        }
    }
    status = status == HF_OK ? hf_document_status(document) : status;
    return status == HF_OK && item != items ? HF_CORRUPT : status;
}

static enum hf_status write_shares(struct routing *routing, struct hf_document *document)
{
    struct lb_split *split = routing->split;
    size_t count = split->share_count;
    struct hf_bytes *written = calloc(count, sizeof(*written));
    assert(routing->parts.count == count);
    if (written == NULL) {
        return HF_NOMEM;
    }
    hf_parts_put_rest(&routing->parts, document, 0);
    enum hf_status status = hf_parts_write_all(&routing->parts, document, written);
    for (size_t i = 0; i < count; i++) {
        struct lb_share *share = &split->shares[i];
        share->bytes = written[i];
        share->body = (struct hf_export_body){
            .wire = hf_slice_of(share->bytes.data, share->bytes.size),
            .coding = HF_IDENTITY,
            .items = routing->parts.items[i].items,
            .raw_size = share->bytes.size,
            .received_ns = split->export->bodies[0].received_ns,
        };
    }
    free(written);
    return status;
}

static enum hf_status split_document(struct routing *routing, struct lb_router *router,
                                     struct hf_slice raw)
{
    enum hf_signal signal = routing->split->export->signal;
    struct hf_document *document = hf_document_borrow(signal, raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    lb_route_begin(router, signal);
    enum hf_status status = route(routing, router, document);
    if (status == HF_OK && routing->split->share_count > 1) {
        status = write_shares(routing, document);
    }
    hf_document_return(document);
    return status;
}

static enum hf_status fill(struct lb_split *split, struct lb_router *router,
                           struct lb_backends *backends, struct hf_payload *scratch)
{
    const struct hf_export *export = split->export;
    struct routing routing = {.split = split,
                              .backends = backends,
                              .parts = {.limit = LB_SHARES_MAX},
                              .share_of_endpoint =
                                  calloc(backends->endpoint_count, sizeof(uint16_t))};
    struct hf_slice raw;
    split->share_of_item = calloc(export->items + 1, sizeof(*split->share_of_item));
    split->shares = calloc(backends->endpoint_count, sizeof(*split->shares));
    enum hf_status status =
        routing.share_of_endpoint != NULL && split->share_of_item != NULL && split->shares != NULL
            ? hf_payload_read(scratch, export->bodies, export->body_count, &raw)
            : HF_NOMEM;
    if (status == HF_OK) {
        status = split_document(&routing, router, raw);
    }
    hf_parts_release(&routing.parts);
    free(routing.share_of_endpoint);
    return status == HF_INVALID ? HF_CORRUPT : status;
}

enum hf_status lb_split_new(struct hf_export *export, struct lb_router *router,
                            struct lb_backends *backends, struct hf_payload *scratch,
                            struct lb_split **ret_split)
{
    struct lb_split *split = calloc(1, sizeof(*split));
    if (split == NULL) {
        return HF_NOMEM;
    }
    split->export = export;
    enum hf_status status = fill(split, router, backends, scratch);
    if (status != HF_OK) {
        lb_split_free(split);
        return status;
    }
    split->open = split->share_count;
    *ret_split = split;
    return HF_OK;
}

void lb_split_free(struct lb_split *split)
{
    for (size_t i = 0; split->shares != NULL && i < split->share_count; i++) {
        hf_bytes_release(&split->shares[i].bytes);
    }
    free(split->shares);
    free(split->share_of_item);
    free(split);
}

/* Neighbouring items of shares that did not succeed, as one outcome each. */
static size_t list_items(const struct lb_split *split, struct hf_item_outcome *items)
{
    size_t count = 0;
    for (uint32_t i = 0; i < split->export->items; i++) {
        const struct lb_share *share = &split->shares[split->share_of_item[i]];
        if (share->outcome.status == HF_OK) {
            continue;
        }
        if (i != 0 && split->share_of_item[i] == split->share_of_item[i - 1]) {
            items[count - 1].count++;
            continue;
        }
        items[count++] = (struct hf_item_outcome){.first = i,
                                                  .count = 1,
                                                  .status = share->outcome.status,
                                                  .code = share->outcome.code,
                                                  .message = share->outcome.message,
                                                  .group = share->backend->number,
                                                  .is_suspect = share->outcome.is_suspect,
                                                  .retry_after_ns = share->outcome.retry_after_ns};
    }
    return count;
}

static bool any_is_closed(const struct lb_split *split)
{
    bool is_closed = false;
    for (size_t i = 0; i < split->share_count; i++) {
        is_closed = is_closed || split->shares[i].outcome.status == HF_CLOSED;
    }
    return is_closed;
}

/* Is there nothing else to do but to wait: no share was taken, and every backend fails? */
static bool all_fail(const struct lb_split *split, const struct lb_backends *backends)
{
    for (size_t i = 0; i < split->share_count; i++) {
        if (!lb_is_for_now(split->shares[i].outcome.status)) {
            return false;
        }
    }
    return backends->failing_count == backends->listed_count;
}

static void end_by_items(struct lb_split *split)
{
    struct hf_export *export = split->export;
    struct hf_outcome outcome = {.status = HF_OK};
    struct hf_item_outcome *items = calloc(export->items, sizeof(*items));
    if (items == NULL) {
        outcome = (struct hf_outcome){.status = HF_NOMEM, .message = "out of memory"};
    } else {
        for (size_t i = 0; i < split->share_count; i++) {
            const struct hf_outcome *one = &split->shares[i].outcome;
            outcome.rejected_items += one->status == HF_OK ? one->rejected_items : 0;
            outcome.message =
                one->status == HF_OK && one->rejected_items != 0 ? one->message : outcome.message;
        }
        outcome.items = items;
        outcome.item_count = list_items(split, items);
    }
    hf_export_done(export, &outcome);
    free(items);
}

void lb_split_end(struct lb_split *split, const struct lb_backends *backends)
{
    assert(split->open == 0 && split->share_count != 0);
    const struct hf_outcome *first = &split->shares[0].outcome;
    bool is_alone =
        split->share_count == 1 && (!lb_is_for_now(first->status) || backends->listed_count == 1);
    if (any_is_closed(split)) {
        hf_export_done(split->export, &(const struct hf_outcome){.status = HF_CLOSED});
    } else if (is_alone || all_fail(split, backends)) {
        hf_export_done(split->export, first);
    } else {
        end_by_items(split);
    }
    lb_split_free(split);
}
