/*
 * jwt: JSON Web Tokens that are made here, signed with an RSA key. Any thread; no state.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

/* Appends the token of these two JSON texts, with RS256, RS384 or RS512 ("alg" is the header's own
 * to say) by a private key in PEM. HF_INVALID: the text is no such key. HF_UNSUPPORTED: no such
 * algorithm, or the system's OpenSSL is set up without it. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_jwt_sign(const char *algorithm, struct hf_slice pem,
                                       struct hf_slice header, struct hf_slice claims,
                                       struct hf_bytes *out);
