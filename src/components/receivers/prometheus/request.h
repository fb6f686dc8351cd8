/*
 * request: the clients of a receiver, and the headers of their requests: accepted formats,
 * credentials. The loop's thread, but for open and close.
 */
#pragma once

#include "receiver.h"

struct prom_request {
    struct hf_header headers[PROM_HEADERS_MAX];
    size_t header_count;
    char timeout[32];
    char authorization[HF_TOKEN_MAX];
};

struct prom_client_options {
    struct prom_receiver *receiver;
    const char *what; /* the job's name, for the log */
    const struct prom_http *http;
    bool accept_gzip;
    uint64_t response_bytes_max;
};

/* On failure `reterr` (HF_ERROR_MAX) holds a sentence; close it all the same. */
HF_MUST_USE enum hf_status prom_client_open(const struct prom_client_options *options,
                                            struct prom_client *ret_client, char *reterr);
void prom_client_close(struct prom_client *client);
/* Any thread: waits for its first token, if it needs one, but not beyond `due_ns` (monotonic). */
void prom_client_wait(struct prom_client *client, uint64_t due_ns);
/* A server has answered: a token that it refuses is renewed. */
void prom_client_answered(struct prom_client *client, int code);

/* The headers of one request; they last as long as the request and the client. `accept` NULL and
 * `timeout_ns` 0: none of that kind. */
void prom_request_fill(struct prom_request *request, struct prom_client *client, const char *accept,
                       uint64_t timeout_ns);

/* What a job's requests accept. */
void prom_request_accept(struct prom_job_state *job);
