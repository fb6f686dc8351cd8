/*
 * configkafka: the settings that Kafka exporters and receivers share: one struct, its fields, their
 * check, and the properties of the client made of them. As confighttp.h: embed the struct and the
 * rows.
 */
#pragma once

#include <holdfast/field.h>

#include "kafka/settings.h"
#include "util/tls/tls.h"

/* Of Amazon MSK. */
struct hf_kafka_msk {
    const char *region, *role_arn, *external_id;
};

struct hf_kafka_login {
    const char *username, *password, *mechanism;
    int64_t version;
    const char *token_source;
    struct hf_kafka_msk aws_msk;
};

struct hf_kafka_config {
    struct hf_string_list brokers;
    const char *protocol_version, *client_id, *rack_id;
    struct {
        const struct hf_kafka_login *plain_text, *sasl;
        const struct hf_tls_config *tls;
        struct hf_value kerberos;
    } auth;
    const struct hf_tls_config *tls;
    struct {
        bool full;
        uint64_t refresh_interval_ns;
        struct {
            int64_t max;
            uint64_t backoff_ns;
        } retry;
    } metadata;
    uint64_t conn_idle_timeout_ns, dial_timeout_ns;
};

extern const struct hf_field hf_kafka_auth_fields[], hf_kafka_metadata_fields[];

const char *hf_kafka_expect_version(const char *key, const char *text);

/* What no single field can tell: NULL or a sentence. */
const char *hf_kafka_config_check(const struct hf_kafka_config *config);

/* Who has the tokens by which the client signs in. */
enum hf_kafka_token_kind {
    HF_KAFKA_TOKENS_NONE = 0, /* it signs in otherwise, or not at all */
    HF_KAFKA_TOKENS_EXTENSION,
    HF_KAFKA_TOKENS_AWS
};
enum hf_kafka_token_kind hf_kafka_config_tokens(const struct hf_kafka_config *config);
/* An extension that gives no tokens, as a sentence with its id. */
#define HF_KAFKA_NO_TOKENS                                                                         \
    "auth::sasl::oauthbearer_token_source: %s gives no tokens; use oauth2client or "               \
    "bearertokenauth, for example"

/* Is the mechanism the former AWS_MSK_IAM? */
bool hf_kafka_config_is_old_msk(const struct hf_kafka_config *config);

/* Encryption; NULL: none. */
const struct hf_tls_config *hf_kafka_config_tls(const struct hf_kafka_config *config);

/* Adds the properties of the client that the keys stand for; a failure is noted in `settings`. */
void hf_kafka_config_set(const struct hf_kafka_config *config, struct hf_kafka_settings *settings);

/* The rows begin at the start of the component's configuration, where the struct stands. */
/* clang-format off */
#define HF_KAFKA_FIELDS(owner, at)                                                                 \
    {.key = "brokers",                                                                             \
     .type = HF_FIELD_STRING_LIST,                                                                 \
     .offset = offsetof(owner, at.brokers),                                                        \
     .default_text = "localhost:9092",                                                             \
     .help = "host:port of brokers, from which the others are learnt."},                           \
    {.key = "protocol_version",                                                                    \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.protocol_version),                                               \
     .validate = hf_kafka_expect_version,                                                          \
     .help = "Accepted without effect: the brokers are asked for what they speak."},               \
    {.key = "client_id",                                                                           \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.client_id),                                                      \
     .default_text = "otel-collector",                                                             \
     .help = "The name of the client, for quotas and logs of the brokers."},                       \
    {.key = "rack_id",                                                                             \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.rack_id),                                                        \
     .help = "The rack, so that a near replica can be read from."},                                \
    {.key = "auth",                                                                                \
     .type = HF_FIELD_STRUCT,                                                                      \
     .offset = offsetof(owner, at),                                                                \
     .inner = hf_kafka_auth_fields,                                                                \
     .help = "How to sign in."},                                                                   \
    {.key = "tls",                                                                                 \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .null_enables = true,                                                                         \
     .offset = offsetof(owner, at.tls),                                                            \
     .inner = hf_tls_client_fields,                                                                \
     .inner_size = sizeof(struct hf_tls_config),                                                   \
     .help = "Encryption; absent: none, but for Amazon MSK, where the system's authorities "       \
             "verify. The files are read when a connection's client is made."},                                                         \
    {.key = "metadata",                                                                            \
     .type = HF_FIELD_STRUCT,                                                                      \
     .offset = offsetof(owner, at),                                                                \
     .inner = hf_kafka_metadata_fields,                                                            \
     .help = "What is asked about topics."},                                                       \
    {.key = "conn_idle_timeout",                                                                   \
     .type = HF_FIELD_DURATION,                                                                    \
     .offset = offsetof(owner, at.conn_idle_timeout_ns),                                           \
     .default_text = "9m",                                                                         \
     .help = "How long an unused connection is kept."},                                            \
    {.key = "dial_timeout",                                                                        \
     .type = HF_FIELD_DURATION,                                                                    \
     .offset = offsetof(owner, at.dial_timeout_ns),                                                \
     .default_text = "10s",                                                                        \
     .min = 1e6,                                                                                   \
     .max = 2e12,                                                                                  \
     .help = "Longest time for connecting and signing in to a broker; at least a second is given."}, \
    {.key = "resolve_canonical_bootstrap_servers_only",                                            \
     .type = HF_FIELD_IGNORED,                                                                     \
     .help = "Brokers are connected to by the names that they give themselves."},                  \
    {.key = "use_leader_epoch",                                                                    \
     .type = HF_FIELD_IGNORED,                                                                     \
     .help = "The library decides by what the brokers speak."}
/* clang-format on */
