/*
 * management: answers of RabbitMQ's management API as metrics. Pure; any thread.
 */
#pragma once

#include "rabbitmq_metrics.h"
#include "support/scrape/metric_points.h"
#include "json/json.h"

extern const struct hf_metric_row rabbitmq_rows[];

struct rabbitmq_wanted {
    struct hf_metric_choice metrics[RABBITMQ_METRIC_COUNT];
    struct hf_resource_choice resources[RABBITMQ_RESOURCE_COUNT];
};

struct rabbitmq_writer {
    const struct rabbitmq_wanted *wanted;
    struct hf_builder *builder;
    struct hf_points *points;
    struct hf_slice cluster; /* its name; empty: not known, or not wanted */
    uint64_t begun_ns, now_ns;
    uint32_t written;
    bool failed; /* out of memory */
};

/* One entry of /api/queues, and of /api/nodes. What is not there, or of another type, is left out.
 */
void rabbitmq_queue_write(struct rabbitmq_writer *writer, const struct hf_json *queue);
void rabbitmq_node_write(struct rabbitmq_writer *writer, const struct hf_json *node);
