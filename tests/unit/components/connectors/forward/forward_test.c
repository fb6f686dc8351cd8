/* forward: all to all. */
#include "../passing.h"

extern const struct hf_component hf_connector_forward;

static void passes_every_batch_to_all_pipelines_as_it_is(void **state)
{
    char error[HF_ERROR_MAX] = "";
    void *self = NULL;
    (void)state;
    assert_int_equal(hf_connector_forward.open(NULL, NULL, &self, error), HF_OK);
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        struct hf_batch *batch = some_batch((enum hf_signal)signal, 2);
        assert_int_equal(hf_connector_forward.connector->connect(self, batch, NULL), HF_OK);
        assert_int_equal(passed_count, 3);
        for (size_t i = 0; i < passed_count; i++) {
            assert_ptr_equal(passed[i].batch, batch);
            assert_int_equal(passed[i].to, i);
        }
        forget_passed();
        hf_ref_drop(&batch->ref);
    }
    hf_connector_forward.close(self);
}

static void tells_what_the_pipelines_refuse(void **state)
{
    char error[HF_ERROR_MAX] = "";
    void *self = NULL;
    struct hf_batch *batch = some_batch(HF_LOGS, 1);
    (void)state;
    assert_int_equal(hf_connector_forward.open(NULL, NULL, &self, error), HF_OK);
    passing_says = HF_BUSY;
    assert_int_equal(hf_connector_forward.connector->connect(self, batch, NULL), HF_BUSY);
    passing_says = HF_OK;
    hf_ref_drop(&batch->ref);
    hf_connector_forward.close(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_every_batch_to_all_pipelines_as_it_is),
        cmocka_unit_test(tells_what_the_pipelines_refuse),
    };
    return cmocka_run_group_tests_name("forward", tests, NULL, NULL);
}
