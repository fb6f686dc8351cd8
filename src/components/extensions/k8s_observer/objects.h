/*
 * objects: what a pod, service, ingress or node of Kubernetes offers, as endpoints. No state.
 */
#pragma once

#include <stddef.h>

#include <holdfast/observer.h>

#include "json/json.h"

#define KUBE_ENDPOINTS_MAX 1000u /* of one object */

/* An array with room for KUBE_ENDPOINTS_MAX. An item is NULL when there was no memory. */
struct kube_found {
    const char *observer; /* id of the extension, with which ids begin */
    struct hf_endpoint **items;
    size_t count;
};

void kube_pod_find(struct kube_found *found, const struct hf_json *pod);
void kube_service_find(struct kube_found *found, const struct hf_json *service);
void kube_ingress_find(struct kube_found *found, const struct hf_json *ingress);
void kube_node_find(struct kube_found *found, const struct hf_json *node);
