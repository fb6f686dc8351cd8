/*
 * parts: the items of one document as several requests, by a key of each item: a backend, a tenant,
 * a trace. Each part has the resources and scopes of its items, as they were, and nothing else.
 *
 *     struct hf_parts parts = {.limit = 1000};
 *     while (hf_place_next_item(&place)) {
 *         status = hf_parts_put(&parts, &place, key);
 *     }
 *     hf_parts_put_rest(&parts, document, 0);
 *     for (i < parts.count) hf_parts_batch(&parts, document, i, batch, &made);
 *     hf_parts_release(&parts);
 *
 * Items that were put nowhere are in no part. What has no item inside, such as a resource alone or
 * a metric of a kind that is not known, is in a part only by hf_parts_put_rest(). Owned by one
 * thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "document.h"
#include "walk.h"

struct hf_part {
    struct hf_slice key; /* lives as long as the document */
    uint32_t items;
};

struct hf_parts {
    uint32_t limit; /* of `count` */
    struct hf_part *items;
    size_t count, capacity;
    uint32_t *table; /* hash table of numbers of parts, plus 1 */
    size_t table_size;
};

/* Puts the item of `place` into the part of that key, which is made if need be. HF_FULL: that would
 * be one part more than the limit. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_parts_put(struct hf_parts *parts, const struct hf_place *place,
                                        struct hf_slice key);

/*
 * Puts what has no item into the part with that index: resources, scopes and metrics in which no
 * item was put into any part. To be called when all items are put. `index` must be below the count,
 * or the count 0, where nothing is put.
 */
void hf_parts_put_rest(const struct hf_parts *parts, struct hf_document *document, size_t index);

/* The index of the part of that key, which must be there. */
size_t hf_parts_find(const struct hf_parts *parts, struct hf_slice key);

/* The part's request, appended to `out`; or as a batch as by hf_document_batch(): `batch` itself
 * when that is the whole of it. `index` must be below the count. */
HF_MUST_USE enum hf_status hf_parts_write(const struct hf_parts *parts,
                                          struct hf_document *document, size_t index,
                                          struct hf_bytes *out);
/* The requests of all parts in one pass, whatever their number, into `outs`: as many as there are
 * parts, empty. In a message the fields besides items come first. On failure what they have counts
 * for nothing. */
HF_MUST_USE enum hf_status hf_parts_write_all(const struct hf_parts *parts,
                                              struct hf_document *document, struct hf_bytes *outs);
HF_MUST_USE enum hf_status hf_parts_batch(const struct hf_parts *parts,
                                          struct hf_document *document, size_t index,
                                          struct hf_batch *batch, struct hf_batch **ret_batch);

void hf_parts_release(struct hf_parts *parts);
