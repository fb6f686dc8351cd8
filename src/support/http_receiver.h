/*
 * http_receiver: a push receiver with one HTTP listener and nothing else, but for what its paths
 * mean and how a body becomes a batch (struct hf_ingress_ops, whose `user` is the receiver).
 *
 * A receiver's struct begins with a struct hf_http_receiver, and its configuration with a struct
 * hf_http_server_config; both may have more behind. Functions whose argument is `self` or `config`
 * then stand in its struct hf_component as they are. The main thread.
 */
#pragma once

#include "ingress_http.h"
#include "probe.h"

struct hf_http_receiver {
    struct hf_ingress ingress;
    struct hf_ingress_http *http;
};

/* Zeroed before, from when on it may be released or closed, opened or not. */
HF_MUST_USE enum hf_status hf_http_receiver_open(struct hf_http_receiver *receiver,
                                                 struct hf_node *node,
                                                 const struct hf_http_server_config *config,
                                                 const struct hf_ingress_ops *ops, char *reterr);
HF_MUST_USE enum hf_status hf_http_receiver_start(void *self, char *reterr);
void hf_http_receiver_stop(void *self);
/* What the listener uses may be freed only behind it. */
void hf_http_receiver_release(struct hf_http_receiver *receiver);
/* The same for a receiver whose memory is of malloc() and that has nothing else to release. */
void hf_http_receiver_close(void *self);

const char *hf_http_receiver_check(const void *config);
void hf_http_receiver_probe(const void *config, struct hf_probe *probe);
