#include "kafka_partition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/metrics/metrics.h"

static struct hf_series *series(const struct hf_node *node, const char *name,
                                enum hf_metric_type type, const char *help,
                                const struct kafka_partition *partition)
{
    char number[16];
    snprintf(number, sizeof(number), "%d", (int)partition->number);
    const struct hf_metric_family family = {.name = name, .type = type, .help = help};
    const struct hf_label labels[] = {{"receiver", hf_node_counted_id(node)},
                                      {"topic", partition->topic},
                                      {"partition", number},
                                      {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(node), &family, labels);
}

static bool make_series(struct kafka_partition *partition, const struct hf_node *node,
                        enum hf_signal signal)
{
    static const char *const failed[HF_SIGNAL_COUNT] = {
        [HF_TRACES] = "otelcol_kafka_receiver_unmarshal_failed_spans",
        [HF_METRICS] = "otelcol_kafka_receiver_unmarshal_failed_metric_points",
        [HF_LOGS] = "otelcol_kafka_receiver_unmarshal_failed_log_records"};
    partition->records = series(node, "otelcol_kafka_receiver_records", HF_COUNTER,
                                "Messages that were read.", partition);
    partition->bytes = series(node, "otelcol_kafka_receiver_bytes_uncompressed", HF_COUNTER,
                              "Bytes of messages that were read.", partition);
    partition->offset = series(node, "otelcol_kafka_receiver_current_offset", HF_GAUGE,
                               "The offset of the last message that was read.", partition);
    partition->lag = series(node, "otelcol_kafka_receiver_offset_lag", HF_GAUGE,
                            "Messages in the partition behind it.", partition);
    partition->failed = series(node, failed[signal], HF_COUNTER,
                               "Messages that are not of their encoding.", partition);
    return partition->records != NULL && partition->bytes != NULL && partition->offset != NULL &&
           partition->lag != NULL && partition->failed != NULL;
}

struct kafka_partition *kafka_partition_new(const struct hf_node *node, enum hf_signal signal,
                                            const char *topic, int32_t number)
{
    struct kafka_partition *partition = calloc(1, sizeof(*partition));
    if (partition == NULL) {
        return NULL;
    }
    partition->number = number;
    partition->end = &partition->first;
    partition->topic = strdup(topic);
    if (partition->topic == NULL || !make_series(partition, node, signal)) {
        kafka_partition_free(partition);
        return NULL;
    }
    return partition;
}

void kafka_partition_free(struct kafka_partition *partition)
{
    free(partition->topic);
    free(partition);
}

void kafka_partition_add(struct kafka_partition *partition, struct kafka_entry *entry)
{
    entry->partition = partition;
    entry->next = NULL;
    *partition->end = entry;
    partition->end = &entry->next;
}

int64_t kafka_partition_advance(struct kafka_partition *partition)
{
    int64_t behind = -1;
    while (partition->first != NULL && partition->first->batch == NULL &&
           !partition->first->is_submitted) {
        struct kafka_entry *entry = partition->first;
        behind = entry->offset + 1;
        partition->first = entry->next;
        free(entry);
    }
    if (partition->first == NULL) {
        partition->end = &partition->first;
    }
    return partition->is_stuck ? -1 : behind;
}
