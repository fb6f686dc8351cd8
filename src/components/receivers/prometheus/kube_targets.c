#include "kube_targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube_making.h"

#define NAME_BYTES_MAX 512

/* ---- nodes ---- */

static void put_conditions(struct prom_making *making, const struct hf_json *status)
{
    const struct hf_json *item = hf_json_first(hf_json_get(status, "conditions"));
    for (; item != NULL && !making->failed; item = item->next) {
        struct hf_slice type = prom_making_lower(making, hf_json_text_of(item, "type"));
        const char *name = prom_making_name(making, "node", "_condition_", type);
        if (name != NULL) {
            prom_making_put(making, name,
                            prom_making_lower(making, hf_json_text_of(item, "status")));
        }
    }
}

static void add_node(struct prom_making *making, const struct hf_json *node)
{
    static const char *const preferred[] = {"InternalIP",  "InternalDNS",  "ExternalIP",
                                            "ExternalDNS", "LegacyHostIP", "Hostname"};
    static const char *const port_path[] = {"status", "daemonEndpoints", "kubeletEndpoint", "Port",
                                            NULL};
    const struct hf_json *status = hf_json_get(node, "status");
    const struct hf_json *first = hf_json_first(hf_json_get(status, "addresses"));
    struct hf_slice address = HF_EMPTY_SLICE;
    making->labels.count = 0;
    prom_making_put(making, PREFIX "node_provider_id",
                    hf_json_text_of(hf_json_get(node, "spec"), "providerID"));
    put_conditions(making, status);
    prom_making_put_meta(making, "node", node);
    for (size_t i = 0; i < sizeof(preferred) / sizeof(preferred[0]) && address.size == 0; i++) {
        for (const struct hf_json *item = first; item != NULL && address.size == 0;
             item = item->next) {
            if (hf_slice_is(hf_json_text_of(item, "type"), preferred[i])) {
                address = hf_json_text_of(item, "address");
            }
        }
    }
    if (address.size == 0) {
        return;
    }
    for (const struct hf_json *item = first; item != NULL && !making->failed; item = item->next) {
        const char *name =
            prom_making_name(making, "node", "_address_", hf_json_text_of(item, "type"));
        if (name != NULL && hf_prom_labels_get(&making->labels, hf_slice_text(name)).size == 0) {
            prom_making_put(making, name, hf_json_text_of(item, "address"));
        }
    }
    prom_making_put_address(making, address, hf_json_int(hf_json_at(node, port_path)));
    prom_making_put(making, "instance", prom_making_meta_text(node, "name"));
    prom_making_add_target(making);
}

/* ---- services ---- */

#define ADDRESSES_BYTES_MAX 4096

/* The addresses that the balancer has, joined; before it has one, that which was asked for. */
static struct hf_slice balancer_addresses(struct prom_making *making, const struct hf_json *service)
{
    static const char *const path[] = {"status", "loadBalancer", "ingress", NULL};
    char text[ADDRESSES_BYTES_MAX];
    size_t size = 0;
    for (const struct hf_json *item = hf_json_first(hf_json_at(service, path)); item != NULL;
         item = item->next) {
        struct hf_slice address = hf_json_text_of(item, "ip");
        if (address.size != 0 && size + 1 + address.size <= sizeof(text)) {
            text[size] = ',';
            size += size != 0;
            memcpy(text + size, address.data, address.size);
            size += address.size;
        }
    }
    return size != 0 ? prom_making_keep(making, text, size)
                     : hf_json_text_of(hf_json_get(service, "spec"), "loadBalancerIP");
}

static void add_service(struct prom_making *making, const struct hf_json *service)
{
    const struct hf_json *spec = hf_json_get(service, "spec");
    struct hf_slice type = hf_json_text_of(spec, "type");
    struct hf_slice name = prom_making_meta_text(service, "name");
    struct hf_slice name_space = prom_making_meta_text(service, "namespace");
    char host[NAME_BYTES_MAX];
    int size =
        snprintf(host, sizeof(host), "%.*s.%.*s.svc", (int)name.size, (const char *)name.data,
                 (int)name_space.size, (const char *)name_space.data);
    size = size < (int)sizeof(host) ? size : (int)sizeof(host) - 1;
    prom_making_begin(making, "service", service);
    prom_making_put(making, PREFIX "service_type", type);
    if (hf_slice_is(type, "ExternalName")) {
        prom_making_put(making, PREFIX "service_external_name",
                        hf_json_text_of(spec, "externalName"));
    } else {
        prom_making_put(making, PREFIX "service_cluster_ip", hf_json_text_of(spec, "clusterIP"));
    }
    if (hf_slice_is(type, "LoadBalancer")) {
        prom_making_put(making, PREFIX "service_loadbalancer_ip",
                        balancer_addresses(making, service));
    }
    size_t mark = making->labels.count;
    for (const struct hf_json *port = hf_json_first(hf_json_get(spec, "ports")); port != NULL;
         port = port->next) {
        int64_t number = hf_json_int(hf_json_get(port, "port"));
        prom_making_put_address(making, hf_slice_of(host, (size_t)size), number);
        prom_making_put(making, PREFIX "service_port_name", hf_json_text_of(port, "name"));
        prom_making_put_number(making, PREFIX "service_port_number", number);
        prom_making_put(making, PREFIX "service_port_protocol", hf_json_text_of(port, "protocol"));
        prom_making_add_target(making);
        prom_making_back_to(making, mark);
    }
}

