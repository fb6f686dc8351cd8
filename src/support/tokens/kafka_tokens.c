#include "kafka_tokens.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <holdfast/auth.h>
#include <holdfast/component.h>

#include "aws/msk.h"
#include "aws/region.h"
#include "support/settings/confighttp.h"
#include "util/arena.h"
#include "util/base64.h"
#include "util/time/clock.h"
#include "json/json.h"

#define CLAIMS_MAX ((size_t)256 << 10) /* of memory, to read the claims of a token */
#define SAY_AGAIN_NS (60 * HF_NS_PER_S)

struct hf_kafka_tokens {
    struct hf_kafka_tokens_options options;
    struct hf_kafka_token_source source;
    struct hf_aws_role role;
    struct hf_aws_session *session; /* NULL: the tokens are the extension's */
    char region[HF_AWS_REGION_MAX], user_agent[HF_USER_AGENT_MAX];
    pthread_mutex_t lock; /* of what follows */
    char said[HF_ERROR_MAX];
    uint64_t said_ns;
    char no_credentials[HF_ERROR_MAX / 2]; /* why AWS has none; "": not known */
};

/* ---- what a token is good for ---- */

/* The claim `exp` of a JWT; 0: it has none, or the token is no JWT. */
static uint64_t end_of(struct hf_slice token)
{
    struct hf_arena arena = {.limit = CLAIMS_MAX};
    const struct hf_json *claims = NULL;
    char error[HF_JSON_ERROR_MAX];
    uint64_t end_s = 0;
    const uint8_t *first = memchr(token.data, '.', token.size);
    size_t left = first != NULL ? token.size - (size_t)(first + 1 - token.data) : 0;
    const uint8_t *second = left != 0 ? memchr(first + 1, '.', left) : NULL;
    size_t size = second != NULL ? (size_t)(second - first - 1) : 0;
    uint8_t *room = size != 0 ? hf_arena_take(&arena, HF_BASE64_DECODED_SIZE(size)) : NULL;
    if (room != NULL &&
        hf_base64_decode(hf_slice_of(first + 1, size), HF_BASE64_ANY, room, &size) &&
        hf_json_read(hf_slice_of(room, size), &arena, &claims, error) == HF_OK) {
        int64_t end = hf_json_int(hf_json_get(claims, "exp"));
        end_s = end > 0 ? (uint64_t)end : 0;
    }
    hf_arena_release(&arena);
    return end_s;
}

/* ---- of an extension ---- */

struct token_sink {
    struct hf_header_sink sink;
    struct hf_kafka_token *token;
    bool has_header, is_bearer, is_too_large;
};

static enum hf_status add_header(struct hf_header_sink *base, struct hf_slice name,
                                 struct hf_slice value)
{
    static const char scheme[] = "Bearer ";
    size_t skip = sizeof(scheme) - 1;
    struct token_sink *sink = HF_CONTAINER(base, struct token_sink, sink);
    if (!hf_slice_is(name, "authorization")) {
        return HF_OK;
    }
    sink->has_header = true;
    if (value.size <= skip || strncasecmp((const char *)value.data, scheme, skip) != 0) {
        return HF_OK;
    }
    if (value.size - skip >= sizeof(sink->token->text)) {
        sink->is_too_large = true;
        return HF_OK;
    }
    memcpy(sink->token->text, value.data + skip, value.size - skip);
    sink->token->text[value.size - skip] = '\0';
    sink->token->end_s = end_of(hf_slice_text(sink->token->text));
    sink->is_bearer = true;
    return HF_OK;
}

/* The library sends the token as it is, between bytes that end it. */
static bool is_sendable(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f) {
            return false;
        }
    }
    return true;
}

static enum hf_status get_of_extension(void *user, struct hf_kafka_token *ret_token, char *reterr)
{
    const struct hf_kafka_tokens *tokens = user;
    const struct hf_auth_ref *auth = &tokens->options.auth;
    const char *id = tokens->options.config->auth.sasl->token_source;
    struct token_sink sink = {.sink = {.add = add_header}, .token = ret_token};
    enum hf_status status = auth->ops->headers(auth->self, HF_EMPTY_SLICE, &sink.sink);
    if (status != HF_OK) {
        char why[HF_ERROR_MAX / 2] = "";
        if (auth->ops->explain != NULL) {
            auth->ops->explain(auth->self, why, sizeof(why));
        }
        snprintf(reterr, HF_ERROR_MAX, "%.200s has no token now%s%s", id,
                 why[0] != '\0' ? ": " : "", why);
        return HF_UNAUTHENTICATED;
    }
    if (!sink.is_bearer || !is_sendable(ret_token->text)) {
        snprintf(reterr, HF_ERROR_MAX, "%s gives no bearer token: %s", id,
                 sink.is_bearer      ? "it has blanks or control characters"
                 : sink.is_too_large ? "it is too large"
                 : sink.has_header   ? "its header authorization has another scheme than Bearer"
                                     : "it adds no header authorization");
        return HF_UNAUTHENTICATED;
    }
    return HF_OK;
}

static void on_extension_refused(void *user)
{
    const struct hf_kafka_tokens *tokens = user;
    const struct hf_auth_ref *auth = &tokens->options.auth;
    if (auth->ops->refused != NULL) {
        auth->ops->refused(auth->self);
    }
}

/* ---- of AWS ---- */

