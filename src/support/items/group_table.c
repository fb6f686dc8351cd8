#include "group_table.h"

#include <stdlib.h>

#include "pdata/document.h"
#include "util/fnv.h"

#define SIZE_LEAST 64u

/* FNV-1a: a sender who makes keys collide slows its own request. */
/* Where the key is, or would be. */
static struct hf_group_entry *slot_of(struct hf_group_entry *entries, size_t size, uint64_t hash,
                                      struct hf_slice key)
{
    size_t at = (size_t)hash & (size - 1);
    while (entries[at].message != NULL &&
           !(entries[at].hash == hash && hf_slice_equal(entries[at].key, key))) {
        at = (at + 1) & (size - 1);
    }
    return &entries[at];
}

/* Half of the table is empty at least. */
static bool grow(struct hf_group_table *table)
{
    size_t size = table->size == 0 ? SIZE_LEAST : table->size * 2;
    struct hf_group_entry *entries = calloc(size, sizeof(*entries));
    if (entries == NULL) {
        return false;
    }
    for (size_t i = 0; i < table->size; i++) {
        const struct hf_group_entry *entry = &table->entries[i];
        if (entry->message != NULL) {
            *slot_of(entries, size, entry->hash, entry->key) = *entry;
        }
    }
    free(table->entries);
    table->entries = entries;
    table->size = size;
    return true;
}

struct hf_message **hf_group_table_at(struct hf_group_table *table, struct hf_document *document,
                                      struct hf_slice key)
{
    uint64_t hash = hf_fnv_folded(key);
    if (table->size < 2 * (table->count + 1) && !grow(table)) {
        return NULL;
    }
    struct hf_group_entry *entry = slot_of(table->entries, table->size, hash, key);
    if (entry->message == NULL) {
        struct hf_slice kept = hf_document_keep(document, key);
        if (kept.data == NULL && key.size > 0) {
            return NULL;
        }
        *entry = (struct hf_group_entry){.hash = hash, .key = kept};
        table->count++;
    }
    return &entry->message;
}

void hf_group_table_release(struct hf_group_table *table)
{
    free(table->entries);
    *table = (struct hf_group_table){.size = 0};
}
