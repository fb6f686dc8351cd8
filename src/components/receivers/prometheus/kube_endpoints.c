/*
 * kube_endpoints: endpoints and slices of them as targets, joined with the pods and the service
 * behind them.
 */
#include "kube_making.h"

#define SERVICE_NAME_LABEL "kubernetes.io/service-name"

/* The pod behind an address, and the container that has the port. */
static void attach_pod(struct prom_making *making, const struct hf_json *pod, int64_t number)
{
    prom_making_put_pod(making, pod);
    for (int is_init = 0; is_init < 2; is_init++) {
        const struct hf_json *container = hf_json_first(
            hf_json_get(hf_json_get(pod, "spec"), is_init ? "initContainers" : "containers"));
        for (; container != NULL; container = container->next) {
            const struct hf_json *port = hf_json_first(hf_json_get(container, "ports"));
            for (; port != NULL; port = port->next) {
                if (prom_making_port_of(port) == number) {
                    prom_making_put_container(making, container, is_init);
                    prom_making_put_port(making, port);
                    return;
                }
            }
        }
    }
}

/* A pod behind a service also has ports that the service does not name: targets, too. */
static void add_other_ports(struct prom_making *making, const struct hf_json *pod,
                            const struct hf_json *ports)
{
    const struct hf_json *status = hf_json_get(pod, "status");
    const struct hf_json *container =
        hf_json_first(hf_json_get(hf_json_get(pod, "spec"), "containers"));
    size_t mark = making->labels.count;
    if (hf_json_text_of(status, "podIP").size == 0) {
        return;
    }
    for (; container != NULL; container = container->next) {
        const struct hf_json *port = hf_json_first(hf_json_get(container, "ports"));
        for (; port != NULL; port = port->next) {
            bool is_named = false;
            for (const struct hf_json *named = hf_json_first(ports); named != NULL;
                 named = named->next) {
                is_named |= hf_json_int(hf_json_get(named, "port")) == prom_making_port_of(port);
            }
            if (is_named) {
                continue;
            }
            prom_making_put_address(making, hf_json_text_of(status, "podIP"),
                                    prom_making_port_of(port));
            prom_making_put_pod(making, pod);
            prom_making_put_container(making, container, false);
            prom_making_put_port(making, port);
            prom_making_add_target(making);
            prom_making_back_to(making, mark);
        }
    }
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

static void attach_service(struct prom_making *making, struct hf_slice name_space,
                           struct hf_slice name)
{
    const struct hf_json *service = prom_making_find(making, PROM_KIND_SERVICE, name_space, name);
    if (service != NULL) {
        prom_making_put_meta(making, "service", service);
    }
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
    if (pod != NULL) {
        attach_pod(making, pod, number);
    } else {
        prom_making_attach_node(making, hf_json_text_of(address, "nodeName"));
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
                const struct hf_json *pod = pod_of(making, address, name_space);
                for (const struct hf_json *port = hf_json_first(ports); port != NULL;
                     port = port->next) {
                    add_endpoint(making, address, port, is_ready, name_space);
                    prom_making_back_to(making, mark);
                }
                if (pod != NULL) {
                    add_other_ports(making, pod, ports);
                }
            }
        }
    }
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
}

static void add_slice_port(struct prom_making *making, const struct hf_json *endpoint,
                           const struct hf_json *port, struct hf_slice address,
                           const struct hf_json *pod)
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
        attach_pod(making, pod, value);
    } else {
        prom_making_attach_node(making, hf_json_text_of(endpoint, "nodeName"));
    }
    prom_making_add_target(making);
}

void prom_making_add_slice(struct prom_making *making, const struct hf_json *slice)
{
    struct hf_slice name_space = prom_making_meta_text(slice, "namespace");
    const struct hf_json *labels = hf_json_get(hf_json_get(slice, "metadata"), "labels");
    const struct hf_json *ports = hf_json_get(slice, "ports");
    prom_making_begin(making, "endpointslice", slice);
    prom_making_put(making, PREFIX "endpointslice_address_type",
                    hf_json_text_of(slice, "addressType"));
    attach_service(making, name_space, hf_json_text_of(labels, SERVICE_NAME_LABEL));
    size_t mark = making->labels.count;
    for (const struct hf_json *endpoint = hf_json_first(hf_json_get(slice, "endpoints"));
         endpoint != NULL && !making->failed; endpoint = endpoint->next) {
        const struct hf_json *pod = pod_of(making, endpoint, name_space);
        put_slice_endpoint(making, endpoint);
        size_t inner_mark = making->labels.count;
        for (const struct hf_json *port = hf_json_first(ports); port != NULL; port = port->next) {
            for (const struct hf_json *address = hf_json_first(hf_json_get(endpoint, "addresses"));
                 address != NULL; address = address->next) {
                add_slice_port(making, endpoint, port, hf_json_text(address), pod);
                prom_making_back_to(making, inner_mark);
            }
        }
        prom_making_back_to(making, mark);
        if (pod != NULL) {
            add_other_ports(making, pod, ports);
        }
    }
}
