/*
 * json_query: queries in JSON, as MongoDB, Elasticsearch and OpenSearch have them, with "?" for
 * each value; keys stay, blanks go. Any thread; no state.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

/* Appends it. HF_INVALID: it is no JSON, and nothing is appended; HF_NOMEM. */
HF_MUST_USE enum hf_status hf_json_query_mask(struct hf_slice text, struct hf_bytes *out);
