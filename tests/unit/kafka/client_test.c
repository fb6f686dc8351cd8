/* What the library's errors mean, and which properties it takes. Skipped where it is not installed.
 */
#include "kafka/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/component.h>

static void tells_errors_of_the_data_from_those_that_pass(void **state)
{
    static const struct {
        rd_kafka_resp_err_t error;
        enum hf_status status;
    } rows[] = {
        {RD_KAFKA_RESP_ERR_NO_ERROR, HF_OK},
        {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, HF_TOO_LARGE},
        {RD_KAFKA_RESP_ERR_INVALID_RECORD, HF_INVALID},
        {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, HF_NOT_FOUND},
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, HF_FORBIDDEN},
        {RD_KAFKA_RESP_ERR__AUTHENTICATION, HF_UNAUTHENTICATED},
        {RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, HF_CLOSED},
        {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, HF_AGAIN},
        {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, HF_AGAIN},
        {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, HF_AGAIN},
        {(rd_kafka_resp_err_t)9999, HF_AGAIN}, /* one that is not known yet costs no data */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(hf_kafka_status(rows[i].error), rows[i].status);
    }
}

static void refuses_a_property_with_the_librarys_words(void **state)
{
    char why[HF_ERROR_MAX] = "";
    const struct hf_kafka_library *library = hf_kafka_library(why);
    struct hf_kafka_settings settings = {0};
    rd_kafka_conf_t *conf = NULL;
    (void)state;
    if (library == NULL) {
        assert_non_null(strstr(why, "librdkafka1"));
        skip();
    }
    hf_kafka_set(&settings, "session.timeout.ms", "soon");
    assert_int_equal(hf_kafka_conf_new(library, &settings, &conf, why), HF_INVALID);
    assert_non_null(strstr(why, "session.timeout.ms"));
    hf_kafka_settings_release(&settings);
    hf_kafka_set(&settings, "session.timeout.ms", "10000");
    assert_int_equal(hf_kafka_conf_new(library, &settings, &conf, why), HF_OK);
    library->conf_destroy(conf);
    hf_kafka_settings_release(&settings);
}

/* The versions of a library that is not loaded. */
static int version;

static int tell_version(void)
{
    return version;
}

static const char *tell_version_text(void)
{
    return "2.0.2";
}

static void names_an_old_library_as_the_cause_where_scram_is_refused(void **state)
{
    static const struct {
        const char *mechanism;
        int version;
        rd_kafka_resp_err_t error;
        bool is_named;
    } rows[] = {
        {"SCRAM-SHA-256", 0x020002ff, RD_KAFKA_RESP_ERR__AUTHENTICATION, true},
        {"SCRAM-SHA-512", 0x020600ff, RD_KAFKA_RESP_ERR__AUTHENTICATION, true},
        {"SCRAM-SHA-512", 0x020601ff, RD_KAFKA_RESP_ERR__AUTHENTICATION, false},
        {"SCRAM-SHA-256", 0x020002ff, RD_KAFKA_RESP_ERR__TRANSPORT, false},
        {"PLAIN", 0x020002ff, RD_KAFKA_RESP_ERR__AUTHENTICATION, false},
    };
    const struct hf_kafka_library library = {.version = tell_version,
                                             .version_str = tell_version_text};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_kafka_settings settings = {0};
        char text[384];
        version = rows[i].version;
        hf_kafka_set(&settings, "sasl.mechanisms", "%s", rows[i].mechanism);
        bool is_old = hf_kafka_has_old_scram(&library, &settings);
        hf_kafka_explain(&library, is_old, rows[i].error, "refused", text, sizeof(text));
        assert_memory_equal(text, "refused", 7);
        assert_int_equal(strstr(text, "librdkafka (2.0.2) cannot sign in by SCRAM") != NULL,
                         rows[i].is_named);
        hf_kafka_settings_release(&settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_errors_of_the_data_from_those_that_pass),
        cmocka_unit_test(refuses_a_property_with_the_librarys_words),
        cmocka_unit_test(names_an_old_library_as_the_cause_where_scram_is_refused),
    };
    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
