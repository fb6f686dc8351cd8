#include "components/exporters/kafka/kafka_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char *const brokers[] = {"a:1", "b:2"};

static struct kafka_config make_config(void)
{
    return (struct kafka_config){.kafka = {.brokers = {brokers, 2},
                                           .client_id = "otel-collector",
                                           .dial_timeout_ns = 2500000000},
                                 .producer = {.required_acks = "1",
                                              .max_message_bytes = 1000000,
                                              .linger_ns = 10000000,
                                              .max_requests = 1}};
}

static const char *value_of(const struct hf_kafka_settings *settings, const char *name)
{
    const char *found = NULL;
    for (size_t i = 0; i < settings->count; i++) {
        found = strcmp(settings->names[i], name) == 0 ? settings->values[i] : found;
    }
    return found;
}

static void sets_what_the_library_calls_it(void **state)
{
    struct kafka_config config = make_config();
    struct hf_kafka_settings settings = {0};
    (void)state;
    kafka_config_set(&config, 1500000000, &settings);
    assert_string_equal(value_of(&settings, "bootstrap.servers"), "a:1,b:2");
    assert_string_equal(value_of(&settings, "security.protocol"), "plaintext");
    assert_string_equal(value_of(&settings, "acks"), "1");
    assert_string_equal(value_of(&settings, "enable.idempotence"), "false");
    assert_string_equal(value_of(&settings, "message.timeout.ms"), "1500");
    assert_string_equal(value_of(&settings, "partitioner"), "fnv1a_random");
    assert_string_equal(value_of(&settings, "batch.num.messages"), "10000");
    assert_string_equal(value_of(&settings, "socket.connection.setup.timeout.ms"), "2500");
    assert_string_equal(value_of(&settings, "max.in.flight.requests.per.connection"), "1");
    assert_null(value_of(&settings, "sasl.mechanisms"));
    hf_kafka_settings_release(&settings);
}

static void leaves_the_requests_at_a_time_to_the_library_when_all_acknowledge(void **state)
{
    struct kafka_config config = make_config();
    struct hf_kafka_settings settings = {0};
    (void)state;
    config.producer.required_acks = "all";
    config.kafka.dial_timeout_ns = 1000000;
    kafka_config_set(&config, 0, &settings);
    assert_null(value_of(&settings, "max.in.flight.requests.per.connection"));
    assert_string_equal(value_of(&settings, "socket.connection.setup.timeout.ms"), "1000");
    hf_kafka_settings_release(&settings);
    config.producer.max_requests = 2;
    assert_non_null(strstr(kafka_config_check(&config), "max_inflight_requests_per_broker"));
}

static void signs_in_and_encrypts(void **state)
{
    const struct hf_kafka_login login = {
        .username = "u", .password = "p", .mechanism = "SCRAM-SHA-512"};
    const struct hf_tls_config tls = {.ca_file = "/ca", .insecure_skip_verify = true};
    struct kafka_config config = make_config();
    struct hf_kafka_settings settings = {0};
    (void)state;
    config.producer.required_acks = "all";
    config.kafka.auth.sasl = &login;
    config.kafka.auth.tls = &tls;
    kafka_config_set(&config, 0, &settings);
    assert_string_equal(value_of(&settings, "security.protocol"), "sasl_ssl");
    assert_string_equal(value_of(&settings, "sasl.mechanisms"), "SCRAM-SHA-512");
    assert_string_equal(value_of(&settings, "sasl.password"), "p");
    assert_string_equal(value_of(&settings, "ssl.ca.location"), "/ca");
    assert_string_equal(value_of(&settings, "enable.ssl.certificate.verification"), "false");
    assert_string_equal(value_of(&settings, "enable.idempotence"), "true");
    assert_string_equal(value_of(&settings, "message.timeout.ms"), "0");
    hf_kafka_settings_release(&settings);
}

static void takes_the_keys_of_a_signal_before_those_of_all(void **state)
{
    struct kafka_config config = make_config();
    (void)state;
    assert_string_equal(kafka_config_plan(&config, HF_METRICS).topic, "otlp_metrics");
    config.topic = "all";
    config.encoding = "otlp_json";
    config.logs = (struct kafka_signal_config){.topic = "logs", .encoding = "raw"};
    assert_string_equal(kafka_config_plan(&config, HF_TRACES).topic, "all");
    assert_int_equal(kafka_config_plan(&config, HF_TRACES).encoding, KAFKA_OTLP_JSON);
    assert_string_equal(kafka_config_plan(&config, HF_LOGS).topic, "logs");
    assert_int_equal(kafka_config_plan(&config, HF_LOGS).encoding, KAFKA_RAW);
}

static void refuses_what_does_not_go_together(void **state)
{
    struct kafka_config config = make_config();
    (void)state;
    assert_null(kafka_config_check(&config));
    config.idempotent = true;
    assert_non_null(strstr(kafka_config_check(&config), "required_acks"));
    config = make_config();
    config.traces_by_id = true;
    config.traces.message_key_from_metadata_key = "k";
    assert_non_null(strstr(kafka_config_check(&config), "partition_traces_by_id"));
    config = make_config();
    config.kafka.brokers.count = 0;
    assert_non_null(strstr(kafka_config_check(&config), "brokers"));
    config.encoding = "raw";
    assert_null(kafka_config_check_signal(&config, HF_LOGS));
    assert_non_null(kafka_config_check_signal(&config, HF_TRACES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_what_the_library_calls_it),
        cmocka_unit_test(leaves_the_requests_at_a_time_to_the_library_when_all_acknowledge),
        cmocka_unit_test(signs_in_and_encrypts),
        cmocka_unit_test(takes_the_keys_of_a_signal_before_those_of_all),
        cmocka_unit_test(refuses_what_does_not_go_together),
    };
    return cmocka_run_group_tests_name("kafka_config", tests, NULL, NULL);
}
