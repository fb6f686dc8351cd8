/*
 * settings: the properties of a Kafka client by librdkafka's names, in the order in which they are
 * set. Owned by one thread; zeroed at first, hf_kafka_settings_release() at last.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HF_KAFKA_SETTINGS_MAX 64u

struct hf_kafka_token_source;

struct hf_kafka_settings {
    const char *names[HF_KAFKA_SETTINGS_MAX]; /* literals */
    char *values[HF_KAFKA_SETTINGS_MAX];
    size_t count;
    bool failed;                                /* out of memory, or more than fit */
    const struct hf_kafka_token_source *tokens; /* of OAUTHBEARER, see bearer.h; NULL: none */
};

void hf_kafka_set(struct hf_kafka_settings *settings, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Nothing is set when the value is NULL or "". */
void hf_kafka_set_text(struct hf_kafka_settings *settings, const char *name, const char *value);
void hf_kafka_settings_release(struct hf_kafka_settings *settings);
