/*
 * json: OTLP/JSON to protobuf bytes and back. Any thread; no state.
 */
#pragma once

#include <holdfast/batch.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

#define HF_JSON_ERROR_MAX 256

/*
 * Parses an Export request and appends its protobuf bytes to `out` (at most `limit`). Rules: shared
 * names in lowerCamelCase and snake_case, hex ids, 64-bit numbers as text or number, enum names or
 * numbers, unknown keys skipped, null is absent. HF_INVALID with a sentence in `reterr`
 * (HF_JSON_ERROR_MAX) that says where; HF_TOO_LARGE; HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_json_to_proto(enum hf_signal signal, struct hf_slice json,
                                            size_t limit, struct hf_bytes *out, char *reterr);

/* The same, but strings may have any bytes: for hf_repair(), as hf_scan() refuses such a result. */
HF_MUST_USE enum hf_status hf_json_to_proto_any_text(enum hf_signal signal, struct hf_slice json,
                                                     size_t limit, struct hf_bytes *out,
                                                     char *reterr);

/* Appends one line of OTLP/JSON, without a newline, for bytes that passed hf_scan(). HF_INVALID,
 * HF_NOMEM. */
HF_MUST_USE enum hf_status hf_json_from_proto(enum hf_signal signal, struct hf_slice raw,
                                              struct hf_bytes *out);
