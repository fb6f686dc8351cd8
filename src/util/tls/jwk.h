/*
 * jwk: public keys by their numbers (RFC 7517, 7518, 8037) and the signatures of JSON Web Tokens
 * made with them. A key is immutable; any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

struct hf_jwk;

/* HF_INVALID: no such key, or one too weak (RSA below 2048 bits). HF_NOMEM. */
HF_MUST_USE enum hf_status hf_jwk_rsa(struct hf_slice modulus, struct hf_slice exponent,
                                      struct hf_jwk **ret_key);
/* `curve`: "P-256", "P-384", "P-521". Errors as above, here and below. */
HF_MUST_USE enum hf_status hf_jwk_ec(struct hf_slice curve, struct hf_slice x, struct hf_slice y,
                                     struct hf_jwk **ret_key);
HF_MUST_USE enum hf_status hf_jwk_ed25519(struct hf_slice x, struct hf_jwk **ret_key);
void hf_jwk_free(struct hf_jwk *key);

/* Is it the signature of `data` by that key and algorithm ("RS256", "PS512", "ES384", "EdDSA")?
 * False as well for an algorithm that the key is not for. */
HF_MUST_USE bool hf_jwk_verify(const struct hf_jwk *key, struct hf_slice algorithm,
                               struct hf_slice data, struct hf_slice signature);
