/*
 * export_request: makes requests of records, halves them, and acknowledges their records. The
 * delivery's loop thread.
 */
#pragma once

#include "delivery_internal.h"

/* Neighbouring ranges of one record become one body. HF_NOMEM, or another status when a record
 * cannot be split; the records are unchanged then. */
HF_MUST_USE enum hf_status hf_export_request_new(struct queue_reader *reader,
                                                 const struct record_range *ranges, size_t count,
                                                 struct export_request **ret_request);
/* The rest of a record that cannot be split, with the whole body, for the dead letters. NULL: out
 * of memory. */
struct export_request *hf_export_request_new_uncut(struct queue_reader *reader,
                                                   const struct record_range *range);
/* Without bodies, never sent: it was delivered already. NULL: out of memory. */
struct export_request *hf_export_request_new_settled(struct queue_reader *reader,
                                                     const struct record_range *ranges,
                                                     size_t count);
/* All items of its ranges are done with; acknowledges records that have no open item left. Frees
 * the request. */
void hf_export_request_resolve(struct export_request *request, enum wal_outcome outcome,
                               enum wal_drop drop, uint64_t rejected);
/* Frees the request only: its ranges are in others now, or the delivery ends. */
void hf_export_request_free(struct export_request *request);
/* Replaces the request by two of half the size each; false: it is a single item, or cannot be
 * split. */
HF_MUST_USE bool hf_export_request_halve(struct export_request *request);
