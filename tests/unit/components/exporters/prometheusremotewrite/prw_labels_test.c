/* Labels of series: what sets, joins and orders them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h> /* needs those before it */

#include "components/exporters/prometheusremotewrite/prw_series.h"

static void set(struct prw_labels *labels, const char *name, const char *value)
{
    prw_labels_set(labels, hf_slice_text(name), hf_slice_text(value));
}

static void labels_are_sorted_and_unique(void **state)
{
    (void)state;
    struct prw_labels labels = {0};
    struct hf_bytes out = {0};
    struct hf_wire_writer writer = {.out = &out};
    set(&labels, "b", "1");
    set(&labels, "a", "2");
    set(&labels, "b", "3");
    set(&labels, "none", "");
    prw_labels_offer(&labels, hf_slice_text("a"), hf_slice_text("4"));
    prw_labels_offer(&labels, hf_slice_text("B"), hf_slice_text("5"));
    prw_labels_write(&labels, 1, &writer);
    assert_int_equal(hf_wire_status(&writer), HF_OK);
    static const uint8_t wanted[] = "\x0a\x06\x0a\x01"
                                    "B\x12\x01"
                                    "5"
                                    "\x0a\x06\x0a\x01"
                                    "a\x12\x01"
                                    "2"
                                    "\x0a\x06\x0a\x01"
                                    "b\x12\x01"
                                    "3";
    assert_int_equal(out.size, sizeof(wanted) - 1);
    assert_memory_equal(out.data, wanted, sizeof(wanted) - 1);
    hf_bytes_release(&out);
    prw_labels_release(&labels);
}

static void series_of_the_same_labels_are_one(void **state)
{
    (void)state;
    struct prw_series series = {0};
    struct prw_labels labels = {0};
    assert_int_equal(prw_series_begin(&series), HF_OK);
    for (uint32_t i = 0; i < 3000; i++) {
        char value[16];
        uint32_t found;
        snprintf(value, sizeof(value), "%u", i % 1000);
        labels.count = 0;
        set(&labels, i % 2 != 0 ? "z" : "__name__", value);
        set(&labels, i % 2 != 0 ? "__name__" : "z", value);
        assert_int_equal(prw_series_find(&series, &labels, &found), HF_OK);
        assert_int_equal(found, i % 1000);
    }
    assert_int_equal(series.count, 1000);
    prw_labels_release(&labels);
    prw_series_release(&series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_sorted_and_unique),
        cmocka_unit_test(series_of_the_same_labels_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
