/*
 * observer: what an observing extension offers to receivers that start others: the list of the
 * present endpoints. Such a receiver compares `version` from time to time, and reads the list when
 * it differs: no change is missed, and none has to be queued.
 */
#pragma once

#include <stdint.h>

#include "field.h"
#include "ref.h"

/* A source of telemetry: a pod, a port, a container. Immutable, reference counted. */
struct hf_endpoint {
    struct hf_ref ref;
    const char *id;     /* unique among those of its observer, and the same after a restart */
    const char *type;   /* "pod", "port", "pod.container", "k8s.service", ...: a literal */
    const char *target; /* an address, with or without a port, or a URL */
    /* A MAP: the variables of rules and expressions, without `type`, `id` and `endpoint`. Texts,
     * integers, booleans, and maps of texts. */
    struct hf_value variables;
    uint64_t digest[2]; /* of all the above: equal while nothing has changed */
};

struct hf_observer {
    /* A different number after each change. Any thread. */
    uint64_t (*version)(void *self);
    /* Shows all endpoints, borrowed. Any thread; `visit` must not call the observer. */
    void (*each)(void *self, void (*visit)(void *user, struct hf_endpoint *endpoint), void *user);
};
