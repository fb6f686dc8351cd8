/*
 * once: drops what comes twice from another Holdfast that names its records
 * (docs/decisions/once.md).
 *
 * What a queue has taken of a sender is a checkpoint of the queue (record_window.h). A request is
 * compared with it before its processors run, once for each pipeline that it goes to, and what the
 * queues behind that pipeline all have is cut out of it; the rest is stored with the window that
 * tells of it, in one commit. While it is on its way, no second request of the same records is
 * taken (storage/arrivals.h).
 *
 * Made on the thread that submits, used by the committers until the request is answered.
 */
#pragma once

#include <holdfast/batch.h>

#include "node/node.h"
#include "storage/arrivals.h"

/* Senders of which one queue keeps a window; beyond it, the one silent for longest is forgotten. */
#define HF_ONCE_SENDERS_MAX 1024u

#define HF_ONCE_NAME_BYTES (5u + HF_ORIGIN_BYTES)

struct hf_once {
    struct hf_arrivals *arrivals;
    struct hf_arrival arrival;
    struct hf_record_range ranges[HF_RECORD_NAMES_RUNS_MAX];
    struct hf_slice names;  /* the header's value; valid while it is submitted */
    struct hf_batch *batch; /* as it came; likewise */
    uint32_t now_s;
    /* For the queues: the window with the new records, and a sender to be forgotten, if any. */
    struct wal_checkpoint checkpoints[2];
    size_t checkpoint_count;
    uint8_t name[HF_ONCE_NAME_BYTES], forgotten[HF_ONCE_NAME_BYTES];
};

/*
 * Begins with a batch whose header has that value. HF_OK with NULL: the value says nothing of this
 * batch, which is like any other. HF_AGAIN: another request of these records is on its way.
 * HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_once_begin(struct hf_arrivals *arrivals, struct hf_slice names,
                                         struct hf_batch *batch, struct hf_once **ret_once);
/* What is new of the batch to the queues of that pipeline, a reference; NULL: nothing is. HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_once_keep(struct hf_once *once, struct hf_pipeline *pipeline,
                                        struct hf_batch **ret_batch);
/* After the last commit. NULL is nothing. */
void hf_once_end(struct hf_once *once);
