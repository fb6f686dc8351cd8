/*
 * kafka_counters: messages and bytes by topic, under the Go collector's names. Owned by the loop of
 * the delivery; zeroed but for the node at first.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/node.h>

struct kafka_counters {
    struct hf_node *node;
    struct kafka_topic_counters *topics;
};

/* Topics beyond the first 256 are counted as "other". */
void kafka_count(struct kafka_counters *counters, const char *topic, uint64_t bytes, bool is_good);
void kafka_counters_release(struct kafka_counters *counters);
