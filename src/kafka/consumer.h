/*
 * consumer: a member of a consumer group: messages of the partitions that the group has given it,
 * and the offsets that it is done with. Nothing is committed that the owner has not stored.
 *
 * Owned by the thread of its loop, on which the functions below are called.
 */
#pragma once

#include "client.h"
#include <holdfast/slice.h>

struct hf_kafka_consumer {
    struct hf_kafka_client client;
    /*
     * One message, which is the callee's: hf_kafka_consumer_drop(). Its `err` is 0.
     */
    void (*message)(struct hf_kafka_consumer *consumer, rd_kafka_message_t *message);
    /* The group has given a partition, or takes it away: what was stored until the end of the call
     * is committed. */
    void (*assigned)(struct hf_kafka_consumer *consumer, const char *topic, int32_t partition);
    void (*revoked)(struct hf_kafka_consumer *consumer, const char *topic, int32_t partition);
    void *user;
    /* The consumer's. */
    struct hf_timer look;
    bool is_held;
};

/* The library, loop and `say` of the client, and the functions above, are set before. `topics`
 * with ^ in front are regular expressions. */
HF_MUST_USE enum hf_status hf_kafka_consumer_open(struct hf_kafka_consumer *consumer,
                                                  const struct hf_kafka_settings *settings,
                                                  const char *const *topics, size_t count,
                                                  char *reterr);

/* All messages of the partition before `offset` are done with. */
void hf_kafka_consumer_store(struct hf_kafka_consumer *consumer, const char *topic,
                             int32_t partition, int64_t offset);
/* Commits what was stored now, and not at the interval. */
void hf_kafka_consumer_commit(struct hf_kafka_consumer *consumer);

/* No more messages are given until the release; the member stays in its group. */
void hf_kafka_consumer_hold(struct hf_kafka_consumer *consumer, bool is_held);

void hf_kafka_consumer_drop(struct hf_kafka_consumer *consumer, rd_kafka_message_t *message);

/* The offset behind the last message of the partition; -1: not known. */
int64_t hf_kafka_consumer_end(const struct hf_kafka_consumer *consumer, const char *topic,
                              int32_t partition);

/* Steps through the headers of a message: `*index` starts at 0. False: no more. */
HF_MUST_USE bool hf_kafka_consumer_header(const struct hf_kafka_consumer *consumer,
                                          const rd_kafka_message_t *message, size_t *index,
                                          struct hf_slice *ret_name, struct hf_slice *ret_value);

/* Commits what was stored and leaves the group, within a second or so. */
void hf_kafka_consumer_close(struct hf_kafka_consumer *consumer);
