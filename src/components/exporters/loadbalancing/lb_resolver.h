/*
 * lb_resolver: finds the backends: a list, the addresses of a name, the endpoints of a Kubernetes
 * Service. Its counters are those of the Go collector.
 *
 * `changed` and `failed` are called on the loop of the exporter's delivery. open, start and close
 * run on the main thread while that loop does not run.
 */
#pragma once

#include <stddef.h>

#include <holdfast/node.h>

#include "lb_config.h"

#define LB_ENDPOINTS_MAX 1024u

struct lb_resolver;

struct lb_resolver_options {
    struct hf_node *node;
    const struct lb_config *config;
    /* The endpoints are others now: sorted, borrowed for the call, at most LB_ENDPOINTS_MAX. */
    void (*changed)(void *user, const char *const *endpoints, size_t count);
    /* A look-up has failed: the endpoints stay as they are. */
    void (*failed)(void *user, const char *why);
    void *user;
};

/* A kind of resolver. */
struct lb_resolver_ops {
    const char *name; /* the label of its counters */
    HF_MUST_USE enum hf_status (*start)(struct lb_resolver *resolver, char *reterr);
    void (*close)(struct lb_resolver *resolver);
};

/* Each kind embeds it as its first member. */
struct lb_resolver {
    const struct lb_resolver_ops *ops;
    struct lb_resolver_options options;
    struct hf_series *succeeded, *failed, *backends, *updates;
    char **endpoints; /* those told last */
    size_t count;
};

/* The kind that the configuration names. HF_NOMEM. */
HF_MUST_USE enum hf_status lb_resolver_new(const struct lb_resolver_options *options,
                                           struct lb_resolver **ret_resolver);
/* May call `changed` at once. `reterr` as by the component's start. */
HF_MUST_USE enum hf_status lb_resolver_start(struct lb_resolver *resolver, char *reterr);
void lb_resolver_close(struct lb_resolver *resolver); /* NULL is nothing */

/* The kinds, each zeroed but for its ops; NULL: out of memory. */
struct lb_resolver *lb_resolver_dns_new(void);
struct lb_resolver *lb_resolver_k8s_new(void);

/* Registers the counters. HF_NOMEM. */
HF_MUST_USE enum hf_status lb_resolver_init(struct lb_resolver *resolver,
                                            const struct lb_resolver_options *options);

/* For the kinds: a look-up has found these; sorts them and tells `changed` when they are others.
 * The texts are copied. */
void lb_resolver_found(struct lb_resolver *resolver, const char **endpoints, size_t count);
void lb_resolver_missed(struct lb_resolver *resolver, const char *why);
