/*
 * run: starting and stopping a graph. The order is that of the Go collector: extensions, exporters,
 * processors, receivers last; stopping goes the other way.
 */
#include <stdio.h>
#include <string.h>

#include <holdfast/overview.h>

#include "delivery/delivery.h"
#include "graph_internal.h"
#include "queued_processor.h"
#include "storage/storage.h"
#include "util/log/log.h"
#include "util/time/clock.h"

#define STOP_GRACE_NS UINT64_C(1500000000)

struct orphan_report {
    const struct hf_graph *graph;
    const char *kind, *queue;
    bool in_use; /* some pipeline writes to it */
};

static void report_orphan(void *user, const struct wal_consumer_stat *stat)
{
    const struct orphan_report *report = user;
    unsigned long long items = stat->accounting.queued.items;
    struct hf_log *log = report->graph->host->log;
    if (stat->open || stat->accounting.queued.records == 0) {
        return;
    }
    if (strcmp(report->kind, HF_STORAGE_REQUEUE) == 0) {
        hf_log_line(log, HF_LOG_WARN, stat->name,
                    "%llu items are to be sent again by this exporter, which is no longer in the "
                    "configuration; put it back, or use holdfast queue export or drop with "
                    "requeue:%s",
                    items, stat->name);
    } else if (report->in_use) {
        hf_log_line(
            log, HF_LOG_WARN, stat->name,
            "pipeline %s holds %llu items of this exporter, which is no longer in the "
            "configuration; attach them to another with sending_queue::attach: %s, or drop them "
            "with holdfast queue drop",
            report->queue, items, stat->name);
    } else {
        hf_log_line(log, HF_LOG_WARN, stat->name,
                    "the queue %s holds %llu items for it, and no pipeline has that queue any "
                    "more; put it back into the configuration until they are gone, or drop them "
                    "with holdfast queue drop",
                    report->queue, items);
    }
}

static void report_orphans(void *user, const char *kind, const char *id, struct wal *wal)
{
    struct orphan_report report = {.graph = user, .kind = kind, .queue = id};
    for (size_t i = 0; i < report.graph->pipeline_count; i++) {
        report.in_use = report.in_use || strcmp(report.graph->pipelines[i].id, id) == 0;
    }
    /* Dead letters are for an operator, whatever is configured. */
    if (strcmp(kind, HF_STORAGE_DEAD_LETTERS) != 0) {
        enum wal_status seen = wal_consumer_each(wal, report_orphan, &report);
        (void)seen; /* the metric tells as well */
    }
}

/* ---- queued_processors: among the processors and the connectors ---- */

/* Does `act` with every queued_processor until one fails. */
static enum hf_status each_queued_processor(struct hf_graph *graph, void *user,
                                            enum hf_status (*act)(struct hf_node *node, void *user))
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < graph->processor_count && status == HF_OK; i++) {
        status = graph->processors[i]->queued_processor != NULL ? act(graph->processors[i], user)
                                                                : HF_OK;
    }
    for (size_t i = 0; i < graph->connector_count && status == HF_OK; i++) {
        status = graph->connectors[i]->queued_processor != NULL ? act(graph->connectors[i], user)
                                                                : HF_OK;
    }
    return status;
}

struct opening {
    bool only_new;
    char *reterr;
};

static enum hf_status open_queued_processor(struct hf_node *node, void *user)
{
    const struct opening *opening = user;
    return hf_queued_processor_open_consumers(node->queued_processor, opening->only_new,
                                              opening->reterr);
}

static enum hf_status start_queued_processor(struct hf_node *node, void *user)
{
    (void)user;
    return hf_queued_processor_start(node->queued_processor);
}

/* It is closed too, as what it holds goes back to the queue. */
static enum hf_status stop_queued_processor(struct hf_node *node, void *user)
{
    (void)user;
    hf_queued_processor_stop(node->queued_processor);
    hf_graph_stop_node(node);
    hf_graph_close_node(node);
    hf_queued_processor_close_consumers(node->queued_processor);
    return HF_OK;
}

static void stop_queued_processors(struct hf_graph *graph)
{
    enum hf_status status = each_queued_processor(graph, NULL, stop_queued_processor);
    (void)status; /* it never fails */
}

/* ---- starting and stopping ---- */

