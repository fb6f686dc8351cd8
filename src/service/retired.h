/*
 * retired: graphs that have been stopped, with their configurations, and that some thread may still
 * use: kept until the last such thread has let go. A thread that is blocked for ever costs that
 * memory, once a reload. Main thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct hf_graph;
struct hf_config;
struct hf_retired;

/* Frees both, at once when the graph is not in use. Either may be NULL. */
void hf_retired_add(struct hf_retired **list, struct hf_graph *graph, struct hf_config *config);
/* Frees those that nothing uses any more; returns how many are left. */
size_t hf_retired_sweep(struct hf_retired **list);
