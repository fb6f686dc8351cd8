/*
 * lb_backends: the backends that the ring leads to, each with its connection, its state and its
 * counters, which are those of the Go collector.
 *
 * A backend that has left the list is kept until its last request is answered. Owned by the loop of
 * the delivery.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/node.h>

#include "lb_config.h"
#include "lb_ring.h"
#include "support/sending/otlp_client.h"

struct lb_backend {
    struct lb_backend *next;
    char *endpoint;                /* with a port */
    uint32_t number;               /* of its group in the delivery; never 0 */
    struct hf_otlp_client *client; /* NULL: it could not be opened */
    unsigned in_flight;
    bool is_listed;  /* the ring leads to it */
    bool is_failing; /* its last request is to be tried again */
    struct hf_series *succeeded, *failed;
    struct hf_histogram *latency;
};

struct lb_backends {
    struct hf_node *node;
    const struct lb_config *config;
    struct lb_ring ring;
    struct lb_backend **of_endpoint; /* by the endpoint's index in the ring */
    size_t endpoint_count;
    struct lb_backend *all;
    uint32_t last_number;
    size_t failing_count; /* of those that are listed */
    size_t listed_count;
};

/* The endpoints are others now. On failure, HF_NOMEM, all stays as it was. */
HF_MUST_USE enum hf_status lb_backends_set(struct lb_backends *backends,
                                           const char *const *endpoints, size_t count);
/* A request to it was answered. */
void lb_backends_note(struct lb_backends *backends, struct lb_backend *backend,
                      const struct hf_outcome *outcome, uint64_t took_ns);
/* Frees those that are gone and have no request in flight; not inside of a client's callback. */
void lb_backends_sweep(struct lb_backends *backends);
/* Ends what is in flight. */
void lb_backends_release(struct lb_backends *backends);

/* Is the outcome one that is to be tried again? */
bool lb_is_for_now(enum hf_status status);
