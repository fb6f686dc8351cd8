#include "lb_backends.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/metrics/metrics.h"

#define DEFAULT_PORT ":4317"

bool lb_is_for_now(enum hf_status status)
{
    return status != HF_OK && status != HF_TOO_LARGE && status != HF_INVALID &&
           status != HF_EXISTS && status != HF_CORRUPT && status != HF_CLOSED;
}

static char *with_port(const char *endpoint)
{
    size_t size = strlen(endpoint);
    bool has_none = strchr(endpoint, ':') == NULL || (size != 0 && endpoint[size - 1] == ']');
    char *made = malloc(size + sizeof(DEFAULT_PORT));
    if (made != NULL) {
        snprintf(made, size + sizeof(DEFAULT_PORT), "%s%s", endpoint, has_none ? DEFAULT_PORT : "");
    }
    return made;
}

static struct hf_series *outcomes(const struct lb_backends *backends, const char *endpoint,
                                  const char *success)
{
    const struct hf_metric_family family = {.name = "otelcol_loadbalancer_backend_outcome",
                                            .type = HF_COUNTER,
                                            .help = "Requests that a backend took, or not."};
    const struct hf_label labels[] = {{"exporter", hf_node_id(backends->node)},
                                      {"endpoint", endpoint},
                                      {"success", success},
                                      {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(backends->node), &family, labels);
}

static struct hf_histogram *latency(const struct lb_backends *backends, const char *endpoint)
{
    static const double bounds[] = {5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000};
    const struct hf_metric_family family = {.name = "otelcol_loadbalancer_backend_latency",
                                            .type = HF_HISTOGRAM,
                                            .unit = "ms",
                                            .help = "Time until a backend's answer.",
                                            .scale = 1e-6,
                                            .bounds = bounds,
                                            .bound_count = sizeof(bounds) / sizeof(bounds[0])};
    const struct hf_label labels[] = {
        {"exporter", hf_node_id(backends->node)}, {"endpoint", endpoint}, {NULL, NULL}};
    return hf_metrics_histogram(hf_node_metrics(backends->node), &family, labels);
}

static void free_backend(struct lb_backend *backend)
{
    hf_otlp_client_free(backend->client);
    free(backend->endpoint);
    free(backend);
}

static void open_client(const struct lb_backends *backends, struct lb_backend *backend)
{
    char why[HF_ERROR_MAX] = "";
    const struct hf_otlp_client_options options = {.node = backends->node,
                                                   .config = &backends->config->protocol.otlp.grpc,
                                                   .endpoint = backend->endpoint};
    if (hf_otlp_client_open(&options, &backend->client, why) != HF_OK) {
        hf_node_log(backends->node, HF_LOG_ERROR, "cannot send to backend %s: %s",
                    backend->endpoint, why[0] != '\0' ? why : "out of memory");
        backend->client = NULL;
    }
}

/* Takes over `endpoint`. NULL: out of memory. */
static struct lb_backend *new_backend(struct lb_backends *backends, char *endpoint)
{
    struct lb_backend *backend = calloc(1, sizeof(*backend));
    if (backend == NULL) {
        free(endpoint);
        return NULL;
    }
    backend->endpoint = endpoint;
    backend->succeeded = outcomes(backends, endpoint, "true");
    backend->failed = outcomes(backends, endpoint, "false");
    backend->latency = latency(backends, endpoint);
    if (backend->succeeded == NULL || backend->failed == NULL || backend->latency == NULL) {
        free_backend(backend);
        return NULL;
    }
    backend->number = ++backends->last_number;
    open_client(backends, backend);
    backend->next = backends->all;
    backends->all = backend;
    return backend;
}

static struct lb_backend *need(struct lb_backends *backends, const char *name)
{
    char *endpoint = with_port(name);
    struct lb_backend *backend = endpoint != NULL ? backends->all : NULL;
    while (backend != NULL && strcmp(backend->endpoint, endpoint) != 0) {
        backend = backend->next;
    }
    if (backend == NULL) {
        return endpoint != NULL ? new_backend(backends, endpoint) : NULL;
    }
    free(endpoint);
    return backend;
}

/* Which of all are listed now, and how many of these fail. */
static void list(struct lb_backends *backends)
{
    for (struct lb_backend *one = backends->all; one != NULL; one = one->next) {
        one->is_listed = false;
    }
    for (size_t i = 0; i < backends->endpoint_count; i++) {
        backends->of_endpoint[i]->is_listed = true;
    }
    backends->listed_count = backends->failing_count = 0;
    for (struct lb_backend *one = backends->all; one != NULL; one = one->next) {
        one->is_failing = one->is_failing && one->is_listed;
        backends->listed_count += one->is_listed;
        backends->failing_count += one->is_failing;
    }
}

enum hf_status lb_backends_set(struct lb_backends *backends, const char *const *endpoints,
                               size_t count)
{
    struct lb_ring ring;
    struct lb_backend **of_endpoint = calloc(count + 1, sizeof(struct lb_backend *));
    if (of_endpoint == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = lb_ring_init(&ring, endpoints, count);
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        of_endpoint[i] = need(backends, endpoints[i]);
        status = of_endpoint[i] != NULL ? HF_OK : HF_NOMEM;
    }
    if (status != HF_OK) {
        lb_ring_release(&ring);
        free(of_endpoint);
        return status;
    }
    lb_ring_release(&backends->ring);
    free(backends->of_endpoint);
    backends->ring = ring;
    backends->of_endpoint = of_endpoint;
    backends->endpoint_count = count;
    list(backends);
    return HF_OK;
}

void lb_backends_note(struct lb_backends *backends, struct lb_backend *backend,
                      const struct hf_outcome *outcome, uint64_t took_ns)
{
    if (outcome->status == HF_CLOSED) {
        return;
    }
    bool is_failing = lb_is_for_now(outcome->status) && !outcome->is_suspect;
    hf_series_add(outcome->status == HF_OK ? backend->succeeded : backend->failed, 1);
    hf_histogram_observe(backend->latency, took_ns);
    if (backend->is_listed && is_failing != backend->is_failing) {
        backends->failing_count += is_failing ? 1 : (size_t)-1;
        backend->is_failing = is_failing;
        hf_node_log(backends->node, is_failing ? HF_LOG_WARN : HF_LOG_INFO, "backend %s %s%s",
                    backend->endpoint, is_failing ? "fails: " : "takes data again",
                    is_failing && outcome->message != NULL ? outcome->message : "");
    }
}

void lb_backends_sweep(struct lb_backends *backends)
{
    for (struct lb_backend **at = &backends->all; *at != NULL;) {
        struct lb_backend *backend = *at;
        if (backend->is_listed || backend->in_flight != 0) {
            at = &backend->next;
            continue;
        }
        *at = backend->next;
        free_backend(backend);
    }
}

void lb_backends_release(struct lb_backends *backends)
{
    while (backends->all != NULL) {
        struct lb_backend *backend = backends->all;
        backends->all = backend->next;
        free_backend(backend);
    }
    lb_ring_release(&backends->ring);
    free(backends->of_endpoint);
    backends->of_endpoint = NULL;
    backends->endpoint_count = backends->listed_count = backends->failing_count = 0;
}
