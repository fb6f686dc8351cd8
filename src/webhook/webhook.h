/*
 * webhook: `holdfast webhook`: the admission webhook that puts a sidecar into pods: POST /mutate
 * over TLS, GET /healthz for probes. It keeps nothing; any number of replicas may run. Main thread.
 */
#pragma once

#include "kubernetes/access.h"
#include "settings.h"

struct hf_webhook_options {
    struct hf_webhook_settings settings;
    const char *listen; /* host:port */
    struct hf_kube_config kube;
    /* Files that others renew, as cert-manager does; NULL: the certificate is made and kept here.
     */
    const char *cert_file, *key_file;
    const char *service,
        *secret;                /* of a certificate that is made here; in settings.own_namespace */
    const char *configuration;  /* the MutatingWebhookConfiguration that gets its authority */
    const char *cert_directory; /* where the files are written */
    uint64_t lifetime_s;        /* of a certificate that is made here */
};

/* Until SIGTERM or SIGINT. False: an error was printed to standard error. */
HF_MUST_USE bool hf_webhook_run(const struct hf_webhook_options *options);
