/*
 * discover: where the API serves the objects of a name, such as "pods" or "deployments": asked of
 * the server, as groups and versions differ from one cluster to the next.
 */
#pragma once

#include "client.h"

struct hf_kube_discovery;

struct hf_kube_discover_options {
    struct hf_kube_client *client; /* on its thread */
    const char *name;              /* plural, as in URLs; borrowed until the end */
    const char *group; /* "" or NULL: the first group that has the name, the core one before all */
    /*
     * `root` is "/api/v1" or "/apis/apps/v1". NULL: it is not served, or it could not be asked, for
     * what `why` says. The discovery ends with it.
     */
    void (*found)(void *user, const char *root, const char *why);
    void *user;
};

/* NULL: out of memory. `found` is called later, unless it is ended before. */
struct hf_kube_discovery *hf_kube_discover(const struct hf_kube_discover_options *options);
/* Without calling `found`. On the client's thread. */
void hf_kube_discovery_end(struct hf_kube_discovery *discovery);
