/*
 * access: where the Kubernetes API is and how to sign in: as the pod's service account, by a
 * kubeconfig file, or not at all.
 *
 * Read once, on the main thread; immutable after.
 */
#pragma once

#include <stdint.h>

#include <holdfast/field.h>
#include <holdfast/status.h>

#include "util/tls/tls.h"

enum hf_kube_auth { HF_KUBE_NONE = 0, HF_KUBE_SERVICE_ACCOUNT, HF_KUBE_CONFIG };

/* Stands at offset 0 of a component's configuration, with HF_KUBE_FIELDS. */
struct hf_kube_config {
    int64_t auth_type;   /* enum hf_kube_auth */
    const char *context; /* kubeConfig: NULL or "": the current one */
    const char *config_path;
};

extern const char *const hf_kube_auth_choices[];

#define HF_KUBE_FIELDS                                                                             \
    {.key = "auth_type",                                                                           \
     .type = HF_FIELD_ENUM,                                                                        \
     .offset = offsetof(struct hf_kube_config, auth_type),                                         \
     .choices = hf_kube_auth_choices,                                                              \
     .default_text = "serviceAccount",                                                             \
     .help = "How to sign in to the Kubernetes API: as the pod's service account, by a "           \
             "kubeconfig file, or not at all."},                                                   \
        {.key = "context",                                                                         \
         .type = HF_FIELD_STRING,                                                                  \
         .offset = offsetof(struct hf_kube_config, context),                                       \
         .help = "The context of the kubeconfig file; the current one without."},                  \
        {.key = "kube_config_path",                                                                \
         .type = HF_FIELD_STRING,                                                                  \
         .offset = offsetof(struct hf_kube_config, config_path),                                   \
         .help = "The kubeconfig file; without, that of KUBECONFIG or ~/.kube/config."},           \
        {.key = "kube_api_qps",                                                                    \
         .type = HF_FIELD_IGNORED,                                                                 \
         .help = "Objects are read by one list and one watch a kind."},                            \
    {                                                                                              \
        .key = "kube_api_burst", .type = HF_FIELD_IGNORED,                                         \
        .help = "Objects are read by one list and one watch a kind."                               \
    }

struct hf_kube_access {
    char *url; /* "https://10.0.0.1:443", without a slash at the end */
    bool has_tls;
    struct hf_tls_config tls; /* its strings are malloc'd */
    char *token_file;         /* NULL: none */
    char *authorization;      /* the header's value; NULL: none */
    char *proxy_url;
};

/* On failure `reterr` (HF_ERROR_MAX) is one sentence with what to do. */
HF_MUST_USE enum hf_status hf_kube_access_find(const struct hf_kube_config *config,
                                               struct hf_kube_access *ret_access, char *reterr);
/* The folder with the pod's token and ca.crt. */
const char *hf_kube_account_folder(void);
/* The pod's namespace, cut at `size`. False, with `reterr` (HF_ERROR_MAX): there is none. */
HF_MUST_USE bool hf_kube_own_namespace(char *ret_name, size_t size, char *reterr);
void hf_kube_access_release(struct hf_kube_access *access);
