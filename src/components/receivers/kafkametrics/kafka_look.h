/*
 * kafka_look: one look at a cluster: brokers, topics and consumer groups as points.
 *
 * The scraper's thread.
 */
#pragma once

#include "kafka/admin.h"
#include "support/scrape/server_scraper.h"
#include "support/settings/configkafka.h"
#include "util/regex/regex.h"

#define KAFKA_METRICS(X)                                                                           \
    X(KAFKA_BROKER_RETENTION, "kafka.broker.log_retention_period", "s", GAUGE, off,                \
      "The setting log.retention.hours of a broker.")                                              \
    X(KAFKA_BROKERS, "kafka.brokers", "{brokers}", UPDOWN, on, "Brokers of the cluster.")          \
    X(KAFKA_GROUP_LAG, "kafka.consumer_group.lag", "1", GAUGE, on,                                 \
      "Messages of a partition that a group has not read; -1: not known.")                         \
    X(KAFKA_GROUP_LAG_SUM, "kafka.consumer_group.lag_sum", "1", GAUGE, on,                         \
      "Messages of a topic that a group has not read.")                                            \
    X(KAFKA_GROUP_MEMBERS, "kafka.consumer_group.members", "{members}", UPDOWN, on,                \
      "Members of a group.")                                                                       \
    X(KAFKA_GROUP_OFFSET, "kafka.consumer_group.offset", "1", GAUGE, on,                           \
      "Offset of a group in a partition; -1: none.")                                               \
    X(KAFKA_GROUP_OFFSET_SUM, "kafka.consumer_group.offset_sum", "1", GAUGE, on,                   \
      "Sum of the offsets of a group in a topic.")                                                 \
    X(KAFKA_CURRENT, "kafka.partition.current_offset", "1", GAUGE, on,                             \
      "Offset of the message that comes next.")                                                    \
    X(KAFKA_OLDEST, "kafka.partition.oldest_offset", "1", GAUGE, on,                               \
      "Offset of the oldest message.")                                                             \
    X(KAFKA_REPLICAS, "kafka.partition.replicas", "{replicas}", UPDOWN, on,                        \
      "Replicas of a partition.")                                                                  \
    X(KAFKA_IN_SYNC, "kafka.partition.replicas_in_sync", "{replicas}", UPDOWN, on,                 \
      "Replicas of a partition that are in sync.")                                                 \
    X(KAFKA_TOPIC_RETENTION, "kafka.topic.log_retention_period", "s", GAUGE, off,                  \
      "The setting retention.ms of a topic.")                                                      \
    X(KAFKA_TOPIC_SIZE, "kafka.topic.log_retention_size", "By", GAUGE, off,                        \
      "The setting retention.bytes of a topic; -1: no limit.")                                     \
    X(KAFKA_TOPIC_IN_SYNC, "kafka.topic.min_insync_replicas", "{replicas}", GAUGE, off,            \
      "The setting min.insync.replicas of a topic.")                                               \
    X(KAFKA_PARTITIONS, "kafka.topic.partitions", "{partitions}", UPDOWN, on,                      \
      "Partitions of a topic.")                                                                    \
    X(KAFKA_FACTOR, "kafka.topic.replication_factor", "1", GAUGE, off,                             \
      "Replicas that a topic's partitions are to have.")

enum { KAFKA_METRICS(HF_METRIC_ID) KAFKA_METRIC_COUNT };

#define KAFKA_RESOURCES(X)                                                                         \
    X(KAFKA_ALIAS, "kafka.cluster.alias", off, "cluster_alias of the configuration.")

enum { KAFKA_RESOURCES(HF_RESOURCE_ID) KAFKA_RESOURCE_COUNT };

extern const struct hf_metric_row kafka_rows[];

struct kafkametrics_config {
    struct hf_scraper_config scraper; /* first: the scraper's */
    struct hf_kafka_config kafka;
    const char *alias, *topic_match, *group_match;
    struct hf_string_list scrapers;
    struct {
        struct hf_metric_choice metrics[KAFKA_METRIC_COUNT];
        struct hf_resource_choice resources[KAFKA_RESOURCE_COUNT];
    } wanted;
};

/* Borrowed for the call. */
struct kafka_look {
    const struct kafkametrics_config *config;
    const struct hf_kafka_library *library;
    struct hf_kafka_admin *admin;
    const struct hf_regex *topics, *groups;
    struct hf_scrape *scrape;
    struct hf_patience patience;
    struct hf_points *points;
    /* The look's own. */
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_partition_list_t *latest; /* of the topics that match, with their offsets */
    const char *named;                       /* the topic, broker or group that is asked about */
};

/* Adds the points of all that is wanted. What fails is counted and logged. */
void kafka_look_run(struct kafka_look *look);
