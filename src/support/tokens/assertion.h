/*
 * assertion: what a client shows at a token endpoint in place of a secret (RFC 7523): a JWT that it
 * has signed with its RSA key. Any thread; no state.
 */
#pragma once

#include <holdfast/field.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

/* The value of the form's grant_type. */
#define HF_ASSERTION_GRANT "urn:ietf:params:oauth:grant-type:jwt-bearer"

/* Empty slices: there is none. */
struct hf_assertion {
    const char *algorithm;           /* RS256, RS384 or RS512 */
    struct hf_slice key, key_id;     /* in PEM */
    struct hf_slice issuer, subject; /* iss, sub */
    struct hf_slice audience;        /* aud: usually the URL of the token endpoint */
    struct hf_slice scope;           /* parted by blanks */
    struct hf_slice target_audience; /* of an id token of Google */
    const struct hf_value *claims;   /* a map of further ones, which win; NULL: none */
    struct hf_slice id;              /* jti */
    uint64_t life_s;
};

/* Appends the token. HF_INVALID: the key is no RSA key in PEM. HF_UNSUPPORTED: the system's OpenSSL
 * is set up without such signatures. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_assertion_make(const struct hf_assertion *assertion,
                                             struct hf_bytes *out);
