/*
 * graph_wake: a turn of every loop of a graph, for tests whose time is their own.
 */
#include <semaphore.h>

#include <holdfast/ref.h>

#include "graph_internal.h"
#include "util/loop.h"

struct turn {
    struct hf_task task;
    sem_t done;
};

static void tell(struct hf_task *task)
{
    struct turn *turn = HF_CONTAINER(task, struct turn, task);
    sem_post(&turn->done);
}

static void wake(struct hf_loop *loop)
{
    struct turn turn = {.task.run = tell};
    if (loop == NULL) {
        return;
    }
    sem_init(&turn.done, 0, 0);
    hf_loop_post(loop, &turn.task);
    while (sem_wait(&turn.done) != 0) {
        /* interrupted */
    }
    sem_destroy(&turn.done);
}

static void wake_nodes(struct hf_node *const *nodes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        wake(nodes[i]->own_loop);
    }
}

void hf_graph_wake(struct hf_graph *graph)
{
    for (size_t i = 0; i < graph->host->loop_count; i++) {
        wake(graph->host->loops[i]);
    }
    wake_nodes(graph->processors, graph->processor_count);
    wake_nodes(graph->connectors, graph->connector_count);
    wake_nodes(graph->exporters, graph->exporter_count);
}
