#include "components/receivers/kafka/kafka_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NEW 0x02030000
#define OLD 0x020002ff

static const char *const brokers[] = {"a:1"};
static const char *const patterns[] = {"^team-.*"};
static const char *const excluded[] = {"^team-x$", "y"};

static struct kafka_config make_config(void)
{
    return (struct kafka_config){.kafka = {.brokers = {brokers, 1}},
                                 .group_id = "g",
                                 .session_timeout_ns = 10000000000,
                                 .heartbeat_interval_ns = 3000000000,
                                 .min_fetch_size = 1,
                                 .max_fetch_size = 1048576};
}

static const char *value_of(const struct hf_kafka_settings *settings, const char *name)
{
    const char *found = NULL;
    for (size_t i = 0; i < settings->count; i++) {
        found = strcmp(settings->names[i], name) == 0 ? settings->values[i] : found;
    }
    return found;
}

static void never_lets_the_library_store_an_offset(void **state)
{
    struct kafka_config config = make_config();
    struct hf_kafka_settings settings = {0};
    struct kafka_plan plan;
    (void)state;
    config.traces.topics = (struct hf_string_list){patterns, 1};
    config.traces.exclude_topics = (struct hf_string_list){excluded, 2};
    assert_null(kafka_receiver_plan(&config, HF_TRACES, &plan));
    kafka_receiver_set(&config, &plan, "range", &settings);
    assert_string_equal(value_of(&settings, "enable.auto.offset.store"), "false");
    assert_string_equal(value_of(&settings, "topic.blacklist"), "^team-x$,y");
    assert_string_equal(value_of(&settings, "partition.assignment.strategy"), "range");
    assert_string_equal(value_of(&settings, "session.timeout.ms"), "10000");
    assert_string_equal(value_of(&settings, "auto.offset.reset"), "latest");
    hf_kafka_settings_release(&settings);
}

static void reads_the_encodings(void **state)
{
    static const struct {
        const char *name;
        enum hf_signal signal;
        bool is_good;
        enum kafka_encoding encoding;
        const char *characters;
    } rows[] = {
        {"otlp_proto", HF_TRACES, true, KAFKA_OTLP_PROTO, NULL},
        {"otlp_json", HF_METRICS, true, KAFKA_OTLP_JSON, NULL},
        {"text", HF_LOGS, true, KAFKA_TEXT, "utf8"},
        {"text_utf-16le", HF_LOGS, true, KAFKA_TEXT, "utf-16le"},
        {"json", HF_LOGS, true, KAFKA_JSON, NULL},
        {"raw", HF_LOGS, true, KAFKA_RAW, NULL},
        {"raw", HF_TRACES, false, 0, NULL},
        {"textual", HF_LOGS, false, 0, NULL},
        {"jaeger_proto", HF_TRACES, true, KAFKA_JAEGER_PROTO, NULL},
        {"jaeger_json", HF_TRACES, true, KAFKA_JAEGER_JSON, NULL},
        {"zipkin_proto", HF_TRACES, true, KAFKA_ZIPKIN_PROTO, NULL},
        {"zipkin_json", HF_TRACES, true, KAFKA_ZIPKIN_JSON, NULL},
        {"zipkin_thrift", HF_TRACES, true, KAFKA_ZIPKIN_THRIFT, NULL},
        {"jaeger_thrift", HF_TRACES, false, 0, NULL},
        {"jaeger_proto", HF_LOGS, false, 0, NULL},
        {"zipkin_json", HF_METRICS, false, 0, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct kafka_config config = make_config();
        struct kafka_plan plan;
        config.encoding = rows[i].name;
        const char *why = kafka_receiver_plan(&config, rows[i].signal, &plan);
        assert_int_equal(why == NULL, rows[i].is_good);
        if (rows[i].is_good) {
            assert_int_equal(plan.encoding, rows[i].encoding);
            if (rows[i].characters != NULL) {
                assert_string_equal(plan.characters, rows[i].characters);
            }
        }
    }
}

static void chooses_strategies_that_the_library_has(void **state)
{
    static const char *const several[] = {"sticky", "range"};
    struct kafka_config config = make_config();
    char room[128];
    (void)state;
    assert_string_equal(kafka_receiver_strategies(&config, OLD, room, sizeof(room)),
                        "range,roundrobin");
    config.strategy = "cooperative-sticky";
    assert_null(kafka_receiver_strategies(&config, OLD, room, sizeof(room)));
    assert_string_equal(kafka_receiver_strategies(&config, NEW, room, sizeof(room)),
                        "cooperative-sticky");
    config.strategies = (struct hf_string_list){several, 2};
    assert_string_equal(kafka_receiver_strategies(&config, OLD, room, sizeof(room)), "range");
    assert_string_equal(kafka_receiver_strategies(&config, NEW, room, sizeof(room)),
                        "cooperative-sticky,range");
}

static void refuses_what_does_not_go_together(void **state)
{
    struct kafka_config config = make_config();
    (void)state;
    assert_null(kafka_receiver_check(&config));
    config.group_id = "";
    assert_non_null(strstr(kafka_receiver_check(&config), "group_id"));
    config = make_config();
    config.heartbeat_interval_ns = config.session_timeout_ns;
    assert_non_null(strstr(kafka_receiver_check(&config), "heartbeat_interval"));
    config = make_config();
    config.logs.exclude_topics = (struct hf_string_list){excluded, 2};
    assert_non_null(strstr(kafka_receiver_plan(&config, HF_LOGS, NULL), "exclude_topics"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_lets_the_library_store_an_offset),
        cmocka_unit_test(reads_the_encodings),
        cmocka_unit_test(chooses_strategies_that_the_library_has),
        cmocka_unit_test(refuses_what_does_not_go_together),
    };
    return cmocka_run_group_tests_name("kafka_config", tests, NULL, NULL);
}
