#include "objects.h"

#include <string.h>

#include "support/discovery/endpoints.h"

#define TEXT(slice) (int)(slice).size, (slice).size != 0 ? (const char *)(slice).data : ""

static void add(struct kube_found *found, struct hf_endpoint_draft *draft)
{
    struct hf_endpoint *endpoint = hf_draft_end(draft);
    if (found->count < KUBE_ENDPOINTS_MAX) {
        found->items[found->count++] = endpoint;
    } else {
        hf_ref_drop(endpoint != NULL ? &endpoint->ref : NULL);
    }
}

static struct hf_slice meta(const struct hf_json *object, const char *key)
{
    return hf_json_text_of(hf_json_get(object, "metadata"), key);
}

/* A map of texts. */
static void put_texts(struct hf_endpoint_draft *draft, struct hf_value *map, const char *key,
                      const struct hf_json *texts)
{
    size_t count = 0;
    for (const struct hf_json *one = hf_json_first(texts); one != NULL; one = one->next) {
        count++;
    }
    struct hf_value *inner = hf_draft_map(draft, map, key, count);
    for (const struct hf_json *one = hf_json_first(texts); one != NULL; one = one->next) {
        char name[512];
        size_t size = one->key.size < sizeof(name) ? one->key.size : sizeof(name) - 1;
        memcpy(name, one->key.data, size);
        name[size] = '\0';
        hf_draft_text(draft, inner, name, hf_json_text(one));
    }
}

#define META_COUNT 5

/* META_COUNT entries. */
static void put_meta(struct hf_endpoint_draft *draft, struct hf_value *map,
                     const struct hf_json *object, struct hf_slice uid)
{
    const struct hf_json *metadata = hf_json_get(object, "metadata");
    hf_draft_text(draft, map, "uid", uid);
    hf_draft_text(draft, map, "name", meta(object, "name"));
    hf_draft_text(draft, map, "namespace", meta(object, "namespace"));
    put_texts(draft, map, "labels", hf_json_get(metadata, "labels"));
    put_texts(draft, map, "annotations", hf_json_get(metadata, "annotations"));
}

static void put_pod(struct hf_endpoint_draft *draft, const struct hf_json *pod)
{
    struct hf_value *map = hf_draft_map(draft, &draft->variables, "pod", META_COUNT);
    put_meta(draft, map, pod, meta(pod, "uid"));
}

/* ---- pods ---- */

/* The status of a container that runs; NULL: it does not. */
static const struct hf_json *running(const struct hf_json *pod, struct hf_slice name)
{
    const struct hf_json *one =
        hf_json_first(hf_json_get(hf_json_get(pod, "status"), "containerStatuses"));
    for (; one != NULL; one = one->next) {
        const struct hf_json *state = hf_json_get(hf_json_get(one, "state"), "running");
        if (hf_slice_equal(hf_json_text_of(one, "name"), name) && state != NULL &&
            state->kind != HF_JSON_NULL) {
            return one;
        }
    }
    return NULL;
}

/* "containerd://ID" without the runtime. */
static struct hf_slice container_id(const struct hf_json *status)
{
    struct hf_slice id = hf_json_text_of(status, "containerID");
    const uint8_t *mark = id.size != 0 ? memmem(id.data, id.size, "://", 3) : NULL;
    size_t before = mark != NULL ? (size_t)(mark - id.data) + 3 : id.size;
    return hf_slice_of(id.data + before, id.size - before);
}

static void put_container(struct hf_endpoint_draft *draft, const struct hf_json *container,
                          const struct hf_json *status)
{
    hf_draft_text(draft, &draft->variables, "container_name", hf_json_text_of(container, "name"));
    hf_draft_text(draft, &draft->variables, "container_id", container_id(status));
    hf_draft_text(draft, &draft->variables, "container_image", hf_json_text_of(container, "image"));
}

static struct hf_slice transport_of(struct hf_slice protocol)
{
    bool is_known = hf_slice_is(protocol, "TCP") || hf_slice_is(protocol, "UDP");
    return protocol.size == 0 ? hf_slice_text("TCP") /* what the API fills in */
           : is_known         ? protocol
                              : hf_slice_text("Unknown");
}

