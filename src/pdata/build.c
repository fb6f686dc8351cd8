#include "build.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "build_internal.h"
#include "repair.h"
#include "utf8.h"
#include "util/time/clock.h"

enum {
    REQUEST_RESOURCE = 1, /* in Export...ServiceRequest */
    RESOURCE_ITSELF = 1,  /* in Resource{Spans,Metrics,Logs} */
    RESOURCE_SCOPE = 2,
    RESOURCE_SCHEMA_URL = 3,
    RESOURCE_ATTRIBUTES = 1, /* in Resource */
    SCOPE_ITSELF = 1,        /* in Scope{Spans,Metrics,Logs} */
    SCOPE_NAME = 1,          /* in InstrumentationScope */
    SCOPE_VERSION = 2,
    SCOPE_ATTRIBUTES = 3,
};

#define HEAD_SIZE_EXPECTED 300u
#define PART_SIZE_EXPECTED 100u

/* A complete request: a batch that owns its bytes. */
struct hf_built {
    struct hf_batch batch;
    uint8_t *data;
    struct hf_built *next;
};

void hf_builder_init(struct hf_builder *builder, enum hf_signal signal, size_t limit_bytes)
{
    assert(limit_bytes > 0);
    *builder = (struct hf_builder){.signal = signal, .limit_bytes = limit_bytes};
    builder->writer.out = &builder->bytes;
}

void hf_builder_release(struct hf_builder *builder)
{
    struct hf_batch *batch = hf_build_take(builder);
    while (batch != NULL) {
        hf_ref_drop(&batch->ref);
        batch = hf_build_take(builder);
    }
    hf_bytes_release(&builder->bytes);
    hf_bytes_release(&builder->repaired_key);
    hf_bytes_release(&builder->repaired_text);
}

/* ---- batches ---- */

static void free_built(struct hf_ref *ref)
{
    struct hf_built *built = HF_CONTAINER(ref, struct hf_built, batch.ref);
    free(built->data);
    free(built);
}

/* Takes over `bytes`, also on failure. */
static void set_aside(struct hf_builder *builder, struct hf_bytes *bytes, uint32_t items)
{
    struct hf_built *built = malloc(sizeof(*built));
    if (built == NULL) {
        builder->writer.failed = true;
        hf_bytes_release(bytes);
        return;
    }
    *built = (struct hf_built){.data = bytes->data};
    built->batch = (struct hf_batch){.signal = builder->signal,
                                     .items = items,
                                     .received_ns = hf_clock_unix_ns(),
                                     .wire = hf_slice_of(bytes->data, bytes->size),
                                     .raw = hf_slice_of(bytes->data, bytes->size)};
    hf_ref_init(&built->batch.ref, free_built);
    if (builder->ready == NULL) {
        builder->ready = built;
    } else {
        builder->ready_last->next = built;
    }
    builder->ready_last = built;
    builder->last_size = bytes->size;
    *bytes = (struct hf_bytes){0};
}

struct hf_batch *hf_build_take(struct hf_builder *builder)
{
    struct hf_built *built = builder->ready;
    if (built == NULL) {
        return NULL;
    }
    builder->ready = built->next;
    return &built->batch;
}

const struct hf_batch *hf_build_next(const struct hf_builder *builder, const struct hf_batch *batch)
{
    const struct hf_built *next =
        batch != NULL ? HF_CONTAINER(batch, struct hf_built, batch)->next : builder->ready;
    return next != NULL ? &next->batch : NULL;
}

void hf_build_add(struct hf_builder *builder, struct hf_bytes *request, uint32_t items)
{
    assert(builder->level == HF_BUILD_NONE && "requests stay in their order");
    set_aside(builder, request, items);
}

/* ---- what holds items ---- */

/* Closes a holder in the bytes of `writer`, or removes it when it has no item. */
static void close_holder(struct hf_wire_writer *writer, const struct hf_build_holder *holder,
                         uint32_t items)
{
    if (writer->failed) {
        return;
    }
    if (items == holder->item_count) {
        writer->out->size = holder->tag_at;
        return;
    }
    hf_wire_close(writer, holder->message);
}

