#include "shards.h"

#include <stdlib.h>

#include "pdata/document.h"
#include "pdata/parts.h"
#include "storage/storage.h"
#include "util/hash.h"

#define SPAN_TRACE_ID 1u
#define LOG_TRACE_ID 9u

struct hf_shards *hf_shards_new(struct hf_pipeline *first, enum hf_shard_by by)
{
    struct hf_shards *shards = calloc(1, sizeof(*shards));
    if (shards != NULL) {
        shards->by = by;
        shards->count = 1;
        shards->queues[0] = first;
        atomic_init(&shards->next, 0);
    }
    return shards;
}

size_t hf_shards_count_further(struct hf_storage *store, const struct hf_config_pipeline *from)
{
    size_t count = from->shard_count - 1;
    char id[HF_SHARD_ID_BYTES_MAX];
    for (unsigned number = from->shard_count; number < HF_SHARDS_MAX; number++) {
        if (hf_shard_id(from->id, number, id, sizeof(id)) && hf_storage_has_queue(store, id)) {
            count++;
        }
    }
    return count;
}

static void add_part(const struct hf_shards *shards, size_t number, struct hf_batch *batch,
                     struct hf_shard_parts *parts)
{
    parts->items[parts->count++] = (struct hf_shard_part){shards->queues[number], batch};
}

/* ---- by a key ---- */

/* A request being divided. Items are put by the number of their shard, whose byte lives here. */
struct division {
    const struct hf_shards *shards;
    struct hf_parts parts;
    uint8_t numbers[HF_SHARDS_MAX];
    const struct hf_message *resource_group; /* the last one, and its shard */
    size_t of_resource;
};

static size_t choose(const struct hf_shards *shards, struct hf_slice key)
{
    return (size_t)(hf_hash_64(key) % shards->count);
}

static size_t choose_by_resource(struct division *division, const struct hf_place *place)
{
    if (place->resource_group != division->resource_group) {
        struct hf_message *resource = hf_place_resource(place);
        division->resource_group = place->resource_group;
        division->of_resource = choose(
            division->shards, resource != NULL ? hf_message_content(resource) : HF_EMPTY_SLICE);
    }
    return division->of_resource;
}

static size_t choose_for(struct division *division, const struct hf_place *place,
                         enum hf_signal signal)
{
    if (division->shards->by == HF_SHARD_RESOURCE) {
        return choose_by_resource(division, place);
    }
    uint32_t number = signal == HF_TRACES ? SPAN_TRACE_ID : LOG_TRACE_ID;
    return choose(division->shards, hf_message_bytes(place->item, number));
}

static enum hf_status put_items(struct division *division, struct hf_document *document,
                                enum hf_signal signal)
{
    struct hf_place place = {.document = document};
    enum hf_status status = HF_OK;
    while (status == HF_OK && hf_place_next_item(&place)) {
        size_t number = choose_for(division, &place, signal);
        division->numbers[number] = (uint8_t)number;
        status = hf_parts_put(&division->parts, &place, hf_slice_of(&division->numbers[number], 1));
    }
    hf_parts_put_rest(&division->parts, document, 0);
    return status == HF_OK ? hf_document_status(document) : status;
}

static enum hf_status divide_by_key(struct division *division, struct hf_batch *batch,
                                    struct hf_shard_parts *ret_parts)
{
    struct hf_document *document = hf_document_borrow(batch->signal, batch->raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    const struct hf_parts *parts = &division->parts;
    enum hf_status status = put_items(division, document, batch->signal);
    uint32_t items = 0;
    for (size_t i = 0; i < parts->count; i++) {
        items += parts->items[i].items;
    }
    if (status == HF_OK && items != batch->items) { /* some have no place in a document */
        hf_ref_take(&batch->ref);
        add_part(division->shards, 0, batch, ret_parts);
    }
    for (size_t i = 0; i < parts->count && status == HF_OK && items == batch->items; i++) {
        struct hf_batch *part = NULL;
        status = hf_parts_batch(parts, document, i, batch, &part);
        if (status == HF_OK) {
            add_part(division->shards, parts->items[i].key.data[0], part, ret_parts);
        }
    }
    hf_document_return(document);
    return status;
}

enum hf_status hf_shards_divide(struct hf_shards *shards, struct hf_batch *batch,
                                struct hf_shard_parts *ret_parts)
{
    ret_parts->count = 0;
    if (shards->by == HF_SHARD_ROUND_ROBIN) {
        size_t number =
            atomic_fetch_add_explicit(&shards->next, 1, memory_order_relaxed) % shards->count;
        hf_ref_take(&batch->ref);
        add_part(shards, number, batch, ret_parts);
        return HF_OK;
    }
    struct division division = {.shards = shards, .parts = {.limit = HF_SHARDS_MAX}};
    enum hf_status status = divide_by_key(&division, batch, ret_parts);
    hf_parts_release(&division.parts);
    return status;
}

void hf_shard_parts_release(struct hf_shard_parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        hf_ref_drop(&parts->items[i].batch->ref);
    }
    parts->count = 0;
}
