/* cgroup_runtime: both of its keys are taken, by both of its names, and nothing comes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

#include <string.h>

#include <holdfast/component.h>

extern const struct hf_component hf_extension_cgroup_runtime;

static void takes_its_keys(void **state)
{
    static const char *const keys[] = {"gomaxprocs", "gomemlimit"};
    const struct hf_field *field = hf_extension_cgroup_runtime.fields;
    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++, field++) {
        assert_string_equal(field->key, keys[i]);
        /* Whatever is below a key that is ignored is taken: it has `enabled`, and `ratio`. */
        assert_int_equal(field->type, HF_FIELD_IGNORED);
        assert_non_null(field->help);
    }
    assert_int_equal(field->type, HF_FIELD_END);
}

static void has_both_names(void **state)
{
    const char *const *aliases = hf_extension_cgroup_runtime.aliases;
    (void)state;
    assert_string_equal(hf_extension_cgroup_runtime.type, "cgroup_runtime");
    assert_string_equal(aliases[0], "cgroupruntime");
    assert_null(aliases[1]);
}

static void does_nothing(void **state)
{
    const struct hf_component *component = &hf_extension_cgroup_runtime;
    (void)state;
    assert_int_equal(component->kind, HF_EXTENSION);
    assert_int_equal(component->config_size, 0);
    assert_true(component->check == NULL && component->probe == NULL && component->open == NULL);
    assert_true(component->start == NULL && component->stop == NULL && component->close == NULL);
    assert_null(component->extension);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_its_keys),
        cmocka_unit_test(has_both_names),
        cmocka_unit_test(does_nothing),
    };
    return cmocka_run_group_tests_name("cgroup_runtime", tests, NULL, NULL);
}
