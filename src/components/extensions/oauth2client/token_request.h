/*
 * token_request: one request to an OAuth 2.0 token endpoint with the grant client_credentials, and
 * its answer. Owned by the thread that fetches.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/field.h>
#include <holdfast/status.h>

#include "http/fetch.h"
#include "support/token_keeper.h"
#include "util/tls.h"

struct oauth2_config {
    const char *client_id, *client_id_file, *client_secret, *client_secret_file, *token_url;
    struct hf_string_list scopes;
    struct hf_value endpoint_params;
    struct hf_tls_config tls;
    uint64_t timeout_ns, expiry_buffer_ns;
    int64_t grant_type;
};

/* How the client's credentials are sent: servers know one of the two. */
enum oauth2_style { OAUTH2_UNKNOWN = 0, OAUTH2_HEADER, OAUTH2_BODY };

/* HF_OK with the token; HF_INVALID, HF_UNAUTHENTICATED, HF_AGAIN, ... with a sentence in `reterr`
 * (HF_ERROR_MAX), in which no secret stands. HF_CLOSED: the fetcher was stopped. `style` remembers
 * what the server knows. */
HF_MUST_USE enum hf_status oauth2_request_token(struct hf_http_fetcher *fetcher,
                                                const struct oauth2_config *config,
                                                enum oauth2_style *style,
                                                struct hf_token *ret_token, char *reterr);
