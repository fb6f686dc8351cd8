#include "retired.h"

#include <stdlib.h>

#include "config/config.h"
#include "pipeline/graph.h"

struct hf_retired {
    struct hf_retired *next;
    struct hf_graph *graph;
    struct hf_config *config;
};

static void free_both(struct hf_graph *graph, struct hf_config *config)
{
    hf_graph_free(graph);
    hf_config_free(config);
}

void hf_retired_add(struct hf_retired **list, struct hf_graph *graph, struct hf_config *config)
{
    if (!hf_graph_is_held(graph)) {
        free_both(graph, config);
        return;
    }
    struct hf_retired *retired = malloc(sizeof(*retired));
    if (retired == NULL) {
        return; /* lost, which is better than freed in use */
    }
    *retired = (struct hf_retired){.next = *list, .graph = graph, .config = config};
    *list = retired;
}

size_t hf_retired_sweep(struct hf_retired **list)
{
    size_t left = 0;
    while (*list != NULL) {
        struct hf_retired *retired = *list;
        if (hf_graph_is_held(retired->graph)) {
            left++;
            list = &retired->next;
        } else {
            *list = retired->next;
            free_both(retired->graph, retired->config);
            free(retired);
        }
    }
    return left;
}
