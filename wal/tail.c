#include "tail.h"

#include <assert.h>
#include <stdlib.h>

#define ROOM_FIRST 64u

static struct wal_tail_entry *entry_of(const struct wal_tail *tail, uint64_t sequence)
{
    return &tail->entries[sequence & (tail->room - 1)];
}

static void drop_oldest(struct wal_tail *tail, struct wal_drops *drops)
{
    struct wal_tail_entry *entry = entry_of(tail, tail->first);

    drops->refs[drops->count++] = entry->record.owner;
    tail->bytes -= entry->record.body.size + entry->record.meta.size;
    tail->first++;
}

bool wal_tail_trim(struct wal_tail *tail, uint64_t needed, struct wal_drops *drops)
{
    while (tail->first < tail->end && (tail->first < needed || tail->bytes > tail->bytes_max)) {
        if (drops->count == WAL_TAIL_DROPS) {
            return true;
        }
        drop_oldest(tail, drops);
    }
    return false;
}

bool wal_tail_release(struct wal_tail *tail, struct wal_drops *drops)
{
    if (wal_tail_trim(tail, UINT64_MAX, drops)) {
        return false;
    }
    free(tail->entries);
    tail->entries = NULL;
    tail->room = 0;
    return true;
}

static bool grow(struct wal_tail *tail)
{
    size_t room = tail->room == 0 ? ROOM_FIRST : tail->room * 2;

    if (room > WAL_TAIL_RECORDS_MAX) {
        return false;
    }
    struct wal_tail_entry *entries = calloc(room, sizeof(*entries));
    if (entries == NULL) {
        return false;
    }
    for (uint64_t sequence = tail->first; sequence < tail->end; sequence++) {
        entries[sequence & (room - 1)] = *entry_of(tail, sequence);
    }
    free(tail->entries);
    tail->entries = entries;
    tail->room = room;
    return true;
}

void wal_tail_push(struct wal_tail *tail, const struct wal_record *record, struct wal_amount before,
                   struct wal_drops *drops)
{
    assert(drops->count < WAL_TAIL_DROPS);
    if (tail->first == tail->end) {
        tail->first = record->sequence;
        tail->end = record->sequence;
    }
    assert(record->sequence == tail->end);
    if (tail->end - tail->first == tail->room && !grow(tail)) {
        if (tail->room == 0) {
            tail->first = record->sequence + 1;
            tail->end = tail->first;
            return;
        }
        drop_oldest(tail, drops);
    }
    struct wal_tail_entry *entry = entry_of(tail, tail->end);
    *entry = (struct wal_tail_entry){.record = *record, .before = before};
    tail->end++;
    if (record->owner != NULL) {
        hf_ref_take(record->owner);
    } else {
        entry->record.meta.size = 0;
        entry->record.body.size = 0;
    }
    tail->bytes += entry->record.body.size + entry->record.meta.size;
}

const struct wal_tail_entry *wal_tail_find(const struct wal_tail *tail, uint64_t sequence)
{
    if (sequence < tail->first || sequence >= tail->end) {
        return NULL;
    }
    const struct wal_tail_entry *entry = entry_of(tail, sequence);
    return entry->record.owner == NULL ? NULL : entry;
}

void wal_drops_flush(struct wal_drops *drops)
{
    for (size_t i = 0; i < drops->count; i++) {
        hf_ref_drop(drops->refs[i]);
    }
    drops->count = 0;
}
