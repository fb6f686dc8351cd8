/*
 * graph_node: the functions of holdfast/node.h that look at the whole graph: authenticators,
 * electors, the metadata that receivers keep, listening sockets, counters of receivers.
 */
#include <holdfast/node.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <holdfast/component.h>

#include "graph.h"
#include "graph_internal.h"
#include "listeners.h"
#include "storage/storage.h"
#include "util/memory.h"
#include "util/metrics/metrics.h"
#include "util/own_spans.h"

static const struct hf_auth *auth_of(const struct hf_node *extension)
{
    const struct hf_extension_ops *ops = extension->component->extension;
    return ops != NULL ? ops->auth : NULL;
}

enum hf_status hf_graph_auth(const struct hf_graph *graph, const char *id,
                             const struct hf_auth **ret_auth, void **ret_self)
{
    for (size_t i = 0; i < graph->extension_count; i++) {
        const struct hf_node *extension = graph->extensions[i];
        const struct hf_auth *auth = auth_of(extension);
        if (strcmp(extension->id, id) == 0 && auth != NULL) {
            *ret_auth = auth;
            *ret_self = extension->self;
            return HF_OK;
        }
    }
    return HF_NOT_FOUND;
}

enum hf_status hf_node_auth(const struct hf_node *node, const char *id,
                            const struct hf_auth **ret_auth, void **ret_self)
{
    return hf_graph_auth(node->graph, id, ret_auth, ret_self);
}

enum hf_status hf_node_leader(const struct hf_node *node, const char *id,
                              const struct hf_leader **ret_leader, void **ret_self)
{
    const struct hf_graph *graph = node->graph;
    for (size_t i = 0; i < graph->extension_count; i++) {
        const struct hf_node *extension = graph->extensions[i];
        const struct hf_extension_ops *ops = extension->component->extension;
        if (strcmp(extension->id, id) == 0 && ops != NULL && ops->leader != NULL) {
            *ret_leader = ops->leader;
            *ret_self = extension->self;
            return HF_OK;
        }
    }
    return HF_NOT_FOUND;
}

enum hf_status hf_node_observer(const struct hf_node *node, const char *id,
                                const struct hf_observer **ret_observer, void **ret_self)
{
    const struct hf_graph *graph = node->graph;
    for (size_t i = 0; i < graph->extension_count; i++) {
        const struct hf_node *extension = graph->extensions[i];
        const struct hf_extension_ops *ops = extension->component->extension;
        if (strcmp(extension->id, id) == 0 && ops != NULL && ops->observer != NULL) {
            *ret_observer = ops->observer;
            *ret_self = extension->self;
            return HF_OK;
        }
    }
    return HF_NOT_FOUND;
}

const char *const *hf_node_metadata_keys(const struct hf_node *node, size_t *ret_count)
{
    *ret_count = node->graph->key_count;
    return node->graph->keys;
}

bool hf_node_wants_peer(const struct hf_node *node)
{
    return node->graph->wants_peer;
}

bool hf_node_wants_auth(const struct hf_node *node)
{
    return node->graph->wants_auth;
}

bool hf_node_sends_header(const struct hf_node *node, const char *key)
{
    const struct hf_graph *graph = node->graph;
    for (size_t i = 0; i < graph->extension_count; i++) {
        const struct hf_node *extension = graph->extensions[i];
        const struct hf_auth *auth = auth_of(extension);
        size_t count = 0;
        const char *const *keys = auth != NULL && auth->header_keys != NULL
                                      ? auth->header_keys(extension->self, &count)
                                      : NULL;
        for (size_t k = 0; k < count; k++) {
            if (strcasecmp(keys[k], key) == 0) {
                return true;
            }
        }
    }
    return false;
}

uint64_t hf_node_memory(const struct hf_node *node)
{
    const struct hf_graph *graph = node->graph;
    uint64_t lowest = UINT64_MAX;
    if (hf_memory_available("", &lowest) != HF_OK) {
        lowest = UINT64_MAX;
    }
    uint64_t soft = hf_memory_soft_limit(getenv("GOMEMLIMIT"));
    lowest = soft < lowest ? soft : lowest;
    for (size_t i = 0; i < graph->processor_count; i++) {
        const struct hf_node *processor = graph->processors[i];
        const struct hf_processor_ops *ops = processor->component->processor;
        uint64_t limit = ops != NULL && ops->memory_limit != NULL
                             ? ops->memory_limit(processor->self)
                             : UINT64_MAX;
        lowest = limit < lowest ? limit : lowest;
    }
    return lowest != UINT64_MAX ? lowest : 0;
}

