/* All parts of a document, written in one pass over its items. */
#include <assert.h>
#include <stdlib.h>

#include "document_internal.h"
#include "parts.h"

#define DEPTH_MAX 8u       /* messages around an item: the request, a resource, a scope, ... */
#define NO_PART UINT32_MAX /* what is around items, without any */

/* A message around the present item, and what it has besides items. */
struct around {
    struct hf_message *message;
    struct hf_bytes rest;
    bool has_rest;
};

/* The messages that a part's request has open. */
struct open_part {
    const struct hf_message *messages[DEPTH_MAX];
    struct hf_wire_message wires[DEPTH_MAX];
    uint32_t depth;
};

struct division {
    struct around around[DEPTH_MAX];
    struct open_part *parts;
    struct hf_bytes *outs;
    struct hf_wire_writer writer;
};

static struct hf_slice rest_of(struct division *division, struct around *around)
{
    if (!around->has_rest) {
        struct hf_wire_writer writer = {.out = &around->rest};
        uint32_t items = 0;
        around->rest.size = 0;
        hf_message_write(around->message, NO_PART, &writer, &items);
        division->writer.failed |= writer.failed;
        around->has_rest = true;
    }
    return hf_slice_of(around->rest.data, around->rest.size);
}

static void close_to(struct division *division, struct open_part *part, uint32_t depth)
{
    while (part->depth > depth) {
        part->depth--;
        if (part->depth != 0) { /* the request itself is no field */
            hf_wire_close(&division->writer, part->wires[part->depth]);
        }
    }
}

/* Opens what is around an item, where the last item of the part was not in the same. */
static void open_around(struct division *division, struct open_part *part, uint32_t depth,
                        size_t expected_size)
{
    uint32_t same = 0;
    while (same < depth && same < part->depth &&
           part->messages[same] == division->around[same].message) {
        same++;
    }
    close_to(division, part, same);
    for (uint32_t i = same; i < depth; i++) {
        struct around *around = &division->around[i];
        struct hf_slice rest = rest_of(division, around);
        if (i != 0) {
            part->wires[i] =
                hf_wire_open(&division->writer, around->message->number, rest.size + expected_size);
        }
        hf_wire_put_raw(&division->writer, rest);
        part->messages[i] = around->message;
        part->depth = i + 1;
    }
}

static void put(struct division *division, struct hf_message *child, uint32_t depth)
{
    struct hf_wire_writer *writer = &division->writer;
    writer->out = &division->outs[child->part - 1];
    open_around(division, &division->parts[child->part - 1], depth, child->raw.size);
    if (!child->dirty && child->whole.size != 0) {
        hf_wire_put_raw(writer, child->whole);
        return;
    }
    uint32_t items = 0;
    struct hf_wire_message inner = hf_wire_open(writer, child->number, child->raw.size);
    hf_message_write(child, 0, writer, &items);
    hf_wire_close(writer, inner);
}

/* As deep as the schema. */
static void walk(struct division *division, struct hf_message *message, uint32_t depth)
{
    assert(depth < DEPTH_MAX);
    division->around[depth].message = message;
    division->around[depth].has_rest = false;
    for (struct hf_slot *slot = message->slots; slot != NULL; slot = slot->next) {
        for (struct hf_message *child = slot->first; child != NULL; child = child->next) {
            if (child->removed) {
                continue;
            }
            if (child->part != 0) {
                put(division, child, depth + 1);
            } else if (child->type->holds_items) {
                walk(division, child, depth + 1);
            }
        }
    }
}

static enum hf_status write_parts(const struct hf_parts *parts, struct hf_document *document,
                                  struct division *division)
{
    hf_document_settle(document);
    enum hf_status status = hf_document_status(document);
    if (status != HF_OK) {
        return status;
    }
    walk(division, document->root, 0);
    for (size_t i = 0; i < parts->count; i++) {
        division->writer.out = &division->outs[i];
        close_to(division, &division->parts[i], 0);
        status = division->outs[i].size > INT32_MAX ? HF_TOO_LARGE : status;
    }
    document->failed |= division->writer.failed;
    return status == HF_OK ? hf_document_status(document) : status;
}

enum hf_status hf_parts_write_all(const struct hf_parts *parts, struct hf_document *document,
                                  struct hf_bytes *outs)
{
    struct division division = {.outs = outs};
    if (parts->count == 0) {
        return HF_OK;
    }
    division.parts = calloc(parts->count, sizeof(*division.parts));
    enum hf_status status =
        division.parts != NULL ? write_parts(parts, document, &division) : HF_NOMEM;
    for (size_t i = 0; i < DEPTH_MAX; i++) {
        hf_bytes_release(&division.around[i].rest);
    }
    free(division.parts);
    return status;
}
