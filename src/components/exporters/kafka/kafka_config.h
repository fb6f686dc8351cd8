/*
 * kafka_config: the keys of the exporter, and what they mean for one signal. Immutable after
 * loading; any thread.
 */
#pragma once

#include <holdfast/batch.h>
#include <holdfast/field.h>

#include "support/settings/configkafka.h"

enum kafka_encoding {
    KAFKA_OTLP_PROTO = 0,
    KAFKA_OTLP_JSON,
    KAFKA_RAW,          /* of logs: a message for each body */
    KAFKA_JAEGER_PROTO, /* of traces, as those below: a message for each span */
    KAFKA_JAEGER_JSON,
    KAFKA_ZIPKIN_PROTO,
    KAFKA_ZIPKIN_JSON,
    KAFKA_ENCODING_COUNT
};

/* What the key of a message is made of. */
enum kafka_key {
    KAFKA_KEY_NONE = 0,
    KAFKA_KEY_TRACE_ID,
    KAFKA_KEY_JAEGER, /* the trace's id as Jaeger writes it, unless the client's request has a key
                       */
    KAFKA_KEY_RESOURCE
};

struct kafka_signal_config {
    const char *topic, *encoding, *topic_from_metadata_key, *message_key_from_metadata_key;
};

struct kafka_config {
    struct hf_kafka_config kafka; /* first */
    const char *topic, *encoding; /* for every signal: the former keys */
    struct kafka_signal_config traces, metrics, logs;
    const char *topic_from_attribute;
    struct hf_string_list include_metadata_keys;
    struct hf_string_map record_headers;
    bool signal_header;
    bool traces_by_id, metrics_by_resource, logs_by_resource, logs_by_trace_id;
    struct {
        const struct kafka_sticky_key {
            int64_t hasher;
        } * sticky_key;
        struct hf_value round_robin, least_backup, extension;
    } partitioner;
    struct {
        int64_t max_message_bytes, flush_max_messages, max_requests;
        const char *required_acks;
        int64_t compression;
        struct {
            int64_t level;
        } compression_params;
        uint64_t linger_ns;
        bool allow_auto_topic_creation;
    } producer;
    bool idempotent;
};

/* The same for one signal. */
struct kafka_plan {
    const char *topic;
    enum kafka_encoding encoding;
    enum kafka_key key;
    const char *topic_key, *message_key; /* of the client's metadata; NULL: none */
};

extern const struct hf_field kafka_fields[];

/* NULL, or one sentence that names the key. */
const char *kafka_config_check(const void *config);
/* Likewise of what is configured for one signal. */
const char *kafka_config_check_signal(const struct kafka_config *config, enum hf_signal signal);

struct kafka_plan kafka_config_plan(const struct kafka_config *config, enum hf_signal signal);

/* `timeout_ns`: after which a message is given back; 0: never. */
void kafka_config_set(const struct kafka_config *config, uint64_t timeout_ns,
                      struct hf_kafka_settings *settings);
