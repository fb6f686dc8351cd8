/*
 * server_tls: the credentials of an encrypted server, for src/http/server*.c only. Any thread.
 */
#pragma once

#include "server_internal.h"

struct http_credentials;
HF_MUST_USE enum hf_status hf_http_tls_new(const struct hf_http_server_options *options,
                                           struct http_tls **ret_tls, char *reterr);
void hf_http_tls_free(struct http_tls *tls);
const char *hf_http_tls_cert(const struct http_tls *tls);
const char *hf_http_tls_key(const struct http_tls *tls);
const char *hf_http_tls_priorities(const struct http_tls *tls);
/* Before the handshake: the credentials of this moment, to be dropped after the session is gone.
 * `handshake` is filled as it goes on. `reterr` (HF_ERROR_MAX) is "", or why renewed files are not
 * used. */
struct http_credentials *hf_http_tls_prepare(struct http_tls *tls,
                                             struct MHD_Connection *connection,
                                             struct http_handshake *handshake, char *reterr);
void hf_http_tls_drop(struct http_credentials *credentials);
