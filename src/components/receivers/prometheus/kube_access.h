/*
 * kube_access: how kubernetes_sd reaches the API: by the key api_server, by a kubeconfig file, or
 * as the pod's service account. The receiver's thread.
 */
#pragma once

#include "config_discovery.h"
#include "kubernetes/client.h"

/* On failure `reterr` (HF_ERROR_MAX) is one sentence with what to do. */
HF_MUST_USE enum hf_status prom_kube_open(const struct prom_kube_sd *config,
                                          struct hf_kube_client **ret_client, char *reterr);
/* NULL, or which of its keys contradict one another. */
const char *prom_kube_check(const struct prom_kube_sd *config);
