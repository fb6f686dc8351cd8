/* Transforms leave requests that pass the scan, for all kinds of metrics, and wrong ones are
 * refused; what they do is compared with the Go collector in tests/differential. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

#include "pdata/scan.h"
#include "tests/support/bodies.c"
#include "tests/support/node_stub.c"
#include "tests/unit/made_config.h"

extern const struct hf_component hf_processor_metricstransform;

/* Runs the transforms over generated requests; each result must be one that can be stored. */
static void run(const char *const pairs[][2])
{
    struct hf_node node = {.id = "metricstransform", .signals = HF_SIGNAL_BIT(HF_METRICS)};
    struct made_config made = {0};
    char error[HF_ERROR_MAX] = "";
    void *self = NULL;
    node_stub_init(&node);
    made_config(&made, &hf_processor_metricstransform, pairs);
    assert_null(hf_processor_metricstransform.check(made.config));
    assert_int_equal(hf_processor_metricstransform.open(&node, made.config, &self, error), HF_OK);
    for (uint64_t seed = 1; seed < 60; seed++) {
        struct hf_bytes body = {0};
        struct hf_batch *changed = NULL;
        struct hf_scan scan;
        bodies_make(HF_METRICS, seed, 12, &body);
        struct hf_batch *batch = hf_batch_new(HF_METRICS, body.size, HF_EMPTY_SLICE);
        memcpy(hf_batch_room(batch), body.data, body.size);
        hf_batch_seal(batch, body.size, 12);
        assert_int_equal(hf_processor_metricstransform.processor->process(self, batch, &changed),
                         HF_OK);
        if (changed != NULL) {
            assert_int_equal(hf_scan(HF_METRICS, changed->raw, &scan), HF_OK);
            assert_int_equal(scan.items, changed->items);
            hf_ref_drop(&changed->ref);
        }
        hf_ref_drop(&batch->ref);
        hf_bytes_release(&body);
    }
    hf_processor_metricstransform.close(self);
    made_config_release(&made);
}

static void results_can_be_stored(void **state)
{
    static const char *const actions[] = {"update", "insert", "combine", "group"};
    static const char *const operations[] = {"add_label",
                                             "update_label",
                                             "delete_label_value",
                                             "toggle_scalar_data_type",
                                             "experimental_scale_value",
                                             "aggregate_labels",
                                             "aggregate_label_values"};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 7; j++) {
            const char *const pairs[][2] = {{"transforms.0.include", "(.)"},
                                            {"transforms.0.match_type", "regexp"},
                                            {"transforms.0.action", actions[i]},
                                            {"transforms.0.new_name", "n.${1}"},
                                            {"transforms.0.group_resource_labels.g", "yes"},
                                            {"transforms.0.operations.0.action", operations[j]},
                                            {"transforms.0.operations.0.label", "http.method"},
                                            {"transforms.0.operations.0.new_label", "l"},
                                            {"transforms.0.operations.0.new_value", "{{version}}"},
                                            {"transforms.0.operations.0.label_value", "GET"},
                                            {"transforms.0.operations.0.experimental_scale", "3"},
                                            {"transforms.0.operations.0.aggregated_values", "GET"},
                                            {NULL, NULL}};
            run(pairs);
        }
    }
}

static void refuses_what_cannot_be(void **state)
{
    static const struct {
        const char *const pairs[6][2];
        const char *says;
    } rows[] = {
        {{{"transforms.0.action", "update"}}, "include must be given"},
        {{{"transforms.0.include", "a"}, {"transforms.0.action", "insert"}}, "insert needs"},
        {{{"transforms.0.include", "a"}, {"transforms.0.action", "combine"}}, "combine needs"},
        {{{"transforms.0.include", "a"}, {"transforms.0.action", "group"}}, "group needs"},
        {{{"transforms.0.include", "("},
          {"transforms.0.action", "update"},
          {"transforms.0.match_type", "regexp"}},
         "transforms[0]::include"},
        {{{"transforms.0.include", "a"},
          {"transforms.0.action", "update"},
          {"transforms.0.operations.0.action", "add_label"}},
         "add_label needs new_label"},
        {{{"transforms.0.include", "a"},
          {"transforms.0.action", "update"},
          {"transforms.0.operations.0.action", "experimental_scale_value"}},
         "needs experimental_scale"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct made_config made = {0};
        made_config(&made, &hf_processor_metricstransform, rows[i].pairs);
        const char *why = hf_processor_metricstransform.check(made.config);
        assert_non_null(why);
        if (strstr(why, rows[i].says) == NULL) {
            fail_msg("%s", why);
        }
        made_config_release(&made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_can_be_stored),
        cmocka_unit_test(refuses_what_cannot_be),
    };
    return cmocka_run_group_tests_name("metricstransform", tests, NULL, NULL);
}
