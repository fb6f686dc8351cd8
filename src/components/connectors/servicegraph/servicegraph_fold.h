/*
 * servicegraph_fold: from spans to edges, and from edges that are complete, or have waited for too
 * long, to series. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/status.h>

#include "servicegraph_config.h"
#include "servicegraph_edges.h"
#include "servicegraph_series.h"
#include "util/compress/compress.h"

/* What a request had come to when memory ran out: its first spans are not folded again. */
struct servicegraph_progress {
    uint64_t received_ns, size, items, spans; /* spans 0: there is none */
};

struct servicegraph_fold {
    const struct servicegraph_config *config;
    struct servicegraph_edges edges;
    struct servicegraph_table table;
    struct servicegraph_progress progress;
    struct hf_bytes text, service; /* kept as memory only */
    uint64_t now_ns;
    uint64_t spans, skipped; /* of the request */
    uint64_t edges_made, edges_expired,
        spans_dropped; /* to be counted; the caller sets them to 0 */
};

/* Starts zeroed; HF_NOMEM. */
HF_MUST_USE enum hf_status servicegraph_fold_init(struct servicegraph_fold *fold,
                                                  const struct servicegraph_config *config);
void servicegraph_fold_release(struct servicegraph_fold *fold);

/* HF_NOMEM: the rest of the request is folded when it comes again; no other is meanwhile. */
HF_MUST_USE enum hf_status servicegraph_fold_request(struct servicegraph_fold *fold,
                                                     const struct hf_batch *batch, uint64_t now_ns);

/* Ends the wait of edges that are due. Returns whether there were any. */
bool servicegraph_fold_expire(struct servicegraph_fold *fold, uint64_t now_ns);
