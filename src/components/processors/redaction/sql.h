/*
 * sql: queries without the values in them: literals become "?", digits in names too; comments and
 * blanks stay. Any thread; no state.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress.h"

/* Appends the query. `is_mysql`: texts may stand in double quotation marks, names in `, and #
 * begins a comment. What ends within a text or a comment is taken to its end. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_sql_mask(struct hf_slice query, bool is_mysql, struct hf_bytes *out);
