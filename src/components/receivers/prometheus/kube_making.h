/*
 * kube_making: the making of targets of objects: the labels of the one that is being made, and the
 * objects that are joined. For kube_*.c only. Owned by the thread that watches.
 */
#pragma once

#include "kube_targets.h"

#define PREFIX "__meta_kubernetes_"

/* A port of endpoints at an address that is a pod's. */
struct prom_pod_port {
    const struct hf_json *pod, *port;
};

/* The making of the list of targets. */
struct prom_making {
    const struct prom_kube_store *store;
    const struct prom_kube_sd *config;
    struct hf_arena *arena;
    struct hf_prom_table by_name; /* the objects that are joined, by kind, namespace and name */
    struct hf_prom_labels labels; /* of the target that is being made */
    struct prom_found *found;
    size_t count, capacity;
    struct prom_pod_port *pod_ports; /* of the endpoints that targets are made of */
    size_t pod_port_count, pod_port_capacity;
    bool failed;
};

/* A text that lasts as long as the targets. */
struct hf_slice prom_making_keep(struct prom_making *making, const char *text, size_t size);

/* A label; `name` is a literal or has been kept. An empty value is none. */
void prom_making_put(struct prom_making *making, const char *name, struct hf_slice value);
void prom_making_put_flag(struct prom_making *making, const char *name, bool value);
void prom_making_put_number(struct prom_making *making, const char *name, int64_t value);
/* In small letters. */
struct hf_slice prom_making_lower(struct prom_making *making, struct hf_slice value);
/* "ip:port", "[v6]:port"; without a port when `port` is below 0. */
void prom_making_put_address(struct prom_making *making, struct hf_slice host, int64_t port);
/* PREFIX, `role`, `middle` and the key, whose odd characters become _. NULL: no memory. */
const char *prom_making_name(struct prom_making *making, const char *role, const char *middle,
                             struct hf_slice key);
/* The members of a map, each as a label with its value and one that says that it is there. */
void prom_making_put_map(struct prom_making *making, const char *role, const char *value_name,
                         const char *present_name, const struct hf_json *map);
/* Name, labels and annotations. */
void prom_making_put_meta(struct prom_making *making, const char *role,
                          const struct hf_json *object);
struct hf_slice prom_making_meta_text(const struct hf_json *object, const char *key);

/* Begins with what all objects of a namespace have. */
void prom_making_begin(struct prom_making *making, const char *role, const struct hf_json *object);
void prom_making_attach_namespace(struct prom_making *making, struct hf_slice name);
void prom_making_attach_node(struct prom_making *making, struct hf_slice name);

/* Ends the target. */
void prom_making_add_target(struct prom_making *making);
/* The targets of an object differ only in their last labels: `mark` is how many are the same. */
void prom_making_back_to(struct prom_making *making, size_t mark);

/* Objects by name, of all kinds that were indexed. */
void prom_making_index(struct prom_making *making, enum prom_kube_kind kind);
const struct hf_json *prom_making_find(const struct prom_making *making, enum prom_kube_kind kind,
                                       struct hf_slice name_space, struct hf_slice name);

/* ---- kube_pods.c ---- */

void prom_making_put_pod(struct prom_making *making, const struct hf_json *pod);
void prom_making_put_container(struct prom_making *making, const struct hf_json *container,
                               bool is_init);
int64_t prom_making_port_of(const struct hf_json *port);
/* `protocol`: instead of the port's own, unless it is empty. */
void prom_making_put_port(struct prom_making *making, const struct hf_json *port,
                          struct hf_slice protocol);
/* The containers of a pod, or those of its start. */
const struct hf_json *prom_making_containers(const struct hf_json *pod, bool is_init);
void prom_making_add_pod(struct prom_making *making, const struct hf_json *pod);

/* ---- kube_endpoints.c ---- */

void prom_making_add_endpoints(struct prom_making *making, const struct hf_json *endpoints);
void prom_making_add_slice(struct prom_making *making, const struct hf_json *slice);