/* An address of IPv6 with a port needs brackets; by itself it has none. */
static const char *with_port(struct hf_endpoint_draft *draft, struct hf_slice ip, int64_t port)
{
    bool is_ipv6 = ip.size != 0 && memchr(ip.data, ':', ip.size) != NULL;
    return hf_draft_print(draft, is_ipv6 ? "[%.*s]:%lld" : "%.*s:%lld", TEXT(ip), (long long)port);
}

static void find_ports(struct kube_found *found, const struct hf_json *pod,
                       const struct hf_json *container, const struct hf_json *status)
{
    struct hf_slice uid = meta(pod, "uid");
    struct hf_slice ip = hf_json_text_of(hf_json_get(pod, "status"), "podIP");
    const struct hf_json *port = hf_json_first(hf_json_get(container, "ports"));
    for (; port != NULL; port = port->next) {
        int64_t number = hf_json_int(hf_json_get(port, "containerPort"));
        struct hf_slice name = hf_json_text_of(port, "name");
        struct hf_endpoint_draft draft;
        hf_draft_begin(&draft, "port", 7);
        draft.id = hf_draft_print(&draft, "%s/%.*s/%.*s(%lld)", found->observer, TEXT(uid),
                                  TEXT(name), (long long)number);
        draft.target = with_port(&draft, ip, number);
        hf_draft_text(&draft, &draft.variables, "name", name);
        hf_draft_number(&draft, &draft.variables, "port", number);
        hf_draft_text(&draft, &draft.variables, "transport",
                      transport_of(hf_json_text_of(port, "protocol")));
        put_container(&draft, container, status);
        put_pod(&draft, pod);
        add(found, &draft);
    }
}

void kube_pod_find(struct kube_found *found, const struct hf_json *pod)
{
    struct hf_slice uid = meta(pod, "uid");
    const struct hf_json *status = hf_json_get(pod, "status");
    struct hf_slice ip = hf_json_text_of(status, "podIP");
    struct hf_endpoint_draft draft;
    if (!hf_slice_is(hf_json_text_of(status, "phase"), "Running")) {
        return;
    }
    hf_draft_begin(&draft, "pod", META_COUNT);
    draft.id = hf_draft_print(&draft, "%s/%.*s", found->observer, TEXT(uid));
    draft.target = hf_draft_print(&draft, "%.*s", TEXT(ip));
    put_meta(&draft, &draft.variables, pod, uid);
    add(found, &draft);
    const struct hf_json *one = hf_json_first(hf_json_get(hf_json_get(pod, "spec"), "containers"));
    for (; one != NULL; one = one->next) {
        struct hf_slice name = hf_json_text_of(one, "name");
        const struct hf_json *state = running(pod, name);
        if (state == NULL) {
            continue;
        }
        hf_draft_begin(&draft, "pod.container", 4);
        draft.id = hf_draft_print(&draft, "%s/%.*s/%.*s", found->observer, TEXT(uid), TEXT(name));
        draft.target = hf_draft_print(&draft, "%.*s", TEXT(ip));
        put_container(&draft, one, state);
        put_pod(&draft, pod);
        add(found, &draft);
        find_ports(found, pod, one, state);
    }
}

/* ---- services and nodes ---- */

void kube_service_find(struct kube_found *found, const struct hf_json *service)
{
    const struct hf_json *spec = hf_json_get(service, "spec");
    struct hf_slice name = meta(service, "name"), space = meta(service, "namespace");
    struct hf_slice uid = meta(service, "uid");
    struct hf_endpoint_draft draft;
    hf_draft_begin(&draft, "k8s.service", META_COUNT + 2);
    draft.id = hf_draft_print(&draft, "%s/%.*s", found->observer, TEXT(uid));
    draft.target = hf_draft_print(&draft, "%.*s.%.*s.svc.cluster.local", TEXT(name), TEXT(space));
    put_meta(&draft, &draft.variables, service, uid);
    hf_draft_text(&draft, &draft.variables, "cluster_ip", hf_json_text_of(spec, "clusterIP"));
    hf_draft_text(&draft, &draft.variables, "service_type", hf_json_text_of(spec, "type"));
    add(found, &draft);
}

/* The last one of that type; empty: none. */
static struct hf_slice address_of(const struct hf_json *status, const char *type)
{
    struct hf_slice found = HF_EMPTY_SLICE;
    const struct hf_json *one = hf_json_first(hf_json_get(status, "addresses"));
    for (; one != NULL; one = one->next) {
        if (hf_slice_is(hf_json_text_of(one, "type"), type)) {
            found = hf_json_text_of(one, "address");
        }
    }
    return found;
}

