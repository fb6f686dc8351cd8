/* Conditions and the older criteria drop what they mean, count it, and refuse what cannot be. */
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
#include "util/metrics/metrics.h"

extern const struct hf_component hf_processor_filter;

#define ITEMS 60u

/* How many items are left of a request. */
static uint32_t left_of(enum hf_signal signal, const char *const pairs[][2])
{
    struct hf_node node = {.id = "filter", .signals = HF_SIGNAL_BIT(signal)};
    struct made_config made = {0};
    struct hf_bytes body = {0};
    char error[HF_ERROR_MAX] = "";
    void *self = NULL;
    struct hf_batch *changed = NULL;
    node_stub_init(&node);
    assert_int_equal(hf_metrics_new(&node.metrics), HF_OK);
    made_config(&made, &hf_processor_filter, pairs);
    assert_null(hf_processor_filter.check(made.config));
    assert_int_equal(hf_processor_filter.open(&node, made.config, &self, error), HF_OK);
    bodies_make(signal, 11, ITEMS, &body);
    struct hf_batch *batch = hf_batch_new(signal, body.size, HF_EMPTY_SLICE);
    assert_non_null(batch);
    memcpy(hf_batch_room(batch), body.data, body.size);
    hf_batch_seal(batch, body.size, ITEMS);
    assert_int_equal(hf_processor_filter.processor->process(self, batch, &changed), HF_OK);
    uint32_t left = changed != NULL ? changed->items : 0;
    if (changed != NULL) {
        hf_ref_drop(&changed->ref);
    }
    hf_ref_drop(&batch->ref);
    hf_bytes_release(&body);
    hf_processor_filter.close(self);
    hf_metrics_free(node.metrics);
    made_config_release(&made);
    return left;
}

/* What is left by the older keys, and by the same in OTTL. */
static void drops_the_same_by_either_form(void **state)
{
    static const char *const none[][2] = {{NULL, NULL}};
    static const char *const by_condition[][2] = {{"traces.span", "name == \"GET /\""},
                                                  {NULL, NULL}};
    static const char *const by_exclude[][2] = {{"spans.exclude.match_type", "strict"},
                                                {"spans.exclude.span_names", "GET /"},
                                                {NULL, NULL}};
    static const char *const by_include[][2] = {
        {"spans.include.match_type", "regexp"}, {"spans.include.span_names", "^GET"}, {NULL, NULL}};
    (void)state;
    assert_int_equal(left_of(HF_TRACES, none), ITEMS);
    uint32_t left = left_of(HF_TRACES, by_condition);
    assert_in_range(left, 1, ITEMS - 1);
    assert_int_equal(left_of(HF_TRACES, by_exclude), left);
    assert_int_equal(left_of(HF_TRACES, by_include), ITEMS - left);
}

static void drops_all_or_nothing(void **state)
{
    static const char *const all[][2] = {{"logs.log_record", "true"}, {NULL, NULL}};
    static const char *const failing[][2] = {{"logs.log_record", "flags + body == 1"},
                                             {NULL, NULL}};
    static const char *const points[][2] = {{"metrics.datapoint", "true"}, {NULL, NULL}};
    static const char *const resources[][2] = {{"metrics.resource", "true"}, {NULL, NULL}};
    (void)state;
    assert_int_equal(left_of(HF_LOGS, all), 0);
    assert_int_equal(left_of(HF_LOGS, failing), ITEMS);
    assert_int_equal(left_of(HF_METRICS, points), 0);
    assert_int_equal(left_of(HF_METRICS, resources), 0);
}

/* An include and an exclude of the same expression part the metrics between them, and one that
 * fails drops nothing. */
static void drops_metrics_by_expressions(void **state)
{
    static const char *const texts[] = {"MetricType == 'Sum'", "MetricName matches '.'",
                                        "HasLabel('http.method')", "Label('no') == ''"};
    (void)state;
    uint32_t parts[2];
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *const include[][2] = {{"metrics.include.match_type", "expr"},
                                          {"metrics.include.expressions", texts[i]},
                                          {NULL, NULL}};
        const char *const exclude[][2] = {{"metrics.exclude.match_type", "expr"},
                                          {"metrics.exclude.expressions", texts[i]},
                                          {NULL, NULL}};
        parts[0] = left_of(HF_METRICS, include);
        parts[1] = left_of(HF_METRICS, exclude);
        assert_int_equal(parts[0] + parts[1], ITEMS);
        if (i == 0) {
            assert_in_range(parts[0], 1, ITEMS - 1);
        }
    }
    assert_int_equal(parts[0], ITEMS);
    static const char *const failing[][2] = {{"metrics.exclude.match_type", "expr"},
                                             {"metrics.exclude.expressions", "Label('a') > 1"},
                                             {NULL, NULL}};
    assert_int_equal(left_of(HF_METRICS, failing), ITEMS);
}

static void refuses_what_cannot_be(void **state)
{
    static const struct {
        const char *const pairs[5][2];
        const char *says;
    } cases[] = {
        {{{"traces.span", "nam == 1"}}, "did you mean \"name\"?"},
        {{{"traces.span", "name == 1"}, {"spans.include.match_type", "strict"}},
         "cannot be given together with include and exclude"},
        {{{"metrics.include.match_type", "expr"}}, "need each other"},
        {{{"metrics.exclude.match_type", "expr"}, {"metrics.exclude.expressions", "Label("}},
         "metrics::exclude::expressions[0]"},
        {{{"metrics.exclude.match_type", "expr"},
          {"metrics.exclude.expressions", "true"},
          {"metrics.exclude.metric_names", "a"}},
         "neither metric_names"},
        {{{"logs.include.severity_number.min", "LOUD"}}, "is not a severity"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct made_config made;
        made_config(&made, &hf_processor_filter, cases[i].pairs);
        const char *why = hf_processor_filter.check(made.config);
        assert_non_null(why);
        if (strstr(why, cases[i].says) == NULL) {
            fail_msg("%s", why);
        }
        made_config_release(&made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drops_the_same_by_either_form),
        cmocka_unit_test(drops_all_or_nothing),
        cmocka_unit_test(drops_metrics_by_expressions),
        cmocka_unit_test(refuses_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
