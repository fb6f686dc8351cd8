/*
 * ch_schema: the tables that the Go collector's exporter fills, as statements that create them and
 * as beginnings of inserts. Any thread; no state.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/batch.h>
#include <holdfast/status.h>

#include "ch_config.h"
#include "ch_target.h"
#include "util/compress/compress.h"

/* A table that rows go to. */
enum ch_rows {
    CH_LOGS = 0,
    CH_TRACES,
    CH_METRICS, /* and the CH_METRIC_COUNT kinds of metrics, in their order */
};
#define CH_ROWS_COUNT (CH_METRICS + CH_METRIC_COUNT)

struct ch_schema {
    const struct ch_config *config;
    const struct ch_target *target;
};

/*
 * Appends the statement number `index` of those that create what a signal needs: the database, then
 * its tables. HF_NOT_FOUND: there are no more. HF_NOMEM.
 */
HF_MUST_USE enum hf_status ch_schema_create(const struct ch_schema *schema, enum hf_signal signal,
                                            unsigned index, struct hf_bytes *out);

/*
 * Appends the beginning of an insert, up to the rows. `has_optional`: with the columns that tables
 * of older releases of the Go collector do not have. HF_NOMEM.
 */
HF_MUST_USE enum hf_status ch_schema_insert(const struct ch_schema *schema, enum ch_rows rows,
                                            bool has_optional, struct hf_bytes *out);

/* Appends the name of the table of these rows, for people. HF_NOMEM. */
HF_MUST_USE enum hf_status ch_schema_table(const struct ch_schema *schema, enum ch_rows rows,
                                           struct hf_bytes *out);
