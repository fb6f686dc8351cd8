#include "lb_resolver.h"

#include <stdlib.h>
#include <string.h>

#include "util/metrics/metrics.h"

static struct hf_series *resolutions(const struct lb_resolver *resolver, const char *success)
{
    const struct hf_metric_family family = {
        .name = "otelcol_loadbalancer_num_resolutions",
        .type = HF_COUNTER,
        .help = "Look-ups of the backends.",
    };
    const struct hf_label labels[] = {{"exporter", hf_node_id(resolver->options.node)},
                                      {"resolver", resolver->ops->name},
                                      {"success", success},
                                      {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(resolver->options.node), &family, labels);
}

static struct hf_series *series(const struct lb_resolver *resolver, const char *name,
                                enum hf_metric_type type, const char *help)
{
    const struct hf_metric_family family = {.name = name, .type = type, .help = help};
    const struct hf_label labels[] = {{"exporter", hf_node_id(resolver->options.node)},
                                      {"resolver", resolver->ops->name},
                                      {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(resolver->options.node), &family, labels);
}

static bool make_series(struct lb_resolver *resolver)
{
    resolver->succeeded = resolutions(resolver, "true");
    resolver->failed = resolutions(resolver, "false");
    resolver->backends = series(resolver, "otelcol_loadbalancer_num_backends", HF_GAUGE,
                                "Backends that the resolver knows now.");
    resolver->updates = series(resolver, "otelcol_loadbalancer_num_backend_updates", HF_COUNTER,
                               "Changes of the list of backends.");
    return resolver->succeeded != NULL && resolver->failed != NULL && resolver->backends != NULL &&
           resolver->updates != NULL;
}

enum hf_status lb_resolver_init(struct lb_resolver *resolver,
                                const struct lb_resolver_options *options)
{
    resolver->options = *options;
    return make_series(resolver) ? HF_OK : HF_NOMEM;
}

enum hf_status lb_resolver_start(struct lb_resolver *resolver, char *reterr)
{
    return resolver->ops->start(resolver, reterr);
}

static void free_endpoints(char **endpoints, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(endpoints[i]);
    }
    free(endpoints);
}

void lb_resolver_close(struct lb_resolver *resolver)
{
    if (resolver != NULL) {
        free_endpoints(resolver->endpoints, resolver->count);
        resolver->ops->close(resolver);
    }
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool is_same(const struct lb_resolver *resolver, const char *const *endpoints, size_t count)
{
    bool same = resolver->count == count;
    for (size_t i = 0; same && i < count; i++) {
        same = strcmp(resolver->endpoints[i], endpoints[i]) == 0;
    }
    return same;
}

static char **copy(const char *const *endpoints, size_t count)
{
    char **copies = calloc(count + 1, sizeof(*copies));
    for (size_t i = 0; copies != NULL && i < count; i++) {
        copies[i] = strdup(endpoints[i]);
        if (copies[i] == NULL) {
            free_endpoints(copies, i);
            return NULL;
        }
    }
    return copies;
}

void lb_resolver_found(struct lb_resolver *resolver, const char **endpoints, size_t count)
{
    const struct lb_resolver_options *options = &resolver->options;
    hf_series_add(resolver->succeeded, 1);
    qsort(endpoints, count, sizeof(*endpoints), compare);
    if (count > LB_ENDPOINTS_MAX) {
        hf_node_log(options->node, HF_LOG_WARN,
                    "the resolver found %zu backends: only the first %u by name are used", count,
                    LB_ENDPOINTS_MAX);
        count = LB_ENDPOINTS_MAX;
    }
    if (is_same(resolver, endpoints, count)) {
        return;
    }
    char **copies = copy(endpoints, count);
    if (copies == NULL) {
        options->failed(options->user, "out of memory");
        return;
    }
    free_endpoints(resolver->endpoints, resolver->count);
    resolver->endpoints = copies;
    resolver->count = count;
    hf_series_set(resolver->backends, (int64_t)count);
    hf_series_add(resolver->updates, 1);
    options->changed(options->user, endpoints, count);
}

void lb_resolver_missed(struct lb_resolver *resolver, const char *why)
{
    hf_series_add(resolver->failed, 1);
    resolver->options.failed(resolver->options.user, why);
}
