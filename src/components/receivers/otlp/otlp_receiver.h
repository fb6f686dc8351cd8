/*
 * otlp_internal: what the two transports of the otlp receiver share.
 */
#pragma once

#include <holdfast/component.h>

#include "http/server.h"
#include "util/log_limiter.h"
#include "util/tls.h"

struct hf_series;

/* What the queue takes as one record, and what a configuration without the key allows. */
#define OTLP_MESSAGE_BYTES_MAX ((size_t)256 << 20)
#define OTLP_MESSAGE_BYTES_DEFAULT ((size_t)4 << 20)

struct otlp_auth_config {
    const char *authenticator;
};

struct otlp_keepalive_config {
    struct {
        uint64_t max_connection_idle_ns, max_connection_age_ns, max_connection_age_grace_ns;
        uint64_t time_ns, timeout_ns;
    } server;
    struct {
        uint64_t min_time_ns;
        bool permit_without_stream;
    } enforcement;
};

struct otlp_grpc_config {
    const char *endpoint;
    bool endpoint_written;
    const char *transport, *mode;
    const struct hf_tls_config *tls;
    int64_t max_recv_msg_size_mib, max_concurrent_streams, read_buffer_size;
    int64_t max_connections, max_connections_per_peer;
    struct otlp_keepalive_config keepalive;
    const struct otlp_auth_config *auth;
    bool include_metadata;
    uint64_t read_timeout_ns, min_read_rate;
};

struct otlp_http_config {
    const char *endpoint, *mode;
    bool endpoint_written;
    const struct hf_tls_config *tls;
    const struct hf_cors_config *cors;
    uint64_t max_request_body_size;
    uint64_t read_timeout_ns, min_read_rate;
    int64_t max_connections, max_connections_per_peer;
    struct hf_string_map response_headers;
    struct hf_string_list compression_algorithms;
    bool compression_algorithms_written;
    const struct otlp_auth_config *auth;
    bool include_metadata;
    const char *url_paths[HF_SIGNAL_COUNT];
};

struct otlp_config {
    struct {
        const struct otlp_grpc_config *grpc;
        const struct otlp_http_config *http;
    } protocols;
    bool strict_utf8;
};

/* Authentication of one protocol; `ops` NULL: none. */
struct otlp_auth {
    const struct hf_auth *ops;
    void *self;
};

/* What of the client somebody downstream reads. */
struct otlp_wanted {
    const struct hf_node *node;
    const char *const *keys; /* headers, and "auth.NAME" for what the authenticator tells */
    size_t key_count;
    bool headers, peer, auth; /* is there any of that kind? */
};

/* Immutable after start, but for what it has said lately. */
struct otlp_receiver {
    struct hf_node *node;
    const struct otlp_config *config;
    struct hf_log_limiter said;
    struct otlp_grpc *grpc;
    struct otlp_http *http;
};

/* How long a stop waits for calls in progress. */
#define OTLP_STOP_GRACE_NS UINT64_C(1500000000)
/* How long a refused sender is asked to wait. */
#define OTLP_RETRY_DELAY_NS UINT64_C(1000000000)

HF_MUST_USE enum hf_status otlp_find_auth(const struct hf_node *node,
                                          const struct otlp_auth_config *config,
                                          struct otlp_auth *ret_auth, char *reterr);

/* Says in the log when headers are wanted that the protocol does not keep. */
void otlp_find_wanted(const struct hf_node *node, const char *protocol, bool include_metadata,
                      struct otlp_wanted *ret_wanted);

/* The bytes that one transport's unfinished requests may hold. Says when that leaves less to one
 * request than `most` bytes, which the key `key` allows. */
uint64_t otlp_intake_total(const struct hf_node *node, const char *key, uint64_t most);

/* A counter of requests that were not data: reason "malformed", "protocol", "unauthenticated", ...
 */
struct hf_series *otlp_error_series(const struct hf_node *node, const char *transport,
                                    const char *reason);

/* Says what is wrong with a peer's connection, credentials or requests, once per minute and peer,
 * whatever its port; within the limits of util/log_limiter.h. Any thread. */
void otlp_complain(struct otlp_receiver *receiver, const char *peer, const char *what);
/* The same with a text that varies from request to request: one line per `kind`, with the first. */
void otlp_complain_of(struct otlp_receiver *receiver, const char *peer, const char *kind,
                      const char *what);
/* The two halves of otlp_complain_of(), for a text that costs something to make. */
HF_MUST_USE bool otlp_may_complain(struct otlp_receiver *receiver, const char *peer,
                                   const char *kind);
void otlp_say(struct otlp_receiver *receiver, const char *peer, const char *what);
/* That a request was refused for what it met here; the end of the process has its own lines. */
void otlp_complain_refused(struct otlp_receiver *receiver, const char *peer, enum hf_status status);
/* Says why renewed certificate files are not used. Any thread. */
void otlp_warn_reload(const struct otlp_receiver *receiver, const char *protocol, const char *why);

/* The largest message, of what the configuration wants, with a warning when that is less.
 * `memory_bytes`: all that this process may have; UINT64_MAX: not known. */
size_t otlp_message_limit(const struct hf_node *node, const char *key, uint64_t wanted_bytes,
                          uint64_t memory_bytes);

/* Says once that the default address is open to all. */
void otlp_warn_default(const struct hf_node *node, const char *protocol, const char *endpoint,
                       bool written);

/* otlp_grpc.c */
HF_MUST_USE enum hf_status otlp_grpc_open(struct otlp_receiver *receiver, struct otlp_grpc **ret,
                                          char *reterr);
void otlp_grpc_start(struct otlp_grpc *grpc);
void otlp_grpc_stop(struct otlp_grpc *grpc);
void otlp_grpc_close(struct otlp_grpc *grpc);

/* otlp_http.c */
HF_MUST_USE enum hf_status otlp_http_open(struct otlp_receiver *receiver, struct otlp_http **ret,
                                          char *reterr);
HF_MUST_USE enum hf_status otlp_http_start(struct otlp_http *http, char *reterr);
/* `until_ns`: monotonic. */
void otlp_http_stop(struct otlp_http *http, uint64_t until_ns);
void otlp_http_close(struct otlp_http *http);
