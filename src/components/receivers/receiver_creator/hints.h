/*
 * hints: the receiver that a pod asks for by its annotations: io.opentelemetry.discovery.metrics of
 * a port, io.opentelemetry.discovery.logs of a container. No state.
 */
#pragma once

#include "instance.h"

struct hf_late_config;

struct creator_hint {
    bool is_there; /* it asks for one, and the templates do not count */
    struct creator_wish wish;
    struct hf_late_config *late; /* of the annotation's YAML; NULL: none */
};

/* Nothing when discovery is off, or for another type of endpoint. HF_INVALID with a sentence in
 * `reterr` (CREATOR_ERROR_MAX); HF_NOMEM. To be released in any case. */
HF_MUST_USE enum hf_status creator_hint_read(const struct creator_config *config,
                                             const struct hf_endpoint *endpoint,
                                             struct hf_arena *arena, struct creator_hint *ret_hint,
                                             char *reterr);
void creator_hint_release(struct creator_hint *hint);
