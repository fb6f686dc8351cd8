/*
 * sql_mask: queries without the values in them: literals become "?", digits in names too; comments
 * and blanks stay unless told. Any thread; no state.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/build.h"
#include "util/compress/compress.h"

#define HF_SQL_MYSQL                                                                               \
    1u                 /* texts may stand in double quotation marks, names in `, # is a comment    \
                        */
#define HF_SQL_BARE 2u /* comments are left out, and blanks are one */

/* Appends the query; `flags` are of those above. What ends within a text or a comment is taken to
 * its end. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_sql_mask(struct hf_slice query, unsigned flags, struct hf_bytes *out);

/* The query so as the attribute db.query.text of what the builder has open. `scratch` is
 * overwritten. */
void hf_sql_attribute(struct hf_builder *builder, struct hf_slice query, unsigned flags,
                      struct hf_bytes *scratch);
