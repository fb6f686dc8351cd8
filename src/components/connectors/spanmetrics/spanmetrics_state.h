/*
 * spanmetrics_state: the series with the layout that they were made for, passed on and kept over a
 * restart. Owned by one thread.
 *
 * The layout is what of the configuration tells how metrics are written, and a fingerprint of what
 * tells series apart. A state of another layout is passed on once as it was meant, and forgotten.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/status.h>

#include "spanmetrics_config.h"
#include "spanmetrics_table.h"
#include "spanmetrics_times.h"
#include "support/state/state_file.h"

#define SPANMETRICS_ID_SIZE 37u /* of a UUID as text, with a NUL */
#define SPANMETRICS_NAMESPACE_MAX 256u

struct spanmetrics_layout {
    bool is_delta;
    uint8_t unit; /* enum spanmetrics_unit */
    struct hf_distribution_form form;
    double *bounds; /* of the form, owned */
    char namespace_[SPANMETRICS_NAMESPACE_MAX];
    uint64_t fingerprint;
};

struct spanmetrics_state {
    const struct spanmetrics_config *config;
    struct spanmetrics_table table;
    struct spanmetrics_times *times; /* NULL: sums are cumulative */
    struct spanmetrics_layout wanted, old;
    const struct spanmetrics_layout *layout; /* of the table: one of the two */
    char instance_id[SPANMETRICS_ID_SIZE];

    /* The flush that is on its way. */
    struct hf_builder builder;
    uint64_t flush_ns;                     /* Unix time */
    struct spanmetrics_resource *resource; /* where it stands; NULL: at the end */
    struct spanmetrics_series *series;     /* NULL: at the beginning of `metric` */
    size_t metric;
};

/* Starts zeroed. HF_NOMEM. `config` outlives it. */
HF_MUST_USE enum hf_status spanmetrics_state_init(struct spanmetrics_state *state,
                                                  const struct spanmetrics_config *config);
void spanmetrics_state_release(struct spanmetrics_state *state);

/* spanmetrics_flush.c: as the operations of support/state/aggregator.h. */
void spanmetrics_flush_begin(struct spanmetrics_state *state, uint64_t unix_ns);
HF_MUST_USE enum hf_status spanmetrics_flush_next(struct spanmetrics_state *state,
                                                  struct hf_batch **ret_batch);
void spanmetrics_flush_end(struct spanmetrics_state *state);

void spanmetrics_state_save(const struct spanmetrics_state *state, struct hf_state_writer *writer);
void spanmetrics_state_load(struct spanmetrics_state *state, struct hf_state_reader *reader,
                            bool *ret_is_foreign);
void spanmetrics_state_clear(struct spanmetrics_state *state);
