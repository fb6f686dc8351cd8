/*
 * lb_resolver_k8s: the endpoints of a Kubernetes Service. A watch of its EndpointSlices runs on the
 * thread of the Kubernetes client; what it knows crosses to the delivery's loop as one text.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "kubernetes/access.h"
#include "kubernetes/known.h"
#include "kubernetes/watch.h"
#include "lb_resolver.h"
#include "lb_service_name.h"
#include "util/compress/compress.h"
#include "util/loop.h"

#define SLICES_MAX 1024u /* a slice has up to 1,000 endpoints */
#define HOST_MAX 256

/* One EndpointSlice: its hosts, each ended by a NUL. */
struct slice {
    struct slice *next;
    char uid[HF_KUBE_UID_MAX];
    struct hf_bytes hosts;
};

/* What the watch has found, on its way to the loop. A task may still be in the inbox when the
 * resolver is gone, so it is shared. */
struct mailbox {
    struct hf_ref ref;
    struct hf_task task;
    pthread_mutex_t lock;  /* of the next three */
    struct hf_bytes hosts; /* each ended by a NUL */
    bool is_posted;
    bool is_incomplete; /* an endpoint had no hostname yet */
    struct k8s *owner;  /* the loop's; NULL: gone */
};

struct k8s {
    struct lb_resolver resolver; /* first */
    struct hf_kube_client *client;
    struct hf_kube_listener listener;
    struct lb_service_name service;
    struct mailbox *mailbox;
    /* The client's thread. */
    struct slice *slices;
    size_t slice_count;
    bool is_incomplete, has_failed;
};

/* ---- the client's thread ---- */

static struct k8s *of(struct hf_kube_listener *listener)
{
    return HF_CONTAINER(listener, struct k8s, listener);
}

static void say(struct hf_kube_listener *listener, enum hf_log_level level, const char *sentence)
{
    hf_node_log(of(listener)->resolver.options.node, level, "%s", sentence);
}

static void free_slice(struct slice *slice)
{
    hf_bytes_release(&slice->hosts);
    free(slice);
}

static struct slice **find(struct k8s *k8s, struct hf_slice uid)
{
    struct slice **at = &k8s->slices;
    while (*at != NULL && !hf_slice_is(uid, (*at)->uid)) {
        at = &(*at)->next;
    }
    return at;
}

/* The addresses of an EndpointSlice, or the hostnames of its pods; ready or not, as the Go
 * collector takes them. */
static bool read_hosts(struct k8s *k8s, const struct hf_json *object, struct hf_bytes *out)
{
    bool by_name = k8s->resolver.options.config->resolver.k8s->return_hostnames;
    bool good = true;
    const struct hf_json *one = hf_json_first(hf_json_get(object, "endpoints"));
    for (; one != NULL && good; one = one->next) {
        struct hf_slice hostname = hf_json_text_of(one, "hostname");
        const struct hf_json *address = hf_json_first(hf_json_get(one, "addresses"));
        for (; address != NULL && good; address = address->next) {
            struct hf_slice host = by_name ? hostname : hf_json_text(address);
            if (host.size == 0 || host.size >= HOST_MAX) {
                k8s->is_incomplete = true;
                continue;
            }
            good = hf_bytes_append(out, host) == HF_OK &&
                   hf_bytes_append(out, hf_slice_of("", 1)) == HF_OK;
        }
    }
    return good;
}

static void on_changed(struct hf_kube_listener *listener, enum hf_kube_change change,
                       struct hf_slice uid, const struct hf_json *object)
{
    struct k8s *k8s = of(listener);
    struct slice **at = find(k8s, uid);
    if (change == HF_KUBE_IS_DELETED) {
        struct slice *gone = *at;
        if (gone != NULL) {
            *at = gone->next;
            k8s->slice_count--;
            free_slice(gone);
        }
        return;
    }
    if (*at == NULL && k8s->slice_count < SLICES_MAX && uid.size < HF_KUBE_UID_MAX) {
        struct slice *made = calloc(1, sizeof(*made));
        if (made != NULL) {
            memcpy(made->uid, uid.data, uid.size);
            *at = made;
            k8s->slice_count++;
        }
    }
    if (*at == NULL) {
        k8s->has_failed = true;
        return;
    }
    (*at)->hosts.size = 0;
    k8s->has_failed = !read_hosts(k8s, object, &(*at)->hosts) || k8s->has_failed;
}

