/*
 * transfer: records that leave a queue at an operator's word: dropped, or moved to another queue,
 * durable there before they leave here. A kill in the middle repeats some of them at worst. Blocks;
 * one thread for a consumer.
 */
#pragma once

#include <stdio.h>

#include "progress.h"
#include "selection.h"
#include "wal/wal.h"

struct hf_transfer {
    FILE *out;                      /* when its reader is gone, the rest stays */
    struct wal_consumer *reader;    /* of the queue that is left */
    uint64_t end;                   /* records from here on stay: those that come meanwhile */
    uint64_t until_ns;              /* monotonic: what is left then stays; 0: no limit */
    struct hf_selection *selection; /* the others stay; NULL: all go */
    struct hf_progress progress;    /* zero: nothing is said */
    struct wal_amount gone;         /* result: the records and items that left */
};

/* The sequence number that the next record of that queue gets. */
uint64_t hf_transfer_end(struct wal *wal);

/* Both go on until there are no more, the time is over, or something fails; the status of that. */
WAL_MUST_USE enum wal_status hf_transfer_drop(struct hf_transfer *transfer);
WAL_MUST_USE enum wal_status hf_transfer_move(struct hf_transfer *transfer, struct wal *to);