/* The head of the innermost holder is complete, if it was not before. */
static void end_head(struct hf_builder *builder)
{
    struct hf_build_holder *holder = &builder->holders[builder->level];
    if (builder->in_head) {
        hf_wire_close(&builder->writer, builder->head);
        builder->in_head = false;
        builder->attributes_field = 0;
    }
    if (holder->head_end == 0) {
        holder->head_end = builder->bytes.size;
    }
}

/* Closes the holders of that level and below. */
static void close_to(struct hf_builder *builder, enum hf_build_level level)
{
    assert(!builder->in_item && "every item is ended");
    if (builder->level != HF_BUILD_NONE && builder->level >= level) {
        end_head(builder);
    }
    while (builder->level != HF_BUILD_NONE && builder->level >= level) {
        close_holder(&builder->writer, &builder->holders[builder->level], builder->items);
        builder->level--;
    }
}

static void open_holder(struct hf_builder *builder, enum hf_build_level level, uint32_t number)
{
    struct hf_build_holder *holder = &builder->holders[level];
    *holder = (struct hf_build_holder){
        .number = number, .tag_at = builder->bytes.size, .item_count = builder->items};
    holder->message = hf_wire_open(&builder->writer, number, builder->limit_bytes);
    builder->level = level;
}

void hf_build_open_holder(struct hf_builder *builder, enum hf_build_level level, uint32_t number)
{
    close_to(builder, level);
    assert(builder->level == level - 1 && "what it stands in is open");
    if (builder->level != HF_BUILD_NONE) {
        end_head(builder);
    } else if (builder->bytes.size == 0 && builder->last_size != 0 &&
               hf_bytes_reserve(&builder->bytes, builder->last_size) != HF_OK) {
        builder->writer.failed = true;
    }
    open_holder(builder, level, number);
}

static void open_head(struct hf_builder *builder, uint32_t number, uint32_t attributes_field)
{
    builder->head = hf_wire_open(&builder->writer, number, HEAD_SIZE_EXPECTED);
    builder->in_head = true;
    builder->attributes_field = attributes_field;
}

void hf_build_resource(struct hf_builder *builder, struct hf_slice schema_url)
{
    hf_build_open_holder(builder, HF_BUILD_RESOURCE, REQUEST_RESOURCE);
    hf_build_put_text(builder, RESOURCE_SCHEMA_URL, schema_url);
    open_head(builder, RESOURCE_ITSELF, RESOURCE_ATTRIBUTES);
}

void hf_build_scope(struct hf_builder *builder, struct hf_slice name, struct hf_slice version)
{
    hf_build_open_holder(builder, HF_BUILD_SCOPE, RESOURCE_SCOPE);
    open_head(builder, SCOPE_ITSELF, SCOPE_ATTRIBUTES);
    hf_build_put_text(builder, SCOPE_NAME, name);
    hf_build_put_text(builder, SCOPE_VERSION, version);
}

/*
 * Sets aside what stands before the item that was just ended, and begins a request with the same
 * holders and that item.
 */
static void cut_before_item(struct hf_builder *builder)
{
    struct hf_bytes full = builder->bytes;
    struct hf_wire_writer writer = {.out = &full};
    struct hf_build_holder holders[HF_BUILD_LEVEL_COUNT];
    uint32_t items = builder->items - 1;
    enum hf_build_level level = builder->level;
    memcpy(holders, builder->holders, sizeof(holders));

    builder->bytes = (struct hf_bytes){0};
    builder->items = 0;
    if (hf_bytes_reserve(&builder->bytes, full.size) != HF_OK) {
        builder->writer.failed = true;
    }
    for (unsigned i = HF_BUILD_RESOURCE; i <= level; i++) {
        size_t start = holders[i].message.start;
        open_holder(builder, (enum hf_build_level)i, holders[i].number);
        hf_wire_put_raw(&builder->writer,
                        hf_slice_of(full.data + start, holders[i].head_end - start));
        builder->holders[i].head_end = builder->bytes.size;
    }
    hf_wire_put_raw(&builder->writer,
                    hf_slice_of(full.data + builder->item_at, full.size - builder->item_at));
    builder->items = 1;

    full.size = builder->item_at;
    for (unsigned i = level; i != HF_BUILD_NONE; i--) {
        close_holder(&writer, &holders[i], items);
    }
    set_aside(builder, &full, items);
}

