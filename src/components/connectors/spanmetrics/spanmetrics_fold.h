/*
 * spanmetrics_fold: from the spans of a request to the series that they count in. First all series
 * are found or made, then all values are added: when memory runs out, nothing is added.
 * Nothing is allocated per span once its series is there. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/status.h>

#include "spanmetrics_config.h"
#include "spanmetrics_dimensions.h"
#include "spanmetrics_table.h"
#include "util/compress/compress.h"

/* One value for one series. */
struct spanmetrics_touch {
    struct spanmetrics_series *series;
    double value;
    uint64_t count;
    struct hf_slice trace_id, span_id; /* of its exemplar; empty: none */
};

/* What was read of a span. */
struct spanmetrics_span {
    struct hf_slice trace_id, span_id, state, name;
    int32_t kind, status;
    uint64_t start_ns, end_ns;
    uint64_t count; /* of spans that it stands for */
    bool is_adjusted, has_trace_id, has_events;
};

/* A key in `fold->key`. */
struct spanmetrics_built {
    size_t at, size;
    uint64_t hash;
};

/* A span whose keys are built, and whose series are not looked for yet. */
struct spanmetrics_ahead {
    struct spanmetrics_span span;
    struct hf_slice bytes; /* of the span */
    struct spanmetrics_built calls_key, durations_key;
    struct spanmetrics_series *calls; /* NULL: there was none when it was looked for */
};
#define SPANMETRICS_BLOCK 16u

struct spanmetrics_fold {
    const struct spanmetrics_config *config;
    const struct spanmetrics_dimensions *dimensions;
    struct spanmetrics_table *table;
    const char *instance_id;
    /* What is left out of the attributes and of keys. */
    bool without_service, without_name, without_kind, without_status, without_instance;
    bool has_one_key; /* calls and durations have the same dimensions */
    double divider;   /* nanoseconds in a unit */
    uint64_t random;  /* state of the rounding of counts */

    /* Kept from call to call as memory only. */
    struct spanmetrics_values of_resource, of_span, of_event, joined;
    struct hf_bytes key, text, attributes, resource_key, last_resource; /* key: of all of a block */
    struct spanmetrics_pair *pairs; /* of a resource, to be sorted */
    size_t pair_room;
    struct spanmetrics_touch *touches;
    size_t touch_count, touch_room;
    struct spanmetrics_ahead block[SPANMETRICS_BLOCK];
    size_t block_count;
    size_t overflowed; /* spans and events since the last flush that had no room */

    /* Of the request. */
    uint64_t now_ns;
    struct spanmetrics_resource *resource;
    struct hf_slice service, scope_name, scope_version;
    struct hf_slice last_state; /* trace state, and what was read of it */
    uint64_t last_count;
    bool last_is_adjusted;
};

/* Starts zeroed. The pointers are borrowed. HF_NOMEM. */
HF_MUST_USE enum hf_status spanmetrics_fold_init(struct spanmetrics_fold *fold,
                                                 const struct spanmetrics_config *config,
                                                 const struct spanmetrics_dimensions *dimensions,
                                                 struct spanmetrics_table *table);
void spanmetrics_fold_release(struct spanmetrics_fold *fold);

/* A request of traces that has passed hf_scan(). HF_NOMEM, or HF_FULL as
 * spanmetrics_table_resource(): nothing was added. */
HF_MUST_USE enum hf_status spanmetrics_fold_request(struct spanmetrics_fold *fold,
                                                    struct hf_slice raw, uint64_t now_ns);
