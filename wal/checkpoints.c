#include "checkpoints.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "util/checksum.h"

#define ROW_MAGIC UINT32_C(0x31504348) /* "HCP1" */

struct row_head {
    uint32_t magic;
    uint32_t crc; /* of all with this field zero */
    uint32_t slot;
    uint16_t version;
    uint16_t name_size;
    uint16_t value_size;
    uint16_t reserved16;
};

static_assert(sizeof(struct row_head) == 20, "no padding");

static struct wal_checkpoint_entry *entry_of(const struct wal_checkpoints *table, uint32_t slot)
{
    assert(slot >= 1 && slot <= table->count);
    return &table->entries[slot - 1];
}

static uint32_t *bucket_of(const struct wal_checkpoints *table, struct hf_slice name)
{
    return &table->buckets[hf_crc32c(0, name.data, name.size) & (table->bucket_count - 1)];
}

void wal_checkpoints_release(struct wal_checkpoints *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        free(table->entries[i].name);
        free(table->entries[i].value);
        free(table->entries[i].staged);
    }
    free(table->entries);
    free(table->buckets);
    *table = (struct wal_checkpoints){0};
}

static uint32_t find_slot(const struct wal_checkpoints *table, struct hf_slice name)
{
    uint32_t slot = table->bucket_count == 0 ? 0 : *bucket_of(table, name);

    while (slot != 0) {
        const struct wal_checkpoint_entry *entry = entry_of(table, slot);
        if (hf_slice_equal(name, hf_slice_of(entry->name, entry->name_size))) {
            return slot;
        }
        slot = entry->next_same_hash;
    }
    return 0;
}

const struct wal_checkpoint_entry *wal_checkpoints_find(const struct wal_checkpoints *table,
                                                        struct hf_slice name)
{
    uint32_t slot = find_slot(table, name);

    return slot == 0 ? NULL : entry_of(table, slot);
}

static void link_name(struct wal_checkpoints *table, uint32_t slot)
{
    struct wal_checkpoint_entry *entry = entry_of(table, slot);
    uint32_t *bucket = bucket_of(table, hf_slice_of(entry->name, entry->name_size));

    entry->next_same_hash = *bucket;
    *bucket = slot;
}

/* Room for one more slot, in the array and in the hash table. */
static enum wal_status grow(struct wal_checkpoints *table)
{
    if (table->count < table->room) {
        return WAL_OK;
    }
    uint32_t room = table->room == 0 ? 16 : table->room * 2;
    struct wal_checkpoint_entry *entries = reallocarray(table->entries, room, sizeof(*entries));
    if (entries == NULL) {
        return WAL_NOMEM;
    }
    table->entries = entries;
    uint32_t *buckets = calloc(room, sizeof(*buckets));
    if (buckets == NULL) {
        return WAL_NOMEM;
    }
    free(table->buckets);
    table->buckets = buckets;
    table->bucket_count = room;
    table->room = room;
    for (uint32_t slot = 1; slot <= table->count; slot++) {
        if (entry_of(table, slot)->name != NULL) {
            link_name(table, slot);
        }
    }
    /* Relinking has overwritten the chain of free slots. */
    table->free_slot = 0;
    for (uint32_t slot = 1; slot <= table->count; slot++) {
        if (entry_of(table, slot)->name == NULL) {
            entry_of(table, slot)->next_same_hash = table->free_slot;
            table->free_slot = slot;
        }
    }
    return WAL_OK;
}

static enum wal_status add(struct wal_checkpoints *table, struct hf_slice name, uint32_t *ret_slot)
{
    uint32_t slot = table->free_slot;

