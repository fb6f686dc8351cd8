#include "management.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#define SCOPE "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/rabbitmqreceiver"
#define RATE_ENDING ".rate"
#define KEY_MAX 64

const struct hf_metric_row rabbitmq_rows[] = {RABBITMQ_METRICS(HF_METRIC_ROW)};

static void name(struct rabbitmq_writer *writer, unsigned id, struct hf_slice value)
{
    static const char *const names[] = {RABBITMQ_RESOURCES(HF_RESOURCE_NAME)};
    if (writer->wanted->resources[id].enabled && (id != RABBITMQ_CLUSTER_NAME || value.size > 0)) {
        hf_build_attribute_string(writer->builder, hf_slice_text(names[id]), value);
    }
}

static void write_points(struct rabbitmq_writer *writer)
{
    bool failed;
    hf_build_scope(writer->builder, hf_slice_text(SCOPE), hf_slice_text(HF_VERSION));
    writer->written +=
        hf_points_write(writer->points, writer->builder, writer->begun_ns, writer->now_ns, &failed);
    writer->failed = writer->failed || failed;
}

static bool read_number(const struct hf_json *value, double *ret_number)
{
    bool is_number = value != NULL && (value->kind == HF_JSON_INT || value->kind == HF_JSON_DOUBLE);
    if (is_number) {
        *ret_number = value->kind == HF_JSON_INT ? (double)value->integer : value->number;
    }
    return is_number && isfinite(*ret_number);
}

/* A whole number; a fraction is cut, and true is 1. */
static bool read_whole(const struct hf_json *value, int64_t *ret_number)
{
    double number;
    if (value != NULL && (value->kind == HF_JSON_BOOL || value->kind == HF_JSON_INT)) {
        *ret_number = value->kind == HF_JSON_BOOL ? value->boolean : value->integer;
        return true;
    }
    if (!read_number(value, &number) || fabs(number) > 9e18) {
        return false;
    }
    *ret_number = (int64_t)number;
    return true;
}

static void add_int(struct rabbitmq_writer *writer, unsigned id, const struct hf_json *value,
                    const char *state)
{
    const struct hf_points_attribute attribute = {
        .key = "state", .text = hf_slice_text(state != NULL ? state : "")};
    int64_t number;
    if (read_whole(value, &number)) {
        hf_points_int(writer->points, id, number, &attribute, state != NULL ? 1 : 0);
    }
}

void rabbitmq_queue_write(struct rabbitmq_writer *writer, const struct hf_json *queue)
{
    static const struct {
        const char *key;
        unsigned id;
    } stats[] = {{"deliver", RABBITMQ_DELIVERED},
                 {"publish", RABBITMQ_PUBLISHED},
                 {"ack", RABBITMQ_ACKNOWLEDGED},
                 {"drop_unroutable", RABBITMQ_DROPPED}};
    const struct hf_json *all = hf_json_get(queue, "message_stats");
    add_int(writer, RABBITMQ_CONSUMERS, hf_json_get(queue, "consumers"), NULL);
    add_int(writer, RABBITMQ_CURRENT, hf_json_get(queue, "messages_unacknowledged"),
            "unacknowledged");
    add_int(writer, RABBITMQ_CURRENT, hf_json_get(queue, "messages_ready"), "ready");
    for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++) {
        add_int(writer, stats[i].id, hf_json_get(all, stats[i].key), NULL);
    }
    hf_build_resource(writer->builder, HF_EMPTY_SLICE);
    name(writer, RABBITMQ_CLUSTER_NAME, writer->cluster);
    name(writer, RABBITMQ_QUEUE_NAME, hf_json_text_of(queue, "name"));
    name(writer, RABBITMQ_NODE_NAME, hf_json_text_of(queue, "node"));
    name(writer, RABBITMQ_VHOST_NAME, hf_json_text_of(queue, "vhost"));
    write_points(writer);
}

/* The value of a metric by its name; see rabbitmq_metrics.h. */
static void add_node_value(struct rabbitmq_writer *writer, unsigned id, const struct hf_json *node)
{
    const char *key = rabbitmq_rows[id].name + sizeof(RABBITMQ_NODE_PREFIX) - 1;
    const char *ending = strstr(key, RATE_ENDING);
    char object[KEY_MAX];
    double number;
    if (ending != NULL) {
        snprintf(object, sizeof(object), "%.*s", (int)(ending - key), key);
        if (read_number(hf_json_get(hf_json_get(node, object), "rate"), &number)) {
            hf_points_double(writer->points, id, number, NULL, 0);
        }
    } else if (strstr(key, "_avg_time") != NULL) {
        if (read_number(hf_json_get(node, key), &number)) {
            hf_points_double(writer->points, id, number, NULL, 0);
        }
    } else {
        add_int(writer, id, hf_json_get(node, key), NULL);
    }
}

void rabbitmq_node_write(struct rabbitmq_writer *writer, const struct hf_json *node)
{
    for (unsigned id = RABBITMQ_NODE_METRICS_AT; id < RABBITMQ_METRIC_COUNT; id++) {
        if (writer->wanted->metrics[id].enabled) {
            add_node_value(writer, id, node);
        }
    }
    hf_build_resource(writer->builder, HF_EMPTY_SLICE);
    name(writer, RABBITMQ_CLUSTER_NAME, writer->cluster);
    name(writer, RABBITMQ_NODE_NAME, hf_json_text_of(node, "name"));
    write_points(writer);
}
