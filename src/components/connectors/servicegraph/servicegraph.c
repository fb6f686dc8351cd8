/*
 * servicegraph: pairs the spans of calls between services, and makes metrics of who calls whom.
 *
 * How requests, state and flushes keep together: support/state/aggregator.h.
 */
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "servicegraph_config.h"
#include "servicegraph_fold.h"
#include "support/state/aggregator.h"
#include "util/fnv.h"
#include "util/loop.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"

#define IDLE_NS (UINT64_C(900) * HF_NS_PER_S) /* then a series is forgotten */

/* Owned by the thread of the node's own loop while that runs. */
struct servicegraph {
    struct hf_node *node;
    const struct servicegraph_config *config;
    struct hf_aggregator *aggregator;
    struct servicegraph_fold fold;
    struct hf_timer timer;   /* of edges that have waited for too long */
    uint64_t next_search_ns; /* monotonic; of series */
    bool is_foreign;
    struct hf_series *made, *expired, *dropped;
};

static void count(struct servicegraph *graph)
{
    hf_series_add(graph->made, (int64_t)graph->fold.edges_made);
    hf_series_add(graph->expired, (int64_t)graph->fold.edges_expired);
    hf_series_add(graph->dropped, (int64_t)graph->fold.spans_dropped);
    graph->fold.edges_made = 0;
    graph->fold.edges_expired = 0;
    graph->fold.spans_dropped = 0;
}

/* ---- what the aggregator asks for ---- */

static enum hf_status fold(void *self, const struct hf_batch *batch)
{
    struct servicegraph *graph = self;
    enum hf_status status = servicegraph_fold_request(&graph->fold, batch, hf_clock_unix_ns());
    count(graph);
    return status;
}

static void flush_begin(void *self, uint64_t unix_ns)
{
    struct servicegraph *graph = self;
    servicegraph_flush_begin(&graph->fold.table, unix_ns);
}

static enum hf_status flush_next(void *self, struct hf_batch **ret_batch)
{
    struct servicegraph *graph = self;
    return servicegraph_flush_next(&graph->fold.table, ret_batch);
}

static void flush_end(void *self)
{
    struct servicegraph *graph = self;
    uint64_t now_ns = hf_clock_monotonic_ns(), unix_ns = hf_clock_unix_ns();
    uint64_t pause_ns =
        graph->config->cache_loop_ns != 0 ? graph->config->cache_loop_ns : 60 * HF_NS_PER_S;
    if (graph->is_foreign) {
        graph->is_foreign = false;
        servicegraph_table_clear(&graph->fold.table);
    } else if (now_ns >= graph->next_search_ns) {
        graph->next_search_ns = now_ns + pause_ns;
        servicegraph_table_expire(&graph->fold.table, unix_ns > IDLE_NS ? unix_ns - IDLE_NS : 0);
    }
}

/* FNV-1a: it is stored, and has to be the same in every process. */
static uint64_t fingerprint_of(const struct servicegraph_config *config)
{
    uint64_t hash = HF_FNV_START;
    for (size_t i = 0; i < config->dimensions.count; i++) {
        const char *text = config->dimensions.items[i];
        hash = hf_fnv_add(hash, hf_slice_of(text, strlen(text) + 1));
    }
    return (hash ^ config->virtual_node_extra_label) * HF_FNV_PRIME;
}

static bool has_same_form(const struct hf_distribution_form *a,
                          const struct hf_distribution_form *b)
{
    return a->is_exponential == b->is_exponential && a->size_max == b->size_max &&
           a->bound_count == b->bound_count &&
           (a->bound_count == 0 ||
            memcmp(a->bounds, b->bounds, a->bound_count * sizeof(double)) == 0);
}

static void save(void *self, struct hf_state_writer *writer)
{
    const struct servicegraph *graph = self;
    hf_state_put_u64(writer, fingerprint_of(graph->config));
    hf_state_file_put(writer, &graph->fold.progress, sizeof(graph->fold.progress));
    servicegraph_edges_save(&graph->fold.edges, writer);
    servicegraph_table_save(&graph->fold.table, writer);
}

static void load(void *self, struct hf_state_reader *reader, bool *ret_is_foreign)
{
    struct servicegraph *graph = self;
    struct servicegraph_table *table = &graph->fold.table;
    bool is_same = hf_state_get_u64(reader) == fingerprint_of(graph->config);
    hf_state_file_get(reader, &graph->fold.progress, sizeof(graph->fold.progress));
    servicegraph_edges_load(&graph->fold.edges, graph->config->dimensions.count, is_same, reader);
    servicegraph_table_load(table, reader);
    is_same = is_same && has_same_form(&table->form, &table->wanted_form);
    if (is_same) {
        table->form = table->wanted_form;
    }
    graph->is_foreign = !is_same;
    *ret_is_foreign = !is_same;
}

static void clear(void *self)
{
    struct servicegraph *graph = self;
    graph->is_foreign = false;
    graph->fold.progress = (struct servicegraph_progress){0};
    servicegraph_edges_clear(&graph->fold.edges);
    servicegraph_table_clear(&graph->fold.table);
}