enum hf_status hf_node_listen(struct hf_node *node, const char *endpoint, int *ret_fd, char *reterr)
{
    return hf_node_listen_mode(node, endpoint, NULL, ret_fd, reterr);
}

enum hf_status hf_node_listen_mode(struct hf_node *node, const char *endpoint, const char *mode,
                                   int *ret_fd, char *reterr)
{
    int wanted = mode != NULL ? (int)strtol(mode, NULL, 8) : HF_LISTENERS_MODE_UMASK;
    if (node->place_id != NULL) {
        /* One that comes and goes between reloads: its socket ends with it. */
        return hf_listeners_open(endpoint, wanted, ret_fd, reterr);
    }
    return hf_listeners_get_mode(node->host->listeners, endpoint, wanted, ret_fd, reterr);
}

bool hf_node_is_succeeded(const struct hf_node *node)
{
    return node->graph->succeeded;
}

void hf_node_hold(struct hf_node *node)
{
    atomic_fetch_add_explicit(&node->holds, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&node->graph->holds, 1, memory_order_relaxed);
}

void hf_node_release(struct hf_node *node)
{
    /* Release: what was done with the graph happens before its freeing; the node's before the
     * graph's, as it may be freed with the last of them. */
    struct hf_graph *graph = node->graph;
    atomic_fetch_sub_explicit(&node->holds, 1, memory_order_release);
    size_t before = atomic_fetch_sub_explicit(&graph->holds, 1, memory_order_release);
    assert(before != 0);
    (void)before;
}

const char *hf_node_directory(const struct hf_node *node)
{
    return node->host->store != NULL ? hf_storage_directory(node->host->store) : NULL;
}

bool hf_node_is_durable(const struct hf_node *node)
{
    char why[HF_ERROR_MAX];
    return hf_graph_is_durable(node->graph, why);
}

bool hf_node_explain_durable(const struct hf_node *node, char *ret_why)
{
    return hf_graph_is_durable(node->graph, ret_why);
}

static struct hf_series *receiver_series(struct hf_node *node, const char *transport, bool accepted,
                                         enum hf_signal signal)
{
    char name[96];
    snprintf(name, sizeof(name), "otelcol_receiver_%s_%s", accepted ? "accepted" : "refused",
             hf_signal_items_name(signal));
    const struct hf_metric_family family = {
        .name = name,
        .type = HF_COUNTER,
        .help = accepted ? "Items on disk and answered OK." : "Items refused.",
    };
    const struct hf_label labels[] = {
        {"receiver", hf_node_counted_id(node)}, {"transport", transport}, {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(node), &family, labels);
}

/* As the Go collector names the spans of receivers. */
static void name_spans(struct hf_node *node)
{
    static const char *const ends[HF_SIGNAL_COUNT] = {[HF_TRACES] = "TraceDataReceived",
                                                      [HF_METRICS] = "MetricsReceived",
                                                      [HF_LOGS] = "LogsReceived",
                                                      [HF_PROFILES] = "ProfilesReceived"};
    static const struct hf_span_kind kinds[HF_SIGNAL_COUNT] = {
        [HF_TRACES] = {"accepted_spans", "refused_spans", false},
        [HF_METRICS] = {"accepted_metric_points", "refused_metric_points", false},
        [HF_LOGS] = {"accepted_log_records", "refused_log_records", false},
        [HF_PROFILES] = {"accepted_profile_samples", "refused_profile_samples", false}};
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        char text[256];
        if ((node->signals & HF_SIGNAL_BIT(signal)) == 0) {
            continue;
        }
        snprintf(text, sizeof(text), "receiver/%s/%s", hf_node_counted_id(node), ends[signal]);
        node->span_names[signal] = hf_own_spans_name(node->host->spans, text, &kinds[signal]);
    }
}

enum hf_status hf_node_add_transport(struct hf_node *node, const char *name)
{
    if (node->transport_count == HF_TRANSPORTS_MAX) {
        return HF_NOMEM;
    }
    struct hf_transport *transport = &node->transports[node->transport_count];
    name_spans(node);
    transport->name = name;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        if ((node->component->signals & HF_SIGNAL_BIT(signal)) == 0) {
            continue;
        }
        transport->accepted[signal] = receiver_series(node, name, true, (enum hf_signal)signal);
        transport->refused[signal] = receiver_series(node, name, false, (enum hf_signal)signal);
        if (transport->accepted[signal] == NULL || transport->refused[signal] == NULL) {
            return HF_NOMEM;
        }
    }
    node->transport_count++;
    return HF_OK;
}
