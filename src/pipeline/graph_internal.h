/*
 * graph_internal: the graph's own members, for the files of src/service only.
 */
#pragma once

#include <stdatomic.h>

#include "graph.h"

struct hf_graph {
    const struct hf_config *config;
    const struct hf_host *host;
    struct hf_node **extensions, **processors, **exporters, **receivers, **connectors;
    size_t extension_count, processor_count, exporter_count, receiver_count, connector_count;
    struct hf_pipeline *pipelines;
    size_t pipeline_count;
    const char **keys; /* request headers that receivers keep */
    size_t key_count;
    bool wants_peer, wants_auth;
    atomic_bool succeeded; /* another one has taken over */
    atomic_size_t holds;   /* of threads that may still use it */
    _Atomic uint64_t
        refusing_since_unix_ns; /* since when nothing can be stored, as far as seen; 0: it can */
    atomic_bool running;        /* receivers take data; probes ask on their own threads */
};

/* The node of that id; NULL: none. */
struct hf_node *hf_graph_find_node(struct hf_node **nodes, size_t count, const char *id);
/* NULL: out of memory. */
struct hf_node *hf_graph_node_new(struct hf_graph *graph, const struct hf_config_component *from);
/* The node of that component among `nodes`, made when there is none; NULL: out of memory. The array
 * has room. */
struct hf_node *hf_graph_need_node(struct hf_graph *graph, struct hf_node **nodes, size_t *count,
                                   const struct hf_config_component *from);
/* graph_join.c: makes the pipelines and their nodes, and opens the queues; the extensions are
 * there. On failure `reterr` (HF_ERROR_MAX) is one sentence. */
HF_MUST_USE enum hf_status hf_graph_join(struct hf_graph *graph, char *reterr);

/*
 * The life of one component. Of opening and starting there is one at a time in the process, also of
 * those that other threads begin. On failure `reterr` (HF_ERROR_MAX) is a sentence that begins with
 * the id.
 */
HF_MUST_USE enum hf_status hf_graph_open_node(struct hf_node *node, char *reterr);
HF_MUST_USE enum hf_status hf_graph_start_node(struct hf_node *node, char *reterr);
/* Once started; otherwise nothing. */
void hf_graph_stop_node(struct hf_node *node);
/* Once opened; otherwise, and after the first time, nothing. */
void hf_graph_close_node(struct hf_node *node);

/* A queue that was open before has the limits of the configuration before: it gets this graph's. */
void hf_graph_apply_limits(struct hf_graph *graph);

/* Gathers `keys`, `wants_peer` and `wants_auth` from the components that are open. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_graph_collect_keys(struct hf_graph *graph);