/* ---- ingresses ---- */

static bool has_tls(const struct hf_json *ingress, struct hf_slice host)
{
    const struct hf_json *item = hf_json_first(hf_json_get(hf_json_get(ingress, "spec"), "tls"));
    for (; item != NULL; item = item->next) {
        const struct hf_json *name = hf_json_first(hf_json_get(item, "hosts"));
        for (; name != NULL; name = name->next) {
            struct hf_slice text = hf_json_text(name);
            const uint8_t *dot = host.size != 0 ? memchr(host.data, '.', host.size) : NULL;
            bool is_wild = hf_prom_has_prefix(text, "*.", 2) && dot != NULL &&
                           hf_slice_equal(hf_slice_of(text.data + 1, text.size - 1),
                                          hf_slice_of(dot, host.size - (size_t)(dot - host.data)));
            if (is_wild || hf_slice_equal(text, host)) {
                return true;
            }
        }
    }
    return false;
}

static void add_ingress_path(struct prom_making *making, const struct hf_json *ingress,
                             struct hf_slice host, struct hf_slice path)
{
    prom_making_put(making, "__address__", host);
    prom_making_put(making, PREFIX "ingress_scheme",
                    hf_slice_text(has_tls(ingress, host) ? "https" : "http"));
    prom_making_put(making, PREFIX "ingress_host", host);
    prom_making_put(making, PREFIX "ingress_path", path.size != 0 ? path : hf_slice_text("/"));
    prom_making_add_target(making);
}

static void add_ingress(struct prom_making *making, const struct hf_json *ingress)
{
    const struct hf_json *spec = hf_json_get(ingress, "spec");
    prom_making_begin(making, "ingress", ingress);
    prom_making_put(making, PREFIX "ingress_class_name", hf_json_text_of(spec, "ingressClassName"));
    size_t mark = making->labels.count;
    for (const struct hf_json *rule = hf_json_first(hf_json_get(spec, "rules")); rule != NULL;
         rule = rule->next) {
        struct hf_slice host = hf_json_text_of(rule, "host");
        const struct hf_json *path = hf_json_first(hf_json_get(hf_json_get(rule, "http"), "paths"));
        if (path == NULL) {
            add_ingress_path(making, ingress, host, HF_EMPTY_SLICE);
            prom_making_back_to(making, mark);
        }
        for (; path != NULL; path = path->next) {
            add_ingress_path(making, ingress, host, hf_json_text_of(path, "path"));
            prom_making_back_to(making, mark);
        }
    }
}

/* ---- all of them ---- */

bool prom_kube_targets(const struct prom_kube_store *store, const struct prom_kube_sd *config,
                       struct hf_arena *arena, struct prom_found **ret_found, size_t *ret_count)
{
    static void (*const adders[])(struct prom_making *, const struct hf_json *) = {
        [PROM_KUBE_NODE] = add_node,
        [PROM_KUBE_POD] = prom_making_add_pod,
        [PROM_KUBE_SERVICE] = add_service,
        [PROM_KUBE_ENDPOINTS] = prom_making_add_endpoints,
        [PROM_KUBE_ENDPOINTSLICE] = prom_making_add_slice,
        [PROM_KUBE_INGRESS] = add_ingress,
    };
    struct prom_making *making = calloc(1, sizeof(*making));
    if (making == NULL) {
        return false;
    }
    making->store = store;
    making->config = config;
    making->arena = arena;
    for (int kind = 0; kind < PROM_KIND_COUNT; kind++) {
        if (kind != config->role) {
            prom_making_index(making, (enum prom_kube_kind)kind);
        }
    }
    for (const struct prom_kube_object *object = store->objects[config->role];
         object != NULL && !making->failed; object = object->next) {
        adders[config->role](making, object->json);
    }
    bool made = !making->failed;
    *ret_found = making->found;
    *ret_count = making->count;
    hf_prom_table_release(&making->by_name);
    free(making->pod_ports);
    free(making);
    return made;
}

bool prom_kube_needs(const struct prom_kube_sd *config, enum prom_kube_kind kind)
{
    bool joins = config->role == PROM_KUBE_ENDPOINTS || config->role == PROM_KUBE_ENDPOINTSLICE;
    bool has_pods = joins || config->role == PROM_KUBE_POD;
    switch (kind) {
    case PROM_KIND_POD:
    case PROM_KIND_SERVICE:
        return joins || config->role == (int64_t)kind;
    case PROM_KIND_NODE:
        return config->role == PROM_KUBE_NODE || (has_pods && config->attach_metadata.node);
    case PROM_KIND_NAMESPACE:
        return config->role != PROM_KUBE_NODE && config->attach_metadata.namespace;
    case PROM_KIND_REPLICASET:
        return has_pods && config->attach_metadata.deployment;
    case PROM_KIND_JOB:
        return has_pods && config->attach_metadata.cronjob;
    default:
        return config->role == (int64_t)kind;
    }
}

bool prom_kube_is_of_cluster(enum prom_kube_kind kind)
{
    return kind == PROM_KIND_NODE || kind == PROM_KIND_NAMESPACE;
}
