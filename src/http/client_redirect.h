/*
 * client_redirect: where an answer 307 or 308 sends a request on to, and what may go along. The
 * loop's thread.
 *
 * Credentials are for the host of the configuration, or its https form: on the way to any other
 * host a request loses its headers (but those that describe its body), the client certificate and
 * the name that the certificate was to have. From https to http no request is led.
 */
#pragma once

#include "client_internal.h"

#define HF_HTTP_REDIRECTS_MAX 5u

/*
 * Makes the transfer's next URL of `location`, an absolute URL as libcurl resolves it. NULL when
 * the request is to be sent there; else why it is not: a static text. `ret_shown` is where it
 * leads, without what may be secret, cut to its room.
 */
HF_MUST_USE const char *hf_http_redirect_prepare(struct http_transfer *transfer, bool has_socket,
                                                 int code, const char *location,
                                                 char ret_shown[HF_HTTP_SHOWN_MAX]);

/* May a header of that name, in lower case, go to another host? */
bool hf_http_redirect_keeps(struct hf_slice name);
