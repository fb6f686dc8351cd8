/*
 * dead_letter_batch: a refused request as a batch: as it is kept on disk, with the reason in its
 * metadata, or as it goes through a pipeline, with the reason in attributes of its resources. The
 * delivery's loop.
 */
#pragma once

#include "delivery_internal.h"

/* The attributes are "holdfast.dead_letter.reason", ".code", ".exporter" and ".pipeline"; of
 * another signal than the pipeline's also ".signal" and ".items". */
#define HF_DEAD_LETTER_REASON_BYTES_MAX 512u

/* Of a request with one body; the reference is the caller's. NULL: out of memory. */
struct hf_batch *hf_dead_letter_stored(const struct export_request *request,
                                       const struct hf_outcome *outcome);

/*
 * For the delivery's dead_letter_pipeline: of its own signal the request itself; of another one a
 * log record whose body is the request as OTLP/JSON. HF_NOMEM; HF_INVALID, HF_CORRUPT,
 * HF_TOO_LARGE: the body cannot be read or made.
 */
HF_MUST_USE enum hf_status hf_dead_letter_piped(const struct export_request *request,
                                                const struct hf_outcome *outcome,
                                                struct hf_batch **ret_batch);
