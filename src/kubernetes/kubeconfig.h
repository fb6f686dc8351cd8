/*
 * kubeconfig: the file by which people sign in to a cluster: clusters, users, and contexts that
 * name one of each.
 */
#pragma once

#include "access.h"

/* `config` has auth_type kubeConfig. On failure `reterr` (HF_ERROR_MAX) names the file. */
HF_MUST_USE enum hf_status hf_kube_kubeconfig_read(const struct hf_kube_config *config,
                                                   struct hf_kube_access *access, char *reterr);
