#include "support/tokens/kafka_tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/auth.h>
#include <holdfast/component.h>

#include "util/base64.h"
#include "util/time/clock.h"

/* An extension that adds one header. */
struct extension {
    const char *name, *value, *failure;
    enum hf_status status;
    unsigned refused;
};

static enum hf_status add_headers(void *self, struct hf_slice meta, struct hf_header_sink *sink)
{
    const struct extension *extension = self;
    assert_int_equal(meta.size, 0);
    return extension->status != HF_OK
               ? extension->status
               : sink->add(sink, hf_slice_text(extension->name), hf_slice_text(extension->value));
}

static void note_refused(void *self)
{
    struct extension *extension = self;
    extension->refused++;
}

static void explain(void *self, char *ret_text, size_t room)
{
    const struct extension *extension = self;
    snprintf(ret_text, room, "%s", extension->failure != NULL ? extension->failure : "");
}

static const struct hf_auth auth = {
    .headers = add_headers, .refused = note_refused, .explain = explain};
static const struct hf_kafka_login of_extension = {.mechanism = "OAUTHBEARER",
                                                   .token_source = "oauth2client/x"};
static const struct hf_kafka_login of_aws = {.mechanism = "AWS_MSK_IAM_OAUTHBEARER",
                                             .aws_msk = {.region = "eu-west-1"}};

static struct hf_kafka_token token; /* too large for a stack */

static enum hf_status token_of(struct extension *extension, char *reterr)
{
    const struct hf_kafka_config config = {.auth = {.sasl = &of_extension}};
    const struct hf_kafka_tokens_options options = {.config = &config, .auth = {&auth, extension}};
    struct hf_kafka_tokens *tokens = NULL;
    memset(&token, 0, sizeof(token));
    assert_int_equal(hf_kafka_tokens_new(&options, &tokens, reterr), HF_OK);
    assert_int_equal(hf_kafka_tokens_start(tokens, reterr), HF_OK);
    const struct hf_kafka_token_source *source = hf_kafka_tokens_source(tokens);
    enum hf_status status = source->get(source->user, &token, reterr);
    source->refused(source->user);
    assert_int_equal(extension->refused, 1);
    hf_kafka_tokens_stop(tokens);
    hf_kafka_tokens_free(tokens);
    return status;
}

static void takes_what_follows_the_scheme(void **state)
{
    static const struct {
        const char *value, *token;
        uint64_t end_s;
    } rows[] = {
        {"Bearer opaque", "opaque", 0},
        {"bearer a.b", "a.b", 0},
        {"Bearer a.b.c", "a.b.c", 0},
        /* {"exp":1700000000}, {"exp":1700000000.5}, {"sub":"me"}, {"exp":"1"}, {"exp":-1} */
        {"Bearer e30.eyJleHAiOjE3MDAwMDAwMDB9.c", "e30.eyJleHAiOjE3MDAwMDAwMDB9.c", 1700000000},
        {"Bearer e30.eyJleHAiOjE3MDAwMDAwMDAuNX0.", "e30.eyJleHAiOjE3MDAwMDAwMDAuNX0.", 1700000000},
        {"Bearer e30.eyJzdWIiOiJtZSJ9.c", "e30.eyJzdWIiOiJtZSJ9.c", 0},
        {"Bearer e30.eyJleHAiOiIxIn0.c", "e30.eyJleHAiOiIxIn0.c", 0},
        {"Bearer e30.eyJleHAiOi0xfQ.c", "e30.eyJleHAiOi0xfQ.c", 0},
        {"Bearer ..", "..", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct extension extension = {.name = "authorization", .value = rows[i].value};
        char why[HF_ERROR_MAX] = "";
        assert_int_equal(token_of(&extension, why), HF_OK);
        assert_string_equal(token.text, rows[i].token);
        assert_int_equal(token.end_s, rows[i].end_s);
    }
}

static void says_which_extension_gives_no_token_and_why(void **state)
{
    static char large[HF_KAFKA_TOKEN_MAX + 16];
    static const struct {
        struct extension extension;
        const char *says;
    } rows[] = {
        {{.status = HF_UNAUTHENTICATED}, "oauth2client/x has no token now"},
        {{.status = HF_UNAUTHENTICATED, .failure = "answered 503"}, "no token now: answered 503"},
        {{.name = "authorization", .value = "Basic YTpi"}, "another scheme than Bearer"},
        {{.name = "authorization", .value = "Bearer "}, "another scheme than Bearer"},
        {{.name = "x-key", .value = "Bearer a"}, "adds no header authorization"},
        {{.name = "authorization", .value = "Bearer a\001b"}, "control characters"},
        {{.name = "authorization", .value = "Bearer a b"}, "blanks"},
        {{.name = "authorization", .value = large}, "too large"},
    };
    (void)state;
    memset(large, 'x', sizeof(large) - 1);
    memcpy(large, "Bearer ", 7);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct extension extension = rows[i].extension;
        char why[HF_ERROR_MAX] = "";
        assert_int_equal(token_of(&extension, why), HF_UNAUTHENTICATED);
        assert_non_null(strstr(why, "oauth2client/x"));
        assert_non_null(strstr(why, rows[i].says));
    }
}