static enum hf_status open_consumers(struct hf_graph *graph, bool only_new, char *reterr)
{
    struct opening opening = {only_new, reterr};
    enum hf_status status = each_queued_processor(graph, &opening, open_queued_processor);
    for (size_t i = 0; i < graph->exporter_count && status == HF_OK; i++) {
        status = hf_delivery_open_consumers(graph->exporters[i]->delivery, only_new, reterr);
    }
    return status;
}

static enum hf_status start_group(struct hf_node **nodes, size_t count, char *reterr)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        status = hf_graph_start_node(nodes[i], reterr);
    }
    return status;
}

/* The exporters all have the same time to end what is in flight. */
static uint64_t begin_exporters_stop(struct hf_graph *graph)
{
    for (size_t i = 0; i < graph->exporter_count; i++) {
        if (graph->exporters[i]->delivery != NULL) {
            hf_delivery_begin_stop(graph->exporters[i]->delivery);
        }
    }
    return hf_clock_monotonic_ns() + STOP_GRACE_NS;
}

static void stop_exporters(struct hf_graph *graph, uint64_t until_ns)
{
    for (size_t i = 0; i < graph->exporter_count; i++) {
        struct hf_node *node = graph->exporters[i];
        if (node->delivery != NULL) {
            uint64_t now_ns = hf_clock_monotonic_ns();
            hf_delivery_stop(node->delivery, until_ns > now_ns ? until_ns - now_ns : 0);
        }
        hf_graph_stop_node(node);
        hf_graph_close_node(node);
        if (node->delivery != NULL) {
            hf_delivery_close_consumers(node->delivery);
        }
    }
}

/* The deliveries and queued_processors of `old` leave their places in the queues to those of this
 * graph. */
static enum hf_status take_over_queues(struct hf_graph *graph, struct hf_graph *old, char *reterr)
{
    if (old != NULL) {
        old->succeeded = true;
        uint64_t until_ns = begin_exporters_stop(old);
        stop_queued_processors(old);
        stop_exporters(old, until_ns);
    }
    enum hf_status status = open_consumers(graph, false, reterr);
    for (size_t i = 0; i < graph->exporter_count && status == HF_OK; i++) {
        status = hf_delivery_start(graph->exporters[i]->delivery);
    }
    return status == HF_OK ? each_queued_processor(graph, NULL, start_queued_processor) : status;
}

enum hf_status hf_graph_start(struct hf_graph *graph, struct hf_graph *old, char *reterr)
{
    enum hf_status status = open_consumers(graph, true, reterr);
    if (status == HF_OK) {
        status = start_group(graph->extensions, graph->extension_count, reterr);
    }
    if (status == HF_OK) {
        status = start_group(graph->exporters, graph->exporter_count, reterr);
    }
    if (status == HF_OK) {
        status = start_group(graph->connectors, graph->connector_count, reterr);
    }
    if (status == HF_OK) {
        status = start_group(graph->processors, graph->processor_count, reterr);
    }
    if (status == HF_OK) {
        status = start_group(graph->receivers, graph->receiver_count, reterr);
    }
    if (status != HF_OK) {
        hf_graph_stop(graph);
        return status;
    }
    atomic_store(&graph->running, graph->host->store != NULL);
    status = take_over_queues(graph, old, reterr);
    if (status == HF_OK && graph->host->store != NULL) {
        hf_graph_apply_limits(graph);
    }
    if (status != HF_OK) {
        hf_graph_stop(old);
        hf_graph_stop(graph);
        return status;
    }
    if (graph->host->store != NULL) {
        hf_storage_each(graph->host->store, report_orphans, graph);
    }
    return status;
}

void hf_graph_stop(struct hf_graph *graph)
{
    if (graph == NULL) {
        return;
    }
    atomic_store(&graph->running, false);
    uint64_t until_ns = begin_exporters_stop(graph);
    for (size_t i = 0; i < graph->receiver_count; i++) {
        hf_graph_stop_node(graph->receivers[i]);
    }
    stop_queued_processors(graph);
    stop_exporters(graph, until_ns); /* whose dead letters may pass processors and connectors */
    for (size_t i = 0; i < graph->processor_count; i++) {
        hf_graph_stop_node(graph->processors[i]);
    }
    for (size_t i = 0; i < graph->connector_count; i++) {
        hf_graph_stop_node(graph->connectors[i]);
    }
    for (size_t i = 0; i < graph->extension_count; i++) {
        hf_graph_stop_node(graph->extensions[i]);
    }
}
