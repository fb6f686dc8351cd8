/*
 * kube_endpoints: endpoints and slices of them as targets, joined with the pods and the service
 * behind them.
 */
#include "kube_making.h"

#include <stdlib.h>

#define SERVICE_NAME_LABEL "kubernetes.io/service-name"

/* The port of the containers that has that number, of the last one if several have it. */
static void attach_container(struct prom_making *making, const struct hf_json *pod, int64_t number,
                             struct hf_slice protocol)
{
    for (int is_init = 0; is_init < 2; is_init++) {
        const struct hf_json *container = prom_making_containers(pod, is_init);
        for (; container != NULL; container = container->next) {
            const struct hf_json *port = hf_json_first(hf_json_get(container, "ports"));
            while (port != NULL && prom_making_port_of(port) != number) {
                port = port->next;
            }
            if (port != NULL) {
                prom_making_put_container(making, container, is_init);
                prom_making_put_port(making, port, protocol);
            }
        }
    }
}

/* Notes that a target was made for a port of the pod. */
static void note_port(struct prom_making *making, const struct hf_json *pod,
                      const struct hf_json *port)
{
    if (making->pod_port_count == making->pod_port_capacity) {
        size_t capacity = making->pod_port_capacity != 0 ? 2 * making->pod_port_capacity : 64;
        struct prom_pod_port *grown =
            realloc(making->pod_ports, capacity * sizeof(*making->pod_ports));
        if (grown == NULL) {
            making->failed = true;
            return;
        }
        making->pod_ports = grown;
        making->pod_port_capacity = capacity;
    }
    making->pod_ports[making->pod_port_count++] = (struct prom_pod_port){pod, port};
}

static int order_by_pod(const void *a, const void *b)
{
    uintptr_t one = (uintptr_t)((const struct prom_pod_port *)a)->pod;
    uintptr_t other = (uintptr_t)((const struct prom_pod_port *)b)->pod;
    return (one > other) - (one < other);
}

static bool has_port(const struct prom_pod_port *ports, size_t count, int64_t number)
{
    for (size_t i = 0; i < count; i++) {
        const struct hf_json *port = hf_json_get(ports[i].port, "port");
        if (port != NULL && hf_json_int(port) == number) {
            return true;
        }
    }
    return false;
}

/* The ports of a pod's containers that are not among the `count` ports. */
static void add_ports_of_pod(struct prom_making *making, const struct prom_pod_port *ports,
                             size_t count)
{
    const struct hf_json *pod = ports[0].pod;
    struct hf_slice ip = hf_json_text_of(hf_json_get(pod, "status"), "podIP");
    size_t mark = making->labels.count;
    for (int is_init = 0; is_init < 2 && ip.size != 0; is_init++) {
        const struct hf_json *container = prom_making_containers(pod, is_init);
        for (; container != NULL && !making->failed; container = container->next) {
            const struct hf_json *port = hf_json_first(hf_json_get(container, "ports"));
            for (; port != NULL; port = port->next) {
                if (has_port(ports, count, prom_making_port_of(port))) {
                    continue;
                }
                prom_making_put_address(making, ip, prom_making_port_of(port));
                prom_making_put_pod(making, pod);
                prom_making_put_container(making, container, is_init);
                prom_making_put_port(making, port, HF_EMPTY_SLICE);
                prom_making_add_target(making);
                prom_making_back_to(making, mark);
            }
        }
    }
}

/* Pods behind a service also have ports that the service does not name: targets, too. */
static void add_other_ports(struct prom_making *making)
{
    struct prom_pod_port *all = making->pod_ports;
    size_t count = making->pod_port_count;
    if (count != 0) {
        qsort(all, count, sizeof(*all), order_by_pod);
    }
    for (size_t first = 0, end = 0; first < count; first = end) {
        while (end < count && all[end].pod == all[first].pod) {
            end++;
        }
        add_ports_of_pod(making, &all[first], end - first);
    }
    making->pod_port_count = 0;
}

/* The name of the node that the endpoint is; empty: it is none. */
static struct hf_slice own_node(const struct hf_json *target)
{
    bool is_node = hf_slice_is(hf_json_text_of(target, "kind"), "Node");
    return is_node ? hf_json_text_of(target, "name") : HF_EMPTY_SLICE;
}

