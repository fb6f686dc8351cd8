/*
 * trust: the certificate of the webhook, made and renewed by itself: kept in a Secret that all
 * replicas share, written to files for the server, and its authority written into the
 * MutatingWebhookConfiguration. The authority lives ten years and signs the certificates after it,
 * so that a renewal changes no caBundle; when it is renewed itself, the old one stays trusted
 * beside it. Owned by one thread.
 */
#pragma once

#include "kubernetes/client.h"

struct hf_trust_options {
    struct hf_kube_client *client;
    const char *namespace, *service; /* of the webhook's Service: the certificate's names */
    const char *secret;              /* the name of the Secret, in that namespace */
    const char *configuration;       /* the MutatingWebhookConfiguration; NULL: none is changed */
    const char *cert_file, *key_file;
    uint64_t lifetime_s; /* of a certificate; renewed after two thirds of it */
};

struct hf_trust {
    struct hf_trust_options options;
    char *written; /* the certificate that is in the files; NULL: none */
};

/* Looks once at all of it and does what is to be done. HF_AGAIN: another replica was faster, look
 * again soon. `ret_did` (HF_ERROR_MAX) says what was changed, "" when nothing was; on failure
 * `reterr`. */
HF_MUST_USE enum hf_status hf_trust_look(struct hf_trust *trust, char *ret_did, char *reterr);
void hf_trust_release(struct hf_trust *trust);
