/*
 * loadbalancing: sends each item to the backend that its trace, service or attributes belong to.
 *
 * A request is split by backend and answered when every share of it is. A share of a backend that
 * fails waits on disk until that backend, or the one that takes over its place in the ring, takes
 * it; the others are delivered (`group` in holdfast/export.h). While a backend is known to fail,
 * only what was tried before is sent to it, so that it holds up no further request.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "lb_resolver.h"
#include "lb_service_name.h"
#include "lb_split.h"
#include "support/probe/probe_kubernetes.h"
#include "support/probe/probe_server.h"
#include "util/loop.h"
#include "util/time/clock.h"

/* An export that waits for the first answer of the resolver. */
struct waiting {
    struct waiting *next;
    struct hf_export *export;
};

struct balancer {
    struct hf_node *node;
    const struct lb_config *config;
    struct hf_loop *loop;
    struct lb_resolver *resolver;
    struct lb_backends backends;
    struct lb_router router;
    struct hf_payload scratch;
    struct hf_task sweep;
    bool sweep_deferred, has_resolved;
    char why[256]; /* the resolver's last failure */
    struct waiting *waiting, **end;
    struct hf_auth_ref auth; /* for the context keys: there may be no backend yet */
};

static void run_sweep(struct hf_task *task)
{
    struct balancer *balancer = HF_CONTAINER(task, struct balancer, sweep);
    balancer->sweep_deferred = false;
    lb_backends_sweep(&balancer->backends);
}

static void sweep_later(struct balancer *balancer)
{
    if (!balancer->sweep_deferred) {
        balancer->sweep_deferred = true;
        hf_loop_defer(balancer->loop, &balancer->sweep);
    }
}

static void end_share(struct lb_share *share, const struct hf_outcome *outcome)
{
    struct lb_split *split = share->split;
    struct balancer *balancer = split->owner;
    share->outcome = *outcome;
    snprintf(share->message, sizeof(share->message), "%s",
             outcome->message != NULL ? outcome->message : "");
    share->outcome.message = share->message[0] != '\0' ? share->message : NULL;
    if (--split->open == 0) {
        lb_split_end(split, &balancer->backends);
    }
}

static void on_answer(void *user, const struct hf_outcome *outcome)
{
    struct lb_share *share = user;
    struct balancer *balancer = share->split->owner;
    struct lb_backend *backend = share->backend;
    uint64_t now_ns = hf_clock_monotonic_ns();
    backend->in_flight--;
    lb_backends_note(&balancer->backends, backend, outcome, now_ns - share->begun_ns);
    if (!backend->is_listed && backend->in_flight == 0) {
        sweep_later(balancer);
    }
    end_share(share, outcome);
}

/* Only what was tried before goes to a backend that fails, unless no other one is left. */
static bool is_held_back(const struct balancer *balancer, const struct lb_share *share)
{
    return share->backend->is_failing && share->split->export->attempt <= 1 &&
           balancer->backends.failing_count < balancer->backends.listed_count;
}

static void send_share(struct balancer *balancer, struct lb_share *share)
{
    const struct hf_export *export = share->split->export;
    uint64_t timeout_ns = balancer->config->protocol.otlp.timeout_ns;
    bool is_whole = share->split->share_count == 1;
    if (is_held_back(balancer, share) || share->backend->client == NULL) {
        end_share(share, &(const struct hf_outcome){.status = HF_AGAIN,
                                                    .message = "the backend fails, or cannot be "
                                                               "connected to"});
        return;
    }
    share->begun_ns = hf_clock_monotonic_ns();
    uint64_t deadline_ns = timeout_ns != 0 ? share->begun_ns + timeout_ns : 0;
    if (export->deadline_ns != 0 && (deadline_ns == 0 || export->deadline_ns < deadline_ns)) {
        deadline_ns = export->deadline_ns;
    }
    share->backend->in_flight++;
    const struct hf_otlp_send send = {
        .signal = export->signal,
        .bodies = is_whole ? export->bodies : &share->body,
        .body_count = is_whole ? export->body_count : 1,
        .meta = export->meta,
        .deadline_ns = deadline_ns,
        .done = on_answer,
        .user = share,
    };
    hf_otlp_client_send(share->backend->client, &send);
}

