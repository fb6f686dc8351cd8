/*
 * oidc_keys: a set of public keys (JWKS). Immutable once read; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/tls/jwk.h"

#define OIDC_KEYS_MAX 64u
#define OIDC_KEY_ID_MAX 128u

struct oidc_key {
    char id[OIDC_KEY_ID_MAX]; /* "" : none */
    char algorithm[16];       /* the only one that it is for; "": any of its kind */
    struct hf_jwk *key;
};

struct oidc_keys {
    struct oidc_key items[OIDC_KEYS_MAX];
    size_t count;
};

/* The keys that can verify; those of other kinds are left out. HF_INVALID: there is none, or it is
 * no set of keys. HF_NOMEM. */
HF_MUST_USE enum hf_status oidc_keys_read(struct hf_slice json, struct oidc_keys **ret_keys);
void oidc_keys_free(struct oidc_keys *keys);

/* Is there a key of that id, or any at all for no id? */
bool oidc_keys_has(const struct oidc_keys *keys, struct hf_slice id);
/* Did one of the keys of that id (all of them when it is empty) sign it? */
bool oidc_keys_verify(const struct oidc_keys *keys, struct hf_slice id, struct hf_slice algorithm,
                      struct hf_slice data, struct hf_slice signature);
