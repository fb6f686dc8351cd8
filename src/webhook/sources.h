/*
 * sources: where configurations of sidecars are found: ConfigMaps, and the operator's
 * OpenTelemetryCollectors of mode sidecar where the cluster has that kind; and the annotations of
 * namespaces. Any thread but the client's; each look-up takes seconds at most.
 */
#pragma once

#include "choice.h"
#include "inject.h"
#include "kubernetes/client.h"

struct hf_sources {
    struct hf_kube_client *client;
    const struct hf_webhook_settings *settings;
};

#define HF_WARNING_MAX 256

/* The annotations of that namespace are in `ret_namespace`, an object in `arena`. False, with
 * `warning` (HF_WARNING_MAX): it could not be read. */
HF_MUST_USE bool hf_sources_namespace(const struct hf_sources *sources, struct hf_slice name,
                                      struct hf_arena *arena, const struct hf_json **ret_namespace,
                                      char *warning);

/* The configuration of a choice, for a pod of that namespace; texts live in `arena`. False, with
 * `warning`: there is none. */
HF_MUST_USE bool hf_sources_config(const struct hf_sources *sources, struct hf_slice namespace,
                                   const struct hf_choice *choice, struct hf_arena *arena,
                                   struct hf_inject_config *ret_config, char *warning);
