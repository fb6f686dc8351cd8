/*
 * kube_targets: the objects of a cluster as targets with Prometheus' meta labels. Knows nothing of
 * watches. Owned by the thread that watches.
 */
#pragma once

#include "config_discovery.h"
#include "prometheus/table.h"
#include "receiver.h"
#include "json/json.h"

enum prom_kube_kind { /* the roles, and what is joined to them */
                      PROM_KIND_NODE = PROM_KUBE_NODE,
                      PROM_KIND_POD = PROM_KUBE_POD,
                      PROM_KIND_SERVICE = PROM_KUBE_SERVICE,
                      PROM_KIND_ENDPOINTS = PROM_KUBE_ENDPOINTS,
                      PROM_KIND_ENDPOINTSLICE = PROM_KUBE_ENDPOINTSLICE,
                      PROM_KIND_INGRESS = PROM_KUBE_INGRESS,
                      PROM_KIND_NAMESPACE,
                      PROM_KIND_REPLICASET,
                      PROM_KIND_JOB,
                      PROM_KIND_COUNT
};

struct prom_kube_object {
    struct prom_kube_object *next;
    uint64_t uid_hash;
    struct hf_arena arena;
    const struct hf_json *json; /* in the arena; only what is needed */
};

/* Is that kind watched for targets of this configuration? Pure. */
HF_MUST_USE bool prom_kube_needs(const struct prom_kube_sd *config, enum prom_kube_kind kind);
/* In no namespace. */
HF_MUST_USE bool prom_kube_is_of_cluster(enum prom_kube_kind kind);

#define PROM_KUBE_OBJECTS_MAX 200000u
#define PROM_KUBE_OBJECT_BYTES_MAX (1u << 20)

struct prom_kube_store {
    struct prom_kube_object *objects[PROM_KIND_COUNT];
    size_t count;
};

/* Keeps a copy of what targets are made of. False: out of memory, or there are too many. */
HF_MUST_USE bool prom_kube_put(struct prom_kube_store *store, enum prom_kube_kind kind,
                               struct hf_slice uid, const struct hf_json *object);
void prom_kube_remove(struct prom_kube_store *store, enum prom_kube_kind kind, struct hf_slice uid);
void prom_kube_release(struct prom_kube_store *store);

/* All targets of the role, in the arena. False: out of memory. */
HF_MUST_USE bool prom_kube_targets(const struct prom_kube_store *store,
                                   const struct prom_kube_sd *config, struct hf_arena *arena,
                                   struct prom_found **ret_found, size_t *ret_count);
