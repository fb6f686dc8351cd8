/* roundrobin: whole requests in turn, each signal by itself. */
#include "../passing.h"

extern const struct hf_component hf_connector_roundrobin;

static void gives_each_pipeline_its_turn(void **state)
{
    static const struct {
        enum hf_signal signal;
        size_t to;
    } steps[] = {{HF_TRACES, 1}, {HF_TRACES, 2}, {HF_LOGS, 1},   {HF_TRACES, 0},
                 {HF_TRACES, 1}, {HF_LOGS, 2},   {HF_METRICS, 1}};
    char error[HF_ERROR_MAX] = "";
    void *self = NULL;
    (void)state;
    assert_int_equal(hf_connector_roundrobin.open(NULL, NULL, &self, error), HF_OK);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct hf_batch *batch = some_batch(steps[i].signal, 2);
        assert_int_equal(hf_connector_roundrobin.connector->connect(self, batch, NULL), HF_OK);
        assert_int_equal(passed_count, 1);
        assert_int_equal(passed[0].to, steps[i].to);
        assert_ptr_equal(passed[0].batch, batch);
        forget_passed();
        hf_ref_drop(&batch->ref);
    }
    hf_connector_roundrobin.close(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_each_pipeline_its_turn),
    };
    return cmocka_run_group_tests_name("roundrobin", tests, NULL, NULL);
}
