/* Everything is taken, and nothing is asked of it. */
#include "tests/unit/made_config.h"

extern const struct hf_component hf_exporter_nop;

static unsigned done;
static struct hf_outcome heard;

void hf_export_done(struct hf_export *export, const struct hf_outcome *outcome)
{
    (void)export;
    done++;
    heard = *outcome;
}

static void takes_every_signal_at_once(void **state)
{
    (void)state;
    assert_int_equal(hf_exporter_nop.signals, HF_ALL_SIGNALS_AND_PROFILES);
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        struct hf_export export = {.signal = (enum hf_signal)signal, .items = 3};
        done = 0;
        hf_exporter_nop.exporter->send(NULL, &export);
        assert_int_equal(done, 1);
        assert_int_equal(heard.status, HF_OK);
        assert_int_equal(heard.rejected_items, 0);
        assert_int_equal(heard.item_count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_every_signal_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
