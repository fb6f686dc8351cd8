/*
 * document_internal: how a document and its messages are held, for message*.c, document.c and
 * parts.c.
 *
 * A message is the bytes that came and, for each field that was looked at or changed, a slot. A
 * message is written by stepping through its bytes and asking the slots; without a slot a field is
 * copied. `dirty` says that a slot here or below holds a change: a message that is not dirty is
 * never stepped through again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attributes.h"
#include "document.h"
#include "message.h"
#include "schema.h"
#include "util/arena.h"

/* The list of attributes of one message. */
struct hf_document_list {
    struct hf_attributes attributes;
    struct hf_message *owner;
    struct hf_document_list *next; /* in the document */
};

enum hf_slot_kind {
    HF_SLOT_FIELDS = 1, /* `bytes` are whole fields that stand for those that came */
    HF_SLOT_VALUE,      /* `bytes` are the content of an AnyValue that does */
    HF_SLOT_CHILDREN,
    HF_SLOT_LIST
};

struct hf_slot {
    struct hf_slot *next;
    enum hf_slot_kind kind;
    uint32_t number;
    bool written; /* while the message is written */
    struct hf_slice bytes;
    struct hf_message *first, *last; /* those that came, then those that were added */
    struct hf_message *cursor;       /* while the message is written: the next one that came */
    /* Of a field that is not repeated: where its first piece stands that counts, for those before
     * were undone by another member of its oneof. */
    const uint8_t *start;
    struct hf_document_list *list;
};

/* Where the last field of each number starts in the bytes, plus 1; 0: not there. */
struct hf_message_index {
    uint32_t last[HF_SCHEMA_NUMBER_MAX + 1];
    uint32_t repeated; /* numbers that are there more than once, a bit each */
};

struct hf_message {
    struct hf_document *document;
    struct hf_message *parent, *next;
    const struct hf_schema_message *type;
    struct hf_slice raw;   /* the content that came */
    struct hf_slice whole; /* the field that came, tag and all; empty when that cannot be copied */
    struct hf_slot *slots;
    struct hf_message_index *index; /* NULL: not made yet */
    uint32_t slotted;               /* numbers that have a slot, a bit each */
    uint32_t part;                  /* 0 or the number of the part that it is in, plus 1 */
    uint8_t number;                 /* its field in the parent */
    uint8_t lookups;                /* attributes that were looked up without a list */
    bool dirty, removed;
    bool has_put; /* an item inside is in a part */
    bool added;   /* it did not come in this parent's bytes */
};

struct hf_document {
    struct hf_arena arena;
    enum hf_signal signal;
    bool failed, malformed;
    struct hf_message *root;
    struct hf_document_list *lists;
    struct hf_profile_tables *tables; /* profile_tables.h; NULL: not asked for yet */
    struct hf_bytes out;              /* what is written for a batch; kept for the next one */
};

static inline const struct hf_schema_field *hf_message_field(const struct hf_message *message,
                                                             uint32_t number)
{
    return &message->type->fields[number];
}

static inline bool hf_field_is_value(const struct hf_schema_field *field)
{
    return field->type == HF_SCHEMA_MESSAGE && field->message->index == HF_MESSAGE_ANY_VALUE &&
           !field->repeated;
}

static inline bool hf_field_is_attributes(const struct hf_schema_field *field)
{
    return field->type == HF_SCHEMA_MESSAGE && field->message->index == HF_MESSAGE_KEY_VALUE;
}

/* What is not an attribute or a value is a child. */
static inline bool hf_field_is_child(const struct hf_schema_field *field)
{
    return field->type == HF_SCHEMA_MESSAGE && field->message->index != HF_MESSAGE_KEY_VALUE &&
           field->message->index != HF_MESSAGE_ANY_VALUE;
}

static inline struct hf_slot *hf_message_slot(const struct hf_message *message, uint32_t number)
{
    struct hf_slot *slot = (message->slotted >> number & 1) != 0 ? message->slots : NULL;
    while (slot != NULL && slot->number != number) {
        slot = slot->next;
    }
    return slot;
}

/* Memory of the document. NULL: there is none, which is noted. */
void *hf_document_take(struct hf_document *document, size_t size);
struct hf_slot *hf_message_add_slot(struct hf_message *message, uint32_t number,
                                    enum hf_slot_kind kind);
/* The last field of that number, as it came or was set. */
HF_MUST_USE bool hf_message_find(struct hf_message *message, uint32_t number,
                                 struct hf_wire_field *ret_field);
/* The fields among which those of that number are. */
struct hf_slice hf_message_fields(const struct hf_message *message, uint32_t number);

/* A message without content. NULL: out of memory, which the document notes. */
struct hf_message *hf_message_new(struct hf_document *document, struct hf_message *parent,
                                  const struct hf_schema_message *type, uint32_t number);
void hf_message_touch(struct hf_message *message);
/* The slot of the message's children of that field, made when it is not there. NULL likewise. */
struct hf_slot *hf_message_children(struct hf_message *message, uint32_t number);
/* Makes room for another message in a field that is not repeated, and in its oneof. */
void hf_message_vacate(struct hf_message *message, uint32_t number);
/* Puts `child` behind them. */
void hf_message_adopt(struct hf_message *parent, struct hf_slot *slot, struct hf_message *child);

/* Lists that were changed make their owners dirty. */
void hf_document_settle(struct hf_document *document);

/* A batch of what was written to `out`. */
HF_MUST_USE enum hf_status hf_document_make_batch(struct hf_document *document, uint32_t items,
                                                  const struct hf_batch *batch,
                                                  struct hf_batch **ret_batch);

/*
 * Writes the content of a message. With `part` (its number plus 1) only what is in that part and
 * what is around it; `ret_count` is increased by the messages that are in it.
 */
void hf_message_write(struct hf_message *message, uint32_t part, struct hf_wire_writer *writer,
                      uint32_t *ret_count);
