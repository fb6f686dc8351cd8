/*
 * http_admission: the check of credentials in `on_headers` of an HTTP server: at once, or by an
 * admission (ingress_auth.h) that is kept as the request's data, and for which the request is held.
 */
#pragma once

#include "http/server.h"
#include "ingress_auth.h"

/* What an authenticator looks at. */
struct hf_auth_request hf_http_admission_shown(struct hf_http_request *request);

/* In on_headers: true: *ret_status is HF_OK or says why the client is refused. False: the request
 * is on hold, and on_headers is called again when it is known. */
HF_MUST_USE bool hf_http_admission_check(const struct hf_auth_ref *auth,
                                         const struct hf_ingress_wanted *wanted,
                                         struct hf_http_request *request,
                                         enum hf_status *ret_status);

/* The server's on_gone, where nothing else is kept as the request's data. */
void hf_http_admission_gone(void *user, struct hf_http_request *request);
