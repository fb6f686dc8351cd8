/* The processor is its configuration: what does not go together is said, and nothing runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/batching.h>
#include <holdfast/component.h>

extern const struct hf_component hf_processor_batch;

static void configures_a_shape(void **state)
{
    (void)state;
    assert_int_equal(hf_processor_batch.config_size, sizeof(struct hf_batching));
    assert_null(hf_processor_batch.processor->process);
}

static void says_what_does_not_go_together(void **state)
{
    static const char *const same[] = {"x-tenant", "x-other", "X-Tenant"};
    static const char *const apart[] = {"x-tenant", "x-other"};
    static const struct {
        struct hf_batching shape;
        const char *says;
    } cases[] = {
        {{.send_batch_size = 10}, NULL},
        {{.send_batch_size = 10, .send_batch_max_size = 10}, NULL},
        {{.send_batch_size = 10, .send_batch_max_size = 9},
         "send_batch_max_size must be greater or equal to send_batch_size"},
        {{.metadata_keys = {same, 3}}, "metadata_keys: duplicate entry (case-insensitive)"},
        {{.metadata_keys = {apart, 2}}, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *says = hf_processor_batch.check(&cases[i].shape);
        if (cases[i].says == NULL) {
            assert_null(says);
        } else {
            assert_string_equal(says, cases[i].says);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configures_a_shape),
        cmocka_unit_test(says_what_does_not_go_together),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
