#include "inject.h"

#include <stdio.h>
#include <string.h>

#include "choice.h"
#include "sidecar.h"

#define OWN_PORTS "8888,13133"
#define INBOUND "traffic.sidecar.istio.io/excludeInboundPorts"
#define PATH_MAX_BYTES 160u

static const struct hf_json *spec_list(const struct hf_json *pod, const char *name)
{
    return hf_json_get(hf_json_get(pod, "spec"), name);
}

static bool has_name(const struct hf_json *item, const char *name)
{
    return hf_slice_is(hf_json_text_of(item, "name"), name);
}

static bool list_has(const struct hf_json *list, const char *name)
{
    const struct hf_json *item = hf_json_first(list);
    while (item != NULL && !has_name(item, name)) {
        item = item->next;
    }
    return item != NULL;
}

bool hf_inject_is_there(const struct hf_json *pod)
{
    return list_has(spec_list(pod, "containers"), HF_INJECT_CONTAINER) ||
           list_has(spec_list(pod, "initContainers"), HF_INJECT_CONTAINER) ||
           hf_annotation(pod, HF_INJECTED_ANNOTATION).size != 0;
}

static bool is_of_job(const struct hf_json *pod)
{
    const struct hf_json *owners = hf_json_get(hf_json_get(pod, "metadata"), "ownerReferences");
    const struct hf_json *owner = hf_json_first(owners);
    while (owner != NULL && !hf_slice_is(hf_json_text_of(owner, "kind"), "Job")) {
        owner = owner->next;
    }
    return owner != NULL;
}

const char *hf_inject_hindrance(const struct hf_json *pod, bool is_native)
{
    if (hf_json_bool(spec_list(pod, "hostNetwork"))) {
        return "no sidecar: with hostNetwork its ports would be those of the node";
    }
    if (!is_native && is_of_job(pod)) {
        return "no sidecar: the Job would never end in a cluster without native sidecars (1.29)";
    }
    return NULL;
}

/* ---- Istio ---- */

static bool is_istio_container(const struct hf_json *item)
{
    return has_name(item, "istio-init") || has_name(item, "istio-validation") ||
           has_name(item, "istio-proxy");
}

static bool has_istio(const struct hf_json *pod)
{
    const struct hf_json *labels = hf_json_get(hf_json_get(pod, "metadata"), "labels");
    return list_has(spec_list(pod, "containers"), "istio-proxy") ||
           list_has(spec_list(pod, "initContainers"), "istio-proxy") ||
           list_has(spec_list(pod, "initContainers"), "istio-init") ||
           hf_slice_is(hf_annotation(pod, "sidecar.istio.io/inject"), "true") ||
           hf_slice_is(hf_json_text_of(labels, "sidecar.istio.io/inject"), "true");
}

/* Where the sidecar stands among the init containers: first, so that the others can send, but
 * behind those that give the pod its network. */
static size_t native_place(const struct hf_json *pod)
{
    size_t place = 0, index = 0;
    const struct hf_json *item = hf_json_first(spec_list(pod, "initContainers"));
    for (; item != NULL; item = item->next) {
        index++;
        place = is_istio_container(item) ? index : place;
    }
    return place;
}

/* ---- the patch ---- */

/* {"op":"add","path":...,"value": and then the value, and end_op(). */
static void begin_op(struct hf_json_writer *writer, const char *path)
{
    hf_json_write_open(writer, '{');
    HF_JSON_WRITE_KEY(writer, "op");
    hf_json_write_text(writer, hf_slice_text("add"));
    HF_JSON_WRITE_KEY(writer, "path");
    hf_json_write_text(writer, hf_slice_text(path));
    HF_JSON_WRITE_KEY(writer, "value");
}

static void end_op(struct hf_json_writer *writer)
{
    hf_json_write_close(writer, '}');
}

/* A list or map that has to be there before something is added to it. */
static void need(struct hf_json_writer *writer, const struct hf_json *value, const char *path,
                 const char *empty)
{
    if (value == NULL || value->kind == HF_JSON_NULL) {
        begin_op(writer, path);
        hf_json_write_made(writer, hf_slice_text(empty));
        end_op(writer);
    }
}

static void annotate(struct hf_json_writer *writer, const char *pointer, struct hf_slice value)
{
    char path[PATH_MAX_BYTES];
    snprintf(path, sizeof(path), "/metadata/annotations/%s", pointer);
    begin_op(writer, path);
    hf_json_write_text(writer, value);
    end_op(writer);
}

static void write_annotations(const struct hf_inject_options *options,
                              struct hf_json_writer *writer)
{
    const struct hf_json *metadata = hf_json_get(options->pod, "metadata");
    char ports[512];
    need(writer, hf_json_get(metadata, "annotations"), "/metadata/annotations", "{}");
    annotate(writer, "sidecar.holdfast.dev~1injected", options->config->about);
    if (!has_istio(options->pod)) {
        return;
    }
    struct hf_slice before = hf_annotation(options->pod, INBOUND);
    if (before.size < sizeof(ports) - sizeof(OWN_PORTS) - 1) {
        snprintf(ports, sizeof(ports), "%.*s%s" OWN_PORTS, (int)before.size,
                 before.size != 0 ? (const char *)before.data : "", before.size != 0 ? "," : "");
        annotate(writer, "traffic.sidecar.istio.io~1excludeInboundPorts", hf_slice_text(ports));
    }
}

