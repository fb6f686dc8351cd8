#include "document.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "document_internal.h"

/* Memory beyond these is given back after the request that needed it. */
#define ARENA_KEPT_BYTES (4u << 20)
#define OUT_KEPT_BYTES (4u << 20)

/* ---- one spare document a thread ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t spare_key;
static bool has_key;

static void free_document(void *spare)
{
    struct hf_document *document = spare;
    hf_arena_release(&document->arena);
    hf_bytes_release(&document->out);
    free(document);
}

static void make_key(void)
{
    has_key = pthread_key_create(&spare_key, free_document) == 0;
}

static struct hf_document *take_spare(void)
{
    pthread_once(&once, make_key);
    struct hf_document *document = has_key ? pthread_getspecific(spare_key) : NULL;
    if (document != NULL) {
        pthread_setspecific(spare_key, NULL);
        return document;
    }
    document = calloc(1, sizeof(*document));
    if (document != NULL) {
        document->arena.limit = HF_DOCUMENT_LIMIT_BYTES;
    }
    return document;
}

struct hf_document *hf_document_borrow(enum hf_signal signal, struct hf_slice raw)
{
    assert(signal < HF_SIGNAL_COUNT && raw.size <= INT32_MAX);
    struct hf_document *document = take_spare();
    if (document == NULL) {
        return NULL;
    }
    document->signal = signal;
    document->failed = false;
    document->malformed = false;
    document->lists = NULL;
    document->tables = NULL;
    document->root = hf_message_new(document, NULL, hf_schema_request(signal), 0);
    if (document->root == NULL) {
        free_document(document);
        return NULL;
    }
    document->root->raw = raw;
    return document;
}

void hf_document_return(struct hf_document *document)
{
    if (document == NULL) {
        return;
    }
    if (!has_key || pthread_getspecific(spare_key) != NULL) {
        free_document(document);
        return;
    }
    hf_arena_rewind(&document->arena, ARENA_KEPT_BYTES);
    if (document->out.capacity > OUT_KEPT_BYTES) {
        hf_bytes_release(&document->out);
    }
    if (pthread_setspecific(spare_key, document) != 0) {
        free_document(document);
    }
}

/* ---- what is in it ---- */

enum hf_signal hf_document_signal(const struct hf_document *document)
{
    return document->signal;
}

struct hf_message *hf_document_root(struct hf_document *document)
{
    return document->root;
}

struct hf_arena *hf_document_arena(struct hf_document *document)
{
    return &document->arena;
}

enum hf_status hf_document_status(const struct hf_document *document)
{
    return document->malformed ? HF_INVALID : document->failed ? HF_NOMEM : HF_OK;
}

bool hf_document_is_changed(struct hf_document *document)
{
    hf_document_settle(document);
    return document->root->dirty;
}

/* Items in bytes of which no message was made. */
static uint32_t count_in_bytes(struct hf_slice raw, const struct hf_schema_message *type)
{
    struct hf_wire wire = hf_wire_of(raw);
    struct hf_wire_field field;
    uint32_t count = 0;
    while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        const struct hf_schema_message *inner =
            field.number <= HF_SCHEMA_NUMBER_MAX ? type->fields[field.number].message : NULL;
        if (inner != NULL && field.wire == HF_WIRE_BYTES) {
            count += inner->is_item       ? 1
                     : inner->holds_items ? count_in_bytes(field.bytes, inner)
                                          : 0;
        }
    }
    return count;
}

static uint32_t count_in(struct hf_message *message)
{
    uint32_t count = 0;
    if (message->type->is_item) {
        return 1;
    }
    if (!message->type->holds_items) {
        return 0;
    }
    if (message->slots == NULL) {
        return count_in_bytes(message->raw, message->type);
    }
    for (uint32_t number = 1; number <= HF_SCHEMA_NUMBER_MAX; number++) {
        const struct hf_schema_message *inner = hf_message_field(message, number)->message;
        if (inner == NULL || !(inner->holds_items || inner->is_item)) {
            continue;
        }
        struct hf_message *child = hf_message_first(message, number);
        for (; child != NULL; child = hf_message_next(child)) {
            count += count_in(child);
        }
    }
    return count;
}

uint32_t hf_document_items(struct hf_document *document)
{
    return count_in(document->root);
}

/* Removes what is empty below the message; false: nothing is left in itself. */
static bool prune(struct hf_message *message)
{
    bool is_full = false;
    bool was_seen = false;
    for (struct hf_slot *slot = message->slots; slot != NULL; slot = slot->next) {
        const struct hf_schema_message *inner = hf_message_field(message, slot->number)->message;
        if (inner == NULL || !(inner->holds_items || inner->is_item)) {
            continue;
        }
        was_seen = true;
        struct hf_message *child = hf_message_first(message, slot->number);
        for (; child != NULL; child = hf_message_next(child)) {
            if (inner->is_item || prune(child)) {
                is_full = true;
            } else {
                hf_message_remove(child);
            }
        }
    }
    return is_full || !was_seen;
}

void hf_document_prune(struct hf_document *document)
{
    prune(document->root);
}

/* ---- what comes out ---- */

enum hf_status hf_document_write(struct hf_document *document, struct hf_bytes *out)
{
    size_t before = out->size;
    struct hf_wire_writer writer = {.out = out};
    size_t expected = document->root->raw.size;
    uint32_t items = 0;
    hf_document_settle(document);
    enum hf_status status = hf_document_status(document);
    if (status == HF_OK) {
        /* An eighth more is room for what most changes add; beyond that it grows. */
        status = hf_bytes_reserve(out, before + expected + expected / 8);
    }
    if (status == HF_OK) {
        hf_message_write(document->root, 0, &writer, &items);
        document->failed |= writer.failed;
        status = hf_document_status(document);
    }
    if (status == HF_OK && out->size - before > INT32_MAX) {
        status = HF_TOO_LARGE;
    }
    if (status != HF_OK) {
        out->size = before;
    }
    return status;
}

enum hf_status hf_document_make_batch(struct hf_document *document, uint32_t items,
                                      const struct hf_batch *batch, struct hf_batch **ret_batch)
{
    struct hf_batch *made = hf_batch_new(document->signal, document->out.size, batch->meta);
    if (made == NULL) {
        return HF_NOMEM;
    }
    if (document->out.size > 0) {
        memcpy(hf_batch_room(made), document->out.data, document->out.size);
    }
    hf_batch_seal(made, document->out.size, items);
    made->received_ns = batch->received_ns;
    *ret_batch = made;
    return HF_OK;
}

enum hf_status hf_document_batch(struct hf_document *document, struct hf_batch *batch,
                                 struct hf_batch **ret_batch)
{
    bool is_changed = hf_document_is_changed(document);
    enum hf_status status = hf_document_status(document);
    if (status != HF_OK) {
        return status;
    }
    if (!is_changed && document->root->raw.data == batch->raw.data) {
        hf_ref_take(&batch->ref);
        *ret_batch = batch;
        return HF_OK;
    }
    uint32_t items = hf_document_items(document);
    if (items == 0) {
        *ret_batch = NULL;
        return HF_OK;
    }
    document->out.size = 0;
    status = hf_document_write(document, &document->out);
    return status == HF_OK ? hf_document_make_batch(document, items, batch, ret_batch) : status;
}
