/*
 * kubelet: where the kubelet is and how to sign in there: with a client certificate, as the pod's
 * service account, by way of the API server's proxy, or not at all. The main thread.
 */
#pragma once

#include <holdfast/status.h>

#include "kubernetes/client.h"

enum kubelet_auth {
    KUBELET_NO_AUTH = 0,
    KUBELET_TLS,
    KUBELET_SERVICE_ACCOUNT,
    KUBELET_KUBE_CONFIG
};

struct kubelet_config {
    int64_t auth_type; /* enum kubelet_auth */
    const char *endpoint, *context;
    const char *ca_file, *cert_file, *key_file;
    const char *ca_pem, *cert_pem, *key_pem;
    bool insecure_skip_verify, include_system_ca_certs_pool;
};

/* `ret_prefix` stands before the paths of the kubelet ("" or that of the proxy); the caller frees
 * it. On failure `reterr` (HF_ERROR_MAX) is one sentence with what to do. */
HF_MUST_USE enum hf_status kubelet_open(const struct kubelet_config *config,
                                        struct hf_kube_client **ret_client, char **ret_prefix,
                                        char *reterr);
