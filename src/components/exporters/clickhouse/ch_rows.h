/*
 * ch_rows: an Export request as rows in JSONEachRow, one line each. Owned by one thread.
 *
 * JSONEachRow and not RowBinary: a row names its columns and tells values as text, so it fits
 * tables whose types differ (a DateTime64 where another release of the Go collector made a
 * DateTime), while RowBinary would write wrong values there without an error. Compressed, it is
 * as small.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/status.h>

#include "ch_schema.h"
#include "util/compress/compress.h"

struct ch_rows_options {
    bool as_json;      /* attributes of log records and spans */
    bool has_optional; /* columns that older tables do not have */
};

/* Which tables the request has rows for, as bits of enum ch_rows. HF_CORRUPT, HF_NOMEM. */
HF_MUST_USE enum hf_status ch_rows_tables(enum hf_signal signal, struct hf_slice raw,
                                          unsigned *ret_tables);

/* Appends the rows of one table. HF_CORRUPT, HF_NOMEM. */
HF_MUST_USE enum hf_status ch_rows_write(enum ch_rows rows, struct hf_slice raw,
                                         const struct ch_rows_options *options,
                                         struct hf_bytes *out);
