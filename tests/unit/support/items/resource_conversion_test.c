/* Which attributes of the resource are converted. */
#include "support/items/resource_conversion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs those before it */

static const char *const some[] = {"k8s.*", "host.na?e", "*"};

static void keys_are_chosen(void **state)
{
    static const struct {
        struct hf_resource_conversion conversion;
        const char *key;
        bool is_taken;
    } rows[] = {
        {{.enabled = true}, "service.name", true},
        {{.enabled = true, .exclude_service_attributes = true}, "service.name", false},
        {{.enabled = true, .exclude_service_attributes = true}, "service.version", true},
        {{.included = {some, 1}}, "k8s.pod.name", true},
        {{.included = {some, 1}}, "k8s", false},
        {{.included = {some, 2}}, "host.name", true},
        {{.included = {some, 2}}, "host.names", false},
        {{.excluded = {some, 2}}, "host.name", false},
        {{.excluded = {some, 2}}, "zone", true},
        {{.included = {some, 3}, .excluded = {some, 1}}, "k8s.pod.name", false},
        {{.included = {some, 3}, .excluded = {some, 1}}, "", true},
        {{.enabled = false}, "zone", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(
            hf_resource_conversion_takes(&rows[i].conversion, hf_slice_text(rows[i].key)),
            rows[i].is_taken);
    }
}

static void old_and_new_keys_exclude_each_other(void **state)
{
    const struct hf_resource_conversion both = {.enabled = true, .included = {some, 1}};
    const struct hf_resource_conversion none = {.enabled = false};
    (void)state;
    assert_non_null(hf_resource_conversion_check(&both));
    assert_null(hf_resource_conversion_check(&none));
    assert_false(hf_resource_conversion_is_on(&none));
    const struct hf_resource_conversion old = {.enabled = true}, new = {.included = {some, 1}};
    assert_non_null(hf_resource_labels_check(&old, &new));
    assert_non_null(hf_resource_labels_check(&both, &none));
    assert_null(hf_resource_labels_check(&old, &none));
    assert_null(hf_resource_labels_check(&none, &new));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_chosen),
        cmocka_unit_test(old_and_new_keys_exclude_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
