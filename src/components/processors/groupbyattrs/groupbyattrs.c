/*
 * groupbyattrs: moves attributes of items to their resources, so that items with the same ones
 * share a resource; without keys it joins resources, scopes and metrics that are the same.
 */
#include <stdlib.h>

#include <holdfast/component.h>

#include "support/items/grouping.h"
#include "util/metrics/metrics.h"

struct groupbyattrs_config {
    struct hf_string_list keys;
};

struct groupbyattrs {
    const struct groupbyattrs_config *config;
    struct hf_series *grouped[HF_SIGNAL_COUNT], *not_grouped[HF_SIGNAL_COUNT];
    struct hf_histogram *groups[HF_SIGNAL_COUNT];
};

/* By signal, as the Go collector names them. */
static const char *const grouped_names[] = {
    "otelcol_processor_groupbyattrs_num_grouped_spans",
    "otelcol_processor_groupbyattrs_num_grouped_metrics",
    "otelcol_processor_groupbyattrs_num_grouped_logs",
};
static const char *const not_grouped_names[] = {
    "otelcol_processor_groupbyattrs_num_non_grouped_spans",
    "otelcol_processor_groupbyattrs_num_non_grouped_metrics",
    "otelcol_processor_groupbyattrs_num_non_grouped_logs",
};
static const char *const groups_names[] = {
    "otelcol_processor_groupbyattrs_span_groups",
    "otelcol_processor_groupbyattrs_metric_groups",
    "otelcol_processor_groupbyattrs_log_groups",
};

static enum hf_status add_series(struct groupbyattrs *processor, struct hf_node *node, int signal)
{
    static const double bounds[] = {0,   5,   10,   25,   50,   75,   100,  250,
                                    500, 750, 1000, 2500, 5000, 7500, 10000};
    const struct hf_label labels[] = {{"processor", hf_node_id(node)}, {NULL, NULL}};
    const struct hf_metric_family grouped = {.name = grouped_names[signal],
                                             .type = HF_COUNTER,
                                             .unit = "",
                                             .help = "Items that had grouping attributes."};
    const struct hf_metric_family not_grouped = {.name = not_grouped_names[signal],
                                                 .type = HF_COUNTER,
                                                 .unit = "",
                                                 .help = "Items that had no grouping attributes."};
    const struct hf_metric_family groups = {.name = groups_names[signal],
                                            .type = HF_HISTOGRAM,
                                            .unit = "",
                                            .help = "Resources of a request after grouping.",
                                            .bounds = bounds,
                                            .bound_count = sizeof(bounds) / sizeof(bounds[0])};
    struct hf_metrics *metrics = hf_node_metrics(node);
    processor->grouped[signal] = hf_metrics_series(metrics, &grouped, labels);
    processor->not_grouped[signal] = hf_metrics_series(metrics, &not_grouped, labels);
    processor->groups[signal] = hf_metrics_histogram(metrics, &groups, labels);
    bool is_whole = processor->grouped[signal] != NULL && processor->not_grouped[signal] != NULL &&
                    processor->groups[signal] != NULL;
    return is_whole ? HF_OK : HF_NOMEM;
}

static const char *check(const void *config)
{
    const struct groupbyattrs_config *configured = config;
    for (size_t i = 0; i < configured->keys.count; i++) {
        if (configured->keys.items[i][0] == '\0') {
            return "keys: an empty key";
        }
    }
    return NULL;
}

static enum hf_status open_groupbyattrs(struct hf_node *node, const void *config, void **ret_self,
                                        char *reterr)
{
    struct groupbyattrs *processor = calloc(1, sizeof(*processor));
    enum hf_status status = processor != NULL ? HF_OK : HF_NOMEM;
    (void)reterr;
    for (int signal = 0; signal < HF_SIGNAL_COUNT && status == HF_OK; signal++) {
        if ((hf_node_signals(node) & HF_SIGNAL_BIT(signal)) != 0) {
            status = add_series(processor, node, signal);
        }
    }
    if (status != HF_OK) {
        free(processor);
        return status;
    }
    processor->config = config;
    *ret_self = processor;
    return HF_OK;
}

static void close_groupbyattrs(void *self)
{
    free(self);
}

static enum hf_status process(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    const struct groupbyattrs *processor = self;
    struct hf_grouping_counts counts;
    struct hf_document *document = hf_document_borrow(batch->signal, batch->raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = hf_group(document, &processor->config->keys, &counts);
    if (status == HF_OK) {
        status = hf_document_batch(document, batch, ret_batch);
    }
    hf_document_return(document);
    if (status == HF_OK) {
        hf_series_add(processor->grouped[batch->signal], (int64_t)counts.grouped);
        hf_series_add(processor->not_grouped[batch->signal], (int64_t)counts.not_grouped);
        hf_histogram_observe(processor->groups[batch->signal], counts.groups);
    }
    return status;
}

static const struct hf_field fields[] = {
    {.key = "keys",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct groupbyattrs_config, keys),
     .help = "Attributes of spans, log records and data points that move to the resource; none: "
             "equal resources, scopes and metrics are joined."},
    HF_FIELDS_END,
};

static const struct hf_processor_ops processor_ops = {
    .process = process,
};

const struct hf_component hf_processor_groupbyattrs = {
    .type = "groupbyattrs",
    .help = "Groups items by attributes, which move to the resource.",
    .kind = HF_PROCESSOR,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct groupbyattrs_config),
    .fields = fields,
    .check = check,
    .open = open_groupbyattrs,
    .close = close_groupbyattrs,
    .processor = &processor_ops,
};
