/*
 * client: unary gRPC calls over HTTP/2 to one target with one or more addresses, ignorant of
 * pipelines.
 *
 * Lives on one loop. Connects by itself, in the background, resolves names off the loop's thread
 * (again before each reconnect and every 30 s for round robin), keeps one connection an address
 * (pick_first: one in all), and multiplexes calls. Bodies are not copied: they go out by gathering
 * writes, and are the caller's until `done`. A call that cannot be written yet waits for the
 * connection until its deadline. After GOAWAY, calls the server did not take are sent again on a
 * new connection; the others end with UNAVAILABLE.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/auth.h>
#include <holdfast/batch.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/loop.h"

struct hf_grpc_client;
struct hf_tls;

struct hf_grpc_client_options {
    struct hf_loop *loop;
    const char *target;      /* host:port, dns:///host:port, [v6]:port, unix:///path, unix:path; no
                                scheme http(s) */
    struct hf_tls *tls;      /* NULL: cleartext */
    const char *server_name; /* TLS and :authority; NULL: the target's host */
    const char *authority;   /* NULL: the target */
    const char *user_agent;
    bool round_robin;
    const char *proxy_url; /* HTTP CONNECT proxy, or NULL; "" takes HTTPS_PROXY / NO_PROXY from the
                              environment */
    size_t flush_bytes;    /* gathered in one write; 0: 1 MiB */
    size_t response_bytes_max;                        /* 0: 4 MiB */
    uint64_t keepalive_time_ns, keepalive_timeout_ns; /* 0: no pings */
    bool permit_without_stream;
    /* Connection came up, or could not be made: for the log. May be NULL. */
    void (*on_state)(void *user, bool connected, const char *what);
    void *user;
};

struct hf_grpc_result {
    int code; /* grpc-status; UNAVAILABLE (14) for a broken connection, DEADLINE_EXCEEDED (4) */
    int http_status;     /* of an answer that is not gRPC's, which `code` follows from; 0: it is */
    const char *message; /* percent-decoded; "" when none */
    bool has_retry_info;
    uint64_t retry_delay_ns;
    struct hf_slice response; /* the decoded response message */
};

/* The caller's memory from hf_grpc_client_call() until `done`; zeroed before. */
struct hf_grpc_request {
    const char *path;
    const struct hf_slice *pieces; /* the message, coded as `coding`; the caller's until done */
    size_t piece_count;
    enum hf_coding coding; /* IDENTITY, GZIP, ZSTD, SNAPPY_FRAMED */
    const struct hf_header *headers;
    size_t header_count;
    uint64_t deadline_ns; /* monotonic; 0: none */
    void (*done)(struct hf_grpc_request *request, const struct hf_grpc_result *result);
    void *client_data;     /* the client's */
    struct hf_timer timer; /* the client's */
};

/* HF_NOMEM; HF_INVALID: the target or the proxy; with a sentence in `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_grpc_client_new(const struct hf_grpc_client_options *options,
                                              struct hf_grpc_client **ret_client, char *reterr);
/* The loop's thread. Ends in exactly one `done`, never before this returns. */
void hf_grpc_client_call(struct hf_grpc_client *client, struct hf_grpc_request *request);
/* The loop's thread: ends it with CANCELLED (`done` is called before this returns). */
void hf_grpc_client_cancel(struct hf_grpc_client *client, struct hf_grpc_request *request);
/* The loop's thread, or when the loop no longer runs: cancels all calls, closes, frees. */
void hf_grpc_client_free(struct hf_grpc_client *client);
