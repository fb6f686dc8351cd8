/*
 * group_table: messages of one document by a key of bytes. Owned by one thread: zeroed at first,
 * hf_group_table_release() at last.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>

#include "pdata/message.h"

struct hf_group_entry {
    uint64_t hash;
    struct hf_slice key; /* the document's */
    struct hf_message *message;
};

struct hf_group_table {
    struct hf_group_entry *entries; /* `size` of them, a power of two; free ones have no message */
    size_t size, count;
};

/*
 * The place of the message with that key: `*place` is NULL when there is none yet, and the caller
 * sets it then, before the next call. The key is copied into the document. NULL: out of memory.
 */
struct hf_message **hf_group_table_at(struct hf_group_table *table, struct hf_document *document,
                                      struct hf_slice key);
void hf_group_table_release(struct hf_group_table *table);
