/*
 * batch_limits: how one reader's records become requests. Set when the reader is made; owned by the
 * delivery.
 */
#pragma once

#include <stdint.h>

#include <holdfast/field.h>

#include "util/metrics/metrics.h"

/* How requests are joined; from the pipeline's batch processor or sending_queue::batch. */
struct batch_limits {
    uint64_t items_wanted, bytes_wanted; /* send when reached; both 0: at once */
    uint64_t items_max, bytes_max;       /* of one request */
    uint64_t wait_ns;
    uint64_t own_bytes_max;     /* the exporter's limit, for which a record is split; 0: none */
    struct hf_string_list keys; /* never mix different values of these */
};

/* The metrics of the Go collector's batch processor; NULL without one. */
struct batch_series {
    struct hf_histogram *send_size;
    struct hf_series *size_trigger, *timeout_trigger;
};
