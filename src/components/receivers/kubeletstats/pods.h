/*
 * pods: what the kubelet's /pods knows of pods that /stats/summary does not: ids of containers,
 * types of volumes, requests and limits. Works on a JSON tree that the caller owns.
 */
#pragma once

#include <holdfast/slice.h>

#include "json/json.h"

/* What a container, or all those of a pod together, may use; 0: not known. */
struct kubelet_limits {
    double cpu_request, cpu_limit;       /* cores */
    double memory_request, memory_limit; /* bytes */
};

/* The pod of that uid in a list; NULL: it is not there. */
const struct hf_json *kubelet_pod_find(const struct hf_json *list, struct hf_slice uid);

/* Of one container; NULL is a pod without any. */
struct kubelet_limits kubelet_pod_container_limits(const struct hf_json *pod, struct hf_slice name);
/* The sums; 0 where one of the containers has none. */
struct kubelet_limits kubelet_pod_limits(const struct hf_json *pod);

/* Without the runtime in front ("containerd://"); empty: it is not known. */
struct hf_slice kubelet_pod_container_id(const struct hf_json *pod, struct hf_slice name);

/* The volume of that name in the pod's spec; NULL: none. */
const struct hf_json *kubelet_pod_volume(const struct hf_json *pod, struct hf_slice name);
