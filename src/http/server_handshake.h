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

#include <holdfast/field.h>
#include <holdfast/status.h>

struct http_handshake {
    /* Set before. */
    bool asks_client;             /* for a certificate, which must be a good one then */
    const char *least;            /* "1.2": the lowest version that is allowed; borrowed */
    struct hf_string_list suites; /* cipher suites that are; empty: any. Borrowed */
    /* As it goes on. */
    bool greeted;       /* a ClientHello came */
    bool agreed;        /* and there is a version and a cipher suite for it */
    bool showed, shown; /* the client's answer to that came; and there is a certificate in it */
    bool done;
    unsigned offered; /* the highest version of the ClientHello, as on the wire */
    char certificate_error[200];
};

void hf_http_handshake_watch(struct http_handshake *handshake, gnutls_session_t session);

/* After it: one sentence into `ret_why`. False: it went well, or none was begun. */
HF_MUST_USE bool hf_http_handshake_failed(const struct http_handshake *handshake, int fd,
                                          char ret_why[256]);
