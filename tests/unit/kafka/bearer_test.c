/* Tokens of a client, asked for on a thread of the library. Skipped where that is not installed. */
#include "kafka/ask.h"
#include "kafka/bearer.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/component.h>

#include "util/time/clock.h"

struct source {
    pthread_mutex_t lock;
    enum hf_status status;
    const char *token;
    uint64_t end_s;
    unsigned asked, told, refused;
    char failure[HF_ERROR_MAX];
};

static enum hf_status get(void *user, struct hf_kafka_token *ret_token, char *reterr)
{
    struct source *source = user;
    pthread_mutex_lock(&source->lock);
    source->asked++;
    pthread_mutex_unlock(&source->lock);
    snprintf(ret_token->text, sizeof(ret_token->text), "%s", source->token);
    ret_token->end_s = source->end_s;
    snprintf(reterr, HF_ERROR_MAX, "the source is empty");
    return source->status;
}

static void tell(void *user, const char *why)
{
    struct source *source = user;
    pthread_mutex_lock(&source->lock);
    source->told++;
    snprintf(source->failure, sizeof(source->failure), "%s", why != NULL ? why : "");
    pthread_mutex_unlock(&source->lock);
}

static void refused(void *user)
{
    struct source *source = user;
    source->refused++;
}

/* What the source is told by a client that asks for its first token. */
static const char *failure_of(struct source *source)
{
    char why[HF_ERROR_MAX] = "";
    const struct hf_kafka_library *library = hf_kafka_library(why);
    const struct hf_kafka_token_source tokens = {get, tell, refused, source};
    struct hf_kafka_settings settings = {.tokens = &tokens};
    int count = 0;
    if (library == NULL) {
        skip();
    }
    pthread_mutex_init(&source->lock, NULL);
    hf_kafka_set(&settings, "bootstrap.servers", "127.0.0.1:1");
    hf_kafka_set(&settings, "security.protocol", "sasl_plaintext");
    hf_kafka_set(&settings, "sasl.mechanisms", "OAUTHBEARER");
    /* It cannot be reached; the client is closed when the call returns. */
    assert_int_not_equal(hf_kafka_ask(library, &settings, HF_NS_PER_S, &count, why), HF_OK);
    hf_kafka_settings_release(&settings);
    pthread_mutex_destroy(&source->lock);
    return source->told != 0 ? source->failure : "not told";
}

static void takes_a_token_without_anyone_polling(void **state)
{
    struct source source = {.status = HF_OK, .token = "opaque"};
    (void)state;
    assert_string_equal(failure_of(&source), "");
    assert_true(source.asked >= 1);
}

static void says_that_a_token_has_ended(void **state)
{
    struct source source = {.status = HF_OK, .token = "old"};
    (void)state;
    source.end_s = hf_clock_unix_ns() / HF_NS_PER_S - 10;
    assert_non_null(strstr(failure_of(&source), "the token ended 1"));
}

static void says_why_there_is_none(void **state)
{
    struct source source = {.status = HF_UNAUTHENTICATED, .token = ""};
    (void)state;
    assert_string_equal(failure_of(&source), "the source is empty");
}

static void renews_what_the_brokers_refuse_and_nothing_else(void **state)
{
    struct source source = {.status = HF_OK};
    const struct hf_kafka_token_source tokens = {get, tell, refused, &source};
    struct hf_kafka_bearer bearer = {.source = &tokens};
    (void)state;
    hf_kafka_bearer_note(&bearer, RD_KAFKA_RESP_ERR__AUTHENTICATION); /* it has none yet */
    atomic_store(&bearer.has_token, true);
    hf_kafka_bearer_note(&bearer, RD_KAFKA_RESP_ERR__TRANSPORT);
    assert_int_equal(source.refused, 0);
    hf_kafka_bearer_note(&bearer, RD_KAFKA_RESP_ERR__AUTHENTICATION);
    hf_kafka_bearer_note(&bearer, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED);
    assert_int_equal(source.refused, 2);
    bearer.source = NULL;
    hf_kafka_bearer_note(&bearer, RD_KAFKA_RESP_ERR__AUTHENTICATION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_token_without_anyone_polling),
        cmocka_unit_test(says_that_a_token_has_ended),
        cmocka_unit_test(says_why_there_is_none),
        cmocka_unit_test(renews_what_the_brokers_refuse_and_nothing_else),
    };
    return cmocka_run_group_tests_name("bearer", tests, NULL, NULL);
}
