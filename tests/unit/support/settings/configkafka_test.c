#include "support/settings/configkafka.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/field.h>

static const char *const brokers[] = {"a:1"};

static struct hf_kafka_config config_of(const struct hf_kafka_login *sasl)
{
    return (struct hf_kafka_config){.brokers = {brokers, 1}, .auth = {.sasl = sasl}};
}

static const char *value_of(const struct hf_kafka_config *config, const char *name,
                            struct hf_kafka_settings *settings)
{
    const char *found = NULL;
    hf_kafka_settings_release(settings);
    hf_kafka_config_set(config, settings);
    for (size_t i = 0; i < settings->count; i++) {
        found = strcmp(settings->names[i], name) == 0 ? settings->values[i] : found;
    }
    return found;
}

static void takes_tokens_of_an_extension(void **state)
{
    const struct hf_kafka_login login = {.mechanism = "OAUTHBEARER",
                                         .token_source = "oauth2client"};
    const struct hf_kafka_config config = config_of(&login);
    struct hf_kafka_settings settings = {0};
    (void)state;
    assert_null(hf_kafka_config_check(&config));
    assert_int_equal(hf_kafka_config_tokens(&config), HF_KAFKA_TOKENS_EXTENSION);
    assert_string_equal(value_of(&config, "sasl.mechanisms", &settings), "OAUTHBEARER");
    assert_string_equal(value_of(&config, "security.protocol", &settings), "sasl_plaintext");
    assert_null(value_of(&config, "sasl.username", &settings));
    hf_kafka_settings_release(&settings);
}

static void encrypts_to_amazon_msk_unless_told_otherwise(void **state)
{
    static const char *const mechanisms[] = {"AWS_MSK_IAM_OAUTHBEARER", "AWS_MSK_IAM"};
    const struct hf_tls_config plain = {.insecure = true};
    struct hf_kafka_settings settings = {0};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct hf_kafka_login login = {.mechanism = mechanisms[i]};
        struct hf_kafka_config config = config_of(&login);
        assert_null(hf_kafka_config_check(&config));
        assert_int_equal(hf_kafka_config_tokens(&config), HF_KAFKA_TOKENS_AWS);
        assert_int_equal(hf_kafka_config_is_old_msk(&config), i == 1);
        assert_string_equal(value_of(&config, "sasl.mechanisms", &settings), "OAUTHBEARER");
        assert_string_equal(value_of(&config, "security.protocol", &settings), "sasl_ssl");
        config.tls = &plain;
        assert_string_equal(value_of(&config, "security.protocol", &settings), "sasl_plaintext");
    }
    hf_kafka_settings_release(&settings);
}

static void refuses_mechanisms_without_what_they_need(void **state)
{
    static const struct {
        struct hf_kafka_login login;
        const char *says;
    } rows[] = {
        {{.mechanism = "OAUTHBEARER"}, "oauthbearer_token_source is needed"},
        {{.mechanism = "SCRAM-SHA-512"}, "username and password are needed"},
        {{.mechanism = "AWS_MSK_IAM_OTHER"}, "expected PLAIN"},
        {{.mechanism = NULL}, "expected PLAIN"},
        {{.mechanism = "AWS_MSK_IAM",
          .aws_msk = {.region = "a-region-that-is-longer-than-any-that-there-could-ever-be-in-the-"
                                "names-of-hosts-of-the-services"}},
         "aws_msk::region"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct hf_kafka_config config = config_of(&rows[i].login);
        const char *says = hf_kafka_config_check(&config);
        assert_non_null(says);
        assert_non_null(strstr(says, rows[i].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_tokens_of_an_extension),
        cmocka_unit_test(encrypts_to_amazon_msk_unless_told_otherwise),
        cmocka_unit_test(refuses_mechanisms_without_what_they_need),
    };
    return cmocka_run_group_tests_name("configkafka", tests, NULL, NULL);
}
