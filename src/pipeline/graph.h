/*
 * graph: the components of one configuration, opened and joined: receivers - processors - queue -
 * deliveries.
 *
 * Built, started, stopped and freed on the main thread. A reload builds a second graph beside the
 * first; both use the same store, listeners, metrics, log and receiver loops, which `struct
 * hf_host` holds and the service owns.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/component.h>

#include "config/config.h"
#include "node/node.h"

struct hf_graph;

/*
 * Opens every component in use: extensions, processors, exporters, receivers; opens the queues.
 * Nothing runs yet. On failure `reterr` (HF_ERROR_MAX) is one sentence that begins with the
 * component, and nothing is left.
 */
HF_MUST_USE enum hf_status hf_graph_open(const struct hf_config *config, const struct hf_host *host,
                                         struct hf_graph **ret_graph, char *reterr);

/*
 * The extensions alone, without a store: probes are answered while another process has the data
 * directory. Started, stopped and freed like any graph.
 */
HF_MUST_USE enum hf_status hf_graph_open_extensions(const struct hf_config *config,
                                                    const struct hf_host *host,
                                                    struct hf_graph **ret_graph, char *reterr);

/* Likewise of the extensions that authenticate alone, for `holdfast check`. */
HF_MUST_USE enum hf_status hf_graph_open_authenticators(const struct hf_config *config,
                                                        const struct hf_host *host,
                                                        struct hf_graph **ret_graph, char *reterr);

/* The authenticator of that id, as hf_node_auth() finds it. */
HF_MUST_USE enum hf_status hf_graph_auth(const struct hf_graph *graph, const char *id,
                                         const struct hf_auth **ret_auth, void **ret_self);

/*
 * `holdfast check`: one more exporter in a graph of extensions, opened and started on that loop,
 * which the caller runs; `signals` as HF_SIGNAL_BIT()s. It belongs to the graph. Its requests need
 * a `done` of their own (holdfast/export.h). On failure `reterr` (HF_ERROR_MAX) is a sentence.
 */
HF_MUST_USE enum hf_status hf_graph_add_exporter(struct hf_graph *graph,
                                                 const struct hf_config_component *from,
                                                 unsigned signals, struct hf_loop *loop,
                                                 struct hf_node **ret_node, char *reterr);
/* Stops and closes it; its loop does not run any more. */
void hf_graph_remove_exporter(struct hf_node *node);

/*
 * Takes over from `old` (NULL at first): consumers of new exporters are opened, receivers started,
 * then the exports are taken over. `old` still takes requests and is to be stopped by
 * hf_graph_stop(): its connections may take their time. On failure this graph is to be freed, and
 * `old` goes on, whole; unless it was the take-over that failed, because memory or disk ran out:
 * then both are stopped, as hf_graph_is_running() tells.
 */
HF_MUST_USE enum hf_status hf_graph_start(struct hf_graph *graph, struct hf_graph *old,
                                          char *reterr);

/* Main thread. */
bool hf_graph_is_running(const struct hf_graph *graph);

/* No new intake, what was accepted is answered, sends in flight finish or stay in the queue.
 * Idempotent. */
void hf_graph_stop(struct hf_graph *graph);
/* Does a thread that stop did not wait for still use it? Then it must not be freed yet. Main
 * thread. */
bool hf_graph_is_held(const struct hf_graph *graph);
/* After stop, or instead of start, when it is not inflight. NULL is nothing. */
void hf_graph_free(struct hf_graph *graph);

/*
 * Removes the queues that were shards of a pipeline and are empty now; how many are left. No
 * earlier graph may still append to them. Main thread, while it runs.
 */
size_t hf_graph_sweep_shards(struct hf_graph *graph);

/* Every loop of a running graph takes a turn, in which what is due is done; waits for that. */
void hf_graph_wake(struct hf_graph *graph);

/* The names of consumers in use on a queue; any thread after start. */
bool hf_graph_has_exporter(const struct hf_graph *graph, const char *id);
/* Sets the gauges of exporters and queues. The scraping thread. */
void hf_graph_refresh(struct hf_graph *graph);
/* The exporter that has failed for longest, and how; NULL: all deliver, as far as is known. The id
 * is the graph's. Any thread. */
struct hf_state_look;
const char *hf_graph_find_fault(const struct hf_graph *graph, struct hf_state_look *ret_look);
/* Does durable enqueue work? Otherwise `ret_why` (HF_ERROR_MAX) says why not. Any thread. */
bool hf_graph_is_durable(const struct hf_graph *graph, char *ret_why);

/* What the graph was made of. Immutable; any thread while the graph lives. */
const struct hf_config *hf_graph_config(const struct hf_graph *graph);
const struct hf_pipeline *hf_graph_pipelines(const struct hf_graph *graph, size_t *ret_count);
/* Extensions, receivers, processors, connectors, exporters: each in the order of their first use.
 */
void hf_graph_each_node(const struct hf_graph *graph,
                        void (*visit)(void *user, const struct hf_node *node), void *user);
/* Is any exporter refused by its backend for a credential, or past max_elapsed_time? */
bool hf_graph_is_degraded(const struct hf_graph *graph);