    if (slot == 0 && table->count == WAL_CHECKPOINTS_MAX) {
        return WAL_TOO_LARGE;
    }
    if (slot == 0 && grow(table) != WAL_OK) {
        return WAL_NOMEM;
    }
    uint8_t *copy = malloc(name.size + 1); /* + 1: an empty name is a name */
    if (copy == NULL) {
        return WAL_NOMEM;
    }
    if (name.size != 0) {
        memcpy(copy, name.data, name.size);
    }
    if (slot != 0) {
        table->free_slot = entry_of(table, slot)->next_same_hash;
    } else {
        slot = ++table->count;
    }
    *entry_of(table, slot) = (struct wal_checkpoint_entry){.name = copy, .name_size = name.size};
    link_name(table, slot);
    *ret_slot = slot;
    return WAL_OK;
}

static void remove_slot(struct wal_checkpoints *table, uint32_t slot)
{
    struct wal_checkpoint_entry *entry = entry_of(table, slot);
    uint32_t *link = bucket_of(table, hf_slice_of(entry->name, entry->name_size));

    while (*link != slot) {
        link = &entry_of(table, *link)->next_same_hash;
    }
    *link = entry->next_same_hash;
    free(entry->name);
    free(entry->value);
    free(entry->staged);
    *entry = (struct wal_checkpoint_entry){.next_same_hash = table->free_slot};
    table->free_slot = slot;
}

/* What the appends before have made of it: of the same group, or stored. */
static struct hf_slice present_value(const struct wal_checkpoint_entry *entry)
{
    return entry->is_staged ? hf_slice_of(entry->staged, entry->staged_size)
                            : hf_slice_of(entry->value, entry->value_size);
}

enum wal_status wal_checkpoints_stage(struct wal_checkpoints *table,
                                      const struct wal_checkpoint *checkpoint)
{
    uint32_t slot = 0;

    if (checkpoint->name.size > WAL_NAME_BYTES_MAX ||
        checkpoint->value.size > WAL_CHECKPOINT_VALUE_MAX) {
        return WAL_TOO_LARGE;
    }
    bool is_update = checkpoint->update != NULL;
    uint8_t *value = malloc(is_update ? WAL_CHECKPOINT_VALUE_MAX : checkpoint->value.size + 1);
    if (value == NULL) {
        return WAL_NOMEM;
    }
    slot = find_slot(table, checkpoint->name);
    if (slot == 0) {
        enum wal_status status = add(table, checkpoint->name, &slot);
        if (status != WAL_OK) {
            free(value);
            return status;
        }
    }
    struct wal_checkpoint_entry *entry = entry_of(table, slot);
    size_t size = checkpoint->value.size;
    if (is_update) {
        size = checkpoint->update(checkpoint->user, present_value(entry), value);
        assert(size <= WAL_CHECKPOINT_VALUE_MAX);
    } else if (size != 0) {
        memcpy(value, checkpoint->value.data, size);
    }
    free(entry->staged);
    entry->staged = value;
    entry->staged_size = size;
    if (!entry->is_staged) {
        entry->is_staged = true;
        entry->next_staged = table->staged;
        table->staged = slot;
    }
    return WAL_OK;
}

void wal_checkpoints_settle(struct wal_checkpoints *table, bool committed)
{
    uint32_t slot = table->staged;

    table->staged = 0;
    while (slot != 0) {
        struct wal_checkpoint_entry *entry = entry_of(table, slot);
        uint32_t next = entry->next_staged;
        if (committed) {
            free(entry->value);
            entry->value = entry->staged;
            entry->value_size = entry->staged_size;
            entry->is_stored = entry->staged_size != 0;
        } else {
            free(entry->staged);
        }
        entry->staged = NULL;
        entry->is_staged = false;
        entry->next_staged = 0;
        if (!entry->is_stored) {
            remove_slot(table, slot);
        }
        slot = next;
    }
}