static void send_now(struct balancer *balancer, struct hf_export *export)
{
    struct lb_split *split = NULL;
    balancer->router.ring = &balancer->backends.ring;
    enum hf_status status =
        lb_split_new(export, &balancer->router, &balancer->backends, &balancer->scratch, &split);
    if (status != HF_OK) {
        hf_export_done(export, &(const struct hf_outcome){
                                   .status = status,
                                   .message = status == HF_CORRUPT ? "the request does not decode"
                                                                   : "out of memory"});
        return;
    }
    split->owner = balancer;
    /* The last answer frees the split: one more is kept open until all are sent. */
    split->open++;
    for (size_t i = 0; i < split->share_count; i++) {
        send_share(balancer, &split->shares[i]);
    }
    if (--split->open == 0) {
        lb_split_end(split, &balancer->backends);
    }
}

static void refuse(struct balancer *balancer, struct hf_export *export)
{
    char why[320];
    snprintf(why, sizeof(why), "no backend is known%s%s", balancer->why[0] != '\0' ? ": " : "",
             balancer->why);
    hf_export_done(export, &(const struct hf_outcome){.status = HF_AGAIN, .message = why});
}

static void send_or_refuse(struct balancer *balancer, struct hf_export *export)
{
    if (balancer->backends.endpoint_count == 0) {
        refuse(balancer, export);
    } else {
        send_now(balancer, export);
    }
}

static void send_export(void *self, struct hf_export *export)
{
    struct balancer *balancer = self;
    struct waiting *waiting = NULL;
    if (!balancer->has_resolved) {
        waiting = malloc(sizeof(*waiting));
    }
    if (waiting == NULL) {
        send_or_refuse(balancer, export);
        return;
    }
    *waiting = (struct waiting){.export = export};
    *balancer->end = waiting;
    balancer->end = &waiting->next;
}

/* The resolver has answered for the first time. */
static void stop_waiting(struct balancer *balancer)
{
    balancer->has_resolved = true;
    while (balancer->waiting != NULL) {
        struct waiting *waiting = balancer->waiting;
        struct hf_export *export = waiting->export;
        balancer->waiting = waiting->next;
        balancer->end = balancer->waiting == NULL ? &balancer->waiting : balancer->end;
        free(waiting);
        send_or_refuse(balancer, export);
    }
}

static void on_changed(void *user, const char *const *endpoints, size_t count)
{
    struct balancer *balancer = user;
    if (lb_backends_set(&balancer->backends, endpoints, count) != HF_OK) {
        hf_node_log(balancer->node, HF_LOG_ERROR,
                    "the backends stay as they are: out of memory for the new list");
    } else {
        hf_node_log(balancer->node, HF_LOG_INFO, "%zu backends", count);
        lb_backends_sweep(&balancer->backends);
    }
    balancer->why[0] = '\0';
    stop_waiting(balancer);
}

static void on_failed(void *user, const char *why)
{
    struct balancer *balancer = user;
    snprintf(balancer->why, sizeof(balancer->why), "%s", why);
    hf_node_log(balancer->node, HF_LOG_WARN, "failed to resolve: %s", why);
    stop_waiting(balancer);
}

/* ---- life ---- */

static enum hf_status start_balancer(void *self, char *reterr)
{
    struct balancer *balancer = self;
    return lb_resolver_start(balancer->resolver, reterr);
}

/* The loop does not run any more. */
static void stop_balancer(void *self)
{
    struct balancer *balancer = self;
    lb_resolver_close(balancer->resolver);
    balancer->resolver = NULL;
}

static void close_balancer(void *self)
{
    struct balancer *balancer = self;
    lb_resolver_close(balancer->resolver);
    lb_backends_release(&balancer->backends);
    while (balancer->waiting != NULL) { /* they stay in the queue */
        struct waiting *next = balancer->waiting->next;
        free(balancer->waiting);
        balancer->waiting = next;
    }
    lb_router_release(&balancer->router);
    hf_payload_release(&balancer->scratch);
    free(balancer);
}

static const char *check_signals(const struct hf_node *node, enum lb_key key)
{
    for (int i = 0; i < HF_SIGNAL_COUNT; i++) {
        const char *why = lb_route_check(key, (enum hf_signal)i);
        if (why != NULL && (hf_node_signals(node) & HF_SIGNAL_BIT(i)) != 0) {
            return why;
        }
    }
    return NULL;
}

