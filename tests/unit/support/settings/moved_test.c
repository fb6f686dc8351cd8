/* The sentence says what to write instead of a processor that has become a connector. */
#include "support/settings/moved.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

static const struct hf_moved_key keys[] = {{"metrics_exporter", NULL},
                                           {"buckets", "histogram::buckets"},
                                           {"gone", NULL},
                                           {"other", "other"}};

static void names_the_keys_that_were_written(void **state)
{
    const struct hf_value values[] = {{.type = HF_VALUE_STRING, .string = "prometheus"},
                                      {.type = HF_VALUE_LIST},
                                      {.type = HF_VALUE_BOOL},
                                      {.type = HF_VALUE_NONE}};
    const struct hf_moved moved = {
        .type = "spanmetrics", .keys = keys, .values = values, .count = 4};
    (void)state;
    assert_string_equal(
        hf_moved_sentence(&moved),
        "the processor spanmetrics has become a connector: move it to `connectors:`, its buckets "
        "as histogram::buckets, leave out gone; put spanmetrics among the exporters of the traces "
        "pipeline instead of its processors, and add a metrics pipeline with receivers "
        "[spanmetrics] and exporters [prometheus]");
}

static void says_that_an_exporter_is_needed(void **state)
{
    const struct hf_value values[4] = {{.type = HF_VALUE_NONE}};
    const struct hf_moved moved = {.type = "x", .keys = keys, .values = values, .count = 4};
    (void)state;
    assert_non_null(strstr(hf_moved_sentence(&moved), "exporters [EXPORTER]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_the_keys_that_were_written),
        cmocka_unit_test(says_that_an_exporter_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
