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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_errors_of_the_data_from_those_that_pass),
        cmocka_unit_test(refuses_a_property_with_the_librarys_words),
    };
    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
