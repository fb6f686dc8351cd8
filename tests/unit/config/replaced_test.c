/* What is said of components that are no more. */
#include "config/replaced.h"

#include "support.h"

#include "made_up.h"

static void names_what_is_used_instead(void **state)
{
    (void)state;
    assert_non_null(strstr(hf_replaced_by(HF_PROCESSOR, "routing"), "the connector \"routing\""));
    assert_null(hf_replaced_by(HF_CONNECTOR, "routing"));
    assert_null(hf_replaced_by(HF_PROCESSOR, "batch"));
}

static void says_so_where_the_type_is_not_known(void **state)
{
    struct loaded loaded =
        load_text(made_up, NOP_RECEIVER NOP_EXPORTER "processors: {routing: }\n" NOP_SERVICE);
    (void)state;
    assert_null(loaded.config);
    assert_non_null(strstr(loaded.findings[0].text,
                           "processors: unknown type: \"routing\" for id: \"routing\"; use the "
                           "connector \"routing\" instead"));
    loaded_free(&loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_what_is_used_instead),
        cmocka_unit_test(says_so_where_the_type_is_not_known),
    };
    return cmocka_run_group_tests_name("replaced", tests, NULL, NULL);
}
