/* Statements change what they name, in their order; what fails is ignored, or refuses the request.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

#include "pdata/build.h"
#include "pdata/json.h"
#include "tests/support/node_stub.c"
#include "tests/unit/made_config.h"
#include "util/metrics/metrics.h"

extern const struct hf_component hf_processor_transform;

#define STATEMENTS_MAX 4

struct transforming {
    struct hf_node node;
    struct made_config made;
    struct hf_value items[STATEMENTS_MAX];
    void *self;
};

/* `statements` ends with NULL. */
static void configure(struct transforming *transforming, const char *mode,
                      const char *const statements[])
{
    const char *const pairs[][2] = {{"error_mode", mode}, {NULL, NULL}};
    const struct hf_field *field = hf_processor_transform.fields;
    size_t count = 0;
    *transforming =
        (struct transforming){.node = {.id = "transform", .signals = HF_SIGNAL_BIT(HF_LOGS)}};
    node_stub_init(&transforming->node);
    assert_int_equal(hf_metrics_new(&transforming->node.metrics), HF_OK);
    made_config(&transforming->made, &hf_processor_transform, pairs);
    for (; statements[count] != NULL; count++) {
        assert_true(count < STATEMENTS_MAX);
        transforming->items[count] =
            (struct hf_value){.type = HF_VALUE_STRING, .string = statements[count]};
    }
    while (strcmp(field->key, "log_statements") != 0) {
        field++;
    }
    *(struct hf_value *)(void *)((char *)transforming->made.config + field->offset) =
        (struct hf_value){.type = HF_VALUE_LIST, .items = transforming->items, .count = count};
}

static void release(struct transforming *transforming)
{
    if (transforming->self != NULL) {
        hf_processor_transform.close(transforming->self);
    }
    hf_metrics_free(transforming->node.metrics);
    made_config_release(&transforming->made);
}

/* One record with the body "text" and the attribute a=1. */
static struct hf_batch *make_record(void)
{
    struct hf_builder builder;
    const struct hf_build_log_record record = {.time_ns = 5};
    hf_builder_init(&builder, HF_LOGS, 1 << 20);
    hf_build_resource(&builder, HF_EMPTY_SLICE);
    hf_build_scope(&builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    hf_build_log_record(&builder, &record);
    hf_build_body_string(&builder, hf_slice_text("text"));
    hf_build_attribute_string(&builder, hf_slice_text("a"), hf_slice_text("1"));
    hf_build_end(&builder);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    hf_builder_release(&builder);
    assert_non_null(batch);
    return batch;
}

/* What is made of the record, as JSON; NULL: it is refused. To be released. */
static enum hf_status transform(const char *mode, const char *const statements[],
                                struct hf_bytes *ret_text)
{
    struct transforming transforming;
    char error[HF_ERROR_MAX] = "";
    struct hf_batch *changed = NULL, *batch = make_record();
    configure(&transforming, mode, statements);
    const char *wrong = hf_processor_transform.check(transforming.made.config);
    if (wrong != NULL || hf_processor_transform.open(&transforming.node, transforming.made.config,
                                                     &transforming.self, error) != HF_OK) {
        fail_msg("%s", wrong != NULL ? wrong : error);
    }
    enum hf_status status =
        hf_processor_transform.processor->process(transforming.self, batch, &changed);
    if (changed != NULL) {
        assert_int_equal(changed->items, 1);
        assert_int_equal(hf_json_from_proto(HF_LOGS, changed->raw, ret_text), HF_OK);
        hf_ref_drop(&changed->ref);
    }
    hf_ref_drop(&batch->ref);
    release(&transforming);
    return status;
}

static bool has(const struct hf_bytes *text, const char *part)
{
    return memmem(text->data, text->size, part, strlen(part)) != NULL;
}

static void statements_run_in_their_order(void **state)
{
    struct hf_bytes text = {0};
    (void)state;
    const char *const statements[] = {
        "set(log.attributes[\"b\"], log.attributes[\"a\"])", "delete_key(log.attributes, \"a\")",
        "set(log.body, Concat([log.body, log.attributes[\"b\"]], \"-\"))",
        "set(resource.attributes[\"r\"], \"x\") where log.attributes[\"a\"] == nil", NULL};
    assert_int_equal(transform("propagate", statements, &text), HF_OK);
    assert_true(has(&text, "{\"key\":\"b\",\"value\":{\"stringValue\":\"1\"}}"));
    assert_false(has(&text, "\"key\":\"a\""));
    assert_true(has(&text, "\"body\":{\"stringValue\":\"text-1\"}"));
    assert_true(has(&text, "{\"key\":\"r\",\"value\":{\"stringValue\":\"x\"}}"));
    hf_bytes_release(&text);
}

static void a_condition_that_is_false_changes_nothing(void **state)
{
    struct hf_bytes text = {0};
    (void)state;
    const char *const statements[] = {"set(log.body, \"no\") where log.attributes[\"a\"] == \"2\"",
                                      NULL};
    assert_int_equal(transform("propagate", statements, &text), HF_OK);
    assert_true(has(&text, "\"stringValue\":\"text\""));
    hf_bytes_release(&text);
}

static void what_fails_is_ignored_or_refuses_the_request(void **state)
{
    struct hf_bytes text = {0};
    (void)state;
    const char *const statements[] = {"set(log.attributes[\"n\"], ParseJSON(log.body))",
                                      "set(log.attributes[\"after\"], true)", NULL};
    assert_int_equal(transform("ignore", statements, &text), HF_OK);
    assert_true(has(&text, "\"key\":\"after\""));
    assert_false(has(&text, "\"key\":\"n\""));
    hf_bytes_release(&text);
    text = (struct hf_bytes){0};
    assert_int_equal(transform("silent", statements, &text), HF_OK);
    assert_true(has(&text, "\"key\":\"after\""));
    hf_bytes_release(&text);
    text = (struct hf_bytes){0};
    assert_int_not_equal(transform("propagate", statements, &text), HF_OK);
    assert_int_equal(text.size, 0);
    hf_bytes_release(&text);
}

static void wrong_statements_are_named(void **state)
{
    static const struct {
        const char *statement, *part;
    } rows[] = {{"set(log.body", "log_statements"},
                {"no_such_editor(log.body)", "no_such_editor"},
                {"set(span.name, \"x\")", "span"},
                {"set(log.nothing, 1)", "nothing"}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct transforming transforming;
        const char *const statements[] = {rows[i].statement, NULL};
        configure(&transforming, "ignore", statements);
        const char *wrong = hf_processor_transform.check(transforming.made.config);
        if (wrong == NULL || strstr(wrong, rows[i].part) == NULL) {
            fail_msg("%s: %s", rows[i].statement, wrong != NULL ? wrong : "(right)");
        }
        release(&transforming);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_run_in_their_order),
        cmocka_unit_test(a_condition_that_is_false_changes_nothing),
        cmocka_unit_test(what_fails_is_ignored_or_refuses_the_request),
        cmocka_unit_test(wrong_statements_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
