/*
 * server_handshake: why a client did not come through the TLS handshake.
 *
 * libmicrohttpd closes the connection and says nothing of the reason. So the steps of the handshake
 * are noted as they are taken, and read when the connection is over. Owned by the connection; its
 * thread.
 */
#pragma once

#include <gnutls/gnutls.h>
#include <stdbool.h>

struct http_handshake {
    bool greeted;       /* a ClientHello came */
    bool agreed;        /* and there is a version and a cipher suite for it */
    bool asks_client;   /* for a certificate */
    bool showed, shown; /* the client's answer to that came; and there is a certificate in it */
    bool done;
    unsigned offered;  /* the highest version of the ClientHello, as on the wire */
    const char *least; /* "1.2" */
    char certificate_error[200];
};

/* Before the handshake. A client that is asked for a certificate must show a good one. `least` is
 * the lowest version that is allowed, borrowed. */
void hf_http_handshake_watch(struct http_handshake *handshake, gnutls_session_t session,
                             bool asks_client, const char *least);

/* After it: one sentence into `ret_why`. False: it went well, or nobody even began one. */
HF_MUST_USE bool hf_http_handshake_failed(const struct http_handshake *handshake, int fd,
                                          char ret_why[256]);
