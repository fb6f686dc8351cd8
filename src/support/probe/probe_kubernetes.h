/*
 * probe_kubernetes: is the Kubernetes API there, and may this process ask for what a component
 * reads? The API itself says so (SelfSubjectAccessReview). The main thread.
 */
#pragma once

#include "kubernetes/access.h"
#include "probe.h"

struct hf_probe_right {
    const char *verbs;     /* "get,list,watch" */
    const char *group;     /* "" or NULL: the core group */
    const char *resource;  /* "pods"; "nodes/stats" with its subresource */
    const char *namespace; /* NULL: all of them */
    const char *name;      /* NULL: any */
};

/* Step api, then a step right for each. */
void hf_probe_kubernetes(struct hf_probe *probe, const struct hf_kube_config *config,
                         const struct hf_probe_right *rights, size_t count);

/* The same rights in each of those namespaces; in all when there are none. */
void hf_probe_kubernetes_in(struct hf_probe *probe, const struct hf_kube_config *config,
                            const struct hf_probe_right *rights, size_t count,
                            struct hf_string_list namespaces);
