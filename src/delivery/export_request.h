/*
 * request: making a request of records, cutting it, and settling it with the queue. The delivery's
 * loop thread.
 */
#pragma once

#include "delivery_internal.h"

/* HF_NOMEM, or another status for a record that cannot be cut; nothing is taken from the ranges'
 * records then. */
HF_MUST_USE enum hf_status hf_export_request_new(struct queue_reader *reader,
                                                 const struct record_range *ranges, size_t count,
                                                 struct export_request **ret_request);
/* The rest of a record that cannot be cut, with the whole body: to be dead_letter_written. NULL: no
 * memory. */
struct export_request *hf_request_new_uncut(struct queue_reader *reader,
                                            const struct record_range *range);
/* All items of its ranges are done with; acknowledges records that have no open item left. Frees
 * the request. */
void hf_export_request_resolve(struct export_request *request, enum wal_outcome outcome,
                               enum wal_drop drop, uint64_t rejected);
/* Frees the request only: its ranges are in others now, or the delivery ends. */
void hf_export_request_free(struct export_request *request);
/* Two requests of half the size each, put where it stood; false: it is a single item, or cannot be
 * cut. */
HF_MUST_USE bool hf_export_request_halve(struct export_request *request);

/* dead-letter.c: a request of one range goes to the dead letters (or is dropped when they are off).
 * Without room for it there it stands aside. */
void hf_export_request_dead_letter(struct export_request *request,
                                   const struct hf_outcome *outcome);
