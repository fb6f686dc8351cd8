/* Thresholds and trace states, as OpenTelemetry's consistent sampling writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include <string.h>

#include "support/items/sampling.h"

static void writes_thresholds_of_probabilities(void **state)
{
    static const struct {
        double probability;
        unsigned digits;
        const char *text;
    } cases[] = {
        {1, 4, "0"},      {0.5, 4, "8"},        {0.25, 4, "c"},
        {0.1, 4, "e666"}, {0.001, 4, "ffbe77"}, {1.0 / 3, 14, "aaaaaaaaaaaaac"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t threshold, again;
        char text[HF_SAMPLING_HEX_DIGITS];
        assert_true(hf_sampling_threshold(cases[i].probability, cases[i].digits, &threshold));
        size_t size = hf_sampling_write_threshold(threshold, text);
        assert_int_equal(size, strlen(cases[i].text));
        assert_memory_equal(text, cases[i].text, size);
        assert_true(hf_sampling_read_threshold(hf_slice_of(text, size), &again));
        assert_true(again == threshold);
    }
}

static void reads_and_writes_trace_states(void **state)
{
    static const struct {
        const char *text, *again; /* NULL: it is none */
    } cases[] = {
        {"", ""},
        {"a=1", "a=1"},
        {" a=1 , ,ot=th:8;x:y,b@c=2", "ot=th:8;x:y,a=1,b@c=2"},
        {"ot=p:1;rv:0123456789abcd;th:c0", "ot=rv:0123456789abcd;th:c0;p:1"},
        {"ot=th:8,ot=th:4", "ot=th:4"},
        {"ot=", NULL},
        {"ot=th:8;", NULL},
        {"ot=th:123456789012345", NULL},
        {"ot=rv:1", NULL},
        {"A=1", NULL},
        {"a=", NULL},
        {"a", NULL},
        {"@b=1", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_sampling_state parsed;
        char text[HF_SAMPLING_WRITTEN_MAX];
        struct hf_slice came = hf_slice_text(cases[i].text);
        assert_int_equal(hf_sampling_read_state(came, &parsed), cases[i].again != NULL);
        if (cases[i].again != NULL) {
            size_t size = hf_sampling_write_state(came, &parsed, text);
            assert_true(hf_slice_is(hf_slice_of(text, size), cases[i].again));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_thresholds_of_probabilities),
        cmocka_unit_test(reads_and_writes_trace_states),
    };
    return cmocka_run_group_tests_name("sampling", tests, NULL, NULL);
}