static const struct hf_aggregator_ops aggregator_ops = {
    .fold = fold,
    .flush_begin = flush_begin,
    .flush_next = flush_next,
    .flush_end = flush_end,
    .save = save,
    .load = load,
    .clear = clear,
    .magic = "HFGRAPH1",
};

/* ---- the timer ---- */

static void set_timer(struct servicegraph *graph, uint64_t now_ns)
{
    uint64_t pause_ns = graph->config->store_expiration_loop_ns;
    pause_ns = pause_ns != 0 ? pause_ns : 2 * HF_NS_PER_S;
    enum hf_status set =
        hf_loop_timer_set(hf_node_own_loop(graph->node), &graph->timer, now_ns + pause_ns);
    (void)set; /* it never fails for a loop's first timers */
}

static void search(struct hf_timer *timer, uint64_t now_ns)
{
    struct servicegraph *graph = HF_CONTAINER(timer, struct servicegraph, timer);
    /* A state of other dimensions takes no more before it is passed on. */
    if (!graph->is_foreign && servicegraph_fold_expire(&graph->fold, hf_clock_unix_ns())) {
        hf_aggregator_touch(graph->aggregator);
    }
    count(graph);
    set_timer(graph, now_ns);
}

/* ---- life ---- */

static enum hf_status process_queued(void *self, struct hf_input *input)
{
    const struct servicegraph *graph = self;
    return hf_aggregator_take(graph->aggregator, input);
}

static void close_servicegraph(void *self)
{
    struct servicegraph *graph = self;
    hf_aggregator_free(graph->aggregator);
    servicegraph_fold_release(&graph->fold);
    free(graph);
}

static struct hf_series *counter(const struct servicegraph *graph, const char *name,
                                 const char *help)
{
    const struct hf_metric_family family = {
        .name = name, .type = HF_COUNTER, .unit = "", .help = help};
    const struct hf_label labels[] = {{"connector", hf_node_id(graph->node)}, {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(graph->node), &family, labels);
}

static enum hf_status init(struct servicegraph *graph)
{
    const struct hf_aggregator_options options = {.node = graph->node,
                                                  .ops = &aggregator_ops,
                                                  .self = graph,
                                                  .flush_interval_ns =
                                                      graph->config->metrics_flush_interval_ns};
    graph->made = counter(graph, "otelcol_connector_servicegraph_total_edges",
                          "Calls of one service by another of which a span came.");
    graph->expired = counter(graph, "otelcol_connector_servicegraph_expired_edges",
                             "Those whose other span did not come within store::ttl.");
    graph->dropped = counter(graph, "otelcol_connector_servicegraph_dropped_spans",
                             "Spans that are not in the graph, as store::max_items waited.");
    if (graph->made == NULL || graph->expired == NULL || graph->dropped == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = servicegraph_fold_init(&graph->fold, graph->config);
    return status == HF_OK ? hf_aggregator_new(&options, &graph->aggregator) : status;
}

static enum hf_status open_servicegraph(struct hf_node *node, const void *config, void **ret_self,
                                        char *reterr)
{
    struct servicegraph *graph = calloc(1, sizeof(*graph));
    (void)reterr;
    if (graph == NULL) {
        return HF_NOMEM;
    }
    graph->node = node;
    graph->config = config;
    graph->timer.fire = search;
    enum hf_status status = init(graph);
    if (status != HF_OK) {
        close_servicegraph(graph);
        return status;
    }
    *ret_self = graph;
    return HF_OK;
}

static enum hf_status start_servicegraph(void *self, char *reterr)
{
    struct servicegraph *graph = self;
    (void)reterr;
    hf_aggregator_start(graph->aggregator);
    set_timer(graph, hf_clock_monotonic_ns());
    return HF_OK;
}

static void stop_servicegraph(void *self)
{
    struct servicegraph *graph = self;
    hf_loop_timer_stop(hf_node_own_loop(graph->node), &graph->timer);
    hf_aggregator_stop(graph->aggregator);
}

static const struct hf_queued_ops queued_ops = {
    .process_queued = process_queued,
};

static const struct hf_connector_ops connector_ops = {
    .makes = {[HF_TRACES] = HF_SIGNAL_BIT(HF_METRICS)},
};

static const char *const aliases[] = {"service_graph", NULL};

const struct hf_component hf_connector_servicegraph = {
    .type = "servicegraph",
    .aliases = aliases,
    .help = "Makes metrics of the calls between services from the spans of both sides.",
    .kind = HF_CONNECTOR,
    .signals = HF_SIGNAL_BIT(HF_TRACES),
    .config_size = sizeof(struct servicegraph_config),
    .fields = servicegraph_fields,
    .check = servicegraph_check,
    .open = open_servicegraph,
    .start = start_servicegraph,
    .stop = stop_servicegraph,
    .close = close_servicegraph,
    .queued = &queued_ops,
    .connector = &connector_ops,
};
