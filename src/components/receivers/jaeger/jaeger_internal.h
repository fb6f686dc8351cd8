/*
 * jaeger_internal: the receiver, and what its files call of each other. Immutable after open, but
 * for what a reader of datagrams owns.
 */
#pragma once

#include <holdfast/component.h>

#include "encodings/jaeger/jaeger.h"
#include "support/ingress/push_receiver.h"
#include "support/lines/datagrams.h"

struct jaeger_grpc_config {
    struct hf_grpc_server_config server;
};

struct jaeger_http_config {
    struct hf_http_server_config server;
};

struct jaeger_udp_config {
    const char *endpoint;
    int64_t packet_bytes_max;
    uint64_t socket_buffer_bytes;
};

struct jaeger_config {
    struct {
        const struct jaeger_grpc_config *grpc;
        const struct jaeger_http_config *http;
        const struct jaeger_udp_config *compact, *binary;
    } protocols;
};

/* One UDP listener; owned by its reader. */
struct jaeger_agent {
    struct jaeger_receiver *receiver;
    enum hf_jaeger_format format;
    struct hf_datagrams *datagrams; /* NULL: it is not served */
    struct hf_builder builder;
    struct hf_series *malformed;
};

struct jaeger_receiver {
    struct hf_push_receiver base;
    struct hf_node *node;
    const struct jaeger_config *config;
    struct jaeger_agent agents[2]; /* compact, binary */
};

/* jaeger_agent.c: the listeners over UDP. */
HF_MUST_USE enum hf_status jaeger_agent_open(struct jaeger_agent *agent,
                                             struct jaeger_receiver *receiver,
                                             const struct jaeger_udp_config *config,
                                             enum hf_jaeger_format format, char *reterr);
void jaeger_agent_close(struct jaeger_agent *agent);
