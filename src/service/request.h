/*
 * request: making a request of records, cutting it, and settling it with the queue. The sender's
 * loop thread.
 */
#pragma once

#include "sender_internal.h"

/* HF_NOMEM, or another status for a record that cannot be cut; nothing is taken from the parts'
 * records then. */
HF_MUST_USE enum hf_status hf_request_new(struct lane *lane, const struct part *parts, size_t count,
                                          struct request **ret_request);
/* The rest of a record that cannot be cut, with the whole body: to be buried. NULL: no memory. */
struct request *hf_request_new_uncut(struct lane *lane, const struct part *part);
/* All items of its parts are done with; acknowledges records that have no open item left. Frees the
 * request. */
void hf_request_resolve(struct request *request, enum wal_fate fate, enum wal_drop drop,
                        uint64_t rejected);
/* Frees the request only: its parts are in others now, or the sender ends. */
void hf_request_free(struct request *request);
/* Two requests of half the size each, put where it stood; false: it is a single item, or cannot be
 * cut. */
HF_MUST_USE bool hf_request_halve(struct request *request);

/* bury.c: a request of one part goes to the dead letters (or is dropped when they are off). Without
 * room for it there it stands aside. */
void hf_request_bury(struct request *request, const struct hf_outcome *outcome);
