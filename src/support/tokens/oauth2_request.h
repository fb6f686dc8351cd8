/*
 * oauth2_request: one request to an OAuth 2.0 token endpoint, with the grant client_credentials or
 * with an assertion that the client signs, and its answer. Owned by the thread that fetches.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/field.h>
#include <holdfast/status.h>

#include "http/fetch.h"
#include "token_keeper.h"
#include "util/tls/tls.h"

enum hf_oauth2_grant { HF_OAUTH2_CLIENT_CREDENTIALS = 0, HF_OAUTH2_JWT_BEARER };

struct hf_oauth2_config {
    const char *client_id, *client_id_file, *client_secret, *client_secret_file, *token_url;
    struct hf_string_list scopes;
    struct hf_value endpoint_params;
    struct hf_tls_config tls;
    uint64_t timeout_ns, expiry_buffer_ns;
    int64_t grant_type; /* enum hf_oauth2_grant */
    struct {            /* of the assertion */
        const char *key, *key_file, *key_id, *algorithm, *issuer, *audience;
        struct hf_value claims;
    } jwt;
    const char *proxy_url; /* NULL: none */
};

/* How the client's credentials are sent: servers know one of the two. */
enum hf_oauth2_style { HF_OAUTH2_UNKNOWN = 0, HF_OAUTH2_HEADER, HF_OAUTH2_BODY };

/* HF_OK with the token; HF_INVALID, HF_UNAUTHENTICATED, HF_AGAIN, ... with a sentence in `reterr`
 * (HF_ERROR_MAX), in which no secret stands. HF_CLOSED: the fetcher was stopped. `style` remembers
 * what the server knows. */
HF_MUST_USE enum hf_status hf_oauth2_request_token(struct hf_http_fetcher *fetcher,
                                                   const struct hf_oauth2_config *config,
                                                   enum hf_oauth2_style *style,
                                                   struct hf_token *ret_token, char *reterr);

/* What no single key of a configuration tells: NULL or a sentence. */
const char *hf_oauth2_check(const struct hf_oauth2_config *config);