size_t wal_checkpoints_row(const struct wal_checkpoints *table, uint32_t slot, uint8_t *row)
{
    const struct wal_checkpoint_entry *entry = entry_of(table, slot);
    const uint8_t *value = entry->is_staged ? entry->staged : entry->value;
    size_t value_size = entry->is_staged ? entry->staged_size : entry->value_size;

    if (entry->name == NULL || value_size == 0) {
        return 0;
    }
    struct row_head head = {.magic = ROW_MAGIC,
                            .slot = slot,
                            .version = WAL_FORMAT_VERSION,
                            .name_size = (uint16_t)entry->name_size,
                            .value_size = (uint16_t)value_size};
    size_t size = sizeof(head) + entry->name_size + value_size;
    memcpy(row, &head, sizeof(head));
    memcpy(row + sizeof(head), entry->name, entry->name_size);
    memcpy(row + sizeof(head) + entry->name_size, value, value_size);
    head.crc = hf_crc32c(0, row, size);
    memcpy(row, &head, sizeof(head));
    return size;
}

/* A slot read from a file must become that very slot: its row is overwritten in place later. */
static enum wal_status fill_up_to(struct wal_checkpoints *table, uint32_t slot)
{
    while (table->count < slot) {
        enum wal_status status = grow(table);
        if (status != WAL_OK) {
            return status;
        }
        table->count++;
        *entry_of(table, table->count) =
            (struct wal_checkpoint_entry){.next_same_hash = table->free_slot};
        table->free_slot = table->count;
    }
    return WAL_OK;
}

/* Takes one slot out of the chain of free ones; false when it is in use. */
static bool take_free(struct wal_checkpoints *table, uint32_t slot)
{
    uint32_t *link = &table->free_slot;

    while (*link != 0 && *link != slot) {
        link = &entry_of(table, *link)->next_same_hash;
    }
    if (*link == 0) {
        return false;
    }
    *link = entry_of(table, slot)->next_same_hash;
    return true;
}

static bool is_good_row(const struct row_head *stored, uint64_t slot, struct hf_slice row)
{
    struct row_head head = *stored;

    head.crc = 0;
    uint32_t crc = hf_crc32c(0, &head, sizeof(head));
    crc = hf_crc32c(crc, row.data + sizeof(head), row.size - sizeof(head));
    return head.magic == ROW_MAGIC && crc == stored->crc && head.slot == slot && slot >= 1 &&
           slot <= WAL_CHECKPOINTS_MAX && head.name_size <= WAL_NAME_BYTES_MAX &&
           head.value_size >= 1 && head.value_size <= WAL_CHECKPOINT_VALUE_MAX &&
           row.size == sizeof(head) + head.name_size + head.value_size;
}

enum wal_status wal_checkpoints_load(struct wal_checkpoints *table, uint64_t slot,
                                     struct hf_slice row)
{
    struct row_head head;

    if (row.size < sizeof(head)) {
        return WAL_CORRUPT;
    }
    memcpy(&head, row.data, sizeof(head));
    if (!is_good_row(&head, slot, row)) {
        return WAL_CORRUPT;
    }
    struct hf_slice name = hf_slice_of(row.data + sizeof(head), head.name_size);
    if (fill_up_to(table, (uint32_t)slot) != WAL_OK) {
        return WAL_NOMEM;
    }
    if (find_slot(table, name) != 0 || !take_free(table, (uint32_t)slot)) {
        return WAL_CORRUPT;
    }
    struct wal_checkpoint_entry *entry = entry_of(table, (uint32_t)slot);
    *entry = (struct wal_checkpoint_entry){
        .name_size = head.name_size, .value_size = head.value_size, .is_stored = true};
    entry->name = malloc(name.size + 1);
    entry->value = malloc(head.value_size);
    if (entry->name == NULL || entry->value == NULL) {
        free(entry->name);
        free(entry->value);
        *entry = (struct wal_checkpoint_entry){.next_same_hash = table->free_slot};
        table->free_slot = (uint32_t)slot;
        return WAL_NOMEM;
    }
    if (name.size != 0) {
        memcpy(entry->name, name.data, name.size);
    }
    memcpy(entry->value, row.data + sizeof(head) + name.size, head.value_size);
    link_name(table, (uint32_t)slot);
    return WAL_OK;
}
