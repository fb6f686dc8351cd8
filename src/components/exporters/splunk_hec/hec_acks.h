/*
 * hec_acks: requests that Splunk took and has not indexed yet. They are asked for at an interval;
 * one that is indexed is delivered, one that is not within the timeout is to be sent again. The
 * delivery's thread.
 */
#pragma once

#include <holdfast/export.h>
#include <holdfast/node.h>

#include "hec_config.h"

#define HEC_CHANNEL_MAX 37u

struct hec_acks;

/* HF_INVALID, HF_NOMEM and others with a sentence in `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hec_acks_new(const struct hf_node *node, const struct hec_config *config,
                                        struct hec_acks **ret_acks, char *reterr);

/* The channel that requests and questions name. */
const char *hec_acks_channel(const struct hec_acks *acks);

/* The export ends here, later, with `left_out` of its items counted as rejected. HF_NOMEM: it is
 * still the caller's. */
HF_MUST_USE enum hf_status hec_acks_wait(struct hec_acks *acks, struct hf_export *export,
                                         uint64_t id, uint64_t left_out);

/* Ends all that wait with HF_CLOSED. NULL: nothing. */
void hec_acks_free(struct hec_acks *acks);
