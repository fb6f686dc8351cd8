/*
 * ingress_submit: the way of a batch from a listener to the queues. When the ingress `is_once`,
 * what comes twice of requests that name their records (util/record_names.h) is not stored again.
 */
#pragma once

#include "ingress.h"
#include "util/record_names.h"

/* As hf_submit(); `record_names` is the value of the header holdfast-records, or empty. */
static inline void hf_ingress_submit(const struct hf_ingress_port *port, struct hf_batch *batch,
                                     struct hf_slice record_names, struct hf_reply *reply)
{
    const struct hf_submit_options options = {
        .transport = port->transport, .record_names = record_names, .repeated = port->repeated};
    hf_submit_with(port->node, batch, &options, reply);
}