static enum hf_status get_of_aws(void *user, struct hf_kafka_token *ret_token, char *reterr)
{
    struct hf_kafka_tokens *tokens = user;
    enum hf_status status =
        hf_aws_msk_token(tokens->session, tokens->region, tokens->user_agent, ret_token->text,
                         sizeof(ret_token->text), &ret_token->end_s);
    if (status == HF_UNAUTHENTICATED) {
        pthread_mutex_lock(&tokens->lock);
        const char *why = tokens->no_credentials;
        snprintf(reterr, HF_ERROR_MAX, "no token for Amazon MSK in %s: %s", tokens->region,
                 why[0] != '\0' ? why : "there are no credentials of AWS now");
        pthread_mutex_unlock(&tokens->lock);
    } else if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "no token for Amazon MSK in %s: %s", tokens->region,
                 hf_status_row(status)->says);
    }
    return status;
}

static void on_aws_refused(void *user)
{
    const struct hf_kafka_tokens *tokens = user;
    hf_aws_session_refused(tokens->session);
}

/* ---- what is said ---- */

static void say(const struct hf_kafka_tokens *tokens, enum hf_log_level level, const char *text)
{
    if (tokens->options.say != NULL) {
        tokens->options.say(tokens->options.user, level, text);
    }
}

static void on_no_credentials(void *user, const char *why)
{
    struct hf_kafka_tokens *tokens = user;
    char text[HF_ERROR_MAX + 64];
    snprintf(text, sizeof(text), "no credentials of AWS: %s", why);
    pthread_mutex_lock(&tokens->lock);
    snprintf(tokens->no_credentials, sizeof(tokens->no_credentials), "%s", why);
    pthread_mutex_unlock(&tokens->lock);
    say(tokens, HF_LOG_WARN, text);
}

/* The same failure of several clients, and again and again, is said once a minute. */
static void tell(void *user, const char *why)
{
    struct hf_kafka_tokens *tokens = user;
    char text[HF_ERROR_MAX + 64] = "";
    uint64_t now_ns = hf_clock_monotonic_ns();
    enum hf_log_level level = HF_LOG_WARN;
    pthread_mutex_lock(&tokens->lock);
    if (why == NULL && tokens->said[0] != '\0') {
        level = HF_LOG_INFO;
        snprintf(text, sizeof(text), "there is a token for Kafka again");
        tokens->said[0] = '\0';
    } else if (why != NULL &&
               (strcmp(why, tokens->said) != 0 || now_ns - tokens->said_ns >= SAY_AGAIN_NS)) {
        snprintf(text, sizeof(text), "cannot sign in to Kafka: %s", why);
        snprintf(tokens->said, sizeof(tokens->said), "%s", why);
        tokens->said_ns = now_ns;
    }
    pthread_mutex_unlock(&tokens->lock);
    if (text[0] != '\0') {
        say(tokens, level, text);
    }
}

/* ---- life ---- */

static enum hf_status open_session(struct hf_kafka_tokens *tokens, char *reterr)
{
    const struct hf_kafka_msk *msk = &tokens->options.config->auth.sasl->aws_msk;
    enum hf_status status = HF_OK;
    if (msk->region != NULL && msk->region[0] != '\0') {
        snprintf(tokens->region, sizeof(tokens->region), "%s", msk->region);
    } else {
        status = hf_aws_region_find(true, tokens->region, reterr);
    }
    if (status != HF_OK) {
        return status;
    }
    hf_user_agent(tokens->user_agent);
    tokens->role = (struct hf_aws_role){
        .arn = msk->role_arn, .external_id = msk->external_id, .sts_region = tokens->region};
    const struct hf_aws_session_options options = {
        .role = &tokens->role, .on_failed = on_no_credentials, .user = tokens};
    return hf_aws_session_new(&options, &tokens->session, reterr);
}

enum hf_status hf_kafka_tokens_new(const struct hf_kafka_tokens_options *options,
                                   struct hf_kafka_tokens **ret_tokens, char *reterr)
{
    enum hf_kafka_token_kind kind = hf_kafka_config_tokens(options->config);
    *ret_tokens = NULL;
    if (kind == HF_KAFKA_TOKENS_NONE) {
        return HF_OK;
    }
    struct hf_kafka_tokens *tokens = calloc(1, sizeof(*tokens));
    if (tokens == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    bool is_aws = kind == HF_KAFKA_TOKENS_AWS;
    tokens->options = *options;
    tokens->source =
        (struct hf_kafka_token_source){.get = is_aws ? get_of_aws : get_of_extension,
                                       .tell = tell,
                                       .refused = is_aws ? on_aws_refused : on_extension_refused,
                                       .user = tokens};
    pthread_mutex_init(&tokens->lock, NULL);
    enum hf_status status = is_aws ? open_session(tokens, reterr) : HF_OK;
    if (status != HF_OK) {
        hf_kafka_tokens_free(tokens);
        return status;
    }
    *ret_tokens = tokens;
    return HF_OK;
}

enum hf_status hf_kafka_tokens_start(struct hf_kafka_tokens *tokens, char *reterr)
{
    return tokens != NULL && tokens->session != NULL ? hf_aws_session_start(tokens->session, reterr)
                                                     : HF_OK;
}

void hf_kafka_tokens_stop(struct hf_kafka_tokens *tokens)
{
    if (tokens != NULL && tokens->session != NULL) {
        hf_aws_session_stop(tokens->session);
    }
}

void hf_kafka_tokens_free(struct hf_kafka_tokens *tokens)
{
    if (tokens != NULL) {
        hf_aws_session_free(tokens->session);
        pthread_mutex_destroy(&tokens->lock);
        free(tokens);
    }
}

const struct hf_kafka_token_source *hf_kafka_tokens_source(const struct hf_kafka_tokens *tokens)
{
    return tokens != NULL ? &tokens->source : NULL;
}
