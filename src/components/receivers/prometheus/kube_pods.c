/*
 * kube_pods: pods as targets, each port of their containers.
 */
#include "kube_making.h"

static const struct hf_json *controller_of(const struct hf_json *object)
{
    const struct hf_json *item =
        hf_json_first(hf_json_get(hf_json_get(object, "metadata"), "ownerReferences"));
    while (item != NULL && !hf_json_bool(hf_json_get(item, "controller"))) {
        item = item->next;
    }
    return item;
}

/* The name of the controller of the pod's controller, when that is known and of the kind. */
static struct hf_slice second_controller(struct prom_making *making, const struct hf_json *pod,
                                         enum prom_kube_kind kind, struct hf_slice name,
                                         const char *wanted)
{
    const struct hf_json *first =
        prom_making_find(making, kind, prom_making_meta_text(pod, "namespace"), name);
    const struct hf_json *second = controller_of(first);
    bool is_wanted = hf_slice_is(hf_json_text_of(second, "kind"), wanted);
    return is_wanted ? hf_json_text_of(second, "name") : HF_EMPTY_SLICE;
}

static void put_controllers(struct prom_making *making, const struct hf_json *pod)
{
    const struct prom_kube_attach *attach = &making->config->attach_metadata;
    const struct hf_json *first = controller_of(pod);
    struct hf_slice kind = hf_json_text_of(first, "kind");
    struct hf_slice name = hf_json_text_of(first, "name");
    prom_making_put(making, PREFIX "pod_controller_kind", kind);
    prom_making_put(making, PREFIX "pod_controller_name", name);
    if (hf_slice_is(kind, "ReplicaSet") && attach->deployment) {
        prom_making_put(making, PREFIX "pod_deployment_name",
                        second_controller(making, pod, PROM_KIND_REPLICASET, name, "Deployment"));
    } else if (hf_slice_is(kind, "Job")) {
        prom_making_put(making, PREFIX "pod_job_name", attach->job ? name : HF_EMPTY_SLICE);
        prom_making_put(making, PREFIX "pod_cronjob_name",
                        second_controller(making, pod, PROM_KIND_JOB, name, "CronJob"));
    }
}

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
    prom_making_put(making, PREFIX "pod_ready", prom_making_lower(making, ready));
    prom_making_put(making, PREFIX "pod_phase", hf_json_text_of(status, "phase"));
    prom_making_put(making, PREFIX "pod_node_name", hf_json_text_of(spec, "nodeName"));
    prom_making_put(making, PREFIX "pod_host_ip", hf_json_text_of(status, "hostIP"));
    prom_making_put(making, PREFIX "pod_uid", prom_making_meta_text(pod, "uid"));
    prom_making_put_meta(making, "pod", pod);
    put_controllers(making, pod);
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

const struct hf_json *prom_making_containers(const struct hf_json *pod, bool is_init)
{
    return hf_json_first(
        hf_json_get(hf_json_get(pod, "spec"), is_init ? "initContainers" : "containers"));
}

void prom_making_put_port(struct prom_making *making, const struct hf_json *port,
                          struct hf_slice protocol)
{
    protocol = protocol.size != 0 ? protocol : hf_json_text_of(port, "protocol");
    prom_making_put(making, PREFIX "pod_container_port_name", hf_json_text_of(port, "name"));
    prom_making_put_number(making, PREFIX "pod_container_port_number", prom_making_port_of(port));
    prom_making_put(making, PREFIX "pod_container_port_protocol",
                    protocol.size != 0 ? protocol : hf_slice_text("TCP"));
}

static void add_containers(struct prom_making *making, const struct hf_json *pod, bool is_init)
{
    struct hf_slice ip = hf_json_text_of(hf_json_get(pod, "status"), "podIP");
    const struct hf_json *container = prom_making_containers(pod, is_init);
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
            prom_making_put_port(making, port, HF_EMPTY_SLICE);
            prom_making_add_target(making);
            prom_making_back_to(making, port_mark);
        }
        prom_making_back_to(making, mark);
    }
}

void prom_making_add_pod(struct prom_making *making, const struct hf_json *pod)
{
    struct hf_slice node = hf_json_text_of(hf_json_get(pod, "spec"), "nodeName");
    if (hf_json_text_of(hf_json_get(pod, "status"), "podIP").size == 0) {
        return; /* it has no place yet */
    }
    if (making->config->attach_metadata.node &&
        prom_making_find(making, PROM_KIND_NODE, HF_EMPTY_SLICE, node) == NULL) {
        return; /* a selector of nodes leaves out its node */
    }
    making->labels.count = 0;
    prom_making_put(making, PREFIX "namespace", prom_making_meta_text(pod, "namespace"));
    if (making->config->attach_metadata.namespace) {
        prom_making_attach_namespace(making, prom_making_meta_text(pod, "namespace"));
    }
    prom_making_put_pod(making, pod);
    prom_making_attach_node(making, node);
    add_containers(making, pod, false);
    add_containers(making, pod, true);
}
