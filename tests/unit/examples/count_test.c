/* The exporter of docs/examples, without a delivery around it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "tests/support/node_stub.c"

extern const struct hf_component hf_exporter_count;

static size_t answers;

void hf_export_done(struct hf_export *export, const struct hf_outcome *outcome)
{
    (void)export;
    assert_int_equal(outcome->status, HF_OK);
    answers++;
}

static void send_two(bool says, struct hf_node *node)
{
    struct hf_export first = {.items = 3}, second = {.items = 4};
    void *self = NULL;
    char error[HF_ERROR_MAX] = "";
    node_stub_init(node);
    answers = 0;
    assert_int_equal(hf_exporter_count.open(node, &says, &self, error), HF_OK);
    hf_exporter_count.exporter->send(self, &first);
    hf_exporter_count.exporter->send(self, &second);
    hf_exporter_count.close(self);
    assert_int_equal(answers, 2);
}

static void logs_the_sum_of_what_it_got(void **state)
{
    struct hf_node node = {.id = "count"};
    (void)state;
    send_two(true, &node);
    assert_string_equal(node.log, "3 items so far\n7 items so far\n");
}

static void is_silent_when_told_so(void **state)
{
    struct hf_node node = {.id = "count"};
    (void)state;
    send_two(false, &node);
    assert_string_equal(node.log, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logs_the_sum_of_what_it_got),
        cmocka_unit_test(is_silent_when_told_so),
    };
    return cmocka_run_group_tests_name("count", tests, NULL, NULL);
}