static struct hf_slice either(struct hf_slice first, struct hf_slice second)
{
    return first.size != 0 ? first : second;
}

static const struct hf_json *pod_of(const struct prom_making *making, const struct hf_json *address,
                                    struct hf_slice name_space)
{
    const struct hf_json *ref = hf_json_get(address, "targetRef");
    if (!hf_slice_is(hf_json_text_of(ref, "kind"), "Pod")) {
        return NULL;
    }
    struct hf_slice own = hf_json_text_of(ref, "namespace");
    return prom_making_find(making, PROM_KIND_POD, own.size != 0 ? own : name_space,
                            hf_json_text_of(ref, "name"));
}

static const struct hf_json *attach_service(struct prom_making *making, struct hf_slice name_space,
                                            struct hf_slice name)
{
    const struct hf_json *service = prom_making_find(making, PROM_KIND_SERVICE, name_space, name);
    if (service != NULL) {
        prom_making_put_meta(making, "service", service);
    }
    return service;
}

/* One address of endpoints, at one port. */
static void add_endpoint(struct prom_making *making, const struct hf_json *address,
                         const struct hf_json *port, bool is_ready, struct hf_slice name_space)
{
    const struct hf_json *ref = hf_json_get(address, "targetRef");
    const struct hf_json *pod = pod_of(making, address, name_space);
    int64_t number = hf_json_int(hf_json_get(port, "port"));
    prom_making_put_address(making, hf_json_text_of(address, "ip"), number);
    prom_making_put(making, PREFIX "endpoint_port_name", hf_json_text_of(port, "name"));
    prom_making_put(making, PREFIX "endpoint_port_protocol", hf_json_text_of(port, "protocol"));
    prom_making_put_flag(making, PREFIX "endpoint_ready", is_ready);
    prom_making_put(making, PREFIX "endpoint_address_target_kind", hf_json_text_of(ref, "kind"));
    prom_making_put(making, PREFIX "endpoint_address_target_name", hf_json_text_of(ref, "name"));
    prom_making_put(making, PREFIX "endpoint_node_name", hf_json_text_of(address, "nodeName"));
    prom_making_put(making, PREFIX "endpoint_hostname", hf_json_text_of(address, "hostname"));
    prom_making_attach_node(making, either(hf_json_text_of(address, "nodeName"), own_node(ref)));
    if (pod != NULL) {
        prom_making_put_pod(making, pod);
        attach_container(making, pod, number, hf_json_text_of(port, "protocol"));
        note_port(making, pod, port);
    }
    prom_making_add_target(making);
}

void prom_making_add_endpoints(struct prom_making *making, const struct hf_json *endpoints)
{
    struct hf_slice name_space = prom_making_meta_text(endpoints, "namespace");
    prom_making_begin(making, "endpoints", endpoints);
    attach_service(making, name_space, prom_making_meta_text(endpoints, "name"));
    size_t mark = making->labels.count;
    for (const struct hf_json *subset = hf_json_first(hf_json_get(endpoints, "subsets"));
         subset != NULL; subset = subset->next) {
        const struct hf_json *ports = hf_json_get(subset, "ports");
        for (int is_ready = 0; is_ready < 2; is_ready++) {
            const struct hf_json *address =
                hf_json_first(hf_json_get(subset, is_ready ? "addresses" : "notReadyAddresses"));
            for (; address != NULL && !making->failed; address = address->next) {
                for (const struct hf_json *port = hf_json_first(ports); port != NULL;
                     port = port->next) {
                    add_endpoint(making, address, port, is_ready, name_space);
                    prom_making_back_to(making, mark);
                }
            }
        }
    }
    add_other_ports(making);
}

static void put_condition(struct prom_making *making, const struct hf_json *endpoint,
                          const char *key, const char *name)
{
    const struct hf_json *value = hf_json_get(hf_json_get(endpoint, "conditions"), key);
    if (value != NULL && value->kind == HF_JSON_BOOL) {
        prom_making_put_flag(making, name, hf_json_bool(value));
    }
}

