/* What every component that is built in has to keep. */
#include "../../support/component_rules.h"

#define HF_COMPONENT(name) extern const struct hf_component hf_##name;
#include "components.def"
#undef HF_COMPONENT

static void every_component_keeps_the_rules_of_its_kind(void **state)
{
    static const struct hf_component *const registry[] = {
#define HF_COMPONENT(name) &hf_##name,
#include "components.def"
#undef HF_COMPONENT
        NULL,
    };
    (void)state;
    check_registry(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_component_keeps_the_rules_of_its_kind),
    };
    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
