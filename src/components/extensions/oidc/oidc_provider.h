/*
 * oidc_provider: an issuer of tokens and its keys, which a thread fetches and renews. A meeting
 * place: the keys are replaced under a lock that those who verify share.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <holdfast/node.h>
#include <holdfast/status.h>

#include "http/fetch.h"
#include "oidc_keys.h"
#include "util/file_watch.h"
#include "util/tls/tls.h"

struct oidc_provider_config {
    const char *issuer_url, *audience, *issuer_ca_path, *username_claim, *groups_claim,
        *public_keys_file;
    bool ignore_audience, ignore_issuer;
};

struct oidc_provider {
    const struct oidc_provider_config *config;
    struct hf_node *node;
    struct hf_tls_config tls;
    struct hf_http_fetcher *fetcher; /* NULL: keys of a file */
    struct hf_file_watch watched;
    pthread_rwlock_t lock;           /* of the keys */
    struct oidc_keys *keys;          /* NULL: none yet */
    uint64_t due_ns, failed_wait_ns; /* the thread's */
    atomic_uint_fast64_t asked_ns;   /* when a token with an unknown key last had them renewed */
};

HF_MUST_USE enum hf_status oidc_provider_open(struct hf_node *node,
                                              const struct oidc_provider_config *config,
                                              struct oidc_provider *ret, char *reterr);
void oidc_provider_close(struct oidc_provider *provider);

/* Reads the keys now. On failure `reterr` (HF_ERROR_MAX) is a sentence. */
HF_MUST_USE enum hf_status oidc_provider_try(struct oidc_provider *provider, char *reterr);
/* The thread: renews the keys when that is due. Returns when it is due next (monotonic). */
uint64_t oidc_provider_renew(struct oidc_provider *provider, uint64_t now_ns);

enum oidc_known { OIDC_NO_KEYS, OIDC_UNKNOWN_KEY, OIDC_KNOWN_KEY };
/* Any thread. */
enum oidc_known oidc_provider_knows(struct oidc_provider *provider, struct hf_slice key_id);
/* Any thread: may keys be fetched for a token of an unknown one? Not within 10 s of the last. */
bool oidc_provider_may_ask(struct oidc_provider *provider, uint64_t now_ns);
bool oidc_provider_verify(struct oidc_provider *provider, struct hf_slice key_id,
                          struct hf_slice algorithm, struct hf_slice data,
                          struct hf_slice signature);
