/*
 * tls_session: the functions of tls.c that stream.c uses. Only these two files include this header.
 */
#pragma once

#include <openssl/ssl.h>

#include "tls.h"

/*
 * A session of the present context, which is reloaded before when its files have changed. A client
 * asks for and verifies `server_name`, or the configured override. HF_NOMEM; HF_INVALID for a name
 * that is neither a host name nor an address. Any thread.
 */
HF_MUST_USE enum hf_status hf_tls_session_new(struct hf_tls *tls, const char *server_name,
                                              SSL **ret_session);

/* Did the finished handshake agree on the protocol that the context is for? */
HF_MUST_USE bool hf_tls_session_agreed(const struct hf_tls *tls, const SSL *session);
