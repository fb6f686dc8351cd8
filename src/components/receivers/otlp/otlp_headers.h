/*
 * otlp_headers: the request headers and metadata that travel with a batch. Any thread.
 */
#pragma once

#include "otlp_receiver.h"

#define OTLP_REFUSAL_MAX 256

/*
 * Keeps a header or metadata value if it is wanted. HF_INVALID, with a sentence in
 * `reterr` (OTLP_REFUSAL_MAX), when it is to become a header of an outgoing request and cannot: the
 * request is refused, since it could never be sent.
 */
HF_MUST_USE enum hf_status otlp_keep_header(const struct otlp_wanted *wanted, struct hf_slice name,
                                            struct hf_slice value, struct hf_meta_writer *meta,
                                            char *reterr);
