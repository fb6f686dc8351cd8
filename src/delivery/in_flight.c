#include "in_flight.h"

#include <assert.h>
#include <stdlib.h>

/* The memory that a record takes: its stored bytes, and what they are decoded to when it is sent.
 */
static size_t cost_of(const struct wal_record *record)
{
    return record->body.size + (record->coding != HF_IDENTITY ? (size_t)record->raw_bytes : 0);
}

void hf_in_flight_unload(struct queue_reader *reader, struct in_flight_record *record)
{
    struct wal_record *stored = &record->stored;
    if (record->is_unloaded || record->held == 0 || record->open != record->held) {
        return;
    }
    reader->delivery->in_flight_bytes -= cost_of(stored);
    hf_ref_drop(stored->owner);
    stored->owner = NULL;
    stored->body = stored->meta = HF_EMPTY_SLICE;
    record->is_unloaded = true;
}

enum wal_status hf_in_flight_load(struct queue_reader *reader, struct in_flight_record *record)
{
    struct wal_record again;
    if (!record->is_unloaded) {
        return WAL_OK;
    }
    enum wal_status status = wal_get(reader->backlog->wal, record->stored.sequence, &again);
    if (status == WAL_OK) {
        record->stored = again;
        record->is_unloaded = false;
        reader->delivery->in_flight_bytes += cost_of(&again);
    }
    return status;
}

static void add_spare(struct queue_reader *reader, struct in_flight_record *record)
{
    record->next = reader->spares;
    reader->spares = record;
    reader->spare_count++;
}

void hf_in_flight_release(struct queue_reader *reader, struct in_flight_record *record)
{
    if (!record->is_unloaded) {
        assert(reader->delivery->in_flight_bytes >= cost_of(&record->stored));
        reader->delivery->in_flight_bytes -= cost_of(&record->stored);
        hf_ref_drop(record->stored.owner);
    }
    if (reader->spare_count < RECORDS_AT_ONCE) {
        add_spare(reader, record);
    } else {
        free(record);
    }
}

size_t hf_in_flight_reserve(struct queue_reader *reader)
{
    while (reader->spare_count < RECORDS_AT_ONCE) {
        struct in_flight_record *record = malloc(sizeof(*record));
        if (record == NULL) {
            break;
        }
        add_spare(reader, record);
    }
    return reader->spare_count;
}

void hf_in_flight_add(struct queue_reader *reader, const struct wal_record *stored)
{
    struct in_flight_record *record = reader->spares;
    assert(record != NULL);
    reader->spares = record->next;
    reader->spare_count--;
    *record = (struct in_flight_record){.stored = *stored, .open = stored->items};
    if (reader->pending == NULL) {
        reader->pending_since_ns = hf_loop_now_ns(reader->delivery->loop);
        reader->pending_end = &reader->pending;
    }
    *reader->pending_end = record;
    reader->pending_end = &record->next;
    reader->pending_items += stored->items;
    reader->pending_bytes += stored->raw_bytes;
    reader->delivery->in_flight_bytes += cost_of(stored);
}

struct in_flight_record *hf_in_flight_take_pending(struct queue_reader *reader)
{
    assert(reader->pending != NULL);
    assert(reader->pending->taken <= reader->pending->stored.items);
    struct in_flight_record *record = reader->pending;
    reader->pending = record->next;
    if (reader->pending == NULL) {
        reader->pending_end = &reader->pending;
    }
    record->next = NULL;
    reader->pending_items -= record->stored.items - record->taken;
    reader->pending_bytes -= record->stored.raw_bytes;
    reader->pending_since_ns = hf_loop_now_ns(reader->delivery->loop);
    return record;
}

void hf_in_flight_free_spares(struct queue_reader *reader)
{
    while (reader->spares != NULL) {
        struct in_flight_record *spare = reader->spares;
        reader->spares = spare->next;
        reader->spare_count--;
        free(spare);
    }
}
