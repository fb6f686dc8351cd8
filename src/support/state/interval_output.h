/*
 * interval_output: the aggregate of an interval, written as one or more export requests. Owned by
 * the thread of the node's own loop.
 *
 * `writer` writes the request and `items` counts its items; what has grown beyond
 * HF_INTERVAL_BATCH_BYTES is cut between two items. A failure is kept until the end.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "interval.h"
#include "pdata/wire.h"
#include "util/compress/compress.h"

#define HF_INTERVAL_BATCH_BYTES ((size_t)1 << 20)

struct hf_interval_output {
    enum hf_signal signal;
    struct hf_interval_list *list; /* borrowed */
    struct hf_bytes bytes;
    struct hf_wire_writer writer;
    uint32_t items;
    enum hf_status status;
};

void hf_interval_output_begin(struct hf_interval_output *output, enum hf_signal signal,
                              struct hf_interval_list *list);

/* What is written becomes a batch of the list, when it has items. No message may be open. */
void hf_interval_output_cut(struct hf_interval_output *output);

/* Cuts, and releases the memory. HF_NOMEM: something could not be written; the list has a part. */
HF_MUST_USE enum hf_status hf_interval_output_end(struct hf_interval_output *output);
