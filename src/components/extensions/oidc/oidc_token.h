/*
 * oidc_token: a JSON Web Token (RFC 7519) in its compact form, and whether its claims hold. Any
 * thread; its texts live in the arena.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/arena.h"
#include "json/json.h"

#define OIDC_TOKEN_MAX ((size_t)16 << 10)

struct oidc_token {
    struct hf_slice signed_part, signature;
    struct hf_slice algorithm, key_id, issuer;
    const struct hf_json *claims;
};

/* HF_INVALID: it is none. HF_NOMEM. */
HF_MUST_USE enum hf_status oidc_token_read(struct hf_slice text, struct hf_arena *arena,
                                           struct oidc_token *ret_token);

/* `issuer` and `audience` NULL: any. The token is in force: it ends later than `now_s` and began,
 * or begins within five minutes. */
HF_MUST_USE bool oidc_token_holds(const struct oidc_token *token, const char *issuer,
                                  const char *audience, int64_t now_s);
