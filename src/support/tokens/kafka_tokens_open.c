/* What kafka_tokens.c makes, for a component: with the extension that it names, and its log. */
#include "kafka_tokens.h"

#include <stdio.h>

#include <holdfast/auth.h>
#include <holdfast/component.h>

static void say_of_node(void *user, enum hf_log_level level, const char *text)
{
    hf_node_log(user, level, "%s", text);
}

enum hf_status hf_kafka_tokens_open(struct hf_node *node, const struct hf_kafka_config *config,
                                    struct hf_kafka_tokens **ret_tokens, char *reterr)
{
    struct hf_kafka_tokens_options options = {.config = config, .say = say_of_node, .user = node};
    *ret_tokens = NULL;
    if (hf_kafka_config_tokens(config) == HF_KAFKA_TOKENS_EXTENSION) {
        const char *id = config->auth.sasl->token_source;
        if (hf_node_auth(node, id, &options.auth.ops, &options.auth.self) != HF_OK ||
            options.auth.ops->headers == NULL) {
            snprintf(reterr, HF_ERROR_MAX, HF_KAFKA_NO_TOKENS, id);
            return HF_INVALID;
        }
    }
    if (hf_kafka_config_is_old_msk(config)) {
        hf_node_log(node, HF_LOG_WARN,
                    "auth::sasl::mechanism: AWS_MSK_IAM is taken as AWS_MSK_IAM_OAUTHBEARER, which "
                    "the brokers of Amazon MSK take too");
    }
    return hf_kafka_tokens_new(&options, ret_tokens, reterr);
}