/* What an endpoint of a slice has at all its addresses and ports. */
static void put_slice_endpoint(struct prom_making *making, const struct hf_json *endpoint)
{
    const struct hf_json *ref = hf_json_get(endpoint, "targetRef");
    put_condition(making, endpoint, "ready", PREFIX "endpointslice_endpoint_conditions_ready");
    put_condition(making, endpoint, "serving", PREFIX "endpointslice_endpoint_conditions_serving");
    put_condition(making, endpoint, "terminating",
                  PREFIX "endpointslice_endpoint_conditions_terminating");
    prom_making_put(making, PREFIX "endpointslice_endpoint_hostname",
                    hf_json_text_of(endpoint, "hostname"));
    prom_making_put(making, PREFIX "endpointslice_address_target_kind",
                    hf_json_text_of(ref, "kind"));
    prom_making_put(making, PREFIX "endpointslice_address_target_name",
                    hf_json_text_of(ref, "name"));
    prom_making_put(making, PREFIX "endpointslice_endpoint_node_name",
                    hf_json_text_of(endpoint, "nodeName"));
    prom_making_put(making, PREFIX "endpointslice_endpoint_zone",
                    hf_json_text_of(endpoint, "zone"));
    prom_making_put_map(making, "endpointslice_endpoint", "_topology_", "_topology_present_",
                        hf_json_get(endpoint, "deprecatedTopology"));
    prom_making_attach_node(making, either(own_node(ref), hf_json_text_of(endpoint, "nodeName")));
}

static void add_slice_port(struct prom_making *making, const struct hf_json *port,
                           struct hf_slice address, const struct hf_json *pod)
{
    const struct hf_json *number = hf_json_get(port, "port");
    int64_t value = number != NULL ? hf_json_int(number) : -1;
    prom_making_put_address(making, address, value);
    prom_making_put(making, PREFIX "endpointslice_port_name", hf_json_text_of(port, "name"));
    prom_making_put(making, PREFIX "endpointslice_port_protocol",
                    hf_json_text_of(port, "protocol"));
    prom_making_put(making, PREFIX "endpointslice_port_app_protocol",
                    hf_json_text_of(port, "appProtocol"));
    if (value >= 0) {
        prom_making_put_number(making, PREFIX "endpointslice_port", value);
    }
    if (pod != NULL) {
        prom_making_put_pod(making, pod);
        attach_container(making, pod, value, HF_EMPTY_SLICE);
        note_port(making, pod, port);
    }
    prom_making_add_target(making);
}

/* A service of both families has a slice for each; that of the second one has the same pods. */
static bool is_of_second_family(const struct hf_json *service, const struct hf_json *slice)
{
    const struct hf_json *spec = hf_json_get(service, "spec");
    struct hf_slice policy = hf_json_text_of(spec, "ipFamilyPolicy");
    const struct hf_json *first = hf_json_first(hf_json_get(spec, "ipFamilies"));
    bool has_both =
        hf_slice_is(policy, "PreferDualStack") || hf_slice_is(policy, "RequireDualStack");
    return has_both && first != NULL &&
           !hf_slice_equal(hf_json_text(first), hf_json_text_of(slice, "addressType"));
}

void prom_making_add_slice(struct prom_making *making, const struct hf_json *slice)
{
    struct hf_slice name_space = prom_making_meta_text(slice, "namespace");
    const struct hf_json *labels = hf_json_get(hf_json_get(slice, "metadata"), "labels");
    const struct hf_json *ports = hf_json_get(slice, "ports");
    prom_making_begin(making, "endpointslice", slice);
    prom_making_put(making, PREFIX "endpointslice_address_type",
                    hf_json_text_of(slice, "addressType"));
    const struct hf_json *service =
        attach_service(making, name_space, hf_json_text_of(labels, SERVICE_NAME_LABEL));
    if (is_of_second_family(service, slice)) {
        return;
    }
    size_t mark = making->labels.count;
    for (const struct hf_json *endpoint = hf_json_first(hf_json_get(slice, "endpoints"));
         endpoint != NULL && !making->failed; endpoint = endpoint->next) {
        const struct hf_json *pod = pod_of(making, endpoint, name_space);
        put_slice_endpoint(making, endpoint);
        size_t inner_mark = making->labels.count;
        for (const struct hf_json *port = hf_json_first(ports); port != NULL; port = port->next) {
            for (const struct hf_json *address = hf_json_first(hf_json_get(endpoint, "addresses"));
                 address != NULL; address = address->next) {
                add_slice_port(making, port, hf_json_text(address), pod);
                prom_making_back_to(making, inner_mark);
            }
        }
        prom_making_back_to(making, mark);
    }
    add_other_ports(making);
}
