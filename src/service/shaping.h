/*
 * shaping: how one lane's records become requests. Set when the lane is made; its sender's.
 */
#pragma once

#include <stdint.h>

#include <holdfast/field.h>

#include "../util/metrics.h"

/* How requests are shaped; from the pipeline's batch processor or sending_queue::batch. */
struct shaping {
    uint64_t items_wanted, bytes_wanted; /* send when reached; both 0: at once */
    uint64_t items_max, bytes_max;       /* of one request */
    uint64_t wait_ns;
    struct hf_string_list keys; /* never mix different values of these */
};

/* What the Go collector's batch processor tells of itself; NULL without one. */
struct batch_series {
    struct hf_histogram *send_size;
    struct hf_series *size_trigger, *timeout_trigger;
};
