#include "push_receiver.h"

#include <stdlib.h>

#include "support/probe/probe_inputs.h"
#include "util/time/clock.h"

enum hf_status hf_push_receiver_open(struct hf_push_receiver *receiver, struct hf_node *node,
                                     const struct hf_http_server_config *config,
                                     const struct hf_ingress_ops *ops, char *reterr)
{
    hf_ingress_init(&receiver->ingress, node);
    return hf_ingress_http_open(&receiver->ingress, "", config, ops, receiver, &receiver->http,
                                reterr);
}

enum hf_status hf_push_receiver_start(void *self, char *reterr)
{
    struct hf_push_receiver *receiver = self;
    enum hf_status status =
        receiver->http != NULL ? hf_ingress_http_start(receiver->http, reterr) : HF_OK;
    if (status == HF_OK && receiver->grpc != NULL) {
        hf_ingress_grpc_start(receiver->grpc);
    }
    return status;
}

void hf_push_receiver_stop(void *self)
{
    struct hf_push_receiver *receiver = self;
    uint64_t until_ns = hf_clock_monotonic_ns() + HF_INGRESS_STOP_GRACE_NS;
    hf_ingress_grpc_stop(receiver->grpc);
    hf_ingress_http_stop(receiver->http, until_ns);
}

void hf_push_receiver_release(struct hf_push_receiver *receiver)
{
    hf_ingress_grpc_close(receiver->grpc);
    hf_ingress_http_close(receiver->http);
    hf_ingress_release(&receiver->ingress);
}

void hf_push_receiver_close(void *self)
{
    hf_push_receiver_release(self);
    free(self);
}

const char *hf_push_receiver_check(const void *config)
{
    return hf_http_server_check(config);
}

void hf_push_receiver_probe(const void *config, struct hf_probe *probe)
{
    hf_probe_http_server(probe, config);
}

const char *hf_push_receiver_check_both(const struct hf_http_server_config *http,
                                        const struct hf_grpc_server_config *grpc)
{
    const char *wrong = grpc != NULL ? hf_grpc_server_check(grpc) : NULL;
    return wrong == NULL && http != NULL ? hf_http_server_check(http) : wrong;
}

void hf_push_receiver_probe_both(struct hf_probe *probe, const struct hf_http_server_config *http,
                                 const struct hf_grpc_server_config *grpc)
{
    hf_probe_grpc_server(probe, grpc);
    hf_probe_http_server(probe, http);
}