static void makes_tokens_of_credentials_of_aws(void **state)
{
    const struct hf_kafka_config config = {.auth = {.sasl = &of_aws}};
    const struct hf_kafka_tokens_options options = {.config = &config};
    struct hf_kafka_tokens *tokens = NULL;
    char why[HF_ERROR_MAX] = "";
    uint8_t url[2048];
    size_t size = 0;
    static const char begins[] = "https://kafka.eu-west-1.amazonaws.com/"
                                 "?Action=kafka-cluster%3AConnect&X-Amz-Algorithm=";
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    unsetenv("AWS_SESSION_TOKEN");
    assert_int_equal(hf_kafka_tokens_new(&options, &tokens, why), HF_OK);
    const struct hf_kafka_token_source *source = hf_kafka_tokens_source(tokens);
    assert_int_equal(source->get(source->user, &token, why), HF_UNAUTHENTICATED);
    assert_non_null(strstr(why, "no credentials of AWS"));
    assert_int_equal(hf_kafka_tokens_start(tokens, why), HF_OK);
    assert_int_equal(source->get(source->user, &token, why), HF_OK);
    uint64_t now_s = hf_clock_unix_ns() / HF_NS_PER_S;
    assert_in_range(token.end_s, now_s + 600, now_s + 900);
    assert_true(
        hf_base64_decode(hf_slice_text(token.text), HF_BASE64_URL | HF_BASE64_RAW, url, &size));
    assert_memory_equal(url, begins, sizeof(begins) - 1);
    assert_non_null(memmem(url, size, "&X-Amz-Expires=900&", 19));
    assert_non_null(memmem(url, size, "&User-Agent=Holdfast%2F", 23));
    source->refused(source->user);
    hf_kafka_tokens_stop(tokens);
    hf_kafka_tokens_free(tokens);
}

static void needs_none_for_other_mechanisms(void **state)
{
    const struct hf_kafka_config config = {{NULL, 0}, .client_id = "c"};
    const struct hf_kafka_tokens_options options = {.config = &config};
    struct hf_kafka_tokens *tokens = NULL;
    char why[HF_ERROR_MAX] = "";
    (void)state;
    assert_int_equal(hf_kafka_tokens_new(&options, &tokens, why), HF_OK);
    assert_null(tokens);
    assert_int_equal(hf_kafka_tokens_start(tokens, why), HF_OK);
    assert_null(hf_kafka_tokens_source(tokens));
    hf_kafka_tokens_stop(tokens);
    hf_kafka_tokens_free(tokens);
}

/* What is said of failures that come again. */
struct said {
    unsigned warnings, infos;
};

static void say(void *user, enum hf_log_level level, const char *text)
{
    struct said *said = user;
    (void)text;
    said->warnings += level == HF_LOG_WARN;
    said->infos += level == HF_LOG_INFO;
}

static void says_the_same_failure_once(void **state)
{
    struct extension extension = {.status = HF_OK};
    struct said said = {0};
    const struct hf_kafka_config config = {.auth = {.sasl = &of_extension}};
    const struct hf_kafka_tokens_options options = {
        .config = &config, .auth = {&auth, &extension}, .say = say, .user = &said};
    struct hf_kafka_tokens *tokens = NULL;
    char why[HF_ERROR_MAX] = "";
    (void)state;
    assert_int_equal(hf_kafka_tokens_new(&options, &tokens, why), HF_OK);
    const struct hf_kafka_token_source *source = hf_kafka_tokens_source(tokens);
    source->tell(source->user, NULL);
    assert_int_equal(said.infos, 0);
    source->tell(source->user, "one");
    source->tell(source->user, "one");
    assert_int_equal(said.warnings, 1);
    source->tell(source->user, "two");
    assert_int_equal(said.warnings, 2);
    source->tell(source->user, NULL);
    source->tell(source->user, NULL);
    assert_int_equal(said.infos, 1);
    hf_kafka_tokens_free(tokens);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_follows_the_scheme),
        cmocka_unit_test(says_which_extension_gives_no_token_and_why),
        cmocka_unit_test(makes_tokens_of_credentials_of_aws),
        cmocka_unit_test(needs_none_for_other_mechanisms),
        cmocka_unit_test(says_the_same_failure_once),
    };
    return cmocka_run_group_tests_name("kafka_tokens", tests, NULL, NULL);
}
