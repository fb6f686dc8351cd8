#include "gauges.h"

#include "util/metrics/metrics.h"

static struct hf_series *gauge(const struct hf_node *node, const char *name, const char *help)
{
    const struct hf_metric_family family = {.name = name, .type = HF_GAUGE, .help = help};
    const struct hf_label labels[] = {{"receiver", hf_node_counted_id(node)}, {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(node), &family, labels);
}

enum hf_status hf_tail_gauges_init(struct hf_tail_gauges *gauges, const struct hf_node *node)
{
    gauges->open_files = gauge(node, "otelcol_fileconsumer_open_files", "Files that are open.");
    gauges->reading_files =
        gauge(node, "otelcol_fileconsumer_reading_files", "Files with unread lines.");
    return gauges->open_files != NULL && gauges->reading_files != NULL ? HF_OK : HF_NOMEM;
}

void hf_tail_gauges_show(struct hf_tail_gauges *gauges, const struct hf_tail_stat *stat)
{
    hf_series_add(gauges->open_files,
                  (int64_t)stat->open_files - (int64_t)gauges->shown.open_files);
    hf_series_add(gauges->reading_files,
                  (int64_t)stat->reading_files - (int64_t)gauges->shown.reading_files);
    gauges->shown = *stat;
}

void hf_tail_gauges_release(struct hf_tail_gauges *gauges)
{
    if (gauges->open_files != NULL && gauges->reading_files != NULL) {
        hf_tail_gauges_show(gauges, &(struct hf_tail_stat){0});
    }
}
