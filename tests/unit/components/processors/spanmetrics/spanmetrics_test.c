/* The old processor is refused with a sentence that says what to write instead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "tests/unit/made_config.h"

extern const struct hf_component hf_processor_spanmetrics;

static void says_what_to_write_instead(void **state)
{
    struct hf_value values[32] = {{.type = HF_VALUE_STRING, .string = "x"}};
    const struct hf_field *field = hf_processor_spanmetrics.fields;
    size_t count = 0;
    (void)state;
    for (; field[count].key != NULL; count++) {
        assert_int_equal(field[count].offset, count * sizeof(values[0]));
    }
    assert_int_equal(hf_processor_spanmetrics.config_size, count * sizeof(values[0]));
    for (size_t i = 1; i < count; i++) {
        values[i].type = HF_VALUE_STRING;
        values[i].string = "x";
        const char *says = hf_processor_spanmetrics.check(values);
        assert_non_null(strstr(says, "the processor spanmetrics has become a connector"));
        assert_non_null(strstr(says, field[i].key));
        assert_non_null(strstr(says, "exporters [x]"));
        values[i].type = HF_VALUE_NONE;
    }
    assert_int_equal(hf_processor_spanmetrics.open(NULL, values, NULL, NULL), HF_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_to_write_instead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
