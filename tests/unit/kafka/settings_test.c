#include "kafka/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void keeps_properties_in_their_order(void **state)
{
    struct hf_kafka_settings settings = {0};
    (void)state;
    hf_kafka_set(&settings, "linger.ms", "%d", 10);
    hf_kafka_set_text(&settings, "client.id", NULL);
    hf_kafka_set_text(&settings, "client.rack", "");
    hf_kafka_set_text(&settings, "acks", "all");
    assert_int_equal(settings.count, 2);
    assert_string_equal(settings.names[0], "linger.ms");
    assert_string_equal(settings.values[0], "10");
    assert_string_equal(settings.values[1], "all");
    assert_false(settings.failed);
    hf_kafka_settings_release(&settings);
    assert_int_equal(settings.count, 0);
}

static void notes_that_more_than_fit_were_set(void **state)
{
    struct hf_kafka_settings settings = {0};
    (void)state;
    for (unsigned i = 0; i <= HF_KAFKA_SETTINGS_MAX; i++) {
        assert_false(settings.failed);
        hf_kafka_set(&settings, "acks", "%u", i);
    }
    assert_true(settings.failed);
    hf_kafka_settings_release(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_properties_in_their_order),
        cmocka_unit_test(notes_that_more_than_fit_were_set),
    };
    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
