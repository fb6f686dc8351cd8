/*
 * identity: the identity of attributes, of a resource and of a metric's stream as the Go collector
 * computes it, so that both send them to the same backend or partition. Pure; any thread.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/walk.h"
#include "util/compress/compress.h"

#define HF_IDENTITY_SIZE 16

/* The digest of the attributes of a message, whatever their order; of none: zeros. `scratch` is
 * used. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_identity_attributes(struct hf_message *message,
                                                  struct hf_document *document,
                                                  struct hf_bytes *scratch,
                                                  uint8_t ret_digest[HF_IDENTITY_SIZE]);

/* "resource/" and "stream/" with the identity in hexadecimal, appended to `out`. The document's
 * memory is used. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_identity_resource(const struct hf_place *place, struct hf_bytes *out);
HF_MUST_USE enum hf_status hf_identity_stream(const struct hf_place *place, struct hf_bytes *out);
