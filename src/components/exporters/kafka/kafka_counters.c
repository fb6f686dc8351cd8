#include "kafka_counters.h"

#include <stdlib.h>
#include <string.h>

#include "util/metrics/metrics.h"

#define TOPICS_MAX 256u

struct kafka_topic_counters {
    struct kafka_topic_counters *next;
    struct hf_series *records[2], *bytes[2]; /* failed, succeeded */
    char topic[256];
};

static struct hf_series *series(const struct kafka_counters *counters, const char *name,
                                const char *help, const char *topic, bool is_good)
{
    const struct hf_metric_family family = {.name = name, .type = HF_COUNTER, .help = help};
    const struct hf_label labels[] = {{"exporter", hf_node_id(counters->node)},
                                      {"topic", topic},
                                      {"outcome", is_good ? "success" : "failure"},
                                      {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(counters->node), &family, labels);
}

static struct kafka_topic_counters *add(struct kafka_counters *counters, const char *topic)
{
    struct kafka_topic_counters *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return NULL;
    }
    strncpy(made->topic, topic, sizeof(made->topic) - 1);
    for (int good = 0; good < 2; good++) {
        made->records[good] = series(counters, "otelcol_kafka_exporter_records",
                                     "Messages to Kafka.", topic, good != 0);
        made->bytes[good] =
            series(counters, "otelcol_kafka_exporter_bytes_uncompressed",
                   "Bytes of messages to Kafka, before compression.", topic, good != 0);
        if (made->records[good] == NULL || made->bytes[good] == NULL) {
            free(made);
            return NULL;
        }
    }
    made->next = counters->topics;
    counters->topics = made;
    return made;
}

void kafka_count(struct kafka_counters *counters, const char *topic, uint64_t bytes, bool is_good)
{
    struct kafka_topic_counters *one = counters->topics;
    unsigned count = 0;
    while (one != NULL && strcmp(one->topic, topic) != 0) {
        one = one->next;
        count++;
    }
    if (one == NULL && count >= TOPICS_MAX) {
        /* The last place is that of all others. */
        if (strcmp(topic, "other") != 0 && count == TOPICS_MAX) {
            (void)add(counters, "other");
        }
        for (one = counters->topics; one != NULL && strcmp(one->topic, "other") != 0;) {
            one = one->next;
        }
    } else if (one == NULL) {
        one = add(counters, topic);
    }
    if (one != NULL) {
        hf_series_add(one->records[is_good], 1);
        hf_series_add(one->bytes[is_good], (int64_t)bytes);
    }
}

void kafka_counters_release(struct kafka_counters *counters)
{
    while (counters->topics != NULL) {
        struct kafka_topic_counters *one = counters->topics;
        counters->topics = one->next;
        free(one);
    }
}
