/*
 * batching: how the `batch` processor of a pipeline wants its exporters to coalesce and cut
 * requests.
 *
 * `batch` is no buffer here: nothing waits in it. The graph reads its configuration as this struct
 * and passes it to the deliveries behind it, which join the records that they read from the queue.
 * It belongs to the configuration and is immutable; any thread.
 */
#pragma once

#include <stdint.h>

#include "field.h"

struct hf_batching {
    uint64_t timeout_ns;         /* how long a delivery waits for more; 0: it sends at once */
    int64_t send_batch_size;     /* items that end the waiting; 0: only the timeout does */
    int64_t send_batch_max_size; /* no request has more items; 0: no limit */
    struct hf_string_list metadata_keys; /* no request mixes their values; headers, any case */
    int64_t metadata_cardinality_limit;  /* distinct sets of values; 0: no limit */
};
