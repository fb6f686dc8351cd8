/* sum: what it makes without being told more. The counting itself:
 * tests/unit/support/items/item_metrics_test.c. */
#include "../passing.h"

#include <stdlib.h>

#include "support/items/item_metrics.h"
#include "tests/support/node_stub.c"

extern const struct hf_component hf_connector_sum;

static const char request[] = "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{},{}]}]}]}";

/* NULL: nothing is passed on; or else a word that is in it. */
static void connect_empty(const char *word)
{
    const struct hf_item_metrics_config config = {.levels = {{.count = 0}}};
    struct hf_node node = {.id = "sum"};
    char error[HF_ERROR_MAX] = "";
    void *self = NULL;
    struct hf_batch *batch = batch_of(HF_LOGS, request, 2, HF_EMPTY_SLICE);
    node_stub_init(&node);
    assert_null(hf_connector_sum.check(&config));
    assert_int_equal(hf_connector_sum.open(&node, &config, &self, error), HF_OK);
    assert_int_equal(hf_connector_sum.connector->connect(self, batch, NULL), HF_OK);
    assert_int_equal(passed_count, word != NULL ? output_count : 0);
    if (word != NULL) {
        struct hf_slice raw = passed[0].batch->raw;
        assert_non_null(memmem(raw.data, raw.size, word, strlen(word)));
    }
    forget_passed();
    hf_connector_sum.close(self);
    hf_ref_drop(&batch->ref);
}

static void sums_nothing_by_default(void **state)
{
    (void)state;
    connect_empty(NULL);
}

static void wants_an_attribute_to_add_up(void **state)
{
    const char *name = "m";
    const struct hf_item_metric_config metric = {.description = "d"};
    const struct hf_item_metrics_config config = {.levels = {[HF_ITEM_LOGS] = {&name, &metric, 1}}};
    (void)state;
    assert_non_null(strstr(hf_connector_sum.check(&config), "source_attribute"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_nothing_by_default),
        cmocka_unit_test(wants_an_attribute_to_add_up),
    };
    return cmocka_run_group_tests_name("sum", tests, NULL, NULL);
}
