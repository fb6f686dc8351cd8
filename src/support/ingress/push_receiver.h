/*
 * push_receiver: a receiver that listens over HTTP, gRPC or both, but for what its paths mean and
 * how a body becomes a batch (struct hf_ingress_ops, whose `user` is the receiver).
 *
 * A receiver's struct begins with a struct hf_push_receiver. Functions whose argument is `self`
 * then stand in its struct hf_component as they are, as do those with `config` where the
 * configuration begins with a struct hf_http_server_config. The main thread.
 */
#pragma once

#include "ingress_grpc.h"
#include "ingress_http.h"
#include "support/probe/probe.h"

/* Zeroed before, from when on it may be released or closed, opened or not. */
struct hf_push_receiver {
    struct hf_ingress ingress;
    struct hf_ingress_http *http; /* NULL: not served, as the next one */
    struct hf_ingress_grpc *grpc;
};

/* One with a listener over HTTP and nothing else; others call hf_ingress_init() and open theirs. */
HF_MUST_USE enum hf_status hf_push_receiver_open(struct hf_push_receiver *receiver,
                                                 struct hf_node *node,
                                                 const struct hf_http_server_config *config,
                                                 const struct hf_ingress_ops *ops, char *reterr);
HF_MUST_USE enum hf_status hf_push_receiver_start(void *self, char *reterr);
void hf_push_receiver_stop(void *self);
/* What the listeners use may be freed only behind it. */
void hf_push_receiver_release(struct hf_push_receiver *receiver);
/* The same for a receiver whose memory is of malloc() and that has nothing else to release. */
void hf_push_receiver_close(void *self);

/* For a configuration that begins with that of its one server. */
const char *hf_push_receiver_check(const void *config);
void hf_push_receiver_probe(const void *config, struct hf_probe *probe);
/* Of one with two servers; NULL: not served. */
const char *hf_push_receiver_check_both(const struct hf_http_server_config *http,
                                        const struct hf_grpc_server_config *grpc);
void hf_push_receiver_probe_both(struct hf_probe *probe, const struct hf_http_server_config *http,
                                 const struct hf_grpc_server_config *grpc);
