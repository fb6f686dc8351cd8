/*
 * inject: the sidecar of a pod, as a JSON patch: the container, its volumes, the variables that the
 * application's SDK reads. A second call finds the sidecar and changes nothing.
 *
 * Beside Istio: the sidecar's own ports are taken out of the inbound redirection, so that the
 * kubelet's probes arrive, and as an init container it stands behind those of Istio. Loopback is
 * not redirected. Owned by one thread.
 */
#pragma once

#include "settings.h"
#include "util/compress/compress.h"

/* The configuration of the sidecar. */
struct hf_inject_config {
    struct hf_slice text;            /* YAML, given by an environment variable; or */
    struct hf_slice config_map, key; /* a ConfigMap of the pod's namespace, which is mounted */
    struct hf_slice about;           /* where it is from, for people: "ConfigMap shop/holdfast" */
    const struct hf_json *env;       /* further variables of the container; NULL: none */
    const struct hf_json *resources; /* NULL: as the settings have them */
};

#define HF_INJECT_CONTAINER "holdfast"

/* Is the sidecar there already? */
HF_MUST_USE bool hf_inject_is_there(const struct hf_json *pod);

/* Why this pod can have none, a sentence; NULL: it can. `is_native` as below. */
const char *hf_inject_hindrance(const struct hf_json *pod, bool is_native);

struct hf_inject_options {
    const struct hf_webhook_settings *settings;
    const struct hf_inject_config *config;
    const struct hf_json *pod;
    struct hf_slice namespace;
    bool is_native; /* the cluster has init containers with restartPolicy Always */
};

/* Appends the patch to `out`. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_inject(const struct hf_inject_options *options, struct hf_bytes *out);
