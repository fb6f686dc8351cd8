#include "http_receiver.h"

#include <stdlib.h>

#include "probe_inputs.h"
#include "util/clock.h"

enum hf_status hf_http_receiver_open(struct hf_http_receiver *receiver, struct hf_node *node,
                                     const struct hf_http_server_config *config,
                                     const struct hf_ingress_ops *ops, char *reterr)
{
    hf_ingress_init(&receiver->ingress, node);
    return hf_ingress_http_open(&receiver->ingress, "", config, ops, receiver, &receiver->http,
                                reterr);
}

enum hf_status hf_http_receiver_start(void *self, char *reterr)
{
    struct hf_http_receiver *receiver = self;
    return hf_ingress_http_start(receiver->http, reterr);
}

void hf_http_receiver_stop(void *self)
{
    struct hf_http_receiver *receiver = self;
    hf_ingress_http_stop(receiver->http, hf_clock_monotonic_ns() + HF_INGRESS_STOP_GRACE_NS);
}

void hf_http_receiver_release(struct hf_http_receiver *receiver)
{
    hf_ingress_http_close(receiver->http);
    hf_ingress_release(&receiver->ingress);
}

void hf_http_receiver_close(void *self)
{
    hf_http_receiver_release(self);
    free(self);
}

const char *hf_http_receiver_check(const void *config)
{
    return hf_http_server_check(config);
}

void hf_http_receiver_probe(const void *config, struct hf_probe *probe)
{
    hf_probe_http_server(probe, config);
}
