/*
 * kafka_config: the keys of the receiver, and what they mean for one signal. Immutable after
 * loading; any thread.
 */
#pragma once

#include <holdfast/batch.h>
#include <holdfast/field.h>

#include "support/settings/configkafka.h"

enum kafka_encoding {
    KAFKA_OTLP_PROTO = 0,
    KAFKA_OTLP_JSON,
    KAFKA_TEXT,         /* of logs: the value as a string, by an encoding of characters */
    KAFKA_JSON,         /* the value as a JSON object */
    KAFKA_RAW,          /* the value as bytes */
    KAFKA_JAEGER_PROTO, /* of traces: one span */
    KAFKA_JAEGER_JSON,
    KAFKA_ZIPKIN_PROTO, /* a list of spans of v2 */
    KAFKA_ZIPKIN_JSON,
    KAFKA_ZIPKIN_THRIFT /* a list of spans of v1 */
};

struct kafka_signal_config {
    const char *topic, *encoding;
    struct hf_string_list topics, exclude_topics;
};

struct kafka_config {
    struct hf_kafka_config kafka; /* first */
    const char *topic, *encoding; /* for every signal: the former keys */
    struct kafka_signal_config traces, metrics, logs;
    const char *group_id, *group_instance_id;
    int64_t initial_offset;
    uint64_t session_timeout_ns, heartbeat_interval_ns;
    const char *strategy; /* the former key */
    struct hf_string_list strategies;
    struct {
        bool enable;
        uint64_t interval_ns;
    } autocommit;
    int64_t min_fetch_size, max_fetch_size, default_fetch_size, max_partition_fetch_size;
    uint64_t max_fetch_wait_ns;
    struct {
        bool extract_headers;
        struct hf_string_list headers;
    } header_extraction;
};

/* The same for one signal. */
struct kafka_plan {
    struct hf_string_list topics, exclude_topics;
    enum kafka_encoding encoding;
    const char *characters; /* KAFKA_TEXT: "utf8" */
};

extern const struct hf_field kafka_receiver_fields[];

/* NULL, or one sentence that names the key. */
const char *kafka_receiver_check(const void *config);
/* Likewise of what is configured for one signal; `ret_plan` may be NULL. */
const char *kafka_receiver_plan(const struct kafka_config *config, enum hf_signal signal,
                                struct kafka_plan *ret_plan);

/* Of releases of librdkafka before this one, cooperative-sticky may abort the process as it stops.
 */
#define KAFKA_COOPERATIVE_VERSION 0x02030000

/* The strategies that a release of the library has, by their names there. NULL: it has none of
 * those that are configured. */
const char *kafka_receiver_strategies(const struct kafka_config *config, int version, char *room,
                                      size_t size);

void kafka_receiver_set(const struct kafka_config *config, const struct kafka_plan *plan,
                        const char *strategies, struct hf_kafka_settings *settings);
