/*
 * kafka_tokens: the tokens by which a component signs in to Kafka with SASL OAUTHBEARER: those of
 * an authenticator extension, or made of credentials of AWS for Amazon MSK.
 *
 * How long a token is good is read from its claim `exp`, when it is a JWT; of others, the extension
 * alone knows, which is asked often enough (kafka/bearer.h).
 *
 * Owned by the main thread; what it gives to clients is used on their threads. It outlives them.
 */
#pragma once

#include <holdfast/node.h>
#include <holdfast/status.h>

#include "kafka/bearer.h"
#include "support/settings/configauth.h"
#include "support/settings/configkafka.h"

struct hf_kafka_tokens;

struct hf_kafka_tokens_options {
    const struct hf_kafka_config *config; /* borrowed until free */
    struct hf_auth_ref auth;              /* of oauthbearer_token_source */
    /* Any thread. NULL: nothing is said. */
    void (*say)(void *user, enum hf_log_level level, const char *text);
    void *user;
};

/* `*ret_tokens` NULL with HF_OK: the component signs in otherwise. HF_INVALID and others with a
 * sentence in `reterr` (HF_ERROR_MAX). May ask the EC2 instance for its region. */
HF_MUST_USE enum hf_status hf_kafka_tokens_new(const struct hf_kafka_tokens_options *options,
                                               struct hf_kafka_tokens **ret_tokens, char *reterr);
/* The same for a component, which says what is to be said. */
HF_MUST_USE enum hf_status hf_kafka_tokens_open(struct hf_node *node,
                                                const struct hf_kafka_config *config,
                                                struct hf_kafka_tokens **ret_tokens, char *reterr);

/* NULL: nothing to do, in all below. Start waits at most 3 s for the first credentials of AWS. */
HF_MUST_USE enum hf_status hf_kafka_tokens_start(struct hf_kafka_tokens *tokens, char *reterr);
void hf_kafka_tokens_stop(struct hf_kafka_tokens *tokens);
void hf_kafka_tokens_free(struct hf_kafka_tokens *tokens);

/* For the settings of a client; NULL: it needs none. */
const struct hf_kafka_token_source *hf_kafka_tokens_source(const struct hf_kafka_tokens *tokens);