/* Hands all that is known to the loop. */
static void on_settled(struct hf_kube_listener *listener, const char *version)
{
    struct k8s *k8s = of(listener);
    struct mailbox *mailbox = k8s->mailbox;
    if (version[0] == '\0') {
        return; /* in the middle of a list */
    }
    pthread_mutex_lock(&mailbox->lock);
    mailbox->hosts.size = 0;
    for (const struct slice *slice = k8s->slices; slice != NULL && !k8s->has_failed;
         slice = slice->next) {
        k8s->has_failed = hf_bytes_append(&mailbox->hosts, hf_slice_of(slice->hosts.data,
                                                                       slice->hosts.size)) != HF_OK;
    }
    mailbox->is_incomplete = mailbox->is_incomplete || k8s->is_incomplete;
    bool is_new = !mailbox->is_posted && !k8s->has_failed;
    mailbox->is_posted = mailbox->is_posted || is_new;
    pthread_mutex_unlock(&mailbox->lock);
    if (is_new) {
        hf_ref_take(&mailbox->ref);
        hf_loop_post(hf_node_own_loop(k8s->resolver.options.node), &mailbox->task);
    }
    if (k8s->has_failed) {
        hf_node_log(k8s->resolver.options.node, HF_LOG_ERROR,
                    "the endpoints of the service cannot be kept: out of memory, or more than %u "
                    "EndpointSlices; the backends stay as they are",
                    SLICES_MAX);
    }
    k8s->has_failed = k8s->is_incomplete = false;
}

/* ---- the loop ---- */

static void free_mailbox(struct hf_ref *ref)
{
    struct mailbox *mailbox = HF_CONTAINER(ref, struct mailbox, ref);
    pthread_mutex_destroy(&mailbox->lock);
    hf_bytes_release(&mailbox->hosts);
    free(mailbox);
}

/* Room of one endpoint's text. */
#define ENDPOINT_MAX (HOST_MAX + 2 * 64 + 16)

static void print_endpoint(const struct k8s *k8s, const char *host, const char *port, char *room)
{
    const struct lb_service_name *service = &k8s->service;
    char name[ENDPOINT_MAX];
    if (k8s->resolver.options.config->resolver.k8s->return_hostnames) {
        snprintf(name, sizeof(name), "%s.%s.%s", host, service->name, service->name_space);
    } else {
        snprintf(name, sizeof(name), "%s", host);
    }
    bool is_v6 = strchr(name, ':') != NULL && port != NULL;
    snprintf(room, ENDPOINT_MAX, "%s%.300s%s%s%.6s", is_v6 ? "[" : "", name, is_v6 ? "]" : "",
             port != NULL ? ":" : "", port != NULL ? port : "");
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static size_t without_repeats(const char **endpoints, size_t count)
{
    size_t kept = 0;
    qsort(endpoints, count, sizeof(*endpoints), compare);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || strcmp(endpoints[kept - 1], endpoints[i]) != 0) {
            endpoints[kept++] = endpoints[i];
        }
    }
    return kept;
}

/* Each host with each port. */
static void tell(struct k8s *k8s, struct hf_slice hosts)
{
    static const char *const none[] = {NULL};
    const struct hf_string_list *configured = &k8s->resolver.options.config->resolver.k8s->ports;
    const char *const *ports = configured->count != 0 ? configured->items : none;
    size_t port_count = configured->count != 0 ? configured->count : 1;
    size_t host_count = 0;
    for (size_t i = 0; i < hosts.size; i++) {
        host_count += hosts.data[i] == '\0';
    }
    char(*texts)[ENDPOINT_MAX] = calloc(host_count * port_count + 1, sizeof(*texts));
    const char **endpoints = calloc(host_count * port_count + 1, sizeof(*endpoints));
    size_t count = 0;
    for (size_t at = 0; texts != NULL && endpoints != NULL && at < hosts.size;) {
        const char *host = (const char *)hosts.data + at;
        for (size_t i = 0; i < port_count; i++) {
            print_endpoint(k8s, host, ports[i], texts[count]);
            endpoints[count] = texts[count];
            count++;
        }
        at += strlen(host) + 1;
    }
    if (texts != NULL && endpoints != NULL) {
        lb_resolver_found(&k8s->resolver, endpoints, without_repeats(endpoints, count));
    } else {
        lb_resolver_missed(&k8s->resolver, "out of memory");
    }
    free(texts);
    free(endpoints);
}

