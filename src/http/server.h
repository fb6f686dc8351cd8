/*
 * server: an HTTP/1.1 server (libmicrohttpd), ignorant of pipelines. Serves OTLP/HTTP, health and
 * metrics.
 *
 * Handlers run on the server's pool of threads, when the request is whole: method, path, headers
 * and body (collected within the limit, decoded when a coding is named). The answer may come later
 * from any thread: the connection is suspended until then.
 *
 * A request that a proxy could have read in another way is refused before any handler sees it, and
 * its connection ends (server_head.h).
 *
 * A peer that speaks another protocol than the port is for (TLS in clear, clear text for TLS,
 * HTTP/2) gets an answer that it understands, and goes. Blanks around the values of headers are no
 * part of them.
 *
 * What a stranger can make it hold is bounded: connections, headers (64 KiB a connection), bodies
 * in all as they arrive (util/intake.h), and time: headers must be whole within a minute, a body
 * must come at a least rate and within its time. When the memory for bodies is nearly full, a large
 * body waits, unread, until others are done, and the body that comes slowest is ended with 503. A
 * refused body is read and thrown away as far as that is cheap, so that the sender sees the answer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/field.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "cors.h"
#include "server_stream.h"

struct hf_http_server;
struct hf_tls_config;
struct hf_http_request;

struct hf_http_server_options {
    int listen_fd;    /* taken over, also on failure; non-blocking */
    unsigned threads; /* 0: 1 */
    /* The `tls:` section, borrowed until the server is freed: its files are looked at again at new
     * connections, at most every reload_interval (5 s without). NULL: as the texts below say. */
    const struct hf_tls_config *tls;
    /* The same as texts, which are copied; all NULL: cleartext. With tls_client_ca_pem a client
     * must show a certificate that it signed. `tls_priorities` is in GnuTLS's notation; NULL:
     * TLS 1.2 and 1.3. */
    const char *tls_cert_pem, *tls_key_pem, *tls_client_ca_pem, *tls_priorities;
    size_t body_bytes_max;       /* as sent, and decoded; 0: no limit but buffered_bytes_max */
    uint64_t buffered_bytes_max; /* of all unfinished bodies; 0: 256 MiB; a body has three quarters
                                    at most */
    uint64_t body_time_ns;       /* from its first byte to its last; 0: 10 min */
    uint64_t body_rate;          /* bytes a second that must come after 30 s; 0: 1,024 */
    size_t connections_max;      /* 0: 10,000 */
    size_t connections_per_peer_max;                     /* util/peer.h; 0: no limit of its own */
    unsigned idle_timeout_s;                             /* between requests; 0: none */
    const struct hf_cors_config *cors;                   /* NULL: none */
    const struct hf_string_map *response_headers;        /* NULL: none */
    const struct hf_string_list *compression_algorithms; /* NULL: all */
    bool keeps_targets;                                  /* for hf_http_target() */
    bool is_otlp; /* clients of other protocols are told where OTLP/gRPC is */
    /*
     * A pool thread: the headers are here, the body is not. HF_OK to go on, or answer by
     * hf_http_answer() and return anything else. After hf_http_hold() with HF_OK it is called once
     * more, when the request goes on. May be NULL.
     */
    enum hf_status (*on_headers)(void *user, struct hf_http_request *request);
    /*
     * A pool thread: the request is whole. Ends in one hf_http_answer(), now or later. When the
     * body could not be taken, `fault` is HF_TOO_LARGE, HF_UNSUPPORTED (coding) or HF_INVALID (its
     * decoding), and the body is empty: the handler words the answer.
     */
    void (*on_request)(void *user, struct hf_http_request *request, enum hf_status fault);
    /* A connection that failed: a TLS handshake, a request that could be read in two ways, or a
     * peer of another protocol than the port's. With `peer` NULL: renewed certificate files that
     * are not used, and why. Any of the server's threads; must not block. May be NULL. */
    void (*on_error)(void *user, const char *peer, const char *what);
    /* A pool thread: a request with something in hf_http_request_data() is no more, answered or
     * not. May be NULL. */
    void (*on_gone)(void *user, struct hf_http_request *request);
    /* Once, after a stop: no thread uses `user` any more; none of these is called. May be NULL. */
    void (*on_end)(void *user);
    void *user;
};

/* Serves at once. The socket is taken over, also when it fails. HF_NOMEM, HF_IO, HF_INVALID with a
 * sentence in `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_http_server_new(const struct hf_http_server_options *options,
                                              struct hf_http_server **ret_server, char *reterr);
/* Accepts no more, lets connections end with their next answer for a fifth of `grace_ns`, waits for
 * requests in progress at most `grace_ns`, and cuts the rest. A blocked handler or a request
 * without an answer is not waited for: on_end tells when the last has come back. */
void hf_http_server_stop(struct hf_http_server *server, uint64_t grace_ns);
/* Stops it, and waits for its threads; with on_end for answers, too. */
void hf_http_server_free(struct hf_http_server *server);

/* ---- a request: one pool thread until on_request returns; from then on only hf_http_answer() ----
 */
const char *hf_http_method(const struct hf_http_request *request);
const char *hf_http_path(const struct hf_http_request *request);
/* As it was sent, with its query, perhaps a URL. NULL: not kept by the options, or no memory. */
const char *hf_http_target(const struct hf_http_request *request);
const char *hf_http_query(const struct hf_http_request *request,
                          const char *key); /* NULL: absent */
const char *hf_http_peer(const struct hf_http_request *request);
struct hf_slice hf_http_header(const struct hf_http_request *request,
                               const char *name); /* case-insensitive; empty: absent */
void hf_http_header_each(const struct hf_http_request *request,
                         void (*visit)(void *user, struct hf_slice name, struct hf_slice value),
                         void *user);

struct hf_http_body {
    struct hf_slice wire, raw;
    enum hf_coding coding;
    struct hf_ref *owner, *raw_owner; /* as in grpc/server.h */
};
const struct hf_http_body *hf_http_request_body(const struct hf_http_request *request);
/* A place for the handler's own pointer; unless it is NULL, on_gone tells of the request's end. */
void **hf_http_request_data(struct hf_http_request *request);

/*
 * In on_headers, once a request: suspends it until hf_http_go_on(), which is to be called exactly
 * once, by any thread, also when the client goes away meanwhile; then the request is no more the
 * caller's.
 */
void hf_http_hold(struct hf_http_request *request);
void hf_http_go_on(struct hf_http_request *request);
/* Any thread, between the two: is the client still there? */
bool hf_http_is_alive(struct hf_http_request *request);

#define HF_HTTP_SIZE_UNKNOWN UINT64_MAX /* for head_bytes */
struct hf_http_answer_header {
    const char *name, *value; /* both copied; without line ends */
};

struct hf_http_answer {
    int status;
    const char *content_type;                    /* NULL: none */
    struct hf_slice body;                        /* copied */
    struct hf_http_stream *stream;               /* instead of it, and taken over */
    uint64_t retry_after_s;                      /* 0: none */
    const char *allow;                           /* for 405; NULL: none */
    const struct hf_http_answer_header *headers; /* those with a value; besides the ones above */
    size_t header_count;
    uint64_t head_bytes; /* to a HEAD: the size of what a GET would get; 0: that of `body` */
    bool close;
};
/* Any thread, once a request. */
void hf_http_answer(struct hf_http_request *request, const struct hf_http_answer *answer);
