/*
 * otlp_client: one backend that speaks OTLP/gRPC: the connection, credentials, headers, compression
 * and the requests in flight. For exporters; an answer is judged by the table of codes (verdict.h).
 *
 * Owned by the thread of the delivery, whose loop it runs on.
 */
#pragma once

#include <holdfast/export.h>
#include <holdfast/node.h>

#include "support/settings/configgrpc.h"

struct hf_otlp_client;

struct hf_otlp_client_options {
    struct hf_node *node;
    const struct hf_grpc_client_config *config; /* borrowed until the client is freed */
    const char *endpoint; /* in place of that of the configuration; copied; NULL: that one */
    bool forward_gzip;    /* join gzip members as they came */
    bool once;            /* hf_otlp_exporter_send() names the records, see record_header.h */
};

/* HF_INVALID and others with a sentence in `reterr` (HF_ERROR_MAX). Main thread in `open`, or the
 * loop's. */
HF_MUST_USE enum hf_status hf_otlp_client_open(const struct hf_otlp_client_options *options,
                                               struct hf_otlp_client **ret_client, char *reterr);

/* One request; `bodies` and `meta` are borrowed until `done`. */
struct hf_otlp_send {
    enum hf_signal signal;
    const struct hf_export_body *bodies;
    size_t body_count;
    struct hf_slice meta;
    uint64_t deadline_ns; /* monotonic; 0: none */
    struct hf_slice
        record_names; /* the value of holdfast-records, borrowed for the call; or empty */
    /* Once, at once or later; the outcome's message is borrowed for the call. */
    void (*done)(void *user, const struct hf_outcome *outcome);
    void *user;
};

/* The struct is copied. */
void hf_otlp_client_send(struct hf_otlp_client *client, const struct hf_otlp_send *send);

/* As a component's `context_keys`. */
const char *const *hf_otlp_client_context_keys(const struct hf_otlp_client *client,
                                               size_t *ret_count);

/* `send`, `context_keys` and `close` of an exporter whose `self` is a struct hf_otlp_client. */
void hf_otlp_exporter_send(void *self, struct hf_export *export);
const char *const *hf_otlp_exporter_context_keys(void *self, size_t *ret_count);
void hf_otlp_exporter_close(void *self);

/* Ends what is in flight, on the loop's thread or when it no longer runs. NULL is nothing. */
void hf_otlp_client_free(struct hf_otlp_client *client);