static void on_mail(struct hf_task *task)
{
    struct mailbox *mailbox = HF_CONTAINER(task, struct mailbox, task);
    struct hf_bytes hosts = {0};
    pthread_mutex_lock(&mailbox->lock);
    mailbox->is_posted = false;
    bool is_incomplete = mailbox->is_incomplete;
    mailbox->is_incomplete = false;
    enum hf_status status =
        hf_bytes_append(&hosts, hf_slice_of(mailbox->hosts.data, mailbox->hosts.size));
    pthread_mutex_unlock(&mailbox->lock);
    struct k8s *k8s = mailbox->owner;
    if (k8s != NULL && is_incomplete) {
        lb_resolver_missed(&k8s->resolver, "an endpoint of the service has no hostname yet, or one "
                                           "that is too long; the others are used");
    }
    if (k8s != NULL && status == HF_OK) {
        tell(k8s, hf_slice_of(hosts.data, hosts.size));
    }
    hf_bytes_release(&hosts);
    hf_ref_drop(&mailbox->ref);
}

/* ---- the main thread ---- */

static void find_own_namespace(char *room, size_t size)
{
    char error[HF_ERROR_MAX];
    if (!hf_kube_own_namespace(room, size, error)) {
        snprintf(room, size, "default");
    }
}

/* A kubeconfig that is named, the pod's service account, or the kubeconfig of the home. */
static struct hf_kube_config sign_in(void)
{
    const char *listed = getenv("KUBECONFIG");
    bool is_pod =
        getenv("KUBERNETES_SERVICE_HOST") != NULL && (listed == NULL || listed[0] == '\0');
    return (struct hf_kube_config){.auth_type = is_pod ? HF_KUBE_SERVICE_ACCOUNT : HF_KUBE_CONFIG};
}

static struct mailbox *new_mailbox(struct k8s *owner)
{
    struct mailbox *mailbox = calloc(1, sizeof(*mailbox));
    if (mailbox != NULL) {
        hf_ref_init(&mailbox->ref, free_mailbox);
        pthread_mutex_init(&mailbox->lock, NULL);
        mailbox->task.run = on_mail;
        mailbox->owner = owner;
    }
    return mailbox;
}

static enum hf_status start_k8s(struct lb_resolver *resolver, char *reterr)
{
    struct k8s *k8s = (struct k8s *)(void *)resolver;
    const struct hf_kube_config access = sign_in();
    char path[192], selector[128];
    bool is_good =
        lb_service_name_parse(resolver->options.config->resolver.k8s->service, &k8s->service);
    if (!is_good) {
        snprintf(reterr, HF_ERROR_MAX, "resolver::k8s::service is no name of a Service");
        return HF_INVALID;
    }
    if (k8s->service.name_space[0] == '\0') {
        find_own_namespace(k8s->service.name_space, sizeof(k8s->service.name_space));
    }
    k8s->mailbox = new_mailbox(k8s);
    if (k8s->mailbox == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = hf_kube_client_open(&access, &k8s->client, reterr);
    if (status != HF_OK) {
        return status;
    }
    snprintf(path, sizeof(path), "/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices",
             k8s->service.name_space);
    snprintf(selector, sizeof(selector), "kubernetes.io/service-name=%s", k8s->service.name);
    k8s->listener =
        (struct hf_kube_listener){.changed = on_changed, .settled = on_settled, .say = say};
    const struct hf_kube_resource resource = {
        .path = path, .what = "endpointslices", .label_selector = selector};
    return hf_kube_watch_open(k8s->client, &resource, &k8s->listener);
}

static void close_k8s(struct lb_resolver *resolver)
{
    struct k8s *k8s = (struct k8s *)(void *)resolver;
    if (k8s->client != NULL) {
        hf_kube_watch_close(k8s->client, &k8s->listener);
        hf_kube_client_close(k8s->client);
    }
    while (k8s->slices != NULL) {
        struct slice *slice = k8s->slices;
        k8s->slices = slice->next;
        free_slice(slice);
    }
    if (k8s->mailbox != NULL) {
        k8s->mailbox->owner = NULL; /* the loop does not run any more */
        hf_ref_drop(&k8s->mailbox->ref);
    }
    free(k8s);
}

static const struct lb_resolver_ops k8s_ops = {
    .name = "k8s", .start = start_k8s, .close = close_k8s};

struct lb_resolver *lb_resolver_k8s_new(void)
{
    struct k8s *k8s = calloc(1, sizeof(*k8s));
    if (k8s == NULL) {
        return NULL;
    }
    k8s->resolver.ops = &k8s_ops;
    return &k8s->resolver;
}