static void init_balancer(struct balancer *balancer, struct hf_node *node,
                          const struct lb_config *config)
{
    balancer->node = node;
    balancer->config = config;
    balancer->loop = hf_node_own_loop(node);
    balancer->end = &balancer->waiting;
    balancer->sweep.run = run_sweep;
    balancer->backends = (struct lb_backends){.node = node, .config = config};
    balancer->router = (struct lb_router){.key = (enum lb_key)config->routing_key,
                                          .attributes = config->routing_attributes,
                                          .random = hf_clock_unix_ns()};
}

static enum hf_status open_balancer(struct hf_node *node, const void *from, void **ret_self,
                                    char *reterr)
{
    const struct lb_config *config = from;
    const char *why = check_signals(node, (enum lb_key)config->routing_key);
    if (why != NULL) {
        snprintf(reterr, HF_ERROR_MAX, "%s", why);
        return HF_INVALID;
    }
    struct balancer *balancer = calloc(1, sizeof(*balancer));
    if (balancer == NULL) {
        return HF_NOMEM;
    }
    init_balancer(balancer, node, config);
    const struct lb_resolver_options options = {.node = node,
                                                .config = config,
                                                .changed = on_changed,
                                                .failed = on_failed,
                                                .user = balancer};
    enum hf_status status =
        hf_auth_find_client(node, config->protocol.otlp.grpc.auth, &balancer->auth, reterr);
    if (status == HF_OK) {
        status = lb_resolver_new(&options, &balancer->resolver);
    }
    if (status != HF_OK) {
        close_balancer(balancer);
        return status;
    }
    *ret_self = balancer;
    return HF_OK;
}

static const char *const *context_keys(void *self, size_t *ret_count)
{
    const struct balancer *balancer = self;
    return hf_auth_context_keys(&balancer->auth, ret_count);
}

static const struct hf_exporter_ops exporter_ops = {
    .send = send_export,
    .context_keys = context_keys,
    .timeout = "0s",
};

/* One of several backends. */
static void probe_backend(struct hf_probe *probe, const struct lb_config *config, const char *host)
{
    struct hf_grpc_client_config grpc = config->protocol.otlp.grpc;
    char endpoint[300];
    bool has_port = strrchr(host, ':') != NULL && host[strlen(host) - 1] != ']';
    snprintf(endpoint, sizeof(endpoint), "%s%s", host, has_port ? "" : ":4317");
    grpc.endpoint = endpoint;
    hf_probe_grpc_client(probe, &grpc);
}

/* The endpoints of a Service are watched in its namespace alone. */
static void probe_service(struct hf_probe *probe, const char *text)
{
    static const struct hf_kube_config account = {.auth_type = HF_KUBE_SERVICE_ACCOUNT};
    struct lb_service_name service;
    char error[HF_ERROR_MAX];
    if (!lb_service_name_parse(text, &service)) {
        return; /* a wrong name is an error of the configuration */
    }
    bool is_known = service.name_space[0] != '\0' ||
                    hf_kube_own_namespace(service.name_space, sizeof(service.name_space), error);
    const struct hf_probe_right right = {
        .verbs = "list,watch",
        .group = "discovery.k8s.io",
        .resource = "endpointslices",
        .namespace = is_known ? service.name_space : "default",
    };
    hf_probe_kubernetes(probe, &account, &right, 1);
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct lb_config *config = from;
    const struct lb_static_config *fixed = config->resolver.fixed;
    for (size_t i = 0; fixed != NULL && i < fixed->hostnames.count; i++) {
        probe_backend(probe, config, fixed->hostnames.items[i]);
    }
    if (config->resolver.dns != NULL) {
        char host[300];
        snprintf(host, sizeof(host), "%s:%s", config->resolver.dns->hostname,
                 config->resolver.dns->port);
        probe_backend(probe, config, host);
    }
    if (config->resolver.k8s != NULL) {
        probe_service(probe, config->resolver.k8s->service);
    }
}

const struct hf_component hf_exporter_loadbalancing = {
    .type = "loadbalancing",
    .aliases = (const char *const[]){"load_balancing", NULL},
    .help = "Sends each trace, service or series to one of several backends over OTLP/gRPC, always "
            "the same.",
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct lb_config),
    .fields = lb_fields,
    .check = lb_config_check,
    .probe = probe_outside,
    .open = open_balancer,
    .start = start_balancer,
    .stop = stop_balancer,
    .close = close_balancer,
    .exporter = &exporter_ops,
};
