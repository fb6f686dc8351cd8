/*
 * in_flight: the records that a queue reader has read and not acknowledged yet. New ones are
 * `pending` until they are in a request. The delivery's loop.
 */
#pragma once

#include "delivery_internal.h"

#define RECORDS_AT_ONCE 64

/*
 * Allocates room for the records of one read before it is read: a record that could not be kept in
 * memory would be seen again only after a new start. Returns the number of records it has room for.
 */
size_t hf_in_flight_reserve(struct queue_reader *reader);
/* Appends a record to the pending ones; room was reserved. */
void hf_in_flight_add(struct queue_reader *reader, const struct wal_record *stored);
/* Removes the first pending record from the list. */
struct in_flight_record *hf_in_flight_take_pending(struct queue_reader *reader);
/* Frees a record, or keeps its memory for the next one. */
void hf_in_flight_release(struct queue_reader *reader, struct in_flight_record *record);
/* Lets go of the bytes of a record whose open items are all held: they are on disk. */
void hf_in_flight_unload(struct queue_reader *reader, struct in_flight_record *record);
/* Reads them again. WAL_MISSING, WAL_CORRUPT: the queue does not have them any more. WAL_IO,
 * WAL_NOMEM. */
WAL_MUST_USE enum wal_status hf_in_flight_load(struct queue_reader *reader,
                                               struct in_flight_record *record);
void hf_in_flight_free_spares(struct queue_reader *reader);
