/*
 * kube_pods: pods as targets, each port of their containers.
 */
#include "kube_making.h"

void prom_making_put_pod(struct prom_making *making, const struct hf_json *pod)
{
    const struct hf_json *status = hf_json_get(pod, "status");
    const struct hf_json *spec = hf_json_get(pod, "spec");
    struct hf_slice ready = hf_slice_text("unknown");
    prom_making_put(making, PREFIX "pod_ip", hf_json_text_of(status, "podIP"));
    const struct hf_json *item = hf_json_first(hf_json_get(status, "conditions"));
    for (; item != NULL; item = item->next) {
        if (hf_slice_is(hf_json_text_of(item, "type"), "Ready")) {
            ready = hf_json_text_of(item, "status");
        }
    }
    prom_making_put_lower(making, PREFIX "pod_ready", ready);
    prom_making_put(making, PREFIX "pod_phase", hf_json_text_of(status, "phase"));
    prom_making_put(making, PREFIX "pod_node_name", hf_json_text_of(spec, "nodeName"));
    prom_making_put(making, PREFIX "pod_host_ip", hf_json_text_of(status, "hostIP"));
    prom_making_put(making, PREFIX "pod_uid", prom_making_meta_text(pod, "uid"));
    prom_making_put_meta(making, "pod", pod);
    item = hf_json_first(hf_json_get(hf_json_get(pod, "metadata"), "ownerReferences"));
    for (; item != NULL; item = item->next) {
        if (hf_json_bool(hf_json_get(item, "controller"))) {
            prom_making_put(making, PREFIX "pod_controller_kind", hf_json_text_of(item, "kind"));
            prom_making_put(making, PREFIX "pod_controller_name", hf_json_text_of(item, "name"));
        }
    }
    prom_making_attach_node(making, hf_json_text_of(spec, "nodeName"));
}

static struct hf_slice container_id(const struct hf_json *pod, struct hf_slice name, bool is_init)
{
    const struct hf_json *status = hf_json_get(pod, "status");
    const struct hf_json *item =
        hf_json_first(hf_json_get(status, is_init ? "initContainerStatuses" : "containerStatuses"));
    for (; item != NULL; item = item->next) {
        if (hf_slice_equal(hf_json_text_of(item, "name"), name)) {
            return hf_json_text_of(item, "containerID");
        }
    }
    return HF_EMPTY_SLICE;
}

void prom_making_put_container(struct prom_making *making, const struct hf_json *container,
                               bool is_init)
{
    prom_making_put(making, PREFIX "pod_container_name", hf_json_text_of(container, "name"));
    prom_making_put(making, PREFIX "pod_container_image", hf_json_text_of(container, "image"));
    prom_making_put_flag(making, PREFIX "pod_container_init", is_init);
}

int64_t prom_making_port_of(const struct hf_json *port)
{
    return hf_json_int(hf_json_get(port, "containerPort"));
}

void prom_making_put_port(struct prom_making *making, const struct hf_json *port)
{
    struct hf_slice protocol = hf_json_text_of(port, "protocol");
    prom_making_put(making, PREFIX "pod_container_port_name", hf_json_text_of(port, "name"));
    prom_making_put_number(making, PREFIX "pod_container_port_number", prom_making_port_of(port));
    prom_making_put(making, PREFIX "pod_container_port_protocol",
                    protocol.size != 0 ? protocol : hf_slice_text("TCP"));
}

static void add_containers(struct prom_making *making, const struct hf_json *pod, bool is_init)
{
    struct hf_slice ip = hf_json_text_of(hf_json_get(pod, "status"), "podIP");
    const struct hf_json *container = hf_json_first(
        hf_json_get(hf_json_get(pod, "spec"), is_init ? "initContainers" : "containers"));
    for (size_t mark = making->labels.count; container != NULL; container = container->next) {
        prom_making_put_container(making, container, is_init);
        prom_making_put(making, PREFIX "pod_container_id",
                        container_id(pod, hf_json_text_of(container, "name"), is_init));
        const struct hf_json *port = hf_json_first(hf_json_get(container, "ports"));
        size_t port_mark = making->labels.count;
        if (port == NULL) {
            prom_making_put_address(making, ip, -1);
            prom_making_add_target(making);
        }
        for (; port != NULL; port = port->next) {
            prom_making_put_address(making, ip, prom_making_port_of(port));
            prom_making_put_port(making, port);
            prom_making_add_target(making);
            prom_making_back_to(making, port_mark);
        }
        prom_making_back_to(making, mark);
    }
}

void prom_making_add_pod(struct prom_making *making, const struct hf_json *pod)
{
    if (hf_json_text_of(hf_json_get(pod, "status"), "podIP").size == 0) {
        return; /* it has no place yet */
    }
    making->labels.count = 0;
    prom_making_put(making, PREFIX "namespace", prom_making_meta_text(pod, "namespace"));
    if (making->config->attach_metadata.namespace) {
        prom_making_attach_namespace(making, prom_making_meta_text(pod, "namespace"));
    }
    prom_making_put_pod(making, pod);
    add_containers(making, pod, false);
    add_containers(making, pod, true);
}
