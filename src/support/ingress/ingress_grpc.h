/*
 * ingress_grpc: the gRPC listener of a push receiver. A call becomes a batch around its own message
 * buffer, and is answered on its loop once the batch is on disk. Health checks and server
 * reflection are served beside the receiver's own methods.
 */
#pragma once

#include "ingress.h"
#include "support/settings/configgrpc_server.h"

#define HF_INGRESS_METHODS_MAX 5u

struct hf_ingress_grpc;

/* Served when a pipeline behind the receiver carries the signal; else the service is unknown. */
struct hf_ingress_method {
    const char *path;
    struct hf_ingress_route route;
    /* The client says any number of messages, whose protocol has no answer to each: the next one is
     * read once the last is on disk; one that is refused for now is offered again meanwhile. */
    bool streams;
};

/* All but `reterr` are borrowed until close. `key`: see struct hf_ingress_port. At most
 * HF_INGRESS_METHODS_MAX methods. Main thread, as all of these. */
HF_MUST_USE enum hf_status hf_ingress_grpc_open(struct hf_ingress *ingress, const char *key,
                                                const struct hf_grpc_server_config *config,
                                                const struct hf_ingress_method *methods,
                                                size_t method_count,
                                                const struct hf_ingress_ops *ops, void *user,
                                                struct hf_ingress_grpc **ret, char *reterr);
void hf_ingress_grpc_start(struct hf_ingress_grpc *grpc);
/* NULL is no listener, here and below. */
void hf_ingress_grpc_stop(struct hf_ingress_grpc *grpc);
void hf_ingress_grpc_close(struct hf_ingress_grpc *grpc);