static void write_volumes(const struct hf_inject_options *options, struct hf_json_writer *writer)
{
    need(writer, spec_list(options->pod, "volumes"), "/spec/volumes", "[]");
    begin_op(writer, "/spec/volumes/-");
    hf_sidecar_queue_volume(options, writer);
    end_op(writer);
    if (options->config->config_map.size != 0) {
        begin_op(writer, "/spec/volumes/-");
        hf_sidecar_config_volume(options, writer);
        end_op(writer);
    }
}

static void write_container(const struct hf_inject_options *options, struct hf_json_writer *writer)
{
    char path[PATH_MAX_BYTES] = "/spec/containers/-";
    if (options->is_native) {
        need(writer, spec_list(options->pod, "initContainers"), "/spec/initContainers", "[]");
        snprintf(path, sizeof(path), "/spec/initContainers/%zu", native_place(options->pod));
    }
    begin_op(writer, path);
    hf_sidecar_container(options, writer);
    end_op(writer);
}

/* ---- the application's environment ---- */

static struct hf_slice service_name(const struct hf_inject_options *options,
                                    const struct hf_json *container)
{
    static const char *const labels[] = {"app.kubernetes.io/name", "app"};
    const struct hf_json *all = hf_json_get(hf_json_get(options->pod, "metadata"), "labels");
    struct hf_slice name = HF_EMPTY_SLICE;
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]) && name.size == 0; i++) {
        name = hf_json_text_of(all, labels[i]);
    }
    return name.size != 0 ? name : hf_json_text_of(container, "name");
}

/* One variable, unless the container has one of that name. */
static bool begin_variable(struct hf_json_writer *writer, const struct hf_json *container,
                           size_t index, const char *name)
{
    char path[PATH_MAX_BYTES];
    if (list_has(hf_json_get(container, "env"), name)) {
        return false;
    }
    snprintf(path, sizeof(path), "/spec/containers/%zu/env/-", index);
    begin_op(writer, path);
    return true;
}

static void set_field(struct hf_json_writer *writer, const struct hf_json *container, size_t index,
                      const char *name, const char *path)
{
    if (begin_variable(writer, container, index, name)) {
        hf_sidecar_field(writer, name, path);
        end_op(writer);
    }
}

static void set_value(struct hf_json_writer *writer, const struct hf_json *container, size_t index,
                      const char *name, struct hf_slice value)
{
    if (value.size != 0 && begin_variable(writer, container, index, name)) {
        hf_sidecar_value(writer, name, value);
        end_op(writer);
    }
}

static void write_variables(const struct hf_inject_options *options,
                            const struct hf_json *container, size_t index,
                            struct hf_json_writer *writer)
{
    char path[PATH_MAX_BYTES], resource[1024];
    struct hf_slice name = hf_json_text_of(container, "name");
    snprintf(path, sizeof(path), "/spec/containers/%zu/env", index);
    need(writer, hf_json_get(container, "env"), path, "[]");
    set_field(writer, container, index, "HOLDFAST_POD_NAME", "metadata.name");
    set_field(writer, container, index, "HOLDFAST_POD_UID", "metadata.uid");
    set_field(writer, container, index, "HOLDFAST_NODE_NAME", "spec.nodeName");
    snprintf(resource, sizeof(resource),
             "k8s.pod.name=$(HOLDFAST_POD_NAME),k8s.pod.uid=$(HOLDFAST_POD_UID),k8s.node.name="
             "$(HOLDFAST_NODE_NAME),k8s.namespace.name=%.*s,k8s.container.name=%.*s",
             (int)options->namespace.size, (const char *)options->namespace.data,
             (int)(name.size < 253 ? name.size : 253),
             name.size != 0 ? (const char *)name.data : "");
    set_value(writer, container, index, "OTEL_RESOURCE_ATTRIBUTES", hf_slice_text(resource));
    set_value(writer, container, index, "OTEL_SERVICE_NAME", service_name(options, container));
    /* The protocol goes with the port: an endpoint of the pod's own keeps the protocol it has. */
    if (!list_has(hf_json_get(container, "env"), "OTEL_EXPORTER_OTLP_ENDPOINT")) {
        set_value(writer, container, index, "OTEL_EXPORTER_OTLP_ENDPOINT",
                  hf_slice_text("http://localhost:4318"));
        set_value(writer, container, index, "OTEL_EXPORTER_OTLP_PROTOCOL",
                  hf_slice_text("http/protobuf"));
    }
}

static void write_applications(const struct hf_inject_options *options,
                               struct hf_json_writer *writer)
{
    size_t index = 0;
    const struct hf_json *item = hf_json_first(spec_list(options->pod, "containers"));
    if (options->settings->leaves_env ||
        hf_slice_is(hf_annotation(options->pod, HF_ENV_ANNOTATION), "false")) {
        return;
    }
    for (; item != NULL; item = item->next, index++) {
        if (!is_istio_container(item)) {
            write_variables(options, item, index, writer);
        }
    }
}

enum hf_status hf_inject(const struct hf_inject_options *options, struct hf_bytes *out)
{
    struct hf_json_writer writer = {.out = out};
    hf_json_write_open(&writer, '[');
    write_annotations(options, &writer);
    write_volumes(options, &writer);
    write_applications(options, &writer); /* before a container is added, so that places count */
    write_container(options, &writer);
    hf_json_write_close(&writer, ']');
    return hf_json_write_status(&writer);
}