enum hf_status hf_build_finish(struct hf_builder *builder)
{
    close_to(builder, HF_BUILD_RESOURCE);
    enum hf_status status = hf_wire_status(&builder->writer);
    if (status == HF_OK && builder->items != 0) {
        set_aside(builder, &builder->bytes, builder->items);
        status = hf_wire_status(&builder->writer);
    }
    builder->bytes.size = 0;
    builder->items = 0;
    builder->writer.failed = false;
    return status;
}

/* ---- items ---- */

void hf_build_open_item(struct hf_builder *builder, enum hf_build_level level, uint32_t number,
                        size_t expected_size, uint32_t attributes_field)
{
    assert(!builder->in_item && "the item before is ended");
    assert(builder->level >= level && "what it stands in is open");
    close_to(builder, level + 1);
    end_head(builder);
    builder->item_at = builder->bytes.size;
    builder->item = hf_wire_open(&builder->writer, number, expected_size);
    builder->in_item = true;
    builder->attributes_field = attributes_field;
    builder->item_attributes_field = attributes_field;
}

void hf_build_open_part(struct hf_builder *builder, uint32_t number, uint32_t attributes_field)
{
    assert(builder->in_item && !builder->in_part);
    builder->part = hf_wire_open(&builder->writer, number, PART_SIZE_EXPECTED);
    builder->in_part = true;
    builder->attributes_field = attributes_field;
}

void hf_build_end(struct hf_builder *builder)
{
    assert(builder->in_item);
    if (builder->in_part) {
        hf_wire_close(&builder->writer, builder->part);
        builder->in_part = false;
        builder->attributes_field = builder->item_attributes_field;
        return;
    }
    hf_wire_close(&builder->writer, builder->item);
    builder->in_item = false;
    builder->attributes_field = 0;
    builder->items++;
    if (builder->bytes.size > builder->limit_bytes && builder->items > 1 &&
        !builder->writer.failed) {
        cut_before_item(builder);
    }
}

/* ---- fields ---- */

struct hf_slice hf_build_good_text(struct hf_builder *builder, struct hf_slice text,
                                   struct hf_bytes *scratch)
{
    if (hf_utf8_is_ascii(text) || hf_utf8_is_valid(text)) {
        return text;
    }
    scratch->size = 0;
    if (hf_repair_text(text, scratch) != HF_OK) {
        builder->writer.failed = true;
        return HF_EMPTY_SLICE;
    }
    return hf_slice_of(scratch->data, scratch->size);
}

void hf_build_put_text(struct hf_builder *builder, uint32_t number, struct hf_slice text)
{
    if (text.size != 0) {
        hf_wire_put_bytes(&builder->writer, number,
                          hf_build_good_text(builder, text, &builder->repaired_text));
    }
}

void hf_build_put_bytes(struct hf_builder *builder, uint32_t number, struct hf_slice bytes)
{
    if (bytes.size != 0) {
        hf_wire_put_bytes(&builder->writer, number, bytes);
    }
}

void hf_build_put_number(struct hf_builder *builder, uint32_t number, uint64_t value)
{
    if (value != 0) {
        hf_wire_put_varint(&builder->writer, number, value);
    }
}

void hf_build_put_time(struct hf_builder *builder, uint32_t number, uint64_t time_ns)
{
    if (time_ns != 0) {
        hf_wire_put_fixed64(&builder->writer, number, time_ns);
    }
}

void hf_build_put_flags(struct hf_builder *builder, uint32_t number, uint32_t flags)
{
    if (flags != 0) {
        hf_wire_put_fixed32(&builder->writer, number, flags);
    }
}

void hf_build_put_double(struct hf_builder *builder, uint32_t number, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    hf_wire_put_fixed64(&builder->writer, number, bits);
}