void kube_node_find(struct kube_found *found, const struct hf_json *node)
{
    /* The first one that is there is the target. */
    static const struct {
        const char *type, *key;
    } addresses[] = {{"InternalIP", "internal_ip"},
                     {"InternalDNS", "internal_dns"},
                     {"Hostname", "hostname"},
                     {"ExternalIP", "external_ip"},
                     {"ExternalDNS", "external_dns"}};
    static const char *const port[] = {"status", "daemonEndpoints", "kubeletEndpoint", "Port",
                                       NULL};
    struct hf_slice name = meta(node, "name"), uid = meta(node, "uid");
    struct hf_slice target = HF_EMPTY_SLICE;
    struct hf_endpoint_draft draft;
    hf_draft_begin(&draft, "k8s.node", META_COUNT + 6);
    draft.id = hf_draft_print(&draft, "%s/%.*s-%.*s", found->observer, TEXT(name), TEXT(uid));
    put_meta(&draft, &draft.variables, node, uid);
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct hf_slice address = address_of(hf_json_get(node, "status"), addresses[i].type);
        target = target.size != 0 ? target : address;
        hf_draft_text(&draft, &draft.variables, addresses[i].key, address);
    }
    hf_draft_number(&draft, &draft.variables, "kubelet_endpoint_port",
                    hf_json_int(hf_json_at(node, port)));
    draft.target = hf_draft_print(&draft, "%.*s", TEXT(target));
    add(found, &draft);
}

/* ---- ingresses ---- */

/* "*.example.org" covers one label. */
static bool covers(struct hf_slice pattern, struct hf_slice host)
{
    const uint8_t *dot = host.size != 0 ? memchr(host.data, '.', host.size) : NULL;
    if (hf_slice_equal(pattern, host)) {
        return true;
    }
    if (dot == NULL || pattern.size < 2 || pattern.data[0] != '*' || pattern.data[1] != '.') {
        return false;
    }
    size_t before = (size_t)(dot - host.data);
    return hf_slice_equal(hf_slice_of(pattern.data + 1, pattern.size - 1),
                          hf_slice_of(dot, host.size - before));
}

static bool has_tls(const struct hf_json *ingress, struct hf_slice host)
{
    const struct hf_json *tls = hf_json_first(hf_json_get(hf_json_get(ingress, "spec"), "tls"));
    for (; tls != NULL; tls = tls->next) {
        const struct hf_json *one = hf_json_first(hf_json_get(tls, "hosts"));
        for (; one != NULL; one = one->next) {
            if (covers(hf_json_text(one), host)) {
                return true;
            }
        }
    }
    return false;
}

void kube_ingress_find(struct kube_found *found, const struct hf_json *ingress)
{
    struct hf_slice uid = meta(ingress, "uid");
    const struct hf_json *rule = hf_json_first(hf_json_get(hf_json_get(ingress, "spec"), "rules"));
    for (; rule != NULL; rule = rule->next) {
        struct hf_slice host = hf_json_text_of(rule, "host");
        const char *scheme = has_tls(ingress, host) ? "https" : "http";
        const struct hf_json *one = hf_json_first(hf_json_get(hf_json_get(rule, "http"), "paths"));
        for (; one != NULL; one = one->next) {
            struct hf_slice path = hf_json_text_of(one, "path");
            struct hf_endpoint_draft draft;
            hf_draft_begin(&draft, "k8s.ingress", META_COUNT + 3);
            draft.id = hf_draft_print(&draft, "%s/%.*s/%.*s%.*s", found->observer, TEXT(uid),
                                      TEXT(host), TEXT(path));
            draft.target = hf_draft_print(&draft, "%s://%.*s%.*s", scheme, TEXT(host), TEXT(path));
            /* The uid is that of the endpoint, as the Go collector has it. */
            put_meta(&draft, &draft.variables, ingress, hf_slice_text(draft.id));
            hf_draft_text(&draft, &draft.variables, "scheme", hf_slice_text(scheme));
            hf_draft_text(&draft, &draft.variables, "host", host);
            hf_draft_text(&draft, &draft.variables, "path", path);
            add(found, &draft);
        }
    }
}
