/*
 * otlp_internal: the receiver, and what its files call of each other. Immutable after open.
 */
#pragma once

#include <holdfast/component.h>

#include "support/ingress/push_receiver.h"

enum otlp_format { OTLP_PROTO = 0, OTLP_JSON, OTLP_OTHER };

/* Notes of a request for its answer: nothing in it is known, so that it gets a warning. */
#define OTLP_UNKNOWN 1

struct otlp_grpc_config {
    struct hf_grpc_server_config server;
};

struct otlp_http_config {
    struct hf_http_server_config server;
    const char *url_paths[HF_SIGNAL_COUNT];
};

struct otlp_config {
    struct {
        const struct otlp_grpc_config *grpc;
        const struct otlp_http_config *http;
    } protocols;
    bool strict_utf8;
    bool once;
};

struct otlp_receiver {
    struct hf_push_receiver base;
    struct hf_node *node;
    const struct otlp_config *config;
    struct hf_series *repairs[2]; /* of gRPC, of HTTP */
};

/* otlp_decode.c: the ops of both transports, by one receiver. */
HF_MUST_USE enum hf_status otlp_decode(void *user, struct hf_ingress_body *body,
                                       struct hf_batch **ret_batch, char *reterr);

/* otlp_answer.c */
const struct hf_ingress_refusal *otlp_route(void *user, struct hf_http_request *request,
                                            struct hf_ingress_route *ret_route);
void otlp_answer(void *user, const struct hf_ingress_result *result, uint8_t *room,
                 struct hf_http_answer *answer);
struct hf_slice otlp_message(void *user, const struct hf_ingress_result *result, uint8_t *room);
